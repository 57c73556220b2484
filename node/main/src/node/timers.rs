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
