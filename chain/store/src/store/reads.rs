//! Reads, at the same time as the writer. Nothing here waits for it.

use std::ops::ControlFlow;

use bytes::Bytes;
use chain_state::records::fingerprint;
use chain_state::{
    AccountEntry, AccountKey, BreachRecord, EvidenceRecord, InstructionRecord, Location,
    OrderRecord, PolicyKey, PolicyRecord, ProposalRecord, QuoteRecord, RateKey, RateRecord,
    RegistryRecord, ReturnRecord, TransferRecord, WindowRecord, WindowSettlement,
};
use chain_types::batch::{BATCH_HEADER_BYTES, BATCH_PREFIX_BYTES, BatchHeader, BatchKind};
use chain_types::{
    BatchId, BlockHash, Certificate, Digest, Height, InstructionId, OrderId, Outcome,
    ParticipantId, ProposalId, QuoteId, RecordCursor, TimeMs, TransferId, WindowId, merkle,
};

use super::{
    ExecutedBlock, Kind, Ordering, PAYLOAD_PREFIX_BYTES, Position, Store, StoreFault, StoredBlock,
    add, codec, read_batch, read_outcomes,
};
use crate::chain_store::ChainStore;
use crate::model::{
    BlockRecords, CommittedBlock, InstructionFilter, PAGE_ITEMS_MAX, SubmittedOrder,
};
use crate::record_paths::{RecordName, RecordPath};
use crate::recovery::StoredCertificate;
use crate::tables::{
    AccountEntries, AccountNodes, Batches, Breaches, Evidence, Hashes, Heights, Instructions,
    InstructionsByGateway, InstructionsEnded, Place, Policies, Proposals, Quotes, Rates,
    RecordPaths, Registries, Returns, Table, TableKey, Transfers, WindowSettlements, Windows,
    WritesDigests, account_prefix, gateway_prefix, node_prefix, rate_prefix,
};

impl Store {
    /// Returns the place of a committed block. The index may know one height more than is
    /// committed.
    fn place(&self, height: Height) -> Result<Option<Place>, StoreFault> {
        self.poison.check()?;
        if height.get() > self.head.load(Ordering::Acquire) {
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
        height.get() <= self.head.load(Ordering::Acquire)
    }

    fn row<T: Table>(&self, key: &T::Key) -> Result<Option<T::Value>, StoreFault> {
        self.poison.check()?;
        self.index.get::<T>(key)
    }

    /// Rows whose keys begin with `prefix`, from the one after `after` on.
    fn page<T: Table>(
        &self,
        prefix: &[u8],
        after: Option<T::Key>,
        limit: usize,
    ) -> Result<Vec<T::Value>, StoreFault> {
        self.poison.check()?;
        let after = after.map(|key| key.to_bytes());
        let after = after.as_ref().map(AsRef::as_ref);
        self.index.page::<T>(prefix, after, limit.min(PAGE_ITEMS_MAX))
    }

    /// Rows descending by key, from the one below `before` on.
    fn page_back<T: Table>(
        &self,
        before: Option<T::Key>,
        limit: usize,
    ) -> Result<Vec<T::Value>, StoreFault> {
        self.poison.check()?;
        let before = before.map(|key| key.to_bytes());
        let before = before.as_ref().map(AsRef::as_ref);
        self.index.page_back::<T>(before, limit.min(PAGE_ITEMS_MAX))
    }

    /// A gateway's row stays when its instruction is given to another: it is passed over here.
    fn instructions_of(
        &self,
        gateway: ParticipantId,
        mut after: Option<InstructionId>,
        limit: usize,
    ) -> Result<Vec<InstructionRecord>, StoreFault> {
        let limit = limit.min(PAGE_ITEMS_MAX);
        let mut found = Vec::new();
        while found.len() < limit {
            let from = after.map(|id| (gateway, id));
            let wanted = limit - found.len();
            let ids = self.page::<InstructionsByGateway>(&gateway_prefix(gateway), from, wanted)?;
            let Some(last) = ids.last() else { break };
            after = Some(*last);
            for id in &ids {
                let record = self.index.get::<Instructions>(id)?;
                found.extend(record.filter(|record| record.gateway == gateway));
            }
        }
        Ok(found)
    }
}

impl ChainStore for Store {
    fn stage(&self, staged: &ExecutedBlock) -> Result<(), StoreFault> {
        self.poison.guard(|| self.write_stage(staged))
    }

    fn is_staged(&self, block: &BlockHash) -> bool {
        self.writer().staging.find(block).is_some()
    }

    fn commit(&self, certificate: &Certificate, learned: BlockRecords) -> Result<(), StoreFault> {
        self.poison.guard(|| self.write_commit(certificate, learned))
    }

