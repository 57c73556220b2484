//! The chain's identity and its genesis file; its blocks, and each as it is decided.

use chain_types::ChainId;
use jsonrpsee::proc_macros::rpc;

use crate::block::{BlockReport, BlockSelector, BlockSummary, EvidenceReport, HandoverReport};
use crate::chain::{ChainInfo, LiquidityReport, MerchantReport, ParticipantReport};
use crate::method::interface;
use crate::page::Page;
use crate::parameters::ParametersReport;

interface! {
    /// Methods of the `chain` namespace.
    ChainRpc #[rpc(server, client)];

    /// The chain id: SHA-256 of the genesis file, as 64 hexadecimal digits.
    "chain_id": id(&self) -> String as ChainId {
        errors: [],
        scope: Open,
        stability: Stable,
        example: "{}",
    }

    /// The chain's name, parameters and nodes, as of its genesis file, and how long its lists are.
    "chain_info": info(&self) -> ChainInfo {
        errors: [],
        scope: Participant,
        stability: Stable,
        example: "{}",
    }

    /// Participants of the genesis file, ascending by id.
    "chain_participants": genesis_participants(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<ParticipantReport> {
        errors: [BadCursor, LimitOutOfBounds],
        scope: Participant,
        stability: Stable,
        example: r#"{"limit": 1}"#,
    }

    /// Merchants of the genesis file, ascending by id.
    "chain_merchants": genesis_merchants(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<MerchantReport> {
        errors: [BadCursor, LimitOutOfBounds],
        scope: MerchantSide,
        stability: Stable,
        example: r#"{"limit": 1}"#,
    }

    /// Liquidity lines of the genesis file, ascending by gateway and currency.
    "chain_liquidity": genesis_liquidity(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<LiquidityReport> {
        errors: [BadCursor, LimitOutOfBounds],
        scope: AccountOwner,
        stability: Stable,
        example: r#"{"limit": 1}"#,
    }

    /// The parameters at the node's head.
    "chain_parameters": parameters(&self) -> ParametersReport {
        errors: [],
        scope: Public,
        stability: Stable,
        example: "{}",
    }

    /// The newest decided block that this node has applied.
    "chain_head": head(&self) -> BlockSummary {
        errors: [],
        scope: Public,
        stability: Stable,
        example: "{}",
    }

    /// One block with its batch ids and certificate, by height (a number) or hash (text).
    ///
    /// `not-found` names the node's head.
    "chain_block": block(&self, block: BlockSelector) -> BlockReport {
        errors: [NotFound, IdMalformed, NodeBehind],
        scope: Public,
        stability: Stable,
        example: r#"{"block": 2}"#,
    }

    /// Blocks without their batches, newest first.
    "chain_blocks": blocks(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<BlockSummary> {
        errors: [BadCursor, LimitOutOfBounds],
        scope: Public,
        stability: Stable,
        example: r#"{"limit": 1}"#,
    }

    /// Validators that were caught at signing two values where they may sign one, oldest first.
    "chain_evidence": evidence(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<EvidenceReport> {
        errors: [BadCursor, LimitOutOfBounds],
        scope: Public,
        stability: Stable,
        example: r#"{"limit": 1}"#,
    }

    /// Every change of validators that the chain made, oldest first: what verifies a proof with
    /// `lineage_apart`.
    ///
    /// The changes are verified once, from the genesis file on. A page that goes on may hold fewer
    /// than asked for: it has at most 4 MiB. To resume later, pass the height of the last change
    /// received.
    "chain_lineage": lineage(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<HandoverReport> {
        errors: [BadCursor, LimitOutOfBounds],
        scope: Public,
        stability: Stable,
        example: r#"{"limit": 1}"#,
    }

    subscriptions {
        /// Decided blocks in order, without a gap: first those from `from_height` on, then each as
        /// it is decided.
        ///
        /// Over WebSocket only.
        "chain_subscribe_blocks" => "chain_block_event",
            "chain_unsubscribe_blocks":
            subscribe_blocks(&self, from_height: Option<u64>) -> BlockSummary
        {
            without_place: "The blocks that are decided from now on.",
            resume: "Subscribe from the height after that of the last block received.",
            errors: [TooManySubscriptions],
            scope: Public,
            stability: Stable,
            example: r#"{"from_height": 1}"#,
        }
    }
}
