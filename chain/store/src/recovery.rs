//! Finds out, when a store is opened, what the block files hold beyond what the index knows.
//!
//! The scan begins after the certificate before the last indexed height: everything earlier was
//! durable before that height was staged. It goes on to the first bytes that are no whole frame.
//! There the chain ends, unless a later frame or file proves that those bytes were durable once.

use std::collections::BTreeMap;
use std::sync::Arc;

use bincode::{Decode, Encode};
use chain_types::{BatchId, Block, BlockHash, Certificate, Digest, Height, Outcome, codec};

use crate::block_files::{Appender, BlockFile, BlockFiles, Kind, Position, check_tail};
use crate::checkpoint_file::CheckpointName;
use crate::fault::{FETCH_REMEDY, StoreFault};
use crate::frame::{FILE_HEADER_BYTES, FileHeader, FrameHeader};
use crate::index::Index;
use crate::options::StoreOptions;
use crate::tables::{Batches, Hashes, Heights, MetaKey, Place};

/// Bytes of a batch id, before the batch's own bytes in a payload frame.
pub(crate) const PAYLOAD_PREFIX_BYTES: usize = 32;

/// The body of a block frame.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct StoredBlock {
    pub block: Block,
    /// The payload frames of its batches, in order.
    pub payload: Vec<Position>,
    /// The position of the block's outcomes frame.
    pub outcomes: Position,
}

/// The body of a certificate frame.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct StoredCertificate {
    pub certificate: Certificate,
    /// The frame of the block that it certifies.
    pub block: Position,
}

/// The body of an outcomes frame: for each batch a count (4 bytes) and as many codes (2 bytes
/// each), little-endian.
pub(crate) fn outcomes_to_bytes(outcomes: &[Vec<Outcome>]) -> Vec<u8> {
    let size: usize = outcomes.iter().map(|batch| 4 + 2 * batch.len()).sum();
    let mut bytes = Vec::with_capacity(size);
    for batch in outcomes {
        bytes.extend_from_slice(&(batch.len() as u32).to_le_bytes());
        bytes.extend(batch.iter().flat_map(|outcome| outcome.0.to_le_bytes()));
    }
    bytes
}

/// The outcomes in the body of an outcomes frame; `None` when its form is wrong.
pub(crate) fn outcomes_from_bytes(mut bytes: &[u8]) -> Option<Vec<Vec<Outcome>>> {
    let mut outcomes = Vec::new();
    while !bytes.is_empty() {
        let (count, rest) = bytes.split_first_chunk::<4>()?;
        let (codes, rest) = rest.split_at_checked(2 * u32::from_le_bytes(*count) as usize)?;
        let codes = codes.chunks_exact(2);
        outcomes.push(codes.map(|code| Outcome(u16::from_le_bytes([code[0], code[1]]))).collect());
        bytes = rest;
    }
    Some(outcomes)
}

/// Blocks staged for the height after the head, and the payload that they brought.
#[derive(Debug, Default)]
pub(crate) struct Staging {
    /// In the order in which they were staged.
    pub blocks: Vec<Staged>,
    pub batches: BTreeMap<BatchId, Position>,
}

/// A block that was staged and not committed.
#[derive(Debug)]
pub(crate) struct Staged {
    pub hash: BlockHash,
    pub position: Position,
    pub stored: StoredBlock,
}

impl Staging {
    pub fn find(&self, hash: &BlockHash) -> Option<&Staged> {
        self.blocks.iter().find(|staged| staged.hash == *hash)
    }
}

/// The state of the block files and the index as opening found them.
pub(crate) struct Recovered {
    pub head: Option<Height>,
    pub staging: Staging,
    pub appender: Appender,
    pub checkpoint: Option<CheckpointName>,
}

