//! The contracts' records as the RPC server reads them: what holds now from the state, what was
//! once from the store.

use std::ops::Bound;

use chain_state::proof::ProvenAccount;
use chain_state::{
    OrderStatus, PolicyKey, ProposalStatus, RateRecord, State, TransferStatus, UserDayKey,
    UserMonth, UserMonthKey,
};
use chain_store::ChainStore as _;
use chain_types::{
    Amount, Currency, Height, LineKey, MerchantId, OrderId, ParticipantId, PolicyScope, ProposalId,
    QuoteId, RechargeItem, Roles, TimeMs, TransferId, WindowId,
};
use contracts::calendar::{day_of, month_of};
use contracts::reference as rates;
use contracts::stayed::at_stake_at_most;
use contracts::users::kept_since;
use node_home::archive::ReadFault;
use node_home::contract_reports as told;
use node_home::reports;
use node_replica::read_state;
use rpc_api::money::currency_code;
use rpc_api::{
    AccountName, AccountProofReport, HeldOrderReport, LineReport, Money, PolicyReport,
    ProgrammeReport, ProposalReport, QuoteReport, RateReport, ReferenceReport, RegisteredMerchant,
    RegistryReport, RestReport, ReturnReport, SlaReport, TransferReport, UserDayReport,
    UserMonthReport, WindowProofReport, encode_base64, rate_text,
};
use rpc_server::{BackendError, ContractReads, Pair, Read, User};

use super::backend::{self, NodeBackend};

/// The first `limit` values after `after` of a table.
fn after<'a, K: Ord, V>(
    table: &'a std::collections::BTreeMap<K, V>,
    after: Option<&K>,
    limit: u32,
) -> impl Iterator<Item = (&'a K, &'a V)> {
    let lower = after.map_or(Bound::Unbounded, Bound::Excluded);
    table.range((lower, Bound::Unbounded)).take(limit as usize)
}

/// The last `limit` values below `before` of a table that are wanted, descending.
fn below<'a, K: Ord, V>(
    table: &'a std::collections::BTreeMap<K, V>,
    before: Option<&K>,
    is_wanted: impl Fn(&V) -> bool,
    limit: u32,
) -> impl Iterator<Item = &'a V> {
    let upper = before.map_or(Bound::Unbounded, Bound::Excluded);
    let values = table.range((Bound::Unbounded, upper)).rev().map(|(_, value)| value);
    values.filter(move |value| is_wanted(value)).take(limit as usize)
}

fn today(state: &State) -> u32 {
    day_of(state.time(), i64::from(state.parameters().day_offset_min))
}

impl NodeBackend {
    /// Reads the state alone.
    fn now<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&read_state(&self.orders.state))
    }

    /// The order as it was submitted.
    fn item(&self, id: &OrderId) -> Read<Option<(RechargeItem, OrderStatus)>> {
        let Some(record) = self.order_record(id)? else { return Ok(None) };
        self.orders.item(record).map(Some).map_err(BackendError::fault)
    }

    fn quotes_told(&self, issued: &[chain_state::QuoteRecord]) -> Vec<QuoteReport> {
        self.now(|state| issued.iter().map(|quote| told::quote(quote, state)).collect())
    }

    fn proposals_told(&self, found: &[chain_state::ProposalRecord]) -> Vec<ProposalReport> {
        self.now(|state| found.iter().map(|record| told::proposal(record, state)).collect())
    }
}

impl ContractReads for NodeBackend {
    fn returns(&self, id: &OrderId, after: Option<u16>, limit: u32) -> Read<Vec<ReturnReport>> {
        let Some((item, _)) = self.item(id)? else { return Ok(Vec::new()) };
        let found = self.store().returns(id, after, limit as usize);
        let pair = (item.currency(), item.payout_currency());
        let found = found.map_err(BackendError::fault)?;
        Ok(found.iter().map(|record| told::returned(record, pair)).collect())
    }

    fn sla(&self, after: Option<ParticipantId>, limit: u32) -> Read<Vec<SlaReport>> {
        let reports = self.now(told::sla);
        let found = self::after(&reports, after.as_ref(), limit);
        Ok(found.map(|(_, report)| report.clone()).collect())
    }

