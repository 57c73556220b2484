//! No lock: for whatever waits in the chain, a way out is searched for on a copy of it, over what
//! honest parties can say and over waiting; the foes are silent. No list says which remedy belongs
//! to what: every word about the thing is tried by everybody, and what the chain applies is gone on
//! from, until the thing is at rest.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chain_state::{
    AccountKey, AccountKind, InstructionRecord, InstructionStatus, OrderStatus, TransferRecord,
    TransferStatus,
};
use chain_types::{
    Change, InstructionId, Merchant, OrderId, Outcome, ParticipantId, TimeMs, TransferAction,
    TransferId, WindowId,
};

use crate::chain::Chain;
use crate::coalition::Coalition;
use crate::fork::Fork;
use crate::network::*;
use crate::purse::Purse;
use crate::words::{self, Ids};
use crate::world::{Pen, THIRD_AGENT, Word};

/// So many steps lead out at most.
const STEPS_MAX: usize = 8;
/// A party that gives back begins this long before the period of returns ends, in milliseconds.
const SLACK_MS: u64 = 600_000;
/// So many of the last orders are given back.
const REFUNDS: usize = 60;
/// So many copies are looked at before something counts as locked.
const COPIES_MAX: usize = 600;

/// AB08, and SVNR: agents end what a bank left alone, or give it up.
pub const REASONS: [u16; 2] = [4, 13];

/// A thing that waits for some party's operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    Instruction(InstructionId),
    Reservation(OrderId),
    Held(OrderId),
    Transfer(TransferId),
    Window(WindowId),
    /// The settled money of an account that no other thing accounts for, in minor units.
    Balance(AccountKey, u64),
    /// An order whose merchant, paid by an honest gateway, wants to give it back.
    Refund(OrderId),
}

/// A step: words in one block, or nothing until a time.
#[derive(Clone)]
enum Step {
    Say(Vec<Word>),
    Wait(u64),
}

/// A search for operations that let waiting things out.
pub struct Search<'a> {
    pub foes: &'a Coalition,
    pub purse: &'a Purse,
    pub pen: &'a mut Pen,
    pub ids: &'a mut Ids,
    /// The reason that agents give when they step in.
    pub reason: u16,
}

