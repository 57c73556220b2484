//! Counters of the store, for its metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// [`crate::StoreCounters`] while they count.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub blocks_staged: AtomicU64,
    pub blocks_committed: AtomicU64,
    pub bytes_appended: AtomicU64,
    pub batches_shared: AtomicU64,
    pub files_begun: AtomicU64,
    pub syncs: AtomicU64,
    pub sync_time_us: AtomicU64,
    pub orders_archived: AtomicU64,
    pub runs_archived: AtomicU64,
    pub archive_time_us: AtomicU64,
    pub account_rows_read: AtomicU64,
    pub checkpoints: AtomicU64,
    pub checkpoint_time_us: AtomicU64,
}

/// Adds to a counter. Counters order nothing.
pub(crate) fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}
