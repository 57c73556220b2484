//! One order: its status and its receipt.

use jsonrpsee::proc_macros::rpc;

use crate::method::interface;
use crate::recharge::{OrderReport, ReceiptReport};

interface! {
    /// Methods of the `recharge` namespace.
    RechargeRpc #[rpc(server, client)];

    /// An order's status with the time of every stage.
    ///
    /// An order that is not found is no error: `status` is `"not-found"`, and `searched` says which
    /// heights were searched and until when the order could still commit. If the order is not
    /// found, may still commit, and the node is not ready, it answers `node-behind`: it cannot know
    /// what others have decided.
    "recharge_order": order(&self, order_id: String) -> OrderReport {
        errors: [IdMalformed, NodeBehind],
        scope: OrderParty,
        stability: Stable,
        example: r#"{"order_id": "01a3185c-5190-7202-8202-020200000065"}"#,
    }

    /// An order's receipt: its outcome with everything needed to verify it offline, given only the
    /// genesis file.
    ///
    /// It proves as many stages as have happened. With `lineage_apart` it is small, and is verified
    /// with the lineage of `chain_lineage` beside the genesis file. `not-found` says which heights
    /// were searched.
    "recharge_receipt": receipt(
        &self,
        order_id: String,
        lineage_apart: Option<bool>,
    ) -> ReceiptReport {
        errors: [NotFound, IdMalformed, NodeBehind, ProofTooLarge],
        scope: OrderParty,
        stability: Stable,
        example: r#"{"order_id": "01a3185c-5190-7202-8202-020200000065", "lineage_apart": true}"#,
    }
}
