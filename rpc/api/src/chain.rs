//! `chain_*`: the chain's identity, registry and parameters; its blocks, and each as it is decided.

use chain_types::{
    BatchId, Block, BlockHash, Certificate, ChainGenesis, ChainId, Digest, EquivocationKind,
    LiquidityLine, Merchant, Node, Parameters, Participant, Roles, codec,
};
use jsonrpsee::core::{RpcResult, SubscriptionResult};
use jsonrpsee::proc_macros::rpc;
use serde::{Deserialize, Serialize};

use crate::money::{Money, currency_code};
use crate::page::Page;

/// Methods of the `chain` namespace.
#[rpc(server, client, namespace = "chain")]
pub trait ChainRpc {
    /// The chain id: SHA-256 of the genesis file, hexadecimal.
    #[method(name = "id")]
    async fn id(&self) -> RpcResult<String>;

    /// The chain's name, parameters and nodes, as of its genesis file, and how long its lists are.
    #[method(name = "info")]
    async fn info(&self) -> RpcResult<ChainInfo>;

    /// Participants of the genesis file, ascending by id.
    ///
    /// # Errors
    /// `bad-cursor`, `limit-out-of-bounds`.
    #[method(name = "participants")]
    async fn genesis_participants(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<ParticipantReport>>;

    /// Merchants of the genesis file, ascending by id.
    ///
    /// # Errors
    /// `bad-cursor`, `limit-out-of-bounds`.
    #[method(name = "merchants")]
    async fn genesis_merchants(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<MerchantReport>>;

    /// Liquidity lines of the genesis file, ascending by gateway and currency.
    ///
    /// # Errors
    /// `bad-cursor`, `limit-out-of-bounds`.
    #[method(name = "liquidity")]
    async fn genesis_liquidity(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<LiquidityReport>>;

    /// The parameters at the node's head.
    #[method(name = "parameters")]
    async fn parameters(&self) -> RpcResult<ParametersReport>;

    /// The newest decided block that this node has applied.
    #[method(name = "head")]
    async fn head(&self) -> RpcResult<BlockSummary>;

    /// One block with its batch ids and certificate, by height (a number) or hash (text).
    ///
    /// # Errors
    /// `id-malformed`, `not-found` with the node's head.
    #[method(name = "block")]
    async fn block(&self, block: BlockSelector) -> RpcResult<BlockReport>;

    /// Blocks, newest first.
    ///
    /// # Errors
    /// `bad-cursor`, `limit-out-of-bounds`.
    #[method(name = "blocks")]
    async fn blocks(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<BlockSummary>>;

    /// Validators that were caught at signing two values where they may sign one, oldest first.
    ///
    /// # Errors
    /// `bad-cursor`, `limit-out-of-bounds`.
    #[method(name = "evidence")]
    async fn evidence(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<EvidenceReport>>;

    /// Every change of validators that the chain made, oldest first: verified once from the genesis
    /// file on, they verify each receipt and proof that was asked for with `lineage_apart`. A page
    /// that goes on may hold fewer than asked for: it has at most 4 MiB. To resume later, pass the
    /// height of the last change received.
    ///
    /// # Errors
    /// `bad-cursor`, `limit-out-of-bounds`.
    #[method(name = "lineage")]
    async fn lineage(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<HandoverReport>>;

    /// Decided blocks in order, without a gap: first those from `from_height` on, then each as it
    /// is decided; with none, those decided from now on. To resume, subscribe from the height
    /// after the last one received. Over WebSocket only.
    ///
    /// # Errors
    /// `too-many-subscriptions`.
    #[subscription(
        name = "subscribe_blocks" => "block_event",
        unsubscribe = "unsubscribe_blocks",
        item = BlockSummary,
        with_extensions
    )]
    async fn subscribe_blocks(&self, from_height: Option<u64>) -> SubscriptionResult;
}

/// A change of validators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoverReport {
    /// The last block that the validators before it decided; its height is the cursor after it.
    pub height: u64,
    /// The handover's bytes (docs/wire-format.md), as base64.
    pub handover_base64: String,
}

/// A block's name in a question: its height as a number, or its hash as hexadecimal text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum BlockSelector {
    /// The block of this height.
    Height(u64),
    /// The block with this hash, 64 hexadecimal digits.
    Hash(String),
}

/// A block in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockSummary {
    /// The block's height; block zero is made from the genesis file.
    pub height: u64,
    /// The hash of the block's header.
    #[serde(with = "crate::text")]
    pub block_hash: BlockHash,
    /// The block before it.
    #[serde(with = "crate::text")]
    pub parent: BlockHash,
    /// The block's time, in milliseconds since 1970 (UTC).
    pub time_ms: u64,
    /// The round in which it was first proposed.
    pub round: u32,
    /// The round in which the block before it was decided.
    pub parent_round: u32,
    /// The validator who proposed it.
    pub proposer: u32,
    /// The settlement window to which orders collected in it belong.
    pub window: u64,
    /// How many batches it holds.
    pub batch_count: u32,
    /// The digest of the whole state after it.
    #[serde(with = "crate::text::digest")]
    pub state_digest: Digest,
}

impl BlockSummary {
    /// The summary of a block.
    pub fn new(block: &Block) -> Self {
        let header = &block.header;
        Self {
            height: header.height.0,
            block_hash: block.hash(),
            parent: header.parent,
            time_ms: header.time.0,
            round: header.round.0,
            parent_round: header.parent_round.0,
            proposer: header.proposer.0,
            window: header.window.0,
            batch_count: header.batch_count,
            state_digest: header.state_digest,
        }
    }
}

/// A block with everything in its header, its batch ids and its certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockReport {
    /// The fields that a block shares with its summary.
    #[serde(flatten)]
    pub summary: BlockSummary,
    /// The protocol version it was executed under.
    pub protocol_version: u16,
    /// Merkle root over the batch ids.
    #[serde(with = "crate::text::digest")]
    pub batches_root: Digest,
    /// How many pieces of evidence against validators it holds: see `chain_evidence`.
    pub evidence_count: u32,
    /// Merkle root over its evidence.
    #[serde(with = "crate::text::digest")]
    pub evidence_root: Digest,
    /// Merkle root over the outcomes roots.
    #[serde(with = "crate::text::digest")]
    pub results_root: Digest,
    /// The digest of the validators who decided it.
    #[serde(with = "crate::text::digest")]
    pub validators_hash: Digest,
    /// The digest of the parameters it was executed under.
    #[serde(with = "crate::text::digest")]
    pub parameters_hash: Digest,
    /// Its batches, in the order of execution.
    pub batches: Vec<BatchReference>,
    /// The canonical bytes (docs/wire-format.md) of each piece of its evidence, as base64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence_base64: Vec<String>,
    /// The quorum that decided it; absent for block zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateReport>,
    /// The header's canonical bytes (docs/wire-format.md), as base64.
    pub header_base64: String,
}

