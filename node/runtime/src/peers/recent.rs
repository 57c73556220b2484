//! Messages that were seen lately, by their hash.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

/// Hashes of what was seen in the last moments, bounded in number. The hash is keyed by chance, so
/// that nobody can make two things look the same. Knows no clock.
#[derive(Debug)]
pub struct Recent {
    hasher: RandomState,
    young: HashSet<u64>,
    old: HashSet<u64>,
    begun: Option<Instant>,
    age_max: Duration,
    count_max: usize,
}

impl Recent {
    /// Keeps what was seen for at most `age_max`, and the newest `count_max / 2` at least until
    /// half of that.
    pub fn new(age_max: Duration, count_max: usize) -> Self {
        Self {
            hasher: RandomState::new(),
            young: HashSet::new(),
            old: HashSet::new(),
            begun: None,
            age_max,
            count_max,
        }
    }

    /// Returns true if `bytes` were added lately.
    pub fn contains(&mut self, bytes: &[u8], now: Instant) -> bool {
        self.forget(now);
        let hash = self.hasher.hash_one(bytes);
        self.young.contains(&hash) || self.old.contains(&hash)
    }

    /// Remembers `bytes`; false if they were added lately already.
    pub fn insert(&mut self, bytes: &[u8], now: Instant) -> bool {
        let is_new = !self.contains(bytes, now);
        if is_new {
            if self.young.len() >= self.count_max / 2 {
                self.old = std::mem::take(&mut self.young);
                self.begun = Some(now);
            }
            self.young.insert(self.hasher.hash_one(bytes));
        }
        is_new
    }

    /// Two generations, each as old as half of `age_max` when it gives way.
    fn forget(&mut self, now: Instant) {
        let begun = *self.begun.get_or_insert(now);
        let age = now.saturating_duration_since(begun);
        if age >= self.age_max / 2 {
            let young = std::mem::take(&mut self.young);
            self.old = if age < self.age_max { young } else { HashSet::new() };
            self.begun = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_known_for_a_while_and_no_longer() {
        let (start, mut recent) = (Instant::now(), Recent::new(Duration::from_secs(10), 100));
        let at = |second| start + Duration::from_secs(second);
        assert!(recent.insert(b"vote", at(0)));
        assert!(!recent.insert(b"vote", at(4)));
        assert!(recent.contains(b"vote", at(9)));
        assert!(!recent.contains(b"other", at(9)));
        assert!(recent.insert(b"vote", at(15)));
        assert!(recent.insert(b"vote", at(60)), "a long silence forgets all");
    }

    #[test]
    fn more_than_it_may_hold_drives_out_the_oldest() {
        let (now, mut recent) = (Instant::now(), Recent::new(Duration::from_secs(10), 100));
        for number in 0..1_000_u32 {
            assert!(recent.insert(&number.to_le_bytes(), now));
            assert!(recent.young.len() + recent.old.len() <= 100);
        }
        assert!(recent.contains(&999_u32.to_le_bytes(), now));
        assert!(recent.contains(&950_u32.to_le_bytes(), now));
        assert!(!recent.contains(&0_u32.to_le_bytes(), now));
    }
}
