//! When to dial whom. Knows no socket and no clock: the driver brings events and the time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chain_types::PublicKey;

use crate::address::Address;

/// The configured peers and where each stands. A peer that is not allowed is not dialled.
#[derive(Debug)]
pub(crate) struct Dialer {
    entries: BTreeMap<PublicKey, Entry>,
    wait_min: Duration,
    wait_max: Duration,
}

#[derive(Debug)]
struct Entry {
    address: Address,
    state: State,
    /// The time to wait before the next attempt.
    wait: Duration,
    /// True if the operator was told of the trouble since the peer was last ready.
    reported: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting {
        until: Instant,
    },
    Dialing,
    Linked,
    /// Not allowed: dialled once it is.
    Barred,
}

impl Dialer {
    /// Waits double from `wait_min` to `wait_max`; every peer is barred.
    pub(crate) fn new(
        peers: impl IntoIterator<Item = (PublicKey, Address)>,
        wait_min: Duration,
        wait_max: Duration,
    ) -> Self {
        let entry =
            |address| Entry { address, state: State::Barred, wait: wait_min, reported: false };
        let entries = peers.into_iter().map(|(key, address)| (key, entry(address))).collect();
        Self { entries, wait_min, wait_max }
    }

    /// When the next peer is due, if any waits.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let due = |entry: &Entry| match entry.state {
            State::Waiting { until } => Some(until),
            State::Dialing | State::Linked | State::Barred => None,
        };
        self.entries.values().filter_map(due).min()
    }

    /// A peer to dial now; it is being dialled from here on.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<(PublicKey, Address)> {
        for (key, entry) in &mut self.entries {
            if matches!(entry.state, State::Waiting { until } if until <= now) {
                entry.state = State::Dialing;
                return Some((*key, entry.address.clone()));
            }
        }
        None
    }

    /// Takes over the peers with their addresses. Those that are new are barred; those that stay
    /// under the same key and address are left as they are.
    pub(crate) fn follow(&mut self, peers: BTreeMap<PublicKey, Address>) {
        self.entries.retain(|key, entry| peers.get(key) == Some(&entry.address));
        for (key, address) in peers {
            let (state, wait) = (State::Barred, self.wait_min);
            let entry = Entry { address, state, wait, reported: false };
            self.entries.entry(key).or_insert(entry);
        }
    }

    /// The peer is allowed from now on, and due.
    pub(crate) fn admit(&mut self, key: &PublicKey, now: Instant) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.state = State::Waiting { until: now };
            entry.wait = self.wait_min;
            entry.reported = false;
        }
    }

    /// An allowed peer is due, unless it was before.
    pub(crate) fn admit_new(&mut self, key: &PublicKey, now: Instant) {
        if self.entries.get(key).is_some_and(|entry| entry.state == State::Barred) {
            self.admit(key, now);
        }
    }

    /// The peer is allowed no more.
    pub(crate) fn bar(&mut self, key: &PublicKey) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.state = State::Barred;
        }
    }

    /// A connection to the peer stands, whoever dialled.
    pub(crate) fn linked(&mut self, key: &PublicKey) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.state = State::Linked;
        }
    }

    /// The peer accepts us: the next trouble is new.
    pub(crate) fn ready(&mut self, key: &PublicKey) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.wait = self.wait_min;
            entry.reported = false;
        }
    }

    /// The last connection to the peer is gone. Gives whether the trouble is new.
    pub(crate) fn lost(&mut self, key: &PublicKey, now: Instant) -> bool {
        self.retry(key, State::Linked, now)
    }

    /// A dial failed. Gives whether the trouble is new.
    pub(crate) fn failed(&mut self, key: &PublicKey, now: Instant) -> bool {
        self.retry(key, State::Dialing, now)
    }

    fn retry(&mut self, key: &PublicKey, from: State, now: Instant) -> bool {
        let Some(entry) = self.entries.get_mut(key) else { return false };
        if entry.state != from {
            return false;
        }
        entry.state = State::Waiting { until: now + entry.wait };
        entry.wait = (entry.wait * 2).min(self.wait_max);
        !std::mem::replace(&mut entry.reported, true)
    }

    /// Does not dial the peer before `until`, unless it is linked or being dialled.
    pub(crate) fn hold(&mut self, key: &PublicKey, until: Instant) {
        if let Some(entry) = self.entries.get_mut(key)
            && matches!(entry.state, State::Waiting { .. })
        {
            entry.state = State::Waiting { until };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: PublicKey = PublicKey::from_bytes([1; 32]);

    fn dialer(now: Instant) -> Dialer {
        let address = Address::Name("node:1".to_owned());
        let (wait_min, wait_max) = (Duration::from_millis(200), Duration::from_secs(2));
        let mut dialer = Dialer::new([(KEY, address)], wait_min, wait_max);
        dialer.admit(&KEY, now);
        dialer
    }

    #[test]
    fn waits_double_up_to_the_longest_and_start_again_when_ready() {
        let start = Instant::now();
        let mut dialer = dialer(start);
        let mut now = start;
        for wait_ms in [200, 400, 800, 1600, 2000, 2000] {
            assert!(dialer.take_due(now).is_some());
            assert!(dialer.take_due(now).is_none(), "it is being dialled");
            dialer.failed(&KEY, now);
            assert_eq!(dialer.next_due(), Some(now + Duration::from_millis(wait_ms)));
            assert!(dialer.take_due(now).is_none(), "not before its time");
            now += Duration::from_millis(wait_ms);
        }
        dialer.linked(&KEY);
        assert_eq!(dialer.next_due(), None);
        dialer.ready(&KEY);
        dialer.lost(&KEY, now);
        assert_eq!(dialer.next_due(), Some(now + Duration::from_millis(200)));
    }

    #[test]
    fn links_that_never_become_ready_back_off_too() {
        let now = Instant::now();
        let mut dialer = dialer(now);
        dialer.linked(&KEY);
        dialer.lost(&KEY, now);
        dialer.linked(&KEY);
        dialer.lost(&KEY, now);
        assert_eq!(dialer.next_due(), Some(now + Duration::from_millis(400)));
    }

    #[test]
    fn trouble_is_reported_once_until_the_peer_was_ready() {
        let now = Instant::now();
        let mut dialer = dialer(now);
        dialer.take_due(now);
        assert!(dialer.failed(&KEY, now));
        dialer.take_due(now + Duration::from_secs(1));
        assert!(!dialer.failed(&KEY, now));
        dialer.linked(&KEY);
        assert!(!dialer.lost(&KEY, now));
        dialer.linked(&KEY);
        dialer.ready(&KEY);
        assert!(dialer.lost(&KEY, now));
    }

    #[test]
    fn a_late_failure_does_not_disturb_a_link() {
        let now = Instant::now();
        let mut dialer = dialer(now);
        dialer.take_due(now);
        dialer.linked(&KEY);
        assert!(!dialer.failed(&KEY, now));
        assert_eq!(dialer.next_due(), None);
        assert!(!dialer.failed(&PublicKey::from_bytes([2; 32]), now), "a stranger changes nothing");
    }

    #[test]
    fn a_barred_peer_is_dialled_only_once_it_is_allowed_again() {
        let now = Instant::now();
        let mut dialer = dialer(now);
        dialer.take_due(now);
        dialer.bar(&KEY);
        dialer.failed(&KEY, now);
        dialer.lost(&KEY, now);
        dialer.hold(&KEY, now);
        assert_eq!(dialer.next_due(), None);
        dialer.admit(&KEY, now);
        assert!(dialer.take_due(now).is_some());
    }

    #[test]
    fn a_peer_whose_key_is_replaced_is_dialled_by_the_new_one() {
        let now = Instant::now();
        let mut dialer = dialer(now);
        dialer.take_due(now);
        dialer.linked(&KEY);
        let (next, address) = (PublicKey::from_bytes([2; 32]), Address::Name("node:1".to_owned()));
        dialer.follow([(KEY, address.clone())].into());
        assert_eq!(dialer.next_due(), None, "it is linked as before");
        dialer.follow([(next, address)].into());
        assert!(!dialer.lost(&KEY, now), "it is no peer");
        assert_eq!(dialer.next_due(), None, "not before it is allowed");
        dialer.admit(&next, now);
        assert_eq!(dialer.take_due(now).map(|(key, _)| key), Some(next));
    }

    #[test]
    fn a_held_peer_is_left_alone() {
        let now = Instant::now();
        let mut dialer = dialer(now);
        let until = now + Duration::from_secs(30);
        dialer.hold(&KEY, until);
        assert!(dialer.take_due(now + Duration::from_secs(29)).is_none());
        assert!(dialer.take_due(until).is_some());
    }
}
