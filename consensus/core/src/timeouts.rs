//! How long a round's steps wait.

use chain_types::{Parameters, Round};

/// Timeouts grow by a fixed step a round up to a cap, so that rounds meet once links heal and
/// never drift to an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Round zero's timeout of each step, in milliseconds.
    pub base_ms: u64,
    /// The time that each further round adds, in milliseconds.
    pub step_ms: u64,
    /// The longest timeout, in milliseconds.
    pub max_ms: u64,
}

impl Timeouts {
    /// How long each step of `round` waits, in milliseconds: at least one.
    pub fn after_ms(&self, round: Round) -> u64 {
        let grown =
            self.base_ms.saturating_add(self.step_ms.saturating_mul(u64::from(round.get())));
        grown.min(self.max_ms).max(1)
    }

    /// How long a validator of `round` waits before it says again what was said, in milliseconds:
    /// half a step's wait, so that what a step lacks still comes in time for it. Where links are
    /// known to be missing (`is_hurried`), a twentieth, so that a height over a relay takes little
    /// longer than another.
    pub fn rebroadcast_ms(&self, round: Round, is_hurried: bool) -> u64 {
        let part = if is_hurried { 20 } else { 2 };
        (self.after_ms(round) / part).max(1)
    }
}

impl From<&Parameters> for Timeouts {
    fn from(parameters: &Parameters) -> Self {
        Self {
            base_ms: parameters.consensus_timeout_ms,
            step_ms: parameters.consensus_timeout_step_ms,
            max_ms: parameters.consensus_timeout_max_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_grow_by_a_step_and_stop_at_the_cap() {
        let timeouts = Timeouts::from(&Parameters::default());
        assert_eq!(timeouts.after_ms(Round::new(0)), 600);
        assert_eq!(timeouts.after_ms(Round::new(1)), 800);
        assert_eq!(timeouts.after_ms(Round::new(12)), 3_000);
        assert_eq!(timeouts.after_ms(Round::new(u32::MAX)), 3_000);
    }

    #[test]
    fn extreme_parameters_neither_overflow_nor_spin() {
        let huge = Timeouts { base_ms: u64::MAX, step_ms: u64::MAX, max_ms: u64::MAX };
        assert_eq!(huge.after_ms(Round::new(u32::MAX)), u64::MAX);
        let none = Timeouts { base_ms: 0, step_ms: 0, max_ms: 0 };
        assert_eq!(none.after_ms(Round::new(0)), 1);
    }
}
