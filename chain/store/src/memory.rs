//! The store's twin without a disk: for tests, and for the simulator, where a crash is a call.

mod index;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use chain_state::records::fingerprint;
use chain_state::{
    AccountEntry, AccountKey, BreachRecord, EvidenceRecord, InstructionRecord, Location,
    OrderRecord, PolicyKey, PolicyRecord, ProposalRecord, QuoteRecord, RateKey, RateRecord,
    RegistryRecord, ReturnRecord, TransferRecord, WindowRecord, WindowSettlement,
};
use chain_types::batch::{BATCH_HEADER_BYTES, BATCH_PREFIX_BYTES, BatchHeader, BatchKind};
use chain_types::{
    BatchId, BlockHash, Certificate, Digest, ExecutedBlock, Height, InstructionId, OrderId,
    Outcome, ParticipantId, ProposalId, QuoteId, RecordCursor, TimeMs, TransferId, WindowId, codec,
    merkle,
};

use self::index::Index;
use crate::chain_store::ChainStore;
use crate::fault::StoreFault;
use crate::model::{
    BlockRecords, CommittedBlock, InstructionFilter, PAGE_ITEMS_MAX, RecoveredBlock, Recovery,
    SubmittedOrder,
};
use crate::record_paths::{RecordName, RecordPath};

/// A [`ChainStore`] in memory, in ordered maps.
#[derive(Debug, Default)]
pub struct MemoryStore {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    committed: BTreeMap<Height, Committed>,
    staged: Vec<RecoveredBlock>,
    /// The last height whose certificate a power loss would spare.
    durable: Option<Height>,
    checkpoint: Option<(Height, Vec<u8>)>,
    index: Index,
    /// The part of `index` that a loss of power leaves.
    index_durable: Index,
}

#[derive(Debug)]
struct Committed {
    content: RecoveredBlock,
    certificate: Certificate,
}

/// The values after a key, ascending; a page at most.
fn page<K: Ord, V: Clone>(table: &BTreeMap<K, V>, after: Option<K>, limit: usize) -> Vec<V> {
    let start = after.map_or(Bound::Unbounded, Bound::Excluded);
    let found = table.range((start, Bound::Unbounded));
    found.take(limit.min(PAGE_ITEMS_MAX)).map(|(_, value)| value.clone()).collect()
}

/// The values below a key, descending; a page at most.
fn page_back<K: Ord, V: Clone>(table: &BTreeMap<K, V>, before: Option<K>, limit: usize) -> Vec<V> {
    let end = before.map_or(Bound::Unbounded, Bound::Excluded);
    let found = table.range((Bound::Unbounded, end)).rev();
    found.take(limit.min(PAGE_ITEMS_MAX)).map(|(_, value)| value.clone()).collect()
}

impl Inner {
    fn head(&self) -> Option<Height> {
        self.committed.last_key_value().map(|(height, _)| *height)
    }

    fn next(&self) -> Height {
        self.head().map_or(Height::new(1), Height::next)
    }

    fn recovery(&self) -> Recovery {
        Recovery {
            created: self.committed.is_empty() && self.staged.is_empty(),
            head: self.head(),
            checkpoint: self.checkpoint.clone(),
            staged: self.staged.clone(),
        }
    }
}

impl MemoryStore {
    /// Makes an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns what a process finds that was killed and started again: everything that was written.
    pub fn recovery(&self) -> Recovery {
        self.inner().recovery()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic while the lock is held is a bug that has already been reported.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn content<T>(&self, height: Height, read: impl FnOnce(&Committed) -> T) -> Option<T> {
        self.inner().committed.get(&height).map(read)
    }
}

impl ChainStore for MemoryStore {
    fn stage(&self, staged: &ExecutedBlock) -> Result<(), StoreFault> {
        staged.assert_whole();
        let mut inner = self.inner();
        let (height, expected) = (staged.block.header.height, inner.next());
        if height != expected {
            return Err(StoreFault::OutOfOrder { expected, height });
        }
        inner.durable = inner.head();
        let hash = staged.block.hash();
        if inner.staged.iter().any(|other| other.block.hash() == hash) {
            return Ok(());
        }
        inner.staged.push(RecoveredBlock {
            block: staged.block.clone(),
            batches: staged.batches.iter().map(|batch| batch.bytes().clone()).collect(),
            outcomes: staged.outcomes.clone(),
        });
        Ok(())
    }

