//! What readers do, at the same time as the writer. Nothing here waits for it.

use bytes::Bytes;
use chain_state::{
    AccountEntry, AccountKey, BreachRecord, InstructionRecord, OrderRecord, Record, Retired,
    WindowRecord,
};
use chain_types::{
    BatchId, BlockHash, Certificate, Height, InstructionId, OrderId, Outcome, WindowId,
};

use super::{
    Kind, Ordering, Position, StagedBlock, Store, StoreFault, StoredBlock, codec, read_batch,
    read_outcomes,
};
use crate::chain_store::ChainStore;
use crate::model::{BreachCursor, CommittedBlock, EntryCursor, InstructionFilter, PAGE_ITEMS_MAX};
use crate::recovery::StoredCertificate;
use crate::tables::{
    AccountEntries, Batches, Breaches, Hashes, Heights, Instructions, InstructionsByGateway,
    Orders, Place, TableKey, Windows, account_prefix, gateway_prefix,
};

impl Store {
    /// Where a committed block stands. The index may know one height more than is committed.
    fn place(&self, height: Height) -> Result<Option<Place>, StoreFault> {
        self.poison.check()?;
        if height.0 > self.head.load(Ordering::Acquire) {
            return Ok(None);
        }
        self.index.get::<Heights>(&height)
    }

    fn stored(&self, height: Height) -> Result<Option<StoredBlock>, StoreFault> {
        let Some(place) = self.place(height)? else {
            return Ok(None);
        };
        self.decode(place.block, Kind::Block).map(Some)
    }

    fn decode<T: bincode::Decode<()>>(
        &self,
        position: Position,
        kind: Kind,
    ) -> Result<T, StoreFault> {
        let body = self.files.read(position, kind)?;
        codec::decode(&body, codec::DECODE_BYTES_MAX).map_err(|error| {
            let what = format!("the {kind:?} frame does not decode: {error}");
            StoreFault::corrupt(&self.files.path(position.file), position.offset, what)
        })
    }

    fn is_committed(&self, height: Height) -> bool {
        height.0 <= self.head.load(Ordering::Acquire)
    }
}

impl ChainStore for Store {
    fn stage(&self, staged: &StagedBlock) -> Result<(), StoreFault> {
        self.poison.guard(|| self.write_stage(staged))
    }

    fn is_staged(&self, block: &BlockHash) -> bool {
        self.writer().staging.find(block).is_some()
    }

    fn commit(
        &self,
        certificate: &Certificate,
        records: &[Record],
        retired: Retired,
    ) -> Result<(), StoreFault> {
        self.poison.guard(|| self.write_commit(certificate, records, retired))
    }

    fn reindex(
        &self,
        height: Height,
        records: &[Record],
        retired: Retired,
    ) -> Result<(), StoreFault> {
        self.poison.guard(|| self.write_reindex(height, records, retired))
    }

    fn checkpoint(&self, height: Height, bytes: &[u8]) -> Result<(), StoreFault> {
        self.poison.guard(|| self.write_checkpoint(height, bytes))
    }

    fn head(&self) -> Option<Height> {
        let head = self.head.load(Ordering::Acquire);
        (head > 0).then_some(Height(head))
    }

    fn block(&self, height: Height) -> Result<Option<CommittedBlock>, StoreFault> {
        let Some(place) = self.place(height)? else {
            return Ok(None);
        };
        let stored: StoredBlock = self.decode(place.block, Kind::Block)?;
        let certified: StoredCertificate = self.decode(place.certificate, Kind::Certificate)?;
        let (block, certificate) = (stored.block, certified.certificate);
        Ok(Some(CommittedBlock { block, certificate }))
    }

    fn block_height(&self, block: &BlockHash) -> Result<Option<Height>, StoreFault> {
        self.poison.check()?;
        let found = self.index.get::<Hashes>(block)?;
        Ok(found.filter(|height| self.is_committed(*height)))
    }

    fn payload(&self, height: Height) -> Result<Option<Vec<Bytes>>, StoreFault> {
        let Some(stored) = self.stored(height)? else {
            return Ok(None);
        };
        let batches = stored.payload.iter().map(|position| read_batch(&self.files, *position));
        batches.collect::<Result<_, _>>().map(Some)
    }

