//! The store on disk: one writer, many readers.

use std::borrow::Cow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use chain_types::{ChainId, ExecutedBlock, Height, codec};

use crate::archive::Archive;
use crate::block_files::{Appender, BlockFiles, Kind, Position};
use crate::checkpoint_file::CheckpointFiles;
use crate::counters::{Counters, add};
use crate::fault::StoreFault;
use crate::frame::frame_bytes;
use crate::home::Home;
use crate::index::Index;
use crate::model::{RecoveredBlock, Recovery, SizeOnDisk, StoreCounters};
use crate::options::StoreOptions;
use crate::poison::Poison;
use crate::recovery::{
    PAYLOAD_PREFIX_BYTES, Recovered, Staged, Staging, StoredBlock, next, outcomes_from_bytes,
    outcomes_to_bytes, recover,
};

mod reads;
#[cfg(test)]
mod tests;
mod writes;

/// The chain in a home folder. See [`crate::ChainStore`] for what it does.
pub struct Store {
    // Fields drop in this order: the archive's thread ends first, the lock is given up last.
    archive: Archive,
    index: Arc<Index>,
    files: Arc<BlockFiles>,
    checkpoints: CheckpointFiles,
    writer: Mutex<Writer>,
    /// The last committed height; 0, which is never stored, for none.
    head: AtomicU64,
    poison: Arc<Poison>,
    counters: Arc<Counters>,
    home: Home,
}

struct Writer {
    appender: Appender,
    head: Option<Height>,
    staging: Staging,
}

impl Store {
    /// Opens the home in `folder`, or makes one for `chain_id`, and says what it holds.
    ///
    /// # Errors
    /// [`StoreFault::Locked`] when another process has it open, [`StoreFault::WrongChain`] when
    /// it is another chain's, [`StoreFault::Corrupt`], [`StoreFault::Missing`] and
    /// [`StoreFault::Regression`] when something that was durable is not there any more.
    pub fn open(
        folder: &Path,
        chain_id: ChainId,
        options: StoreOptions,
    ) -> Result<(Self, Recovery), StoreFault> {
        let home = Home::open(folder, chain_id)?;
        let index = Arc::new(Index::open(&home.index(), &options)?);
        let open_max = options.block_files_open_max;
        let files = Arc::new(BlockFiles::new(home.blocks(), chain_id, open_max));
        let checkpoints = CheckpointFiles::new(home.checkpoints());
        let Recovered { head, staging, appender, checkpoint } = recover(&files, &index, &options)?;
        let checkpoint = match checkpoint {
            Some(name) => Some((name.height, checkpoints.read(&name)?)),
            None => None,
        };
        checkpoints.keep_only(checkpoint.as_ref().map(|(height, _)| *height))?;
        let poison = Arc::new(Poison::default());
        let counters = Arc::new(Counters::default());
        let archive =
            Archive::start(index.clone(), options, home.runs(), poison.clone(), counters.clone())?;
        let recovery = Recovery {
            created: home.created(),
            head,
            checkpoint,
            staged: staging
                .blocks
                .iter()
                .map(|staged| recovered_block(&files, &staged.stored))
                .collect::<Result<_, _>>()?,
        };
        let store = Self {
            archive,
            index,
            files,
            checkpoints,
            writer: Mutex::new(Writer { appender, head, staging }),
            head: AtomicU64::new(head.unwrap_or_default().get()),
            poison,
            counters,
            home,
        };
        Ok((store, recovery))
    }

    /// Returns the counters since the store was opened.
    pub fn counters(&self) -> StoreCounters {
        let counters = &self.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        StoreCounters {
            blocks_staged: read(&counters.blocks_staged),
            blocks_committed: read(&counters.blocks_committed),
            bytes_appended: read(&counters.bytes_appended),
            batches_shared: read(&counters.batches_shared),
            files_begun: read(&counters.files_begun),
            syncs: read(&counters.syncs),
            sync_time_us: read(&counters.sync_time_us),
            orders_archived: read(&counters.orders_archived),
            runs_archived: read(&counters.runs_archived),
            archive_time_us: read(&counters.archive_time_us),
            runs_waiting: self.archive.waiting(),
            account_rows_read: read(&counters.account_rows_read),
            checkpoints: read(&counters.checkpoints),
            checkpoint_time_us: read(&counters.checkpoint_time_us),
        }
    }

    /// Bytes that the home takes, by kind.
    ///
    /// # Errors
    /// [`StoreFault::Index`] when the index cannot tell.
    pub fn size_on_disk(&self) -> Result<SizeOnDisk, StoreFault> {
        let (block_bytes, preallocated_bytes) = {
            let writer = self.writer();
            (writer.appender.bytes(), writer.appender.room_left())
        };
        Ok(SizeOnDisk {
            block_bytes,
            preallocated_bytes,
            index_bytes: self.index.bytes()?,
            checkpoint_bytes: self.checkpoints.bytes(),
            consensus_bytes: self.home.consensus_bytes(),
        })
    }

    /// Nothing is done at leisure any more: the node is about to stop, and waits for it.
    pub fn hurry(&self) {
        self.archive.hurry();
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let head = self.head.load(Ordering::Relaxed);
        formatter.debug_struct("Store").field("home", &self.home).field("head", &head).finish()
    }
}

/// Reads a batch's bytes, as they were sent.
fn read_batch(files: &BlockFiles, position: Position) -> Result<Bytes, StoreFault> {
    let body = files.read(position, Kind::Payload)?;
    if body.len() < PAYLOAD_PREFIX_BYTES {
        let what = "a payload frame without a batch id";
        return Err(StoreFault::corrupt(&files.path(position.file), position.offset, what));
    }
    Ok(body.slice(PAYLOAD_PREFIX_BYTES..))
}

fn read_outcomes(
    files: &BlockFiles,
    position: Position,
) -> Result<Vec<Vec<chain_types::Outcome>>, StoreFault> {
    let body = files.read(position, Kind::Outcomes)?;
    outcomes_from_bytes(&body).ok_or_else(|| {
        let what = "an outcomes frame of another form";
        StoreFault::corrupt(&files.path(position.file), position.offset, what)
    })
}

fn recovered_block(files: &BlockFiles, stored: &StoredBlock) -> Result<RecoveredBlock, StoreFault> {
    Ok(RecoveredBlock {
        block: stored.block.clone(),
        batches: stored
            .payload
            .iter()
            .map(|position| read_batch(files, *position))
            .collect::<Result<_, _>>()?,
        outcomes: read_outcomes(files, stored.outcomes)?,
    })
}
