//! What a node without a chain says of contracts: a few reports of each kind, counted from one.

use std::sync::atomic::Ordering;

use chain_types::{
    Amount, Currency, Digest, Height, LineKey, MerchantId, OrderId, ParticipantId, PolicyScope,
    ProposalId, QuoteId, RechargeItem, Rejection, TimeMs, TransferId, WindowId,
};
use rpc_api::ledger::TransferAction;
use rpc_api::recharge::OrderContent;
use rpc_api::{
    AccountName, AccountProofReport, BudgetReport, ChangeReport, HeldOrderReport, LineReport,
    Money, PolicyReport, ProgrammeReport, ProposalReport, ProposalState, QuoteReport, RateReport,
    ReferenceReport, RegisteredMerchant, RegistryReport, RestReport, ReturnReport, SlaReport,
    TransferReport, TransferState, UserDayReport, UserMonthReport, WindowProofReport,
};
use rpc_server::{Backend as _, BackendError, ContractReads, Pair, Read, User};
use zerocopy::FromZeros as _;

use crate::fake_node::{FakeNode, GATEWAY, account, block_hash};

const CNY: Currency = Currency(156);
/// How many there are of each thing that is listed.
pub const COUNT: u64 = 3;

fn money(minor: u64) -> Money {
    Money::new(Amount(minor), CNY)
}

/// The numbers from one to [`COUNT`] that come after `after`, at most `limit` of them.
fn ascending(after: Option<u64>, limit: u32) -> impl Iterator<Item = u64> {
    (1..=COUNT).filter(move |number| after.is_none_or(|after| *number > after)).take(limit as usize)
}

/// The same from the last one down, below `before`.
fn descending(before: Option<u64>, limit: u32) -> impl Iterator<Item = u64> {
    let below = move |number: &u64| before.is_none_or(|before| *number < before);
    (1..=COUNT).rev().filter(below).take(limit as usize)
}

/// The number that an id was made of.
fn number_of(time: TimeMs) -> u64 {
    time.0 - 1_790_000_000_000
}

pub fn uuid_text(number: u64) -> String {
    OrderId::new(TimeMs(1_790_000_000_000 + number), [7; 10]).to_string()
}

fn line(owner: u32, holder: u64) -> LineReport {
    LineReport {
        account: account(u64::from(owner)).account,
        holder: u32::try_from(holder).unwrap(),
        limit: money(5),
        outstanding: money(3),
        left: money(2),
        since_ms: 1,
    }
}

fn transfer(number: u64) -> TransferReport {
    TransferReport {
        transfer_id: uuid_text(number).parse().unwrap(),
        action: TransferAction::Deposit,
        account: account(201).account,
        amount: money(number),
        status: if number == 1 { TransferState::Proposed } else { TransferState::Approved },
        maker: 401,
        reference: String::new(),
        proposed_ms: number,
        proposed_height: 1,
        decide_until_ms: 9,
        checker: None,
        checker_reference: None,
        decided_ms: None,
    }
}

fn rate((currency, payout): Pair, provider: u32, observed_ms: u64) -> RateReport {
    RateReport {
        currency: rpc_api::money::currency_code(currency),
        payout_currency: rpc_api::money::currency_code(payout),
        provider,
        rate: "7.1".to_owned(),
        observed_ms,
        published_ms: observed_ms,
        is_fresh: true,
    }
}

fn quote(id: u64) -> QuoteReport {
    QuoteReport {
        quote_id: id,
        provider: 301,
        currency: "CNY".to_owned(),
        payout_currency: "USD".to_owned(),
        rate: "0.14".to_owned(),
        ceiling: money(100),
        used: Some(money(40)),
        left: money(60),
        valid_until_ms: 9,
        issued_ms: 1,
        is_valid: true,
    }
}

fn programme(merchant: u64) -> ProgrammeReport {
    ProgrammeReport {
        merchant,
        currency: "CNY".to_owned(),
        number: 0,
        is_active: true,
        versions: Vec::new(),
        budget: BudgetReport {
            credited: money(100),
            debited: money(20),
            balance: money(80),
            available: money(80),
        },
    }
}

fn proposal(number: u64) -> ProposalReport {
    ProposalReport {
        proposal_id: uuid_text(number).parse().unwrap(),
        change: ChangeReport::Parameter { parameter: "window_ms".to_owned(), value: number },
        change_base64: String::new(),
        digest: Digest::ZERO,
        status: if number == 1 { ProposalState::Proposed } else { ProposalState::Effective },
        failure: None,
        status_height: 1,
        maker: 1,
        proposed_ms: 1,
        approve_until_ms: 2,
        activation_height: 20,
        due_height: 20,
        approvals_needed: 2,
        approvals: vec![1],
        refusals: Vec::new(),
    }
}

