//! A small file that is replaced as a whole: the vote guard.
//!
//! The content stands twice, each copy in a block of its own with a checksum. A write that returned
//! is in both, so one copy that does not read back (torn by a power loss, or rotten) loses
//! nothing, and two are a fault: the cell never silently goes back or becomes empty. A copy that
//! fits one disk sector is written whole or not at all, so both go out with one sync; larger
//! copies go one after the other, each with its own.

use std::fs::File;
use std::path::{Path, PathBuf};

use chain_types::{ChainId, Digest};

use crate::disk;
use crate::fault::StoreFault;
use crate::home::IfMissing;

const CELL_MAGIC: [u8; 8] = *b"SLUICEC1";
const COPIES: usize = 2;
const COPY_BYTES: usize = 4_096;
/// Magic 8, sequence 8, chain id 32, length 4, checksum 4.
const COPY_HEADER_BYTES: usize = 56;
/// What every disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;
/// The largest content in bytes.
const CONTENT_BYTES_MAX: usize = COPY_BYTES - COPY_HEADER_BYTES;

/// A small file that always holds one whole content, durable when [`Cell::write`] returns.
#[derive(Debug)]
pub struct Cell {
    path: PathBuf,
    chain_id: ChainId,
    file: File,
    /// Counts the writes; zero before the first.
    sequence: u64,
    content: Vec<u8>,
    failure: Option<String>,
}

impl Cell {
    /// Opens the cell of a chain, or makes it empty.
    ///
    /// # Errors
    /// [`StoreFault::Corrupt`] when no copy reads back, [`StoreFault::WrongChain`],
    /// [`StoreFault::Missing`] when it must not be made.
    pub fn open(path: &Path, chain_id: ChainId, if_missing: IfMissing) -> Result<Self, StoreFault> {
        if !path.exists() {
            return create(path, chain_id, if_missing);
        }
        let file = disk::open(path)?;
        let mut newest: Option<(u64, Vec<u8>)> = None;
        let mut failures = Vec::new();
        for copy in 0..COPIES {
            let mut bytes = [0; COPY_BYTES];
            let offset = (copy * COPY_BYTES) as u64;
            let found = disk::read_exact_at(&file, path, &mut bytes, offset)?;
            match found.then(|| parse(&bytes)).flatten() {
                None => failures.push(offset),
                Some((_, _, found)) if found != chain_id => {
                    let path = path.to_path_buf();
                    return Err(StoreFault::WrongChain { path, found, expected: chain_id });
                }
                Some((sequence, content, _)) => {
                    if newest.as_ref().is_none_or(|(newest, _)| *newest < sequence) {
                        newest = Some((sequence, content));
                    }
                }
            }
        }
        let Some((sequence, content)) = newest else {
            let what = "neither of the two copies reads back, so what this key signed last is \
                        not known";
            return Err(StoreFault::corrupt(path, 0, what));
        };
        let path = path.to_path_buf();
        let mut cell = Self { path, chain_id, file, sequence, content, failure: None };
        if let Some(offset) = failures.first() {
            tracing::warn!(file = %cell.path.display(), offset, "mended one of two copies");
        }
        // Both copies the same again, whichever was older or damaged.
        cell.write_copies(&to_bytes(cell.sequence, cell.chain_id, &cell.content))?;
        Ok(cell)
    }

    /// The content, or `None` before the first write.
    pub fn read(&self) -> Option<&[u8]> {
        (self.sequence > 0).then_some(self.content.as_slice())
    }

    /// Replaces the content, and returns once it is durable.
    ///
    /// # Errors
    /// [`StoreFault::TooLarge`] beyond 4,040 bytes, which changes nothing; [`StoreFault::Io`] when
    /// the disk refuses, and [`StoreFault::Poisoned`] ever after.
    pub fn write(&mut self, content: &[u8]) -> Result<(), StoreFault> {
        if let Some(cause) = &self.failure {
            return Err(StoreFault::Poisoned { cause: cause.clone() });
        }
        if content.len() > CONTENT_BYTES_MAX {
            let (actual, limit) = (content.len() as u64, CONTENT_BYTES_MAX as u64);
            return Err(StoreFault::TooLarge { path: self.path.clone(), actual, limit });
        }
        let sequence = self.sequence + 1;
        if let Err(fault) = self.write_copies(&to_bytes(sequence, self.chain_id, content)) {
            self.failure = Some(fault.to_string());
            return Err(fault);
        }
        self.sequence = sequence;
        self.content = content.to_vec();
        Ok(())
    }

    fn write_copies(&mut self, copy: &[u8]) -> Result<(), StoreFault> {
        for index in 0..COPIES {
            let offset = (index * COPY_BYTES) as u64;
            disk::write_all_at(&self.file, &self.path, &[copy], offset)?;
            if copy.len() > SECTOR_BYTES || index + 1 == COPIES {
                disk::sync_data(&self.file, &self.path)?;
            }
        }
        Ok(())
    }
}

fn create(path: &Path, chain_id: ChainId, if_missing: IfMissing) -> Result<Cell, StoreFault> {
    if if_missing == IfMissing::Refuse {
        let remedy = "this key may have signed and the node would not know what; restore the \
                      file from the same home, or run the node without its validator key";
        return Err(StoreFault::Missing { path: path.to_path_buf(), remedy });
    }
    let copy = to_bytes(0, chain_id, &[]);
    let file = disk::create_whole(path, |file, temporary| {
        for index in 0..COPIES {
            let rest = vec![0; COPY_BYTES - copy.len()];
            let offset = (index * COPY_BYTES) as u64;
            disk::write_all_at(file, temporary, &[&copy, &rest], offset)?;
        }
        Ok(())
    })?;
    let path = path.to_path_buf();
    Ok(Cell { path, chain_id, file, sequence: 0, content: Vec::new(), failure: None })
}

fn to_bytes(sequence: u64, chain_id: ChainId, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(COPY_HEADER_BYTES + content.len());
    bytes.extend_from_slice(&CELL_MAGIC);
    bytes.extend_from_slice(&sequence.to_le_bytes());
    bytes.extend_from_slice(&chain_id.0.0);
    bytes.extend_from_slice(&(content.len() as u32).to_le_bytes());
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&bytes), content);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes.extend_from_slice(content);
    bytes
}

/// Sequence, content and chain of a copy; `None` when it does not read back.
fn parse(bytes: &[u8; COPY_BYTES]) -> Option<(u64, Vec<u8>, ChainId)> {
    let (magic, rest) = bytes.split_first_chunk::<8>()?;
    let (sequence, rest) = rest.split_first_chunk::<8>()?;
    let (chain_id, rest) = rest.split_first_chunk::<32>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (checksum, rest) = rest.split_first_chunk::<4>()?;
    let content = rest.get(..u32::from_le_bytes(*length) as usize)?;
    let covered = crc32c::crc32c(&bytes[..COPY_HEADER_BYTES - 4]);
    let holds = *magic == CELL_MAGIC
        && crc32c::crc32c_append(covered, content) == u32::from_le_bytes(*checksum);
    holds.then(|| (u64::from_le_bytes(*sequence), content.to_vec(), ChainId(Digest(*chain_id))))
}
