//! Finds dead links: those on which no probe was answered for too long.
//!
//! libp2p's ping only measures. It forgives the first failure and may then take another ten
//! seconds to notice the next, so the answers are watched here. Knows no clock.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use libp2p::PeerId;
use libp2p::swarm::ConnectionId;

/// A link that still moves bytes may only be slow, its probes waiting behind them: it has this
/// many times the patience.
const SLOW_PATIENCE: u32 = 4;

/// Every open link and when it was last heard of.
#[derive(Debug)]
pub(crate) struct Watchdog {
    links: BTreeMap<ConnectionId, Link>,
    interval: Duration,
    timeout: Duration,
    checked: Instant,
}

#[derive(Debug)]
struct Link {
    peer: PeerId,
    heard: Instant,
}

impl Watchdog {
    /// Probes go out every `interval` and are answered within `timeout`.
    pub(crate) fn new(interval: Duration, timeout: Duration, now: Instant) -> Self {
        Self { links: BTreeMap::new(), interval, timeout, checked: now }
    }

    pub(crate) fn opened(&mut self, id: ConnectionId, peer: PeerId, now: Instant) {
        self.links.insert(id, Link { peer, heard: now });
    }

    pub(crate) fn heard(&mut self, id: ConnectionId, now: Instant) {
        if let Some(link) = self.links.get_mut(&id) {
            link.heard = now;
        }
    }

    pub(crate) fn closed(&mut self, id: ConnectionId) {
        self.links.remove(&id);
    }

    /// When to check next.
    pub(crate) fn next_check(&self) -> Instant {
        self.checked + self.interval
    }

    /// The links that are dead at `now`; they are watched no longer. `still_for` says for how
    /// long no bytes went to or from a peer.
    pub(crate) fn check(
        &mut self,
        now: Instant,
        still_for: impl Fn(&PeerId) -> Duration,
    ) -> Vec<ConnectionId> {
        if now < self.next_check() {
            return Vec::new();
        }
        // A late check means that this process was stopped or starved: answers may be waiting to
        // be read, so that silence proves nothing.
        let is_late = now.saturating_duration_since(self.next_check()) >= self.timeout;
        self.checked = now;
        if is_late {
            self.links.values_mut().for_each(|link| link.heard = now);
        }
        let patience = self.interval + self.timeout;
        let is_dead = |link: &Link| {
            let silent = now.saturating_duration_since(link.heard);
            let is_still = still_for(&link.peer) >= self.timeout;
            silent > patience * SLOW_PATIENCE || (silent > patience && is_still)
        };
        let dead = self.links.iter().filter(|(_, link)| is_dead(link)).map(|(id, _)| *id);
        let dead: Vec<_> = dead.collect();
        dead.iter().for_each(|id| self.closed(*id));
        dead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn id(number: usize) -> ConnectionId {
        ConnectionId::new_unchecked(number)
    }

    /// Links 1 and 2, probed each second with three seconds' patience.
    fn watchdog(now: Instant) -> Watchdog {
        let mut watchdog = Watchdog::new(SECOND, 3 * SECOND, now);
        watchdog.opened(id(1), PeerId::random(), now);
        watchdog.opened(id(2), PeerId::random(), now);
        watchdog
    }

    #[test]
    fn only_the_link_that_fell_silent_is_dead_and_told_once() {
        let start = Instant::now();
        let mut watchdog = watchdog(start);
        let still = |_: &PeerId| 10 * SECOND;
        for second in 1..=4 {
            let now = start + SECOND * second;
            watchdog.heard(id(2), now);
            assert!(watchdog.check(now, still).is_empty(), "second {second}");
        }
        let now = start + SECOND * 5;
        assert_eq!(watchdog.check(now, still), [id(1)]);
        assert!(watchdog.check(now + SECOND, still).is_empty());
    }

    #[test]
    fn a_slow_link_has_more_patience_but_not_for_ever() {
        let start = Instant::now();
        let mut watchdog = watchdog(start);
        let moving = |_: &PeerId| Duration::ZERO;
        for second in 1..=16 {
            assert!(watchdog.check(start + SECOND * second, moving).is_empty(), "second {second}");
        }
        assert_eq!(watchdog.check(start + SECOND * 17, moving).len(), 2);
    }

    #[test]
    fn a_process_that_was_stopped_blames_nobody() {
        let start = Instant::now();
        let mut watchdog = watchdog(start);
        let still = |_: &PeerId| 100 * SECOND;
        let woken = start + SECOND * 60;
        for second in 0..=4 {
            assert!(watchdog.check(woken + SECOND * second, still).is_empty(), "second {second}");
        }
        assert_eq!(watchdog.check(woken + SECOND * 5, still).len(), 2);
    }
}
