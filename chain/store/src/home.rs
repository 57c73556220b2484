//! The home folder: who holds it and whose it is.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use chain_types::ChainId;
use rustix::fs::FlockOperation;

use crate::disk;
use crate::fault::StoreFault;
use crate::file_names::{
    BLOCKS_FOLDER, CHECKPOINTS_FOLDER, CONSENSUS_LOG_FILE, INDEX_FOLDER, LOCK_FILE, MARKER_FILE,
    RESTORING_FOLDER, RUNS_FOLDER, VOTE_GUARD_FILE,
};

const FORMAT_LINE: &str = "sluice home, format 6";

/// The action when a file of the home is missing at its opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfMissing {
    /// Makes the file, empty.
    Create,
    /// Return a [`StoreFault::Missing`]: a node that forgot what it signed must not sign.
    Refuse,
}

/// A home that this process holds, until it is dropped.
#[derive(Debug)]
pub(crate) struct Home {
    folder: PathBuf,
    created: bool,
    /// Closing it gives up the lock.
    _lock: File,
}

impl Home {
    /// Takes the home's lock and checks whose it is; makes the home if there is none.
    pub fn open(folder: &Path, chain_id: ChainId) -> Result<Self, StoreFault> {
        disk::create_folder(folder)?;
        let lock = lock(folder)?;
        let created = claim(folder, chain_id)?;
        let home = Self { folder: folder.to_path_buf(), created, _lock: lock };
        for part in [home.blocks(), home.runs(), home.checkpoints()] {
            disk::create_folder(&part)?;
        }
        Ok(home)
    }

    /// Returns true if [`Self::open`] made it.
    pub fn created(&self) -> bool {
        self.created
    }

    pub fn blocks(&self) -> PathBuf {
        self.folder.join(BLOCKS_FOLDER)
    }

    pub fn index(&self) -> PathBuf {
        self.folder.join(INDEX_FOLDER)
    }

    pub fn runs(&self) -> PathBuf {
        self.folder.join(RUNS_FOLDER)
    }

    pub fn checkpoints(&self) -> PathBuf {
        self.folder.join(CHECKPOINTS_FOLDER)
    }

    /// Bytes of the consensus log and the vote guard.
    pub fn consensus_bytes(&self) -> u64 {
        [CONSENSUS_LOG_FILE, VOTE_GUARD_FILE]
            .iter()
            .filter_map(|name| std::fs::metadata(self.folder.join(name)).ok())
            .map(|metadata| metadata.len())
            .sum()
    }
}

pub(crate) fn lock(folder: &Path) -> Result<File, StoreFault> {
    let path = folder.join(LOCK_FILE);
    let mut file = disk::open_or_create(&path)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut holder = String::new();
            // The text is for people only: without it the fault says less, and stays one.
            let _ = file.read_to_string(&mut holder);
            let holder = match holder.trim() {
                "" => "another process".to_owned(),
                text => text.to_owned(),
            };
            return Err(StoreFault::Locked { folder: folder.to_path_buf(), holder });
        }
        Err(errno) => return Err(StoreFault::errno("lock", &path)(errno)),
    }
    file.set_len(0).map_err(StoreFault::io("write", &path))?;
    writeln!(file, "process {}", std::process::id()).map_err(StoreFault::io("write", &path))?;
    Ok(file)
}

/// The chain of the home in `folder`, which another process may have open.
///
/// # Errors
/// [`StoreFault::Io`] when it is no home, and when its file has another form.
pub fn chain_of_home(folder: &Path) -> Result<ChainId, StoreFault> {
    let path = folder.join(MARKER_FILE);
    let text = std::fs::read_to_string(&path).map_err(StoreFault::io("read", &path))?;
    chain_in(&path, &text)
}

/// Writes the chain id into a new home, or compares it with that of an old one.
fn claim(folder: &Path, chain_id: ChainId) -> Result<bool, StoreFault> {
    let path = folder.join(MARKER_FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if folder.join(BLOCKS_FOLDER).exists() || folder.join(INDEX_FOLDER).exists() {
                let remedy = "the folder holds a chain and nothing says which: it may be a \
                              restore that never ended; choose an empty folder";
                return Err(StoreFault::Missing { path, remedy });
            }
            if folder.join(RESTORING_FOLDER).exists() {
                let remedy = "a restore into this folder never ended; empty the folder and \
                              restore again";
                return Err(StoreFault::Missing { path, remedy });
            }
            disk::write_text(&path, &format!("{FORMAT_LINE}\n{chain_id}\n"))?;
            return Ok(true);
        }
        Err(error) => return Err(StoreFault::io("read", &path)(error)),
    };
    match chain_in(&path, &text)? {
        found if found == chain_id => Ok(false),
        found => Err(StoreFault::WrongChain { path, found, expected: chain_id }),
    }
}

/// The chain that the marker's text names.
fn chain_in(path: &Path, text: &str) -> Result<ChainId, StoreFault> {
    let mut lines = text.lines();
    let format = lines.next().unwrap_or_default();
    if format != FORMAT_LINE {
        let (path, found) = (path.to_path_buf(), format!("the first line {format:?}"));
        return Err(StoreFault::Format { path, found, expected: FORMAT_LINE });
    }
    let found = lines.next().and_then(|line| ChainId::from_str(line).ok());
    found.ok_or_else(|| StoreFault::corrupt(path, 0, "the second line is not a chain id"))
}
