//! Validators caught at signing two values.

use bincode::{Decode, Encode};
use chain_types::evidence::EquivocationKind;
use chain_types::{BlockHash, Height, RecordCursor, Round, TimeMs, ValidatorId};

/// A validator signed two values where it may sign one: a fact that a block's evidence proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct EvidenceRecord {
    /// The block that holds the evidence.
    pub height: Height,
    /// Its place among the block's evidence.
    pub sequence: u32,
    /// The time of the block that holds the evidence.
    pub time: TimeMs,
    /// The validator that signed both values.
    pub validator: ValidatorId,
    /// The kind of message of which it signed two.
    pub kind: EquivocationKind,
    /// The height at which.
    pub offence_height: Height,
    /// The round in which.
    pub offence_round: Round,
    /// The lower value: a block, or `None` for a vote for nothing.
    pub first: Option<BlockHash>,
    /// The higher of the two values.
    pub second: Option<BlockHash>,
}

impl EvidenceRecord {
    /// Returns the place of the record among all evidence.
    pub const fn cursor(&self) -> RecordCursor {
        RecordCursor { height: self.height, sequence: self.sequence }
    }
}