/// A validator caught at signing two values where it may sign one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceReport {
    /// The validator: its place in the list of nodes.
    pub validator: u32,
    /// The name of the validator's node.
    pub name: String,
    /// The kind of message of which it signed two.
    #[serde(with = "crate::text")]
    pub what: EquivocationKind,
    /// The height at which it did.
    pub height: u64,
    /// The round in which it did.
    pub round: u32,
    /// The lower of the two values: a block hash; absent for a vote for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// The higher of the two values, in the same form as the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<String>,
    /// The height of the block that holds the evidence.
    pub block_height: u64,
    /// Its place among that block's evidence.
    pub sequence: u32,
    /// The time of the block that holds the evidence, in milliseconds since 1970 (UTC).
    pub time_ms: u64,
}

/// A batch in a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchReference {
    /// The id of the batch: the hash of its header.
    #[serde(with = "crate::text")]
    pub batch_id: BatchId,
}

/// The precommits of a quorum, which decided a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateReport {
    /// The round in which the block was decided.
    pub round: u32,
    /// The validators who signed, ascending.
    pub signers: Vec<u32>,
    /// The certificate's canonical bytes (docs/wire-format.md), as base64.
    pub certificate_base64: String,
}

impl CertificateReport {
    /// The report of a certificate.
    pub fn new(certificate: &Certificate) -> Self {
        Self {
            round: certificate.round.0,
            signers: certificate.signatures.iter().map(|(signer, _)| signer.0).collect(),
            certificate_base64: crate::encode_base64(&codec::encode(certificate)),
        }
    }
}

