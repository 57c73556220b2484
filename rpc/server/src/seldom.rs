//! Log lines that clients can bring about: one in a while, with how many there would have been.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The time between two lines at least.
const INTERVAL: Duration = Duration::from_secs(10);

/// One kind of line of the log, which clients can bring about.
#[derive(Debug, Default)]
pub struct Seldom(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    logged: Option<Instant>,
    count: u64,
}

impl Seldom {
    /// A kind of which no line is logged yet.
    pub const fn new() -> Self {
        Self(Mutex::new(State { logged: None, count: 0 }))
    }

    /// Counts one; when a line is due, gives how many it stands for.
    pub fn count(&self) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.count += 1;
        if state.logged.is_some_and(|logged| logged.elapsed() < INTERVAL) {
            return None;
        }
        state.logged = Some(Instant::now());
        Some(std::mem::take(&mut state.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stands_for_many() {
        let seldom = Seldom::new();
        assert_eq!(seldom.count(), Some(1));
        assert!((0..1_000).all(|_| seldom.count().is_none()));
    }
}
