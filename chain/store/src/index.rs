//! The index: RocksDB without a write-ahead log. What a crash leaves of it is what one atomic
//! flush over all tables left, which is the state after some commit; the block files give the rest.

use std::ops::ControlFlow;
use std::path::Path;

use chain_state::{AccountEntry, OrderRecord, OrderRun, Record};
use chain_types::{Height, OrderId, codec};
use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB, DBCompressionType,
    Direction, FlushOptions, IngestExternalFileOptions, IteratorMode, LogLevel, Options,
    ReadOptions, SstFileWriter, WriteBatch, WriteBufferManager, WriteOptions,
};

use crate::entry_rows::EntryRow;
use crate::fault::StoreFault;
use crate::model::BlockRecords;
use crate::options::StoreOptions;
use crate::order_rows::{self, ROW_ORDERS};
use crate::record_paths::record_paths;
use crate::tables::{
    AccountEntries, AccountNodes, Breaches, Evidence, Instructions, InstructionsByGateway,
    InstructionsEnded, Meta, MetaKey, Orders, Policies, Proposals, Quotes, Rates, RecordPaths,
    Registries, Returns, TABLE_NAMES, Table, TableKey, Transfers, WindowSettlements, Windows,
    WritesDigests,
};

/// Bytes of the longest key, a block hash or a batch id.
const KEY_BYTES_MAX: usize = 32;
/// Rows of orders that are written without a pause.
const ROWS_AT_ONCE: usize = 64;
/// So many bytes of a file are handed to the disk at a time, not all of it at its end.
const BYTES_PER_SYNC: u64 = 1024 * 1024;
/// Two of RocksDB's own log files of at most this many bytes are kept.
const OWN_LOG_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The RocksDB index of a home, open for reading and writing.
pub(crate) struct Index {
    database: DB,
}

/// Rows that are written together or not at all.
pub(crate) struct Rows<'a> {
    index: &'a Index,
    batch: WriteBatch,
    /// The buffer in which rows are encoded.
    buffer: Vec<u8>,
}

impl Index {
    /// Opens the index, or makes it.
    pub fn open(folder: &Path, options: &StoreOptions) -> Result<Self, StoreFault> {
        let cache = Cache::new_lru_cache(options.index_cache_bytes);
        let tables = TABLE_NAMES
            .iter()
            .map(|name| ColumnFamilyDescriptor::new(*name, table_options(name, &cache, options)));
        let database = DB::open_cf_descriptors(&database_options(options), folder, tables)
            .map_err(StoreFault::index("open"))?;
        Ok(Self { database })
    }

    fn table(&self, name: &'static str) -> &ColumnFamily {
        match self.database.cf_handle(name) {
            Some(table) => table,
            None => unreachable!("every table was opened: {name}"),
        }
    }

    /// Returns the row at a key of a table.
    pub fn get<T: Table>(&self, key: &T::Key) -> Result<Option<T::Value>, StoreFault> {
        let found = self
            .database
            .get_pinned_cf(self.table(T::NAME), key.to_bytes())
            .map_err(StoreFault::index("read"))?;
        found.map(|bytes| value::<T>(&bytes)).transpose()
    }

    /// A row of [`Meta`], whose bytes have no other form.
    pub fn get_meta(&self, key: MetaKey) -> Result<Option<Vec<u8>>, StoreFault> {
        self.database
            .get_cf(self.table(Meta::NAME), key.to_bytes())
            .map_err(StoreFault::index("read"))
    }

    /// An order that left memory.
    pub fn order(&self, id: &OrderId) -> Result<Option<OrderRecord>, StoreFault> {
        let (key, mut found) = (id.to_bytes(), Ok(None));
        // A row stands under its last order.
        self.walk::<Orders>(IteratorMode::From(&key, Direction::Forward), &[], |_, row| {
            found = order_rows::find(row, id);
            Ok(ControlFlow::Break(()))
        })?;
        let fault =
            |what: &str| StoreFault::IndexValue { table: Orders::NAME, what: what.to_owned() };
        found.map_err(fault)
    }

