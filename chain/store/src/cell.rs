//! A small file that is replaced as a whole: the vote guard.
//!
//! The content stands twice, each copy in a block of its own with a checksum. A write that returned
//! is in both, so one copy that does not read back (torn by a power loss, or rotten) loses
//! nothing, and two are a fault: the cell never silently goes back or becomes empty. A copy that
//! fits one disk sector is written whole or not at all, so both go out with one sync; larger
//! copies go one after the other, each with its own.
//!
//! # A copy of a guard is no guard
//!
//! What a key signed last is known only by the file that the last write went to. A copy may be
//! older than the last signature, and so may a file that a second node writes meanwhile. The cell
//! therefore records on each write which file it writes to ([`FileIdentity`]: inode number and
//! birth time) and when. The file's own time of change is set to that moment. At open the cell
//! compares ([`Cell::is_copied`]); the first write after that makes the file its own.
//!
//! | what happened to the file | seen as a copy |
//! |---|---|
//! | copied by `cp`, `tar`, `rsync`, a file backup; brought to another machine as a file | yes |
//! | an older copy put in its place, perhaps with the same inode number | yes, by its birth time |
//! | an older copy written over it in place, `cp OLD vote.guard` | yes, by its time of change |
//! | the same in place with the old times kept, `cp -p OLD vote.guard` | no |
//! | the disk, its image or a snapshot of it put back or cloned, block by block | no |
//! | its folder moved within a file system; the disk attached elsewhere | no, and it is none |
//! | owner or mode changed; a crash or a power loss at any moment | no, and it is none |
//!
//! For what is not seen here, the replica compares what peers and certificates say of its key.
//! Device numbers are left out: they change when a machine starts again. A file system that does
//! not tell a birth time is judged by the inode number. One that numbers its files anew each time
//! it is mounted (some network and user-space file systems) makes every start look like a copy,
//! which costs the validator some silence each time.
//!
//! The time of change is compared in one direction only. A sync need not make it durable, so it
//! may be older than the last write after a power loss. A newer one means another writer.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chain_types::{ChainId, Digest};

use crate::disk;
use crate::fault::StoreFault;
use crate::home::IfMissing;

const CELL_MAGIC: [u8; 8] = *b"SLUICEC2";
/// The magic of cells of earlier builds, which did not record the file's identity.
const CELL_MAGIC_BEFORE: [u8; 8] = *b"SLUICEC1";
const COPIES: usize = 2;
const COPY_BYTES: usize = 4_096;
/// Magic 8, sequence 8, chain id 32, inode 8, birth time 8, time of the write 8, length 4,
/// checksum 4.
const COPY_HEADER_BYTES: usize = 80;
/// The bytes that every disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;
/// The largest content in bytes.
const CONTENT_BYTES_MAX: usize = COPY_BYTES - COPY_HEADER_BYTES;

/// The identity of a file as long as it is not copied: the same after a rename and a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileIdentity {
    inode: u64,
    /// Nanoseconds since 1970; zero when the file system does not tell.
    born_ns: u64,
}

impl FileIdentity {
    /// The identity of an open file, and the time of its last change in nanoseconds since 1970.
    fn read(file: &File, path: &Path) -> Result<(Self, u64), StoreFault> {
        let metadata = file.metadata().map_err(StoreFault::io("read", path))?;
        let born_ns = metadata.created().map_or(0, nanoseconds);
        let modified = metadata.modified().map_err(StoreFault::io("read", path))?;
        Ok((Self { inode: metadata.ino(), born_ns }, nanoseconds(modified)))
    }
}

fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// The content of a cell's file, in each of its copies.
#[derive(Debug, Clone, PartialEq, Eq)]
struct CellCopy {
    /// Counts the writes; zero before the first.
    sequence: u64,
    chain_id: ChainId,
    /// The file that it was written to.
    file: FileIdentity,
    /// When, in nanoseconds since 1970.
    written_ns: u64,
    content: Vec<u8>,
}

/// A small file that always holds one whole content, durable when [`Cell::write`] returns.
#[derive(Debug)]
pub struct Cell {
    path: PathBuf,
    file: File,
    own: FileIdentity,
    copy: CellCopy,
    is_copied: bool,
    /// The first failure, after which nothing is written any more.
    failure: Option<String>,
}

