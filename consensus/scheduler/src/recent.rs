//! Batches that were charged lately, so that none is charged twice when peers announce it again.

use chain_types::BatchId;
use hashbrown::HashTable;

/// Two generations of batch ids: the younger one is filled, the older one only asked. Memory is
/// bounded by both; a batch is remembered for at least one whole generation.
#[derive(Debug)]
pub(crate) struct Recent {
    young: HashTable<BatchId>,
    old: HashTable<BatchId>,
    batches_max: usize,
}

/// An id is a hash already: its first 8 bytes will do.
fn key(id: &BatchId) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&id.digest().bytes()[..8]);
    u64::from_le_bytes(first)
}

impl Recent {
    pub(crate) fn new(batches_max: usize) -> Self {
        let (young, old) = (HashTable::new(), HashTable::new());
        Self { young, old, batches_max: batches_max.max(1) }
    }

    /// Remembers an id. Returns false if it is remembered already.
    pub(crate) fn insert(&mut self, id: BatchId) -> bool {
        let hash = key(&id);
        let is_known =
            |table: &HashTable<BatchId>| table.find(hash, |other| *other == id).is_some();
        if is_known(&self.young) || is_known(&self.old) {
            return false;
        }
        if self.young.len() >= self.batches_max {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.insert_unique(hash, id, key);
        true
    }
}
