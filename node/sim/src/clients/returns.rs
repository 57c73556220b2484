//! Gateways that send money of collected orders back.

use chain_types::operation::{ConsentItem, ReturnItem};
use chain_types::{InstructionId, ParticipantId, VerifiedBatch};
use rand::Rng as _;

use super::memory::{Collected, Memory};
use super::moment::Moment;
use crate::setup::{GATEWAYS, SERVICE};

/// How many collected orders a gateway looks at.
const LOOKED_AT: usize = 24;
/// How many of the last collections are likely to be looked at: their window may be open.
const LATE: usize = 40;
/// The most returns of one batch.
const RETURNS_MAX: usize = 6;

/// A gateway returns some of the orders that it answers for, in whole or in part.
pub fn give_back(memory: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    if memory.collected.is_empty() {
        return None;
    }
    let gateway = moment.pick(&GATEWAYS);
    let wants_late = moment.one_in(3);
    let from = if wants_late { memory.collected.len().saturating_sub(LATE) } else { 0 };
    let mut items: Vec<ReturnItem> = Vec::new();
    for _ in 0..LOOKED_AT {
        let order = moment.pick(&memory.collected[from..]);
        let is_own = answers_for(moment, &order, gateway) || moment.one_in(30);
        let is_new = items.iter().all(|item| item.order_id != order.item.order_id);
        if is_own && is_new && items.len() < RETURNS_MAX {
            items.extend(item(moment, &order));
        }
    }
    moment.sign(gateway, &items)
}

/// The service lets gateways reverse some of the last orders, in whole or in part.
pub fn consent(memory: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    let from = memory.collected.len().saturating_sub(LATE);
    let known: Vec<Collected> = memory.collected[from..].to_vec();
    let orders = moment.some(known, 5);
    let items: Vec<ConsentItem> = (orders.iter())
        .map(|order| ConsentItem {
            order_id: order.item.order_id,
            amount: order.item.amount.get().div_ceil(moment.random.random_range(1..=2)).into(),
            reference: [2; 32],
            spare: [0; 8],
        })
        .collect();
    moment.sign(SERVICE, &items)
}

fn answers_for(moment: &Moment<'_>, order: &Collected, gateway: ParticipantId) -> bool {
    let state = moment.state;
    if order.window == state.window() {
        let merchant = state.merchant(order.item.merchant());
        return order.item.collecting_gateway() == gateway
            || merchant.is_some_and(|merchant| merchant.payout_gateway == gateway);
    }
    let id = InstructionId {
        window: order.window,
        merchant: order.item.merchant(),
        currency: order.item.payout_currency(),
    };
    // Of a forgotten instruction nobody here knows whose it was.
    state.instruction(&id).is_none_or(|instruction| instruction.gateway == gateway)
}

/// The next return of an order; `None` when nothing is left of it, mostly.
fn item(moment: &mut Moment<'_>, order: &Collected) -> Option<ReturnItem> {
    let id = order.item.order_id();
    let returned = moment.state.tables().returned.get(&id).cloned().unwrap_or_default();
    let left = order.item.amount.get().saturating_sub(returned.amount.get());
    let amount = match moment.random.random_range(0..8) {
        0 => left.saturating_add(1),
        1 => moment.random.random_range(0..=left),
        2 => left / 3,
        3 | 4 => left.div_ceil(2),
        _ => left,
    };
    if amount == 0 && !moment.one_in(10) {
        return None;
    }
    let gap = u16::from(moment.one_in(20));
    let next = u16::try_from(returned.fingerprints.len() + 1).unwrap_or(u16::MAX);
    Some(ReturnItem {
        order_id: id.bytes(),
        amount: amount.into(),
        rested_max: u64::MAX.into(),
        reason: moment.random.random_range(1..=10).into(),
        sequence: next.saturating_add(gap).into(),
        reference: [3; 32],
        spare: [0; 4],
    })
}