impl Cell {
    /// Opens the cell of a chain, or makes it empty.
    ///
    /// # Errors
    /// [`StoreFault::Corrupt`] when no copy reads back, [`StoreFault::WrongChain`],
    /// [`StoreFault::Format`] for a file of an earlier build, [`StoreFault::Missing`] when it must
    /// not be made.
    pub fn open(path: &Path, chain_id: ChainId, if_missing: IfMissing) -> Result<Self, StoreFault> {
        if !path.exists() {
            return create(path, chain_id, if_missing);
        }
        let file = disk::open(path)?;
        let (own, modified_ns) = FileIdentity::read(&file, path)?;
        let mut newest: Option<CellCopy> = None;
        let (mut failures, mut is_earlier) = (Vec::new(), false);
        for copy in 0..COPIES {
            let mut bytes = [0; COPY_BYTES];
            let offset = (copy * COPY_BYTES) as u64;
            let found = disk::read_exact_at(&file, path, &mut bytes, offset)?;
            is_earlier |= found && bytes.starts_with(&CELL_MAGIC_BEFORE);
            match found.then(|| parse(&bytes)).flatten() {
                None => failures.push(offset),
                Some(found) if found.chain_id != chain_id => {
                    let (path, found) = (path.to_path_buf(), found.chain_id);
                    return Err(StoreFault::WrongChain { path, found, expected: chain_id });
                }
                Some(found) => {
                    if newest.as_ref().is_none_or(|newest| newest.sequence < found.sequence) {
                        newest = Some(found);
                    }
                }
            }
        }
        let Some(copy) = newest else {
            return Err(unreadable(path, is_earlier));
        };
        if let Some(offset) = failures.first() {
            tracing::warn!(file = %path.display(), offset, "repaired one of two copies");
        }
        let is_copied = copy.sequence > 0 && (copy.file != own || modified_ns > copy.written_ns);
        let path = path.to_path_buf();
        let mut cell = Self { path, file, own, copy, is_copied, failure: None };
        // Both copies the same again, whichever was older or damaged. What shows that the file is
        // a copy stays until the first write.
        if !is_copied {
            cell.stamp();
        }
        cell.write_copies()?;
        Ok(cell)
    }

    /// Returns true if the file is another than the one that the last write went to: it was
    /// restored, copied, or brought from another machine, and what it holds may be older than what
    /// this key signed last. False after a write, and while nothing was ever written.
    pub fn is_copied(&self) -> bool {
        self.is_copied
    }

    /// The content, or `None` before the first write.
    pub fn read(&self) -> Option<&[u8]> {
        (self.copy.sequence > 0).then_some(self.copy.content.as_slice())
    }

    /// Replaces the content, and returns once it is durable.
    ///
    /// # Errors
    /// [`StoreFault::TooLarge`] beyond 4,016 bytes, which changes nothing; [`StoreFault::Io`] when
    /// the disk refuses, and [`StoreFault::Poisoned`] ever after.
    pub fn write(&mut self, content: &[u8]) -> Result<(), StoreFault> {
        if let Some(cause) = &self.failure {
            return Err(StoreFault::Poisoned { cause: cause.clone() });
        }
        if content.len() > CONTENT_BYTES_MAX {
            let (actual, limit) = (content.len() as u64, CONTENT_BYTES_MAX as u64);
            return Err(StoreFault::TooLarge { path: self.path.clone(), actual, limit });
        }
        let before = (self.copy.clone(), self.is_copied);
        self.copy.sequence += 1;
        self.copy.content = content.to_vec();
        self.is_copied = false;
        self.stamp();
        if let Err(fault) = self.write_copies() {
            // Nothing is written any more, and what is read is what was durable.
            (self.copy, self.is_copied) = before;
            self.failure = Some(fault.to_string());
            return Err(fault);
        }
        Ok(())
    }

    /// Says that the copy is of this file and of this moment.
    fn stamp(&mut self) {
        self.copy.file = self.own;
        // Ascending, whatever the clock does.
        self.copy.written_ns = nanoseconds(SystemTime::now()).max(self.copy.written_ns + 1);
    }

