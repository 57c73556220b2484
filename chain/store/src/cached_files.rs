//! The system keeps the newest block files in its page cache.
//!
//! Left alone, it would keep as much of the chain as fits, so that every block is written to pages
//! that it has not used lately or, on a virtual machine, never had: that costs up to fifteen times
//! as much as writing to pages that were in use just before. So old files give theirs up as new
//! blocks come.

/// Pages are given up in steps of so many bytes.
const STEP_BYTES: u64 = 4 * 1024 * 1024;

/// How many full files are kept, and how far the one before them is gone: it goes at the pace at
/// which the file being written grows.
#[derive(Debug)]
pub(crate) struct CachedFiles {
    kept_max: u32,
    gone: u64,
}

impl CachedFiles {
    /// Keeps so many full files.
    pub const fn new(kept_max: u32) -> Self {
        Self { kept_max, gone: 0 }
    }

    /// The file being written has grown to `end`. `release` gives up some pages of a file: its
    /// number, from where on, and how many bytes.
    pub fn grown(&mut self, number: u32, end: u64, release: impl FnOnce(u32, u64, u64)) {
        let end = end - end % STEP_BYTES;
        if end > self.gone {
            if let Some(going) = self.going(number) {
                release(going, self.gone, end - self.gone);
            }
            self.gone = end;
        }
    }

    /// The file being written is full, and on disk.
    pub fn full(&mut self, number: u32, release: impl FnOnce(u32, u64, u64)) {
        if let Some(going) = self.going(number) {
            // All of it: the kernel leaves what lies across the ends of a step.
            release(going, 0, 0);
        }
        self.gone = 0;
    }

    /// The file before those that are kept while the one of `number` is written.
    fn going(&self, number: u32) -> Option<u32> {
        let going = number.checked_sub(self.kept_max)?.checked_sub(1)?;
        (going > 0).then_some(going)
    }
}
