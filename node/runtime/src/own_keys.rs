//! Chooses which of its own keys a node runs with, and by which keys it knows the others while its
//! home and its configuration are of different times.
//!
//! The registry says which keys a node has. Beside the keys in use may lie the next ones
//! (`network.key.next`, `validator.key.next`), made before anybody proposes them. A start takes the
//! pair that the registry of the home's head names. A home that is behind may name the pair before:
//! then the others let nobody in by it, and the node tries the other one, by which it only follows
//! until the chain has come to it.

use std::fmt;

use chain_state::{KeyOwner, RegistryContent, WithdrawnKey};
use chain_types::{Height, Node, PublicKey};
use genesis::{ConfigFault, NodeConfig, NodeIdentity, Standing, next_key_path};
use node_network::Peer;

/// For how many heights a network key that was withdrawn may still connect, so that its holder can
/// fetch the block with which it was. Nothing that it says counts, and it is served blocks only.
const LEAVING_HEIGHTS: u64 = 20;

/// Why a node ended without a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It was asked to.
    Asked,
    /// Governance took its keys away: starting it again changes nothing.
    Withdrawn(Withdrawn),
    /// It goes on with other keys that lie ready, by starting again.
    OtherKeys {
        /// With the next ones although the home's registry names the present ones.
        tries_next: bool,
    },
}

/// How governance took a node's keys away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Withdrawn {
    /// The node is removed.
    Removed {
        /// The name of the node.
        name: String,
    },
    /// The node has keys that are not here.
    Replaced {
        /// The name of the node.
        name: String,
        /// The files in which they are looked for.
        files: String,
    },
}

impl fmt::Display for Withdrawn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Removed { name } => write!(
                formatter,
                "governance removed the node {name}: it is no peer and no validator any more. A \
                 new node takes a new name and new keys (sluice network join)"
            ),
            Self::Replaced { name, files } => write!(
                formatter,
                "governance gave the node {name} other keys than these: put the key files that \
                 were registered at {files} and start again"
            ),
        }
    }
}

/// The keys that a node starts with.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The chain, and the keys of the node.
    pub identity: NodeIdentity,
    /// True if they are the ones that lay ready.
    pub is_next: bool,
    /// The public half of the network key of the other pair, if one is here.
    pub other: Option<PublicKey>,
}

/// The standing of a pair in a registry.
pub fn standing(
    config: &NodeConfig,
    identity: &NodeIdentity,
    registry: &RegistryContent,
) -> Result<Standing, ConfigFault> {
    let place = registry.place_of_network_key(identity.public_key());
    config.standing(identity, &registry.nodes, place)
}

/// The pair that a registry names: the next one before the present one, should it name both in
/// part. With `tries_next` the next one too where the registry still names the present one.
///
/// # Errors
/// When a key file cannot be used, or the registry names another node by this one's name or keys.
pub fn choose(
    config: &NodeConfig,
    present: NodeIdentity,
    registry: &RegistryContent,
    tries_next: bool,
) -> Result<Result<Chosen, Withdrawn>, ConfigFault> {
    let next = config.next_identity(&present.genesis)?;
    let of_present = standing(config, &present, registry);
    let other = |one: &Option<NodeIdentity>| one.as_ref().map(NodeIdentity::public_key);
    if let Some(next) = &next {
        let of_next = standing(config, next, registry);
        let is_named = of_next.as_ref().is_ok_and(|one| one.is_registered());
        let is_ahead = matches!(of_next, Ok(Standing::Ahead))
            && (tries_next || matches!(of_present, Ok(Standing::Replaced)));
        if is_named || is_ahead {
            let other = Some(present.public_key());
            return Ok(Ok(Chosen { identity: next.clone(), is_next: true, other }));
        }
    }
    let name = config.name.clone();
    Ok(match of_present? {
        Standing::Removed => Err(Withdrawn::Removed { name }),
        Standing::Replaced => Err(Withdrawn::Replaced { name, files: files(config) }),
        _ => Ok(Chosen { other: other(&next), identity: present, is_next: false }),
    })
}

/// The files in which a node looks for its next keys.
pub fn files(config: &NodeConfig) -> String {
    let network = next_key_path(&config.network_key).display().to_string();
    match config.validator_key.as_deref().map(next_key_path) {
        Some(validator) => format!("{network} and {}", validator.display()),
        None => network,
    }
}

/// The registry's nodes as this home knows them, with the network keys of those of whom the
/// configuration knows a later one: a key that the registry neither has nor had, under the name of
/// a node that it has.
pub fn nodes_known(config: &NodeConfig, registry: &RegistryContent) -> Vec<Node> {
    let mut nodes = registry.nodes.to_vec();
    for peer in config.network.peers.iter().filter(|peer| peer.name != config.name) {
        let key = peer.public_key().filter(|key| registry.place_of_network_key(*key).is_none());
        let node = nodes.iter_mut().find(|node| node.name == peer.name && !node.is_removed());
        if let (Some(key), Some(node)) = (key, node) {
            node.network_key = key;
        }
    }
    nodes
}

/// The network keys that were withdrawn just before the block of `height`.
pub fn leaving(registry: &RegistryContent, height: Height) -> Vec<PublicKey> {
    let is_leaving = |one: &&WithdrawnKey| {
        let until = one.last.get().saturating_add(LEAVING_HEIGHTS);
        matches!(one.owner, KeyOwner::Network(_)) && height.get() <= until
    };
    registry.withdrawn_keys.iter().filter(is_leaving).map(|one| one.key).collect()
}

/// The peers to dial: the configured addresses, under the keys that their nodes have now.
pub fn peers(config: &NodeConfig, registry: &RegistryContent, nodes: &[Node]) -> Vec<Peer> {
    let key_now = |peer: &genesis::Peer| {
        let configured = peer.public_key()?;
        let place = registry.place_of_network_key(configured);
        let node = place.and_then(|place| nodes.get(usize::try_from(place).ok()?));
        Some(node.map_or(configured, |node| node.network_key))
    };
    let configured = config.network.peers.iter();
    let peers = configured.filter_map(|peer| {
        let key = key_now(peer).filter(|key| *key != Node::NO_KEY)?;
        Some(Peer { key, address: peer.address.to_string() })
    });
    peers.collect()
}