impl Search<'_> {
    /// The number of steps after which the thing is at rest, whatever reason agents give.
    pub fn way_out(&mut self, from: &Fork<'_>, thing: Thing) -> Option<usize> {
        REASONS.into_iter().find_map(|reason| {
            self.reason = reason;
            self.way_out_by_reason(from, thing)
        })
    }

    fn way_out_by_reason(&mut self, from: &Fork<'_>, thing: Thing) -> Option<usize> {
        let mut seen = BTreeSet::from([trace(from, thing)]);
        let mut waiting = VecDeque::from([(from.clone(), 0_usize)]);
        let mut copies = 0;
        while let Some((fork, steps)) = waiting.pop_front() {
            if is_at_rest(&fork, thing) {
                return Some(steps);
            }
            if steps == STEPS_MAX {
                continue;
            }
            for step in self.steps(&fork, thing) {
                let Some(next) = self.take(&fork, &step) else { continue };
                if is_at_rest(&next, thing) {
                    return Some(steps + 1);
                }
                copies += 1;
                if copies > COPIES_MAX {
                    return None;
                }
                if seen.insert(trace(&next, thing)) {
                    waiting.push_back((next, steps + 1));
                }
            }
        }
        None
    }

    /// Describes a thing that is locked in, and the chain's answer to each first step.
    pub fn explain(&mut self, fork: &Fork<'_>, thing: Thing) -> String {
        let known = match thing {
            Thing::Instruction(id) => format!("{:?}", fork.instruction_now(&id)),
            Thing::Refund(id) => {
                let sold = &self.purse.sold[&id];
                format!("{sold:?} {:?}", fork.instruction_now(&sold.instruction()))
            }
            _ => String::new(),
        };
        let now = fork.time().plus(1);
        let mut answers = BTreeMap::new();
        for step in self.steps(fork, thing) {
            let Step::Say(said) = step else { continue };
            let batches = self.pen.batches(&fork.state, now, &said);
            for outcome in fork.outcomes(now, &batches) {
                answers.entry((said[0].1.kind(), outcome.0)).or_insert(said[0].0);
            }
        }
        format!("{thing:?}: {known}; answers to whom {answers:?}")
    }

    /// The copy after a step, if the chain takes it.
    fn take<'c>(&mut self, fork: &Fork<'c>, step: &Step) -> Option<Fork<'c>> {
        let now = fork.time().plus(1);
        let mut next = match step {
            Step::Wait(until) => {
                let mut next = fork.clone();
                next.block(TimeMs::new(*until).max(now), Vec::new());
                return Some(next);
            }
            Step::Say(said) => {
                let batches = self.pen.batches(&fork.state, now, said);
                let outcomes = fork.outcomes(now, &batches);
                let is_taken = |outcome: &Outcome| outcome.0 < 100 && outcome.0 != 1;
                if !outcomes.iter().any(is_taken) {
                    return None;
                }
                let mut next = fork.clone();
                next.block(now, batches);
                next
            }
        };
        // What operators have scheduled takes effect.
        let is_change = matches!(step, Step::Say(said) if said[0].1.kind() == PROPOSAL);
        if is_change {
            for _ in 0..=next.state.parameters().governance_notice_heights + 1 {
                let time = next.time().plus(1);
                next.block(time, Vec::new());
            }
        }
        Some(next)
    }

    /// Everything that honest parties can say about a thing, and for how long they can wait.
    fn steps(&mut self, fork: &Fork<'_>, thing: Thing) -> Vec<Step> {
        match thing {
            Thing::Instruction(id) => self.about_instruction(fork, id),
            Thing::Reservation(id) => {
                let words = [words::collect(id), words::void(id)];
                let mut steps = self.by_everybody(&words);
                let held = fork.state.reservation(&id);
                steps.extend(held.map(|held| Step::Wait(held.expires.get() + 1)));
                steps
            }
            Thing::Held(id) => {
                let words = [words::decide_hold(id, true), words::decide_hold(id, false)];
                let mut steps = self.by_everybody(&words);
                let validity_ms = fork.state.parameters().order_validity_ms;
                steps.push(Step::Wait(id.time().get() + validity_ms + 1));
                steps
            }
            Thing::Transfer(id) => {
                let Some(known) = fork.state.tables().transfers.get(&id) else { return Vec::new() };
                let (action, amount) = (known.action.number(), known.amount.get());
                let decide =
                    |is_approval| words::decide_transfer(id.bytes(), is_approval, action, amount);
                let mut steps = self.by_everybody(&[decide(true), decide(false)]);
                let validity_ms = fork.state.parameters().transfer_validity_ms;
                steps.push(Step::Wait(known.proposed.get() + validity_ms + 1));
                steps
            }
            Thing::Window(window) => {
                let Some(report) = fork.report(window) else { return Vec::new() };
                let digest = report.digest().bytes();
                let known = fork.state.tables().proposed_settlements.get(&window);
                let wait = known.map(|known| known.proposed.get());
                let validity_ms = fork.state.parameters().transfer_validity_ms;
                let decide = |is_approval| words::decide_settlement(window, is_approval, digest);
                let said = [words::settle(window, digest), decide(true), decide(false)];
                let mut steps = self.by_everybody(&said);
                steps.extend(wait.map(|proposed| Step::Wait(proposed + validity_ms + 1)));
                steps
            }
            Thing::Balance(key, amount) => {
                let account = (u16::from(key.kind.number()), key.owner, key.currency.get());
                let is_own = |known: &&TransferRecord| is_withdrawal(known, &key, amount);
                let is_open = |known: &&TransferRecord| known.status == TransferStatus::Proposed;
                let all = fork.state.tables().transfers.values();
                let open = all.filter(is_own).rfind(is_open);
                let word = match open {
                    Some(known) => words::decide_transfer(known.id.bytes(), true, 2, amount),
                    None => words::transfer(self.ids.other(fork.time().get()), 2, account, amount),
                };
                self.by_everybody(&[word])
            }
            Thing::Refund(id) => self.about_refund(fork, id),
        }
    }

    /// All that is left of an order goes back, if need be after its bank was given money.
    fn about_refund(&mut self, fork: &Fork<'_>, id: OrderId) -> Vec<Step> {
        let sold = &self.purse.sold[&id];
        let left = sold.item.amount.get() - sold.returned;
        // The search pays whatever rested: it looks for a way, not for a cheap one.
        let word = words::give_back(id, left, u64::MAX, sold.returns + 1);
        let mut steps = self.by_everybody(&[word]);
        let Some(record) = fork.instruction_now(&sold.instruction()) else { return steps };
        let rate_ms = fork.state.parameters().return_rate_ms;
        steps.push(Step::Wait(sold.time_ms + rate_ms + 1));
        let account = (1, u64::from(record.gateway.get()), record.id.currency.get());
        let transfer_id = self.ids.other(fork.time().get());
        let agents = self.foes.honest(&[AGENTS[0], AGENTS[1], THIRD_AGENT]);
        steps.push(Step::Say(vec![
            (agents[0], words::transfer(transfer_id, 1, account, DEPOSIT)),
            (agents[1], words::decide_transfer(transfer_id, true, 1, DEPOSIT)),
        ]));
        steps.extend(self.about_instruction(fork, record.id));
        steps
    }

    /// Returns the parties of every role that are not foes.
    fn everybody(&self) -> Vec<u32> {
        let all = [
            GATEWAYS.as_slice(),
            &AGENTS[..2],
            &[THIRD_AGENT],
            &OPERATORS[..3],
            &DESKS,
            &SERVICES[..2],
        ];
        self.foes.honest(&all.concat())
    }

    fn by_everybody(&self, words: &[crate::item::Item]) -> Vec<Step> {
        let by = self.everybody();
        let all = by.iter().flat_map(|by| words.iter().map(|word| Step::Say(vec![(*by, *word)])));
        all.collect()
    }

    fn about_instruction(&mut self, fork: &Fork<'_>, id: InstructionId) -> Vec<Step> {
        let Some(record) = fork.instruction_now(&id) else { return Vec::new() };
        let words = [
            words::arrive(&record, record.left().get()),
            words::fail(&record, 4),
            words::bounce(&record, 4),
            words::recall(&record),
            words::step_in(&record, self.reason),
            words::reinstruct(&record),
        ];
        let mut steps = self.by_everybody(&words);
        let orders: Vec<_> =
            self.purse.sold.values().filter(|sold| sold.instruction() == id).collect();
        let left = |sold: &crate::purse::Sold| sold.item.amount.get() - sold.returned;
        for by in self.everybody() {
            let of_orders = orders.iter().filter(|sold| left(sold) > 0);
            let returns = of_orders.map(|sold| {
                let id = sold.item.order_id();
                (by, words::give_back(id, left(sold), u64::MAX, sold.returns + 1))
            });
            let returns: Vec<Word> = returns.collect();
            if !returns.is_empty() {
                steps.push(Step::Say(returns));
            }
        }
        let operators = self.foes.honest(&OPERATORS);
        if let Some(merchant) = fork.state.merchant(id.merchant) {
            for gateway in self.foes.honest(&[201, 202, 203]) {
                let payout_gateway = ParticipantId::new(gateway);
                let change = Change::Merchant(Merchant { payout_gateway, ..merchant.clone() });
                let notice = fork.state.parameters().governance_notice_heights;
                let height = fork.state.height().plus(1 + notice);
                let proposal = words::propose(self.ids.other(fork.time().get()), height, &change);
                let vote = words::vote(proposal.proposal_id, proposal.digest().bytes(), true);
                steps.push(Step::Say(vec![(operators[0], proposal.into()), (operators[1], vote)]));
            }
        }
        let step_in_ms = fork.state.parameters().step_in_ms;
        steps.push(Step::Wait(record.deadline.get() + step_in_ms + 1));
        steps.push(Step::Wait(fork.time().get() + step_in_ms + 1));
        steps
    }
}

