//! The batches that wait here for a block, as readers see it without asking whoever drives the
//! replica.

use std::collections::BTreeSet;
use std::sync::Arc;

use chain_types::BatchId;
use parking_lot::RwLock;

use crate::replica::Replica;

/// The ids of the batches that the pool or a proposed block holds; cheap to clone.
///
/// A change shows before the effects of the input that made it are carried out, and a batch leaves
/// only after the state has taken its block: who does not find it here, and asks the chain then,
/// finds it there.
#[derive(Debug, Clone, Default)]
pub struct WaitingBatches(Arc<RwLock<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    pool: BTreeSet<BatchId>,
    /// Those of proposed blocks, which the pool may hold as well.
    proposed: BTreeSet<BatchId>,
}

impl WaitingBatches {
    /// Returns whether a batch waits here.
    pub fn contains(&self, id: &BatchId) -> bool {
        let waiting = self.0.read();
        waiting.pool.contains(id) || waiting.proposed.contains(id)
    }

    /// Adds a batch that the pool took.
    pub fn add(&self, id: BatchId) {
        self.0.write().pool.insert(id);
    }

    /// Adds a batch that was fetched for a proposed block.
    pub(crate) fn add_proposed(&self, id: BatchId) {
        self.0.write().proposed.insert(id);
    }
}

impl Replica {
    /// Shows readers what left the pool during this input, and what proposed blocks hold since.
    pub(crate) fn publish_waiting(&mut self) {
        let left = std::mem::take(&mut self.left_pool);
        let has_new_candidates = self.candidates.take_batches_changed();
        if left.is_empty() && !has_new_candidates {
            return;
        }
        let proposed =
            has_new_candidates.then(|| self.candidates.batch_ids().collect::<BTreeSet<_>>());
        let mut waiting = self.waiting.0.write();
        for id in left.iter().filter(|id| self.pool.get(id).is_none()) {
            waiting.pool.remove(id);
        }
        if let Some(proposed) = proposed {
            waiting.proposed = proposed;
        }
    }
}
