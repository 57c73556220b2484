//! Block files: numbered from 1 without a gap, each preallocated and filled by appending frames.
//!
//! A file that is full is synced before the next one begins, and the next one's header says where
//! it ends; so only the last file can have a torn tail.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bincode::{Decode, Encode};
use bytes::Bytes;
use chain_types::ChainId;

use crate::cached_files::CachedFiles;
use crate::disk;
use crate::fault::{FETCH_REMEDY, StoreFault};
use crate::frame::{
    FILE_HEADER_BYTES, FRAME_HEADER_BYTES, FileHeader, FrameFile, FrameHeader, frame_bytes, padding,
};
use crate::options::StoreOptions;

pub(crate) const BLOCK_FILE_MAGIC: [u8; 8] = *b"SLUICEBK";
pub(crate) const BLOCK_FILE_SUFFIX: &str = ".blk";
const TEMPORARY_SUFFIX: &str = ".blk.new";

/// The content of a frame in a block file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// A batch id and the batch's bytes as they were sent.
    Payload = 1,
    /// The outcomes of a block's items.
    Outcomes = 2,
    /// A block, and where its payload and outcomes stand.
    Block = 3,
    /// A certificate, and where its block stands.
    Certificate = 4,
}

impl Kind {
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Payload, Self::Outcomes, Self::Block, Self::Certificate]
            .into_iter()
            .find(|kind| *kind as u8 == number)
    }
}

/// The place of a frame in the block files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub(crate) struct Position {
    /// The number of the block file, from 0.
    pub file: u32,
    /// The offset of the frame's first byte in the file, in bytes.
    pub offset: u64,
    /// Bytes of its body.
    pub length: u32,
}

impl Position {
    /// Returns the offset of the first byte after the frame.
    pub const fn end(&self) -> u64 {
        self.offset + frame_bytes(self.length as u64)
    }
}

/// One open block file.
#[derive(Debug)]
pub(crate) struct BlockFile {
    pub file: File,
    pub path: PathBuf,
    pub header: FileHeader,
}

impl BlockFile {
    pub fn frames(&self) -> FrameFile<'_> {
        FrameFile {
            file: &self.file,
            path: &self.path,
            number: self.header.number,
            salt: self.header.salt,
        }
    }
}

/// The block files of a home, for reading. A lock is held to find an open file, never to read one.
#[derive(Debug)]
pub(crate) struct BlockFiles {
    folder: PathBuf,
    chain_id: ChainId,
    open_max: usize,
    open: Mutex<BTreeMap<u32, Arc<BlockFile>>>,
}

impl BlockFiles {
    pub fn new(folder: PathBuf, chain_id: ChainId, open_max: usize) -> Self {
        Self { folder, chain_id, open_max: open_max.max(2), open: Mutex::default() }
    }

    /// Gives up pages of a file. One that cannot be opened is for its readers to report.
    fn release(&self, number: u32, from: u64, bytes: u64) {
        if let Ok(file) = self.file(number) {
            disk::release_pages(&file.file, from, bytes);
        }
    }

    /// The headers of all files, by number, after checking that none is missing. Creations that
    /// never ended are removed.
    pub fn list(&self) -> Result<Vec<FileHeader>, StoreFault> {
        let mut numbers = Vec::new();
        let fault = || StoreFault::io("list", &self.folder);
        for entry in std::fs::read_dir(&self.folder).map_err(fault())? {
            let name = entry.map_err(fault())?.file_name();
            let name = name.to_string_lossy();
            if name.ends_with(TEMPORARY_SUFFIX) {
                let path = self.folder.join(name.as_ref());
                std::fs::remove_file(&path).map_err(StoreFault::io("remove", &path))?;
            } else if let Some(number) = number_of(&name) {
                numbers.push(number);
            }
        }
        numbers.sort_unstable();
        let mut headers: Vec<FileHeader> = Vec::with_capacity(numbers.len());
        for (expected, number) in (1..).zip(numbers) {
            if number != expected {
                let path = self.path(expected);
                return Err(StoreFault::Missing { path, remedy: FETCH_REMEDY });
            }
            let header = self.file(number)?.header;
            if let Some(before) = number.checked_sub(1).filter(|before| *before > 0) {
                self.check_length(before, header.previous_end)?;
            }
            headers.push(header);
        }
        Ok(headers)
    }

    fn check_length(&self, number: u32, end: u64) -> Result<(), StoreFault> {
        let path = self.path(number);
        let length = std::fs::metadata(&path).map_err(StoreFault::io("read", &path))?.len();
        if length < end {
            let what = format!("the file was full at {end} bytes and now has {length}");
            return Err(StoreFault::corrupt(&path, length, what));
        }
        Ok(())
    }

    /// The path of the file of a number.
    pub fn path(&self, number: u32) -> PathBuf {
        self.folder.join(format!("{number:08}{BLOCK_FILE_SUFFIX}"))
    }

