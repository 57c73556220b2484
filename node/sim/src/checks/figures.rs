//! How the honest fare: what a hostile node costs them.

use std::collections::BTreeMap;

use chain_types::{BatchId, Height};

/// When counting begins: a chain's first validators are silent until they have heard of one
/// another.
const FROM_MS: u64 = 3_000;
/// An order that is submitted later is not counted: it has not the time to become final.
const LAST_ORDERS_MS: u64 = 3_000;
/// A node that is no further behind counts as caught up.
const BEHIND_BLOCKS_MAX: u64 = 3;

/// The costs of a run to the honest nodes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// The number of blocks that were decided.
    pub blocks: u64,
    /// Those of honest proposers.
    pub honest_blocks: u64,
    /// The longest time without a block, in milliseconds.
    pub gap_ms_max: u64,
    /// Orders that honest nodes took.
    pub orders: u64,
    /// Those that were final in a second.
    pub final_in_1_s: u64,
    /// Those that were final in three seconds.
    pub final_in_3_s: u64,
    /// The longest time that a node which started again took until it was near the head.
    pub behind_ms_max: u64,
    /// How often each node asked the others whether its key may speak.
    pub asks: BTreeMap<u32, u64>,
    end_ms: u64,
    last_block_ms: u64,
    open: BTreeMap<BatchId, (u64, u64)>,
    behind: BTreeMap<u32, u64>,
}

impl Figures {
    /// The figures of a run of that length.
    pub fn new(end_ms: u64) -> Self {
        Self { end_ms, last_block_ms: FROM_MS, ..Self::default() }
    }

    /// A node has started.
    pub fn started(&mut self, node: u32, now_ms: u64) {
        if now_ms >= FROM_MS {
            self.behind.insert(node, now_ms);
        }
    }

    /// A node has committed a block.
    pub fn committed(&mut self, node: u32, height: Height, head: Height, now_ms: u64) {
        if height.get() + BEHIND_BLOCKS_MAX >= head.get()
            && let Some(since_ms) = self.behind.remove(&node)
        {
            self.behind_ms_max = self.behind_ms_max.max(now_ms - since_ms);
        }
    }

    /// An honest node has taken a batch of orders.
    pub fn submitted(&mut self, id: BatchId, items: u64, now_ms: u64) {
        if now_ms >= FROM_MS && now_ms + LAST_ORDERS_MS <= self.end_ms {
            self.open.entry(id).or_insert((now_ms, items));
            self.orders += items;
        }
    }

    /// A block was decided.
    pub fn decided(&mut self, is_honest: bool, batches: &[BatchId], now_ms: u64) {
        if now_ms < FROM_MS {
            return;
        }
        self.blocks += 1;
        self.honest_blocks += u64::from(is_honest);
        self.gap_ms_max = self.gap_ms_max.max(now_ms - self.last_block_ms);
        self.last_block_ms = now_ms;
        for id in batches {
            if let Some((at_ms, items)) = self.open.remove(id) {
                let took_ms = now_ms - at_ms;
                self.final_in_1_s += if took_ms <= 1_000 { items } else { 0 };
                self.final_in_3_s += if took_ms <= 3_000 { items } else { 0 };
            }
        }
    }

    /// The run is over.
    pub fn end(&mut self, now_ms: u64) {
        self.gap_ms_max = self.gap_ms_max.max(now_ms.saturating_sub(self.last_block_ms));
        for since_ms in self.behind.values() {
            self.behind_ms_max = self.behind_ms_max.max(now_ms - since_ms);
        }
        self.open.clear();
        self.behind.clear();
    }
}

/// The nodes that honest nodes have named, and how often.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// By evidence that a node has seen.
    pub evidence: BTreeMap<u32, u64>,
    /// By evidence in the chain's blocks.
    pub caught: BTreeMap<u32, u64>,
    /// The nodes that were distrusted, with counts.
    pub distrusted: BTreeMap<u32, u64>,
    /// Nodes that told their operators of trouble, and what.
    pub troubles: Vec<(u32, String)>,
}
