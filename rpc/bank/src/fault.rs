//! Faults that stop the bank. A message of a gateway never does.

use std::io;
use std::path::{Path, PathBuf};

/// Why the bank cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum BankFault {
    /// A file or a folder cannot be used.
    #[error("{} cannot be {action}: {source}", path.display())]
    Io {
        /// The act that failed, as a participle.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The reason that the system gives.
        source: io::Error,
    },
    /// Another process writes the journal.
    #[error("{} is in use: one bank works with a journal at a time", .0.display())]
    Locked(PathBuf),
    /// The folder is not one that a gateway shares.
    #[error("{} has no out/ and in/: name a gateway's home, or the folder that it shares", .0.display())]
    NoFolder(PathBuf),
    /// A line of the journal is damaged, and others follow it.
    #[error("line {line} of {} is damaged: restore it from a copy", path.display())]
    Damaged {
        /// Path of the journal.
        path: PathBuf,
        /// The number of the line, from 1.
        line: usize,
    },
    /// The journal is that of another seed.
    #[error(
        "the journal is of seed {found}, and not of {asked}: name that seed, or another journal"
    )]
    OtherSeed {
        /// The seed of the journal.
        found: u64,
        /// The seed that was asked for.
        asked: u64,
    },
}

impl BankFault {
    /// Returns what makes a fault of the system's error.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
