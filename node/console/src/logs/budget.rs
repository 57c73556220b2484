//! How many lines may be written. Knows no clock.

use std::time::{Duration, Instant};

/// An allowance of lines that refills one by one.
#[derive(Debug, Clone, Copy)]
pub struct LineBudget {
    lines_max: u32,
    refill: Duration,
    left: u32,
    refilled: Option<Instant>,
}

impl LineBudget {
    /// `lines_max` at once, and one more each `refill`.
    pub const fn new(lines_max: u32, refill: Duration) -> Self {
        Self { lines_max, refill, left: lines_max, refilled: None }
    }

    /// Takes a line from the allowance; false if it is spent.
    pub fn take(&mut self, now: Instant) -> bool {
        let refilled = *self.refilled.get_or_insert(now);
        let earned = now.saturating_duration_since(refilled).as_nanos() / self.refill.as_nanos();
        let earned = u32::try_from(earned).unwrap_or(u32::MAX);
        if earned > 0 {
            self.left = self.left.saturating_add(earned).min(self.lines_max);
            let is_full = self.left == self.lines_max;
            self.refilled = Some(if is_full { now } else { refilled + self.refill * earned });
        }
        let has_any = self.left > 0;
        self.left = self.left.saturating_sub(1);
        has_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_one_at_a_time() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let mut budget = LineBudget::new(3, 5 * second);
        let taken = |budget: &mut LineBudget, at| (0..10).filter(|_| budget.take(at)).count();
        assert_eq!(taken(&mut budget, start), 3);
        assert_eq!(taken(&mut budget, start + 4 * second), 0);
        assert_eq!(taken(&mut budget, start + 5 * second), 1);
        assert_eq!(taken(&mut budget, start + 14 * second), 1);
        assert_eq!(taken(&mut budget, start + 15 * second), 1, "what was earned in part is kept");
        assert_eq!(taken(&mut budget, start + 3_600 * second), 3, "a long silence earns a burst");
    }
}
