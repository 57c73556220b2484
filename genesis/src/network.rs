//! Makes a demonstration network: one folder with everything that its nodes and participants start
//! from, everybody's secret keys among it, and bounds that no network with real money may have.
//! Such a network is assembled from public keys: see [`crate::assemble`].
//!
//! ```text
//! genesis.toml                          the one file everybody shares; its SHA-256 is the chain id
//! nodes/NAME/node.toml                  with validator.key and network.key
//! participants/NAME/participant.toml    with participant.key
//! ```

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use chain_types::hash::sha256;
use chain_types::{ChainId, Currency, Parameters, SecretKey, TimeMs};

use crate::access::AccessSection;
use crate::check::parse_genesis;
use crate::fault::{ConfigFault, FieldError};
use crate::folder::{create_empty_folder, create_folder, write_toml};
use crate::key::{create_secret_key, draw_secret_key};
use crate::node::{
    LogSection, NetworkSection, NodeConfig, OperatorSection, Peer, RpcSection, StoreSection,
};
use crate::parameters::write_parameters;
use crate::participant::ParticipantConfig;

/// The first recharge service's id; the others follow.
pub const RECHARGE_SERVICE_ID_FIRST: u32 = 101;
/// The first gateway's id; the others follow.
pub const GATEWAY_ID_FIRST: u32 = 201;
/// The first FX provider's id; the others follow.
pub const FX_PROVIDER_ID_FIRST: u32 = 301;
/// The first settlement agent's id; the others follow.
pub const SETTLEMENT_AGENT_ID_FIRST: u32 = 401;
/// The first risk desk's id; the others follow.
pub const RISK_DESK_ID_FIRST: u32 = 501;
/// The first auditor's id; the others follow.
pub const AUDITOR_ID_FIRST: u32 = 601;
/// The first merchant's id; the others follow.
pub const MERCHANT_ID_FIRST: u64 = 1_001;
/// The currencies of a network whose plan names no others: ISO 4217 codes.
const CURRENCY_CODES: [&str; 18] = [
    "CNY", "USD", "EUR", "GBP", "JPY", "HKD", "TWD", "KRW", "SGD", "MYR", "THB", "IDR", "VND",
    "PHP", "INR", "AUD", "AED", "KWD",
];
/// The power of each validator: above one, so that governance can let a new one in with less than
/// the others have, and raise it once it has caught up.
const VALIDATOR_POWER: u64 = 10;
/// Ports of a node: for other nodes, for RPC, for health and figures.
pub const PORTS_PER_NODE: u16 = 3;

/// The plan of a network. The default is the local network, with a party for every contract: four
/// validators, one recharge service, two gateways, three FX providers, a settlement agent to make
/// and one to check, one risk desk, one auditor, ten merchants, eighteen currencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkPlan {
    /// The chain's name, as the genesis file has it.
    pub name: String,
    /// Validators (1 to 50), operated by participants 1, 2, and so on.
    pub validators: u32,
    /// Edge nodes (0 to 50), which follow the chain and do not vote.
    pub edges: u32,
    /// Recharge services (0 to 99): participants 101 and on.
    pub recharge_services: u32,
    /// Gateways (1 to 99): participants 201 and on.
    pub gateways: u32,
    /// FX providers (0 to 99): participants 301 and on.
    pub fx_providers: u32,
    /// Settlement agents (0 to 99): participants 401 and on.
    pub settlement_agents: u32,
    /// Risk desks (0 to 99): participants 501 and on.
    pub risk_desks: u32,
    /// Auditors (0 to 99): participants 601 and on.
    pub auditors: u32,
    /// Merchants (1 to 100,000): 1001 and on, paid by the gateways in turn.
    pub merchants: u32,
    /// The currencies; every gateway has a line in each.
    pub currencies: Vec<Currency>,
    /// Each line's net debit cap, in minor units.
    pub net_debit_cap: u64,
    /// Each line's opening liquidity, in minor units.
    pub opening_liquidity: u64,
    /// How much each recharge service may have reserved at a time on each gateway, and each of
    /// both on each FX provider, in minor units of every currency.
    pub reservation_line: u64,
    /// The address that all nodes listen at.
    pub address: IpAddr,
    /// Node `i` has ports `base_port + 3 i` for other nodes, the next for RPC and the one after for
    /// health and figures.
    pub base_port: u16,
    /// The chain's parameters from block zero on.
    pub parameters: Parameters,
    /// The time of block zero; `None` for now.
    pub time: Option<TimeMs>,
    /// Derives every key from this number, for tests only; `None` draws them from the operating
    /// system.
    pub seed: Option<u64>,
}

