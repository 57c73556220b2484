//! The recharge service and the collecting gateways.

use chain_types::operation::{CollectItem, DebitingItem, RechargeItem, VoidItem};
use chain_types::{Currency, Flags, OrderId, ParticipantId, QuoteId, TimeMs, VerifiedBatch};
use rand::Rng as _;

use super::memory::Memory;
use super::moment::Moment;
use crate::setup::{CURRENCIES, GATEWAYS, MERCHANTS, SERVICE, YUAN};

/// Few, so that users reach cashback tiers and the limits of a day.
const USERS: u64 = 12;
/// In minor units. Zero must be refused, and the largest may be held.
const AMOUNTS: [u64; 6] = [0, 100, 4_999, 20_001, 100_000, 250_000];
/// How many of the last submissions a hasty client takes up again.
const HASTY: usize = 8;

/// Submits orders of the recharge service.
pub fn submit(memory: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    recharges(memory, moment, SERVICE, 0)
}

/// A gateway submits what it has collected.
pub fn submit_collected(memory: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    let gateway = moment.pick(&GATEWAYS);
    recharges(memory, moment, gateway, Flags::COLLECTED)
}

fn recharges(
    memory: &mut Memory,
    moment: &mut Moment<'_>,
    submitter: ParticipantId,
    flags: u16,
) -> Option<VerifiedBatch> {
    let count = moment.random.random_range(1..20);
    let items: Vec<RechargeItem> = (0..count).map(|_| recharge(moment, submitter, flags)).collect();
    memory.submitted.extend(items.iter().map(RechargeItem::order_id));
    moment.sign(submitter, &items)
}

fn recharge(moment: &mut Moment<'_>, submitter: ParticipantId, flags: u16) -> RechargeItem {
    let gateway = if flags == 0 { moment.pick(&GATEWAYS) } else { submitter };
    let (currency, payout_currency, quote) = currencies(moment);
    // A payout that no rate gives is refused.
    let is_greedy = quote != 0 && moment.one_in(12);
    RechargeItem {
        order_id: OrderId::owned(submitter, moment.now, moment.random.random()).bytes(),
        user: [u8::try_from(moment.random.random_range(0..USERS)).unwrap_or_default(); 16],
        merchant: moment.pick(&MERCHANTS).get().into(),
        collecting_gateway: gateway.get().into(),
        amount: moment.pick(&AMOUNTS).into(),
        currency: currency.get().into(),
        payout_currency: payout_currency.get().into(),
        flags: flags.into(),
        fx_quote: quote.into(),
        payout_minimum: (if is_greedy { u64::MAX } else { 0 }).into(),
        ..RechargeItem::default()
    }
}

/// Returns the currencies that an order is collected and paid in, and the quote that converts it.
fn currencies(moment: &mut Moment<'_>) -> (Currency, Currency, u64) {
    if moment.one_in(3) {
        let quotes = &moment.state.tables().quotes;
        let good = quotes.values().filter(|quote| quote.valid_until > moment.now);
        let good: Vec<(Currency, Currency, QuoteId)> =
            good.map(|quote| (quote.currency, quote.payout_currency, quote.id)).collect();
        if !good.is_empty() {
            let (currency, payout_currency, id) = moment.pick(&good);
            return (currency, payout_currency, id.get());
        }
    }
    let currency = if moment.one_in(4) { moment.pick(&CURRENCIES) } else { YUAN };
    (currency, currency, 0)
}

/// A gateway collects what is reserved for it; a hasty one also what it has just heard of.
pub fn collect(memory: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    let gateway = moment.pick(&GATEWAYS);
    let reserved = moment.state.expired_reservations(TimeMs::new(u64::MAX)).into_iter();
    let own = reserved.filter(|(_, reservation)| reservation.gateway == gateway);
    let mut ids: Vec<OrderId> = own.map(|(id, _)| id).collect();
    if moment.one_in(4) {
        ids.extend(memory.submitted.iter().rev().take(HASTY));
    }
    let collect =
        |id: &OrderId| CollectItem { order_id: id.bytes(), reference: [1; 32], spare: [0; 16] };
    let items: Vec<CollectItem> = ids.iter().map(collect).collect();
    moment.sign(gateway, &items)
}

/// A gateway says of some of what is reserved for it that it debits the users.
pub fn debit(_: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    let gateway = moment.pick(&GATEWAYS);
    let reserved = moment.state.expired_reservations(TimeMs::new(u64::MAX)).into_iter();
    let own = reserved.filter(|(_, held)| held.gateway == gateway || held.amount.get() > 20_000);
    let ids = moment.some(own.map(|(id, _)| id).collect(), 3);
    let debit =
        |id: &OrderId| DebitingItem { order_id: id.bytes(), reference: [1; 32], spare: [0; 16] };
    let items: Vec<DebitingItem> = ids.iter().map(debit).collect();
    moment.sign(gateway, &items)
}

/// The service gives up an order that is reserved, or one that it knows nothing of.
pub fn void(memory: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    let reserved = moment.state.expired_reservations(TimeMs::new(u64::MAX));
    let reserved = reserved.into_iter().map(|(id, _)| id);
    let mut ids = moment.some(reserved.collect(), 3);
    if moment.one_in(4) {
        ids.extend(memory.submitted.iter().rev().take(1));
    }
    let void = |id: &OrderId| VoidItem {
        order_id: id.bytes(),
        reason: 2.into(),
        reference: [0; 32],
        spare: [0; 14],
    };
    let items: Vec<VoidItem> = ids.iter().map(void).collect();
    moment.sign(SERVICE, &items)
}