/// Enough for any order.
const DEPOSIT: u64 = 1_000_000;
const PROPOSAL: chain_types::BatchKind = chain_types::BatchKind::Proposal;

fn is_withdrawal(known: &TransferRecord, account: &AccountKey, amount: u64) -> bool {
    let of = (known.action, known.account, known.amount.get());
    of == (TransferAction::Withdraw, *account, amount)
}

fn is_at_rest(fork: &Fork<'_>, thing: Thing) -> bool {
    match thing {
        Thing::Instruction(id) => fork.instruction_now(&id).is_some_and(|record| {
            let is = record.status;
            matches!(is, InstructionStatus::Arrived { .. } | InstructionStatus::Returned { .. })
        }),
        Thing::Reservation(id) => fork.state.reservation(&id).is_none(),
        Thing::Held(id) => {
            fork.state.order(&id).is_none_or(|known| known.status != OrderStatus::Held)
                && !fork.state.tables().held.contains_key(&id)
        }
        Thing::Transfer(id) => {
            let known = fork.state.tables().transfers.get(&id);
            known.is_none_or(|known| known.status != TransferStatus::Proposed)
        }
        Thing::Window(window) => fork.state.tables().is_settled(window),
        Thing::Balance(key, amount) => {
            let is_out = |known: &TransferRecord| {
                is_withdrawal(known, &key, amount)
                    && known.status == TransferStatus::Approved
                    && known.decided == Some(fork.time())
            };
            fork.state.tables().transfers.values().any(is_out)
        }
        Thing::Refund(id) => {
            let whole = fork.collection(&id).map(|past| past.item.amount());
            fork.state.tables().returned.get(&id).map(|returned| returned.amount) == whole
        }
    }
}

