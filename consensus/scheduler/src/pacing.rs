//! What a client does with its share: it sends no faster, prefers the node with the shorter queue,
//! and does not carry a refusal to the next node.

use chain_types::TimeMs;

use crate::meter::{DEBT_US_MAX, Meter, cost_us};
use crate::scheduler::QUEUE_US;

/// How far ahead of its share a client sends, in microseconds. Less than a node tolerates.
const TOLERANCE_US: u64 = 150_000;
/// The part of its share that a client keeps to, in percent: nodes learn of one another's
/// admissions a moment later.
const PACE_PERCENT: u64 = 98;
/// By how much shares may fall before a batch that was accepted is given up, in percent.
const MARGIN_PERCENT: u64 = 15;
/// For how long a node that could not be reached is not chosen, in microseconds.
const UNREACHABLE_US: u64 = 1_000_000;
/// For how long a word about a queue or a share counts, in microseconds. A client keeps to an older
/// share until it hears another, but gives up nothing because of it.
pub const HEARD_US: u64 = 2_000_000;

/// When and where to send the next batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendPlan {
    /// Send it now, to the node of this index.
    Now {
        /// The index of the node.
        node: usize,
    },
    /// Hold it back until this moment.
    Wait {
        /// The moment, in microseconds.
        until_us: u64,
    },
    /// It cannot be final before its valid-until time: say so to its user at once.
    Never,
}

/// The share that a client keeps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatedShare {
    /// The share, in items a second, at least 1.
    pub items_per_s: u64,
    /// The index of the node that stated it.
    pub node: usize,
    /// When a node was heard last, in microseconds.
    pub heard_us: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct NodeView {
    queue_ms: u32,
    share: u64,
    /// `None` until the node was heard.
    heard_us: Option<u64>,
    unreachable_until_us: u64,
}

/// The pace of one submitter over all nodes.
#[derive(Debug, Clone)]
pub struct Pacer {
    nodes: Vec<NodeView>,
    /// `None` until a node has stated a share.
    stated: Option<StatedShare>,
    meter: Meter,
    closed_until_us: u64,
    settle_ms: u64,
    seed: u64,
}

impl Pacer {
    /// A pacer over `nodes` nodes, at least one. `settle_ms` is the usual time until a block is
    /// final; `seed` decides which nodes are compared.
    pub fn new(nodes: usize, settle_ms: u64, seed: u64) -> Self {
        Self {
            nodes: vec![NodeView::default(); nodes.max(1)],
            stated: None,
            meter: Meter::default(),
            closed_until_us: 0,
            settle_ms,
            seed,
        }
    }

    /// Learns from a verified table: the node's queue and the own share. The middle one counts of
    /// what the nodes stated lately, of two the larger: a node that states nothing (0) or
    /// everything (`u64::MAX`) moves no client that hears two others.
    pub fn hear(&mut self, node: usize, queue_ms: u32, share_items_per_s: u64, now_us: u64) {
        let Some(view) = self.nodes.get_mut(node) else { return };
        let unreachable_until_us = view.unreachable_until_us;
        let (share, heard_us) = (share_items_per_s.max(1), Some(now_us));
        *view = NodeView { queue_ms, share, heard_us, unreachable_until_us };
        let mut fresh: Vec<(u64, usize)> = (0..self.nodes.len())
            .filter(|at| self.nodes[*at].is_fresh(now_us))
            .map(|at| (self.nodes[at].share, at))
            .collect();
        fresh.sort_unstable();
        let middle = fresh.get(fresh.len() / 2).copied();
        self.stated =
            middle.map(|(items_per_s, node)| StatedShare { items_per_s, node, heard_us: now_us });
    }

    /// Returns the share that is kept to; `None` until a node has stated one.
    pub const fn stated(&self) -> Option<StatedShare> {
        self.stated
    }

    /// Returns true if a new batch is worth holding back behind `ahead_items`: even if the share
    /// falls a little, it will be final in time. Where it is false, its user is told at once.
    pub fn accepts(&self, items: u64, ahead_items: u64, valid_until: TimeMs, now_us: u64) -> bool {
        let wait_us = self.wait_us(items, ahead_items, now_us);
        let wait_us = wait_us.saturating_add(wait_us / 100 * MARGIN_PERCENT);
        self.settled_ms(wait_us, now_us) <= valid_until.get()
    }

    /// Returns true if a batch behind `ahead_items` cannot be final before its valid-until time, by
    /// the share that a node stated lately. Without such a word only time itself makes it late.
    pub fn is_late(&self, items: u64, ahead_items: u64, valid_until: TimeMs, now_us: u64) -> bool {
        self.settled_ms(self.wait_us(items, ahead_items, now_us), now_us) > valid_until.get()
    }

