//! Figures for operators, beside libp2p's own.

use chain_types::PublicKey;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::lane::Lane;
use crate::remote::Short;
use crate::strikes::{Ignored, Strike};

/// The figures, all under the prefix `network`. Cheap to clone: clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics {
    pub(crate) peers_connected: Gauge,
    bytes: Family<TrafficLabels, Counter>,
    messages: Family<TrafficLabels, Counter>,
    dropped: Family<LossLabels, Counter>,
    strikes: Family<StrikeLabels, Counter>,
    ignored: Family<IgnoredLabels, Counter>,
    bans: Family<PeerLabels, Counter>,
    requests: Family<RequestLabels, Counter>,
    pub(crate) handshakes_open: Gauge,
    handshakes: Family<HandshakeLabels, Counter>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Direction {
    In,
    Out,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TrafficLabels {
    lane: LaneLabel,
    direction: Direction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
enum LaneLabel {
    Consensus,
    Bulk,
}

impl From<Lane> for LaneLabel {
    fn from(lane: Lane) -> Self {
        match lane {
            Lane::Consensus => Self::Consensus,
            Lane::Bulk => Self::Bulk,
        }
    }
}

/// Why a message went no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Loss {
    /// The peer's outgoing queue was full.
    QueueFull,
    /// It waited too long to be worth sending.
    Stale,
    /// There was no link to the peer.
    NotConnected,
    /// The key is not on the allow list.
    UnknownPeer,
    /// Empty or above the lane's limit; an error of this node.
    BadSize,
    /// Received above the peer's budget.
    OverBudget,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LossLabels {
    lane: LaneLabel,
    reason: Loss,
}

/// A registered peer, by its key's first digits: no other key has a figure.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PeerLabels {
    peer: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StrikeLabels {
    peer: String,
    kind: Strike,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct IgnoredLabels {
    peer: String,
    kind: Ignored,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum RequestEnd {
    Answered,
    Refused,
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    direction: Direction,
    end: RequestEnd,
}

/// How an incoming handshake ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum HandshakeEnd {
    /// A key was proven, registered or not.
    Done,
    /// It broke off, or was wrong.
    Failed,
    /// It took too long.
    Late,
    /// It gave way to a newer one.
    Evicted,
    /// It was closed before it began: too many began in this second.
    OverBudget,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HandshakeLabels {
    end: HandshakeEnd,
}

/// The two counters of a lane and direction, free of look-ups.
#[derive(Debug, Clone)]
pub(crate) struct Traffic {
    bytes: Counter,
    messages: Counter,
}

impl Traffic {
    pub(crate) fn count(&self, messages: u64, bytes: u64) {
        self.bytes.inc_by(bytes);
        self.messages.inc_by(messages);
    }
}

impl Metrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let all = Self::default();
        let registry = registry.sub_registry_with_prefix("network");
        registry.register("peers_connected", "Peers that can be sent to", {
            all.peers_connected.clone()
        });
        registry.register("bytes", "Bytes of messages, by lane and direction", all.bytes.clone());
        registry.register("messages", "Messages, by lane and direction", all.messages.clone());
        registry.register("dropped", "Messages dropped, by lane and reason", all.dropped.clone());
        registry.register("strikes", "Rules broken, by peer and kind", all.strikes.clone());
        let ignored = "Messages ignored that are no offence, by peer and kind";
        registry.register("ignored", ignored, all.ignored.clone());
        registry.register("bans", "Bans for breaking rules, by peer", all.bans.clone());
        registry.register("requests", "Requests, by direction and end", all.requests.clone());
        let open = "Incoming connections that have not proven a key yet";
        registry.register("handshakes_open", open, all.handshakes_open.clone());
        registry.register("handshakes", "Incoming handshakes, by end", all.handshakes.clone());
        all
    }

    pub(crate) fn traffic(&self, lane: Lane, direction: Direction) -> Traffic {
        let labels = TrafficLabels { lane: lane.into(), direction };
        Traffic {
            bytes: self.bytes.get_or_create(&labels).clone(),
            messages: self.messages.get_or_create(&labels).clone(),
        }
    }

    pub(crate) fn dropped(&self, lane: Lane, reason: Loss, messages: usize) {
        if messages > 0 {
            let labels = LossLabels { lane: lane.into(), reason };
            self.dropped.get_or_create(&labels).inc_by(messages as u64);
        }
    }

    pub(crate) fn strike(&self, key: PublicKey, kind: Strike) {
        self.strikes.get_or_create(&StrikeLabels { peer: Short(key).to_string(), kind }).inc();
    }

    pub(crate) fn ignored(&self, key: PublicKey, kind: Ignored, messages: u64) {
        let labels = IgnoredLabels { peer: Short(key).to_string(), kind };
        self.ignored.get_or_create(&labels).inc_by(messages);
    }

    pub(crate) fn ban(&self, key: PublicKey) {
        self.bans.get_or_create(&PeerLabels { peer: Short(key).to_string() }).inc();
    }

    /// Forgets the figures of a peer that left the registry.
    pub(crate) fn forget(&self, key: PublicKey) {
        let peer = Short(key).to_string();
        for kind in Strike::ALL {
            self.strikes.remove(&StrikeLabels { peer: peer.clone(), kind });
        }
        for kind in Ignored::ALL {
            self.ignored.remove(&IgnoredLabels { peer: peer.clone(), kind });
        }
        self.bans.remove(&PeerLabels { peer });
    }

    pub(crate) fn handshake(&self, end: HandshakeEnd) {
        self.handshakes.get_or_create(&HandshakeLabels { end }).inc();
    }

    pub(crate) fn request(&self, direction: Direction, end: RequestEnd) {
        self.requests.get_or_create(&RequestLabels { direction, end }).inc();
    }
}
