//! Types that go into the store and come out of it.

use bytes::Bytes;
use chain_state::{Record, Retired, TreeNode, WriteSet};
use chain_types::batch::BatchHeader;
use chain_types::{
    BatchId, Block, BlockHeader, Certificate, Digest, Height, Outcome, ParticipantId, WindowId,
};

use crate::home::IfMissing;

/// The most items that a page holds; a larger limit is taken as this one.
pub const PAGE_ITEMS_MAX: usize = 1_024;

/// The results of a block beside its outcomes, for the index.
#[derive(Debug, Clone, Default)]
pub struct BlockRecords {
    /// The records that the block left for readers, in order.
    pub records: Vec<Record>,
    /// The running digest of all writes but the accounts', after it: an account's proof needs it.
    pub writes: Digest,
    /// The nodes of the accounts' tree that it changed, of the levels that are kept: an account's
    /// proof needs them once the block is past.
    pub account_nodes: Vec<TreeNode>,
    /// The orders that left memory.
    pub retired: Retired,
}

impl BlockRecords {
    /// Takes the records out of a block's write set before it is applied; the orders that left
    /// memory are added after.
    pub fn take(writes: &mut WriteSet) -> Self {
        Self {
            records: writes.take_records(),
            writes: writes.running_writes(),
            account_nodes: writes.account_nodes(),
            retired: Retired::default(),
        }
    }
}

/// A decided block with its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedBlock {
    /// The block that was decided.
    pub block: Block,
    /// A quorum's precommits for it.
    pub certificate: Certificate,
}

/// An order as it was submitted, with what it is part of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmittedOrder {
    /// The canonical bytes of the item.
    pub item: Vec<u8>,
    /// The header of its batch.
    pub batch: BatchHeader,
    /// The id of its batch.
    pub batch_id: BatchId,
    /// The header of its block.
    pub block: BlockHeader,
}

/// A block found staged and not decided when the store was opened. Checksums held; signatures of
/// the batches are for the caller to verify again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveredBlock {
    /// The block that was read back.
    pub block: Block,
    /// The bytes of its batches as they were sent.
    pub batches: Vec<Bytes>,
    /// The outcomes of each batch's items.
    pub outcomes: Vec<Vec<Outcome>>,
}

/// The content of a store when it is opened. The caller restores the state from the checkpoint,
/// then executes every block from the one after it up to `head` and hands each to
/// [`crate::ChainStore::reindex`].
#[derive(Debug, Clone, Default)]
pub struct Recovery {
    /// True if the home did not exist before. Only then may other files of it be created anew.
    pub created: bool,
    /// The last height whose certificate is durable; `None` when only block zero exists.
    pub head: Option<Height>,
    /// The last checkpoint: its height and the bytes given to [`crate::ChainStore::checkpoint`].
    pub checkpoint: Option<(Height, Vec<u8>)>,
    /// Blocks staged for the height after `head`, in the order in which they were staged.
    pub staged: Vec<RecoveredBlock>,
}

impl Recovery {
    /// Returns the action when the consensus log or the vote guard is missing at its opening: they
    /// may be made only in a home where nothing was decided or staged, for nothing was signed
    /// there.
    pub fn if_missing(&self) -> IfMissing {
        if self.head.is_none() && self.staged.is_empty() {
            IfMissing::Create
        } else {
            IfMissing::Refuse
        }
    }
}

/// A filter for the list of instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstructionFilter {
    /// Every instruction of the chain.
    All,
    /// Those of one window.
    Window(WindowId),
    /// Those that one gateway is to pay, or paid last.
    Gateway(ParticipantId),
}

/// Bytes that a home takes, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SizeOnDisk {
    /// Bytes of block files that hold frames.
    pub block_bytes: u64,
    /// Bytes of the last block file that are allocated and not yet used.
    pub preallocated_bytes: u64,
    /// Bytes of the index: orders and other tables.
    pub index_bytes: u64,
    /// Bytes of the checkpoint, and of one being written.
    pub checkpoint_bytes: u64,
    /// Bytes of the consensus log and the vote guard.
    pub consensus_bytes: u64,
}

impl SizeOnDisk {
    /// Returns the sum of all parts, in bytes.
    pub const fn total(&self) -> u64 {
        let chain = self.block_bytes + self.preallocated_bytes;
        chain + self.index_bytes + self.checkpoint_bytes + self.consensus_bytes
    }
}

/// Counters since the store was opened. Times are sums in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreCounters {
    /// The number of blocks staged.
    pub blocks_staged: u64,
    /// The number of blocks committed.
    pub blocks_committed: u64,
    /// Bytes appended to block files.
    pub bytes_appended: u64,
    /// Batches that a staged block shared with one staged before, and that were not written again.
    pub batches_shared: u64,
    /// The number of block files begun.
    pub files_begun: u64,
    /// Waits for the disk when staging.
    pub syncs: u64,
    /// Time spent in them.
    pub sync_time_us: u64,
    /// Orders moved into the index.
    pub orders_archived: u64,
    /// Sorted runs moved into the index.
    pub runs_archived: u64,
    /// Time spent on them, beside the writer.
    pub archive_time_us: u64,
    /// Runs waiting to be moved, now.
    pub runs_waiting: u64,
    /// Rows of the index that readers looked up for accounts as a block left them.
    pub account_rows_read: u64,
    /// The number of checkpoints taken.
    pub checkpoints: u64,
    /// Time spent on them.
    pub checkpoint_time_us: u64,
}
