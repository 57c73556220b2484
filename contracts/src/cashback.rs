//! Cashback, the "dynamic discount": above so many recharges in a calendar month, a share of the
//! order's amount goes back to the user, from a budget that the merchant has funded.
//!
//! Operation: `grant`, by the collection of an order alone. The recharge never fails for it.
//!
//! Rules, in order: the merchant has an active programme in the order's currency; the user's count
//! of the month, this order included, is above a tier; the share, rounded half to even and within
//! the ceiling of an order, is not zero; it stays within the user's ceiling of the month (outcome
//! 20) and within the budget (21).
//!
//! Records: nothing by itself. The outcome names the tier, and amount and programme are in the
//! chain, so the sum granted is a function of the order: see [`granted`].
//!
//! Always: a pool never goes below zero; what is granted is owed to the gateway that credits the
//! user, until the window closes.

use chain_state::{Movement, Overlay, UserMonth, UserMonthKey};
use chain_types::change::BASIS_POINTS;
use chain_types::rate::divide_half_even;
use chain_types::{Amount, Height, Outcome, Programme, RechargeItem};

use crate::booking::Booking;
use crate::lane::{Lane, Running};

/// Counts a collected order for its user, and grants what the programme gives.
pub(crate) fn grant<'a>(
    overlay: &mut Overlay<'a>,
    booking: &Booking,
    lane: &mut Lane<'a>,
) -> Outcome {
    let Some(Running { number, programme, month }) = lane.programme(overlay) else {
        return Outcome::APPLIED;
    };
    let key = UserMonthKey { user: booking.user, programme: number };
    let entry = overlay.user_month(&key);
    if entry.month != month {
        *entry = UserMonth::new(month, 0, 0);
    }
    entry.count = entry.count.saturating_add(1);
    let so_far = *entry;
    let Some(tier) = tier_of(programme, so_far.count) else {
        return Outcome::APPLIED;
    };
    let share = share(programme, tier, booking.amount);
    if share.0 == 0 {
        return Outcome::APPLIED;
    }
    let granted = so_far.granted().saturating_add(share.0);
    if programme.user_month_max.0 > 0 && granted > programme.user_month_max.0 {
        return Outcome::CASHBACK_OVER_MONTH;
    }
    if !pay(overlay, lane, share) {
        return Outcome::CASHBACK_OVER_BUDGET;
    }
    *overlay.user_month(&key) = UserMonth::new(month, so_far.count, granted);
    Outcome::with_cashback(tier)
}

/// Moves a grant from the budget to what the gateway is owed, if the budget holds it.
fn pay<'a>(overlay: &mut Overlay<'a>, lane: &mut Lane<'a>, share: Amount) -> bool {
    let (pool, owed) = lane.cashback(overlay);
    if overlay.account(pool).available() < u128::from(share.0)
        || overlay.transfer(&Movement::of_order(pool, owed, share)).is_err()
    {
        return false;
    }
    let liquidity = lane.liquidity(overlay);
    overlay.net(pool, liquidity, u128::from(share.0));
    true
}

/// The last tier that a month's count is above; the first is 1.
fn tier_of(programme: &Programme, count: u16) -> Option<u16> {
    let above = programme.tiers.iter().take_while(|tier| count > tier.above).count();
    u16::try_from(above).ok().filter(|tier| *tier > 0)
}

/// What a tier gives on an amount.
fn share(programme: &Programme, tier: u16, amount: Amount) -> Amount {
    let Some(tier) = programme.tiers.get(usize::from(tier) - 1) else {
        return Amount(0);
    };
    let product = u128::from(amount.0) * u128::from(tier.basis_points);
    // Basis points are at most the whole, so the share is at most the amount.
    let share = u64::try_from(divide_half_even(product, u128::from(BASIS_POINTS)));
    let share = share.unwrap_or(amount.0);
    let ceiling = programme.order_max.0;
    Amount(if ceiling == 0 { share } else { share.min(ceiling) })
}

/// What was granted on an order that was collected in the block of `height` with `outcome`.
pub fn granted(
    programme_at: impl FnOnce(Height) -> Option<Programme>,
    item: &RechargeItem,
    outcome: Outcome,
    height: Height,
) -> Amount {
    let Some(tier) = outcome.cashback_tier() else {
        return Amount(0);
    };
    programme_at(height).map_or(Amount(0), |programme| share(&programme, tier, item.amount()))
}