    fn reindex(&self, height: Height, learned: BlockRecords) -> Result<(), StoreFault> {
        self.poison.guard(|| self.write_reindex(height, learned))
    }

    fn checkpoint_of(
        &self,
        height: Height,
        pieces: &mut dyn Iterator<Item = Vec<u8>>,
    ) -> Result<(), StoreFault> {
        self.poison.guard(|| self.write_checkpoint(height, pieces))
    }

    fn head(&self) -> Option<Height> {
        let head = self.head.load(Ordering::Acquire);
        (head > 0).then_some(Height::new(head))
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

    fn submitted_order(&self, record: &OrderRecord) -> Result<Option<SubmittedOrder>, StoreFault> {
        let Location { height, batch, item } = record.location;
        let Some(StoredBlock { block, payload, .. }) = self.stored(height)? else {
            return Ok(None);
        };
        let at = batch as usize;
        let (Some(batch_id), Some(position)) = (block.batches.get(at), payload.get(at)) else {
            return Ok(None);
        };
        let prefix = PAYLOAD_PREFIX_BYTES + BATCH_HEADER_BYTES;
        let start = self.files.read_start(*position, Kind::Payload, prefix)?;
        let corrupt = |what: &str| {
            StoreFault::corrupt(&self.files.path(position.file), position.offset, what)
        };
        let header = start.get(PAYLOAD_PREFIX_BYTES..).unwrap_or_default();
        let header: Option<BatchHeader> = codec::decode(header, BATCH_HEADER_BYTES).ok();
        // The id is a digest of the header.
        let header = header.filter(|header| header.id() == *batch_id);
        let header = header.ok_or_else(|| corrupt("the batch's header is not that of its id"))?;
        let size = BatchKind::from_number(header.kind).map(BatchKind::item_bytes);
        let size = size.ok_or_else(|| corrupt("the batch is of no kind"))?;
        if item >= header.count {
            return Ok(None);
        }
        let at = PAYLOAD_PREFIX_BYTES + BATCH_PREFIX_BYTES + item as usize * size;
        let item = self.files.read_range(*position, at..at + size)?;
        if fingerprint(&merkle::leaf(&item)) != record.fingerprint {
            return Err(corrupt("an order of the batch is not that of its record"));
        }
        let (batch, batch_id, block) = (header, *batch_id, block.header);
        Ok(Some(SubmittedOrder { item, batch, batch_id, block }))
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
            None => self.index.order(order),
        }
    }

    fn window(&self, window: WindowId) -> Result<Option<WindowRecord>, StoreFault> {
        self.row::<Windows>(&window)
    }

    fn windows(
        &self,
        before: Option<WindowId>,
        limit: usize,
    ) -> Result<Vec<WindowRecord>, StoreFault> {
        self.page_back::<Windows>(before, limit)
    }

    fn window_settlement(&self, window: WindowId) -> Result<Option<WindowSettlement>, StoreFault> {
        self.row::<WindowSettlements>(&window)
    }

    fn instruction(
        &self,
        instruction: &InstructionId,
    ) -> Result<Option<InstructionRecord>, StoreFault> {
        self.row::<Instructions>(instruction)
    }

    fn ended_instruction(
        &self,
        instruction: &InstructionId,
        height: Height,
    ) -> Result<Option<InstructionRecord>, StoreFault> {
        self.poison.check()?;
        let last = (*instruction, height).to_bytes();
        self.index.last_up_to::<InstructionsEnded>(&instruction.to_bytes(), &last)
    }

    fn instructions(
        &self,
        filter: InstructionFilter,
        after: Option<InstructionId>,
        limit: usize,
    ) -> Result<Vec<InstructionRecord>, StoreFault> {
        match filter {
            InstructionFilter::All => self.page::<Instructions>(&[], after, limit),
            InstructionFilter::Window(window) => {
                self.page::<Instructions>(&window.to_bytes(), after, limit)
            }
            InstructionFilter::Gateway(gateway) => self.instructions_of(gateway, after, limit),
        }
    }

