//! Validators caught at signing two values.

use bincode::{Decode, Encode};
use chain_types::evidence::EquivocationKind;
use chain_types::{BlockHash, Height, Round, TimeMs, ValidatorId};

/// A validator signed two values where it may sign one: a fact that a block's evidence proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct EvidenceRecord {
    /// The block that holds the evidence.
    pub height: Height,
    /// Its place among the block's evidence.
    pub sequence: u32,
    /// Block time.
    pub time: TimeMs,
    /// Who signed.
    pub validator: ValidatorId,
    /// What was signed twice.
    pub kind: EquivocationKind,
    /// The height at which.
    pub offence_height: Height,
    /// The round in which.
    pub offence_round: Round,
    /// The lower value: a block, or `None` for a vote for nothing.
    pub first: Option<BlockHash>,
    /// The other.
    pub second: Option<BlockHash>,
}