    fn is_staged(&self, block: &BlockHash) -> bool {
        self.inner().staged.iter().any(|staged| staged.block.hash() == *block)
    }

    fn commit(&self, certificate: &Certificate, learned: BlockRecords) -> Result<(), StoreFault> {
        let mut inner = self.inner();
        let (height, expected) = (certificate.height, inner.next());
        if height != expected {
            return Err(StoreFault::OutOfOrder { expected, height });
        }
        let found = inner.staged.iter().position(|block| block.block.hash() == certificate.block);
        let Some(at) = found else {
            return Err(StoreFault::NotStaged { height, block: certificate.block });
        };
        let content = inner.staged.swap_remove(at);
        inner.staged.clear();
        let committed = Committed { content, certificate: certificate.clone() };
        inner.committed.insert(height, committed);
        inner.index.write(height, learned);
        Ok(())
    }

    fn reindex(&self, height: Height, learned: BlockRecords) -> Result<(), StoreFault> {
        let mut inner = self.inner();
        let expected = inner.next();
        if height >= expected {
            return Err(StoreFault::OutOfOrder { expected, height });
        }
        inner.index.write(height, learned);
        Ok(())
    }

    fn checkpoint_of(
        &self,
        height: Height,
        pieces: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<(), StoreFault> {
        let mut inner = self.inner();
        let expected = inner.next();
        if height >= expected {
            return Err(StoreFault::OutOfOrder { expected, height });
        }
        inner.durable = inner.head();
        inner.checkpoint = Some((height, pieces.flatten().collect()));
        inner.index_durable = inner.index.clone();
        Ok(())
    }

    fn head(&self) -> Option<Height> {
        self.inner().head()
    }

    fn block(&self, height: Height) -> Result<Option<CommittedBlock>, StoreFault> {
        Ok(self.content(height, |committed| CommittedBlock {
            block: committed.content.block.clone(),
            certificate: committed.certificate.clone(),
        }))
    }

    fn block_height(&self, block: &BlockHash) -> Result<Option<Height>, StoreFault> {
        let inner = self.inner();
        let mut blocks = inner.committed.iter();
        Ok(blocks.find(|(_, other)| other.certificate.block == *block).map(|(height, _)| *height))
    }

    fn payload(&self, height: Height) -> Result<Option<Vec<Bytes>>, StoreFault> {
        Ok(self.content(height, |committed| committed.content.batches.clone()))
    }

    fn outcomes(&self, height: Height) -> Result<Option<Vec<Vec<Outcome>>>, StoreFault> {
        Ok(self.content(height, |committed| committed.content.outcomes.clone()))
    }

    fn batch_bytes(&self, height: Height, index: u32) -> Result<Option<Bytes>, StoreFault> {
        let read = |committed: &Committed| committed.content.batches.get(index as usize).cloned();
        Ok(self.content(height, read).flatten())
    }

    fn submitted_order(&self, record: &OrderRecord) -> Result<Option<SubmittedOrder>, StoreFault> {
        let Location { height, batch, item } = record.location;
        let read = |committed: &Committed| {
            let (block, at) = (&committed.content.block, batch as usize);
            let (batch_id, bytes) = (block.batches.get(at)?, committed.content.batches.get(at)?);
            let header = bytes.get(..BATCH_HEADER_BYTES)?;
            let batch: BatchHeader = codec::decode(header, BATCH_HEADER_BYTES).ok()?;
            let size = BatchKind::from_number(batch.kind)?.item_bytes();
            let at = BATCH_PREFIX_BYTES + item as usize * size;
            let item = bytes.get(at..at + size)?.to_vec();
            Some(SubmittedOrder { item, batch, batch_id: *batch_id, block: block.header.clone() })
        };
        let found = self.content(height, read).flatten();
        let is_it =
            |found: &SubmittedOrder| fingerprint(&merkle::leaf(&found.item)) == record.fingerprint;
        assert!(found.as_ref().is_none_or(is_it), "the record of another order");
        Ok(found)
    }

    fn batch_location(&self, batch: &BatchId) -> Result<Option<(Height, u32)>, StoreFault> {
        let inner = self.inner();
        let mut found = inner.committed.iter().filter_map(|(height, committed)| {
            let batches = &committed.content.block.batches;
            let at = (0_u32..).zip(batches).find(|(_, id)| *id == batch)?;
            Some((*height, at.0))
        });
        Ok(found.next())
    }

    fn archived_order(&self, order: &OrderId) -> Result<Option<OrderRecord>, StoreFault> {
        Ok(self.inner().index.orders.get(order).copied())
    }

    fn window(&self, window: WindowId) -> Result<Option<WindowRecord>, StoreFault> {
        Ok(self.inner().index.windows.get(&window).cloned())
    }

    fn windows(
        &self,
        before: Option<WindowId>,
        limit: usize,
    ) -> Result<Vec<WindowRecord>, StoreFault> {
        Ok(page_back(&self.inner().index.windows, before, limit))
    }

    fn window_settlement(&self, window: WindowId) -> Result<Option<WindowSettlement>, StoreFault> {
        Ok(self.inner().index.window_settlements.get(&window).copied())
    }

    fn instruction(
        &self,
        instruction: &InstructionId,
    ) -> Result<Option<InstructionRecord>, StoreFault> {
        Ok(self.inner().index.instructions.get(instruction).cloned())
    }

    fn ended_instruction(
        &self,
        instruction: &InstructionId,
        height: Height,
    ) -> Result<Option<InstructionRecord>, StoreFault> {
        let inner = self.inner();
        let range = (*instruction, Height::new(0))..=(*instruction, height);
        Ok(inner
            .index
            .instructions_ended
            .range(range)
            .next_back()
            .map(|(_, record)| record.clone()))
    }

    fn instructions(
        &self,
        filter: InstructionFilter,
        after: Option<InstructionId>,
        limit: usize,
    ) -> Result<Vec<InstructionRecord>, StoreFault> {
        let inner = self.inner();
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let after = inner.index.instructions.range((start, Bound::Unbounded));
        let wanted = after.map(|(_, found)| found).filter(|found| match filter {
            InstructionFilter::All => true,
            InstructionFilter::Window(window) => found.id.window == window,
            InstructionFilter::Gateway(gateway) => found.gateway == gateway,
        });
        Ok(wanted.take(limit.min(PAGE_ITEMS_MAX)).cloned().collect())
    }

    fn last_instruction(
        &self,
        gateway: ParticipantId,
    ) -> Result<Option<InstructionId>, StoreFault> {
        let inner = self.inner();
        let mut newest_first = inner.index.instructions.values().rev();
        Ok(newest_first.find(|found| found.gateway == gateway).map(|found| found.id))
    }

    fn account_entries(
        &self,
        account: &AccountKey,
        after: Option<RecordCursor>,
        limit: usize,
    ) -> Result<Vec<AccountEntry>, StoreFault> {
        let first = (*account, RecordCursor::first_of(Height::new(0)));
        let last = (*account, RecordCursor { height: Height::new(u64::MAX), sequence: u32::MAX });
        let start =
            after.map_or(Bound::Included(first), |after| Bound::Excluded((*account, after)));
        let inner = self.inner();
        let found = inner.index.account_entries.range((start, Bound::Included(last)));
        Ok(found.take(limit.min(PAGE_ITEMS_MAX)).map(|(_, entry)| *entry).collect())
    }

    fn account_entry_at(
        &self,
        account: &AccountKey,
        height: Height,
    ) -> Result<Option<AccountEntry>, StoreFault> {
        let first = (*account, RecordCursor::first_of(Height::new(0)));
        let last = (*account, RecordCursor::last_of(height));
        let inner = self.inner();
        let found = inner.index.account_entries.range(first..=last).next_back();
        Ok(found.map(|(_, entry)| *entry))
    }

    fn account_node_at(
        &self,
        level: u8,
        index: u32,
        height: Height,
    ) -> Result<Option<Digest>, StoreFault> {
        let inner = self.inner();
        let versions = (level, index, Height::new(0))..=(level, index, height);
        Ok(inner.index.account_nodes.range(versions).next_back().map(|(_, digest)| *digest))
    }

    fn breaches(
        &self,
        after: Option<RecordCursor>,
        limit: usize,
    ) -> Result<Vec<BreachRecord>, StoreFault> {
        Ok(page(&self.inner().index.breaches, after, limit))
    }

    fn evidence(
        &self,
        after: Option<RecordCursor>,
        limit: usize,
    ) -> Result<Vec<EvidenceRecord>, StoreFault> {
        Ok(page(&self.inner().index.evidence, after, limit))
    }

    fn returns(
        &self,
        order: &OrderId,
        after: Option<u16>,
        limit: usize,
    ) -> Result<Vec<ReturnRecord>, StoreFault> {
        let start = match after {
            Some(after) => Bound::Excluded((*order, after)),
            None => Bound::Included((*order, 0)),
        };
        let inner = self.inner();
        let found = inner.index.returns.range((start, Bound::Included((*order, u16::MAX))));
        Ok(found.take(limit.min(PAGE_ITEMS_MAX)).map(|(_, back)| *back).collect())
    }

    fn transfer(&self, transfer: &TransferId) -> Result<Option<TransferRecord>, StoreFault> {
        Ok(self.inner().index.transfers.get(transfer).copied())
    }

    fn transfers(
        &self,
        before: Option<TransferId>,
        limit: usize,
    ) -> Result<Vec<TransferRecord>, StoreFault> {
        Ok(page_back(&self.inner().index.transfers, before, limit))
    }

    fn rates(
        &self,
        key: &RateKey,
        after: Option<TimeMs>,
        limit: usize,
    ) -> Result<Vec<RateRecord>, StoreFault> {
        let start = match after {
            Some(after) => Bound::Excluded((*key, after)),
            None => Bound::Included((*key, TimeMs::new(0))),
        };
        let inner = self.inner();
        let found =
            inner.index.rates.range((start, Bound::Included((*key, TimeMs::new(u64::MAX)))));
        Ok(found.take(limit.min(PAGE_ITEMS_MAX)).map(|(_, rate)| *rate).collect())
    }

    fn quote(&self, quote: QuoteId) -> Result<Option<QuoteRecord>, StoreFault> {
        Ok(self.inner().index.quotes.get(&quote).copied())
    }

    fn quotes(
        &self,
        provider: ParticipantId,
        after: Option<QuoteId>,
        limit: usize,
    ) -> Result<Vec<QuoteRecord>, StoreFault> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let inner = self.inner();
        let after = inner.index.quotes.range((start, Bound::Unbounded));
        let own = after.filter(|(id, _)| id.provider() == provider);
        Ok(own.take(limit.min(PAGE_ITEMS_MAX)).map(|(_, quote)| *quote).collect())
    }

