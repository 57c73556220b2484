//! Block time as calendar days and months. A time zone is a fixed number of minutes east of UTC:
//! named zones change by decrees that validators would learn at different times.

use chain_types::TimeMs;

const MINUTE_MS: u64 = 60_000;
const DAY_MIN: i64 = 24 * 60;

/// Days since 1970-01-01 in a zone `offset_min` minutes east of UTC; zero before that.
pub fn day_of(time: TimeMs, offset_min: i64) -> u32 {
    // 2^64 milliseconds are fewer minutes than an i64 holds.
    let minutes =
        i64::try_from(time.get() / MINUTE_MS).unwrap_or(i64::MAX).saturating_add(offset_min);
    u32::try_from(minutes.div_euclid(DAY_MIN)).unwrap_or(if minutes < 0 { 0 } else { u32::MAX })
}

/// The calendar month in a zone `offset_min` minutes east of UTC: 12 times the year plus the month
/// from zero; it stays at its largest value after the year 5460.
pub fn month_of(time: TimeMs, offset_min: i64) -> u16 {
    let (year, month) = civil_month(u64::from(day_of(time, offset_min)));
    u16::try_from(year * 12 + month).unwrap_or(u16::MAX)
}

/// Year and month from zero of a day since 1970-01-01, in the proleptic Gregorian calendar: Howard
/// Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`.
fn civil_month(day: u64) -> (u64, u64) {
    const ERA_DAYS: u64 = 146_097;
    // Years begin with March, so that the leap day is the last of a year.
    let day = day + 719_468;
    let (era, day_of_era) = (day / ERA_DAYS, day % ERA_DAYS);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let year = year_of_era + era * 400;
    if month_from_march < 10 {
        (year, month_from_march + 2)
    } else {
        (year + 1, month_from_march - 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_turn_at_midnight_of_the_zone() {
        // (seconds since the epoch, minutes east of UTC, year, month from one)
        let rows = [
            (0, 0, 1970, 1),
            (0, -1, 1970, 1),
            (951_782_399, 0, 2000, 2),   // 2000-02-28T23:59:59Z
            (951_868_799, 0, 2000, 2),   // 2000-02-29T23:59:59Z
            (951_868_800, 0, 2000, 3),   // 2000-03-01
            (1_709_251_199, 0, 2024, 2), // 2024-02-29T23:59:59Z
            (1_709_251_200, 0, 2024, 3),
            (1_709_222_400, 480, 2024, 3), // 2024-02-29T16:00Z is March in UTC+8
            (1_709_222_399, 480, 2024, 2),
            (1_709_251_200, -60, 2024, 2), // 2024-03-01T00:00Z is February in UTC-1
            (1_767_225_599, 0, 2025, 12),
            (1_767_225_600, 0, 2026, 1),
            (4_107_542_399, 0, 2100, 2), // 2100-02-28T23:59:59Z: 2100 is no leap year
            (4_107_542_400, 0, 2100, 3),
        ];
        for (seconds, offset_min, year, month) in rows {
            let time = TimeMs::new(seconds * 1_000);
            let expected = year * 12 + month - 1;
            assert_eq!(month_of(time, offset_min), expected, "{seconds} s, {offset_min} min");
        }
    }

    #[test]
    fn days_turn_at_midnight_of_the_zone() {
        assert_eq!(day_of(TimeMs::new(86_399_999), 0), 0);
        assert_eq!(day_of(TimeMs::new(86_400_000), 0), 1);
        assert_eq!(day_of(TimeMs::new(57_600_000), 480), 1);
        assert_eq!(day_of(TimeMs::new(57_599_999), 480), 0);
        assert_eq!(day_of(TimeMs::new(u64::MAX), 840), u32::MAX);
    }
}