    fn account_proof(
        &self,
        name: &AccountName,
        height: Option<Height>,
        lineage_apart: bool,
    ) -> Read<Option<AccountProofReport>> {
        let head = self.read(State::height)?;
        let height = height.unwrap_or(head);
        let key = reports::account_key(name).filter(|_| height <= head && height > Height(0));
        let Some(key) = key else { return Ok(None) };
        let proof = match self.orders.account_proof(&key, height) {
            Ok(Some(proof)) => proof,
            Ok(None) => return Ok(None),
            Err(ReadFault::AccountProofNotKept(height)) => {
                return Err(BackendError::AccountProofNotKept(height));
            }
            Err(fault) => return Err(BackendError::fault(fault)),
        };
        let committed = self.store().block(height).map_err(BackendError::fault)?;
        let missing = || BackendError::fault(format!("block {height} is not in the store"));
        let committed = committed.ok_or_else(missing)?;
        let below = (!lineage_apart).then_some(height);
        let lineage = self.orders.lineage(below.into_iter()).map_err(BackendError::fault)?;
        let (header, certificate) = (committed.block.header, committed.certificate);
        let account = reports::account(&key, &proof.account);
        let account = account.ok_or_else(|| BackendError::fault("an account has no name"))?;
        let proven = ProvenAccount { proof, header, certificate, lineage };
        let bytes = proven
            .encode()
            .map_err(|error| backend::too_large(&format!("account {name}"), error))?;
        Ok(Some(AccountProofReport {
            account,
            height: height.0,
            time_ms: proven.header.time.0,
            block_hash: proven.header.hash(),
            state_digest: proven.header.state_digest,
            proof_base64: encode_base64(&bytes),
        }))
    }

    fn window_proof(&self, id: WindowId, lineage_apart: bool) -> Read<Option<WindowProofReport>> {
        if self.read(State::open_window)?.id == id {
            return Err(BackendError::WindowOpen(id));
        }
        let proof = match self.orders.window_proof(id, lineage_apart) {
            Ok(proof) => proof,
            Err(ReadFault::ProofNotKept(id)) => return Err(BackendError::ProofNotKept(id)),
            Err(fault) => return Err(BackendError::fault(fault)),
        };
        let Some(proof) = proof else { return Ok(None) };
        let bytes = proof.encode();
        let bytes = bytes.map_err(|error| backend::too_large(&format!("window {id}"), error))?;
        Ok(reports::window_proof(id, &proof, &bytes))
    }

    fn transfers(
        &self,
        open_only: bool,
        before: Option<TransferId>,
        limit: u32,
    ) -> Read<Vec<TransferReport>> {
        let validity_ms = self.read(|state| state.parameters().transfer_validity_ms)?;
        let found = if open_only {
            let is_open =
                |record: &chain_state::TransferRecord| record.status == TransferStatus::Proposed;
            self.now(|state| {
                let open = below(&state.tables().transfers, before.as_ref(), is_open, limit);
                open.copied().collect()
            })
        } else {
            self.store().transfers(before, limit as usize).map_err(BackendError::fault)?
        };
        Ok(found.iter().filter_map(|record| told::transfer(record, validity_ms)).collect())
    }

    fn transfer(&self, id: &TransferId) -> Read<Option<TransferReport>> {
        let validity_ms = self.read(|state| state.parameters().transfer_validity_ms)?;
        let found = self.store().transfer(id).map_err(BackendError::fault)?;
        Ok(found.and_then(|record| told::transfer(&record, validity_ms)))
    }

    fn fx_reference(&self, pair: Pair) -> Read<ReferenceReport> {
        Ok(self.now(|state| reference(state, pair)))
    }

    fn rates(&self, pair: Pair, after: Option<ParticipantId>, limit: u32) -> Read<Vec<RateReport>> {
        let of = |provider| (pair.0, pair.1, provider);
        let lower = after.map_or(Bound::Included(of(ParticipantId(0))), |provider| {
            Bound::Excluded(of(provider))
        });
        let upper = Bound::Included(of(ParticipantId(u32::MAX)));
        Ok(self.now(|state| {
            let found = state.tables().rates.range((lower, upper)).take(limit as usize);
            found.map(|(_, record)| told::rate(record, rates::is_fresh(state, record))).collect()
        }))
    }

    fn rate_history(
        &self,
        pair: Pair,
        provider: ParticipantId,
        after: Option<TimeMs>,
        limit: u32,
    ) -> Read<Vec<RateReport>> {
        let key = (pair.0, pair.1, provider);
        let last = self.read(|state| state.tables().rates.get(&key).copied())?;
        let found = self.store().rates(&key, after, limit as usize);
        let found = found.map_err(BackendError::fault)?;
        Ok(self.now(|state| {
            let is_fresh =
                |record: &RateRecord| Some(*record) == last && rates::is_fresh(state, record);
            found.iter().map(|record| told::rate(record, is_fresh(record))).collect()
        }))
    }

