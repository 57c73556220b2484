//! The past that contracts may ask of, read from the store.
//!
//! The driver hands every commit to the store before the replica gets its next input, and the store
//! shows a commit to every read after it: runs of orders that still wait to be moved into the index
//! are looked through. So an answer never depends on how far the store's own threads are.

use std::sync::{Arc, Mutex, PoisonError};

use chain_state::{InstructionRecord, Location, OrderRecord, QuoteRecord, WindowRecord};
use chain_store::{ChainStore as _, Store, StoreFault};
use chain_types::batch::{BATCH_HEADER_BYTES, BATCH_PREFIX_BYTES, BatchHeader, BatchKind};
use chain_types::{
    BlockHeader, Height, InstructionId, OrderId, Outcome, ProofTooLarge, QuoteId, WindowId, codec,
};
use node_replica::{Archive, ArchivedOrder};

/// Why something that an index names could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadFault {
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// An index names what the blocks do not hold.
    #[error("the index names {what} at height {height}, but the block does not contain it")]
    Inconsistent {
        /// The record that was looked up.
        what: &'static str,
        /// The height at which it should stand.
        height: Height,
    },
    /// The index was made by a version that kept no paths of records.
    #[error("the index does not keep the proof of window {0}")]
    ProofNotKept(WindowId),
    /// The index was made by a version that kept no nodes of the accounts' tree.
    #[error("the index does not keep the proofs of accounts at height {0}")]
    AccountProofNotKept(Height),
    /// A receipt or a proof would be longer than anyone reads.
    #[error("a proof is too large: {0}")]
    TooLarge(#[from] ProofTooLarge),
}

/// The past of the chain in a node's home.
pub struct StoreArchive {
    store: Arc<Store>,
    /// The first thing that could not be read; nothing that was answered since counts.
    fault: Mutex<Option<ReadFault>>,
}

impl StoreArchive {
    /// The past of the chain in `store`.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, fault: Mutex::default() }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// To be asked before anything that was executed with this archive is acted upon.
    ///
    /// # Errors
    /// The first thing that could not be read: what was executed since does not count.
    pub fn check(&self) -> Result<(), ReadFault> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }

    fn answer<T, F: Into<ReadFault>>(&self, read: Result<Option<T>, F>) -> Option<T> {
        read.unwrap_or_else(|fault| {
            let mut kept = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
            kept.get_or_insert(fault.into());
            None
        })
    }
}

impl Archive for StoreArchive {
    fn order(&self, id: &OrderId) -> Option<OrderRecord> {
        self.answer(self.store.archived_order(id))
    }

    fn submission(&self, record: &OrderRecord) -> Option<ArchivedOrder> {
        let height = record.location.height;
        self.answer(self.store.submitted_order(record).map_err(ReadFault::from).and_then(|found| {
            let found = found.ok_or(ReadFault::Inconsistent { what: "an order", height })?;
            Ok(Some(ArchivedOrder { header: found.block, item: found.item }))
        }))
    }

    fn header(&self, height: Height) -> Option<BlockHeader> {
        self.answer(header(&self.store, height).map(Some))
    }

    fn outcome(&self, at: Location) -> Option<Outcome> {
        self.answer(outcome(&self.store, at).map(Some))
    }

    fn instruction(&self, id: &InstructionId, height: Height) -> Option<InstructionRecord> {
        self.answer(self.store.ended_instruction(id, height))
    }

    fn quote(&self, id: QuoteId) -> Option<QuoteRecord> {
        self.answer(self.store.quote(id))
    }

    fn window(&self, id: WindowId) -> Option<WindowRecord> {
        self.answer(self.store.window(id))
    }
}

/// An item of a committed block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedItem {
    /// The header of its block.
    pub header: BlockHeader,
    /// The kind of its batch.
    pub kind: BatchKind,
    /// The canonical bytes of the item.
    pub item: Vec<u8>,
    /// The outcome of the item.
    pub outcome: Outcome,
}

/// The header of a committed block.
fn header(store: &Store, height: Height) -> Result<BlockHeader, ReadFault> {
    let committed = store.block(height)?;
    let inconsistent = ReadFault::Inconsistent { what: "a block", height };
    Ok(committed.ok_or(inconsistent)?.block.header)
}

/// Returns the outcome of the item at a place.
fn outcome(store: &Store, at: Location) -> Result<Outcome, ReadFault> {
    let inconsistent = |what| ReadFault::Inconsistent { what, height: at.height };
    let outcomes = store.outcomes(at.height)?.ok_or_else(|| inconsistent("outcomes"))?;
    let outcome = outcomes.get(at.batch as usize).and_then(|codes| codes.get(at.item as usize));
    outcome.copied().ok_or_else(|| inconsistent("an outcome"))
}

/// The item at a place that a record names.
///
/// # Errors
/// When the store cannot be read, or the block does not hold the item.
pub fn item(store: &Store, at: Location) -> Result<ArchivedItem, ReadFault> {
    let inconsistent = |what| ReadFault::Inconsistent { what, height: at.height };
    let batch = store.batch_bytes(at.height, at.batch)?.ok_or_else(|| inconsistent("a batch"))?;
    let (header, item) = item_of(&batch, at.item).ok_or_else(|| inconsistent("an item"))?;
    let kind = BatchKind::from_number(header.kind).ok_or_else(|| inconsistent("a batch kind"))?;
    let (header, item) = (self::header(store, at.height)?, item.to_vec());
    Ok(ArchivedItem { header, kind, item, outcome: outcome(store, at)? })
}

/// The header of a batch, and the bytes of one of its items.
pub fn item_of(batch: &[u8], item: u32) -> Option<(BatchHeader, &[u8])> {
    let header: BatchHeader =
        codec::decode(batch.get(..BATCH_HEADER_BYTES)?, BATCH_HEADER_BYTES).ok()?;
    let size = BatchKind::from_number(header.kind)?.item_bytes();
    let start = BATCH_PREFIX_BYTES + item as usize * size;
    Some((header, batch.get(start..start + size)?))
}
