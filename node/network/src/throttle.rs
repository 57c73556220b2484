//! Log lines that a peer can cause, each at most once in a while.

use std::time::{Duration, Instant};

/// How long a line of one kind is held back after it was logged.
const PAUSE: Duration = Duration::from_secs(10);

/// Decides when a line is due, and counts those held back. Knows no clock.
#[derive(Debug, Default)]
pub struct Throttle {
    logged: Option<Instant>,
    held: u64,
}

impl Throttle {
    /// The number of times to log now, this one and those held back before; `None` while the last
    /// line is younger than 10 seconds.
    pub fn due(&mut self, now: Instant) -> Option<u64> {
        self.held += 1;
        let is_recent = |logged| now.saturating_duration_since(logged) < PAUSE;
        if self.logged.is_some_and(is_recent) {
            return None;
        }
        self.logged = Some(now);
        Some(std::mem::take(&mut self.held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_comes_at_once_and_the_next_one_counts_those_held_back() {
        let (start, mut throttle) = (Instant::now(), Throttle::default());
        assert_eq!(throttle.due(start), Some(1));
        for second in 1..10 {
            assert_eq!(throttle.due(start + Duration::from_secs(second)), None);
        }
        assert_eq!(throttle.due(start + PAUSE), Some(10));
        assert_eq!(throttle.due(start + PAUSE), None);
    }
}
