//! What a user is told of a batch: final, definitively refused with a signed reason and a time, or
//! unresolved.

use chain_types::TimeMs;
use rpc_api::BatchReport;

use super::heard::HeardOutlook;

/// The fate of a batch, as its user is told it.
#[derive(Debug, Clone)]
pub enum BatchFate {
    /// A block holds it; its items' outcomes are in the report.
    Final(Box<BatchReport>),
    /// It is in no block and never will be.
    Refused(Box<DefiniteRefusal>),
    /// Nobody could say what became of it in time: ask for it again by its id.
    Unresolved {
        /// The problem of the last call.
        last: String,
    },
}

/// A refusal that stands: the same bytes are never admitted again, and none were taken.
#[derive(Debug, Clone)]
pub struct DefiniteRefusal {
    /// The code of the reason, as docs/rejections.md lists it: 115 when the share does not carry
    /// the batch in time.
    pub code: i32,
    /// The reason in words.
    pub reason: String,
    /// The batch's valid-until time: what was refused until then is refused for ever.
    pub until: TimeMs,
    /// The word of the node on which the refusal rests, as the node signed it.
    pub outlook: HeardOutlook,
}

/// The way of a batch, in microseconds of the client's clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BatchTrail {
    /// When it was offered.
    pub offered_us: u64,
    /// When it was sent for the last time; zero if it never was.
    pub sent_us: u64,
    /// When its user was told.
    pub told_us: u64,
    /// The number of calls.
    pub calls: u32,
    /// The number of refusals for its submitter's share.
    pub refusals: u32,
    /// Times to retry that were stated and then tried.
    pub stated: u32,
    /// Of these, the times that were right within a fifth.
    pub kept: u32,
}

/// The fate of a batch and the way to it.
#[derive(Debug, Clone)]
pub struct BatchTold {
    /// The fate of the batch.
    pub fate: BatchFate,
    /// The way of the batch.
    pub trail: BatchTrail,
}
