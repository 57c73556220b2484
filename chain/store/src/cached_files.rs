//! Which block files the system keeps in its page cache: the newest.
//!
//! Left alone, it would keep as much of the chain as fits, so that every block is written to pages
//! that it has not used lately or, on a virtual machine, never had: that costs up to fifteen times
//! as much as writing to pages that were in use just before. So old files give theirs up as new
//! blocks come.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::block_files::BlockFile;
use crate::disk;

/// Pages are given up in steps of so many bytes.
const STEP_BYTES: u64 = 4 * 1024 * 1024;

/// The files that were filled since the store was opened, as far as their pages are kept.
#[derive(Debug)]
pub(crate) struct CachedFiles {
    /// The newest, the oldest of them first.
    kept: VecDeque<Arc<BlockFile>>,
    kept_max: usize,
    /// The one before those, which goes at the pace at which the file being written grows.
    going: Option<Arc<BlockFile>>,
    /// As far as it is gone.
    gone: u64,
}

impl CachedFiles {
    /// Keeps so many full files.
    pub fn new(kept_max: usize) -> Self {
        Self { kept: VecDeque::new(), kept_max, going: None, gone: 0 }
    }

    /// The file being written has grown to `end`.
    pub fn grown(&mut self, end: u64) {
        let end = end - end % STEP_BYTES;
        if let Some(file) = self.going.as_ref().filter(|_| end > self.gone) {
            disk::release_pages(&file.file, self.gone, end - self.gone);
            self.gone = end;
        }
    }

    /// The file being written is full, and on disk.
    pub fn full(&mut self, file: Arc<BlockFile>) {
        if let Some(file) = self.going.take() {
            // All of it: the kernel leaves what lies across the ends of a step.
            disk::release_pages(&file.file, 0, 0);
        }
        self.kept.push_back(file);
        if self.kept.len() > self.kept_max {
            self.going = self.kept.pop_front();
            self.gone = 0;
        }
    }
}
