//! What the chain can take: learned from the blocks that were made while work was waiting.
//!
//! A block that leaves a queue behind shows the capacity, and so does one that took too long; a
//! block that takes everything in good time shows only the load. Without a queue the estimate would
//! never rise again, so it is raised by 2 % each 100 ms while clients wait, up to twice what blocks
//! carry.

use crate::meter::items_in;

/// The time over which samples are smoothed, in microseconds.
const SMOOTHING_US: u64 = 1_000_000;
/// The least estimate, in items a second: below it, shares would round to nothing.
pub const CAPACITY_MIN: u64 = 1_000;
/// The largest estimate, in items a second.
pub const CAPACITY_MAX: u64 = 1 << 32;
/// The queue that is kept after a block, in microseconds of work: it shows the capacity.
const QUEUE_TARGET_US: u64 = 50_000;
/// The time in which a queue above the target is worked off, in microseconds.
const DRAIN_US: u64 = 1_000_000;

/// The estimate of what blocks can take, in items a second.
#[derive(Debug, Clone)]
pub struct Capacity {
    estimate: u64,
    carried: u64,
    block_us: Option<u64>,
    has_queue: bool,
}

impl Capacity {
    /// An estimate that nothing has been learned for yet.
    pub fn new(initial_items_per_s: u64) -> Self {
        let estimate = initial_items_per_s.clamp(CAPACITY_MIN, CAPACITY_MAX);
        Self { estimate, carried: 0, block_us: None, has_queue: false }
    }

    /// Returns the estimate, in items a second.
    pub const fn items_per_s(&self) -> u64 {
        self.estimate
    }

    /// Returns what blocks carry lately, in items a second.
    pub const fn carried_items_per_s(&self) -> u64 {
        self.carried
    }

    /// Learns from a block with `items` that left `queue_items` behind. Only a block between two
    /// queues, or one that `was_long`, says what the chain can take.
    pub fn record_block(&mut self, items: u64, queue_items: u64, was_long: bool, now_us: u64) {
        let had_queue = std::mem::replace(&mut self.has_queue, queue_items > 0);
        let Some(before_us) = self.block_us.replace(now_us) else { return };
        let elapsed_us = now_us.saturating_sub(before_us);
        if elapsed_us == 0 {
            return;
        }
        let sample = items.min(CAPACITY_MAX).saturating_mul(1_000_000) / elapsed_us;
        self.carried = smooth(self.carried, sample, elapsed_us);
        if was_long || (had_queue && self.has_queue) {
            let estimate = smooth(self.estimate, sample, elapsed_us);
            self.estimate = estimate.clamp(CAPACITY_MIN, CAPACITY_MAX);
        }
    }

    /// Raises the estimate by 2 % each 100 ms while clients wait and no queue stands. Clients that
    /// only say that they wait do not raise it beyond twice of what blocks carry.
    pub fn probe(&mut self, are_clients_waiting: bool, elapsed_us: u64) {
        let ceiling = self.carried.saturating_mul(2).clamp(CAPACITY_MIN, CAPACITY_MAX);
        if are_clients_waiting && !self.has_queue && self.estimate < ceiling {
            let step = items_in(self.estimate / 50, elapsed_us.min(SMOOTHING_US) * 10);
            self.estimate = self.estimate.saturating_add(step.max(1)).min(ceiling);
        }
    }

    /// Returns what may be admitted a second while `queue_items` wait: less than the estimate when
    /// the queue is longer than its target, so that it becomes shorter again.
    pub fn grantable(&self, queue_items: u64) -> u64 {
        let target = items_in(self.estimate, QUEUE_TARGET_US);
        let excess = queue_items.saturating_sub(target);
        let less = excess.saturating_mul(1_000_000) / DRAIN_US;
        self.estimate.saturating_sub(less.min(self.estimate / 2)).max(1)
    }
}

/// Moves `value` towards `sample` by the part of the smoothing time that has passed.
fn smooth(value: u64, sample: u64, elapsed_us: u64) -> u64 {
    let part = u128::from(elapsed_us.min(SMOOTHING_US));
    let whole = u128::from(SMOOTHING_US);
    let sum = u128::from(value) * (whole - part) + u128::from(sample) * part;
    u64::try_from(sum / whole).unwrap_or(u64::MAX)
}
