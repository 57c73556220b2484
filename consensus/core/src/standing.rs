//! The standing of a node at a height, and why a validator may be silent there.

/// Why a validator stays silent for the rest of a height. It still follows, and votes again from
/// the next height on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MuteReason {
    /// The guard holds a lock of this height, and the log has not been replayed yet.
    #[error("waiting for the write-ahead log of this height")]
    AwaitingLog,
    /// The guard holds a lock of this height that the log does not explain: the log is lost or
    /// cut, and a vote might go against an own precommit.
    #[error("the write-ahead log does not lead to the block precommitted last")]
    LockLost,
    /// Replaying the log did not lead to the votes in it.
    #[error("replaying the write-ahead log led to other votes than those in it")]
    LogDiverged,
    /// The key signs elsewhere. Unlike the others, this one lasts until the node starts again.
    #[error("this validator's key signs on another machine")]
    KeyElsewhere,
}

/// The part of a node at the running height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Follows only: no height runs, or it is not a validator of it.
    Following,
    /// Signs proposals and votes.
    Voting,
    /// Is a validator, but signs nothing at this height.
    Mute(MuteReason),
}
