//! The contracts' records, in the words of the public interface.

use std::collections::BTreeMap;

use chain_state::{
    Corridor, HeldOrder, LineRecord, PolicyRecord, ProgrammeRecord, ProposalRecord, QuoteRecord,
    RateRecord, RegistrarRecord, ReturnRecord, SLA_BUCKETS_MS, SlaCounters, State, TransferRecord,
};
use chain_types::{
    Amount, Change, Currency, MerchantId, OrderId, ParticipantId, PolicyScope, ProposalId,
    RechargeItem, Rejection, codec,
};
use contracts::calendar::day_of;
use rpc_api::money::currency_code;
use rpc_api::recharge::OrderContent;
use rpc_api::{
    BreachCount, BudgetReport, ChangeReport, CorridorReport, HeldOrderReport, LineReport,
    ListedChange, Money, NodeReport, ParametersReport, PolicyReport, ProgrammeReport,
    ProgrammeVersion, ProposalReport, QuoteReport, RateReport, RegisteredMerchant,
    RegisteredParticipant, RegistrarReport, RegistryReport, ReturnReport, SlaBucket, SlaReport,
    TransferReport, encode_base64, rate_text,
};

use crate::reports::money;

/// Money of an order that was sent back; `pair` are the order's currencies.
pub fn returned(record: &ReturnRecord, pair: (Currency, Currency)) -> ReturnReport {
    ReturnReport {
        order_id: record.order,
        sequence: record.sequence,
        gateway: record.gateway.get(),
        amount: Money::new(record.amount, pair.0),
        payout: Money::new(record.payout, pair.1),
        cashback: Money::new(record.cashback, pair.0),
        cashback_rested: Money::new(record.cashback_rested, pair.0),
        cashback_set_off: Money::new(record.cashback_set_off, pair.0),
        reason: record.reason,
        iso_code: ReturnReport::iso_code(record.reason),
        is_reversal: record.is_reversal,
        is_unconverted: record.is_unconverted,
        reference: hex::encode(record.reference),
        returned_ms: record.time.get(),
        height: record.location.height.get(),
    }
}

/// How well participants keep deadlines, by participant; zero for what is nobody's.
pub fn sla(state: &State) -> BTreeMap<ParticipantId, SlaReport> {
    let mut reports: BTreeMap<ParticipantId, SlaReport> = BTreeMap::new();
    let report_of = |id: ParticipantId| SlaReport {
        participant: (id.get() > 0).then_some(id.get()),
        ..SlaReport::default()
    };
    for ((gateway, of), counters) in &state.tables().sla {
        let report = reports.entry(*gateway).or_insert_with(|| report_of(*gateway));
        report.corridors.push(corridor(of, counters));
    }
    for ((missed, late), count) in &state.tables().breach_counts {
        let report = reports.entry(*late).or_insert_with(|| report_of(*late));
        report.breaches.push(BreachCount { stage: *missed, count: *count });
    }
    reports
}

fn corridor(corridor: &Corridor, counters: &SlaCounters) -> CorridorReport {
    let bounds = SLA_BUCKETS_MS.into_iter().map(Some).chain([None]);
    let steps = bounds.zip(counters.buckets);
    CorridorReport {
        payout_currency: currency_code(corridor.payout_currency),
        is_cross_border: corridor.is_cross_border,
        instruction_count: counters.instruction_count,
        order_count: counters.order_count,
        late_count: counters.late_count,
        distribution: steps
            .map(|(up_to_ms, order_count)| SlaBucket { up_to_ms, order_count })
            .collect(),
    }
}

/// A transfer; `validity_ms` is how long one waits for its checker.
pub fn transfer(record: &TransferRecord, validity_ms: u64) -> TransferReport {
    let is_decided = record.checker.is_some();
    TransferReport {
        transfer_id: record.id,
        action: record.action,
        account: record.account,
        amount: Money::new(record.amount, record.account.currency),
        status: record.status,
        maker: record.maker.get(),
        reference: hex::encode(record.reference),
        proposed_ms: record.proposed.get(),
        proposed_height: record.location.height.get(),
        decide_until_ms: record.proposed.plus(validity_ms).get(),
        checker: record.checker.map(|checker| checker.get()),
        checker_reference: is_decided.then(|| hex::encode(record.checker_reference)),
        decided_ms: record.decided.map(|time| time.get()),
    }
}

