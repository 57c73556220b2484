//! The auditor's own Gregorian calendar: days and months of block times in a time zone.

const DAY_MS: i128 = 86_400_000;
const MINUTE_MS: i128 = 60_000;
/// Days of 400 Gregorian years, after which the calendar repeats itself.
const CYCLE_DAYS: i128 = 146_097;
const CYCLE_YEARS: i128 = 400;
/// 1970-01-01 lies this many days after 1600-01-01, where a cycle begins.
const EPOCH_DAYS: i128 = 135_140;
const EPOCH_YEAR: i128 = 1_600;

/// A calendar month in the time zone of a cashback programme or of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    /// The Gregorian year, such as 2026.
    pub year: u64,
    /// 1 for January to 12 for December.
    pub month: u8,
}

/// The number of the day, from 1970-01-01, that `time_ms` is in `offset_min` minutes east of UTC.
pub(crate) fn day(time_ms: u64, offset_min: i64) -> i128 {
    (i128::from(time_ms) + i128::from(offset_min) * MINUTE_MS).div_euclid(DAY_MS)
}

/// The month that `time_ms` is in `offset_min` minutes east of UTC.
pub(crate) fn month(time_ms: u64, offset_min: i64) -> Month {
    let days = day(time_ms, offset_min) + EPOCH_DAYS;
    let first = EPOCH_YEAR + days.div_euclid(CYCLE_DAYS) * CYCLE_YEARS;
    let mut left = days.rem_euclid(CYCLE_DAYS);
    let mut year = u64::try_from(first).unwrap_or_default();
    while left >= year_days(year) {
        left -= year_days(year);
        year += 1;
    }
    let mut month = 1;
    while left >= month_days(year, month) {
        left -= month_days(year, month);
        month += 1;
    }
    Month { year, month }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn year_days(year: u64) -> i128 {
    if is_leap(year) { 366 } else { 365 }
}

fn month_days(year: u64, month: u8) -> i128 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 3_600_000;

    #[test]
    fn months_are_those_of_the_calendar_and_the_time_zone() {
        let rows = [
            // seconds since the epoch, minutes east of UTC, year, month
            (0, 0, (1970, 1)),
            (0, -1, (1969, 12)),
            (0, -720, (1969, 12)),
            (0, 840, (1970, 1)),
            (951_782_400, 0, (2000, 2)),   // 2000-02-29
            (951_868_799, 0, (2000, 2)),   // 2000-02-29T23:59:59
            (951_868_800, 0, (2000, 3)),   // 2000-03-01
            (1_709_164_800, 0, (2024, 2)), // 2024-02-29
            (1_709_251_199, 0, (2024, 2)), // its last second
            (1_709_251_200, 0, (2024, 3)), // 2024-03-01
            (1_709_251_200, -1, (2024, 2)),
            (1_740_787_199, 0, (2025, 2)),  // 2025-02-28T23:59:59
            (1_740_787_200, 0, (2025, 3)),  // 2025-03-01
            (1_767_225_599, 0, (2025, 12)), // 2025-12-31T23:59:59
            (1_767_225_600, 0, (2026, 1)),  // 2026-01-01
            (1_767_196_799, 480, (2025, 12)),
            (1_767_196_800, 480, (2026, 1)), // midnight in UTC+8
            (1_767_268_799, -720, (2025, 12)),
            (1_767_268_800, -720, (2026, 1)),
            (1_767_175_200, 840, (2026, 1)),
            (1_767_175_199, 840, (2025, 12)),
            (4_107_542_399, 0, (2100, 2)), // 2100-02-28T23:59:59: no leap year
            (4_107_542_400, 0, (2100, 3)),
            (13_574_563_200, 0, (2400, 2)), // 2400-02-29
            (13_574_649_600, 0, (2400, 3)),
        ];
        for (seconds, offset_min, (year, number)) in rows {
            let found = month(seconds * 1_000, offset_min);
            let expected = Month { year, month: number };
            assert_eq!(found, expected, "{seconds} s, {offset_min} minutes east");
        }
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let mut counts = std::collections::BTreeMap::<Month, u32>::new();
        for number in 0..146_097_u64 {
            *counts.entry(month(number * 24 * HOUR_MS, 0)).or_default() += 1;
        }
        assert_eq!(counts.len(), 4_800);
        assert!(counts.iter().all(|(at, days)| {
            u128::from(*days) == month_days(at.year, at.month).unsigned_abs()
        }));
        let longs = counts.iter().filter(|(at, days)| at.month == 2 && **days == 29);
        assert_eq!(longs.count(), 97);
    }

    #[test]
    fn days_begin_at_midnight_of_the_time_zone() {
        let rows = [
            // time_ms, minutes east of UTC, day
            (0, 0, 0),
            (24 * HOUR_MS - 1, 0, 0),
            (24 * HOUR_MS, 0, 1),
            (16 * HOUR_MS - 1, 480, 0),
            (16 * HOUR_MS, 480, 1),
            (0, -1, -1),
            (60_000, -1, 0),
            (60_000, 1_439, 1),
        ];
        for (time_ms, offset_min, expected) in rows {
            assert_eq!(day(time_ms, offset_min), expected, "{time_ms} ms, {offset_min} minutes");
        }
    }

    #[test]
    fn the_last_time_of_all_has_a_month() {
        assert_eq!(month(u64::MAX, 840).year, 584_556_019);
    }
}
