//! The settlement agents as makers and checkers of transfers.

use chain_state::{AccountKey, TransferRecord, TransferStatus};
use chain_types::operation::{TransferDecisionItem, TransferItem};
use chain_types::{Decision, TransferAction, TransferId, VerifiedBatch};
use rand::Rng as _;

use super::memory::Memory;
use super::moment::Moment;
use crate::setup::{AGENTS, CURRENCIES, GATEWAYS, MERCHANTS, OPERATORS, PROVIDERS};

/// The most transfers of one batch.
const TRANSFERS_MAX: usize = 10;
/// The most decisions of one batch.
const DECISIONS_MAX: usize = 24;

/// An agent proposes transfers.
pub fn propose(_: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    let agent = moment.pick(&AGENTS);
    let count = moment.random.random_range(1..=TRANSFERS_MAX);
    let items: Vec<TransferItem> = (0..count).map(|_| transfer(moment)).collect();
    moment.sign(agent, &items)
}

fn transfer(moment: &mut Moment<'_>) -> TransferItem {
    let currency = moment.pick(&CURRENCIES);
    let (account, cap) = match moment.random.random_range(0..8) {
        0 => (AccountKey::liquidity(moment.pick(&GATEWAYS), currency), 1_000_000_000),
        1..5 => (AccountKey::fx_position(moment.pick(&PROVIDERS), currency), 50_000_000),
        _ => (AccountKey::cashback_pool(moment.pick(&MERCHANTS), currency), 1),
    };
    let (action, amount) = match moment.random.random_range(0..8) {
        0 => (TransferAction::Withdraw, moment.random.random_range(0..100_000)),
        1..4 => (TransferAction::Cap, cap),
        _ => (TransferAction::Deposit, moment.random.random_range(0..1_000_000)),
    };
    TransferItem {
        transfer_id: TransferId::new(moment.now, moment.random.random()).bytes(),
        action: action.number().into(),
        account_kind: u16::from(account.kind.number()).into(),
        owner: account.owner.into(),
        currency: account.currency.get().into(),
        amount: amount.into(),
        reference: [6; 32],
        spare: [0; 26],
    }
}

/// Another agent, an operator, or once in a while the maker itself decides what waits.
pub fn decide(_: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    let checker = if moment.one_in(3) { moment.pick(&OPERATORS) } else { moment.pick(&AGENTS) };
    let own_too = moment.one_in(8);
    let transfers = moment.state.tables().transfers.values();
    let open = transfers.filter(|record| record.status == TransferStatus::Proposed);
    let open: Vec<TransferRecord> =
        open.filter(|record| own_too || record.maker != checker).copied().collect();
    let items: Vec<TransferDecisionItem> =
        open.iter().take(DECISIONS_MAX).map(|record| decision(moment, record)).collect();
    moment.sign(checker, &items)
}

fn decision(moment: &mut Moment<'_>, record: &TransferRecord) -> TransferDecisionItem {
    let decision = if moment.one_in(6) { Decision::Refuse } else { Decision::Approve };
    let mistaken = u64::from(moment.one_in(15));
    TransferDecisionItem {
        transfer_id: record.id.bytes(),
        decision: decision.number().into(),
        action: record.action.number().into(),
        amount: record.amount.get().wrapping_add(mistaken).into(),
        reference: [7; 32],
        spare: [0; 4],
    }
}
