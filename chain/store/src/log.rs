//! The consensus log: what consensus must remember to keep its lock on a block.
//!
//! One file, preallocated with zeros so that a sync moves data only. Every append is one frame and
//! one sync, so a frame that reads back proves that those before it were durable: bytes before it
//! that do not read back are rot, and only the last frame can be torn.

use std::fs::File;
use std::path::{Path, PathBuf};

use chain_types::{ChainId, Height};

use crate::disk;
use crate::fault::StoreFault;
use crate::frame::{FILE_HEADER_BYTES, FileHeader, FrameFile, FrameHeader, frame_bytes, padding};
use crate::home::IfMissing;

const LOG_MAGIC: [u8; 8] = *b"SLUICEWL";
const ENTRIES_KIND: u8 = 1;
/// Bytes that the file is made with; it is made anew when it is full.
const LOG_BYTES: u64 = 4 * 1024 * 1024;
/// The most bytes of one append.
const APPEND_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// An entry of the [`Log`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The height it belongs to.
    pub height: Height,
    /// The bytes that were appended.
    pub bytes: Vec<u8>,
}

/// A checksummed file of entries, each durable when [`Log::append`] returns.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    chain_id: ChainId,
    file: File,
    salt: u64,
    end: u64,
    room: u64,
    /// Entries of lower heights are left out when the file is made anew.
    kept_from: Height,
    /// The first failure, after which nothing is written any more.
    failure: Option<String>,
}

impl Log {
    /// Opens the log of a chain, or makes it, and returns its entries of heights from `from` on,
    /// in the order in which they were appended. A tail whose append never returned is left out.
    ///
    /// # Errors
    /// [`StoreFault::Corrupt`] when bytes before a whole entry do not read back,
    /// [`StoreFault::WrongChain`], [`StoreFault::Missing`] when it must not be made.
    pub fn open(
        path: &Path,
        chain_id: ChainId,
        from: Height,
        if_missing: IfMissing,
    ) -> Result<(Self, Vec<LogEntry>), StoreFault> {
        if !path.exists() {
            return create(path, chain_id, from, if_missing);
        }
        let file = disk::open(path)?;
        let header = FileHeader::read(&file, path, LOG_MAGIC, 0, chain_id)?;
        let frames = FrameFile { file: &file, path, number: 0, salt: header.salt };
        let (entries, end) = read(&frames)?;
        if let Some(later) = frames.find_after(end, |_| true)? {
            let what = format!("no entry reads back there, but the one at {} does", later.offset);
            return Err(StoreFault::corrupt(path, end, what));
        }
        let torn = frames.is_written_after(end)?;
        let room = disk::length(&file, path)?;
        let mut log = Self {
            path: path.to_path_buf(),
            chain_id,
            file,
            salt: header.salt,
            end,
            room,
            kept_from: from,
            failure: None,
        };
        if torn {
            tracing::warn!(file = %path.display(), offset = end, "skipped an incomplete append");
            log.renew(&[])?;
        }
        // What a killed process wrote may still be in memory only.
        disk::sync_data(&log.file, &log.path)?;
        Ok((log, entries.into_iter().filter(|entry| entry.height >= from).collect()))
    }

    /// Makes the log of a chain anew, empty, also in place of one that is there: what it held goes
    /// with a vote guard that is not this node's own memory any more.
    ///
    /// # Errors
    /// [`StoreFault::Io`] when the disk refuses.
    pub fn make_anew(path: &Path, chain_id: ChainId, from: Height) -> Result<Self, StoreFault> {
        Ok(create(path, chain_id, from, IfMissing::Create)?.0)
    }

    /// Appends entries of a height, in one write and one sync, and returns once they are durable.
    /// After a crash all of them are there or none.
    ///
    /// # Errors
    /// [`StoreFault::Io`] when the disk refuses, and [`StoreFault::Poisoned`] ever after;
    /// [`StoreFault::TooLarge`] beyond 64 MiB at once.
    pub fn append(
        &mut self,
        height: Height,
        entries: &[impl AsRef<[u8]>],
    ) -> Result<(), StoreFault> {
        if let Some(cause) = &self.failure {
            return Err(StoreFault::Poisoned { cause: cause.clone() });
        }
        if entries.is_empty() {
            return Ok(());
        }
        let body = to_body(entries);
        let (actual, limit) = (body.len() as u64, APPEND_BYTES_MAX);
        if actual > limit {
            return Err(StoreFault::TooLarge { path: self.path.clone(), actual, limit });
        }
        let result = self.write(height, &body);
        if let Err(fault) = &result {
            self.failure = Some(fault.to_string());
        }
        result
    }

    /// Lets entries of heights below `below` go, when room is next needed.
    ///
    /// Call it with a height only once the certificate of the height before is durable, that is
    /// after a block of `below` was staged; at a commit of height `h`, `prune(h)` is safe. An
    /// entry that went earlier would take the lock with it that makes a quorum decide the same
    /// block again after all of them lost power.
    pub fn prune(&mut self, below: Height) {
        self.kept_from = self.kept_from.max(below);
    }

