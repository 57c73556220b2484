//! The pool: the batches that exist, who sent them, and which to propose next.
//!
//! Pure and bounded: the pool holds at most so many batches and so many bytes, and of one submitter
//! at most as much, of either, as is still free. One submitter alone so gets half of the pool, `n`
//! that send too much get a part in `n + 1` each, and as large a part stays free for whoever comes
//! next. Which of them come first is the scheduler's: duties before orders, and the submitters in
//! turn by items. Each submitter's batches of one class keep their order of arrival.

use std::collections::BTreeMap;

use chain_types::{BatchId, ParticipantId, TimeMs, VerifiedBatch};
use consensus_scheduler::{CountedBatch, Origin, Scheduler, ServiceClass};

#[cfg(test)]
mod tests;

/// The bounds of the pool for all submitters; those of one follow from them.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most batches, of any size.
    pub batches_max: usize,
    /// Bytes of all batches.
    pub bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { batches_max: 16_384, bytes_max: 256 * 1024 * 1024 }
    }
}

/// The room that a block has.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// The most batches, of any size.
    pub batches_max: usize,
    /// Items of all batches.
    pub items_max: usize,
    /// Items of the batches of returns: each of them reads the past.
    pub returns_max: u32,
}

/// The fate of a batch that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// It waits to be proposed.
    Added,
    /// It was there already.
    Known,
    /// A limit of the pool is reached; the pool is as before.
    Full,
    /// The submitter's share is used up, and others still find room; the pool is as before.
    ShareFull {
        /// Its batches that wait.
        batches: usize,
        /// The sum of their lengths, in bytes.
        bytes: usize,
    },
}

/// The batches that wait for a block. Its callers hand it the scheduler, which readers share, and
/// always the same one.
#[derive(Debug, Default)]
pub struct Mempool {
    limits: Limits,
    batches: BTreeMap<BatchId, VerifiedBatch>,
    held: BTreeMap<ParticipantId, Held>,
    bytes: usize,
    items: u64,
}

/// The part of the pool that one submitter's batches take.
#[derive(Debug, Default, Clone, Copy)]
struct Held {
    batches: usize,
    bytes: usize,
}

impl Mempool {
    /// An empty pool under `limits`.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// How many batches wait.
    pub fn len(&self) -> usize {
        self.batches.len()
    }

    /// Returns true if no batch waits.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Bytes of the waiting batches.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Items of the waiting batches.
    pub fn items(&self) -> u64 {
        self.items
    }

    /// The waiting batch of an id.
    pub fn get(&self, id: &BatchId) -> Option<&VerifiedBatch> {
        self.batches.get(id)
    }

    /// Adds a batch at the end of its submitter's queue, if the limits allow, and charges its
    /// submitter.
    pub fn offer(
        &mut self,
        batch: VerifiedBatch,
        scheduler: &mut Scheduler,
        origin: Origin,
        now_us: u64,
    ) -> Offer {
        let id = batch.id();
        if self.batches.contains_key(&id) {
            return Offer::Known;
        }
        let bytes = batch.bytes().len();
        let submitter = batch.header().submitter;
        let free_batches = self.limits.batches_max.saturating_sub(self.batches.len());
        let free_bytes = self.limits.bytes_max.saturating_sub(self.bytes);
        if free_batches == 0 || bytes > free_bytes {
            return Offer::Full;
        }
        if let Some(held) = self.held.get(&submitter)
            && (held.batches >= free_batches || held.bytes + bytes > free_bytes)
        {
            return Offer::ShareFull { batches: held.batches, bytes: held.bytes };
        }
        let held = self.held.entry(submitter).or_default();
        held.batches += 1;
        held.bytes += bytes;
        self.bytes += bytes;
        self.items += u64::from(batch.count());
        let counted = CountedBatch::of(&batch);
        if !scheduler.enter(counted, origin, now_us) {
            // It left the pool for no block, and its submitter has paid for it.
            scheduler.requeue(counted);
        }
        self.batches.insert(id, batch);
        Offer::Added
    }

    /// Forgets a batch, because it is committed or can never be.
    pub fn remove(&mut self, id: &BatchId, scheduler: &mut Scheduler) -> Option<VerifiedBatch> {
        let batch = self.batches.remove(id)?;
        let bytes = batch.bytes().len();
        self.bytes -= bytes;
        let submitter = batch.header().submitter;
        if let Some(held) = self.held.get_mut(&submitter) {
            held.batches -= 1;
            held.bytes -= bytes;
            if held.batches == 0 {
                self.held.remove(&submitter);
            }
        }
        self.items -= u64::from(batch.count());
        scheduler.remove(id, submitter, ServiceClass::of(batch.kind()));
        Some(batch)
    }

    /// Forgets every batch whose valid-until time is before `time` and says which.
    pub fn expire(&mut self, time: TimeMs, scheduler: &mut Scheduler) -> Vec<BatchId> {
        let expired: Vec<BatchId> = self
            .batches
            .iter()
            .filter(|(_, batch)| batch.header().valid_until < time)
            .map(|(id, _)| *id)
            .collect();
        for id in &expired {
            self.remove(id, scheduler);
        }
        expired
    }

    /// The next batches to propose, as far as there is room, in the scheduler's order. All stay in
    /// the pool until [`Self::remove`], and the next proposal takes those that are still there
    /// again.
    pub fn propose(&self, room: &Room, scheduler: &mut Scheduler) -> Vec<VerifiedBatch> {
        let ids =
            scheduler.take(room.items_max as u64, room.batches_max, u64::from(room.returns_max));
        ids.iter().filter_map(|id| self.batches.get(id)).cloned().collect()
    }
}
