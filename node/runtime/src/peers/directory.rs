//! The nodes by their network keys, as the registry last said.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use chain_types::{Height, Node, PublicKey};
use node_replica::NodeIndex;

/// For how many heights a node that lost its power may go on as if it had not heard of it.
const POWER_GRACE_HEIGHTS: u64 = 100;

/// The registry's nodes, shared by those who need to know who is who.
#[derive(Debug)]
pub struct Directory {
    own: PublicKey,
    /// The height after whose block the listing holds, or a little less.
    height: AtomicU64,
    listing: RwLock<Arc<Listing>>,
}

/// The nodes at one height.
#[derive(Debug)]
pub struct Listing {
    nodes: Vec<Node>,
    indexes: BTreeMap<PublicKey, NodeIndex>,
    /// The last height at which a node had power that has none now, since this process started; by
    /// the network key that it had.
    powerless_since: BTreeMap<PublicKey, Height>,
    /// The vote key that was a node's before its present one, since this process started, and the
    /// last height at which it was.
    former_keys: BTreeMap<NodeIndex, (PublicKey, Height)>,
}

/// The weight of a node's words in consensus, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Power {
    /// The registry gives it power.
    Has,
    /// It had power at that height, or lost it so lately that it may not know.
    Had,
    /// Its words count for nothing.
    None,
}

impl Listing {
    fn new(nodes: &[Node]) -> Self {
        let present = (0..).map(NodeIndex::new).zip(nodes).filter(|(_, node)| !node.is_removed());
        let indexes = present.map(|(index, node)| (node.network_key, index)).collect();
        let (powerless_since, former_keys) = (BTreeMap::new(), BTreeMap::new());
        Self { nodes: nodes.to_vec(), indexes, powerless_since, former_keys }
    }

    /// The vote key of a node at a height that has begun, as far as this process has seen
    /// it change.
    pub fn vote_key(&self, index: NodeIndex, height: Height) -> Option<PublicKey> {
        let former = self.former_keys.get(&index).filter(|(_, last)| height <= *last);
        former.map(|(key, _)| *key).or_else(|| self.node(index).map(|node| node.validator_key))
    }

    /// A node of the registry.
    pub fn node(&self, index: NodeIndex) -> Option<&Node> {
        self.nodes.get(index.get() as usize)
    }

    /// The node of a network key.
    pub fn index(&self, key: &PublicKey) -> Option<NodeIndex> {
        self.indexes.get(key).copied()
    }

    /// The weight of a network key's node when it speaks of `height` in consensus.
    pub fn power(&self, key: &PublicKey, height: Height) -> Power {
        let node = self.index(key).and_then(|index| self.node(index));
        if node.is_some_and(|node| node.power > 0) {
            return Power::Has;
        }
        let last = self.powerless_since.get(key);
        let had =
            last.is_some_and(|last| height.get() <= last.get().saturating_add(POWER_GRACE_HEIGHTS));
        if had { Power::Had } else { Power::None }
    }
}

impl Directory {
    /// The registry's nodes after the block of `height`, as seen from the node whose network key
    /// is `own`.
    pub fn new(height: Height, nodes: &[Node], own: PublicKey) -> Self {
        let listing = Arc::new(Listing::new(nodes));
        Self { own, height: AtomicU64::new(height.get()), listing: RwLock::new(listing) }
    }

    /// Takes over the nodes of a registry after the block of `height`; gives whether they have
    /// changed.
    pub fn follow(&self, height: Height, nodes: &[Node]) -> bool {
        let before = self.listing();
        let has_changed = before.nodes != nodes;
        if has_changed {
            let mut powerless_since = before.powerless_since.clone();
            let had_power =
                |key: &PublicKey| before.power(key, Height::new(u64::MAX)) == Power::Has;
            for node in nodes {
                if node.power > 0 {
                    powerless_since.remove(&node.network_key);
                } else if had_power(&node.network_key) {
                    powerless_since.insert(node.network_key, height);
                }
            }
            let mut former_keys = before.former_keys.clone();
            let places = (0..).map(NodeIndex::new);
            for ((index, was), is) in places.zip(&before.nodes).zip(nodes) {
                if was.power > 0 && was.network_key != is.network_key {
                    powerless_since.insert(was.network_key, height);
                }
                if was.validator_key != is.validator_key {
                    former_keys.insert(index, (was.validator_key, height));
                }
            }
            let listing = Listing { powerless_since, former_keys, ..Listing::new(nodes) };
            let listing = Arc::new(listing);
            *self.listing.write().unwrap_or_else(PoisonError::into_inner) = listing;
        }
        // After the listing, so that a listing read after the height is never older than it.
        self.height.store(height.get(), Ordering::Release);
        has_changed
    }

    /// The committed height, and a listing that is no older.
    pub fn at_height(&self) -> (Height, Arc<Listing>) {
        let height = Height::new(self.height.load(Ordering::Acquire));
        (height, self.listing())
    }

    fn listing(&self) -> Arc<Listing> {
        self.listing.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The network key of a node.
    pub fn key(&self, node: NodeIndex) -> Option<PublicKey> {
        let listing = self.listing();
        listing.node(node).filter(|node| !node.is_removed()).map(|node| node.network_key)
    }

    /// The name of a node.
    pub fn name(&self, node: NodeIndex) -> String {
        self.listing().node(node).map_or("unknown", |node| &node.name).to_owned()
    }

    /// The node of a network key.
    pub fn index(&self, key: &PublicKey) -> Option<NodeIndex> {
        self.listing().index(key)
    }

    /// Returns true if other nodes are registered.
    pub fn has_others(&self) -> bool {
        let listing = self.listing();
        listing.nodes.iter().any(|node| !node.is_removed() && node.network_key != self.own)
    }

    /// The network keys of the other validators.
    pub fn validators(&self) -> Vec<PublicKey> {
        let listing = self.listing();
        let others = listing.nodes.iter().filter(|node| node.power > 0);
        others.map(|node| node.network_key).filter(|key| *key != self.own).collect()
    }
}