    fn policy(&self, policy: &PolicyKey) -> Result<Option<PolicyRecord>, StoreFault> {
        Ok(self.inner().index.policies.get(policy).copied())
    }

    fn policies(
        &self,
        after: Option<PolicyKey>,
        limit: usize,
    ) -> Result<Vec<PolicyRecord>, StoreFault> {
        Ok(page(&self.inner().index.policies, after, limit))
    }

    fn proposal(&self, proposal: &ProposalId) -> Result<Option<ProposalRecord>, StoreFault> {
        Ok(self.inner().index.proposals.get(proposal).cloned())
    }

    fn proposals(
        &self,
        before: Option<ProposalId>,
        limit: usize,
    ) -> Result<Vec<ProposalRecord>, StoreFault> {
        Ok(page_back(&self.inner().index.proposals, before, limit))
    }

    fn registry_at(&self, height: Height) -> Result<Option<RegistryRecord>, StoreFault> {
        let inner = self.inner();
        let found = inner.index.registries.range(..=height).next_back();
        Ok(found.map(|(_, registry)| registry.clone()))
    }

    fn registries(
        &self,
        after: Option<Height>,
        limit: usize,
    ) -> Result<Vec<RegistryRecord>, StoreFault> {
        Ok(page(&self.inner().index.registries, after, limit))
    }

    fn record_path(&self, record: RecordName) -> Result<Option<RecordPath>, StoreFault> {
        Ok(self.inner().index.record_paths.get(&record).cloned())
    }

    fn writes_digest(&self, height: Height) -> Result<Option<Digest>, StoreFault> {
        Ok(self.inner().index.writes_digests.get(&height).copied())
    }
}