impl Default for NetworkPlan {
    fn default() -> Self {
        let currencies = CURRENCY_CODES.iter().filter_map(|code| Currency::from_code(code));
        Self {
            name: "localnet".to_owned(),
            validators: 4,
            edges: 0,
            recharge_services: 1,
            gateways: 2,
            fx_providers: 3,
            settlement_agents: 2,
            risk_desks: 1,
            auditors: 1,
            merchants: 10,
            currencies: currencies.collect(),
            net_debit_cap: 1_000_000_000_000_000,
            opening_liquidity: 0,
            reservation_line: 1_000_000_000_000_000,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            base_port: 26_000,
            parameters: Parameters::default(),
            time: None,
            seed: None,
        }
    }
}

/// A network's folder: the genesis file, and a folder for each node and participant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkFolder {
    /// The path of the folder.
    pub path: PathBuf,
    /// The path of the genesis file.
    pub genesis: PathBuf,
    /// The chain id: the SHA-256 of the genesis file.
    pub chain_id: ChainId,
    /// The nodes, in the order of the genesis file: a validator's place is its id.
    pub nodes: Vec<NodeFolder>,
    /// The participants, ascending by id.
    pub participants: Vec<ParticipantFolder>,
}

/// A node's folder within a network's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFolder {
    /// The node's name in the genesis file.
    pub name: String,
    /// The path of its configuration file.
    pub config: PathBuf,
    /// Its home, which it makes when it starts.
    pub home: PathBuf,
    /// The address at which it listens for other nodes.
    pub network_address: SocketAddr,
    /// The address at which it serves RPC.
    pub rpc_address: SocketAddr,
    /// The address at which it serves health and figures.
    pub operator_address: SocketAddr,
    /// True if the node votes.
    pub is_validator: bool,
}

impl NodeFolder {
    /// The URL of its RPC over HTTP; the same with `ws://` is for subscriptions.
    pub fn rpc_url(&self) -> String {
        format!("http://{}", self.rpc_address)
    }
}

/// A participant's folder within a network's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParticipantFolder {
    /// The participant's id in the genesis file.
    pub id: u32,
    /// The participant's name in the genesis file.
    pub name: String,
    /// The path of its configuration file.
    pub config: PathBuf,
}

impl NetworkFolder {
    /// Reads the folder of a network that [`network_new`] made.
    ///
    /// # Errors
    /// When a file is missing or refused.
    pub fn open(path: &Path) -> Result<Self, ConfigFault> {
        let genesis_path = path.join("genesis.toml");
        let genesis = crate::load_genesis(&genesis_path)?;
        let mut nodes = Vec::new();
        for node in &genesis.nodes {
            let config_path = path.join("nodes").join(&node.name).join("node.toml");
            // Other operators' configurations are not in this operator's folder.
            if !config_path.exists() {
                continue;
            }
            let config = NodeConfig::load(&config_path)?;
            nodes.push(NodeFolder {
                operator_address: config.operator_address(),
                name: config.name,
                config: config_path,
                home: config.home,
                network_address: config.network.listen,
                rpc_address: config.rpc.listen,
                is_validator: node.power > 0,
            });
        }
        let mut participants = Vec::new();
        for participant in &genesis.participants {
            let config = path.join("participants").join(&participant.name).join("participant.toml");
            if config.exists() {
                let (id, name) = (participant.id.get(), participant.name.clone());
                participants.push(ParticipantFolder { id, name, config });
            }
        }
        let chain_id = genesis.chain_id;
        Ok(Self { path: path.to_owned(), genesis: genesis_path, chain_id, nodes, participants })
    }
}

