//! A batch as its header shows it, and what is decided about it.

use chain_types::{BatchId, ParticipantId, TimeMs, VerifiedBatch};

use crate::class::ServiceClass;

/// The settings of a scheduler, which stay while it runs.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The first estimate of the capacity, in items a second.
    pub capacity_items_per_s: u64,
    /// The most submitters with an account of their own; more share one.
    pub submitters_max: usize,
    /// The number of charged batches that are remembered for certain.
    pub recent_max: usize,
    /// The time from a block's proposal until it is final, in milliseconds.
    pub settle_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            capacity_items_per_s: 50_000,
            submitters_max: 1 << 18,
            recent_max: 1 << 16,
            settle_ms: 200,
        }
    }
}

/// The header of a batch as far as admission needs it, and the fields that its client sends beside
/// it.
#[derive(Debug, Clone, Copy)]
pub struct BatchAttempt {
    /// The participant that the header names; its signature is not checked yet.
    pub submitter: ParticipantId,
    /// The number of its items.
    pub items: u32,
    /// The class of its work, which decides how it is queued and shed.
    pub class: ServiceClass,
    /// The last block time at which it may commit.
    pub valid_until: TimeMs,
    /// Items that the client says are waiting with it. They raise the demand by half at most.
    pub backlog_items: u64,
    /// Items that the client says it will send before this batch, should it be refused. They defer
    /// the time to retry that is stated.
    pub ahead_items: u64,
    /// The client says that the batch was refused before.
    pub is_retry: bool,
}

/// A verified batch, as far as its submitter is charged for it and it waits in a queue.
#[derive(Debug, Clone, Copy)]
pub struct CountedBatch {
    /// The id of the batch; a batch of the same id is charged once.
    pub id: BatchId,
    /// The submitter that signed it.
    pub submitter: ParticipantId,
    /// The class of its items.
    pub class: ServiceClass,
    /// The number of its items.
    pub items: u32,
}

impl CountedBatch {
    /// Returns what is counted of a verified batch.
    pub fn of(batch: &VerifiedBatch) -> Self {
        Self {
            id: batch.id(),
            submitter: batch.header().submitter,
            class: ServiceClass::of(batch.kind()),
            items: batch.count(),
        }
    }
}

/// Why a batch is refused by its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareReason {
    /// The submitter has sent its share.
    ShareUsed,
    /// As many items of the submitter wait as its share allows.
    QueueFull,
    /// The batch is more than 10 seconds of the submitter's share.
    BatchOverShare,
    /// The queue before the batch takes longer than its valid-until time allows.
    TooLate,
}

impl ShareReason {
    /// Returns the reason as a clause, for the answer to a client.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::ShareUsed => "this submitter has sent its share",
            Self::QueueFull => "as many items of this submitter wait as its share allows",
            Self::BatchOverShare => "the batch is more than 10 seconds of this submitter's share",
            Self::TooLate => "what waits will not be done before the valid-until time",
        }
    }
}

/// The time at which a refused batch will be admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAt {
    /// The same bytes are admitted from this moment on.
    At(TimeMs),
    /// The batch cannot be final before its valid-until time.
    Never,
}

/// The decision about a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// The body may be read and verified.
    Admit,
    /// The batch is refused before its body is read.
    Refuse {
        /// The reason of the refusal.
        reason: ShareReason,
        /// The time at which it will be admitted.
        retry: RetryAt,
    },
}

/// The way in which a verified batch came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A client sent it, and it was considered here.
    Client,
    /// A peer that admitted it sent it.
    Peer,
}
