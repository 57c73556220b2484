//! Assembles a network from public keys and a plan: the genesis file, and a configuration for each
//! node and participant. No secret key is read or made: each holder makes its own, and gives away
//! the public half only.
//!
//! The plan is the genesis file with three differences: each node says where it listens, and
//! parameters that are left out have their defaults, and the time of block zero is written by hand.
//! The same plan gives the same bytes everywhere, so every key holder assembles on its own machine
//! and compares the chain id with the others.
//!
//! ```text
//! genesis.toml                           the one file everybody shares
//! nodes/NAME/node.toml                   its operator puts network.key and validator.key beside it
//! participants/ID/participant.toml       its holder puts participant.key beside it
//! ```

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chain_types::registry::Roles;
use chain_types::{ChainGenesis, ChainId, Parameters, ParticipantId};

use crate::access::AccessSection;
use crate::check::{is_development, parse_genesis, read_toml};
use crate::fault::{ConfigFault, FieldError};
use crate::folder::{create_empty_folder, create_folder, write_toml};
use crate::node::{
    LogSection, NetworkSection, NodeConfig, OperatorSection, Peer, RpcSection, StoreSection,
};
use crate::participant::ParticipantConfig;

/// A network that was assembled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assembled {
    /// The path of the genesis file.
    pub genesis: PathBuf,
    /// The chain id: the SHA-256 of the genesis file.
    pub chain_id: ChainId,
    /// The nodes' configurations, in the order of the plan.
    pub nodes: Vec<AssembledPart>,
    /// The participants' configurations, ascending by id.
    pub participants: Vec<AssembledPart>,
}

/// The configuration of one key holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssembledPart {
    /// The name of the node or participant.
    pub name: String,
    /// The participant who holds the keys.
    pub holder: ParticipantId,
    /// The path of its configuration file.
    pub config: PathBuf,
    /// The key files that its holder puts in place.
    pub key_files: Vec<PathBuf>,
}

/// The addresses of a node of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Addresses {
    /// The address at which it listens for other nodes.
    listen: SocketAddr,
    /// The address at which the others reach it.
    public: SocketAddr,
    /// The address at which it serves RPC.
    rpc: SocketAddr,
}

/// Assembles the network of a plan in a folder that is new or empty.
///
/// # Errors
/// When the plan is refused, with the field and a remedy, the folder is not empty, or something
/// cannot be written.
pub fn network_assemble(folder: &Path, plan: &Path) -> Result<Assembled, ConfigFault> {
    let bytes = std::fs::read(plan)
        .map_err(|source| ConfigFault::Read { path: plan.to_owned(), source })?;
    let (text, genesis, addresses) =
        read_plan(&bytes).map_err(|error| ConfigFault::field(plan, error))?;
    create_empty_folder(folder)?;
    let mut assembled = Assembled {
        genesis: folder.join("genesis.toml"),
        chain_id: genesis.chain_id,
        nodes: Vec::new(),
        participants: Vec::new(),
    };
    for (index, node) in genesis.nodes.iter().enumerate() {
        let home = folder.join("nodes").join(&node.name);
        let mut config = node_config(&genesis, &addresses, index);
        config.rpc.access = is_development(text.as_bytes()).then_some(AccessSection::Open);
        let keys = [Some(&config.network_key), config.validator_key.as_ref()];
        let key_files = keys.into_iter().flatten().map(|key| home.join(key)).collect();
        let path = home.join("node.toml");
        create_folder(&home)?;
        write_toml(&path, &config)?;
        let (name, holder) = (node.name.clone(), node.operator);
        assembled.nodes.push(AssembledPart { name, holder, config: path, key_files });
    }
    for participant in &genesis.participants {
        // By number: a name for people may hold what no folder's name may.
        let home = folder.join("participants").join(participant.id.to_string());
        let config = participant_config(&genesis, &addresses, participant.id);
        let key_files = vec![home.join(&config.key)];
        let path = home.join("participant.toml");
        create_folder(&home)?;
        write_toml(&path, &config)?;
        let (name, holder) = (participant.name.clone(), participant.id);
        assembled.participants.push(AssembledPart { name, holder, config: path, key_files });
    }
    // Last: a folder without it is visibly unfinished.
    std::fs::write(&assembled.genesis, text)
        .map_err(|source| ConfigFault::Write { path: assembled.genesis.clone(), source })?;
    Ok(assembled)
}

/// The genesis file of a plan, what it says, and the nodes' addresses in its order.
fn read_plan(bytes: &[u8]) -> Result<(String, ChainGenesis, Vec<Addresses>), FieldError> {
    let mut plan = read_toml(bytes)?;
    let addresses = take_addresses(&mut plan)?;
    add_parameters(&mut plan)?;
    let body = toml::to_string(&plan).map_err(|error| {
        FieldError::new("plan", "…", error.to_string(), "write it as docs/key-ceremony.md shows")
    })?;
    let mut text = String::from("# Sluice genesis file. Its SHA-256 is the chain id: any change\n");
    text.push_str("# makes another chain.\n");
    text.push_str(&body);
    let genesis = parse_genesis(text.as_bytes())?;
    Ok((text, genesis, addresses))
}

