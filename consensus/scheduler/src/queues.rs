//! Deficit round robin in items over the submitters' queues.
//!
//! Each submitter in turn is credited a quantum by its weight and takes batches while its credit
//! lasts, so a batch of 8,192 items costs as much as 8,192 batches of one. A submitter whose queue
//! was empty comes first once, with one quantum. The quantum is the largest batch: each visit takes
//! one, so a take's work is proportional to the batches that it takes.

use std::collections::{BTreeMap, VecDeque};

use chain_types::batch::BATCH_ITEMS_MAX;
use chain_types::{BatchId, ParticipantId};

use crate::weights::Weights;

/// Items that a submitter of the standard weight is credited a round.
const QUANTUM_ITEMS: u64 = BATCH_ITEMS_MAX as u64;
/// The least quantum of any weight, in items: it bounds the rounds that a large batch waits.
const QUANTUM_ITEMS_MIN: u64 = QUANTUM_ITEMS / 16;
/// How many batches may be passed over because they no longer fit, before a take ends.
const MISFITS_MAX: usize = 64;

#[derive(Debug, Clone, Copy)]
struct Waiting {
    id: BatchId,
    items: u64,
}

#[derive(Debug, Default)]
struct Line {
    waiting: VecDeque<Waiting>,
    /// How many of them, from the front, the last take took.
    taken: usize,
    items: u64,
    credit: u64,
    /// A submitter stands in at most one of the two rotations, once.
    is_in_rotation: bool,
}

/// The batches that wait, by submitter.
#[derive(Debug, Default)]
pub struct ItemQueues {
    lines: BTreeMap<ParticipantId, Line>,
    /// Submitters whose batch did not fit, then those whose queue was empty before.
    fresh: VecDeque<ParticipantId>,
    rotation: VecDeque<ParticipantId>,
    /// Submitters of whom the last take took something.
    served: Vec<ParticipantId>,
    items: u64,
}

impl ItemQueues {
    /// Returns the items of all batches that wait or are taken.
    pub const fn items(&self) -> u64 {
        self.items
    }

    /// Returns the items of one submitter's batches that wait or are taken.
    pub fn items_of(&self, submitter: ParticipantId) -> u64 {
        self.lines.get(&submitter).map_or(0, |line| line.items)
    }

    /// Adds a batch at the end of its submitter's queue.
    pub fn push(&mut self, submitter: ParticipantId, id: BatchId, items: u32) {
        let items = u64::from(items);
        let line = self.lines.entry(submitter).or_default();
        line.waiting.push_back(Waiting { id, items });
        line.items += items;
        self.items += items;
        if !line.is_in_rotation {
            line.is_in_rotation = true;
            self.fresh.push_back(submitter);
        }
    }

    /// Removes a batch that is in a block or never will be. Returns true if it was there.
    /// Committed batches are nearly always at the front of their queue.
    pub fn remove(&mut self, submitter: ParticipantId, id: &BatchId) -> bool {
        let Some(line) = self.lines.get_mut(&submitter) else { return false };
        let Some(at) = line.waiting.iter().position(|waiting| waiting.id == *id) else {
            return false;
        };
        let items = line.waiting.remove(at).map_or(0, |waiting| waiting.items);
        line.taken -= usize::from(at < line.taken);
        line.items -= items;
        self.items -= items;
        if line.waiting.is_empty() && !line.is_in_rotation {
            self.lines.remove(&submitter);
        }
        true
    }

    /// Takes the next batches as far as `items_max` and `batches_max` allow, in the order in which
    /// a block should hold them. They wait until [`Self::remove`]: the next take takes those that
    /// are still there again, and charges no submitter twice. Returns them and their items.
    pub fn take(
        &mut self,
        items_max: u64,
        batches_max: usize,
        weights: &Weights,
    ) -> (Vec<BatchId>, u64) {
        self.give_back();
        let mut room = Space { items: items_max, batches: batches_max };
        let (mut taken, mut passed_over) = (Vec::new(), Vec::new());
        while room.items > 0 && room.batches > 0 && passed_over.len() < MISFITS_MAX {
            let next = self.fresh.pop_front().or_else(|| self.rotation.pop_front());
            let Some(next) = next else { break };
            let Some(line) = self.lines.get_mut(&next) else { continue };
            let Some(head) = line.waiting.get(line.taken) else {
                // An empty queue keeps no credit.
                (line.is_in_rotation, line.credit) = (false, 0);
                if line.waiting.is_empty() {
                    self.lines.remove(&next);
                }
                continue;
            };
            if line.credit < head.items {
                line.credit += weights.scale(QUANTUM_ITEMS, next).max(QUANTUM_ITEMS_MIN);
            }
            let before = line.taken;
            let is_misfit = line.serve(&mut room, &mut taken);
            if before == 0 && line.taken > 0 {
                self.served.push(next);
            }
            match is_misfit {
                true => passed_over.push(next),
                false => self.rotation.push_back(next),
            }
        }
        // Who did not fit comes first next time, before all who come new, with its credit.
        for submitter in passed_over.into_iter().rev() {
            self.fresh.push_front(submitter);
        }
        (taken, items_max - room.items)
    }

    fn give_back(&mut self) {
        for submitter in std::mem::take(&mut self.served) {
            let Some(line) = self.lines.get_mut(&submitter) else { continue };
            let taken = line.waiting.iter().take(std::mem::take(&mut line.taken));
            line.credit += taken.map(|waiting| waiting.items).sum::<u64>();
            if !line.is_in_rotation && !line.waiting.is_empty() {
                line.is_in_rotation = true;
                self.rotation.push_front(submitter);
            }
        }
    }
}

/// The space that is left in a block.
struct Space {
    items: u64,
    batches: usize,
}

impl Line {
    /// Takes batches while the credit lasts. Returns true if the next one has no space.
    fn serve(&mut self, space: &mut Space, taken: &mut Vec<BatchId>) -> bool {
        while let Some(waiting) = self.waiting.get(self.taken) {
            if waiting.items > self.credit {
                return false;
            }
            if waiting.items > space.items || space.batches == 0 {
                return true;
            }
            self.credit -= waiting.items;
            space.items -= waiting.items;
            space.batches -= 1;
            self.taken += 1;
            taken.push(waiting.id);
        }
        false
    }
}