/// Makes a demonstration network in a new or empty folder: keys of mode 0600, configurations,
/// genesis file.
///
/// # Errors
/// When the plan is refused, the folder is not empty, or something cannot be written.
pub fn network_new(folder: &Path, plan: &NetworkPlan) -> Result<NetworkFolder, ConfigFault> {
    check_plan(plan).map_err(ConfigFault::Plan)?;
    create_empty_folder(folder)?;
    let nodes = plan_nodes(plan)?;
    let parties = plan_parties(plan)?;
    let genesis = genesis_text(plan, &nodes, &parties);
    // Refused before anything is written, if the plan makes a file that nodes would refuse.
    parse_genesis(genesis.as_bytes()).map_err(ConfigFault::Plan)?;
    for node in &nodes {
        let home = folder.join("nodes").join(&node.name);
        create_folder(&home)?;
        create_secret_key(&home.join("network.key"), &node.network_key)?;
        if let Some(key) = &node.validator_key {
            create_secret_key(&home.join("validator.key"), key)?;
        }
        write_toml(&home.join("node.toml"), &node_config(&nodes, node))?;
    }
    for party in &parties {
        let home = folder.join("participants").join(&party.name);
        create_folder(&home)?;
        create_secret_key(&home.join("participant.key"), &party.key)?;
        write_toml(&home.join("participant.toml"), &participant_config(plan, &nodes, party))?;
    }
    // Last: a folder without it is visibly unfinished.
    let path = folder.join("genesis.toml");
    std::fs::write(&path, genesis)
        .map_err(|source| ConfigFault::Write { path: path.clone(), source })?;
    NetworkFolder::open(folder)
}

fn check_plan(plan: &NetworkPlan) -> Result<(), FieldError> {
    let rows = [
        ("validators", plan.validators, 1..=50),
        ("edges", plan.edges, 0..=50),
        ("recharge_services", plan.recharge_services, 0..=99),
        ("gateways", plan.gateways, 1..=99),
        ("fx_providers", plan.fx_providers, 0..=99),
        ("settlement_agents", plan.settlement_agents, 0..=99),
        ("risk_desks", plan.risk_desks, 0..=99),
        ("auditors", plan.auditors, 0..=99),
        ("merchants", plan.merchants, 1..=100_000),
        ("base_port", u32::from(plan.base_port), 1..=65_535),
    ];
    for (field, value, bounds) in rows {
        if !bounds.contains(&value) {
            let remedy = format!("give a number from {} to {}", bounds.start(), bounds.end());
            return Err(FieldError::new(field, value, "it is out of bounds", remedy));
        }
    }
    let last_port =
        u32::from(plan.base_port) + u32::from(PORTS_PER_NODE) * (plan.validators + plan.edges) - 1;
    if last_port > 65_535 {
        let problem = format!("the last node would need port {last_port}");
        return Err(FieldError::new("base_port", plan.base_port, problem, "choose a lower port"));
    }
    Ok(())
}

struct PlannedNode {
    name: String,
    operator: u32,
    network_key: SecretKey,
    validator_key: Option<SecretKey>,
    network_address: SocketAddr,
    rpc_address: SocketAddr,
}

struct Party {
    id: u32,
    name: String,
    role: &'static str,
    key: SecretKey,
}

fn make_key(plan: &NetworkPlan, label: &str) -> Result<SecretKey, ConfigFault> {
    let Some(number) = plan.seed else { return draw_secret_key() };
    let parts: [&[u8]; 3] = [b"sluice test key", &number.to_le_bytes(), label.as_bytes()];
    Ok(SecretKey::from_seed(&sha256(&parts).bytes()))
}

