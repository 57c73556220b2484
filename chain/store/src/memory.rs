//! The store's twin without a disk: for tests, and for the simulator, where a crash is a call.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use chain_state::{
    AccountEntry, AccountKey, BreachRecord, InstructionRecord, OrderRecord, Record, Retired,
    WindowRecord,
};
use chain_types::{
    BatchId, BlockHash, Certificate, Height, InstructionId, OrderId, Outcome, ParticipantId,
    WindowId,
};

use crate::chain_store::ChainStore;
use crate::fault::StoreFault;
use crate::model::{
    BreachCursor, CommittedBlock, EntryCursor, InstructionFilter, PAGE_ITEMS_MAX, RecoveredBlock,
    Recovery, StagedBlock,
};

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
    /// What a power loss leaves of `index`.
    index_durable: Index,
}

#[derive(Debug)]
struct Committed {
    content: RecoveredBlock,
    certificate: Certificate,
}

#[derive(Debug, Default, Clone)]
struct Index {
    orders: BTreeMap<OrderId, OrderRecord>,
    windows: BTreeMap<WindowId, WindowRecord>,
    instructions: BTreeMap<InstructionId, InstructionRecord>,
    instructions_by_gateway: BTreeMap<(ParticipantId, InstructionId), ()>,
    account_entries: BTreeMap<(AccountKey, EntryCursor), AccountEntry>,
    breaches: BTreeMap<BreachCursor, BreachRecord>,
}

impl Index {
    fn write(&mut self, records: &[Record], retired: Retired) {
        for record in records {
            match record {
                Record::Window(window) => {
                    self.windows.insert(window.id, window.clone());
                }
                Record::Instruction(instruction) => {
                    self.instructions.insert(instruction.id, *instruction);
                    let key = (instruction.gateway, instruction.id);
                    self.instructions_by_gateway.insert(key, ());
                }
                Record::AccountEntry(entry) => {
                    let at = EntryCursor { height: entry.height, sequence: entry.sequence };
                    self.account_entries.insert((entry.key, at), *entry);
                }
                Record::Breach(breach) => {
                    let at = BreachCursor { height: breach.height, sequence: breach.sequence };
                    self.breaches.insert(at, *breach);
                }
            }
        }
        self.orders.extend(retired.runs.into_iter().flatten());
    }
}

impl Inner {
    fn head(&self) -> Option<Height> {
        self.committed.last_key_value().map(|(height, _)| *height)
    }

    fn next(&self) -> Height {
        self.head().map_or(Height(1), Height::next)
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
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// What a process that was killed and started again finds: everything that was written.
    pub fn recovery(&self) -> Recovery {
        self.inner().recovery()
    }

    /// What a machine that lost power finds: what was durable. The certificate of the last commit
    /// is lost if nothing was staged after it, its block is staged again, and the index is that
    /// of the last checkpoint.
    pub fn lose_power(&self) -> Recovery {
        let mut inner = self.inner();
        let durable = inner.durable.map_or(Height(1), Height::next);
        let lost = inner.committed.split_off(&durable);
        if !lost.is_empty() {
            inner.staged = lost.into_values().map(|committed| committed.content).collect();
        }
        inner.index = inner.index_durable.clone();
        inner.recovery()
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
    fn stage(&self, staged: &StagedBlock) -> Result<(), StoreFault> {
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

    fn commit(
        &self,
        certificate: &Certificate,
        records: &[Record],
        retired: Retired,
    ) -> Result<(), StoreFault> {
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
        inner.index.write(records, retired);
        Ok(())
    }

    fn reindex(
        &self,
        height: Height,
        records: &[Record],
        retired: Retired,
    ) -> Result<(), StoreFault> {
        let mut inner = self.inner();
        let expected = inner.next();
        if height >= expected {
            return Err(StoreFault::OutOfOrder { expected, height });
        }
        inner.index.write(records, retired);
        Ok(())
    }

    fn checkpoint(&self, height: Height, bytes: &[u8]) -> Result<(), StoreFault> {
        let mut inner = self.inner();
        let expected = inner.next();
        if height >= expected {
            return Err(StoreFault::OutOfOrder { expected, height });
        }
        inner.durable = inner.head();
        inner.checkpoint = Some((height, bytes.to_vec()));
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
        let inner = self.inner();
        let end = before.map_or(Bound::Unbounded, Bound::Excluded);
        let found = inner.index.windows.range((Bound::Unbounded, end)).rev();
        Ok(found.take(limit.min(PAGE_ITEMS_MAX)).map(|(_, window)| window.clone()).collect())
    }

    fn instruction(
        &self,
        instruction: &InstructionId,
    ) -> Result<Option<InstructionRecord>, StoreFault> {
        Ok(self.inner().index.instructions.get(instruction).copied())
    }

    fn instructions(
        &self,
        filter: InstructionFilter,
        after: Option<InstructionId>,
        limit: usize,
    ) -> Result<Vec<InstructionRecord>, StoreFault> {
        let inner = self.inner();
        let index = &inner.index;
        let limit = limit.min(PAGE_ITEMS_MAX);
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let all = index.instructions.range((start, Bound::Unbounded)).map(|(_, found)| *found);
        Ok(match filter {
            InstructionFilter::All => all.take(limit).collect(),
            InstructionFilter::Window(window) => {
                all.filter(|found| found.id.window == window).take(limit).collect()
            }
            InstructionFilter::Gateway(gateway) => index
                .instructions_by_gateway
                .keys()
                .filter(|(owner, id)| *owner == gateway && after.is_none_or(|after| *id > after))
                .filter_map(|(_, id)| index.instructions.get(id).copied())
                .take(limit)
                .collect(),
        })
    }

    fn account_entries(
        &self,
        account: &AccountKey,
        after: Option<EntryCursor>,
        limit: usize,
    ) -> Result<Vec<AccountEntry>, StoreFault> {
        let first = (*account, EntryCursor { height: Height(0), sequence: 0 });
        let last = (*account, EntryCursor { height: Height(u64::MAX), sequence: u32::MAX });
        let start =
            after.map_or(Bound::Included(first), |after| Bound::Excluded((*account, after)));
        let inner = self.inner();
        let found = inner.index.account_entries.range((start, Bound::Included(last)));
        Ok(found.take(limit.min(PAGE_ITEMS_MAX)).map(|(_, entry)| *entry).collect())
    }

    fn breaches(
        &self,
        after: Option<BreachCursor>,
        limit: usize,
    ) -> Result<Vec<BreachRecord>, StoreFault> {
        let inner = self.inner();
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let found = inner.index.breaches.range((start, Bound::Unbounded));
        Ok(found.take(limit.min(PAGE_ITEMS_MAX)).map(|(_, breach)| *breach).collect())
    }
}
