//! The pool: the batches that exist, who sent them, and which to propose next.
//!
//! Pure and bounded: the pool holds at most so many batches and so many bytes, and of one submitter
//! at most as much, of either, as is still free. One submitter alone so gets half of the pool, `n`
//! that send too much get a part in `n + 1` each, and as large a part stays free for whoever comes
//! next. Proposals take the submitters in turn, by deficit round robin in items: a batch of 8,192
//! counts for as much as 8,192 batches of one. Each submitter's batches keep their order of arrival,
//! and returns are ahead of what is no return.

use std::collections::BTreeMap;

use chain_types::{BatchId, ParticipantId, TimeMs, VerifiedBatch};
use consensus_scheduler::queues::ItemQueues;
use consensus_scheduler::weights::Weights;

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

/// The batches that wait for a block.
#[derive(Debug, Default)]
pub struct Mempool {
    limits: Limits,
    batches: BTreeMap<BatchId, VerifiedBatch>,
    held: BTreeMap<ParticipantId, Held>,
    bytes: usize,
    /// The order of returns, of which a block holds few, and that of all other batches.
    returns: ItemQueues,
    others: ItemQueues,
    weights: Weights,
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
        self.returns.items() + self.others.items()
    }

    /// Gives a submitter another weight than the standard one.
    pub fn set_weight(&mut self, submitter: ParticipantId, weight: u32) {
        self.weights.set(submitter, weight);
    }

    /// The waiting batch of an id.
    pub fn get(&self, id: &BatchId) -> Option<&VerifiedBatch> {
        self.batches.get(id)
    }

    /// Adds a batch at the end of its submitter's queue, if the limits allow.
    pub fn offer(&mut self, batch: VerifiedBatch) -> Offer {
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
        self.order_of(&batch).push(submitter, id, batch.count());
        self.batches.insert(id, batch);
        Offer::Added
    }

    fn order_of(&mut self, batch: &VerifiedBatch) -> &mut ItemQueues {
        match batch.kind().counts_as_returns() {
            true => &mut self.returns,
            false => &mut self.others,
        }
    }

    /// Forgets a batch, because it is committed or can never be.
    pub fn remove(&mut self, id: &BatchId) -> Option<VerifiedBatch> {
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
        self.order_of(&batch).remove(submitter, id);
        Some(batch)
    }

    /// Forgets every batch whose valid-until time is before `time` and says which.
    pub fn expire(&mut self, time: TimeMs) -> Vec<BatchId> {
        let expired: Vec<BatchId> = self
            .batches
            .iter()
            .filter(|(_, batch)| batch.header().valid_until < time)
            .map(|(id, _)| *id)
            .collect();
        for id in &expired {
            self.remove(id);
        }
        expired
    }

    /// The next batches to propose, as far as there is room: returns, up to their own bound, then
    /// the others, each by deficit round robin in items. All stay in the pool until
    /// [`Self::remove`], and the next proposal takes those that are still there again.
    pub fn propose(&mut self, room: &Room) -> Vec<VerifiedBatch> {
        let items_max = room.items_max as u64;
        let returns_max = u64::from(room.returns_max).min(items_max);
        let (mut ids, items) = self.returns.take(returns_max, room.batches_max, &self.weights);
        let batches_max = room.batches_max - ids.len();
        ids.extend(self.others.take(items_max - items, batches_max, &self.weights).0);
        ids.iter().filter_map(|id| self.batches.get(id)).cloned().collect()
    }
}
