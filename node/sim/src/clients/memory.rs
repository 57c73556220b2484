//! The memory that the participants share: what they sent, and what decided blocks told them.

use std::collections::{BTreeMap, BTreeSet};

use chain_state::State;
use chain_types::batch::Items;
use chain_types::{
    BlockHeader, Decision, ExecutedBlock, InstructionId, OrderId, Outcome, RechargeItem,
    VerifiedBatch, WindowId,
};

use crate::setup::Shape;

/// A collected order, as whoever may return it knows it.
#[derive(Debug, Clone, Copy)]
pub struct Collected {
    /// The order as submitted.
    pub item: RechargeItem,
    /// The window of its collection.
    pub window: WindowId,
}

/// The choices that the participants make in a run.
#[derive(Debug, Clone, Copy)]
pub struct People {
    /// The nodes there are.
    pub shape: Shape,
    /// True if governance may give the edge node power.
    pub edge_may_vote: bool,
    /// True if the operators govern at all.
    pub govern: bool,
}

/// The memory of the participants.
#[derive(Debug)]
pub struct Memory {
    /// The choices that they make in the run.
    pub people: People,
    /// Every batch that was sent.
    pub sent: Vec<VerifiedBatch>,
    /// Orders that were submitted, whatever became of them.
    pub submitted: Vec<OrderId>,
    /// How many quotes were issued.
    pub quotes: u32,
    /// Orders that were collected, in that order.
    pub collected: Vec<Collected>,
    /// Orders that are reserved or held.
    waiting: BTreeMap<OrderId, RechargeItem>,
    /// Instructions that failed, and were not given again.
    pub failed: BTreeSet<InstructionId>,
    /// Instructions that arrived, and did not bounce.
    pub arrived: BTreeSet<InstructionId>,
    /// The digest of each window's report as the last block before its close left it, or as it is.
    pub reports: BTreeMap<WindowId, [u8; 32]>,
}

impl Memory {
    /// Nothing has happened yet.
    pub fn new(people: People) -> Self {
        Self {
            people,
            sent: Vec::new(),
            submitted: Vec::new(),
            quotes: 0,
            collected: Vec::new(),
            waiting: BTreeMap::new(),
            failed: BTreeSet::new(),
            arrived: BTreeSet::new(),
            reports: BTreeMap::new(),
        }
    }

    /// Reads a decided block, and the state after it.
    pub fn read(&mut self, decided: &ExecutedBlock, state: &State) {
        let open = state.open_window();
        self.reports.insert(open.id, open.digest().bytes());
        let header = &decided.block.header;
        for (batch, outcomes) in decided.batches.iter().zip(&decided.outcomes) {
            self.read_batch(header, batch, outcomes);
        }
    }

    fn read_batch(&mut self, header: &BlockHeader, batch: &VerifiedBatch, outcomes: &[Outcome]) {
        let window = header.window;
        match batch.items() {
            Items::Recharge(items) => {
                for (item, outcome) in items.iter().zip(outcomes) {
                    if outcome.is_applied() && item.is_collected() {
                        self.collected.push(Collected { item: *item, window });
                    } else if outcome.is_applied() || *outcome == Outcome::HELD {
                        self.waiting.insert(item.order_id(), *item);
                    }
                }
            }
            Items::Collect(items) => {
                for (item, _) in applied(items, outcomes) {
                    let found = self.waiting.remove(&item.order_id());
                    self.collected.extend(found.map(|item| Collected { item, window }));
                }
            }
            Items::HoldDecision(items) => {
                let release = Decision::Approve.number();
                for (item, _) in applied(items, outcomes) {
                    let found = self.waiting.get(&item.order_id());
                    let at_once = found.filter(|found| found.is_collected()).copied();
                    let at_once = at_once.filter(|_| item.decision.get() == release);
                    self.collected.extend(at_once.map(|item| Collected { item, window }));
                }
            }
            Items::Arrival(items) => {
                let arrived = applied(items, outcomes).map(|(item, _)| item.instruction());
                self.arrived.extend(arrived);
            }
            Items::Bounce(items) => {
                for (item, _) in applied(items, outcomes) {
                    self.arrived.remove(&item.instruction());
                    self.failed.insert(item.instruction());
                }
            }
            Items::Failure(items) => {
                let failed = applied(items, outcomes).map(|(item, _)| item.instruction());
                self.failed.extend(failed);
            }
            Items::Reinstruct(items) => {
                for (item, _) in applied(items, outcomes) {
                    self.failed.remove(&item.instruction());
                }
            }
            _ => {}
        }
    }
}

fn applied<'a, T>(
    items: &'a [T],
    outcomes: &'a [Outcome],
) -> impl Iterator<Item = (&'a T, &'a Outcome)> {
    items.iter().zip(outcomes).filter(|(_, outcome)| outcome.is_applied())
}