    fn outcomes(&self, height: Height) -> Result<Option<Vec<Vec<Outcome>>>, StoreFault> {
        let Some(stored) = self.stored(height)? else {
            return Ok(None);
        };
        read_outcomes(&self.files, stored.outcomes).map(Some)
    }

    fn batch_bytes(&self, height: Height, index: u32) -> Result<Option<Bytes>, StoreFault> {
        let stored = self.stored(height)?;
        let position = stored.and_then(|stored| stored.payload.get(index as usize).copied());
        position.map(|position| read_batch(&self.files, position)).transpose()
    }

    fn batch_location(&self, batch: &BatchId) -> Result<Option<(Height, u32)>, StoreFault> {
        self.poison.check()?;
        let found = self.index.get::<Batches>(batch)?;
        Ok(found.filter(|(height, _)| self.is_committed(*height)))
    }

    fn archived_order(&self, order: &OrderId) -> Result<Option<OrderRecord>, StoreFault> {
        self.poison.check()?;
        // First those on their way: a run leaves the queue only after it has arrived.
        match self.archive.get(order) {
            Some(record) => Ok(Some(record)),
            None => self.index.get::<Orders>(order),
        }
    }

    fn window(&self, window: WindowId) -> Result<Option<WindowRecord>, StoreFault> {
        self.poison.check()?;
        self.index.get::<Windows>(&window)
    }

    fn windows(
        &self,
        before: Option<WindowId>,
        limit: usize,
    ) -> Result<Vec<WindowRecord>, StoreFault> {
        self.poison.check()?;
        let before = before.map(|window| window.to_bytes());
        let before = before.as_ref().map(AsRef::as_ref);
        self.index.page_back::<Windows>(before, limit.min(PAGE_ITEMS_MAX))
    }

    fn instruction(
        &self,
        instruction: &InstructionId,
    ) -> Result<Option<InstructionRecord>, StoreFault> {
        self.poison.check()?;
        self.index.get::<Instructions>(instruction)
    }

    fn instructions(
        &self,
        filter: InstructionFilter,
        after: Option<InstructionId>,
        limit: usize,
    ) -> Result<Vec<InstructionRecord>, StoreFault> {
        self.poison.check()?;
        let limit = limit.min(PAGE_ITEMS_MAX);
        let after_key = after.map(|id| id.to_bytes());
        let after_key = after_key.as_ref().map(AsRef::as_ref);
        match filter {
            InstructionFilter::All => self.index.page::<Instructions>(&[], after_key, limit),
            InstructionFilter::Window(window) => {
                self.index.page::<Instructions>(&window.to_bytes(), after_key, limit)
            }
            InstructionFilter::Gateway(gateway) => {
                let after = after.map(|id| (gateway, id).to_bytes());
                let after = after.as_ref().map(AsRef::as_ref);
                let prefix = gateway_prefix(gateway);
                let ids = self.index.page::<InstructionsByGateway>(&prefix, after, limit)?;
                let found = ids.iter().map(|id| self.index.get::<Instructions>(id));
                // A row of the one table is written with its row of the other.
                found.filter_map(Result::transpose).collect()
            }
        }
    }

    fn account_entries(
        &self,
        account: &AccountKey,
        after: Option<EntryCursor>,
        limit: usize,
    ) -> Result<Vec<AccountEntry>, StoreFault> {
        self.poison.check()?;
        let after = after.map(|cursor| (*account, cursor).to_bytes());
        let after = after.as_ref().map(AsRef::as_ref);
        let prefix = account_prefix(account);
        self.index.page::<AccountEntries>(&prefix, after, limit.min(PAGE_ITEMS_MAX))
    }

    fn breaches(
        &self,
        after: Option<BreachCursor>,
        limit: usize,
    ) -> Result<Vec<BreachRecord>, StoreFault> {
        self.poison.check()?;
        let after = after.map(|cursor| cursor.to_bytes());
        let after = after.as_ref().map(AsRef::as_ref);
        self.index.page::<Breaches>(&[], after, limit.min(PAGE_ITEMS_MAX))
    }
}