fn plan_nodes(plan: &NetworkPlan) -> Result<Vec<PlannedNode>, ConfigFault> {
    let kinds = (0..plan.validators).map(|index| (index, true));
    let kinds = kinds.chain((0..plan.edges).map(|index| (index, false)));
    let mut nodes = Vec::new();
    let mut port = plan.base_port;
    for (index, is_validator) in kinds {
        let kind = if is_validator { "validator" } else { "edge" };
        let name = format!("{kind}-{index}");
        let validator_key =
            if is_validator { Some(make_key(plan, &format!("{name} vote"))?) } else { None };
        nodes.push(PlannedNode {
            operator: index % plan.validators + 1,
            network_key: make_key(plan, &format!("{name} network"))?,
            validator_key,
            network_address: SocketAddr::new(plan.address, port),
            rpc_address: SocketAddr::new(plan.address, port + 1),
            name,
        });
        // `check_plan` held the last port to its bound; the one after it is not used.
        port = port.saturating_add(PORTS_PER_NODE);
    }
    Ok(nodes)
}

fn plan_parties(plan: &NetworkPlan) -> Result<Vec<Party>, ConfigFault> {
    let rows = [
        (1, plan.validators, "operator", "settlement-operator"),
        (RECHARGE_SERVICE_ID_FIRST, plan.recharge_services, "recharge", "recharge-service"),
        (GATEWAY_ID_FIRST, plan.gateways, "gateway", "gateway"),
        (FX_PROVIDER_ID_FIRST, plan.fx_providers, "provider", "fx-provider"),
        (SETTLEMENT_AGENT_ID_FIRST, plan.settlement_agents, "agent", "settlement-agent"),
        (RISK_DESK_ID_FIRST, plan.risk_desks, "desk", "risk-desk"),
        (AUDITOR_ID_FIRST, plan.auditors, "auditor", "auditor"),
    ];
    let mut parties = Vec::new();
    for (first, count, word, role) in rows {
        for id in first..first + count {
            let name = format!("{word}-{id}");
            parties.push(Party { id, role, key: make_key(plan, &name)?, name });
        }
    }
    Ok(parties)
}

fn payout_gateway(plan: &NetworkPlan, index: u32) -> u32 {
    GATEWAY_ID_FIRST + index % plan.gateways
}

fn genesis_text(plan: &NetworkPlan, nodes: &[PlannedNode], parties: &[Party]) -> String {
    let time = plan.time.unwrap_or_else(now).get();
    let codes: Vec<String> = plan
        .currencies
        .iter()
        .map(|currency| format!("\"{}\"", currency_text(*currency)))
        .collect();
    let mut text = String::from("# Sluice genesis file. Its SHA-256 is the chain id: any change\n");
    text.push_str("# makes another chain.\n");
    let _ = writeln!(text, "name = {}", quoted(&plan.name));
    let _ = writeln!(text, "time_ms = {time}");
    // Its bounds are a demonstration's: a network with real money is assembled from a plan.
    text.push_str("development = true\n");
    let _ = writeln!(text, "currencies = [{}]\n", codes.join(", "));
    text.push_str(&write_parameters(&plan.parameters));
    for Party { id, name, role, key } in parties {
        let public_key = key.public_key();
        let _ = write!(
            text,
            "\n[[participants]]\nid = {id}\nname = \"{name}\"\nroles = [\"{role}\"]\n\
             public_key = \"{public_key}\"\n"
        );
    }
    for index in 0..plan.merchants {
        let id = MERCHANT_ID_FIRST + u64::from(index);
        let gateway = payout_gateway(plan, index);
        let _ = write!(
            text,
            "\n[[merchants]]\nid = {id}\nname = \"merchant-{id}\"\npayout_gateway = {gateway}\n"
        );
    }
    for gateway in GATEWAY_ID_FIRST..GATEWAY_ID_FIRST + plan.gateways {
        for code in &codes {
            let _ = write!(
                text,
                "\n[[liquidity]]\ngateway = {gateway}\ncurrency = {code}\nnet_debit_cap = {}\n\
                 opening_liquidity = {}\n",
                plan.net_debit_cap, plan.opening_liquidity
            );
        }
    }
    text.push_str(&lines_text(plan, &codes));
    for node in nodes {
        let network_key = node.network_key.public_key();
        let power = if node.validator_key.is_some() { VALIDATOR_POWER } else { 0 };
        let _ = write!(
            text,
            "\n[[nodes]]\nname = \"{}\"\noperator = {}\npower = {power}\n\
             network_key = \"{network_key}\"\n",
            node.name, node.operator
        );
        if let Some(key) = &node.validator_key {
            let _ = writeln!(text, "validator_key = \"{}\"", key.public_key());
        }
    }
    text
}