    fn quote(&self, id: QuoteId) -> Read<Option<QuoteReport>> {
        self.read(|_| ())?;
        let found = self.store().quote(id).map_err(BackendError::fault)?;
        Ok(self.quotes_told(found.as_slice()).pop())
    }

    fn quotes(
        &self,
        provider: ParticipantId,
        after: Option<QuoteId>,
        limit: u32,
    ) -> Read<Vec<QuoteReport>> {
        self.read(|_| ())?;
        let found = self.store().quotes(provider, after, limit as usize);
        Ok(self.quotes_told(&found.map_err(BackendError::fault)?))
    }

    fn programmes(
        &self,
        after: Option<(MerchantId, Currency)>,
        limit: u32,
    ) -> Read<Vec<ProgrammeReport>> {
        Ok(self.now(|state| {
            let found = self::after(&state.tables().programmes, after.as_ref(), limit);
            found.map(|(key, record)| told::programme(*key, record, state)).collect()
        }))
    }

    fn programme(&self, merchant: MerchantId, currency: Currency) -> Read<Option<ProgrammeReport>> {
        let key = (merchant, currency);
        Ok(self.now(|state| {
            let record = state.tables().programmes.get(&key)?;
            Some(told::programme(key, record, state))
        }))
    }

    fn user_month(
        &self,
        merchant: MerchantId,
        currency: Currency,
        user: User,
    ) -> Read<Option<UserMonthReport>> {
        Ok(self.now(|state| user_month(state, merchant, currency, user)))
    }

    fn policies(
        &self,
        after: Option<(PolicyScope, u64, Currency)>,
        limit: u32,
    ) -> Read<Vec<PolicyReport>> {
        let after: Option<PolicyKey> = after;
        Ok(self.now(|state| {
            let found = self::after(&state.tables().policies, after.as_ref(), limit);
            found.map(|(_, record)| told::policy(record, state, today(state))).collect()
        }))
    }

    fn lines(
        &self,
        owner: ParticipantId,
        after: Option<LineKey>,
        limit: u32,
    ) -> Read<Vec<LineReport>> {
        Ok(self.now(|state| {
            let given = state.tables().lines_given(owner, after).take(limit as usize);
            given.filter_map(told::line).collect()
        }))
    }

    fn lines_held(
        &self,
        holder: ParticipantId,
        after: Option<LineKey>,
        limit: u32,
    ) -> Read<Vec<LineReport>> {
        Ok(self.now(|state| {
            let held = state.tables().lines_held(holder, after).take(limit as usize);
            held.filter_map(told::line).collect()
        }))
    }

    fn held_orders(&self, after: Option<OrderId>, limit: u32) -> Read<Vec<HeldOrderReport>> {
        Ok(self.now(|state| {
            let found = self::after(&state.tables().held, after.as_ref(), limit);
            found.filter_map(|(id, held)| told::held_order(*id, held, state)).collect()
        }))
    }

    fn user_day(&self, user: User, currency: Currency) -> Read<UserDayReport> {
        Ok(self.now(|state| user_day(state, user, currency)))
    }

    fn registry(&self) -> Read<RegistryReport> {
        Ok(self.now(told::registry))
    }

    fn is_gateway(&self, id: ParticipantId) -> Read<bool> {
        let holds = |state: &State| state.participant(id).map(|found| found.roles);
        Ok(self.now(holds).is_some_and(|roles| roles.any_of(Roles::GATEWAY)))
    }

    fn merchants(&self, after: Option<MerchantId>, limit: u32) -> Read<Vec<RegisteredMerchant>> {
        Ok(self.now(|state| {
            let all = state.merchants();
            let first =
                after.map_or(0, |after| all.partition_point(|merchant| merchant.id <= after));
            let found = all.iter().skip(first).take(limit as usize);
            found.map(|merchant| told::merchant(merchant, state)).collect()
        }))
    }

    fn merchant(&self, id: MerchantId) -> Read<Option<RegisteredMerchant>> {
        Ok(self.now(|state| Some(told::merchant(state.merchant(id)?, state))))
    }

    fn proposals(
        &self,
        open_only: bool,
        before: Option<ProposalId>,
        limit: u32,
    ) -> Read<Vec<ProposalReport>> {
        self.read(|_| ())?;
        let found = if open_only {
            let waits = |record: &chain_state::ProposalRecord| {
                matches!(record.status, ProposalStatus::Proposed | ProposalStatus::Scheduled)
            };
            self.now(|state| {
                let open = below(&state.tables().proposals, before.as_ref(), waits, limit);
                open.cloned().collect()
            })
        } else {
            self.store().proposals(before, limit as usize).map_err(BackendError::fault)?
        };
        Ok(self.proposals_told(&found))
    }