    fn write(&mut self, height: Height, body: &[u8]) -> Result<(), StoreFault> {
        if self.end + frame_bytes(body.len() as u64) > self.room {
            return self.renew(&[(height, body)]);
        }
        let end = write_frame(&self.file, &self.path, self.salt, self.end, height, body)?;
        disk::sync_data(&self.file, &self.path)?;
        self.end = end;
        Ok(())
    }

    /// Makes the file anew from the entries that are kept and `more`, whole or not at all.
    fn renew(&mut self, more: &[(Height, &[u8])]) -> Result<(), StoreFault> {
        let frames = FrameFile { file: &self.file, path: &self.path, number: 0, salt: self.salt };
        let kept = read_bodies(&frames)?.0;
        let kept = kept.iter().filter(|(height, _)| *height >= self.kept_from);
        let bodies: Vec<(Height, &[u8])> = kept
            .map(|(height, body)| (*height, body.as_slice()))
            .chain(more.iter().copied())
            .collect();
        let (file, salt, end, room) = make(&self.path, self.chain_id, &bodies)?;
        (self.file, self.salt, self.end, self.room) = (file, salt, end, room);
        Ok(())
    }
}

fn create(
    path: &Path,
    chain_id: ChainId,
    from: Height,
    if_missing: IfMissing,
) -> Result<(Log, Vec<LogEntry>), StoreFault> {
    if if_missing == IfMissing::Refuse {
        let remedy = "this node may have voted and would not know it (never put a copy in the \
                      file's place)";
        return Err(StoreFault::Missing { path: path.to_path_buf(), remedy });
    }
    let (file, salt, end, room) = make(path, chain_id, &[])?;
    let path = path.to_path_buf();
    let log = Log { path, chain_id, file, salt, end, room, kept_from: from, failure: None };
    Ok((log, Vec::new()))
}

/// Writes a whole log file; returns it with its salt, its end and its length.
fn make(
    path: &Path,
    chain_id: ChainId,
    bodies: &[(Height, &[u8])],
) -> Result<(File, u64, u64, u64), StoreFault> {
    let header = FileHeader::new(LOG_MAGIC, 0, chain_id, 0);
    let used: u64 = bodies.iter().map(|(_, body)| frame_bytes(body.len() as u64)).sum();
    let room = (2 * (FILE_HEADER_BYTES + used)).max(LOG_BYTES);
    let mut end = FILE_HEADER_BYTES;
    let file = disk::create_whole(path, |file, temporary| {
        // Real zeros: the first sync of a block that was only reserved costs twice as much.
        let zeros = vec![0; LOG_BYTES as usize];
        for start in (0..room).step_by(zeros.len()) {
            let size = (room - start).min(zeros.len() as u64) as usize;
            disk::write_all_at(file, temporary, &[&zeros[..size]], start)?;
        }
        disk::write_all_at(file, temporary, &[&header.to_bytes()], 0)?;
        for (height, body) in bodies {
            end = write_frame(file, temporary, header.salt, end, *height, body)?;
        }
        Ok(())
    })?;
    Ok((file, header.salt, end, room))
}

fn write_frame(
    file: &File,
    path: &Path,
    salt: u64,
    offset: u64,
    height: Height,
    body: &[u8],
) -> Result<u64, StoreFault> {
    let length = body.len() as u32;
    let checksum = crc32c::crc32c(body);
    let header =
        FrameHeader { kind: ENTRIES_KIND, length, checksum, offset, mark: height.get(), file: 0 };
    let opening = header.to_bytes(salt);
    let slices = [opening.as_slice(), body, padding(u64::from(length))];
    disk::write_all_at(file, path, &slices, offset)?;
    Ok(header.end())
}

/// The body of a frame: for each entry its length (4 bytes, little-endian) and its bytes.
fn to_body(entries: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let mut body = Vec::new();
    for entry in entries {
        let entry = entry.as_ref();
        body.extend_from_slice(&(entry.len() as u32).to_le_bytes());
        body.extend_from_slice(entry);
    }
    body
}

fn from_body(mut body: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut entries = Vec::new();
    while !body.is_empty() {
        let (length, rest) = body.split_first_chunk::<4>()?;
        let (entry, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        entries.push(entry.to_vec());
        body = rest;
    }
    Some(entries)
}

type Bodies = Vec<(Height, Vec<u8>)>;

fn read_bodies(frames: &FrameFile<'_>) -> Result<(Bodies, u64), StoreFault> {
    let mut bodies = Vec::new();
    let end = frames.scan(FILE_HEADER_BYTES, |header, body| {
        bodies.push((Height::new(header.mark), body));
        Ok(())
    })?;
    Ok((bodies, end))
}

fn read(frames: &FrameFile<'_>) -> Result<(Vec<LogEntry>, u64), StoreFault> {
    let (bodies, end) = read_bodies(frames)?;
    let mut entries = Vec::new();
    for (height, body) in bodies {
        let found = from_body(&body).ok_or_else(|| {
            StoreFault::corrupt(frames.path, end, "an entry's length passes its frame's end")
        })?;
        entries.extend(found.into_iter().map(|bytes| LogEntry { height, bytes }));
    }
    Ok((entries, end))
}
