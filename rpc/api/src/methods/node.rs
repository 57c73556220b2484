//! A node's own standing.

use jsonrpsee::proc_macros::rpc;

use crate::method::interface;
use crate::node::{HealthReport, StatusReport};

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
}
