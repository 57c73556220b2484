//! The pool: the batches that exist, who sent them, and which to propose next.
//!
//! Pure and bounded: the pool holds at most so many batches and so many bytes, and of one submitter
//! at most as much, of either, as is still free. One submitter alone so gets half of the pool, `n`
//! that send too much get a part in `n + 1` each, and as large a part stays free for whoever comes
//! next. Proposals take one batch of each submitter in turn, each submitter's in order of arrival.

use std::collections::{BTreeMap, VecDeque};

use chain_types::{BatchId, ParticipantId, TimeMs, VerifiedBatch};

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
    queues: BTreeMap<ParticipantId, Queue>,
    bytes: usize,
    items: u64,
    /// The submitter whose batch the next proposal takes first is the one after this.
    last_first: Option<ParticipantId>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<BatchId>,
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
        if let Some(queue) = self.queues.get(&submitter)
            && (queue.waiting.len() >= free_batches || queue.bytes + bytes > free_bytes)
        {
            return Offer::ShareFull { batches: queue.waiting.len(), bytes: queue.bytes };
        }
        let queue = self.queues.entry(submitter).or_default();
        queue.waiting.push_back(id);
        queue.bytes += bytes;
        self.bytes += bytes;
        self.items += u64::from(batch.count());
        self.batches.insert(id, batch);
        Offer::Added
    }

    /// Forgets a batch, because it is committed or can never be.
    pub fn remove(&mut self, id: &BatchId) -> Option<VerifiedBatch> {
        let batch = self.batches.remove(id)?;
        let bytes = batch.bytes().len();
        self.bytes -= bytes;
        self.items -= u64::from(batch.count());
        let submitter = batch.header().submitter;
        if let Some(queue) = self.queues.get_mut(&submitter) {
            queue.bytes -= bytes;
            // Committed batches are nearly always at the front.
            if let Some(at) = queue.waiting.iter().position(|waiting| waiting == id) {
                queue.waiting.remove(at);
            }
            if queue.waiting.is_empty() {
                self.queues.remove(&submitter);
            }
        }
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

    /// The next batches to propose, as far as there is room: one of each submitter in turn. Returns
    /// that it has none for are passed over, and do not take the place of others. All stay in the
    /// pool until [`Self::remove`].
    pub fn propose(&mut self, room: &Room) -> Vec<VerifiedBatch> {
        let mut order: Vec<ParticipantId> = self.queues.keys().copied().collect();
        if let Some(last) = self.last_first {
            let start = order.partition_point(|submitter| *submitter <= last);
            order.rotate_left(start);
        }
        self.last_first = order.first().copied().or(self.last_first);
        let mut taken = Vec::new();
        let (mut items, mut returns) = (0, 0);
        for turn in 0.. {
            let mut is_over = true;
            for submitter in &order {
                let id = self.queues.get(submitter).and_then(|queue| queue.waiting.get(turn));
                let Some(batch) = id.and_then(|id| self.batches.get(id)) else { continue };
                is_over = false;
                if batch.kind().counts_as_returns() {
                    if returns + batch.count() > room.returns_max {
                        continue;
                    }
                    returns += batch.count();
                }
                let count = batch.count() as usize;
                if taken.len() >= room.batches_max || items + count > room.items_max {
                    return taken;
                }
                items += count;
                taken.push(batch.clone());
            }
            if is_over {
                break;
            }
        }
        taken
    }
}