impl BlockReport {
    /// The report of a block and its certificate, which block zero has not.
    pub fn new(block: &Block, certificate: Option<&Certificate>) -> Self {
        let header = &block.header;
        Self {
            summary: BlockSummary::new(block),
            protocol_version: header.protocol_version,
            batches_root: header.batches_root,
            evidence_count: header.evidence_count,
            evidence_root: header.evidence_root,
            results_root: header.results_root,
            validators_hash: header.validators_hash,
            parameters_hash: header.parameters_hash,
            batches: block.batches.iter().map(|id| BatchReference { batch_id: *id }).collect(),
            evidence_base64: block
                .evidence
                .iter()
                .map(|one| crate::encode_base64(&codec::encode(one)))
                .collect(),
            certificate: certificate.map(CertificateReport::new),
            header_base64: crate::encode_base64(&codec::encode(header)),
        }
    }
}

/// The chain, as of its genesis file. What grows with the scheme stands in lists of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainInfo {
    /// SHA-256 of the genesis file.
    #[serde(with = "crate::text")]
    pub chain_id: ChainId,
    /// The chain's name in the genesis file.
    pub name: String,
    /// The time of block zero.
    pub genesis_time_ms: u64,
    /// The currencies it accepts: ISO 4217 codes.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParticipantReport {
    /// The participant's id, which its order ids end in.
    pub participant: u32,
    /// The participant's name in the registry.
    pub name: String,
    /// Its roles, by the names that the genesis file uses.
    pub roles: Vec<String>,
    /// The ed25519 key that signs its batches, as 64 hexadecimal digits.
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
            participant: participant.id.0,
            name: participant.name.clone(),
            roles: roles.map(|(_, name)| (*name).to_owned()).collect(),
            public_key: participant.public_key.to_string(),
            suspended: participant.suspended,
            legal_entity: participant.legal_entity.clone(),
        }
    }
}

/// A registered merchant, with the gateway that pays it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerchantReport {
    /// The merchant's id, as text.
    #[serde(with = "crate::text")]
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
            merchant: merchant.id.0,
            name: merchant.name.clone(),
            payout_gateway: merchant.payout_gateway.0,
            suspended: merchant.suspended,
            legal_entity: merchant.legal_entity.clone(),
        }
    }
}

/// A gateway's line in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
            gateway: line.gateway.0,
            net_debit_cap: Money::new(line.net_debit_cap, line.currency),
            opening_liquidity: Money::new(line.opening_liquidity, line.currency),
        }
    }
}

/// A node of the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    pub validator_key: String,
    /// The key of its connections, hexadecimal; zeros of a node that was removed.
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
            operator: node.operator.0,
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
            genesis_time_ms: genesis.time.0,
            currencies: genesis.currencies.iter().copied().map(currency_code).collect(),
            parameters: ParametersReport::new(&genesis.parameters),
            participant_count: genesis.participants.len() as u64,
            merchant_count: genesis.merchants.len() as u64,
            liquidity_count: genesis.liquidity.len() as u64,
            nodes: nodes.collect(),
        }
    }
}