/// Takes the addresses, which are no part of the genesis file, out of the plan's nodes.
fn take_addresses(plan: &mut toml::Table) -> Result<Vec<Addresses>, FieldError> {
    let Some(toml::Value::Array(nodes)) = plan.get_mut("nodes") else {
        let remedy = "add a `[[nodes]]` section for each node";
        return Err(FieldError::new("nodes", "nothing", "there is no node", remedy));
    };
    let mut all: Vec<Addresses> = Vec::with_capacity(nodes.len());
    for (index, node) in nodes.iter_mut().enumerate() {
        let toml::Value::Table(node) = node else {
            let field = format!("nodes[{index}]");
            let remedy = "write it as a `[[nodes]]` section";
            return Err(FieldError::new(field, "…", "it is not a section", remedy));
        };
        let public = take_address(node, index, "address")?;
        let rpc = take_address(node, index, "rpc")?;
        let listen =
            if node.contains_key("listen") { take_address(node, index, "listen")? } else { public };
        if let Some(other) = all.iter().position(|other| other.public == public) {
            let field = format!("nodes[{index}].address");
            let problem = format!("nodes[{other}] has it already");
            return Err(FieldError::new(field, public, problem, "give each node its own"));
        }
        all.push(Addresses { listen, public, rpc });
    }
    Ok(all)
}

fn take_address(node: &mut toml::Table, index: usize, key: &str) -> Result<SocketAddr, FieldError> {
    let field = format!("nodes[{index}].{key}");
    let remedy = "give an IP address and a port, such as \"10.0.0.1:26000\"";
    match node.remove(key) {
        None => Err(FieldError::new(field, "nothing", "it is missing", remedy)),
        Some(toml::Value::String(text)) => {
            let address = text.parse::<SocketAddr>().ok().filter(|address| address.port() > 0);
            address.ok_or_else(|| FieldError::new(field, text, "it is not an address", remedy))
        }
        Some(other) => Err(FieldError::new(field, other, "it is not a text in quotes", remedy)),
    }
}

/// Writes out the parameters that the plan leaves at their defaults.
fn add_parameters(plan: &mut toml::Table) -> Result<(), FieldError> {
    let section =
        plan.entry("parameters").or_insert_with(|| toml::Value::Table(toml::Table::new()));
    let toml::Value::Table(section) = section else {
        let remedy = "write a section `[parameters]`, or leave it out";
        return Err(FieldError::new("parameters", "…", "it is not a section", remedy));
    };
    let defaults = Parameters::default();
    for (name, value) in Parameters::NAMES.iter().zip(defaults.values()) {
        let Ok(value) = i64::try_from(value) else {
            unreachable!("the bounds of parameters lie within TOML's numbers")
        };
        section.entry(*name).or_insert(toml::Value::Integer(value));
    }
    Ok(())
}

fn node_config(genesis: &ChainGenesis, addresses: &[Addresses], index: usize) -> NodeConfig {
    let others = genesis.nodes.iter().zip(addresses).enumerate();
    let peers = others.filter(|(other, _)| *other != index).map(|(_, (node, at))| Peer {
        name: node.name.clone(),
        key: node.network_key.to_string(),
        address: at.public,
    });
    let (node, at) = (&genesis.nodes[index], &addresses[index]);
    NodeConfig {
        name: node.name.clone(),
        genesis: PathBuf::from("../../genesis.toml"),
        home: PathBuf::from("home"),
        validator_key: (node.power > 0).then(|| PathBuf::from("validator.key")),
        network_key: PathBuf::from("network.key"),
        network: NetworkSection { listen: at.listen, peers: peers.collect() },
        rpc: RpcSection::new(at.rpc),
        operator: OperatorSection::default(),
        store: StoreSection::default(),
        log: LogSection::default(),
    }
}

/// A participant talks to the nodes that it runs, or to all of them if it runs none.
fn participant_config(
    genesis: &ChainGenesis,
    addresses: &[Addresses],
    id: ParticipantId,
) -> ParticipantConfig {
    let participant = genesis.participant(id);
    let runs_one = genesis.nodes.iter().any(|node| node.operator == id);
    let nodes = genesis.nodes.iter().zip(addresses);
    let own = nodes.filter(|(node, _)| !runs_one || node.operator == id);
    let is_gateway = participant.is_some_and(|known| known.roles.any_of(Roles::GATEWAY));
    let paid = genesis.merchants.iter().filter(|known| is_gateway && known.payout_gateway == id);
    ParticipantConfig {
        id: id.get(),
        name: participant.map_or_else(String::new, |known| known.name.clone()),
        key: PathBuf::from("participant.key"),
        genesis: PathBuf::from("../../genesis.toml"),
        rpc: own.map(|(_, at)| format!("http://{}", at.rpc)).collect(),
        token: None,
        authorities: None,
        merchants: paid.map(|merchant| merchant.id.get()).collect(),
    }
}