fn merchant(id: u64) -> RegisteredMerchant {
    RegisteredMerchant {
        merchant: id,
        name: format!("merchant-{id}"),
        payout_gateway: GATEWAY,
        legal_entity: String::new(),
        payout_account: None,
        suspended: false,
        changed_height: None,
    }
}

impl ContractReads for FakeNode {
    fn returns(&self, id: &OrderId, after: Option<u16>, limit: u32) -> Read<Vec<ReturnReport>> {
        let of = |sequence: u64| ReturnReport {
            order_id: *id,
            sequence: sequence as u16,
            gateway: GATEWAY,
            amount: money(1),
            payout: money(1),
            cashback: money(0),
            reason: 1,
            iso_code: ReturnReport::iso_code(1),
            is_reversal: false,
            cashback_rested: money(0),
            cashback_set_off: money(0),
            is_unconverted: false,
            reference: String::new(),
            returned_ms: 1,
            height: 1,
        };
        Ok(ascending(after.map(u64::from), limit).map(of).collect())
    }

    fn sla(&self, after: Option<ParticipantId>, limit: u32) -> Read<Vec<SlaReport>> {
        let all = [None, Some(GATEWAY)].into_iter();
        let rest = all.filter(|id| after.is_none_or(|after| id.unwrap_or_default() > after.0));
        let report = |participant| SlaReport { participant, ..SlaReport::default() };
        Ok(rest.take(limit as usize).map(report).collect())
    }

    fn account_proof(
        &self,
        name: &AccountName,
        height: Option<Height>,
        _lineage_apart: bool,
    ) -> Read<Option<AccountProofReport>> {
        let head = *self.doorbell().borrow();
        let height = height.unwrap_or(head);
        let found = self.account(name)?.filter(|_| height <= head);
        Ok(found.map(|account| AccountProofReport {
            account,
            height: height.0,
            time_ms: 1,
            block_hash: block_hash(height.0),
            state_digest: Digest::ZERO,
            proof_base64: String::new(),
        }))
    }

    /// Window 6 is open, window 0 was not kept.
    fn window_proof(&self, id: WindowId, _lineage_apart: bool) -> Read<Option<WindowProofReport>> {
        match id.0 {
            0 => Err(BackendError::ProofNotKept(id)),
            6 => Err(BackendError::WindowOpen(id)),
            7.. => Ok(None),
            window => Ok(Some(WindowProofReport {
                window,
                height: 2,
                time_ms: 1,
                block_hash: block_hash(2),
                records_root: Digest::ZERO,
                settled_height: (window == 1).then_some(3),
                proof_base64: String::new(),
            })),
        }
    }

    fn transfers(
        &self,
        open_only: bool,
        before: Option<TransferId>,
        limit: u32,
    ) -> Read<Vec<TransferReport>> {
        let all = descending(before.map(|id| number_of(id.time())), limit).map(transfer);
        Ok(all.filter(|one| !open_only || one.status == TransferState::Proposed).collect())
    }

    fn transfer(&self, id: &TransferId) -> Read<Option<TransferReport>> {
        Ok((1..=COUNT).map(transfer).find(|one| one.transfer_id == *id))
    }

    fn lines(
        &self,
        owner: ParticipantId,
        after: Option<LineKey>,
        limit: u32,
    ) -> Read<Vec<LineReport>> {
        let after = after.map(|after| u64::from(after.holder.0));
        Ok(ascending(after, limit).map(|holder| line(owner.0, holder)).collect())
    }

    fn lines_held(
        &self,
        holder: ParticipantId,
        after: Option<LineKey>,
        limit: u32,
    ) -> Read<Vec<LineReport>> {
        let after = after.map(|after| u64::from(after.owner.0));
        let owners = ascending(after, limit).map(|owner| u32::try_from(owner).unwrap());
        Ok(owners.map(|owner| line(owner, u64::from(holder.0))).collect())
    }

    fn fx_reference(&self, pair: Pair) -> Read<ReferenceReport> {
        let RateReport { currency, payout_currency, rate, .. } = rate(pair, 301, 1);
        let report = ReferenceReport {
            currency,
            payout_currency,
            height: 1,
            time_ms: 1,
            rate: Some(rate),
            missing: None,
            fresh_count: 3,
            provider_count: 3,
            rates_min: 2,
            confirmed: None,
            waiting: None,
            waiting_until_ms: None,
        };
        let is_quoted = pair.0 == CNY;
        Ok(if is_quoted { report } else { report.without(Rejection::RatesTooFew) })
    }

    fn rates(&self, pair: Pair, after: Option<ParticipantId>, limit: u32) -> Read<Vec<RateReport>> {
        let after = after.map(|id| u64::from(id.0));
        Ok(ascending(after, limit).map(|id| rate(pair, id as u32, 1)).collect())
    }

