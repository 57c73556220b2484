//! A store that failed to write trusts nothing any more.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::fault::StoreFault;

/// Remembers the first failure, after which nothing is trusted.
#[derive(Debug, Default)]
pub(crate) struct Poison {
    poisoned: AtomicBool,
    cause: OnceLock<String>,
}

impl Poison {
    /// # Errors
    /// [`StoreFault::Poisoned`] after a failure.
    pub fn check(&self) -> Result<(), StoreFault> {
        if !self.poisoned.load(Ordering::Acquire) {
            return Ok(());
        }
        Err(StoreFault::Poisoned { cause: self.cause.get().cloned().unwrap_or_default() })
    }

    /// Runs a write, and remembers its failure.
    pub fn guard<T>(&self, write: impl FnOnce() -> Result<T, StoreFault>) -> Result<T, StoreFault> {
        self.check()?;
        let result = write();
        if let Err(fault) = &result {
            self.set(fault);
        }
        result
    }

    fn set(&self, fault: &StoreFault) {
        match fault {
            // These two were refused before anything was written.
            StoreFault::OutOfOrder { .. } | StoreFault::NotStaged { .. } => {}
            fault => {
                // Only the first counts: what follows is its consequence.
                let _ = self.cause.set(fault.to_string());
                self.poisoned.store(true, Ordering::Release);
            }
        }
    }
}