/// Reads the block files from where the index leaves off, and brings the index's places of
/// blocks, hashes and batches up to the head.
pub(crate) fn recover(
    files: &Arc<BlockFiles>,
    index: &Index,
    options: &StoreOptions,
) -> Result<Recovered, StoreFault> {
    let headers = files.list()?;
    let applied = applied(index)?;
    let Some(last) = headers.last() else {
        return begin(files, options, applied);
    };
    let (from, before) = start(index, applied)?;
    let mut scan = Scan { files, index, head: before, staging: Staging::default() };
    let end = scan.walk(&headers, from)?;
    let Scan { head, staging, .. } = scan;
    let checkpoint = checkpoint(index)?;
    let known = checkpoint.map(|name| name.height);
    check_regression(head, &staging, applied, known)?;
    let closed_bytes = headers.iter().map(|header| header.previous_end).sum();
    let appender = Appender::resume(files.clone(), last.number, end, closed_bytes, options)?;
    Ok(Recovered { head, staging, appender, checkpoint })
}

fn begin(
    files: &Arc<BlockFiles>,
    options: &StoreOptions,
    applied: Option<Height>,
) -> Result<Recovered, StoreFault> {
    if applied.is_some() {
        // The index knows blocks, and there is no block file.
        return Err(StoreFault::Missing { path: files.path(1), remedy: FETCH_REMEDY });
    }
    let appender = Appender::create(files.clone(), options)?;
    Ok(Recovered { head: None, staging: Staging::default(), appender, checkpoint: None })
}

/// The last height that the index knows.
fn applied(index: &Index) -> Result<Option<Height>, StoreFault> {
    let Some(bytes) = index.get_meta(MetaKey::Applied)? else {
        return Ok(None);
    };
    match <[u8; 8]>::try_from(bytes.as_slice()) {
        Ok(bytes) => Ok(Some(Height::new(u64::from_le_bytes(bytes)))),
        Err(_) => Err(damaged("the applied height has another length than 8")),
    }
}

/// The checkpoint that the index names.
fn checkpoint(index: &Index) -> Result<Option<CheckpointName>, StoreFault> {
    let Some(row) = index.get_meta(MetaKey::Checkpoint)? else {
        return Ok(None);
    };
    let name = CheckpointName::of_bytes(&row);
    name.map(Some).ok_or_else(|| damaged("the checkpoint's name has another length than 20"))
}

fn damaged(what: &str) -> StoreFault {
    StoreFault::IndexValue { table: "meta", what: what.to_owned() }
}

/// Returns the position at which the scan begins, and the head there. The certificate of the last
/// indexed height may have been lost with the power, that of the one before cannot: it was durable
/// when the next height was staged.
fn start(
    index: &Index,
    applied: Option<Height>,
) -> Result<((u32, u64), Option<Height>), StoreFault> {
    let before = applied.and_then(Height::previous).filter(|height| height.get() > 0);
    let Some(before) = before else {
        return Ok(((1, FILE_HEADER_BYTES), None));
    };
    let Some(place) = index.get::<Heights>(&before)? else {
        return Err(damaged("the applied height is ahead of the heights"));
    };
    Ok(((place.certificate.file, place.certificate.end()), Some(before)))
}

/// The block files may end one height before the index: when the power went after the index was
/// flushed and before the last certificate was durable. Its block is staged then.
fn check_regression(
    head: Option<Height>,
    staging: &Staging,
    applied: Option<Height>,
    checkpoint: Option<Height>,
) -> Result<(), StoreFault> {
    let head = head.unwrap_or_default();
    if let Some(known) = checkpoint.filter(|known| *known > head) {
        return Err(StoreFault::Regression { head, what: "checkpoint", known });
    }
    let Some(known) = applied.filter(|known| *known > head) else {
        return Ok(());
    };
    if known == head.next() && !staging.blocks.is_empty() {
        return Ok(());
    }
    Err(StoreFault::Regression { head, what: "index", known })
}

struct Scan<'a> {
    files: &'a Arc<BlockFiles>,
    index: &'a Index,
    head: Option<Height>,
    staging: Staging,
}