    /// Plans a batch of `items` that `ahead_items` wait before.
    pub fn plan(
        &mut self,
        items: u64,
        ahead_items: u64,
        valid_until: TimeMs,
        now_us: u64,
    ) -> SendPlan {
        if self.is_late(items, ahead_items, valid_until, now_us) {
            return SendPlan::Never;
        }
        match ahead_items > 0 {
            true => SendPlan::Wait { until_us: self.opens_us().max(now_us) },
            false => self.plan_again(now_us),
        }
    }

    /// Plans a batch that a node may have taken already: it is sent again at the pace of all others
    /// and never given up, for it may become final whatever its client thinks.
    pub fn plan_again(&mut self, now_us: u64) -> SendPlan {
        let opens_us = self.opens_us();
        match opens_us > now_us {
            true => SendPlan::Wait { until_us: opens_us },
            false => SendPlan::Now { node: self.choose(now_us) },
        }
    }

    fn opens_us(&self) -> u64 {
        self.meter.opens_us(TOLERANCE_US).max(self.closed_until_us)
    }

    /// How long it takes to send a batch and what is before it, at the pace of a share that was
    /// stated lately.
    fn wait_us(&self, items: u64, ahead_items: u64, now_us: u64) -> u64 {
        let fresh = self.stated.filter(|stated| is_recent(stated.heard_us, now_us));
        fresh.map_or(0, |stated| cost_us(ahead_items.saturating_add(items), pace_of(stated)))
    }

    /// When a batch is final that is sent after a time: behind the shortest queue, and behind the
    /// most that a node lets wait of one submitter.
    fn settled_ms(&self, wait_us: u64, now_us: u64) -> u64 {
        let queue_ms = self.nodes.iter().map(|view| view.fresh_queue_ms(now_us)).min();
        let queue_ms = u64::from(queue_ms.unwrap_or(0)).max(QUEUE_US / 1_000);
        let sent_us = self.opens_us().max(now_us).saturating_add(wait_us);
        (sent_us / 1_000).saturating_add(self.settle_ms).saturating_add(queue_ms)
    }

    /// Records that a batch was sent.
    pub fn record_sent(&mut self, items: u64, now_us: u64) {
        if let Some(stated) = self.stated {
            self.meter.charge(items, pace_of(stated), now_us);
        }
    }

    /// Records refusal 115 with its time to retry: the share is the same at every node, so nothing
    /// is sent to any of them before that time. No debt at a node is longer than 30 s, so no word
    /// of one node closes a client for longer.
    pub fn record_refusal(&mut self, retry_at: TimeMs, now_us: u64) {
        let until_us = retry_at.get().saturating_mul(1_000);
        let until_us = until_us.min(now_us.saturating_add(DEBT_US_MAX));
        self.closed_until_us = self.closed_until_us.max(until_us);
    }

    /// Records that a node could not be reached: others are chosen for a second.
    pub fn record_unreachable(&mut self, node: usize, now_us: u64) {
        if let Some(view) = self.nodes.get_mut(node) {
            view.unreachable_until_us = now_us.saturating_add(UNREACHABLE_US);
        }
    }

    /// Of two nodes chosen at random, the one with the shorter queue.
    fn choose(&mut self, now_us: u64) -> usize {
        let is_reachable = |at: &usize| self.nodes[*at].unreachable_until_us <= now_us;
        let mut reachable: Vec<usize> = (0..self.nodes.len()).filter(is_reachable).collect();
        if reachable.is_empty() {
            reachable = (0..self.nodes.len()).collect();
        }
        let first = reachable.swap_remove(self.draw(reachable.len()));
        if reachable.is_empty() {
            return first;
        }
        let second = reachable[self.draw(reachable.len())];
        let queue_ms = |at: usize| self.nodes[at].fresh_queue_ms(now_us);
        if queue_ms(second) < queue_ms(first) { second } else { first }
    }

    /// Draws a number below `below` (SplitMix64).
    fn draw(&mut self, below: usize) -> usize {
        self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.seed;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((word ^ (word >> 31)) % below.max(1) as u64) as usize
    }
}

impl NodeView {
    fn is_fresh(&self, now_us: u64) -> bool {
        self.heard_us.is_some_and(|heard_us| is_recent(heard_us, now_us))
    }

    /// The queue that was heard of lately; none when it was long ago.
    fn fresh_queue_ms(&self, now_us: u64) -> u32 {
        if self.is_fresh(now_us) { self.queue_ms } else { 0 }
    }
}

/// Returns true if a word that was heard then still counts.
fn is_recent(heard_us: u64, now_us: u64) -> bool {
    heard_us.saturating_add(HEARD_US) >= now_us
}

/// The items a second that a client sends of a share.
fn pace_of(stated: StatedShare) -> u64 {
    // The part of each hundred, then of the rest: no share is too large to multiply.
    let share = stated.items_per_s;
    (share / 100 * PACE_PERCENT + share % 100 * PACE_PERCENT / 100).max(1)
}