    fn proposal(&self, id: &ProposalId) -> Read<Option<ProposalReport>> {
        self.read(|_| ())?;
        let found = self.store().proposal(id).map_err(BackendError::fault)?;
        Ok(self.proposals_told(found.as_slice()).pop())
    }
}

fn reference(state: &State, pair: Pair) -> ReferenceReport {
    let of = |provider| (pair.0, pair.1, provider);
    let range = of(ParticipantId(0))..=of(ParticipantId(u32::MAX));
    let published: Vec<_> = state.tables().rates.range(range).map(|(_, record)| record).collect();
    let fresh_count = published.iter().filter(|record| rates::is_fresh(state, record)).count();
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let level = state.tables().references.get(&pair);
    let step = level.and_then(|level| level.step);
    let confirm_ms = state.parameters().reference_confirm_ms;
    let report = ReferenceReport {
        currency: currency_code(pair.0),
        payout_currency: currency_code(pair.1),
        height: state.height().0,
        time_ms: state.time().0,
        rate: None,
        missing: None,
        fresh_count: count(fresh_count),
        provider_count: count(published.len()),
        rates_min: state.parameters().rates_min,
        confirmed: level.map(|level| rate_text(level.level)),
        waiting: step.map(|step| rate_text(step.level)),
        waiting_until_ms: step.map(|step| step.since.plus(confirm_ms).0),
    };
    match rates::next_reference(state, pair) {
        Ok(rate) => ReferenceReport { rate: Some(rate_text(rate)), ..report },
        Err(missing) => report.without(missing),
    }
}

fn user_month(
    state: &State,
    merchant: MerchantId,
    currency: Currency,
    user: User,
) -> Option<UserMonthReport> {
    let record = state.tables().programmes.get(&(merchant, currency))?;
    // Before its first version holds, a programme counts nobody.
    let programme = record.at(state.height().next()).or(record.versions.first().map(|(_, p)| p))?;
    let month = month_of(state.time(), i64::from(programme.offset_min));
    let entry = state.user_month(&UserMonthKey { user, programme: record.number, month });
    let (count, granted) = (entry.count, entry.granted());
    let most = programme.user_month_max;
    let left = Amount(most.0.saturating_sub(granted));
    let before = month.saturating_sub(1);
    let before = UserMonthKey { user, programme: record.number, month: before };
    let is_kept = before.month >= kept_since(state.time()).month;
    let entry_before = Some(state.user_month(&before)).filter(|found| is_kept && found.count > 0);
    Some(UserMonthReport {
        merchant: merchant.0,
        user: hex::encode(user),
        month: month_name(month),
        rests: rests(month, &entry, currency),
        rests_before: entry_before.map(|entry| rests(before.month, &entry, currency)),
        recharge_count: count,
        granted: Money::new(Amount(granted), currency),
        left: (most.0 > 0).then(|| Money::new(left, currency)),
    })
}

/// What can rest on an order of a month.
fn rests(month: u16, entry: &UserMonth, currency: Currency) -> RestReport {
    let earned = entry.earned();
    let money = |amount| Money::new(amount, currency);
    RestReport {
        month: month_name(month),
        granted: money(Amount(earned.granted)),
        largest: money(Amount(earned.largest.into())),
        steps: earned.steps,
        is_shifted: earned.is_shifted,
        most: money(at_stake_at_most(&earned)),
    }
}

fn month_name(month: u16) -> String {
    format!("{:04}-{:02}", month / 12, month % 12 + 1)
}

fn user_day(state: &State, user: User, currency: Currency) -> UserDayReport {
    let today = today(state);
    let entry = state.user_day(&UserDayKey { user, currency });
    let used = if u32::from(entry.day) == today { entry.amount() } else { 0 };
    let policy = state.tables().policies.get(&(PolicyScope::Scheme, 0, currency));
    let most = policy.map(|policy| policy.user_day_max).filter(|most| most.0 > 0);
    let left = |most: Amount| Money::new(Amount(most.0.saturating_sub(used)), currency);
    let day = jiff::civil::date(1970, 1, 1)
        .checked_add(jiff::Span::new().days(i64::from(today.min(2_900_000))));
    UserDayReport {
        user: hex::encode(user),
        day: day.map_or_else(|_| today.to_string(), |day| day.to_string()),
        used: Money::new(Amount(used), currency),
        day_max: most.map(|most| Money::new(most, currency)),
        left: most.map(left),
    }
}
