//! Settlement windows: the collected orders of a run of blocks, netted into instructions.
//!
//! Operation: [`close_if_due`], by block time alone, at the start of a block: what the block
//! itself collects belongs to the next window. A window without orders closes as well.
//!
//! Rule: the first block whose time is at least the window's opening plus its length closes it.
//!
//! Records: the window with every gateway's position, and one instruction a merchant and
//! currency, due by the time its earliest order was accepted plus the deadline.
//!
//! Always: a window's instructions add up to what its orders collected, currency by currency.

use std::collections::BTreeMap;

use chain_state::{
    Collected, InstructionRecord, InstructionStatus, Overlay, WindowOpening, WindowRecord,
};
use chain_types::{Currency, InstructionId, MerchantId, WindowId};

use crate::sla;

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
        instruct(overlay, *merchant, *currency, collected);
    }
    let opening = WindowOpening {
        id: WindowId(window.opening.id.0 + 1),
        opened: time,
        first_height: overlay.height(),
    };
    overlay.replace_window(closed, opening);
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
    let deadline_ms = state.parameters().deadline_domestic_ms;
    let record = InstructionRecord {
        id: InstructionId { window: state.window(), merchant, currency },
        gateway: payout.unwrap_or_default(),
        amount: collected.amount,
        order_count: collected.order_count,
        earliest_accepted: collected.earliest_accepted,
        instructed: overlay.time(),
        deadline: collected.earliest_accepted.plus(deadline_ms),
        status: InstructionStatus::Instructed,
        reference: [0; 32],
    };
    overlay.put_instruction(record);
    sla::note_instruction(overlay, &record, collected);
}

/// What gateways collected is what gateways are to pay, in every currency.
fn assert_netted(window: &WindowRecord) {
    let mut sums: BTreeMap<Currency, (u128, u128)> = BTreeMap::new();
    for position in &window.positions {
        let (debits, credits) = sums.entry(position.currency).or_default();
        *debits += position.gross_debits;
        *credits += position.gross_credits;
    }
    for (currency, (debits, credits)) in sums {
        assert_eq!(debits, credits, "window {}: currency {currency} does not net", window.id);
    }
}