/// Reports a provider's rate.
pub fn rate(record: &RateRecord, is_fresh: bool) -> RateReport {
    RateReport {
        currency: currency_code(record.currency),
        payout_currency: currency_code(record.payout_currency),
        provider: record.provider.get(),
        rate: rate_text(record.rate),
        observed_ms: record.observed.get(),
        published_ms: record.published.get(),
        is_fresh,
    }
}

/// A quote as issued; what is used of it comes from the state, while that remembers it.
pub fn quote(issued: &QuoteRecord, state: &State) -> QuoteReport {
    let used = state.tables().quotes.get(&issued.id).map(|quote| quote.used);
    let is_valid = state.time() <= issued.valid_until;
    let left =
        used.filter(|_| is_valid).map_or(0, |used| issued.ceiling.get().saturating_sub(used.get()));
    QuoteReport {
        quote_id: issued.id.get(),
        provider: issued.id.provider().get(),
        currency: currency_code(issued.currency),
        payout_currency: currency_code(issued.payout_currency),
        rate: rate_text(issued.rate),
        ceiling: Money::new(issued.ceiling, issued.currency),
        used: used.map(|used| Money::new(used, issued.currency)),
        left: Money::new(Amount::new(left), issued.currency),
        valid_until_ms: issued.valid_until.get(),
        issued_ms: issued.issued.get(),
        is_valid,
    }
}

/// A cashback programme with its budget.
pub fn programme(
    (merchant, currency): (MerchantId, Currency),
    record: &ProgrammeRecord,
    state: &State,
) -> ProgrammeReport {
    let versions = record.versions.iter();
    let pool = chain_state::AccountKey::cashback_pool(merchant, currency);
    let pool = state.account(&pool).copied().unwrap_or_default();
    ProgrammeReport {
        merchant: merchant.get(),
        currency: currency_code(currency),
        number: record.number,
        is_active: record.at(state.height().next()).is_some_and(|version| version.is_active),
        versions: versions
            .map(|(since, version)| ProgrammeVersion::new(since.get(), version))
            .collect(),
        budget: BudgetReport {
            credited: money(pool.credits_posted, currency),
            debited: money(pool.debits_posted, currency),
            balance: Money::sum(pool.balance(), currency),
            available: money(pool.available(), currency),
        },
    }
}

/// A bound of which zero means none.
fn bound(amount: Amount, currency: Currency) -> Option<Money> {
    (amount.get() > 0).then(|| Money::new(amount, currency))
}

/// A risk policy, and what its subject has used of the present day.
pub fn policy(record: &PolicyRecord, state: &State, today: u32) -> PolicyReport {
    let currency = record.currency;
    let key = (record.scope, record.subject, currency);
    let used = state.tables().day_uses.get(&key).filter(|used| used.day == today);
    let used = money(used.map_or(0, |used| used.amount), currency);
    let day_max = bound(record.day_max, currency).filter(|_| record.scope != PolicyScope::Scheme);
    PolicyReport {
        scope: record.scope,
        subject: record.subject,
        currency: currency_code(currency),
        order_max: bound(record.order_max, currency),
        user_day_max: bound(record.user_day_max, currency),
        day_used: day_max.as_ref().map(|_| used),
        day_max,
        hold_above: bound(record.hold_above, currency),
        desk: record.desk.get(),
        since_ms: record.since.get(),
    }
}

/// A line, and what is reserved under it.
pub fn line(record: &LineRecord) -> LineReport {
    let LineRecord { key, limit, outstanding, since } = *record;
    let money = |amount: Amount| Money::new(amount, key.currency);
    LineReport {
        account: key.account(),
        holder: key.holder.get(),
        limit: money(limit),
        outstanding: money(outstanding),
        left: money(limit.minus(outstanding)),
        since_ms: since.get(),
    }
}

