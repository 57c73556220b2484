//! How an order's money enters the books, is posted and is released: one place for one-step
//! orders, reservations and released holds, within one currency and across two.
//!
//! Always: all legs of an order move in one block, or none does.

use chain_state::{AccountKey, CollectedOrder, Movement, OrderStatus, Overlay, Reservation, Slot};
use chain_types::{Amount, OrderId, Outcome, ParticipantId, RechargeItem, Rejection, TimeMs};

use crate::booked_order::Booking;
use crate::lane::{Lane, Lanes};
use crate::{cashback, fx, lines, risk};

/// The legs of an order: one within a currency, two across two.
struct Legs {
    /// The collecting gateway's account, which the first leg debits.
    liquidity: Slot,
    /// The merchant's account, which the others credit.
    payable: Slot,
    legs: [Option<Movement>; 2],
}

impl Booking {
    /// As the window counts it.
    fn collected(&self, overlay: &Overlay<'_>) -> CollectedOrder {
        let parameters = overlay.state().parameters();
        let (amount, currency, deadline_ms) = match self.conversion {
            None => (self.amount, self.currency, parameters.deadline_domestic_ms),
            Some(conversion) => {
                (conversion.payout, conversion.payout_currency, parameters.deadline_cross_border_ms)
            }
        };
        CollectedOrder {
            merchant: self.merchant,
            gateway: self.gateway,
            amount,
            currency,
            accepted: self.accepted,
            deadline: self.accepted.plus(deadline_ms),
            is_cross_border: self.conversion.is_some(),
        }
    }

    fn legs<'a>(&self, overlay: &mut Overlay<'a>, lane: &mut Lane<'a>) -> Legs {
        let liquidity = lane.liquidity(overlay);
        let Some(conversion) = self.conversion else {
            let payable = lane.payable(overlay);
            let leg = Movement::of_order(liquidity, payable, self.amount);
            return Legs { liquidity, payable, legs: [Some(leg), None] };
        };
        let (provider, payout_currency) = (conversion.quote.provider(), conversion.payout_currency);
        let taken = overlay.open(AccountKey::fx_position(provider, self.currency));
        let delivered = overlay.open(AccountKey::fx_position(provider, payout_currency));
        let payable = lane.payable(overlay);
        let legs = [
            Some(Movement::of_order(liquidity, taken, self.amount)),
            Some(Movement::of_order(delivered, payable, conversion.payout)),
        ];
        Legs { liquidity, payable, legs }
    }

    /// The legs of the window's netting.
    fn net(&self, overlay: &mut Overlay<'_>, liquidity: Slot) {
        let amount = u128::from(self.amount.get());
        let Some(conversion) = self.conversion else {
            overlay.debit_gross(liquidity, amount);
            return;
        };
        let (provider, payout_currency) = (conversion.quote.provider(), conversion.payout_currency);
        let taken = overlay.open(AccountKey::fx_position(provider, self.currency));
        overlay.net(liquidity, taken, amount);
        let delivered = overlay.open(AccountKey::fx_position(provider, payout_currency));
        overlay.debit_gross(delivered, u128::from(conversion.payout.get()));
    }
}

impl Legs {
    fn movements(&self) -> Vec<Movement> {
        self.legs.iter().copied().flatten().collect()
    }

    /// The only leg, of most orders.
    fn single(&self) -> Option<Movement> {
        self.legs[0].filter(|_| self.legs[1].is_none())
    }
}

