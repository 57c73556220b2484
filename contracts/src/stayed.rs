//! Cashback counts what stayed: what a return takes of the cashback of its order and of its user's
//! month.
//!
//! Rules: an order of which less than the programme's least is left has gone from its user's month:
//! the count falls by one. What was granted on an order falls to what an order of what is left
//! would have been granted. An order that goes moves those after it down by one: at most one grant
//! falls below each threshold that the month has passed. So it takes along, besides its own grant,
//! the largest grant of the month once for each tier above its own that was granted, and never more
//! than is left of the month's grants. Once orders have gone from below a threshold, one of the
//! grants left stands on their account: from then on each order that goes takes along the largest
//! grant for every tier, its own included.
//!
//! The grants that are taken along are paid by the gateway that returns, which does it of its own
//! will, and never more than its return names. Nothing is taken along when a failed instruction
//! forces the return. What a collecting gateway paid is set off against the grants of the month
//! that it has to give back itself.
//!
//! Always: what users and collecting gateways keep of a month is at most the share of what stayed,
//! by counts of what stayed; the merchant gets back at most the largest grant too much for each
//! tier and order that goes. A month is kept for the one after it.

use chain_state::{Earned, Overlay, PastCollection, UserMonth, UserMonthKey};
use chain_types::{Amount, Outcome, RechargeItem};

use crate::calendar::month_of;
use crate::cashback::granted_on_rest;

/// Seven steps stand for any number of them.
const STEPS_ALL: u8 = 7;

/// A return, as far as cashback is concerned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    /// The rest of the order before it.
    pub(crate) before: Amount,
    /// The rest of the order after it.
    pub(crate) after: Amount,
    /// True if a failed instruction forces it.
    pub(crate) is_forced: bool,
    /// True if the gateway that collected the order returns it.
    pub(crate) is_by_collector: bool,
}

/// The cashback that a return takes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Taken {
    /// The grant on the part that goes back.
    pub(crate) own: Amount,
    /// The part of it that the collecting gateway has paid already.
    pub(crate) set_off: Amount,
    /// The cashback that rested on the order; the gateway that returns pays it.
    pub(crate) rested: Amount,
    /// True if the order has gone from a month that is not kept any more.
    pub(crate) is_late: bool,
    month: Option<(UserMonthKey, u16, Earned)>,
}

/// Returns the cashback that a return takes, under the programme of its order's collection. The
/// collection's outcome is read only if the order counted.
pub(crate) fn taken(
    overlay: &mut Overlay<'_>,
    order: &RechargeItem,
    collection: &PastCollection,
    part: &Part,
    outcome: impl FnOnce() -> Option<Outcome>,
) -> Taken {
    let programmes = &overlay.state().tables().programmes;
    let Some(record) = programmes.get(&(order.merchant(), order.currency())) else {
        return Taken::default();
    };
    let number = record.number;
    let Some(programme) = record.at(collection.height) else { return Taken::default() };
    if !programme.counts(order.collecting_gateway(), part.before) {
        return Taken::default();
    }
    let Some(outcome) = outcome() else { return Taken::default() };
    let granted = |rest| granted_on_rest(programme, outcome, rest).get();
    let own = granted(part.before).saturating_sub(granted(part.after));
    let month = month_of(collection.time, i64::from(programme.offset_min));
    let goes = !programme.counts(order.collecting_gateway(), part.after);
    let key = UserMonthKey { user: order.user, programme: number, month };
    let entry = overlay.user_month_so_far(&key);
    if entry.count == 0 {
        return Taken { own: Amount::new(own), is_late: goes, ..Taken::default() };
    }
    let (taken, count, earned) = of_month(&entry, outcome, own, goes, part);
    Taken { month: Some((key, count, earned)), ..taken }
}

/// Returns the cashback that a return takes of a month that is kept, and the month after it. `own`
/// was granted on the part that goes back; the order goes or not.
fn of_month(
    entry: &UserMonth,
    outcome: Outcome,
    own: u64,
    goes: bool,
    part: &Part,
) -> (Taken, u16, Earned) {
    let mut earned = entry.earned();
    let short = own.saturating_sub(earned.granted);
    let is_set_off = earned.is_shifted && !earned.is_paid_by_other;
    let set_off = if is_set_off { short } else { 0 };
    earned.granted = earned.granted.saturating_sub(own);
    let mut rested = 0;
    if goes {
        let at_stake = at_stake(&earned, outcome, own).min(earned.granted);
        rested = if part.is_forced { 0 } else { at_stake };
        earned.is_shifted |= at_stake > 0;
        earned.is_paid_by_other |= rested > 0 && !part.is_by_collector;
        earned.granted -= rested;
    }
    let (own, set_off, rested) = (Amount::new(own), Amount::new(set_off), Amount::new(rested));
    let taken = Taken { own, set_off, rested, ..Taken::default() };
    (taken, entry.count.saturating_sub(u16::from(goes)), earned)
}

/// Returns the most that an order that goes may take along of the month's other grants.
fn at_stake(earned: &Earned, outcome: Outcome, own: u64) -> u64 {
    if earned.steps >= STEPS_ALL {
        return u64::MAX;
    }
    let largest = u64::from(earned.largest);
    if earned.is_shifted {
        return (u64::from(earned.steps) * largest).saturating_sub(own);
    }
    let tier = match outcome {
        // Above a threshold, if not above which.
        Outcome::CASHBACK_OVER_MONTH | Outcome::CASHBACK_OVER_BUDGET => 1,
        _ => outcome.cashback_tier().unwrap_or(0),
    };
    u64::from(u16::from(earned.steps).saturating_sub(tier)) * largest
}

/// The most that an order of a month can take along of its grants, as they are now.
pub fn at_stake_at_most(earned: &Earned) -> Amount {
    let all = match earned.steps {
        STEPS_ALL.. => u64::MAX,
        steps => u64::from(steps) * u64::from(earned.largest),
    };
    Amount::new(all.min(earned.granted))
}

/// Keeps what a return leaves of its user's month.
pub(crate) fn keep(overlay: &mut Overlay<'_>, taken: &Taken) {
    if let Some((key, count, earned)) = taken.month {
        let entry = overlay.user_month(&key);
        entry.count = count;
        entry.set_earned(&earned);
    }
}

#[cfg(test)]
mod tests;
