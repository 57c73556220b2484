//! The driver's figures, which others read without a wait for it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chain_types::Height;
use node_replica::{NodeIndex, ReplicaProgress};

use super::readiness::Word;

/// How many blocks the node may be behind and still count as caught up.
const BEHIND_MAX: u64 = 5;

/// The driver's figures that other tasks read.
#[derive(Debug)]
pub struct Vitals {
    /// The height of the last committed block.
    pub height: AtomicU64,
    /// The highest height that enough validators say they have committed for one to be honest.
    pub best_peer_height: AtomicU64,
    /// Batches in the pool.
    pub pool_batches: AtomicU64,
    /// Items of the batches in the pool.
    pub pool_items: AtomicU64,
    /// The busy part of the driver's time over about a second, in millionths.
    pub load_ppm: AtomicU32,
    /// The store has failed: nothing is accepted any more.
    pub failed: AtomicBool,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    /// The height that each node said last, and when.
    words: BTreeMap<NodeIndex, (Height, Instant)>,
    progress: Option<Arc<ReplicaProgress>>,
    /// When this process committed its last block, or started.
    block_at: Instant,
    /// The age of the last block at the start, while this process has committed none.
    age_at_start: Duration,
}

impl Vitals {
    /// As at the start of a node whose last block has this height and age.
    pub fn new(height: Height, block_age: Duration) -> Self {
        Self {
            height: AtomicU64::new(height.get()),
            best_peer_height: AtomicU64::new(0),
            pool_batches: AtomicU64::new(0),
            pool_items: AtomicU64::new(0),
            load_ppm: AtomicU32::new(0),
            failed: AtomicBool::new(false),
            seen: Mutex::new(Seen {
                words: BTreeMap::new(),
                progress: None,
                block_at: Instant::now(),
                age_at_start: block_age,
            }),
        }
    }

    /// Records how long the driver had nothing to do of a fifth of a second.
    pub fn record_load(&self, idle: Duration, elapsed: Duration) {
        let busy = elapsed.saturating_sub(idle).as_micros() * 1_000_000;
        let sample = u32::try_from(busy / elapsed.as_micros().max(1)).unwrap_or(u32::MAX);
        let before = self.load_ppm.load(Ordering::Relaxed);
        let smoothed = before - before / 5 + sample / 5;
        self.load_ppm.store(smoothed, Ordering::Relaxed);
    }

    /// Returns true if the validators are well ahead of this node.
    pub fn is_catching_up(&self) -> bool {
        let height = self.height.load(Ordering::Relaxed);
        self.best_peer_height.load(Ordering::Relaxed) > height + BEHIND_MAX
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A peer said how far it is.
    pub fn hear(&self, node: NodeIndex, height: Height) {
        self.seen().words.insert(node, (height, Instant::now()));
    }

    /// A block was committed.
    pub fn commit(&self, height: Height) {
        self.height.store(height.get(), Ordering::Relaxed);
        let mut seen = self.seen();
        seen.block_at = Instant::now();
        seen.age_at_start = Duration::ZERO;
    }

    /// Replaces what is known of the replica.
    pub fn publish(&self, progress: ReplicaProgress) {
        self.seen().progress = Some(Arc::new(progress));
    }

    /// The replica's progress a moment ago; `None` before its first input.
    pub fn progress(&self) -> Option<Arc<ReplicaProgress>> {
        self.seen().progress.clone()
    }

    /// The last word of each node that has said one since the start.
    pub fn words(&self) -> BTreeMap<NodeIndex, Word> {
        let words = &self.seen().words;
        let word = |height, at: Instant| Word { height, age_ms: milliseconds(at.elapsed()) };
        words.iter().map(|(node, (height, at))| (*node, word(*height, *at))).collect()
    }

    /// How old the last committed block is.
    pub fn block_age(&self) -> Duration {
        let seen = self.seen();
        seen.block_at.elapsed() + seen.age_at_start
    }
}

/// A duration in whole milliseconds.
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
