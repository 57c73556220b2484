//! Faults that the operator has to deal with. Every fault says where, what and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use chain_types::{BlockHash, ChainId, Height};

use crate::file_names::{CONSENSUS_LOG_FILE, VOTE_GUARD_FILE};

/// The remedy when the home's copy of the chain is damaged. The guard stays where it is: moved by a
/// copy it would be one.
pub(crate) const FETCH_REMEDY: &str = "keep vote.guard where it is (never put a copy of one \
    there), move everything else out of the home, and start: the node fetches the chain from its \
    peers; docs/backup-and-restore.md has the steps";
const GUARD_REMEDY: &str = "move vote.guard away and start: the validator stays silent until it \
    cannot have voted before (never put a copy of a guard in its place: that makes a key sign \
    twice)";
const LOG_REMEDY: &str = "move consensus.wal away and start: the validator is silent at the height \
    whose lock was lost (never put a copy of a log in its place)";

/// Returns the remedy for a damaged file.
fn remedy_of(path: &Path) -> &'static str {
    let name = path.file_name().and_then(|name| name.to_str());
    match name {
        Some(VOTE_GUARD_FILE) => GUARD_REMEDY,
        Some(CONSENSUS_LOG_FILE) => LOG_REMEDY,
        _ => FETCH_REMEDY,
    }
}

/// Why the store cannot do what was asked. None of these is a user's fault.
#[derive(Debug, thiserror::Error)]
pub enum StoreFault {
    /// The operating system refused a file operation.
    #[error(
        "cannot {action} {}: {source}; check the disk, its free space and the folder's owner",
        path.display()
    )]
    Io {
        /// The operation that failed, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// Bytes that were durable are no longer what was written.
    #[error("{} is corrupt at offset {offset}: {what}; {}", path.display(), remedy_of(path))]
    Corrupt {
        /// The file that is damaged.
        path: PathBuf,
        /// The offset of the damage, in bytes.
        offset: u64,
        /// The damage, for people.
        what: String,
    },
    /// A file that must be there is not.
    #[error("{} is missing; {remedy}", path.display())]
    Missing {
        /// The file that is missing.
        path: PathBuf,
        /// The remedy in one sentence.
        remedy: &'static str,
    },
    /// Another process has the home open.
    #[error(
        "{} is in use by {holder}; stop that process first: two nodes on one home would sign \
         twice",
        folder.display()
    )]
    Locked {
        /// The folder of the home.
        folder: PathBuf,
        /// The process that holds it, as far as the lock file says.
        holder: String,
    },
    /// The file or home belongs to another chain.
    #[error(
        "{} belongs to chain {found}, not to {expected}; use the genesis file of that chain, or \
         another home",
        path.display()
    )]
    WrongChain {
        /// The file or home.
        path: PathBuf,
        /// The chain it belongs to.
        found: ChainId,
        /// The chain it was opened for.
        expected: ChainId,
    },
    /// The file or home has a form that this program does not know.
    #[error("{} has {found}, but this program reads {expected}; use the matching release", path.display())]
    Format {
        /// The file or home.
        path: PathBuf,
        /// The format that the file states.
        found: String,
        /// The format that this program reads.
        expected: &'static str,
    },
    /// The index cannot be read or written.
    #[error(
        "the index cannot {action}: {source}; check the disk; if the index is damaged, move the \
         folder index/ away: it is made again from the block files"
    )]
    Index {
        /// The operation that failed, as a verb.
        action: &'static str,
        /// The reason that RocksDB gives.
        source: rocksdb::Error,
    },
    /// The index holds a value that does not decode.
    #[error(
        "table {table} of the index holds a damaged value: {what}; move the folder index/ away: \
         it is made again from the block files"
    )]
    IndexValue {
        /// The table of the index.
        table: &'static str,
        /// The damage, for people.
        what: String,
    },
    /// The block files end before what the index already knew as durable.
    #[error(
        "the block files end at height {head}, but the {what} is at height {known}: block files \
         were lost or older ones were put in their place; {FETCH_REMEDY}"
    )]
    Regression {
        /// The last certified height of the block files.
        head: Height,
        /// The part that is further on: the checkpoint or the index.
        what: &'static str,
        /// How far it is.
        known: Height,
    },
    /// An earlier write or fsync failed, so nothing read or written since can be trusted.
    #[error("the store stopped after a failure ({cause}); fix its cause and start the node again")]
    Poisoned {
        /// The cause of the first failure, after which the store refuses writes.
        cause: String,
    },
    /// A file of a backup is not what the backup's manifest says.
    #[error(
        "{} is not what the backup's manifest says: {what}; nothing was restored: use another \
         backup",
        path.display()
    )]
    Backup {
        /// The file that differs from the manifest.
        path: PathBuf,
        /// The difference, for people.
        what: String,
    },
    /// A backup or a restore needs a folder that is not there or empty.
    #[error("{} is not empty; name a new or an empty folder", folder.display())]
    Occupied {
        /// The folder that is not empty.
        folder: PathBuf,
    },
    /// The height does not follow the head.
    #[error("height {height} was given where {expected} follows")]
    OutOfOrder {
        /// The height that follows.
        expected: Height,
        /// The height that the caller gave.
        height: Height,
    },
    /// A certificate came for a block that was never staged.
    #[error("block {block} of height {height} is certified but not staged")]
    NotStaged {
        /// The height that the certificate is for.
        height: Height,
        /// The block that the certificate is for.
        block: BlockHash,
    },
    /// More bytes than the file's form can hold.
    #[error("{actual} bytes for {}, which holds at most {limit} at once", path.display())]
    TooLarge {
        /// The file whose record is too long.
        path: PathBuf,
        /// The length of the record, in bytes.
        actual: u64,
        /// The longest record that fits, in bytes.
        limit: u64,
    },
}

impl StoreFault {
    /// Turns the operating system's refusal of `action` on `path` into a fault.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }

    /// The same for calls made through `rustix`.
    pub(crate) fn errno(
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(rustix::io::Errno) -> Self {
        let path = path.to_path_buf();
        move |errno| Self::Io { action, path, source: errno.into() }
    }

    pub(crate) fn index(action: &'static str) -> impl FnOnce(rocksdb::Error) -> Self {
        move |source| Self::Index { action, source }
    }

    pub(crate) fn corrupt(path: &Path, offset: u64, what: impl Into<String>) -> Self {
        Self::Corrupt { path: path.to_path_buf(), offset, what: what.into() }
    }
}
