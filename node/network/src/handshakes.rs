//! Chooses the unfinished handshake that gives way when too many stand open. Knows no socket and no
//! clock.
//!
//! Whoever connects has proven nothing yet but the address it speaks from. So places are shared by
//! source, and addresses at which registered peers were found have places of their own: strangers
//! take none of them, however many addresses they have. A newcomer always gets a place: when all
//! are taken, the oldest handshake of the source with the most goes, because an honest one takes
//! moments and the others stand.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr};

use chain_types::PublicKey;

/// Addresses that are remembered of one registered peer.
const ADDRESSES_PER_PEER_MAX: usize = 4;

/// The origin of handshakes: an IPv4 address, or the half of an IPv6 address that names a network,
/// since its other half is free to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    V4(Ipv4Addr),
    V6([u8; 8]),
}

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                let mut network = [0; 8];
                network.copy_from_slice(&address.octets()[..8]);
                Self::V6(network)
            }
        }
    }
}

/// A handshake that has begun. Later ones have greater numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ticket(u64);

/// The handshakes that are not finished, and the addresses of registered peers.
#[derive(Debug)]
pub(crate) struct Handshakes {
    places_max: usize,
    open: BTreeMap<Ticket, Place>,
    next: u64,
    peers: BTreeMap<PublicKey, VecDeque<Source>>,
    known: BTreeSet<Source>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    source: Source,
    is_known: bool,
}

impl Handshakes {
    /// With `places_max` places, at least one, for known sources, and as many for others.
    pub(crate) fn new(places_max: usize) -> Self {
        Self {
            places_max: places_max.max(1),
            open: BTreeMap::new(),
            next: 0,
            peers: BTreeMap::new(),
            known: BTreeSet::new(),
        }
    }

    /// Begins a handshake from `source`. Returns its ticket and, if it takes another's place, the
    /// ticket of that one, which has ended.
    pub(crate) fn begin(&mut self, source: Source) -> (Ticket, Option<Ticket>) {
        let ticket = Ticket(self.next);
        self.next += 1;
        let is_known = self.is_known(source);
        self.open.insert(ticket, Place { source, is_known });
        let of_kind = || self.open.iter().filter(move |(_, place)| place.is_known == is_known);
        if of_kind().count() <= self.places_max {
            return (ticket, None);
        }
        let mut sources: BTreeMap<Source, (usize, Reverse<Ticket>)> = BTreeMap::new();
        for (ticket, place) in of_kind() {
            // From the oldest on: the first of a source is its oldest.
            sources.entry(place.source).or_insert((0, Reverse(*ticket))).0 += 1;
        }
        let evicted = sources.into_values().max().map(|(_, Reverse(oldest))| oldest);
        if let Some(evicted) = evicted {
            self.open.remove(&evicted);
        }
        (ticket, evicted)
    }

    /// A handshake has ended, one way or another.
    pub(crate) fn end(&mut self, ticket: Ticket) {
        self.open.remove(&ticket);
    }

    /// The number of handshakes that are not finished.
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// Returns true if a registered peer was found at `source`.
    pub(crate) fn is_known(&self, source: Source) -> bool {
        self.known.contains(&source)
    }

    /// Remembers that a registered peer is found at these sources; its newest are kept.
    pub(crate) fn remember(&mut self, peer: PublicKey, sources: impl IntoIterator<Item = Source>) {
        let kept = self.peers.entry(peer).or_default();
        for source in sources {
            kept.retain(|other| *other != source);
            kept.push_back(source);
            if kept.len() > ADDRESSES_PER_PEER_MAX {
                kept.pop_front();
            }
        }
        self.known = self.peers.values().flatten().copied().collect();
    }

    /// The peer is registered no more.
    pub(crate) fn forget(&mut self, peer: &PublicKey) {
        self.peers.remove(peer);
        self.known = self.peers.values().flatten().copied().collect();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn source(last: u8) -> Source {
        Source::V4(Ipv4Addr::new(127, 0, 0, last))
    }

    fn key(byte: u8) -> PublicKey {
        PublicKey::from_bytes([byte; 32])
    }

    #[test]
    fn a_newcomer_takes_the_place_of_the_oldest_of_the_fullest_source() {
        let mut handshakes = Handshakes::new(4);
        let many: Vec<Ticket> = (0..3).map(|_| handshakes.begin(source(1)).0).collect();
        let (other, none) = handshakes.begin(source(2));
        assert_eq!(none, None);
        assert_eq!(handshakes.begin(source(3)).1, Some(many[0]));
        assert_eq!(handshakes.begin(source(1)).1, Some(many[1]), "its own: it still has the most");
        handshakes.end(other);
        assert_eq!(handshakes.begin(source(2)).1, None, "a place was free");
        assert_eq!(handshakes.len(), 4);
    }

    #[test]
    fn of_sources_with_one_each_the_oldest_handshake_goes() {
        let mut handshakes = Handshakes::new(64);
        let first: Vec<Ticket> = (0..64).map(|from| handshakes.begin(source(from)).0).collect();
        for (from, old) in (64..128).zip(first) {
            assert_eq!(handshakes.begin(source(from)).1, Some(old));
        }
    }

    #[test]
    fn strangers_take_no_place_of_a_registered_peer_and_it_takes_none_of_theirs() {
        let mut handshakes = Handshakes::new(8);
        handshakes.remember(key(1), [source(1)]);
        let (peers, _) = handshakes.begin(source(1));
        for from in 2..200 {
            assert_ne!(handshakes.begin(source(from)).1, Some(peers));
        }
        assert_eq!(handshakes.len(), 9);
        // At the peer's own address somebody opens a hundred: the newest eight stand.
        let all: Vec<_> = (0..100).map(|_| handshakes.begin(source(1))).collect();
        assert_eq!(all[7].1, Some(peers), "the oldest, after seven more");
        assert_eq!(handshakes.len(), 16);
        handshakes.forget(&key(1));
        assert!(!handshakes.is_known(source(1)));
    }

    #[test]
    fn a_peers_newest_addresses_are_kept() {
        let mut handshakes = Handshakes::new(8);
        handshakes.remember(key(1), (1..=4).map(source));
        handshakes.remember(key(1), [source(1), source(5)]);
        let known: Vec<u8> = (1..=5).filter(|last| handshakes.is_known(source(*last))).collect();
        assert_eq!(known, [1, 3, 4, 5]);
        handshakes.remember(key(2), [source(3)]);
        handshakes.forget(&key(1));
        assert!(handshakes.is_known(source(3)), "another peer is there too");
    }

    #[test]
    fn the_host_half_of_an_ipv6_address_makes_no_other_source() {
        let of = |text: &str| Source::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:127.0.0.1"), of("127.0.0.1"));
    }
}
