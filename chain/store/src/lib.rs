//! The parts of a node that survive: block files, the index, the consensus log and the vote guard.
//! The only room that knows files.
//!
//! **Block files are the truth.** What is durable at any instant is a prefix of the chain plus
//! the blocks staged for the next height; everything in the index is a function of it and can be
//! made again. A home folder holds:
//!
//! | name | what it is |
//! |---|---|
//! | `LOCK` | held by the one process that has the home open |
//! | `chain-id` | the chain and the format version that the home belongs to |
//! | `blocks/00000001.blk`, ... | append-only, preallocated, checksummed frames |
//! | `index/` | RocksDB without a write-ahead log: all that is looked up by key |
//! | `checkpoints/` | the state after the height that the index names |
//! | `runs/` | sorted runs of orders on their way into the index |
//! | `consensus.wal` | [`Log`]: what consensus must remember to keep its lock |
//! | `vote.guard` | [`Cell`]: what this key has signed last; it knows its file from a copy |
//! | `restoring/` | a home that a restore makes; gone when it is whole ([`NewHome`]) |
//!
//! **What is durable when.** [`ChainStore::stage`] returns once the block and its payload are on
//! disk, and the precommit leaves after that. [`ChainStore::commit`] appends the certificate and
//! does not wait for the disk: the next stage does. Should the machine lose power in between, the
//! block is still staged here and on a quorum, whose consensus logs hold the lock on it, so no
//! other block can be decided at that height and the same one is decided again. This is why a log
//! entry may be dropped only once the certificate of its height is durable (see [`Log::prune`]).
//!
//! **What is never done.** A record in the middle is never cut off, skipped or repaired in
//! silence: every frame says how much of its file was durable when it was written, so a torn tail
//! and a rotten middle can be told apart, and the latter is a [`StoreFault`] with file, offset
//! and remedy. After a failed write or fsync nothing more is read or written.

mod archive;
mod backup;
mod block_files;
mod cached_files;
mod cell;
mod chain_store;
mod checkpoint_file;
mod counters;
mod disk;
mod entry_rows;
mod fault;
mod file_names;
mod frame;
mod home;
mod index;
mod log;
mod memory;
mod model;
mod options;
mod order_rows;
mod poison;
mod record_paths;
mod recovery;
mod store;
mod tables;

pub use backup::{BackupBlocks, BackupFile, NewHome, back_up_blocks, block_file_path};
pub use cell::Cell;
pub use chain_store::ChainStore;
pub use fault::StoreFault;
pub use file_names::{CONSENSUS_LOG_FILE, VOTE_GUARD_FILE};
pub use home::{IfMissing, chain_of_home};
pub use log::{Log, LogEntry};
pub use memory::MemoryStore;
pub use model::{
    BlockRecords, CommittedBlock, InstructionFilter, PAGE_ITEMS_MAX, RecoveredBlock, Recovery,
    SizeOnDisk, StoreCounters, SubmittedOrder,
};
pub use options::StoreOptions;
pub use record_paths::{RecordName, RecordPath};
pub use store::Store;
