//! Settlement windows: the collected orders of a run of blocks, netted into instructions, and the
//! report by which the banks settle.
//!
//! Operation: [`close_if_due`], by block time alone, at the start of a block: what the block
//! itself collects belongs to the next window; a window without orders closes as well.
//!
//! Rule: the first block whose time is at least the window's opening plus its length.
//!
//! Records: the window with every party's gross debits and credits, and one instruction a merchant
//! and currency, due when the first of its orders is; cashback owed is credited to the gateways
//! that gave it to users.
//!
//! Always: per currency, a window's nets add up to zero.

use std::collections::BTreeMap;

use chain_state::{
    AccountKey, AccountKind, Collected, EntryCause, InstructionRecord, InstructionStatus, Movement,
    Overlay, WindowOpening, WindowRecord,
};
use chain_types::{Amount, Currency, InstructionId, MerchantId, ParticipantId, WindowId};

use crate::booking::parts;
use crate::{settlement, sla};

/// Closes the open window if its time is over.
pub(crate) fn close_if_due(overlay: &mut Overlay<'_>) {
    let (state, time) = (overlay.state(), overlay.time());
    let window = state.window_open();
    if time < window.opening.opened.plus(state.parameters().window_ms) {
        return;
    }
    let mut closed = state.open_window();
    closed.closed = Some(time);
    closed.last_height = Some(state.height());
    assert_netted(&closed);
    for ((merchant, currency), collected) in &window.collected {
        if collected.amount.0 > 0 {
            instruct(overlay, *merchant, *currency, collected);
        }
    }
    let id = window.opening.id;
    let opening =
        WindowOpening { id: WindowId(id.0 + 1), opened: time, first_height: overlay.height() };
    overlay.replace_window(closed, opening);
    settle_cashback(overlay, id);
    settlement::forget(overlay, opening.id);
}

fn instruct(
    overlay: &mut Overlay<'_>,
    merchant: MerchantId,
    currency: Currency,
    collected: &Collected,
) {
    let state = overlay.state();
    let payout = state.merchant(merchant).map(|found| found.payout_gateway);
    assert!(payout.is_some(), "merchant {merchant} was collected for and is not known");
    let record = InstructionRecord {
        id: InstructionId { window: state.window(), merchant, currency },
        gateway: payout.unwrap_or_default(),
        amount: collected.amount,
        amount_returned: Amount(0),
        order_count: collected.order_count,
        cross_border_count: collected.cross_border_count,
        attempt: 1,
        earliest_accepted: collected.earliest_accepted,
        instructed: overlay.time(),
        deadline: collected.deadline,
        status: InstructionStatus::Instructed,
        reference: [0; 32],
    };
    overlay.put_instruction(record);
    sla::note_instruction(overlay, &record, collected);
}

/// Credits to each gateway the cashback that it gave to users.
fn settle_cashback(overlay: &mut Overlay<'_>, window: WindowId) {
    let first = AccountKey { kind: AccountKind::CashbackOwed, owner: 0, currency: Currency(0) };
    let accounts = overlay.state().accounts(Some(&first));
    let owed: Vec<(AccountKey, i128)> = accounts
        .take_while(|(key, _)| key.kind == AccountKind::CashbackOwed)
        .map(|(key, account)| (*key, account.balance()))
        .filter(|(_, balance)| *balance > 0)
        .collect();
    if owed.is_empty() {
        return;
    }
    overlay.begin(EntryCause::WindowClose(window));
    for (key, balance) in owed {
        let gateway = u32::try_from(key.owner).map(ParticipantId).unwrap_or_default();
        let debit = overlay.open(key);
        let credit = overlay.open(AccountKey::liquidity(gateway, key.currency));
        for amount in parts(balance.unsigned_abs()) {
            let moved = overlay.transfer(&Movement { debit, credit, amount, order_count: 0 });
            assert!(moved.is_ok(), "{key:?} cannot be settled: a counter is full");
        }
    }
}

/// What parties owe is what parties are owed, in every currency.
fn assert_netted(window: &WindowRecord) {
    let mut nets: BTreeMap<Currency, i128> = BTreeMap::new();
    for position in &window.positions {
        *nets.entry(position.party.currency).or_default() += position.net();
    }
    for (currency, net) in nets {
        assert_eq!(net, 0, "window {}: currency {currency} does not net", window.id);
    }
}
