//! Faults that stop a gateway. A word of the bank or a refusal of the chain never does.

use std::io;
use std::path::{Path, PathBuf};

use crate::accounts::AccountBookFault;
use crate::crash::CrashPoint;
use crate::plan::PlanFault;
use crate::profile::ProfileFault;

/// Why a gateway cannot go on. It ends, and goes on from its journal when it is started again.
#[derive(Debug, thiserror::Error)]
pub enum GatewayFault {
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
    /// Another process works in the home.
    #[error("{} is in use: one gateway works in a home at a time", .0.display())]
    Locked(PathBuf),
    /// There is a home already.
    #[error("{} exists: a home is never made again", .0.display())]
    Exists(PathBuf),
    /// A record of the journal is damaged, and others follow it: nothing may be cut off.
    #[error(
        "the journal is damaged at byte {offset}: restore it from a copy; nothing is cut off, for \
         what is forgotten could be paid again"
    )]
    Damaged {
        /// The place of the damaged record.
        offset: u64,
    },
    /// The journal is that of another gateway or another chain.
    #[error("the journal is of {found}, the configuration of {expected}")]
    Stranger {
        /// The owner of the journal.
        found: String,
        /// The owner of the configuration.
        expected: String,
    },
    /// A file of the bank that the journal rests on is missing or changed.
    #[error("{} is missing or changed: decisions rest on it, restore it from a copy", .0.display())]
    Evidence(PathBuf),
    /// The profile cannot be used.
    #[error(transparent)]
    Profile(#[from] ProfileFault),
    /// The account book cannot be used.
    #[error(transparent)]
    Accounts(#[from] AccountBookFault),
    /// A message cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanFault),
    /// A text is no day.
    #[error("{0:?} is not a day such as 2026-11-30")]
    Day(String),
    /// A test stops the gateway here.
    #[error("stopped at {}", .0.name())]
    Stopped(CrashPoint),
}

impl From<CrashPoint> for GatewayFault {
    fn from(point: CrashPoint) -> Self {
        Self::Stopped(point)
    }
}

impl GatewayFault {
    /// Returns what makes a fault of the system's error.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
