//! Settlement windows: the collected orders of a run of blocks, netted into instructions, and the
//! report by which the banks settle.
//!
//! Operation: [`close_if_due`], by block time alone, at the start of a block: what the block
//! itself collects belongs to the next window; a window without orders closes as well.
//!
//! Rule: the first block whose time is at least the window's opening plus the length that held at
//! its opening.
//!
//! Records: the window with every party's gross debits and credits, and one instruction a merchant
//! and currency, due when the first of its orders is, but not before its gateway has had the least
//! time; cashback owed is credited to the gateways that gave it to users.
//!
//! Always: per currency, a window's nets add up to zero.

use std::collections::BTreeMap;

use chain_state::{
    AccountKey, AccountKind, EntryCause, InstructionRecord, InstructionStatus, MerchantSums,
    Movement, Overlay, WindowOpening, WindowRecord,
};
use chain_types::{Amount, Currency, InstructionId, ParticipantId, WindowId};

use crate::booking::parts;
use crate::{consents, promises, settlement, sla};

/// Closes the open window if its time is over.
pub(crate) fn close_if_due(overlay: &mut Overlay<'_>) {
    let (state, time) = (overlay.state(), overlay.time());
    let window = state.window_open();
    if time < window.opening.closes {
        return;
    }
    let mut closed = state.open_window();
    closed.closed = Some(time);
    closed.last_height = Some(state.height());
    assert_netted(&closed);
    for sums in window.sums() {
        instruct(overlay, sums);
    }
    let id = window.opening.id;
    let closes = time.plus(state.parameters().window_ms);
    let opening =
        WindowOpening { id: id.next(), opened: time, closes, first_height: overlay.height() };
    overlay.replace_window(closed, opening);
    promises::hand_over(overlay, id);
    settle_cashback(overlay, id);
    settlement::forget(overlay, opening.id);
    consents::forget(overlay);
}

/// Gives what is left of a merchant's orders to its gateway; nothing when all went back.
fn instruct(overlay: &mut Overlay<'_>, sums: &MerchantSums) {
    let (state, MerchantSums { merchant, currency, dues, .. }) = (overlay.state(), sums);
    let Some(first) = dues.first() else { return };
    let (merchant, currency) = (*merchant, *currency);
    let payout = state.merchant(merchant).map(|found| found.payout_gateway);
    assert!(payout.is_some(), "merchant {merchant} was collected for and is not known");
    let least = overlay.time().plus(state.parameters().payment_least_ms);
    let id = InstructionId { window: state.window(), merchant, currency };
    let mut record = InstructionRecord {
        id,
        gateway: payout.unwrap_or_default(),
        amount: Amount::new(0),
        amount_returned: Amount::new(0),
        order_count: 0,
        cross_border_count: 0,
        attempt: 1,
        attempt_height: overlay.height(),
        failures: 0,
        recalled: None,
        earliest_accepted: first.0.accepted,
        instructed: overlay.time(),
        deadline: first.1.deadline,
        status: InstructionStatus::Instructed,
        reference: [0; 32],
        cashback: promises::of_instruction(overlay, id),
    };
    for (key, due) in dues {
        record.amount = record.amount.plus(due.amount);
        record.order_count += due.order_count;
        record.cross_border_count += if key.is_cross_border { due.order_count } else { 0 };
        record.deadline = record.deadline.min(due.deadline);
    }
    let deadline = record.deadline;
    record.deadline = deadline.max(least);
    overlay.put_instruction(record.clone());
    sla::note_instruction(overlay, &record, first, deadline);
}

/// Credits to each gateway the cashback that it gave to users.
fn settle_cashback(overlay: &mut Overlay<'_>, window: WindowId) {
    let first =
        AccountKey { kind: AccountKind::CashbackOwed, owner: 0, currency: Currency::new(0) };
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
        let gateway = u32::try_from(key.owner).map(ParticipantId::new).unwrap_or_default();
        let debit = overlay.open(key);
        let credit = overlay.open(AccountKey::liquidity(gateway, key.currency));
        for amount in parts(balance.unsigned_abs()) {
            let moved = overlay.transfer(&Movement { debit, credit, amount, order_count: 0 });
            assert!(moved.is_ok(), "{key:?} cannot be settled: a counter is full");
        }
    }
}

/// Asserts that parties owe what parties are owed, in every currency.
fn assert_netted(window: &WindowRecord) {
    let mut nets: BTreeMap<Currency, i128> = BTreeMap::new();
    for position in &window.positions {
        *nets.entry(position.party.currency).or_default() += position.net();
    }
    for (currency, net) in nets {
        assert_eq!(net, 0, "window {}: currency {currency} does not net", window.id);
    }
}
