//! How much a peer may send: a token bucket over bytes and messages, with a burst of one second.

use std::time::Instant;

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// The rest of a sender's allowance. Units are billionths of a byte and of a message, so that
/// integer refills lose nothing.
#[derive(Debug)]
pub struct Budget {
    bytes: Bucket,
    messages: Bucket,
    refilled: Instant,
}

#[derive(Debug)]
struct Bucket {
    per_second: u64,
    left: u128,
}

impl Bucket {
    fn full(per_second: u64) -> Self {
        Self { per_second, left: u128::from(per_second) * NANOS_PER_SECOND }
    }

    fn refill(&mut self, elapsed_ns: u128) {
        let full = u128::from(self.per_second) * NANOS_PER_SECOND;
        let gained = u128::from(self.per_second) * elapsed_ns.min(NANOS_PER_SECOND);
        self.left = (self.left + gained).min(full);
    }
}

impl Budget {
    /// A full allowance, which refills at these rates.
    pub fn new(bytes_per_second: u64, messages_per_second: u64, now: Instant) -> Self {
        Self {
            bytes: Bucket::full(bytes_per_second),
            messages: Bucket::full(messages_per_second),
            refilled: now,
        }
    }

    /// Takes a message of `bytes` from the allowance; false, and nothing taken, if it is spent.
    pub fn take(&mut self, bytes: usize, now: Instant) -> bool {
        let elapsed_ns = now.saturating_duration_since(self.refilled).as_nanos();
        self.refilled = self.refilled.max(now);
        self.bytes.refill(elapsed_ns);
        self.messages.refill(elapsed_ns);
        let bytes = bytes as u128 * NANOS_PER_SECOND;
        if self.bytes.left < bytes || self.messages.left < NANOS_PER_SECOND {
            return false;
        }
        self.bytes.left -= bytes;
        self.messages.left -= NANOS_PER_SECOND;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_spent_budget_refills_with_time_and_never_above_one_second() {
        let start = Instant::now();
        let mut budget = Budget::new(1000, 10, start);
        assert!(budget.take(1000, start));
        assert!(!budget.take(1, start), "bytes are spent");
        assert!(budget.take(100, start + Duration::from_millis(100)));
        assert!(!budget.take(1, start + Duration::from_millis(100)));
        let later = start + Duration::from_secs(3600);
        assert!(!budget.take(1001, later), "an hour saves up no more than one second");
        assert!(budget.take(1000, later));
    }

    #[test]
    fn messages_are_counted_too() {
        let start = Instant::now();
        let mut budget = Budget::new(1_000_000, 3, start);
        assert!((0..3).all(|_| budget.take(1, start)));
        assert!(!budget.take(1, start));
        assert!(budget.take(1, start + Duration::from_millis(334)));
        assert!(!budget.take(1, start + Duration::from_millis(334)));
    }

    #[test]
    fn a_clock_that_seems_to_go_back_gives_nothing() {
        let start = Instant::now() + Duration::from_secs(10);
        let mut budget = Budget::new(10, 10, start);
        assert!(budget.take(10, start));
        assert!(!budget.take(1, start - Duration::from_secs(5)));
        assert!(!budget.take(1, start));
    }
}
