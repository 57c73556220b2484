//! Whether blocks take longer than they should: the sign of too much where a block is never full,
//! because the machines are the bound.
//!
//! A block takes a time of its own, for rounds and disks over whatever distance, and the time of
//! its work. Light blocks show the first. A block that takes a good deal longer, while its work
//! waited for it to begin, shows the second.

/// By how much a block may take longer than a light one, in microseconds. An order waits for the
/// block that is being decided and then for its own: twice this and twice a light block.
const LONG_US: u64 = 150_000;
/// The time that a light block takes, in microseconds, until one was seen; and the most that is
/// believed of one.
const LIGHT_US: u64 = 100_000;
const LIGHT_US_MAX: u64 = 1_000_000;
/// A block is light with so many items, or with this part of those of the largest one lately: if a
/// network becomes slow under load, blocks grow smaller until they show that it is not the load.
const LIGHT_ITEMS: u64 = 1_024;
const LIGHT_PART: u64 = 8;
/// The largest number of items of a block is forgotten by this part with each block.
const FORGOTTEN_PART: u64 = 64;
/// A longer light block counts for this part of the new time.
const LONGER_PART: u64 = 8;

/// The times of the last blocks.
#[derive(Debug, Clone, Default)]
pub struct BlockTime {
    ended_us: Option<u64>,
    /// Items waited when the last block ended, so that the next one began at once.
    had_work: bool,
    light_us: Option<u64>,
    largest_items: u64,
}

impl BlockTime {
    /// Records that a block with `items` ended, and that `waiting_items` wait. Returns how many of
    /// them came after the time that the block should have taken at most; `None` if it took no
    /// longer.
    pub fn record(&mut self, items: u64, waiting_items: u64, now_us: u64) -> Option<u64> {
        let had_work = std::mem::replace(&mut self.had_work, waiting_items > 0);
        let elapsed_us = now_us.saturating_sub(self.ended_us.replace(now_us)?);
        let forgotten = self.largest_items.div_ceil(FORGOTTEN_PART);
        self.largest_items = items.max(self.largest_items - forgotten);
        if !had_work {
            return None;
        }
        if items <= LIGHT_ITEMS.max(self.largest_items / LIGHT_PART) {
            let light_us = self.light_us.map_or(elapsed_us, |before_us| {
                elapsed_us.min(before_us + elapsed_us.saturating_sub(before_us) / LONGER_PART)
            });
            self.light_us = Some(light_us.min(LIGHT_US_MAX));
        }
        let most_us = self.light_us.unwrap_or(LIGHT_US) + LONG_US;
        let over_us = elapsed_us.checked_sub(most_us).filter(|over_us| *over_us > 0)?;
        let late = u128::from(waiting_items) * u128::from(over_us) / u128::from(elapsed_us);
        Some(u64::try_from(late).unwrap_or(u64::MAX))
    }
}
