//! The bank's days: the zone, the cut-off, weekdays and holidays, and the day on which a payment
//! that is handed now will be made.

use std::collections::BTreeSet;

use chain_types::TimeMs;
use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

/// Days that are looked through for one on which the bank pays.
const DAYS_MAX: usize = 400;

/// The days and hours at which a bank takes payments.
#[derive(Debug, Clone)]
pub struct BankCalendar {
    /// The zone in which the bank reads its clock.
    pub zone: TimeZone,
    /// The local time from which on a payment is made on the next day.
    pub cut_off: Time,
    /// Weekdays on which the bank pays.
    pub weekdays: Vec<Weekday>,
    /// Days on which it does not.
    pub holidays: BTreeSet<Date>,
}

impl BankCalendar {
    /// Returns the local day and time, or `None` of a time beyond the year 9999.
    pub fn local(&self, now: TimeMs) -> Option<(Date, Time)> {
        let milliseconds = i64::try_from(now.get()).ok()?;
        let time = Timestamp::from_millisecond(milliseconds).ok()?;
        let local = time.to_zoned(self.zone.clone()).datetime();
        Some((local.date(), local.time()))
    }

    /// Returns the day on which a payment that is handed at `now` is made: today before the
    /// cut-off, and otherwise the next day on which the bank pays. `None` if there is none within
    /// 400 days.
    pub fn execution_day(&self, now: TimeMs) -> Option<Date> {
        let (today, time) = self.local(now)?;
        let first = if time < self.cut_off { today } else { today.tomorrow().ok()? };
        let days = std::iter::successors(Some(first), |day| day.tomorrow().ok());
        days.take(DAYS_MAX).find(|day| self.is_open(*day))
    }

    /// Returns true if the bank pays on a day.
    pub fn is_open(&self, day: Date) -> bool {
        self.weekdays.contains(&day.weekday()) && !self.holidays.contains(&day)
    }

    /// Returns true if a payment that is handed at `now` is made on a later day than that of the
    /// deadline: it will be late whatever the bridge does.
    pub fn is_too_late(&self, now: TimeMs, deadline: TimeMs) -> bool {
        match (self.execution_day(now), self.local(deadline)) {
            (Some(day), Some((due, _))) => day > due,
            (None, _) | (_, None) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jiff::civil::{date, time};

    use super::*;

    fn calendar() -> BankCalendar {
        BankCalendar {
            zone: TimeZone::get("Europe/Berlin").unwrap(),
            cut_off: time(2, 30, 0, 0),
            weekdays: vec![
                Weekday::Monday,
                Weekday::Tuesday,
                Weekday::Wednesday,
                Weekday::Thursday,
                Weekday::Friday,
                Weekday::Sunday,
            ],
            holidays: BTreeSet::from([date(2026, 12, 25)]),
        }
    }

    fn at(text: &str) -> TimeMs {
        let time: Timestamp = text.parse().unwrap();
        TimeMs::new(u64::try_from(time.as_millisecond()).unwrap())
    }

    #[test]
    fn a_payment_is_made_on_the_next_day_of_the_bank_after_the_cut_off() {
        let rows = [
            ("2026-11-30T00:00:00Z", date(2026, 11, 30)),
            ("2026-11-30T01:29:59Z", date(2026, 11, 30)),
            ("2026-11-30T01:30:00Z", date(2026, 12, 1)),
            // A Friday after the cut-off: Saturday is closed, Sunday open.
            ("2026-12-04T08:00:00Z", date(2026, 12, 6)),
            // Christmas is a Friday, and Saturday is closed.
            ("2026-12-24T12:00:00Z", date(2026, 12, 27)),
        ];
        for (now, expected) in rows {
            assert_eq!(calendar().execution_day(at(now)), Some(expected), "{now}");
        }
    }

    /// In March 02:30 does not exist; in October it comes twice, and the first one is the cut-off
    /// until the clock has gone back.
    #[test]
    fn nights_of_clock_change_have_a_cut_off() {
        let rows = [
            ("2027-03-28T00:59:59Z", date(2027, 3, 28)),
            ("2027-03-28T01:00:00Z", date(2027, 3, 29)),
            ("2026-10-25T00:29:59Z", date(2026, 10, 25)),
            ("2026-10-25T00:30:00Z", date(2026, 10, 26)),
            ("2026-10-25T01:00:00Z", date(2026, 10, 25)),
            ("2026-10-25T01:30:00Z", date(2026, 10, 26)),
        ];
        for (now, expected) in rows {
            assert_eq!(calendar().execution_day(at(now)), Some(expected), "{now}");
        }
    }

    #[test]
    fn a_deadline_that_no_day_of_the_bank_meets_is_seen() {
        let calendar = calendar();
        assert!(!calendar.is_too_late(at("2026-11-30T00:00:00Z"), at("2026-11-30T00:15:00Z")));
        assert!(calendar.is_too_late(at("2026-12-04T08:00:00Z"), at("2026-12-04T08:15:00Z")));
        let closed = BankCalendar { weekdays: Vec::new(), ..calendar };
        assert_eq!(closed.execution_day(at("2026-11-30T00:00:00Z")), None);
        assert!(closed.is_too_late(TimeMs::new(0), TimeMs::new(u64::MAX)));
    }
}