impl Scan<'_> {
    /// Walks the files from `from` on; returns where the last one ends.
    fn walk(&mut self, headers: &[FileHeader], from: (u32, u64)) -> Result<u64, StoreFault> {
        let (first, mut offset) = from;
        let last = headers.last().map_or(0, |header| header.number);
        if first > last {
            // The index knows blocks of it.
            let path = self.files.path(first);
            return Err(StoreFault::Missing { path, remedy: FETCH_REMEDY });
        }
        for number in first..=last {
            let file = self.files.file(number)?;
            let end = file.frames().scan(offset, |header, body| self.visit(&file, header, body))?;
            match headers.get(number as usize) {
                // The next file was begun once this one was full and durable.
                Some(next) if next.previous_end != end => {
                    let what = format!("the frames end here, not at {}", next.previous_end);
                    return Err(StoreFault::corrupt(&file.path, end, what));
                }
                Some(_) => {}
                None => {
                    check_tail(&file, end)?;
                    return Ok(end);
                }
            }
            offset = FILE_HEADER_BYTES;
        }
        unreachable!("the loop ends at the last file")
    }

    fn visit(
        &mut self,
        file: &BlockFile,
        header: FrameHeader,
        body: Vec<u8>,
    ) -> Result<(), StoreFault> {
        let wrong = |what: &str| StoreFault::corrupt(&file.path, header.offset, what);
        let FrameHeader { file: number, offset, length, .. } = header;
        let position = Position { file: number, offset, length };
        match Kind::from_number(header.kind) {
            Some(Kind::Payload) => {
                let id = body.first_chunk::<PAYLOAD_PREFIX_BYTES>();
                let id = id.ok_or_else(|| wrong("a payload frame without a batch id"))?;
                self.staging.batches.insert(BatchId::new(Digest::from_bytes(*id)), position);
                Ok(())
            }
            Some(Kind::Outcomes) => Ok(()),
            Some(Kind::Block) => {
                let stored: StoredBlock =
                    codec::decode(&body, codec::DECODE_BYTES_MAX).map_err(|error| {
                        wrong(&format!("a block frame that does not decode: {error}"))
                    })?;
                if stored.block.header.height != next(self.head) {
                    return Err(wrong("a block frame of another height than the one that follows"));
                }
                let hash = stored.block.hash();
                self.staging.blocks.push(Staged { hash, position, stored });
                Ok(())
            }
            Some(Kind::Certificate) => {
                let stored: StoredCertificate = codec::decode(&body, codec::DECODE_BYTES_MAX)
                    .map_err(|error| {
                        wrong(&format!("a certificate that does not decode: {error}"))
                    })?;
                self.decide(position, &stored.certificate).map_err(|fault| {
                    fault.unwrap_or_else(|| wrong("a certificate of no staged block"))
                })
            }
            None => Err(wrong("a frame of unknown kind")),
        }
    }

    fn decide(
        &mut self,
        position: Position,
        certificate: &Certificate,
    ) -> Result<(), Option<StoreFault>> {
        let staging = std::mem::take(&mut self.staging);
        let staged = staging.find(&certificate.block).ok_or(None)?;
        let height = next(self.head);
        if certificate.height != height {
            return Err(None);
        }
        index_block(self.index, height, staged, position).map_err(Some)?;
        self.head = Some(height);
        Ok(())
    }
}

/// The height that follows.
pub(crate) fn next(head: Option<Height>) -> Height {
    head.map_or(Height::new(1), Height::next)
}

fn index_block(
    index: &Index,
    height: Height,
    staged: &Staged,
    certificate: Position,
) -> Result<(), StoreFault> {
    let mut rows = index.rows();
    put_block(&mut rows, height, staged, certificate);
    rows.write()
}

/// The rows by which a committed block is found.
pub(crate) fn put_block(
    rows: &mut crate::index::Rows<'_>,
    height: Height,
    staged: &Staged,
    certificate: Position,
) {
    rows.put::<Heights>(&height, &Place { block: staged.position, certificate });
    rows.put::<Hashes>(&staged.hash, &height);
    for (index, batch) in (0_u32..).zip(&staged.stored.block.batches) {
        rows.put::<Batches>(batch, &(height, index));
    }
    rows.put_applied(height);
}
