//! The chain's parameters: set at genesis, changed by governance only.

use bincode::{Decode, Encode};

use crate::codec;
use crate::hash::{Digest, Domain, hash};

/// The protocol version that this code executes.
pub const PROTOCOL_VERSION: u16 = 1;

/// Parameters that every validator executes under. Times are in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Parameters {
    /// How far an order id's time may lie ahead of block time.
    pub order_skew_ms: u64,
    /// How long after its id's time an order may commit, and be collected.
    pub order_validity_ms: u64,
    /// How long a settlement window stays open.
    pub window_ms: u64,
    /// From acceptance to arrival when payer and payee share a currency.
    pub deadline_domestic_ms: u64,
    /// From acceptance to arrival across currencies.
    pub deadline_cross_border_ms: u64,
    /// The part of the deadline that the collecting gateway may use, from acceptance.
    pub deadline_collect_ms: u64,
    /// The least time between two blocks while there is work.
    pub block_interval_ms: u64,
    /// The time between two blocks while there is none: the SLA clock needs blocks.
    pub heartbeat_ms: u64,
    /// How far a block's time may lie ahead of a voter's own clock.
    pub clock_drift_ms: u64,
    /// The first round's timeout of each consensus step.
    pub consensus_timeout_ms: u64,
    /// What each further round adds to it.
    pub consensus_timeout_step_ms: u64,
    /// What it never exceeds.
    pub consensus_timeout_max_ms: u64,
    /// How many heights a proposer whose turn failed is passed over.
    pub proposer_penalty_heights: u64,
    /// The most batches in a block.
    pub block_batches_max: u32,
    /// The most items in a block.
    pub block_items_max: u32,
    /// The largest amount of one order, in minor units.
    pub order_amount_max: u64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            order_skew_ms: 60_000,
            order_validity_ms: 180_000,
            window_ms: 30_000,
            deadline_domestic_ms: 180_000,
            deadline_cross_border_ms: 300_000,
            deadline_collect_ms: 60_000,
            block_interval_ms: 100,
            heartbeat_ms: 1_000,
            clock_drift_ms: 5_000,
            consensus_timeout_ms: 300,
            consensus_timeout_step_ms: 200,
            consensus_timeout_max_ms: 3_000,
            proposer_penalty_heights: 100,
            block_batches_max: 512,
            block_items_max: 65_536,
            order_amount_max: 1_000_000_000_000,
        }
    }
}

impl Parameters {
    /// The digest that block headers carry.
    pub fn digest(&self) -> Digest {
        hash(Domain::Parameters, &[&codec::encode(self)])
    }
}