    fn rate_history(
        &self,
        pair: Pair,
        provider: ParticipantId,
        after: Option<TimeMs>,
        limit: u32,
    ) -> Read<Vec<RateReport>> {
        let times = ascending(after.map(|time| time.0), limit);
        Ok(times.map(|time_ms| rate(pair, provider.0, time_ms)).collect())
    }

    fn quote(&self, id: QuoteId) -> Read<Option<QuoteReport>> {
        Ok((1..=COUNT).contains(&id.0).then(|| quote(id.0)))
    }

    fn quotes(
        &self,
        _provider: ParticipantId,
        after: Option<QuoteId>,
        limit: u32,
    ) -> Read<Vec<QuoteReport>> {
        Ok(ascending(after.map(|id| id.0), limit).map(quote).collect())
    }

    fn programmes(
        &self,
        after: Option<(MerchantId, Currency)>,
        limit: u32,
    ) -> Read<Vec<ProgrammeReport>> {
        Ok(ascending(after.map(|(merchant, _)| merchant.0), limit).map(programme).collect())
    }

    fn programme(&self, id: MerchantId, currency: Currency) -> Read<Option<ProgrammeReport>> {
        let is_known = (1..=COUNT).contains(&id.0) && currency == CNY;
        Ok(is_known.then(|| programme(id.0)))
    }

    fn user_month(
        &self,
        id: MerchantId,
        currency: Currency,
        user: User,
    ) -> Read<Option<UserMonthReport>> {
        let found = self.programme(id, currency)?;
        Ok(found.map(|programme| UserMonthReport {
            merchant: programme.merchant,
            user: hex::encode(user),
            month: "2026-11".to_owned(),
            recharge_count: 6,
            granted: money(8),
            left: None,
            rests: RestReport {
                month: "2026-11".to_owned(),
                granted: money(8),
                largest: money(8),
                steps: 1,
                is_shifted: false,
                most: money(8),
            },
            rests_before: None,
        }))
    }

    fn policies(
        &self,
        after: Option<(PolicyScope, u64, Currency)>,
        limit: u32,
    ) -> Read<Vec<PolicyReport>> {
        let policy = |subject| PolicyReport {
            scope: rpc_api::PolicyScope::Gateway,
            subject,
            currency: "CNY".to_owned(),
            order_max: Some(money(5)),
            user_day_max: None,
            day_max: None,
            day_used: None,
            hold_above: None,
            desk: 501,
            since_ms: 1,
        };
        Ok(ascending(after.map(|(_, subject, _)| subject), limit).map(policy).collect())
    }

    fn held_orders(&self, after: Option<OrderId>, limit: u32) -> Read<Vec<HeldOrderReport>> {
        let held = |number| HeldOrderReport {
            order_id: uuid_text(number).parse().unwrap(),
            order: OrderContent::new(&RechargeItem::new_zeroed(), ParticipantId(101), None),
            held_ms: number,
            decide_until_ms: number + 1,
        };
        Ok(ascending(after.map(|id| number_of(id.time())), limit).map(held).collect())
    }

    fn user_day(&self, user: User, _currency: Currency) -> Read<UserDayReport> {
        Ok(UserDayReport {
            user: hex::encode(user),
            day: "2026-11-23".to_owned(),
            used: money(0),
            day_max: None,
            left: None,
        })
    }

    fn registry(&self) -> Read<RegistryReport> {
        Ok(RegistryReport {
            height: 1,
            protocol_version: 1,
            participants: Vec::new(),
            nodes: Vec::new(),
            currencies: vec!["CNY".to_owned()],
            parameters: rpc_api::ParametersReport::new(&self.parameters()?),
        })
    }

    fn is_gateway(&self, id: ParticipantId) -> Read<bool> {
        Ok(id.0 == GATEWAY || id.0 == self.new_gateway.load(Ordering::Acquire))
    }

    fn merchants(&self, after: Option<MerchantId>, limit: u32) -> Read<Vec<RegisteredMerchant>> {
        Ok(ascending(after.map(|id| id.0), limit).map(merchant).collect())
    }

    fn merchant(&self, id: MerchantId) -> Read<Option<RegisteredMerchant>> {
        Ok((1..=COUNT).contains(&id.0).then(|| merchant(id.0)))
    }

    fn proposals(
        &self,
        open_only: bool,
        before: Option<ProposalId>,
        limit: u32,
    ) -> Read<Vec<ProposalReport>> {
        let all = descending(before.map(|id| number_of(id.time())), limit).map(proposal);
        Ok(all.filter(|one| !open_only || one.status == ProposalState::Proposed).collect())
    }

    fn proposal(&self, id: &ProposalId) -> Read<Option<ProposalReport>> {
        Ok((1..=COUNT).map(proposal).find(|one| one.proposal_id == *id))
    }
}
