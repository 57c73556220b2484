//! The chain as of its genesis file, in JSON: participants, merchants, lines and nodes.

use chain_types::{ChainGenesis, ChainId, LiquidityLine, Merchant, Node, Participant, Roles};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::forms::{CurrencyForm, KeyForm, RoleForm};
use crate::money::{Money, currency_code};
use crate::parameters::ParametersReport;
use crate::text::Text;

/// The chain, as of its genesis file. What grows with the scheme stands in lists of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChainInfo {
    /// SHA-256 of the genesis file.
    #[serde(with = "Text::<ChainId>")]
    pub chain_id: ChainId,
    /// The chain's name in the genesis file.
    pub name: String,
    /// The time of block zero.
    pub genesis_time_ms: u64,
    /// The currencies it accepts: ISO 4217 codes.
    #[schemars(with = "Vec<Text<CurrencyForm>>")]
    pub currencies: Vec<String>,
    /// Parameters from block zero on.
    pub parameters: ParametersReport,
    /// How many participants there are: see `chain_participants`.
    pub participant_count: u64,
    /// How many merchants there are: see `chain_merchants`.
    pub merchant_count: u64,
    /// How many liquidity lines there are: see `chain_liquidity`.
    pub liquidity_count: u64,
    /// Nodes; the place in the list is the validator's id.
    pub nodes: Vec<NodeReport>,
}

/// A registered legal party, with its key and its roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParticipantReport {
    /// The participant's id, which its order ids end in.
    pub participant: u32,
    /// The participant's name in the registry.
    pub name: String,
    /// Its roles, by the names that the genesis file uses.
    #[schemars(with = "Vec<Text<RoleForm>>")]
    pub roles: Vec<String>,
    /// The ed25519 key that signs its batches, as 64 hexadecimal digits.
    #[schemars(with = "Text<KeyForm>")]
    pub public_key: String,
    /// True if it is barred.
    pub suspended: bool,
    /// The legal entity that it belongs to; empty when that has no other party here.
    #[serde(default)]
    pub legal_entity: String,
}

impl ParticipantReport {
    /// The report of a participant.
    pub fn new(participant: &Participant) -> Self {
        let roles = Roles::NAMES.iter().filter(|(role, _)| participant.roles.any_of(*role));
        Self {
            participant: participant.id.get(),
            name: participant.name.clone(),
            roles: roles.map(|(_, name)| (*name).to_owned()).collect(),
            public_key: participant.public_key.to_string(),
            suspended: participant.suspended,
            legal_entity: participant.legal_entity.clone(),
        }
    }
}

/// A registered merchant, with the gateway that pays it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MerchantReport {
    /// The merchant's id, as text.
    #[serde(with = "Text::<u64>")]
    pub merchant: u64,
    /// The merchant's name in the registry.
    pub name: String,
    /// The gateway that pays it.
    pub payout_gateway: u32,
    /// True if new orders for it are refused.
    pub suspended: bool,
    /// The legal entity that it belongs to; empty when that has no other party here.
    #[serde(default)]
    pub legal_entity: String,
}

impl MerchantReport {
    /// The report of a merchant.
    pub fn new(merchant: &Merchant) -> Self {
        Self {
            merchant: merchant.id.get(),
            name: merchant.name.clone(),
            payout_gateway: merchant.payout_gateway.get(),
            suspended: merchant.suspended,
            legal_entity: merchant.legal_entity.clone(),
        }
    }
}

/// A gateway's line in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LiquidityReport {
    /// The participant id of the gateway that owns the line.
    pub gateway: u32,
    /// How far below zero its liquidity may go.
    pub net_debit_cap: Money,
    /// The gateway's deposit before block zero.
    pub opening_liquidity: Money,
}

impl LiquidityReport {
    /// The report of a line.
    pub fn new(line: &LiquidityLine) -> Self {
        Self {
            gateway: line.gateway.get(),
            net_debit_cap: Money::new(line.net_debit_cap, line.currency),
            opening_liquidity: Money::new(line.opening_liquidity, line.currency),
        }
    }
}

/// A node of the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NodeReport {
    /// Its place in the list: the validator's id, if it is one.
    pub node: u32,
    /// The node's name in the registry.
    pub name: String,
    /// The participant who runs it.
    pub operator: u32,
    /// Voting power; zero for an edge node.
    pub power: u64,
    /// The key of its votes, hexadecimal; zeros of a node that was removed.
    #[schemars(with = "Text<KeyForm>")]
    pub validator_key: String,
    /// The key of its connections, hexadecimal; zeros of a node that was removed.
    #[schemars(with = "Text<KeyForm>")]
    pub network_key: String,
    /// True if governance removed it: it keeps its place and its name, and is no peer any more.
    pub removed: bool,
}

impl NodeReport {
    /// The report of the node at a place of the list.
    pub fn new(index: u32, node: &Node) -> Self {
        Self {
            node: index,
            name: node.name.clone(),
            operator: node.operator.get(),
            power: node.power,
            validator_key: node.validator_key.to_string(),
            network_key: node.network_key.to_string(),
            removed: node.is_removed(),
        }
    }
}

impl ChainInfo {
    /// The report of a genesis file's content.
    pub fn new(genesis: &ChainGenesis) -> Self {
        let nodes = (0_u32..).zip(&genesis.nodes).map(|(at, node)| NodeReport::new(at, node));
        Self {
            chain_id: genesis.chain_id,
            name: genesis.name.clone(),
            genesis_time_ms: genesis.time.get(),
            currencies: genesis.currencies.iter().copied().map(currency_code).collect(),
            parameters: ParametersReport::new(&genesis.parameters),
            participant_count: genesis.participants.len() as u64,
            merchant_count: genesis.merchants.len() as u64,
            liquidity_count: genesis.liquidity.len() as u64,
            nodes: nodes.collect(),
        }
    }
}