macro_rules! parameters_report {
    ($($(#[$doc:meta])* $field:ident: $type:ty,)*) => {
        /// The chain's parameters; each is explained at `chain_types::Parameters`.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub struct ParametersReport {
            /// The largest amount of one order in minor units, as a decimal string.
            #[serde(with = "crate::text")]
            pub order_amount_max: u64,
            $($(#[$doc])* pub $field: $type,)*
        }

        impl ParametersReport {
            /// The report of parameters.
            pub fn new(parameters: &Parameters) -> Self {
                // Destructured, so that a new parameter cannot be forgotten here.
                let Parameters { order_amount_max, $($field,)* } = parameters.clone();
                Self { order_amount_max, $($field,)* }
            }

            /// Converts the report into the parameters that it shows.
            pub fn to_parameters(&self) -> Parameters {
                let Self { order_amount_max, $($field,)* } = self.clone();
                Parameters { order_amount_max, $($field,)* }
            }
        }
    };
}

parameters_report! {
    /// How far an order id's time may lie ahead of block time.
    order_skew_ms: u64,
    /// How long after its id's time an order may commit, and be collected.
    order_validity_ms: u64,
    /// How long a settlement window stays open.
    window_ms: u64,
    /// From acceptance to arrival within a currency.
    deadline_domestic_ms: u64,
    /// From acceptance to arrival across currencies.
    deadline_cross_border_ms: u64,
    /// From acceptance to collection.
    deadline_collect_ms: u64,
    /// The least time between two blocks while there is work.
    block_interval_ms: u64,
    /// The time between two blocks while there is none.
    heartbeat_ms: u64,
    /// How far a block's time may lie ahead of a voter's clock.
    clock_drift_ms: u64,
    /// The first round's timeout of each consensus step.
    consensus_timeout_ms: u64,
    /// The time by which each further round of a height waits longer, in milliseconds.
    consensus_timeout_step_ms: u64,
    /// The longest time that a round waits, in milliseconds.
    consensus_timeout_max_ms: u64,
    /// How many heights a proposer whose turn failed is passed over.
    proposer_penalty_heights: u64,
    /// The most batches in a block.
    block_batches_max: u32,
    /// The most items in a block.
    block_items_max: u32,
    /// The most returns in a block.
    block_returns_max: u32,
    /// How long after its id's time an order may be returned.
    return_period_ms: u64,
    /// The beginning of the day of limits, in minutes east of UTC.
    day_offset_min: u32,
    /// How long a provider's rate is fresh.
    rate_fresh_ms: u64,
    /// How many fresh rates a reference takes.
    rates_min: u32,
    /// How far ahead a quote may be valid.
    quote_valid_max_ms: u64,
    /// How long a transfer waits for its checker.
    transfer_validity_ms: u64,
    /// How long a governance proposal waits for approvals.
    proposal_validity_ms: u64,
    /// How many legal entities of operators approve a change, its maker's among them.
    governance_approvals: u32,
    /// How many heights lie at least between a proposal and its activation.
    governance_notice_heights: u64,
    /// How much rounding may cost of a converted amount, in thousandths.
    rounding_loss_max_per_mille: u32,
    /// From how many thousandths on a step of a reference rate waits for confirmation.
    reference_step_per_mille: u32,
    /// How long the fresh rates have to keep to a new level.
    reference_confirm_ms: u64,
    /// How long a reservation holds a quote.
    quote_hold_ms: u64,
    /// How long after the collection a return is converted back at the order's own rate.
    return_rate_ms: u64,
    /// The least time that a paying gateway has from the close of a window.
    payment_least_ms: u64,
    /// After how long others may move what its own gateway leaves alone.
    step_in_ms: u64,
    /// How long after an arrival its money may come back.
    bounce_period_ms: u64,
    /// How often in a row a gateway may fail one instruction.
    failures_max: u32,
    /// How long a reservation holds money.
    reservation_ms: u64,
    /// How long after the collection the collecting gateway alone takes an order back.
    reversal_grace_ms: u64,
}
