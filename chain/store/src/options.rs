//! How much disk and memory the store may take.

/// Limits of a [`crate::Store`]. The defaults suit four nodes on one small machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreOptions {
    /// Bytes that a block file is preallocated to. A block larger than that gets a file of its own.
    pub block_file_bytes: u64,
    /// Block files kept open for reading.
    pub block_files_open_max: usize,
    /// Full block files, the newest, that the system may keep in memory beside the one being
    /// written. What is older is read from the disk, and the memory takes what is written next.
    pub block_files_cached: u32,
    /// Bytes of the index's cache of blocks, its indexes and filters included.
    pub index_cache_bytes: usize,
    /// Bytes of all of the index's write buffers together.
    pub index_buffer_bytes: usize,
    /// Index files kept open.
    pub index_files_open_max: u16,
    /// Threads on which the index flushes and compacts.
    pub index_threads: u16,
    /// Runs of retired orders that may wait; the next commit waits for room.
    pub archive_runs_max: usize,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            block_file_bytes: 256 * 1024 * 1024,
            block_files_open_max: 64,
            block_files_cached: 2,
            index_cache_bytes: 64 * 1024 * 1024,
            index_buffer_bytes: 64 * 1024 * 1024,
            index_files_open_max: 512,
            index_threads: 2,
            archive_runs_max: 8,
        }
    }
}
