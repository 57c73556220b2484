//! Calendar months in a time zone of whole minutes, and the blocks that lie in them.

use std::fmt;
use std::str::FromStr;

use chain_store::ChainStore;
use chain_types::{Height, TimeMs};

use super::StatementFault;

const MINUTE_MS: i64 = 60_000;

/// A calendar month, written `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatementMonth {
    year: i16,
    month: i8,
}

impl FromStr for StatementMonth {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let error = || format!("{text:?} is not a month such as 2026-11");
        let (year, month) = text.split_once('-').ok_or_else(error)?;
        let is_written = |part: &str, digits: usize| {
            part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_written(year, 4) || !is_written(month, 2) {
            return Err(error());
        }
        let (year, month) =
            (year.parse().map_err(|_| error())?, month.parse().map_err(|_| error())?);
        jiff::civil::Date::new(year, month, 1).map_err(|_| error())?;
        Ok(Self { year, month })
    }
}

impl fmt::Display for StatementMonth {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}", self.year, self.month)
    }
}

impl StatementMonth {
    /// The first millisecond of the month, and the first after it, `offset_min` minutes east of
    /// UTC.
    pub fn bounds(self, offset_min: i16) -> (TimeMs, TimeMs) {
        let next = if self.month == 12 {
            Self { year: self.year.saturating_add(1), month: 1 }
        } else {
            Self { month: self.month + 1, ..self }
        };
        (self.begins(offset_min), next.begins(offset_min))
    }

    fn begins(self, offset_min: i16) -> TimeMs {
        let date = jiff::civil::Date::new(self.year, self.month, 1);
        let utc = date.ok().and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC).ok());
        let utc_ms = utc.map_or(i64::MAX, |utc| utc.timestamp().as_millisecond());
        let begins = utc_ms.saturating_sub(i64::from(offset_min) * MINUTE_MS);
        TimeMs::new(u64::try_from(begins).unwrap_or(0))
    }
}

/// The blocks of a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocks {
    /// The first block of the period.
    pub first: Height,
    /// The one after the last.
    pub end: Height,
    /// True if later blocks exist, so that no more can come.
    pub is_complete: bool,
}

/// The blocks whose times lie from `begins` up to before `ends`.
///
/// # Errors
/// When the store cannot be read.
pub fn blocks(
    store: &dyn ChainStore,
    begins: TimeMs,
    ends: TimeMs,
) -> Result<Blocks, StatementFault> {
    let after_head = store.head().unwrap_or_default().next();
    let first = store.first_height_from(begins)?.unwrap_or(after_head);
    let end = store.first_height_from(ends)?;
    Ok(Blocks { first, end: end.unwrap_or(after_head), is_complete: end.is_some() })
}