/// Books an order that passed every rule but those of money: posts it if its gateway has
/// collected, else reserves it until `expires`.
pub(crate) fn enter<'a>(
    overlay: &mut Overlay<'a>,
    submitter: ParticipantId,
    item: &RechargeItem,
    lane: &mut Lane<'a>,
) -> Result<(Outcome, OrderStatus), Rejection> {
    let mut booking = Booking::new(overlay, item);
    booking.conversion = fx::convert(overlay, item)?;
    let legs = booking.legs(overlay, lane);
    if !item.is_collected() {
        lines::check(overlay, submitter, &booking)?;
    }
    if overlay.account(legs.liquidity).available() < u128::from(booking.amount.get()) {
        return Err(Rejection::LiquidityExceeded);
    }
    if item.is_collected() {
        let outcome = post(overlay, &booking, &legs, lane, false)?;
        use_up(overlay, &booking, lane);
        return Ok((outcome, OrderStatus::Collected));
    }
    let reserved = match legs.single() {
        Some(leg) => overlay.reserve(&leg),
        None => overlay.reserve_all(&legs.movements()),
    };
    reserved.map_err(|_| Rejection::AccountOverflow)?;
    let reservation = Reservation {
        submitter,
        merchant: booking.merchant,
        gateway: booking.gateway,
        amount: booking.amount,
        currency: booking.currency,
        user: booking.user,
        conversion: booking.conversion,
        accepted: booking.accepted,
        expires: reservation_end(overlay, &booking, item.order_id()),
    };
    overlay.open_reservation(item.order_id(), reservation);
    lines::take(overlay, submitter, &booking);
    use_up(overlay, &booking, lane);
    Ok((Outcome::APPLIED, OrderStatus::Reserved))
}

/// The last block time at which a reservation may be collected: the end of its id's validity, of
/// the time for which it may hold money, and of that for which it may hold a quote.
fn reservation_end(overlay: &Overlay<'_>, booking: &Booking, id: OrderId) -> TimeMs {
    let parameters = overlay.state().parameters();
    let held_ms = match booking.conversion {
        None => parameters.reservation_ms,
        Some(_) => parameters.reservation_ms.min(parameters.quote_hold_ms),
    };
    let end = id.time().plus(parameters.order_validity_ms);
    end.min(booking.accepted.plus(held_ms))
}

/// Posts a reserved order, and what follows from its collection.
pub(crate) fn collect<'a>(
    overlay: &mut Overlay<'a>,
    booking: &Booking,
    lanes: &mut Lanes<'a>,
) -> Result<Outcome, Rejection> {
    let lane = lanes.of(booking.lane());
    let legs = booking.legs(overlay, lane);
    post(overlay, booking, &legs, lane, true)
}

/// Posts an order, and what follows from a collection. `is_reserved` says whether its legs are
/// pending.
fn post<'a>(
    overlay: &mut Overlay<'a>,
    booking: &Booking,
    legs: &Legs,
    lane: &mut Lane<'a>,
    is_reserved: bool,
) -> Result<Outcome, Rejection> {
    let order = booking.collected(overlay);
    overlay.check_room(legs.payable, &order).map_err(|_| Rejection::AccountOverflow)?;
    let posted = match (legs.single(), is_reserved) {
        (Some(leg), false) => overlay.transfer(&leg),
        (Some(leg), true) => overlay.post_reserved(&leg),
        (None, false) => overlay.transfer_all(&legs.movements()),
        (None, true) => overlay.post_all_reserved(&legs.movements()),
    };
    posted.map_err(|_| Rejection::AccountOverflow)?;
    overlay.collect_in_window(legs.payable, &order);
    booking.net(overlay, legs.liquidity);
    Ok(cashback::grant(overlay, booking, lane))
}

/// Undoes a reservation exactly: its legs, its use of lines, of the quote and of limits.
pub(crate) fn release(overlay: &mut Overlay<'_>, id: OrderId, held: &Reservation) {
    let booking = Booking::reserved(held);
    let mut lane = Lane::new(booking.lane());
    for leg in booking.legs(overlay, &mut lane).movements() {
        overlay.release(&leg);
    }
    if let Some(quote) = booking.quote() {
        fx::give_back(overlay, quote, booking.amount);
    }
    risk::uncount(overlay, &booking);
    lines::free(overlay, held);
    overlay.close_reservation(id);
}

fn use_up<'a>(overlay: &mut Overlay<'a>, booking: &Booking, lane: &mut Lane<'a>) {
    if let Some(quote) = booking.quote() {
        fx::use_up(overlay, quote, booking.amount);
    }
    risk::count(overlay, booking, lane);
}

/// A sum as amounts, each of which fits 64 bits.
pub(crate) fn parts(mut sum: u128) -> Vec<Amount> {
    let mut amounts = Vec::new();
    while sum > 0 {
        let part = u64::try_from(sum).unwrap_or(u64::MAX);
        amounts.push(Amount::new(part));
        sum -= u128::from(part);
    }
    amounts
}
