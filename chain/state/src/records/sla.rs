//! The SLA clock: deadlines missed, and how long payments took.

use bincode::{Decode, Encode};
use chain_types::{
    BreachStage, Currency, Height, InstructionId, OrderId, ParticipantId, RecordCursor, TimeMs,
};

/// The subject of a breach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum BreachSubject {
    /// An order collected late or not at all.
    Order(OrderId),
    /// An instruction that did not arrive by its deadline, or failed once too often.
    Instruction(InstructionId),
}

/// A deadline missed: a ledger fact that names the stage and the late party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct BreachRecord {
    /// The block that noticed it.
    pub height: Height,
    /// Its place among the block's breaches.
    pub sequence: u32,
    /// The stage that was missed.
    pub stage: BreachStage,
    /// The late party; `None` when no block came in time to close the window.
    pub late: Option<ParticipantId>,
    /// The subject of the breach.
    pub subject: BreachSubject,
    /// The last block time that would have been in time.
    pub deadline: TimeMs,
    /// Block time at which it was noticed.
    pub noticed: TimeMs,
}

impl BreachRecord {
    /// Returns the place of the breach among all of them.
    pub const fn cursor(&self) -> RecordCursor {
        RecordCursor { height: self.height, sequence: self.sequence }
    }
}

/// Payments that share a payout currency, within one currency or across.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Corridor {
    /// The currency in which merchants are paid.
    pub payout_currency: Currency,
    /// True if the orders were converted.
    pub is_cross_border: bool,
}

/// Upper bounds of [`SlaCounters::buckets`], in milliseconds from the earliest acceptance to the
/// arrival; the last bucket has none.
pub const SLA_BUCKETS_MS: [u64; 11] =
    [5_000, 10_000, 20_000, 30_000, 45_000, 60_000, 90_000, 120_000, 180_000, 240_000, 300_000];

/// The counts of a paying gateway in a corridor. One update an instruction, none an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct SlaCounters {
    /// Instructions arrived that hold orders of the corridor.
    pub instruction_count: u64,
    /// The number of orders whose money arrived.
    pub order_count: u64,
    /// Orders arrived after the corridor's deadline.
    pub late_count: u64,
    /// Orders by how long their instruction's earliest order took.
    pub buckets: [u64; SLA_BUCKETS_MS.len() + 1],
}
