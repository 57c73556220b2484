//! Batches that are in the chain and whose valid-until time has not passed: none commits twice.

use std::collections::{BTreeSet, HashMap};

use ahash::RandomState;
use chain_types::{BatchId, Height, Parameters, Rejection, TimeMs};

/// Checks that a batch of this valid-until time may commit at a block time.
///
/// # Errors
/// [`Rejection::BatchExpired`] or [`Rejection::BatchValidTooLong`].
pub fn check_batch_timely(
    parameters: &Parameters,
    valid_until: TimeMs,
    time: TimeMs,
) -> Result<(), Rejection> {
    if valid_until < time {
        return Err(Rejection::BatchExpired);
    }
    if valid_until > time.plus(parameters.order_skew_ms).plus(parameters.order_validity_ms) {
        return Err(Rejection::BatchValidTooLong);
    }
    Ok(())
}

#[derive(Debug, Clone)]
pub(crate) struct RecentBatches {
    locations: HashMap<BatchId, (Height, u32), RandomState>,
    by_valid_until: BTreeSet<(TimeMs, BatchId)>,
}

impl RecentBatches {
    pub(crate) fn new(hashing: RandomState) -> Self {
        let locations = HashMap::with_hasher(hashing);
        Self { locations, by_valid_until: BTreeSet::new() }
    }

    pub(crate) fn get(&self, id: &BatchId) -> Option<(Height, u32)> {
        self.locations.get(id).copied()
    }

    pub(crate) fn insert(&mut self, id: BatchId, valid_until: TimeMs, at: (Height, u32)) {
        self.locations.insert(id, at);
        self.by_valid_until.insert((valid_until, id));
    }

    /// Forgets the batches that cannot commit at `time` or later.
    pub(crate) fn forget(&mut self, time: TimeMs) {
        while self.by_valid_until.first().is_some_and(|(valid_until, _)| *valid_until < time) {
            if let Some((_, id)) = self.by_valid_until.pop_first() {
                self.locations.remove(&id);
            }
        }
    }
}
