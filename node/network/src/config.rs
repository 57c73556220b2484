//! The settings that an operator chooses, and their bounds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chain_types::{ChainId, PublicKey, SecretKey};

use crate::address::Address;
use crate::fault::NetworkFault;
use crate::lane::Lane;

/// The settings that [`Network::start`](crate::Network::start) needs.
#[derive(Debug, Clone)]
pub struct NetworkConfig {
    /// The chain whose nodes we talk to; part of the handshake and of every protocol name.
    pub chain_id: ChainId,
    /// This node's own key.
    pub key: SecretKey,
    /// The address at which connections are accepted: `127.0.0.1:26600`, `[::]:26600` or a
    /// multiaddr such as `/ip4/0.0.0.0/tcp/26600`. Port 0 takes a free port, told by
    /// [`Network::listen_address`](crate::Network::listen_address).
    pub listen: String,
    /// Nodes to dial, and to keep dialling, while they are allowed. This node's own key is skipped.
    pub peers: Vec<Peer>,
    /// The only keys that may connect at first: those of the chain's registry. Later ones are
    /// told by [`Network::allow`](crate::Network::allow).
    pub allowed: BTreeSet<PublicKey>,
    /// Bounds on memory, rates and times.
    pub limits: Limits,
}

/// The peers that may connect from some moment on, and those to dial.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Membership {
    /// The only keys that may connect.
    pub(crate) allowed: BTreeSet<PublicKey>,
    /// Nodes to dial while they are allowed, when they are others than before.
    pub(crate) peers: Option<BTreeMap<PublicKey, Address>>,
}

/// A node to dial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The key it must prove to hold.
    pub key: PublicKey,
    /// `host:port`, where host is an IP address or a name looked up at each dial, or a multiaddr.
    pub address: String,
}

/// Bounds of one lane, for each peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneLimits {
    /// The largest message, in bytes, sent or received.
    pub frame_bytes_max: usize,
    /// Messages that may wait to be sent to one peer.
    pub queue_messages_max: usize,
    /// Bytes that may wait to be sent to one peer. At least one frame.
    pub queue_bytes_max: usize,
    /// Bytes a second accepted from one peer, with a burst of one second.
    pub budget_bytes_per_second: u64,
    /// Messages a second accepted from one peer, with a burst of one second.
    pub budget_messages_per_second: u64,
    /// Received bytes of one peer that the node has not handled yet; its stream is not read while
    /// there are more. At least one frame.
    pub inbox_bytes_max: usize,
}

/// Consensus messages a second that a peer may send. A validator says four things a height to each
/// other one, however many validators there are: a proposal, two votes and its height. At the
/// shortest interval that governance may set (`block_interval_ms` 10) that is 400 a second, and at
/// the shortest timeout (50 ms) it says its words again 20 times a second. At the usual parameters
/// (100 ms, 600 ms) it is 45 a second.
const CONSENSUS_MESSAGES_PER_SECOND: u64 = 500;

/// Bounds on memory, rates and times. The defaults suit four to a hundred nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The limits of [`Lane::Consensus`].
    pub consensus: LaneLimits,
    /// The limits of [`Lane::Bulk`].
    pub bulk: LaneLimits,
    /// A consensus message that waited longer than this is not worth sending.
    pub consensus_age_max: Duration,
    /// The largest request, in bytes.
    pub request_bytes_max: usize,
    /// The largest response, in bytes.
    pub response_bytes_max: usize,
    /// From asking to the last byte of the answer.
    pub request_timeout: Duration,
    /// Our own requests under way to one peer; one more is refused as busy.
    pub requests_out_max: usize,
    /// A peer's requests under way at our side; one more is refused.
    pub requests_in_max: usize,
    /// Requests a second accepted from one peer, with a burst of one second.
    pub requests_in_per_second: u64,
    /// The first wait before dialling a peer again; it doubles from there.
    pub redial_min: Duration,
    /// The longest wait before dialling a peer again.
    pub redial_max: Duration,
    /// A connection attempt that takes longer has failed.
    pub connect_timeout: Duration,
    /// How often a quiet link is probed.
    pub ping_interval: Duration,
    /// A link that answers no probe for this long, and moves no bytes, is closed.
    pub ping_timeout: Duration,
    /// Connections to one peer, both directions counted. Two are normal when both sides dial;
    /// more stand only while a broken one is not yet noticed.
    pub connections_per_peer_max: u32,
    /// Connections to all peers together.
    pub connections_max: u32,
    /// Incoming connections that have not yet proven a key: so many from addresses of registered
    /// peers, and as many from all others. When there are more, the oldest of the address with the
    /// most gives way to the newest.
    pub handshakes_max: u32,
    /// An incoming connection that has not proven its key by then is closed.
    pub handshake_timeout: Duration,
    /// Handshakes a second that addresses of registered peers may begin, with a burst of one
    /// second; more wait for their turn. [`Self::handshakes_max`] by this is the least time that a
    /// handshake has.
    pub handshakes_known_per_second: u64,
    /// Handshakes a second that all other addresses may begin; more are closed at once. Each costs
    /// some 0.2 ms of a core.
    pub handshakes_per_second: u64,
    /// Strikes after which a peer is banned.
    pub strikes_max: u32,
    /// The time that forgives one strike.
    pub strike_decay: Duration,
    /// For how long a peer is banned the first time. Each further ban lasts twice as long as the
    /// one before.
    pub ban: Duration,
    /// The longest ban; none is shorter than [`Self::ban`].
    pub ban_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            consensus: LaneLimits {
                frame_bytes_max: 1024 * 1024,
                queue_messages_max: 1024,
                queue_bytes_max: 8 * 1024 * 1024,
                budget_bytes_per_second: 32_000_000,
                budget_messages_per_second: CONSENSUS_MESSAGES_PER_SECOND,
                inbox_bytes_max: 4 * 1024 * 1024,
            },
            bulk: LaneLimits {
                frame_bytes_max: 2 * 1024 * 1024,
                queue_messages_max: 4096,
                queue_bytes_max: 64 * 1024 * 1024,
                budget_bytes_per_second: 128_000_000,
                // More than a chain takes: a block of 4,096 batches each 100 ms.
                budget_messages_per_second: 50_000,
                inbox_bytes_max: 8 * 1024 * 1024,
            },
            consensus_age_max: Duration::from_secs(10),
            request_bytes_max: 64 * 1024,
            response_bytes_max: 16 * 1024 * 1024,
            request_timeout: Duration::from_secs(10),
            requests_out_max: 16,
            requests_in_max: 16,
            requests_in_per_second: 1000,
            redial_min: Duration::from_millis(200),
            redial_max: Duration::from_secs(2),
            connect_timeout: Duration::from_secs(5),
            ping_interval: Duration::from_secs(1),
            ping_timeout: Duration::from_secs(3),
            connections_per_peer_max: 4,
            connections_max: 1_024,
            handshakes_max: 64,
            handshake_timeout: Duration::from_secs(5),
            handshakes_known_per_second: 200,
            handshakes_per_second: 200,
            strikes_max: 3,
            strike_decay: Duration::from_secs(60),
            ban: Duration::from_secs(30),
            ban_max: Duration::from_secs(600),
        }
    }
}

