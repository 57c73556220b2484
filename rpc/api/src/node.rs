//! `node_*`: how this node is doing.

use jsonrpsee::core::RpcResult;
use jsonrpsee::proc_macros::rpc;
use serde::{Deserialize, Serialize};

/// Methods of the `node` namespace.
#[rpc(server, client, namespace = "node")]
pub trait NodeRpc {
    /// Where this node stands.
    #[method(name = "status")]
    async fn status(&self) -> RpcResult<StatusReport>;

    /// Whether this node serves; the same as `/readyz`.
    #[method(name = "health")]
    async fn health(&self) -> RpcResult<HealthReport>;
}

/// Where a node stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    /// The node's name.
    pub name: String,
    /// The software's version.
    pub version: String,
    /// The chain id, hexadecimal.
    pub chain_id: String,
    /// The validator's id; absent for a node that has no vote at its head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validator: Option<u32>,
    /// The newest block applied.
    pub height: u64,
    /// That block's hash, hexadecimal.
    pub block_hash: String,
    /// That block's time.
    pub block_time_ms: u64,
    /// The state's digest after it, hexadecimal.
    pub state_digest: String,
    /// Whether the node is behind its peers and fetching blocks.
    pub is_catching_up: bool,
    /// The highest height that a peer is known to have.
    pub highest_known_height: u64,
    /// Whether new batches are taken.
    pub is_ready: bool,
    /// Peers, connected and configured.
    pub peers: Vec<PeerReport>,
    /// Batches held that are in no block yet.
    pub pool_batch_count: u64,
    /// Items in them.
    pub pool_item_count: u64,
    /// Milliseconds since the process started.
    pub uptime_ms: u64,
}

/// A peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerReport {
    /// Its name.
    pub name: String,
    /// The key of its connections, hexadecimal.
    pub network_key: String,
    /// Whether it is connected.
    pub is_connected: bool,
}

/// Whether a node serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthReport {
    /// Whether it serves.
    pub is_ready: bool,
    /// Why not: a short sentence; absent when it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
