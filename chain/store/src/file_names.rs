//! The names of what lies in a home folder.

/// The file of the consensus log, in the home folder. See [`crate::Log`].
pub const CONSENSUS_LOG_FILE: &str = "consensus.wal";
/// The file of the vote guard, in the home folder. See [`crate::Cell`].
pub const VOTE_GUARD_FILE: &str = "vote.guard";

pub(crate) const LOCK_FILE: &str = "LOCK";
pub(crate) const MARKER_FILE: &str = "chain-id";
pub(crate) const BLOCKS_FOLDER: &str = "blocks";
pub(crate) const INDEX_FOLDER: &str = "index";
pub(crate) const RUNS_FOLDER: &str = "runs";
pub(crate) const CHECKPOINTS_FOLDER: &str = "checkpoints";
/// The folder in which a restore makes a home, within the folder that it will be.
pub(crate) const RESTORING_FOLDER: &str = "restoring";