    fn last_instruction(
        &self,
        gateway: ParticipantId,
    ) -> Result<Option<InstructionId>, StoreFault> {
        self.poison.check()?;
        let (mut last, mut rows) = (None, 0);
        self.index.each_back::<InstructionsByGateway>(&gateway_prefix(gateway), |id| {
            last = Some(id);
            rows += 1;
            let record = self.index.get::<Instructions>(&id)?;
            let is_its = record.is_some_and(|record| record.gateway == gateway);
            let is_found = is_its || rows == PAGE_ITEMS_MAX;
            Ok(if is_found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        Ok(last)
    }

    fn account_entries(
        &self,
        account: &AccountKey,
        after: Option<RecordCursor>,
        limit: usize,
    ) -> Result<Vec<AccountEntry>, StoreFault> {
        self.poison.check()?;
        let limit = limit.min(PAGE_ITEMS_MAX);
        // What follows the cursor in its own block stands in the same row.
        let start = after.map(|cursor| (*account, cursor.height).to_bytes());
        let is_wanted = |entry: &AccountEntry| {
            let at = entry.cursor();
            after.is_none_or(|after| at > after)
        };
        let mut found: Vec<AccountEntry> = Vec::new();
        self.index.each_from::<AccountEntries>(
            &account_prefix(account),
            start.as_ref().map(AsRef::as_ref),
            |row| {
                found.extend(row.entries(*account).filter(is_wanted));
                if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            },
        )?;
        found.truncate(limit);
        Ok(found)
    }

    fn account_entry_at(
        &self,
        account: &AccountKey,
        height: Height,
    ) -> Result<Option<AccountEntry>, StoreFault> {
        self.poison.check()?;
        add(&self.counters.account_rows_read, 1);
        let last = (*account, height).to_bytes();
        let row = self.index.last_up_to::<AccountEntries>(&account_prefix(account), &last)?;
        Ok(row.and_then(|row| row.entries(*account).next_back()))
    }

    fn account_node_at(
        &self,
        level: u8,
        index: u32,
        height: Height,
    ) -> Result<Option<Digest>, StoreFault> {
        self.poison.check()?;
        add(&self.counters.account_rows_read, 1);
        let last = ((level, index), height).to_bytes();
        self.index.last_up_to::<AccountNodes>(&node_prefix((level, index)), &last)
    }

    fn breaches(
        &self,
        after: Option<RecordCursor>,
        limit: usize,
    ) -> Result<Vec<BreachRecord>, StoreFault> {
        self.page::<Breaches>(&[], after, limit)
    }

    fn evidence(
        &self,
        after: Option<RecordCursor>,
        limit: usize,
    ) -> Result<Vec<EvidenceRecord>, StoreFault> {
        self.page::<Evidence>(&[], after, limit)
    }

    fn returns(
        &self,
        order: &OrderId,
        after: Option<u16>,
        limit: usize,
    ) -> Result<Vec<ReturnRecord>, StoreFault> {
        let after = after.map(|sequence| (*order, sequence));
        self.page::<Returns>(&order.to_bytes(), after, limit)
    }

    fn transfer(&self, transfer: &TransferId) -> Result<Option<TransferRecord>, StoreFault> {
        self.row::<Transfers>(transfer)
    }

    fn transfers(
        &self,
        before: Option<TransferId>,
        limit: usize,
    ) -> Result<Vec<TransferRecord>, StoreFault> {
        self.page_back::<Transfers>(before, limit)
    }

    fn rates(
        &self,
        key: &RateKey,
        after: Option<TimeMs>,
        limit: usize,
    ) -> Result<Vec<RateRecord>, StoreFault> {
        self.page::<Rates>(&rate_prefix(key), after.map(|observed| (*key, observed)), limit)
    }

    fn quote(&self, quote: QuoteId) -> Result<Option<QuoteRecord>, StoreFault> {
        self.row::<Quotes>(&quote)
    }

    fn quotes(
        &self,
        provider: ParticipantId,
        after: Option<QuoteId>,
        limit: usize,
    ) -> Result<Vec<QuoteRecord>, StoreFault> {
        self.page::<Quotes>(&provider.get().to_be_bytes(), after, limit)
    }

    fn policy(&self, policy: &PolicyKey) -> Result<Option<PolicyRecord>, StoreFault> {
        self.row::<Policies>(policy)
    }

    fn policies(
        &self,
        after: Option<PolicyKey>,
        limit: usize,
    ) -> Result<Vec<PolicyRecord>, StoreFault> {
        self.page::<Policies>(&[], after, limit)
    }

    fn proposal(&self, proposal: &ProposalId) -> Result<Option<ProposalRecord>, StoreFault> {
        self.row::<Proposals>(proposal)
    }

    fn proposals(
        &self,
        before: Option<ProposalId>,
        limit: usize,
    ) -> Result<Vec<ProposalRecord>, StoreFault> {
        self.page_back::<Proposals>(before, limit)
    }

    fn registry_at(&self, height: Height) -> Result<Option<RegistryRecord>, StoreFault> {
        self.poison.check()?;
        self.index.last_up_to::<Registries>(&[], &height.to_bytes())
    }

    fn registries(
        &self,
        after: Option<Height>,
        limit: usize,
    ) -> Result<Vec<RegistryRecord>, StoreFault> {
        self.page::<Registries>(&[], after, limit)
    }

    fn record_path(&self, record: RecordName) -> Result<Option<RecordPath>, StoreFault> {
        self.row::<RecordPaths>(&record)
    }

    fn writes_digest(&self, height: Height) -> Result<Option<Digest>, StoreFault> {
        self.row::<WritesDigests>(&height)
    }
}
