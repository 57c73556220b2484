//! The counts of users, by `cashback` of a month and by `risk` of a day:
//! looking it up for a whole batch, and letting go of what is over.

use chain_state::{KeptSince, Overlay, UserDayKey, UserMonthKey};
use chain_types::{RechargeItem, TimeMs};

use crate::calendar::{day_of, month_of};
use crate::lane::{Lanes, Running};

/// Days for which the sums of a day are kept: a user who comes back meanwhile costs less so. A
/// reservation may yet be taken out of the sum of its day, and lasts for an hour at most.
const DAYS_KEPT: u16 = 31;
/// The zone, in minutes east of UTC, in which a month ends last.
const LAST_ZONE_MIN: i64 = -720;

/// Looks up what a batch's orders will count for their users, by the numbers of their lanes.
pub(crate) fn expect<'a>(
    overlay: &mut Overlay<'a>,
    items: &[RechargeItem],
    numbers: &[usize],
    lanes: &mut Lanes<'a>,
) {
    let (mut users, mut months, mut days) = (Vec::new(), Vec::new(), Vec::new());
    for (item, number) in items.iter().zip(numbers) {
        let lane = lanes.numbered(*number);
        let running = lane.programme(overlay);
        if let Some(Running { number: programme, month, .. }) = running {
            months.push(UserMonthKey { user: item.user, programme, month });
        }
        let has_day = lane.policies(overlay).counts_users();
        if has_day {
            days.push(UserDayKey { user: item.user, currency: item.currency() });
        }
        if has_day || running.is_some() {
            users.push(item.user);
        }
    }
    overlay.expect_users(&users, &months, &days);
}

/// Lets go of entries that can never count again.
pub(crate) fn forget(overlay: &mut Overlay<'_>) {
    overlay.keep_users_since(kept_since(overlay.time()));
}

/// From when on entries are kept at a block time: earlier months are over in every zone that a
/// programme may have, and earlier days under every offset that the parameters may have.
pub fn kept_since(time: TimeMs) -> KeptSince {
    let today = u16::try_from(day_of(time, 0)).unwrap_or(u16::MAX);
    // A month is kept for the one after it: its orders may be returned then.
    let month = month_of(time, LAST_ZONE_MIN).saturating_sub(1);
    KeptSince { month, day: today.saturating_sub(DAYS_KEPT) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3_600_000;

    /// Whatever zone a programme has or gets, and whatever offset the day has, the present month
    /// and day are kept, at each hour of three months.
    #[test]
    fn no_month_or_day_that_may_count_is_let_go() {
        for hour in 0..3 * 31 * 24 {
            let time = TimeMs::new(1_795_616_000_000 + hour * HOUR_MS);
            let since = kept_since(time);
            for zone_min in (-720..=840).step_by(15) {
                assert!(month_of(time, zone_min) >= since.month, "{time} {zone_min}");
            }
            for offset_min in [0, 480, 1_439] {
                assert!(day_of(time, offset_min) > u32::from(since.day), "{time} {offset_min}");
            }
            assert!(month_of(time, 840) <= since.month + 2, "what is older than a month goes");
        }
    }
}