    /// The open file of a number.
    pub fn file(&self, number: u32) -> Result<Arc<BlockFile>, StoreFault> {
        if let Some(found) = self.open().get(&number) {
            return Ok(found.clone());
        }
        let path = self.path(number);
        let file = disk::open(&path)?;
        let header = FileHeader::read(&file, &path, BLOCK_FILE_MAGIC, number, self.chain_id)?;
        Ok(self.keep(BlockFile { file, path, header }))
    }

    fn keep(&self, file: BlockFile) -> Arc<BlockFile> {
        let number = file.header.number;
        let file = Arc::new(file);
        let mut open = self.open();
        open.insert(number, file.clone());
        while open.len() > self.open_max {
            // The oldest goes: a reader that walks up the chain is done with it.
            let oldest = open.keys().copied().find(|other| *other != number);
            oldest.and_then(|oldest| open.remove(&oldest));
        }
        file
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<u32, Arc<BlockFile>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The body of the frame at `position`, checked.
    pub fn read(&self, position: Position, kind: Kind) -> Result<Bytes, StoreFault> {
        let (header, bytes) = self.read_frame(position, kind, position.length as usize)?;
        let body = Bytes::from(bytes).slice(FRAME_HEADER_BYTES..);
        if header.checksum == crc32c::crc32c(&body) {
            Ok(body)
        } else {
            Err(self.unreadable(position, kind))
        }
    }

    /// The first `length` bytes of the body of the frame at `position`. Its header is checked; the
    /// checksum of a body needs all of it, so that the caller must know the bytes otherwise.
    pub fn read_start(
        &self,
        position: Position,
        kind: Kind,
        length: usize,
    ) -> Result<Vec<u8>, StoreFault> {
        let (_, mut bytes) = self.read_frame(position, kind, length)?;
        Ok(bytes.split_off(FRAME_HEADER_BYTES))
    }

    /// The header of the frame at `position`, checked, and its bytes with the first `length` of the
    /// body.
    fn read_frame(
        &self,
        position: Position,
        kind: Kind,
        length: usize,
    ) -> Result<(FrameHeader, Vec<u8>), StoreFault> {
        let bytes = self.read_part(position, 0..FRAME_HEADER_BYTES + length)?;
        let FileHeader { salt, number, .. } = self.file(position.file)?.header;
        FrameHeader::from_bytes(&bytes, salt, number, position.offset)
            .filter(|found| found.kind == kind as u8 && found.length == position.length)
            .map(|header| (header, bytes))
            .ok_or_else(|| self.unreadable(position, kind))
    }

    fn unreadable(&self, position: Position, kind: Kind) -> StoreFault {
        let what = format!("the {kind:?} frame there does not read back");
        StoreFault::corrupt(&self.path(position.file), position.offset, what)
    }

    /// Bytes of the body of the frame at `position`, unchecked.
    pub fn read_range(
        &self,
        position: Position,
        range: Range<usize>,
    ) -> Result<Vec<u8>, StoreFault> {
        self.read_part(position, range.start + FRAME_HEADER_BYTES..range.end + FRAME_HEADER_BYTES)
    }

    fn read_part(&self, position: Position, range: Range<usize>) -> Result<Vec<u8>, StoreFault> {
        let file = self.file(position.file)?;
        let size = FRAME_HEADER_BYTES + position.length as usize;
        let mut bytes = vec![0; range.len()];
        let offset = position.offset + range.start as u64;
        if range.end > size || !disk::read_exact_at(&file.file, &file.path, &mut bytes, offset)? {
            let what = "the frame there is shorter than what it should hold";
            return Err(StoreFault::corrupt(&file.path, position.offset, what));
        }
        Ok(bytes)
    }

    fn create(
        &self,
        number: u32,
        previous_end: u64,
        bytes: u64,
    ) -> Result<Arc<BlockFile>, StoreFault> {
        let path = self.path(number);
        let header = FileHeader::new(BLOCK_FILE_MAGIC, number, self.chain_id, previous_end);
        let file = disk::create_whole(&path, |file, temporary| {
            disk::preallocate(file, temporary, bytes)?;
            disk::write_all_at(file, temporary, &[&header.to_bytes()], 0)
        })?;
        Ok(self.keep(BlockFile { file, path, header }))
    }
}

pub(crate) fn number_of(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(BLOCK_FILE_SUFFIX)?;
    (digits.len() == 8).then(|| digits.parse().ok()).flatten()
}

/// Frames that are written with one call, all into the same file.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    file: Arc<BlockFile>,
    start: u64,
    end: u64,
    durable: u64,
    pieces: Vec<Cow<'a, [u8]>>,
}

impl<'a> Group<'a> {
    /// Adds a frame whose body is `parts` in order; says where it will stand.
    pub fn push(&mut self, kind: Kind, parts: Vec<Cow<'a, [u8]>>) -> Position {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let checksum = parts.iter().fold(0, |sum, part| crc32c::crc32c_append(sum, part));
        let header = FrameHeader {
            kind: kind as u8,
            length: length as u32,
            checksum,
            offset: self.end,
            mark: self.durable,
            file: self.file.header.number,
        };
        self.pieces.push(Cow::Owned(header.to_bytes(self.file.header.salt).to_vec()));
        self.pieces.extend(parts);
        self.pieces.push(Cow::Borrowed(padding(length as u64)));
        self.end = header.end();
        Position { file: header.file, offset: header.offset, length: header.length }
    }
}