/// Returns what matters of a copy for a thing: copies of one trace are looked at once.
fn trace(fork: &Fork<'_>, thing: Thing) -> String {
    let tables = fork.state.tables();
    match thing {
        Thing::Instruction(id) => {
            let Some(record) = fork.instruction_now(&id) else { return String::new() };
            let said = tables.step_ins.keys().filter(|(of, _)| *of == id);
            let said: Vec<u32> = said.map(|(_, agent)| agent.get()).collect();
            let payer = fork.state.merchant(id.merchant).map(|found| found.payout_gateway.get());
            let step_in_ms = fork.state.parameters().step_in_ms;
            let is_late = fork.time().get() > record.deadline.get() + step_in_ms;
            let since = match record.status {
                InstructionStatus::Failed { time, by, reason, .. } => {
                    format!(
                        "failed by {by} {reason} {}",
                        fork.time().get() > time.get() + step_in_ms
                    )
                }
                status => format!("{:?}", std::mem::discriminant(&status)),
            };
            let (attempt, gateway) = (record.attempt, record.gateway.get());
            let is_recalled = record.recalled.is_some();
            let changed = fork.state.merchant_changed(id.merchant);
            let is_corrected = changed.is_some_and(|since| since > record.attempt_height);
            // Attempt after attempt of the same gateway leads nowhere.
            let attempt = attempt.min(4);
            let times = (is_recalled, is_late, is_corrected);
            format!("{attempt} {gateway} {times:?} {since} {said:?} {payer:?}")
        }
        Thing::Reservation(id) => format!("{}", fork.state.reservation(&id).is_some()),
        Thing::Held(id) => format!("{}", tables.held.contains_key(&id)),
        Thing::Transfer(id) => format!("{}", tables.transfers.contains_key(&id)),
        Thing::Window(window) => {
            let known = tables.proposed_settlements.get(&window);
            format!("{:?}", known.map(|known| (known.maker, known.refused_by)))
        }
        Thing::Balance(key, _) => {
            let open = tables.transfers.values().filter(|known| known.account == key);
            let open = open.filter(|known| known.status == TransferStatus::Proposed);
            format!("{:?}", open.map(|known| known.maker).collect::<Vec<_>>())
        }
        Thing::Refund(id) => {
            let returned = tables.returned.get(&id).map(|returned| returned.amount.get());
            let Some(past) = fork.collection(&id) else { return String::new() };
            let (item, collection) = (past.item, past.collection);
            let (window, merchant) = (collection.window, item.merchant());
            let id = InstructionId { window, merchant, currency: item.payout_currency() };
            let own = trace(fork, Thing::Instruction(id));
            let Some(record) = fork.instruction_now(&id) else { return own };
            let key = AccountKey::liquidity(record.gateway, id.currency);
            let available = fork.state.account(&key).map(chain_state::Account::available);
            let is_rich = available.is_some_and(|sum| sum >= u128::from(DEPOSIT / 2));
            let rate_ms = fork.state.parameters().return_rate_ms;
            let is_late = fork.time().get() > collection.time.get() + rate_ms;
            format!("{returned:?} {is_rich} {is_late} {own}")
        }
    }
}

