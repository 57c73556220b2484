//! Windows and their nets, instructions, returns, how well deadlines are kept; a gateway's
//! instructions as they are made.

use jsonrpsee::proc_macros::rpc;

use crate::method::interface;
use crate::page::Page;
use crate::settlement::{
    BreachReport, InstructionEvent, InstructionReport, InstructionSelector, ReturnReport,
    SlaReport, WindowProofReport, WindowReport,
};

interface! {
    /// Methods of the `settlement` namespace.
    SettlementRpc #[rpc(server, client)];

    /// Windows, newest first; the open one is among them.
    "settlement_windows": windows(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<WindowReport> {
        errors: [BadCursor, LimitOutOfBounds],
        scope: OwnRows,
        stability: Stable,
        example: r#"{"limit": 2}"#,
    }

    /// One window with the debits and credits of each party, by its number.
    "settlement_window": window(&self, window: u64) -> WindowReport {
        errors: [NotFound, NodeBehind],
        scope: OwnRows,
        stability: Stable,
        example: r#"{"window": 1}"#,
    }

    /// The report of a closed window, and the word that it is settled if it was given, with
    /// everything needed to verify them offline.
    ///
    /// `lineage_apart` is as for `recharge_receipt`.
    "settlement_window_proof": window_proof(
        &self,
        window: u64,
        lineage_apart: Option<bool>,
    ) -> WindowProofReport {
        errors: [NotFound, WindowOpen, ProofNotKept, NodeBehind, ProofTooLarge],
        scope: OwnRows,
        stability: Stable,
        example: r#"{"window": 1}"#,
    }

    /// Instructions of a window or of a paying gateway, ascending by id.
    ///
    /// The filter names exactly one of the two.
    "settlement_instructions": instructions(
        &self,
        filter: InstructionSelector,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<InstructionReport> {
        errors: [BadCursor, LimitOutOfBounds, FilterMalformed],
        scope: PayingGateway,
        stability: Stable,
        example: r#"{"filter": {"gateway": 202}, "limit": 1}"#,
    }

    /// One instruction by its id, `window-merchant-currency`.
    "settlement_instruction": instruction(&self, instruction_id: String) -> InstructionReport {
        errors: [NotFound, IdMalformed, NodeBehind],
        scope: PayingGateway,
        stability: Stable,
        example: r#"{"instruction_id": "0-1001-156"}"#,
    }

    /// Deadlines that were missed, oldest first.
    "settlement_breaches": breaches(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<BreachReport> {
        errors: [BadCursor, LimitOutOfBounds],
        scope: OwnRows,
        stability: Stable,
        example: r#"{"limit": 1}"#,
    }

    /// Returns of one order, in order of their sequence numbers.
    "settlement_returns": returns(
        &self,
        order_id: String,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<ReturnReport> {
        errors: [BadCursor, LimitOutOfBounds, IdMalformed],
        scope: OrderParty,
        stability: Stable,
        example: r#"{"order_id": "01a3185c-50c8-7101-8101-0101000000c9", "limit": 1}"#,
    }

    /// How well deadlines are kept, since block zero: one item a participant, ascending by id.
    ///
    /// A first item without a participant counts the breaches that were nobody's in particular.
    "settlement_sla": sla(&self, cursor: Option<String>, limit: Option<u32>) -> Page<SlaReport> {
        errors: [BadCursor, LimitOutOfBounds],
        scope: OwnRows,
        stability: Stable,
        example: r#"{"limit": 1}"#,
    }

    subscriptions {
        /// Instructions to a paying gateway, ascending by id: first those that exist, then each as
        /// its window closes.
        ///
        /// `cursor` is that of the last event that the gateway has dealt with. Over WebSocket only.
        "settlement_subscribe_instructions" => "settlement_instruction_event",
            "settlement_unsubscribe_instructions":
            subscribe_instructions(&self, gateway: u32, cursor: Option<String>) -> InstructionEvent
        {
            without_place: "Every instruction of the gateway, from its first one on.",
            resume: "Subscribe with the `cursor` of the last event that was dealt with.",
            errors: [BadCursor, NotFound, TooManySubscriptions],
            scope: PayingGateway,
            stability: Stable,
            example: r#"{"gateway": 202}"#,
        }
    }
}
