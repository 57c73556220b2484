//! A node's own standing in JSON.

use chain_types::{BlockHash, ChainId, Digest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::forms::KeyForm;
use crate::text::Text;

/// A node's head, its readiness and its pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatusReport {
    /// The node's name in the registry.
    pub name: String,
    /// The version of the program, as `sluice --version` prints it.
    pub version: String,
    /// The chain id, hexadecimal.
    #[schemars(with = "Text<ChainId>")]
    pub chain_id: String,
    /// The validator's id; absent for a node that has no vote at its head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validator: Option<u32>,
    /// The newest block applied.
    pub height: u64,
    /// The hash of that block, hexadecimal.
    #[schemars(with = "Text<BlockHash>")]
    pub block_hash: String,
    /// The time of the head's block, in milliseconds since 1970 (UTC).
    pub block_time_ms: u64,
    /// The state's digest after it, hexadecimal.
    #[schemars(with = "Text<Digest>")]
    pub state_digest: String,
    /// True if the node is well behind the validators and fetching blocks.
    pub is_catching_up: bool,
    /// The highest height that validators with more than a third of the power say they have, or
    /// the node's own if that is higher.
    pub highest_known_height: u64,
    /// True if the node serves: new batches are taken, and it knows that its head is the chain's.
    pub is_ready: bool,
    /// The messages that the next block waits for, and the validators that stand out.
    #[serde(flatten)]
    pub standing: StandingReport,
    /// Peers, connected and configured.
    pub peers: Vec<PeerReport>,
    /// Batches held that are in no block yet.
    pub pool_batch_count: u64,
    /// The number of items in the waiting batches.
    pub pool_item_count: u64,
    /// Milliseconds since the process started.
    pub uptime_ms: u64,
}

/// The progress of the next block: what it waits for, and which validators stand out. Its fields
/// stand in `node_status` beside the others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StandingReport {
    /// Why the node is not ready, in the words of `/readyz`; absent when it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How long ago the node committed its last block; before the first one since its start, the
    /// age of that block by its time.
    #[serde(default)]
    pub last_block_age_ms: u64,
    /// The running round of the next height; absent while that height has not begun here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<u32>,
    /// The next block waits for this: `proposal of node-2`, `prevotes of node-2, node-3`,
    /// `precommits of node-3`, `work`, `blocks of the validators` at a node without a vote, or
    /// `heights of a quorum` at a validator that does not know yet whether it voted before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    /// The names of the validators whose proposal or votes are missing.
    #[serde(default)]
    pub missing: Vec<String>,
    /// Validators whose turns to propose come last for a while.
    #[serde(default)]
    pub passed_over: Vec<PassedOverReport>,
    /// Validators that the chain holds evidence against, the newest evidence first.
    #[serde(default)]
    pub caught: Vec<CaughtReport>,
}

/// A validator whose turns to propose come last for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PassedOverReport {
    /// The validator's id: its place in the list of nodes.
    pub validator: u32,
    /// Its name in the registry.
    pub name: String,
    /// The last height of it.
    pub until_height: u64,
    /// Why, in a few words.
    pub reason: String,
}

/// A validator that was caught: evidence of it stands in a decided block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaughtReport {
    /// The validator's id: its place in the list of nodes.
    pub validator: u32,
    /// Its name in the registry.
    pub name: String,
    /// The height that it signed two values for.
    pub height: u64,
    /// The round of that height.
    pub round: u32,
    /// The kind of message of which it signed two, in a few words.
    pub what: String,
}

/// Another node, as this node is connected to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PeerReport {
    /// The peer's name in the registry.
    pub name: String,
    /// The key of its connections, hexadecimal.
    #[schemars(with = "Text<KeyForm>")]
    pub network_key: String,
    /// True if it is connected.
    pub is_connected: bool,
    /// The height that it said last; absent before it has said one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_height: Option<u64>,
    /// How long ago it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_age_ms: Option<u64>,
}

/// A node's readiness to serve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HealthReport {
    /// True if the node serves clients.
    pub is_ready: bool,
    /// Why not: a short sentence; absent when it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
