//! How bytes stand in an append-only file: a file header, then frames.
//!
//! A frame is a 40-byte header, a body, and zeros up to a multiple of 8. Its header says what it
//! is, how long, and where it stands, so that a misdirected or stale write is not taken for it;
//! two checksums (CRC-32C) cover header and body. The header's checksum starts from the file's
//! own random salt, so that no payload can be made to look like a frame.
//!
//! The header's `mark` is, in block files, how many bytes of the file were durable when the frame
//! was written. A frame that does not read back is therefore a torn tail if no frame after it has
//! a mark beyond it, and rot if one has.

use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use chain_types::{ChainId, Digest};
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::disk;
use crate::fault::StoreFault;

/// Bytes of a file header.
pub(crate) const FILE_HEADER_BYTES: u64 = 80;
/// Bytes of a frame header.
pub(crate) const FRAME_HEADER_BYTES: usize = 40;
/// The version of both.
const FORMAT_VERSION: u32 = 1;
const FRAME_MAGIC: [u8; 4] = *b"SlF1";
const FRAME_ALIGN: u64 = 8;
const SCAN_BUFFER_BYTES: usize = 1024 * 1024;

/// The first bytes of a file: magic, number, chain, salt, and the end of the file before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileHeader {
    /// The magic that says what the file is: 8 ASCII bytes.
    pub magic: [u8; 8],
    /// The file's number among its kind; zero when there is one only.
    pub number: u32,
    /// The chain that it belongs to.
    pub chain_id: ChainId,
    /// Random; see the module's words.
    pub salt: u64,
    /// The offset at which the frames of the file before it end.
    pub previous_end: u64,
}

/// The bytes of a [`FileHeader`], in their order.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct FileHeaderBytes {
    magic: [u8; 8],
    version: U32,
    number: U32,
    chain_id: [u8; 32],
    salt: U64,
    previous_end: U64,
    zeros: [u8; 12],
    /// CRC-32C of the bytes before it.
    checksum: U32,
}

const _: () = assert!(size_of::<FileHeaderBytes>() == FILE_HEADER_BYTES as usize);

impl FileHeaderBytes {
    fn checksum_of(bytes: &[u8; FILE_HEADER_BYTES as usize]) -> u32 {
        crc32c::crc32c(&bytes[..std::mem::offset_of!(Self, checksum)])
    }
}

impl FileHeader {
    /// A header with a salt of its own.
    pub fn new(magic: [u8; 8], number: u32, chain_id: ChainId, previous_end: u64) -> Self {
        // The standard library seeds its hasher from the operating system's entropy.
        let mut hasher = std::hash::RandomState::new().build_hasher();
        hasher.write_u32(number);
        Self { magic, number, chain_id, salt: hasher.finish(), previous_end }
    }

    /// Returns the bytes of the header, with its checksum.
    pub fn to_bytes(self) -> [u8; FILE_HEADER_BYTES as usize] {
        let mut header = FileHeaderBytes {
            magic: self.magic,
            version: FORMAT_VERSION.into(),
            number: self.number.into(),
            chain_id: self.chain_id.digest().bytes(),
            salt: self.salt.into(),
            previous_end: self.previous_end.into(),
            zeros: [0; 12],
            checksum: U32::ZERO,
        };
        header.checksum = FileHeaderBytes::checksum_of(&zerocopy::transmute!(header)).into();
        zerocopy::transmute!(header)
    }