/// Lines of every gateway to every recharge service, and of every FX provider to both.
fn lines_text(plan: &NetworkPlan, codes: &[String]) -> String {
    let ids = |first: u32, count: u32| (first..first + count).map(|id| id.to_string());
    let services = || ids(RECHARGE_SERVICE_ID_FIRST, plan.recharge_services);
    let gateways = || ids(GATEWAY_ID_FIRST, plan.gateways);
    let providers = ids(FX_PROVIDER_ID_FIRST, plan.fx_providers);
    let rows = [
        ("gateway-liquidity", gateways().collect(), services().collect()),
        ("fx-position", providers.collect(), services().chain(gateways()).collect()),
    ];
    let mut text = String::new();
    for (account, owners, holders) in rows {
        let (owners, holders): (Vec<String>, Vec<String>) = (owners, holders);
        if owners.is_empty() || holders.is_empty() {
            continue;
        }
        let _ = write!(
            text,
            "\n[[reservation_lines]]\naccount = \"{account}\"\nowners = [{}]\nholders = [{}]\n\
             currencies = [{}]\nlimit = {}\n",
            owners.join(", "),
            holders.join(", "),
            codes.join(", "),
            plan.reservation_line,
        );
    }
    text
}

/// The currency's code, or a text that the genesis check then refuses by name.
fn currency_text(currency: Currency) -> String {
    currency.code().map_or_else(|| currency.to_string(), str::to_owned)
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn now() -> TimeMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    TimeMs::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn node_config(nodes: &[PlannedNode], node: &PlannedNode) -> NodeConfig {
    let peers = nodes.iter().filter(|peer| peer.name != node.name).map(|peer| Peer {
        name: peer.name.clone(),
        key: peer.network_key.public_key().to_string(),
        address: peer.network_address,
    });
    NodeConfig {
        name: node.name.clone(),
        genesis: PathBuf::from("../../genesis.toml"),
        home: PathBuf::from("home"),
        validator_key: node.validator_key.as_ref().map(|_| PathBuf::from("validator.key")),
        network_key: PathBuf::from("network.key"),
        network: NetworkSection { listen: node.network_address, peers: peers.collect() },
        // All keys of such a network lie in one folder: there is nobody to hide it from.
        rpc: RpcSection {
            explorer: true,
            access: Some(AccessSection::Open),
            ..RpcSection::new(node.rpc_address)
        },
        operator: OperatorSection::default(),
        store: StoreSection::default(),
        log: LogSection::default(),
    }
}

fn participant_config(
    plan: &NetworkPlan,
    nodes: &[PlannedNode],
    party: &Party,
) -> ParticipantConfig {
    let is_gateway = party.role == "gateway";
    let merchants = (0..plan.merchants)
        .filter(|index| !is_gateway || payout_gateway(plan, *index) == party.id)
        .map(|index| MERCHANT_ID_FIRST + u64::from(index));
    ParticipantConfig {
        id: party.id,
        name: party.name.clone(),
        key: PathBuf::from("participant.key"),
        genesis: PathBuf::from("../../genesis.toml"),
        rpc: nodes.iter().map(|node| format!("http://{}", node.rpc_address)).collect(),
        token: None,
        authorities: None,
        merchants: merchants.collect(),
    }
}
