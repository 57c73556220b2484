//! A node's own standing.

use jsonrpsee::proc_macros::rpc;

use crate::method::interface;
use crate::node::{HealthReport, StatusReport};
use crate::outlook::OutlookReport;

interface! {
    /// Methods of the `node` namespace.
    NodeRpc #[rpc(server, client)];

    /// The node's head, its readiness, its peers and its pool.
    "node_status": status(&self) -> StatusReport {
        errors: [],
        scope: OwnListener,
        stability: Stable,
        example: "{}",
    }

    /// The node's readiness to serve; the same as `/readyz`.
    "node_health": health(&self) -> HealthReport {
        errors: [],
        scope: Open,
        stability: Stable,
        example: "{}",
    }

    /// This node's capacity, its queue and a submitter's share, signed with the node's key.
    ///
    /// `not-found` says that the registry does not name this node.
    "node_outlook": outlook(&self, submitter: Option<u32>) -> OutlookReport {
        errors: [NotFound, NodeBehind],
        scope: Participant,
        stability: Stable,
        example: "{}",
    }
}
