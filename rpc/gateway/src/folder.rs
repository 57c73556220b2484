//! The folder that a gateway and its bank share: `out/` is for the bank, `in/` from the bank,
//! `taken/` keeps what the journal rests on, and `held/` what a person is to read.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use chain_types::hash::Sha256Pieces;

use crate::crash::{CrashPlan, CrashPoint};
use crate::fault::GatewayFault;
use crate::journal::{sync_folder, write_synced};
use crate::record::HeldFile;

/// Files that are claimed in one turn.
const FILES_MAX: usize = 64;
/// Bytes that are hashed at a time.
const PIECE_BYTES: usize = 1 << 16;
/// Names of files that are still being written.
const UNFINISHED: [&str; 3] = [".part", ".tmp", ".filepart"];

/// The folder between a gateway and its bank.
#[derive(Debug, Clone)]
pub struct BankFolder {
    root: PathBuf,
}

impl BankFolder {
    /// Names the folder; its parts must exist.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Makes the folder and its parts.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn create(root: &Path) -> Result<(), GatewayFault> {
        for part in ["out", "in", "taken", "taken/claimed", "held"] {
            let path = root.join(part);
            std::fs::create_dir_all(&path).map_err(GatewayFault::io("made", &path))?;
        }
        sync_folder(root)
    }

    /// Puts a message out: beside its place, on disk, and then under its name. The bank never sees
    /// a part of it.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn put(&self, id: &str, xml: &str, crash: &CrashPlan) -> Result<(), GatewayFault> {
        let folder = self.root.join("out");
        let aside = folder.join(format!(".{id}.part"));
        write_synced(&aside, xml.as_bytes())?;
        crash.reach(CrashPoint::MessageAside)?;
        rename(&aside, &folder.join(format!("{id}.xml")))?;
        sync_folder(&folder)
    }

    /// Claims files of the bank: moves them out of `in/`, so that nobody writes into them under
    /// their name. Those that an earlier process had claimed come first.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn claim(&self, crash: &CrashPlan) -> Result<Vec<PathBuf>, GatewayFault> {
        let (from, to) = (self.root.join("in"), self.root.join("taken/claimed"));
        let left = list(&to)?;
        if !left.is_empty() {
            return Ok(left);
        }
        for path in list(&from)?.into_iter().take(FILES_MAX) {
            let Some(name) = path.file_name() else { continue };
            rename(&path, &to.join(name))?;
        }
        sync_folder(&from)?;
        sync_folder(&to)?;
        let claimed = list(&to)?;
        if !claimed.is_empty() {
            crash.reach(CrashPoint::FileClaimed)?;
        }
        Ok(claimed)
    }

    /// Gives a claimed file the name of its content.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn keep(&self, path: &Path, hash: &str) -> Result<(), GatewayFault> {
        rename(path, &self.taken(hash))?;
        sync_folder(&self.root.join("taken"))
    }

    /// Moves a claimed file to those that a person is to read, with what is wrong beside it.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn hold(&self, path: &Path, held: &HeldFile) -> Result<(), GatewayFault> {
        let folder = self.root.join("held");
        let name = format!("{}-{}", &held.hash[..held.hash.len().min(16)], held.name);
        let verdict = format!("{}: {}\n", held.verdict, held.cause);
        write_synced(&folder.join(format!("{name}.txt")), verdict.as_bytes())?;
        rename(path, &folder.join(name))?;
        sync_folder(&folder)
    }

    /// Removes a claimed file that was taken before.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn discard(&self, path: &Path) -> Result<(), GatewayFault> {
        std::fs::remove_file(path).map_err(GatewayFault::io("removed", path))
    }

    /// Returns the path of a taken file.
    pub fn taken(&self, hash: &str) -> PathBuf {
        self.root.join("taken").join(format!("{hash}.xml"))
    }

    /// Claims again what has the name of its content and no record: the process ended in between.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn reclaim(&self, is_recorded: impl Fn(&str) -> bool) -> Result<(), GatewayFault> {
        for path in list(&self.root.join("taken"))? {
            let hash = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            if !is_recorded(hash) {
                let Some(name) = path.file_name() else { continue };
                rename(&path, &self.root.join("taken/claimed").join(name))?;
            }
        }
        Ok(())
    }
}

/// Returns SHA-256 of a file, in hexadecimal digits.
///
/// # Errors
/// When the disk fails.
pub(crate) fn hash_of(path: &Path) -> Result<String, GatewayFault> {
    let mut file = File::open(path).map_err(GatewayFault::io("opened", path))?;
    let (mut pieces, mut piece) = (Sha256Pieces::default(), vec![0; PIECE_BYTES]);
    loop {
        let read = file.read(&mut piece).map_err(GatewayFault::io("read", path))?;
        if read == 0 {
            return Ok(pieces.finish().to_string());
        }
        pieces.update(&piece[..read]);
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), GatewayFault> {
    std::fs::rename(from, to).map_err(GatewayFault::io("renamed", from))
}

/// Lists the finished files of a folder, ascending by name.
fn list(folder: &Path) -> Result<Vec<PathBuf>, GatewayFault> {
    let fault = || GatewayFault::io("read", folder);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fault())? {
        let entry = entry.map_err(fault())?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_unfinished = UNFINISHED.iter().any(|end| name.ends_with(end));
        if entry.file_type().map_err(fault())?.is_file() && !name.starts_with('.') && !is_unfinished
        {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}