    /// Reads and checks the header of an open file.
    pub fn read(
        file: &File,
        path: &Path,
        magic: [u8; 8],
        number: u32,
        chain_id: ChainId,
    ) -> Result<Self, StoreFault> {
        let mut bytes = [0; FILE_HEADER_BYTES as usize];
        if !disk::read_exact_at(file, path, &mut bytes, 0)? {
            return Err(StoreFault::corrupt(path, 0, "the file ends inside its header"));
        }
        let checksum = FileHeaderBytes::checksum_of(&bytes);
        let bytes: FileHeaderBytes = zerocopy::transmute!(bytes);
        if bytes.checksum.get() != checksum || bytes.magic != magic {
            return Err(StoreFault::corrupt(path, 0, "the file header does not read back"));
        }
        let version = bytes.version.get();
        if version != FORMAT_VERSION {
            let found = format!("format version {version}");
            let path = path.to_path_buf();
            return Err(StoreFault::Format { path, found, expected: "format version 1" });
        }
        let header = Self {
            magic,
            number: bytes.number.get(),
            chain_id: ChainId::new(Digest::from_bytes(bytes.chain_id)),
            salt: bytes.salt.get(),
            previous_end: bytes.previous_end.get(),
        };
        if header.chain_id != chain_id {
            let (path, found) = (path.to_path_buf(), header.chain_id);
            return Err(StoreFault::WrongChain { path, found, expected: chain_id });
        }
        if header.number != number {
            let what = format!("the header is that of file {}", header.number);
            return Err(StoreFault::corrupt(path, 12, what));
        }
        Ok(header)
    }
}

/// The first bytes of a frame, with the offset at which they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    /// The kind of the body; each file has its own kinds, from 1.
    pub kind: u8,
    /// Bytes of the body.
    pub length: u32,
    /// CRC-32C of the body.
    pub checksum: u32,
    /// The offset of the frame's first byte in its file.
    pub offset: u64,
    /// Block files: bytes known durable. Consensus log: the entry's height.
    pub mark: u64,
    /// The number of its file.
    pub file: u32,
}

/// The bytes of a [`FrameHeader`], in their order.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct FrameHeaderBytes {
    magic: [u8; 4],
    kind: u8,
    zeros: [u8; 3],
    length: U32,
    body_checksum: U32,
    offset: U64,
    mark: U64,
    file: U32,
    /// CRC-32C of the file's salt and the bytes before it.
    checksum: U32,
}

const _: () = assert!(size_of::<FrameHeaderBytes>() == FRAME_HEADER_BYTES);

impl FrameHeaderBytes {
    fn checksum_of(bytes: &[u8; FRAME_HEADER_BYTES], salt: u64) -> u32 {
        salted(salt, &bytes[..std::mem::offset_of!(Self, checksum)])
    }
}

impl FrameHeader {
    /// Returns the bytes of the header, with its checksum.
    pub fn to_bytes(self, salt: u64) -> [u8; FRAME_HEADER_BYTES] {
        let mut header = FrameHeaderBytes {
            magic: FRAME_MAGIC,
            kind: self.kind,
            zeros: [0; 3],
            length: self.length.into(),
            body_checksum: self.checksum.into(),
            offset: self.offset.into(),
            mark: self.mark.into(),
            file: self.file.into(),
            checksum: U32::ZERO,
        };
        header.checksum = FrameHeaderBytes::checksum_of(&zerocopy::transmute!(header), salt).into();
        zerocopy::transmute!(header)
    }

    /// The header in `bytes`, if it is one that was written at this place of this file.
    pub fn from_bytes(bytes: &[u8], salt: u64, file: u32, offset: u64) -> Option<Self> {
        let bytes = bytes.first_chunk::<FRAME_HEADER_BYTES>()?;
        let found: FrameHeaderBytes = zerocopy::transmute!(*bytes);
        if found.magic != FRAME_MAGIC || found.zeros != [0; 3] {
            return None;
        }
        let header = Self {
            kind: found.kind,
            length: found.length.get(),
            checksum: found.body_checksum.get(),
            offset: found.offset.get(),
            mark: found.mark.get(),
            file: found.file.get(),
        };
        let stands = header.file == file && header.offset == offset;
        let is_whole = found.checksum.get() == FrameHeaderBytes::checksum_of(bytes, salt);
        (stands && is_whole).then_some(header)
    }

    /// Returns the offset of the first byte after the frame, padding included.
    pub const fn end(&self) -> u64 {
        self.offset + frame_bytes(self.length as u64)
    }
}

/// Bytes that a frame with a body of `length` takes.
pub(crate) const fn frame_bytes(length: u64) -> u64 {
    (FRAME_HEADER_BYTES as u64 + length).next_multiple_of(FRAME_ALIGN)
}

/// The zeros that follow a body of `length`.
pub(crate) fn padding(length: u64) -> &'static [u8] {
    let bytes = frame_bytes(length) - FRAME_HEADER_BYTES as u64 - length;
    &[0; FRAME_ALIGN as usize][..bytes as usize]
}