    fn write_copies(&mut self) -> Result<(), StoreFault> {
        let bytes = to_bytes(&self.copy);
        for index in 0..COPIES {
            let offset = (index * COPY_BYTES) as u64;
            disk::write_all_at(&self.file, &self.path, &[&bytes], offset)?;
            if bytes.len() > SECTOR_BYTES || index + 1 == COPIES {
                if !self.is_copied {
                    set_modified(&self.file, &self.path, self.copy.written_ns)?;
                }
                disk::sync_data(&self.file, &self.path)?;
            }
        }
        Ok(())
    }
}

fn set_modified(file: &File, path: &Path, time_ns: u64) -> Result<(), StoreFault> {
    let time = UNIX_EPOCH + Duration::from_nanos(time_ns);
    file.set_modified(time).map_err(StoreFault::io("set the time of", path))
}

fn unreadable(path: &Path, is_earlier: bool) -> StoreFault {
    if is_earlier {
        let found = "the form of an earlier build".to_owned();
        return StoreFault::Format { path: path.to_path_buf(), found, expected: "SLUICEC2" };
    }
    let what = "neither of the two copies reads back, so what this key signed last is not known";
    StoreFault::corrupt(path, 0, what)
}

fn create(path: &Path, chain_id: ChainId, if_missing: IfMissing) -> Result<Cell, StoreFault> {
    if if_missing == IfMissing::Refuse {
        let remedy = "this key may have signed and the node would not know what: it must stay \
                      silent until it cannot have voted (never put a copy in the file's place)";
        return Err(StoreFault::Missing { path: path.to_path_buf(), remedy });
    }
    let mut copy = CellCopy {
        sequence: 0,
        chain_id,
        file: FileIdentity { inode: 0, born_ns: 0 },
        written_ns: 0,
        content: Vec::new(),
    };
    let file = disk::create_whole(path, |file, temporary| {
        (copy.file, copy.written_ns) = FileIdentity::read(file, temporary)?;
        let bytes = to_bytes(&copy);
        for index in 0..COPIES {
            let rest = vec![0; COPY_BYTES - bytes.len()];
            let offset = (index * COPY_BYTES) as u64;
            disk::write_all_at(file, temporary, &[&bytes, &rest], offset)?;
        }
        Ok(())
    })?;
    let (path, own) = (path.to_path_buf(), copy.file);
    Ok(Cell { path, file, own, copy, is_copied: false, failure: None })
}

fn to_bytes(copy: &CellCopy) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(COPY_HEADER_BYTES + copy.content.len());
    bytes.extend_from_slice(&CELL_MAGIC);
    bytes.extend_from_slice(&copy.sequence.to_le_bytes());
    bytes.extend_from_slice(&copy.chain_id.digest().bytes());
    for number in [copy.file.inode, copy.file.born_ns, copy.written_ns] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(&(copy.content.len() as u32).to_le_bytes());
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&bytes), &copy.content);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes.extend_from_slice(&copy.content);
    bytes
}

/// The copy in these bytes; `None` when it does not read back.
fn parse(bytes: &[u8; COPY_BYTES]) -> Option<CellCopy> {
    let (magic, rest) = bytes.split_first_chunk::<8>()?;
    let (sequence, rest) = number(rest)?;
    let (chain_id, rest) = rest.split_first_chunk::<32>()?;
    let (inode, rest) = number(rest)?;
    let (born_ns, rest) = number(rest)?;
    let (written_ns, rest) = number(rest)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (checksum, rest) = rest.split_first_chunk::<4>()?;
    let content = rest.get(..u32::from_le_bytes(*length) as usize)?;
    let covered = crc32c::crc32c(&bytes[..COPY_HEADER_BYTES - 4]);
    let holds = *magic == CELL_MAGIC
        && crc32c::crc32c_append(covered, content) == u32::from_le_bytes(*checksum);
    holds.then(|| CellCopy {
        sequence,
        chain_id: ChainId::new(Digest::from_bytes(*chain_id)),
        file: FileIdentity { inode, born_ns },
        written_ns,
        content: content.to_vec(),
    })
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_le_bytes(*number), rest))
}