/// An order that waits for a risk desk.
pub fn held_order(id: OrderId, held: &HeldOrder, state: &State) -> Option<HeldOrderReport> {
    let item: RechargeItem = zerocopy::FromBytes::read_from_bytes(&held.item).ok()?;
    let paying = state.merchant(item.merchant()).map(|merchant| merchant.payout_gateway);
    Some(HeldOrderReport {
        order_id: id,
        order: OrderContent::new(&item, held.submitter, paying),
        held_ms: held.held.get(),
        decide_until_ms: id.time().plus(state.parameters().order_validity_ms).get(),
    })
}

/// Reports the registry of the block after the state's head.
pub fn registry(state: &State) -> RegistryReport {
    let content = state.registry();
    let next = state.height().next();
    let participants = content.participants.iter().map(|participant| {
        let previous = content.previous_keys.get(&participant.id).copied();
        RegisteredParticipant::new(participant, previous, next)
    });
    let nodes = (0_u32..).zip(content.nodes.iter()).map(|(at, node)| NodeReport::new(at, node));
    RegistryReport {
        height: state.height().get(),
        protocol_version: content.protocol_version,
        participants: participants.collect(),
        nodes: nodes.collect(),
        currencies: content.currencies.iter().copied().map(currency_code).collect(),
        parameters: ParametersReport::new(&content.parameters),
    }
}

/// A merchant as it is registered now.
pub fn merchant(merchant: &chain_types::Merchant, state: &State) -> RegisteredMerchant {
    RegisteredMerchant::new(merchant, state.merchant_changed(merchant.id))
}

/// A merchant registrar, and what it has done of the day of the state's head.
pub fn registrar(
    participant: ParticipantId,
    record: &RegistrarRecord,
    state: &State,
) -> RegistrarReport {
    let offset_min = i64::from(state.parameters().day_offset_min);
    let is_today = record.day == day_of(state.time(), offset_min);
    let today = |count: u32| if is_today { count } else { 0 };
    RegistrarReport {
        participant: participant.get(),
        gateway: record.limits.gateway.get(),
        added_max: record.limits.added_max,
        changed_max: record.limits.changed_max,
        added: today(record.added),
        changed: today(record.changed),
    }
}

/// At most `count` changes of the list that a proposal names, after the one at a place; `None` when
/// it names none, or is closed.
pub fn listed_changes(
    proposal: ProposalId,
    after: Option<u32>,
    count: usize,
    state: &State,
) -> Option<Vec<ListedChange>> {
    let record = state.tables().proposals.get(&proposal)?;
    let Change::List { digest, .. } = record.change else { return None };
    let list = (record.maker, digest);
    state.tables().lists.get(&list)?;
    let first = after.map_or(0, |after| after.saturating_add(1));
    let found = state.tables().listed_changes.range((list, first)..=(list, u32::MAX)).take(count);
    let told = found.map(|((_, place), change)| ListedChange {
        place: *place,
        change: ChangeReport::new(change, record.activation),
        change_base64: encode_base64(&codec::encode(change)),
    });
    Some(told.collect())
}

/// A governance proposal, under the parameters of now.
pub fn proposal(record: &ProposalRecord, state: &State) -> ProposalReport {
    let parameters = state.parameters();
    let ids = |ids: &[ParticipantId]| ids.iter().map(|id| id.get()).collect();
    ProposalReport {
        proposal_id: record.id,
        change: ChangeReport::new(&record.change, record.activation),
        change_base64: encode_base64(&codec::encode(&record.change)),
        digest: record.digest,
        status: record.status,
        failure: Rejection::from_code(record.failure).map(Into::into),
        status_height: record.status_height.get(),
        maker: record.maker.get(),
        proposed_ms: record.proposed.get(),
        approve_until_ms: record.proposed.plus(parameters.proposal_validity_ms).get(),
        activation_height: record.activation.get(),
        due_height: record.due.get(),
        approvals_needed: parameters.governance_approvals,
        approvals: ids(&record.approvals),
        refusals: ids(&record.refusals),
    }
}