/// Everything that waits in a copy.
pub fn waiting(fork: &Fork<'_>, purse: &Purse, foes: &Coalition) -> Vec<Thing> {
    let (state, tables) = (&fork.state, fork.state.tables());
    let mut found: Vec<Thing> = Vec::new();
    let mut ids: BTreeSet<InstructionId> =
        state.outstanding_instructions().map(|record| record.id).collect();
    ids.extend(purse.sold.values().map(crate::purse::Sold::instruction));
    let is_open = |id: &InstructionId| {
        fork.instruction_now(id).is_some_and(|record| {
            let is = record.status;
            matches!(is, InstructionStatus::Instructed | InstructionStatus::Failed { .. })
        })
    };
    found.extend(ids.into_iter().filter(is_open).map(Thing::Instruction));
    let reserved = state.expired_reservations(TimeMs::new(u64::MAX));
    found.extend(reserved.into_iter().map(|(id, _)| Thing::Reservation(id)));
    found.extend(tables.held.keys().map(|id| Thing::Held(*id)));
    let open = tables.transfers.values().filter(|known| known.status == TransferStatus::Proposed);
    found.extend(open.map(|known| Thing::Transfer(known.id)));
    let closed = (0..state.window().get()).map(WindowId::new);
    found.extend(closed.filter(|id| !tables.is_settled(*id)).map(Thing::Window));
    for id in purse.sold_last.iter().rev().take(REFUNDS) {
        let sold = &purse.sold[id];
        let payer = fork.instruction_now(&sold.instruction()).map(|record| record.gateway.get());
        let is_honest = payer.is_some_and(|payer| !foes.holds(payer));
        let until_ms = sold.time_ms + state.parameters().return_period_ms;
        let is_timely = state.time().get() + SLACK_MS < until_ms;
        if is_honest && is_timely && sold.returned < sold.item.amount.get() {
            found.push(Thing::Refund(*id));
        }
    }
    for (key, account) in state.accounts(None) {
        let is_owned = matches!(
            key.kind,
            AccountKind::GatewayLiquidity | AccountKind::FxPosition | AccountKind::CashbackPool
        );
        let pending = i128::try_from(account.debits_pending).unwrap_or(i128::MAX);
        let free = account.settled.min(account.balance() - pending);
        match u64::try_from(free) {
            Ok(free) if is_owned && free > 0 => found.push(Thing::Balance(*key, free)),
            _ => {}
        }
    }
    found
}

/// Nothing waits that no operation can be about: what is payable to a merchant stands in its
/// instructions and in the open window, and what is pending in reservations and withdrawals.
pub fn check_causes(chain: &Chain) {
    let state = &chain.state;
    let mut payable: BTreeMap<AccountKey, u128> = BTreeMap::new();
    let mut pending: BTreeMap<AccountKey, u128> = BTreeMap::new();
    let open = |record: &&InstructionRecord| {
        let is = record.status;
        matches!(is, InstructionStatus::Instructed | InstructionStatus::Failed { .. })
    };
    for record in chain.instructions.values().filter(open) {
        let key = AccountKey::payable(record.id.merchant, record.id.currency);
        *payable.entry(key).or_default() += u128::from(record.left().get());
        // What is promised is owed when the money arrives.
        for sum in &record.cashback {
            let key = AccountKey::cashback_pool(record.id.merchant, sum.currency);
            *pending.entry(key).or_default() += u128::from(sum.amount.get());
        }
    }
    for ((id, _, currency), amount) in state.tables().promised.iter() {
        let key = AccountKey::cashback_pool(id.merchant, *currency);
        *pending.entry(key).or_default() += u128::from(amount.get());
    }
    for sums in state.window_open().sums() {
        let key = AccountKey::payable(sums.merchant, sums.currency);
        let dues = sums.dues.iter().map(|(_, due)| u128::from(due.amount.get()));
        *payable.entry(key).or_default() += dues.sum::<u128>();
    }
    for (_, held) in state.expired_reservations(TimeMs::new(u64::MAX)) {
        let key = AccountKey::liquidity(held.gateway, held.currency);
        *pending.entry(key).or_default() += u128::from(held.amount.get());
        if let Some(conversion) = held.conversion {
            let provider = conversion.quote.provider();
            let key = AccountKey::fx_position(provider, conversion.payout_currency);
            *pending.entry(key).or_default() += u128::from(conversion.payout.get());
        }
    }
    let transfers = state.tables().transfers.values();
    let is_reserved = |known: &&TransferRecord| {
        known.status == TransferStatus::Proposed && known.action == TransferAction::Withdraw
    };
    for known in transfers.filter(is_reserved) {
        *pending.entry(known.account).or_default() += u128::from(known.amount.get());
    }
    for (key, account) in state.accounts(None) {
        let cause = pending.get(key).copied().unwrap_or_default();
        let pending = account.debits_pending;
        assert!(pending == cause, "locked in: {pending} of {key:?} pending for {cause}");
        if key.kind == AccountKind::MerchantPayable {
            let cause = payable.get(key).copied().unwrap_or_default();
            let is_caused = u128::try_from(account.balance()) == Ok(cause);
            let balance = account.balance();
            assert!(is_caused, "locked in: {balance} of {key:?} payable by {cause} instructed");
        }
    }
}
