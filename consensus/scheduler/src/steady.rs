//! A time that neither runs backwards nor leaps, made from a wall clock that may do both: a debt in
//! microseconds must not become an hour because somebody set a clock.

use chain_types::TimeMs;

/// The longest step forwards that is followed, in milliseconds. By then all debts that matter are
/// paid.
const STEP_MS_MAX: u64 = 10_000;
/// Two readers of one clock may come here in another order than they read it. A clock that is
/// further back than this, in milliseconds, was set.
const BACK_MS_MAX: u64 = 1_000;

/// The steady time, which follows a wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SteadyTime {
    wall_ms: u64,
    steady_ms: u64,
}

impl SteadyTime {
    /// Follows the wall clock. Returns the steady time, in microseconds.
    pub fn follow(&mut self, wall: TimeMs) -> u64 {
        let wall_ms = wall.get();
        if wall_ms > self.wall_ms {
            // The first reading sets the time: a scheduler that has seen nobody has no debts.
            let is_first = self.wall_ms == 0;
            let step_ms = wall_ms - self.wall_ms;
            self.steady_ms += if is_first { step_ms } else { step_ms.min(STEP_MS_MAX) };
            self.wall_ms = wall_ms;
        } else if wall_ms.saturating_add(BACK_MS_MAX) < self.wall_ms {
            self.wall_ms = wall_ms;
        }
        self.steady_ms.saturating_mul(1_000)
    }

    /// Returns the steady time at a moment of the wall clock.
    pub fn of(&self, moment: TimeMs) -> TimeMs {
        TimeMs::new(moved(moment.get(), self.wall_ms, self.steady_ms))
    }
}

/// Moves a moment as far as `from` is from `to`.
fn moved(moment_ms: u64, from_ms: u64, to_ms: u64) -> u64 {
    match to_ms.checked_sub(from_ms) {
        Some(later_ms) => moment_ms.saturating_add(later_ms),
        None => moment_ms.saturating_sub(from_ms - to_ms),
    }
}