impl Limits {
    /// The limits of `lane`.
    pub fn lane(&self, lane: Lane) -> &LaneLimits {
        match lane {
            Lane::Consensus => &self.consensus,
            Lane::Bulk => &self.bulk,
        }
    }

    /// Checks that every limit can be kept together with the others.
    ///
    /// # Errors
    /// [`NetworkFault::Limit`] naming the first that cannot.
    pub fn check(&self) -> Result<(), NetworkFault> {
        for (name, lane) in [("consensus", &self.consensus), ("bulk", &self.bulk)] {
            lane.check(name)?;
        }
        let at_least_one = [
            ("request_bytes_max", self.request_bytes_max as u64),
            ("response_bytes_max", self.response_bytes_max as u64),
            ("requests_out_max", self.requests_out_max as u64),
            ("requests_in_max", self.requests_in_max as u64),
            ("requests_in_per_second", self.requests_in_per_second),
            ("connections_per_peer_max", u64::from(self.connections_per_peer_max)),
            ("connections_max", u64::from(self.connections_max)),
            ("handshakes_max", u64::from(self.handshakes_max)),
            ("handshake_timeout", self.handshake_timeout.as_millis() as u64),
            ("handshakes_known_per_second", self.handshakes_known_per_second),
            ("handshakes_per_second", self.handshakes_per_second),
            ("strikes_max", u64::from(self.strikes_max)),
            ("strike_decay", self.strike_decay.as_millis() as u64),
            ("redial_min", self.redial_min.as_millis() as u64),
            ("connect_timeout", self.connect_timeout.as_millis() as u64),
            ("request_timeout", self.request_timeout.as_millis() as u64),
            ("ping_interval", self.ping_interval.as_millis() as u64),
            ("ping_timeout", self.ping_timeout.as_millis() as u64),
        ];
        for (name, value) in at_least_one {
            require(value >= 1, name, "must be at least 1 (a time: at least 1 ms)")?;
        }
        let largest = u32::MAX as usize;
        require(self.request_bytes_max <= largest, "request_bytes_max", "must fit in a u32")?;
        require(self.response_bytes_max <= largest, "response_bytes_max", "must fit in a u32")?;
        require(self.redial_max >= self.redial_min, "redial_max", "must be at least redial_min")
    }
}

impl LaneLimits {
    fn check(&self, lane: &str) -> Result<(), NetworkFault> {
        let frame = self.frame_bytes_max;
        let rules = [
            ("frame_bytes_max", (1..=64 * 1024 * 1024).contains(&frame), "must be 1 B to 64 MiB"),
            ("queue_messages_max", self.queue_messages_max >= 1, "must be at least 1"),
            ("queue_bytes_max", self.queue_bytes_max >= frame, "must be at least one frame"),
            ("inbox_bytes_max", self.inbox_bytes_max >= frame, "must be at least one frame"),
            ("inbox_bytes_max", self.inbox_bytes_max <= 1 << 30, "must be at most 1 GiB"),
            (
                "budget_bytes_per_second",
                self.budget_bytes_per_second >= frame as u64,
                "must be at least one frame a second",
            ),
            ("budget_messages_per_second", self.budget_messages_per_second >= 1, "must be >= 1"),
        ];
        for (name, holds, problem) in rules {
            require(holds, &format!("{lane}.{name}"), problem)?;
        }
        Ok(())
    }
}

fn require(holds: bool, name: &str, problem: &'static str) -> Result<(), NetworkFault> {
    if holds { Ok(()) } else { Err(NetworkFault::Limit { name: name.to_owned(), problem }) }
}
