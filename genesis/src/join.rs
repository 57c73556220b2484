//! Makes the folder of a node that joins a network which runs already: its keys, its configuration
//! and a copy of the genesis file. Governance registers it by the public halves of its keys.
//!
//! ```text
//! node.toml, network.key, genesis.toml, and validator.key if it is to vote
//! ```

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chain_types::registry::is_node_name;
use chain_types::{ChainGenesis, PublicKey};

use crate::access::AccessSection;
use crate::check::{is_development, parse_genesis};
use crate::fault::{ConfigFault, FieldError};
use crate::folder::{create_empty_folder, write_toml};
use crate::key::{create_secret_key, draw_secret_key};
use crate::network::NodeFolder;
use crate::node::{
    LogSection, NetworkSection, NodeConfig, OperatorSection, Peer, RpcSection, StoreSection,
};

/// A node that is to join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinPlan {
    /// Its name: small letters, digits and hyphens, new to the network.
    pub name: String,
    /// True if governance is to let it vote: then it gets a key for that.
    pub votes: bool,
    /// The address at which it listens for other nodes.
    pub listen: SocketAddr,
    /// The address at which it serves RPC.
    pub rpc: SocketAddr,
    /// Nodes to connect to, one at least: each by its name in the genesis file, or by its network
    /// key in hexadecimal digits, and where it listens.
    pub peers: Vec<(String, SocketAddr)>,
}

/// The folder of the new node, and the change that governance must make for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedNode {
    /// The node's folder with its keys and its configuration.
    pub folder: NodeFolder,
    /// The key of its connections.
    pub network_key: PublicKey,
    /// The key of its votes; for an edge node the same as `network_key`.
    pub validator_key: PublicKey,
}

/// Makes the folder, which must be new or empty; keys are of mode 0600.
///
/// # Errors
/// When the plan or the genesis file is refused, the folder is not empty, or something cannot be
/// written.
pub fn network_join(
    folder: &Path,
    genesis_path: &Path,
    plan: &JoinPlan,
) -> Result<JoinedNode, ConfigFault> {
    let bytes = std::fs::read(genesis_path)
        .map_err(|source| ConfigFault::Read { path: genesis_path.to_owned(), source })?;
    let genesis = parse_genesis(&bytes).map_err(|error| ConfigFault::field(genesis_path, error))?;
    let peers = check(plan, &genesis).map_err(ConfigFault::Plan)?;
    let network_key = draw_secret_key()?;
    let validator_key = if plan.votes { Some(draw_secret_key()?) } else { None };
    create_empty_folder(folder)?;
    create_secret_key(&folder.join("network.key"), &network_key)?;
    if let Some(key) = &validator_key {
        create_secret_key(&folder.join("validator.key"), key)?;
    }
    let copy = folder.join("genesis.toml");
    std::fs::write(&copy, &bytes).map_err(|source| ConfigFault::Write { path: copy, source })?;
    let config = NodeConfig {
        name: plan.name.clone(),
        genesis: PathBuf::from("genesis.toml"),
        home: PathBuf::from("home"),
        validator_key: validator_key.as_ref().map(|_| PathBuf::from("validator.key")),
        network_key: PathBuf::from("network.key"),
        network: NetworkSection { listen: plan.listen, peers },
        rpc: RpcSection {
            access: is_development(&bytes).then_some(AccessSection::Open),
            ..RpcSection::new(plan.rpc)
        },
        operator: OperatorSection::default(),
        store: StoreSection::default(),
        log: LogSection::default(),
    };
    // Last: a folder without it is visibly unfinished.
    write_toml(&folder.join("node.toml"), &config)?;
    let public_key = network_key.public_key();
    Ok(JoinedNode {
        folder: NodeFolder {
            operator_address: config.operator_address(),
            name: plan.name.clone(),
            config: folder.join("node.toml"),
            home: folder.join("home"),
            network_address: plan.listen,
            rpc_address: plan.rpc,
            is_validator: plan.votes,
        },
        network_key: public_key,
        validator_key: validator_key.map_or(public_key, |key| key.public_key()),
    })
}

/// The peers of a plan that holds.
fn check(plan: &JoinPlan, genesis: &ChainGenesis) -> Result<Vec<Peer>, FieldError> {
    if !is_node_name(&plan.name) {
        let remedy = "use 1 to 64 small letters, digits and hyphens";
        return Err(FieldError::new("name", &plan.name, "it is not a node's name", remedy));
    }
    if genesis.nodes.iter().any(|node| node.name == plan.name) {
        let problem = "the genesis file has a node of this name";
        return Err(FieldError::new("name", &plan.name, problem, "choose another name"));
    }
    if plan.peers.is_empty() {
        let remedy = "name at least one node that runs, as NAME=ADDRESS:PORT";
        return Err(FieldError::new("peers", "none", "nobody would be asked for blocks", remedy));
    }
    let mut peers: Vec<Peer> = Vec::with_capacity(plan.peers.len());
    for (word, address) in &plan.peers {
        let known = genesis.nodes.iter().find(|node| node.name == *word);
        let key = known.map(|node| node.network_key);
        let key = key.or_else(|| PublicKey::from_hex(word).filter(|key| key.is_usable()));
        let Some(key) = key else {
            let problem = "the genesis file has no node of this name, and it is not a public key";
            let remedy = "use a node's name, or the network_key that governance registered";
            return Err(FieldError::new("peers", word, problem, remedy));
        };
        let key = key.to_string();
        if peers.iter().any(|other| other.key == key) {
            return Err(FieldError::new("peers", word, "it is listed twice", "list it once"));
        }
        let name = known.map_or_else(|| key.chars().take(16).collect(), |node| node.name.clone());
        peers.push(Peer { name, key, address: *address });
    }
    Ok(peers)
}
