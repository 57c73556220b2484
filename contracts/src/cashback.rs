//! Cashback, the "dynamic discount": above so many recharges in a calendar month, a share of the
//! order's amount goes back to the user, from a budget that the merchant has funded.
//!
//! Operation: `grant`, by the collection of an order alone. The recharge never fails for it.
//!
//! Rules, in order: the merchant has an active programme in the order's currency in which the
//! collecting gateway takes part; the order is not below the programme's least; the user's count of
//! the month, this order included, is above a tier; the share, rounded down and within the ceiling
//! of an order, stays within the user's ceiling of the month (outcome 20) and within the budget
//! (21).
//!
//! Records: nothing by itself. The outcome names the tier, and amount and programme are in the
//! chain, so the sum granted is a function of the order: see [`granted`].
//!
//! Always: a pool never goes below zero. What is granted is promised: pending in the pool and in
//! what the gateway is owed, until the order's instruction arrives (`promises`). What a return
//! leaves of an order is granted what an order of that amount would have been (`stayed`).

use chain_state::{Earned, Movement, Overlay, UserMonthKey};
use chain_types::change::{BASIS_POINTS, CASHBACK_MONTH_MAX, CASHBACK_ORDER_MAX};
use chain_types::{Amount, Height, Outcome, Programme, RechargeItem};

use crate::booked_order::Booking;
use crate::lane::{Lane, Running};

/// Counts a collected order for its user, and grants what the programme gives.
pub(crate) fn grant<'a>(
    overlay: &mut Overlay<'a>,
    booking: &Booking,
    lane: &mut Lane<'a>,
) -> Outcome {
    let Some(Running { number, programme, month, version }) = lane.programme(overlay) else {
        return Outcome::APPLIED;
    };
    if booking.amount < programme.order_least {
        return Outcome::APPLIED;
    }
    let key = UserMonthKey { user: booking.user, programme: number, month };
    let entry = overlay.user_month(&key);
    entry.count = entry.count.saturating_add(1);
    let Some(tier) = tier_of(programme, entry.count) else {
        return Outcome::APPLIED;
    };
    let share = share(programme, tier, booking.amount);
    if share.get() == 0 {
        return Outcome::APPLIED;
    }
    let before = entry.earned();
    let mut earned = before;
    note_grant(&mut earned, tier, share, version);
    if earned.granted > month_max(programme) {
        return Outcome::CASHBACK_OVER_MONTH;
    }
    // Looked up once: of most orders the budget holds the grant.
    entry.set_earned(&earned);
    if !promise(overlay, lane, share) {
        overlay.user_month(&key).set_earned(&before);
        return Outcome::CASHBACK_OVER_BUDGET;
    }
    Outcome::with_cashback(tier)
}

/// Adds one more grant to what a month has earned.
pub(crate) fn note_grant(earned: &mut Earned, tier: u16, share: Amount, version: u8) {
    let tier = u8::try_from(tier).unwrap_or(u8::MAX);
    let top = if earned.version == version { earned.top } else { 0 };
    earned.steps = earned.steps.saturating_add(tier.saturating_sub(top));
    (earned.top, earned.version) = (top.max(tier), version);
    earned.granted = earned.granted.saturating_add(share.get());
    earned.largest = earned.largest.max(u32::try_from(share.get()).unwrap_or(u32::MAX));
}

/// The most of a user's month.
fn month_max(programme: &Programme) -> u64 {
    match programme.user_month_max.get() {
        0 => CASHBACK_MONTH_MAX,
        most => most.min(CASHBACK_MONTH_MAX),
    }
}

/// Makes a grant pending between the budget and what the gateway is owed, if the budget holds it.
fn promise<'a>(overlay: &mut Overlay<'a>, lane: &mut Lane<'a>, share: Amount) -> bool {
    let (pool, owed) = lane.cashback(overlay);
    if overlay.account(pool).available() < u128::from(share.get())
        || overlay.reserve(&Movement::of_order(pool, owed, share)).is_err()
    {
        return false;
    }
    lane.add_promised(share);
    true
}

/// The last tier that a month's count is above; the first is 1.
pub(crate) fn tier_of(programme: &Programme, count: u16) -> Option<u16> {
    let above = programme.tiers.iter().take_while(|tier| count > tier.above).count();
    u16::try_from(above).ok().filter(|tier| *tier > 0)
}

/// Returns a tier's grant on an amount, rounded down: no series of orders earns above its share.
pub(crate) fn share(programme: &Programme, tier: u16, amount: Amount) -> Amount {
    let Some(tier) = programme.tiers.get(usize::from(tier) - 1) else {
        return Amount::new(0);
    };
    let product = u128::from(amount.get()) * u128::from(tier.basis_points);
    // Basis points are at most the whole, so the share is at most the amount.
    let share = u64::try_from(product / u128::from(BASIS_POINTS)).unwrap_or(amount.get());
    let ceiling = match programme.order_max.get() {
        0 => CASHBACK_ORDER_MAX,
        most => most.min(CASHBACK_ORDER_MAX),
    };
    Amount::new(share.min(ceiling))
}

/// Returns the grant on the rest of an order that was collected with `outcome`: as an order of that
/// amount would have been granted.
pub(crate) fn granted_on_rest(programme: &Programme, outcome: Outcome, rest: Amount) -> Amount {
    match outcome.cashback_tier() {
        Some(tier) if rest >= programme.order_least => share(programme, tier, rest),
        _ => Amount::new(0),
    }
}

/// Returns the grant on an order that was collected in the block of `height` with `outcome`.
pub fn granted(
    programme_at: impl FnOnce(Height) -> Option<Programme>,
    item: &RechargeItem,
    outcome: Outcome,
    height: Height,
) -> Amount {
    if outcome.cashback_tier().is_none() {
        return Amount::new(0);
    }
    let programme = programme_at(height);
    programme.map_or(Amount::new(0), |found| granted_on_rest(&found, outcome, item.amount()))
}