/// The one writer of block files.
#[derive(Debug)]
pub(crate) struct Appender {
    files: Arc<BlockFiles>,
    file: Arc<BlockFile>,
    /// The offset at which the next frame is written.
    end: u64,
    /// Everything before this is on disk.
    durable: u64,
    /// Bytes that the file has room for.
    room: u64,
    /// Bytes of frames in the files before this one.
    closed_bytes: u64,
    file_bytes: u64,
    cached: CachedFiles,
}

impl Appender {
    /// Begins the first file of a new home.
    pub fn create(files: Arc<BlockFiles>, options: &StoreOptions) -> Result<Self, StoreFault> {
        let file_bytes = options.block_file_bytes;
        let room = file_bytes.max(FILE_HEADER_BYTES);
        let file = files.create(1, 0, room)?;
        let end = FILE_HEADER_BYTES;
        let cached = CachedFiles::new(options.block_files_cached);
        Ok(Self { files, file, end, durable: end, room, closed_bytes: 0, file_bytes, cached })
    }

    /// Goes on at `end` of the last file. What stands after it, if anything, is a tail that no
    /// sync had covered: it is wiped, so that no later scan takes a piece of it for a frame.
    pub fn resume(
        files: Arc<BlockFiles>,
        number: u32,
        end: u64,
        closed_bytes: u64,
        options: &StoreOptions,
    ) -> Result<Self, StoreFault> {
        let file = files.file(number)?;
        let BlockFile { file: handle, path, .. } = file.as_ref();
        let room = disk::length(handle, path)?.max(end);
        if file.frames().is_written_after(end)? {
            tracing::warn!(
                file = %path.display(), offset = end,
                "truncated the tail of an incomplete write"
            );
            handle.set_len(end).map_err(StoreFault::io("truncate", path))?;
            disk::preallocate(handle, path, room)?;
        }
        // What a killed process wrote may still be in memory only: it counts once it is on disk.
        disk::sync_data(handle, path)?;
        let file_bytes = options.block_file_bytes;
        let cached = CachedFiles::new(options.block_files_cached);
        Ok(Self { files, file, end, durable: end, room, closed_bytes, file_bytes, cached })
    }

    /// Begins a group of frames that take `bytes` together, in the next file if need be.
    pub fn group<'a>(&mut self, bytes: u64) -> Result<(Group<'a>, bool), StoreFault> {
        let rolls = self.end + bytes > self.room;
        if rolls {
            self.roll(bytes)?;
        }
        let group = Group {
            file: self.file.clone(),
            start: self.end,
            end: self.end,
            durable: self.durable,
            pieces: Vec::new(),
        };
        Ok((group, rolls))
    }

    fn roll(&mut self, bytes: u64) -> Result<(), StoreFault> {
        self.sync()?;
        let number = self.file.header.number + 1;
        let room = self.file_bytes.max(FILE_HEADER_BYTES + bytes);
        self.file = self.files.create(number, self.end, room)?;
        self.cached.full(number - 1, |number, from, bytes| self.files.release(number, from, bytes));
        self.closed_bytes += self.end;
        self.end = FILE_HEADER_BYTES;
        self.durable = self.end;
        self.room = room;
        Ok(())
    }

    /// Writes a group, without waiting for the disk. Returns its bytes.
    pub fn write(&mut self, group: &Group<'_>) -> Result<u64, StoreFault> {
        assert!(group.start == self.end, "groups are written in the order in which they begin");
        assert!(group.end <= self.room, "a group fits the file that was chosen for it");
        let slices: Vec<&[u8]> = group.pieces.iter().map(AsRef::as_ref).collect();
        disk::write_all_at(&self.file.file, &self.file.path, &slices, group.start)?;
        self.end = group.end;
        Ok(group.end - group.start)
    }

    /// Waits until everything written is on disk.
    pub fn sync(&mut self) -> Result<(), StoreFault> {
        disk::sync_data(&self.file.file, &self.file.path)?;
        self.durable = self.end;
        let number = self.file.header.number;
        self.cached
            .grown(number, self.end, |number, from, bytes| self.files.release(number, from, bytes));
        Ok(())
    }

    /// Bytes of frames and file headers, in all files.
    pub fn bytes(&self) -> u64 {
        self.closed_bytes + self.end
    }

    /// Bytes of the last file that wait for frames.
    pub fn room_left(&self) -> u64 {
        self.room - self.end
    }
}

/// Checks that the file at `path` has no frame that proves that `end` was durable once.
///
/// # Errors
/// [`StoreFault::Corrupt`] at `end` if there is one: then the bytes there are rot, not a torn tail.
pub(crate) fn check_tail(file: &BlockFile, end: u64) -> Result<(), StoreFault> {
    match file.frames().find_after(end, |header| header.mark > end)? {
        None => Ok(()),
        Some(later) => {
            let what = format!(
                "no frame reads back there, but the one at {} says that {} bytes were durable",
                later.offset, later.mark
            );
            Err(StoreFault::corrupt(&file.path, end, what))
        }
    }
}
