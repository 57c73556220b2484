//! A node's outlook in JSON: what it can take, and a submitter's share.

use chain_types::ChainId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::forms::Base64Form;
use crate::text::Text;

/// A node's outlook, in numbers to read and in the bytes that it signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutlookReport {
    /// The chain id, hexadecimal.
    #[schemars(with = "Text<ChainId>")]
    pub chain_id: String,
    /// The node that signed, by its place in the registry's list of nodes.
    pub node: u32,
    /// The last committed height.
    pub height: u64,
    /// The time of the block at that height.
    pub block_time_ms: u64,
    /// The node's clock when it made the outlook.
    pub made_at_ms: u64,
    /// The last moment at which the outlook may be referred to.
    pub valid_until_ms: u64,
    /// The estimate of what blocks can take.
    pub capacity_items_per_s: u64,
    /// How long what waits will take.
    pub queue_ms: u32,
    /// The busy part of the node's driver over a second, in millionths.
    pub load_ppm: u32,
    /// The share of a submitter without a line, of the standard weight, in items a second.
    pub share_of_others_items_per_s: u64,
    /// The number of lines: one for each of the submitters with the largest demand.
    pub line_count: u32,
    /// The signed head's bytes (docs/wire-format.md), as base64.
    #[schemars(with = "Text<Base64Form>")]
    pub signed_base64: String,
    /// The line of the submitter that was asked for; absent if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<OutlookLineReport>,
}

/// A submitter's line of an outlook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutlookLineReport {
    /// The submitter that the line is about.
    pub submitter: u32,
    /// Its weight by governance; the standard is 100.
    pub weight: u32,
    /// Its share over all nodes together.
    pub share_items_per_s: u64,
    /// The code of the rejection with which its batches are refused now; 0 when they are admitted.
    pub reason: u16,
    /// The moment from which its next batch is admitted, by the node's clock. A batch that is not
    /// valid that long is never admitted.
    pub retry_at_ms: u64,
    /// The line's bytes with the path to the head's root (docs/wire-format.md), as base64.
    #[schemars(with = "Text<Base64Form>")]
    pub proof_base64: String,
}
