//! The identity of a node by its key files, and its standing in a registry.
//!
//! Beside a key file `X` may lie `X.next`, a key that waits to be registered, and
//! `X.replaced-DIGITS`, one that was replaced. A node takes the pair that the registry names.

use std::path::{Path, PathBuf};

use chain_types::{ChainGenesis, Node, PublicKey, SecretKey, ValidatorId};

use crate::check::load_genesis;
use crate::fault::{ConfigFault, FieldError};
use crate::key::{load_secret_key, next_key_path, replaced_key_path};
use crate::node::NodeConfig;

impl NodeConfig {
    /// Reads the genesis file and the keys. What the node may do with them is the registry's to
    /// say: see [`Self::standing`].
    ///
    /// # Errors
    /// When one cannot be used.
    pub fn identity(&self) -> Result<NodeIdentity, ConfigFault> {
        let genesis = load_genesis(&self.genesis)?;
        self.identity_of(genesis, &self.network_key, self.validator_key.as_deref())
    }

    /// The same chain with the keys that lie ready to be registered; `None` when not all are there.
    ///
    /// # Errors
    /// When one is there and cannot be used.
    pub fn next_identity(
        &self,
        genesis: &ChainGenesis,
    ) -> Result<Option<NodeIdentity>, ConfigFault> {
        let network = next_key_path(&self.network_key);
        let validator = self.validator_key.as_deref().map(next_key_path);
        if !network.exists() || validator.as_ref().is_some_and(|path| !path.exists()) {
            return Ok(None);
        }
        self.identity_of(genesis.clone(), &network, validator.as_deref()).map(Some)
    }

    fn identity_of(
        &self,
        genesis: ChainGenesis,
        network: &Path,
        validator: Option<&Path>,
    ) -> Result<NodeIdentity, ConfigFault> {
        let network_key = load_secret_key(network)?;
        let validator_key = match validator {
            None => None,
            Some(path) => {
                let key = load_secret_key(path)?;
                if key.public_key() == network_key.public_key() {
                    let problem = "it is the network_key too";
                    let error = FieldError::new("validator_key", "a key", problem, OWN_KEY);
                    return Err(ConfigFault::field(path, error));
                }
                Some(key)
            }
        };
        Ok(NodeIdentity { genesis, network_key, validator_key })
    }

    /// Returns the standing that a registry gives to the node with this configuration and these
    /// keys. `place_before` is the place of the node that had the network key and has it no longer.
    ///
    /// # Errors
    /// When it has the node's name with other keys, or its keys with another name: then this is not
    /// the node that was meant, and must not run as it.
    pub fn standing(
        &self,
        identity: &NodeIdentity,
        nodes: &[Node],
        place_before: Option<u32>,
    ) -> Result<Standing, ConfigFault> {
        let network_key = identity.network_key.public_key();
        let validator_key = identity.validator_key.as_ref().map(SecretKey::public_key);
        let refuse = |path: &Path, field: &str, value: String, problem: String, remedy: &str| {
            Err(ConfigFault::field(path, FieldError::new(field, value, problem, remedy)))
        };
        let vote_path = self.validator_key.as_ref().unwrap_or(&self.network_key);
        let mut numbered = (0_u32..).zip(nodes);
        let Some((index, node)) = numbered.find(|(_, node)| node.network_key == network_key) else {
            let before = place_before.and_then(|place| nodes.get(usize::try_from(place).ok()?));
            let named = nodes.iter().find(|node| node.name == self.name);
            match before.or(named) {
                Some(node) if node.is_removed() => return Ok(Standing::Removed),
                Some(_) if before.is_some() => return Ok(Standing::Replaced),
                Some(node) if self.holds_key_of(node) => return Ok(Standing::Ahead),
                Some(_) => {
                    let value = network_key.to_string();
                    let problem = "the registry has another network_key for this node".to_owned();
                    return refuse(&self.network_key, "network_key", value, problem, OWN_KEY);
                }
                None => {}
            }
            if let Some(key) = validator_key
                && let Some(other) = nodes.iter().find(|node| node.validator_key == key)
            {
                let problem = format!("the registry has it for the node {}", other.name);
                return refuse(vote_path, "validator_key", key.to_string(), problem, OWN_KEY);
            }
            return Ok(Standing::Unregistered);
        };
        if node.name != self.name {
            let problem =
                format!("the registry calls the node with this network_key {}", node.name);
            let remedy = "use that name, or the key files of the node that is meant";
            return refuse(&self.network_key, "name", self.name.clone(), problem, remedy);
        }
        match validator_key {
            None if node.power > 0 => Ok(Standing::Keyless { power: node.power }),
            None => Ok(Standing::Edge),
            Some(_) if !node.has_vote_key() => {
                let problem = "the registry has no validator_key for this node, so it never votes";
                refuse(vote_path, "validator_key", "a key".into(), problem.into(), "remove it")
            }
            Some(key) if key != node.validator_key => {
                let problem = "the registry has another validator_key for this node".to_owned();
                refuse(vote_path, "validator_key", key.to_string(), problem, OWN_KEY)
            }
            Some(_) => Ok(Standing::Validator { id: ValidatorId::new(index), power: node.power }),
        }
    }

    /// Returns true if the key with which a registry names a node is here under any of its names.
    /// Then this is that node, and the chain has not come to its later keys yet.
    fn holds_key_of(&self, node: &Node) -> bool {
        let paths: [PathBuf; 3] = [
            self.network_key.clone(),
            next_key_path(&self.network_key),
            replaced_key_path(&self.network_key, &node.network_key),
        ];
        let key = |path: &PathBuf| load_secret_key(path).ok().map(|key| key.public_key());
        paths.iter().any(|path| key(path) == Some(node.network_key))
    }
}

const OWN_KEY: &str = "use the key and genesis files of the same network and node";

/// A node's chain and keys, as its folder states them.
#[derive(Debug, Clone)]
pub struct NodeIdentity {
    /// The genesis that the chain starts from.
    pub genesis: ChainGenesis,
    /// The key of its connections.
    pub network_key: SecretKey,
    /// The key of its votes; `None` for a node that only follows.
    pub validator_key: Option<SecretKey>,
}

impl NodeIdentity {
    /// The public half of the key of its connections.
    pub fn public_key(&self) -> PublicKey {
        self.network_key.public_key()
    }
}

/// The standing of a node in a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing: governance has not registered it, or the chain was not fetched up to there yet.
    Unregistered,
    /// It has the node with an earlier key of it, which is here: the chain was not fetched up to
    /// the block with these keys yet, or governance has not registered them.
    Ahead,
    /// It had these keys and has others in their place.
    Replaced,
    /// Governance has removed it.
    Removed,
    /// It follows, and never votes.
    Edge,
    /// It has power, but no validator_key is configured here: it follows without voting.
    Keyless {
        /// The node's voting power; zero for an edge node.
        power: u64,
    },
    /// Its votes count this much; nothing at all while the power is zero.
    Validator {
        /// The validator's id: its place in the list of nodes.
        id: ValidatorId,
        /// The validator's voting power.
        power: u64,
    },
}

impl Standing {
    /// Returns true if the registry names the node with these keys.
    pub const fn is_registered(self) -> bool {
        matches!(self, Self::Edge | Self::Keyless { .. } | Self::Validator { .. })
    }
}