fn salted(salt: u64, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&salt.to_le_bytes()), bytes)
}

/// A file of frames, open for reading.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrameFile<'a> {
    /// The file that the frame is read from.
    pub file: &'a File,
    /// Its path, for faults.
    pub path: &'a Path,
    /// The number of the file, from 0.
    pub number: u32,
    /// The salt in the file's header.
    pub salt: u64,
}

impl FrameFile<'_> {
    /// Hands every frame from `offset` on to `visit`, in order, and returns where the first bytes
    /// stand that are no whole frame: the logical end of the file.
    pub fn scan(
        &self,
        offset: u64,
        mut visit: impl FnMut(FrameHeader, Vec<u8>) -> Result<(), StoreFault>,
    ) -> Result<u64, StoreFault> {
        let length = disk::length(self.file, self.path)?;
        let mut reader = BufReader::with_capacity(SCAN_BUFFER_BYTES, self.file);
        reader.seek(SeekFrom::Start(offset)).map_err(StoreFault::io("read", self.path))?;
        let mut at = offset;
        loop {
            let mut bytes = [0; FRAME_HEADER_BYTES];
            if length.saturating_sub(at) < FRAME_HEADER_BYTES as u64 {
                return Ok(at);
            }
            reader.read_exact(&mut bytes).map_err(StoreFault::io("read", self.path))?;
            let Some(header) = FrameHeader::from_bytes(&bytes, self.salt, self.number, at) else {
                return Ok(at);
            };
            if header.end() > length {
                return Ok(at);
            }
            let mut body = vec![0; (header.end() - at) as usize - FRAME_HEADER_BYTES];
            reader.read_exact(&mut body).map_err(StoreFault::io("read", self.path))?;
            body.truncate(header.length as usize);
            if crc32c::crc32c(&body) != header.checksum {
                return Ok(at);
            }
            at = header.end();
            visit(header, body)?;
        }
    }

    /// The first frame header after `offset` for which `wanted` holds. Frames stand at multiples
    /// of 8, so this looks at each, whatever lies between.
    pub fn find_after(
        &self,
        offset: u64,
        wanted: impl Fn(&FrameHeader) -> bool,
    ) -> Result<Option<FrameHeader>, StoreFault> {
        let length = disk::length(self.file, self.path)?;
        let mut buffer = vec![0; SCAN_BUFFER_BYTES];
        let mut start = (offset + 1).next_multiple_of(FRAME_ALIGN);
        while start + FRAME_HEADER_BYTES as u64 <= length {
            let size = SCAN_BUFFER_BYTES.min((length - start) as usize);
            let chunk = &mut buffer[..size];
            if !disk::read_exact_at(self.file, self.path, chunk, start)? {
                return Ok(None);
            }
            let last = size - FRAME_HEADER_BYTES;
            for at in (0..=last).step_by(FRAME_ALIGN as usize) {
                if chunk[at..at + 4] != FRAME_MAGIC {
                    continue;
                }
                let place = start + at as u64;
                let header = FrameHeader::from_bytes(&chunk[at..], self.salt, self.number, place);
                if let Some(header) = header.filter(|header| wanted(header)) {
                    return Ok(Some(header));
                }
            }
            // The next chunk begins at the first place that this one could not hold a header for.
            start += (last as u64 / FRAME_ALIGN + 1) * FRAME_ALIGN;
        }
        Ok(None)
    }

    /// Returns true if anything but zeros stands from `offset` on.
    pub fn is_written_after(&self, offset: u64) -> Result<bool, StoreFault> {
        let length = disk::length(self.file, self.path)?;
        let mut buffer = vec![0; SCAN_BUFFER_BYTES];
        let mut start = offset;
        while start < length {
            let size = SCAN_BUFFER_BYTES.min((length - start) as usize);
            let chunk = &mut buffer[..size];
            if !disk::read_exact_at(self.file, self.path, chunk, start)? {
                return Ok(false);
            }
            if chunk.iter().any(|byte| *byte != 0) {
                return Ok(true);
            }
            start += size as u64;
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests;