    /// Rows whose keys begin with `prefix`, ascending, from the first or from the one after the
    /// key `after`, at most `limit`.
    pub fn page<T: Table>(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<T::Value>, StoreFault> {
        let start = after.map_or(prefix, |after| after.max(prefix));
        let mode = IteratorMode::From(start, Direction::Forward);
        self.rows_but::<T>(mode, prefix, after, limit)
    }

    /// Rows descending by key, from the last or from the one below `before`, at most `limit`.
    pub fn page_back<T: Table>(
        &self,
        before: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<T::Value>, StoreFault> {
        let mode = match before {
            Some(before) => IteratorMode::From(before, Direction::Reverse),
            None => IteratorMode::End,
        };
        self.rows_but::<T>(mode, &[], before, limit)
    }

    /// At most `limit` rows of a walk, without the one of the key `but`.
    fn rows_but<T: Table>(
        &self,
        mode: IteratorMode<'_>,
        prefix: &[u8],
        but: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<T::Value>, StoreFault> {
        let mut found = Vec::new();
        self.walk::<T>(mode, prefix, |key, bytes| {
            if but == Some(key) {
                return Ok(ControlFlow::Continue(()));
            }
            if found.len() == limit {
                return Ok(ControlFlow::Break(()));
            }
            found.push(value::<T>(bytes)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// Hands the rows whose keys begin with `prefix` to `visit`, ascending, from the first or from
    /// the key `start` on, until it breaks off.
    pub fn each_from<T: Table>(
        &self,
        prefix: &[u8],
        start: Option<&[u8]>,
        mut visit: impl FnMut(T::Value) -> ControlFlow<()>,
    ) -> Result<(), StoreFault> {
        let mode = IteratorMode::From(start.unwrap_or(prefix), Direction::Forward);
        self.walk::<T>(mode, prefix, |_, bytes| Ok(visit(value::<T>(bytes)?)))
    }

    /// Hands the rows whose keys begin with `prefix` to `visit`, descending, until it breaks off.
    pub fn each_back<T: Table>(
        &self,
        prefix: &[u8],
        mut visit: impl FnMut(T::Value) -> Result<ControlFlow<()>, StoreFault>,
    ) -> Result<(), StoreFault> {
        // No key that begins with the prefix is longer than this one, nor after it.
        let mut last = prefix.to_vec();
        last.resize(prefix.len() + KEY_BYTES_MAX, u8::MAX);
        let mode = IteratorMode::From(&last, Direction::Reverse);
        self.walk::<T>(mode, prefix, |_, bytes| visit(value::<T>(bytes)?))
    }

    /// The row of the largest key up to and with `last`, if that key begins with `prefix`.
    pub fn last_up_to<T: Table>(
        &self,
        prefix: &[u8],
        last: &[u8],
    ) -> Result<Option<T::Value>, StoreFault> {
        let mut found = None;
        let mode = IteratorMode::From(last, Direction::Reverse);
        self.walk::<T>(mode, prefix, |_, bytes| {
            found = Some(value::<T>(bytes)?);
            Ok(ControlFlow::Break(()))
        })?;
        Ok(found)
    }

    fn walk<T: Table>(
        &self,
        mode: IteratorMode<'_>,
        prefix: &[u8],
        mut visit: impl FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, StoreFault>,
    ) -> Result<(), StoreFault> {
        let options = ReadOptions::default();
        for row in self.database.iterator_cf_opt(self.table(T::NAME), options, mode) {
            let (key, bytes) = row.map_err(StoreFault::index("read"))?;
            if !key.starts_with(prefix) || visit(&key, &bytes)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Rows to be written together.
    pub fn rows(&self) -> Rows<'_> {
        Rows { index: self, batch: WriteBatch::default(), buffer: Vec::new() }
    }

    /// Makes everything written so far durable in one step over all tables.
    pub fn flush(&self) -> Result<(), StoreFault> {
        let tables: Vec<&ColumnFamily> = TABLE_NAMES.iter().map(|name| self.table(name)).collect();
        let mut options = FlushOptions::default();
        options.set_wait(true);
        self.database
            .flush_cfs_opt(&tables.iter().collect::<Vec<_>>(), &options)
            .map_err(StoreFault::index("flush"))
    }

    /// Writes a run of orders, sorted, as a file at `path` and moves it into the table of orders,
    /// durable at once. It passes no log and no buffer, and since the ids of a run follow those of
    /// the runs before, hardly any compaction. `pause` is called after every few rows.
    pub fn ingest_orders(
        &self,
        path: &Path,
        options: &StoreOptions,
        run: &OrderRun,
        mut pause: impl FnMut(),
    ) -> Result<(), StoreFault> {
        let fault = || StoreFault::index("write a run of orders");
        // The cache is for reading: a writer of one file does not need its own.
        let cache = Cache::new_lru_cache(0);
        let mut table = table_options(Orders::NAME, &cache, options);
        table.set_bytes_per_sync(BYTES_PER_SYNC);
        let mut writer = SstFileWriter::create(&table);
        writer.open(path).map_err(fault())?;
        let (mut sorted, mut row) =
            (run.sorted_at_leisure(&mut pause), Vec::with_capacity(ROW_ORDERS));
        for rows in 1.. {
            row.clear();
            row.extend(sorted.by_ref().take(ROW_ORDERS));
            let Some((last, _)) = row.last() else { break };
            writer.put(last.to_bytes(), order_rows::to_bytes(&row)).map_err(fault())?;
            if rows % ROWS_AT_ONCE == 0 {
                pause();
            }
        }
        writer.finish().map_err(fault())?;
        let mut options = IngestExternalFileOptions::default();
        options.set_move_files(true);
        self.database
            .ingest_external_file_cf_opts(self.table(Orders::NAME), &options, vec![path])
            .map_err(StoreFault::index("take in a run of orders"))
    }

    /// Bytes of the index's files.
    pub fn bytes(&self) -> Result<u64, StoreFault> {
        let mut sum = 0;
        for name in TABLE_NAMES {
            let bytes = self
                .database
                .property_int_value_cf(self.table(name), "rocksdb.total-sst-files-size")
                .map_err(StoreFault::index("measure itself"))?;
            sum += bytes.unwrap_or(0);
        }
        Ok(sum)
    }
}

impl Rows<'_> {
    /// Adds or replaces a row.
    pub fn put<T: Table>(&mut self, key: &T::Key, value: &T::Value) {
        self.buffer.clear();
        codec::append(&mut self.buffer, value);
        self.batch.put_cf(self.index.table(T::NAME), key.to_bytes(), &self.buffer);
    }

    /// Adds or replaces a row of [`Meta`].
    pub fn put_meta(&mut self, key: MetaKey, value: &[u8]) {
        self.batch.put_cf(self.index.table(Meta::NAME), key.to_bytes(), value);
    }

    /// Notes that everything up to `height` is indexed.
    pub fn put_applied(&mut self, height: Height) {
        self.put_meta(MetaKey::Applied, &height.get().to_le_bytes());
    }

    /// Adds what readers look up of the block of a height.
    pub fn put_records(&mut self, height: Height, learned: &BlockRecords) {
        self.put::<WritesDigests>(&height, &learned.writes);
        for node in &learned.account_nodes {
            self.put::<AccountNodes>(&((node.level, node.index), height), &node.digest);
        }
        let mut entries: Vec<&AccountEntry> = Vec::new();
        for record in &learned.records {
            match record {
                Record::AccountEntry(entry) => entries.push(entry),
                other => self.put_record(other),
            }
        }
        // By account, those of one in the order in which they came.
        entries.sort_unstable_by_key(|entry| (entry.key, entry.sequence));
        for entries in entries.chunk_by(|entry, next| entry.key == next.key) {
            let row = EntryRow::of(entries.iter().copied());
            self.put::<AccountEntries>(&(entries[0].key, height), &row);
        }
        for (name, path) in record_paths(height, &learned.records) {
            self.put::<RecordPaths>(&name, &path);
        }
    }

    fn put_record(&mut self, record: &Record) {
        match record {
            // An account's entries in a block are one row.
            Record::AccountEntry(_) => {}
            Record::Window(window) => self.put::<Windows>(&window.id, window),
            Record::WindowSettlement(word) => self.put::<WindowSettlements>(&word.window, word),
            Record::Instruction(instruction) => {
                let id = instruction.id;
                self.put::<Instructions>(&id, instruction);
                self.put::<InstructionsByGateway>(&(instruction.gateway, id), &id);
                if let Some(height) = instruction.ended_at() {
                    self.put::<InstructionsEnded>(&(id, height), instruction);
                }
            }
            Record::Breach(breach) => {
                let at = breach.cursor();
                self.put::<Breaches>(&at, breach);
            }
            Record::Evidence(caught) => {
                let at = caught.cursor();
                self.put::<Evidence>(&at, caught);
            }
            Record::Return(back) => self.put::<Returns>(&(back.order, back.sequence), back),
            Record::Transfer(transfer) => self.put::<Transfers>(&transfer.id, transfer),
            Record::Rate(rate) => {
                let key = (rate.currency, rate.payout_currency, rate.provider);
                self.put::<Rates>(&(key, rate.observed), rate);
            }
            Record::Quote(quote) => self.put::<Quotes>(&quote.id, quote),
            Record::Policy(policy) => {
                self.put::<Policies>(&(policy.scope, policy.subject, policy.currency), policy);
            }
            // What holds now is in the state; what once held is a record of its block.
            Record::Line(_) => {}
            Record::Proposal(proposal) => self.put::<Proposals>(&proposal.id, proposal),
            Record::Registry(registry) => self.put::<Registries>(&registry.since, registry),
        }
    }

    /// Writes the rows. Durable with the next flush.
    pub fn write(self) -> Result<(), StoreFault> {
        let mut options = WriteOptions::default();
        options.disable_wal(true);
        self.index.database.write_opt(self.batch, &options).map_err(StoreFault::index("write"))
    }
}

fn value<T: Table>(bytes: &[u8]) -> Result<T::Value, StoreFault> {
    codec::decode(bytes, codec::DECODE_BYTES_MAX)
        .map_err(|error| StoreFault::IndexValue { table: T::NAME, what: error.to_string() })
}

fn database_options(options: &StoreOptions) -> Options {
    let mut database = Options::default();
    database.create_if_missing(true);
    database.create_missing_column_families(true);
    // One flush is one point of the chain, over all tables.
    database.set_atomic_flush(true);
    // One thread writes, and the rows of a block come nearly in order: each is put next to the one
    // before it, without a search.
    database.set_allow_concurrent_memtable_write(false);
    let buffers = WriteBufferManager::new_write_buffer_manager(options.index_buffer_bytes, false);
    database.set_write_buffer_manager(&buffers);
    database.set_max_open_files(i32::from(options.index_files_open_max));
    database.set_max_background_jobs(i32::from(options.index_threads.max(1)));
    database.set_bytes_per_sync(BYTES_PER_SYNC);
    database.set_log_level(LogLevel::Warn);
    database.set_keep_log_file_num(2);
    database.set_max_log_file_size(OWN_LOG_BYTES_MAX);
    database.set_stats_dump_period_sec(0);
    database.set_stats_persist_period_sec(0);
    database
}

fn table_options(name: &str, cache: &Cache, options: &StoreOptions) -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(cache);
    blocks.set_block_size(16 * 1024);
    blocks.set_format_version(6);
    // So that memory stays bounded however large the chain grows.
    blocks.set_cache_index_and_filter_blocks(true);
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
    let mut table = Options::default();
    table.set_write_buffer_size((options.index_buffer_bytes / 4).max(1024 * 1024));
    table.set_compression_type(DBCompressionType::Lz4);
    match name {
        // A run goes straight to the bottom, its rows are small already, and what they hold is
        // mostly random: compressing them would cost more than writing them. A file is found by
        // its range of ids, so a filter would save little.
        Orders::NAME => no_compression(&mut table),
        // Digests do not compress. Of these two the last row up to a height is read: a filter by
        // whole keys would never be asked.
        AccountNodes::NAME => no_compression(&mut table),
        AccountEntries::NAME => {
            table.set_bottommost_compression_type(DBCompressionType::Zstd);
        }
        _ => {
            table.set_bottommost_compression_type(DBCompressionType::Zstd);
            blocks.set_bloom_filter(10.0, false);
        }
    }
    table.set_block_based_table_factory(&blocks);
    table
}

fn no_compression(table: &mut Options) {
    table.set_compression_type(DBCompressionType::None);
    table.set_bottommost_compression_type(DBCompressionType::None);
}
