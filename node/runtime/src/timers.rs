//! The replica's timers on the monotonic clock: wall time, which can jump, never runs one out.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use node_replica::Timer;

/// The timers that run. Setting one that is set starts it anew.
#[derive(Debug, Default)]
pub struct Timers {
    due: BTreeMap<(Instant, u64), Timer>,
    set: BTreeMap<Timer, (Instant, u64)>,
    number: u64,
}

impl Timers {
    /// Starts `timer` at `now`.
    pub fn schedule(&mut self, now: Instant, timer: Timer, after_ms: u64) {
        self.cancel(&timer);
        self.number += 1;
        let at = (now + Duration::from_millis(after_ms), self.number);
        self.due.insert(at, timer);
        self.set.insert(timer, at);
    }

    /// Stops `timer` if it runs.
    pub fn cancel(&mut self, timer: &Timer) {
        if let Some(at) = self.set.remove(timer) {
            self.due.remove(&at);
        }
    }

    /// Stops every timer of consensus.
    pub fn cancel_consensus(&mut self) {
        self.set.retain(|timer, at| {
            let consensus = matches!(timer, Timer::Consensus(_));
            if consensus {
                self.due.remove(at);
            }
            !consensus
        });
    }

    /// A timer that has run out by `now`, the earliest first.
    pub fn pop(&mut self, now: Instant) -> Option<Timer> {
        let (at, timer) = self.due.first_key_value().map(|(at, timer)| (*at, *timer))?;
        if at.0 > now {
            return None;
        }
        self.due.remove(&at);
        self.set.remove(&timer);
        Some(timer)
    }

    /// How long until the next one runs out; at most half a second, so that a stop is noticed.
    pub fn wait(&self, now: Instant) -> Duration {
        let longest = Duration::from_millis(500);
        self.due
            .first_key_value()
            .map_or(longest, |((at, _), _)| at.saturating_duration_since(now).min(longest))
    }
}

#[cfg(test)]
mod tests {
    use chain_types::{Height, Round};
    use consensus_core::{Timeout, TimeoutKind};

    use super::*;

    fn consensus(round: u32) -> Timer {
        let kind = TimeoutKind::Propose;
        Timer::Consensus(Timeout { height: Height::new(1), round: Round::new(round), kind })
    }

    #[test]
    fn timers_run_out_in_order_once_and_start_anew_when_set_again() {
        let start = Instant::now();
        let later = |ms| start + Duration::from_millis(ms);
        let mut timers = Timers::default();
        timers.schedule(start, Timer::CatchUp, 30);
        timers.schedule(start, Timer::Status, 10);
        timers.schedule(later(5), Timer::Status, 10);
        assert_eq!(timers.pop(later(14)), None, "it was started anew");
        assert_eq!(timers.wait(later(14)), Duration::from_millis(1));
        assert_eq!(timers.pop(later(40)), Some(Timer::Status));
        assert_eq!(timers.pop(later(40)), Some(Timer::CatchUp));
        assert_eq!(timers.pop(later(40)), None);
    }

    #[test]
    fn a_stopped_timer_never_runs_out_and_consensus_timers_stop_together() {
        let start = Instant::now();
        let much_later = start + Duration::from_secs(9);
        let mut timers = Timers::default();
        timers.schedule(start, consensus(0), 1);
        timers.schedule(start, consensus(1), 1);
        timers.schedule(start, Timer::CatchUp, 1);
        timers.schedule(start, Timer::Status, 2);
        timers.cancel(&Timer::CatchUp);
        timers.cancel_consensus();
        assert_eq!(timers.pop(much_later), Some(Timer::Status));
        assert_eq!(timers.pop(much_later), None);
    }
}
