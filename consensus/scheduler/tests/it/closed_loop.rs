//! Clients that always have the same number of batches on their way, before a node whose blocks
//! take as long as their work: shares must cost them nothing, from the first moment on.

use chain_types::{BatchId, TimeMs};
use consensus_scheduler::{
    Admission, BatchAttempt, CountedBatch, Origin, RetryAt, Scheduler, ServiceClass, Settings,
};

use crate::support::{BEGIN_US, attempt, id, party};

/// Items a second that the node carries.
const CARRIED: u64 = 94_000;
const BLOCK_ITEMS_MAX: u64 = 65_536;
/// How long a run lasts: a full block is 3 % of it.
const SECONDS: u64 = 24;
/// The time between two looks, in microseconds.
const STEP_US: u64 = 2_000;

/// Submitters, batches of each on their way, and items of a batch.
type Load = (u32, u32, u32);

/// One batch that a client has on its way.
struct Slot {
    submitter: u32,
    items: u32,
    /// When it is sent, if it does not wait at the node.
    at_us: Option<u64>,
    batch: BatchId,
}

/// A block that is being decided.
struct Deciding {
    batches: Vec<BatchId>,
    items: u64,
    until_us: u64,
}

struct Node {
    scheduler: Scheduler,
    slots: Vec<Slot>,
    deciding: Option<Deciding>,
    begun_us: u64,
    number: u64,
    settled: u64,
}

impl Node {
    fn send(&mut self, now_us: u64) {
        for slot in &mut self.slots {
            if slot.at_us.is_none_or(|at_us| at_us > now_us) {
                continue;
            }
            let valid_until = TimeMs::new(now_us / 1_000 + 120_000);
            let offer = BatchAttempt { valid_until, ..attempt(slot.submitter, slot.items) };
            match self.scheduler.consider(&offer, now_us) {
                Admission::Admit => {
                    self.number += 1;
                    (slot.batch, slot.at_us) = (id(self.number), None);
                    let batch = CountedBatch {
                        id: slot.batch,
                        submitter: party(slot.submitter),
                        class: ServiceClass::Order,
                        items: slot.items,
                    };
                    assert!(self.scheduler.enter(batch, Origin::Client, now_us));
                }
                Admission::Refuse { retry: RetryAt::At(at), .. } => {
                    slot.at_us = Some(at.get() * 1_000);
                }
                Admission::Refuse { .. } => unreachable!("it is valid for two minutes"),
            }
        }
    }

    fn decide(&mut self, now_us: u64) {
        if let Some(block) = self.deciding.take_if(|block| block.until_us <= now_us) {
            for slot in &mut self.slots {
                if slot.at_us.is_none() && block.batches.contains(&slot.batch) {
                    let (who, class) = (party(slot.submitter), ServiceClass::Order);
                    assert!(self.scheduler.remove(&slot.batch, who, class));
                    slot.at_us = Some(now_us + STEP_US);
                }
            }
            self.settled += block.items;
            let is_full = block.items + 8_192 > BLOCK_ITEMS_MAX;
            self.scheduler.record_block(block.items, is_full, now_us);
        }
        self.scheduler.tick(now_us);
        let is_due = now_us >= self.begun_us + 100_000 && self.scheduler.queue_items() > 0;
        if self.deciding.is_none() && is_due {
            let batches = self.scheduler.take(BLOCK_ITEMS_MAX, 4_096, 0);
            let taken = |slot: &&Slot| slot.at_us.is_none() && batches.contains(&slot.batch);
            let items: u64 =
                self.slots.iter().filter(taken).map(|slot| u64::from(slot.items)).sum();
            let until_us = now_us + (items * 1_000_000 / CARRIED).max(10_000);
            self.deciding = Some(Deciding { batches, items, until_us });
            self.begun_us = now_us;
        }
    }
}

/// The items that are settled in each of some seconds. `quiet` others have sent a little just
/// before.
fn settled(loads: &[Load], quiet: u32, seconds: u64) -> Vec<u64> {
    let settings = Settings { capacity_items_per_s: 200_000, settle_ms: 0, ..Settings::default() };
    let mut scheduler = Scheduler::new(settings);
    for number in 0..quiet {
        scheduler.consider(&attempt(1_000 + number, 1), BEGIN_US);
    }
    let slot = |submitter: u32, items: u32| Slot {
        submitter,
        items,
        at_us: Some(BEGIN_US),
        batch: id(u64::MAX),
    };
    let mut slots = Vec::new();
    let mut first = 1;
    for (submitters, on_their_way, items) in loads {
        for submitter in first..first + submitters {
            slots.extend((0..*on_their_way).map(|_| slot(submitter, *items)));
        }
        first += submitters;
    }
    let (deciding, begun_us, number, settled) = (None, 0, 0, 0);
    let mut node = Node { scheduler, slots, deciding, begun_us, number, settled };
    let mut each = Vec::new();
    for second in 0..seconds {
        let before = node.settled;
        for step in 0..1_000_000 / STEP_US {
            let now_us = BEGIN_US + second * 1_000_000 + step * STEP_US;
            node.send(now_us);
            node.decide(now_us);
        }
        each.push(node.settled - before);
    }
    each
}

#[test]
fn a_closed_loop_loses_nothing_from_its_start_on() {
    let table: [(&str, &[Load], u32); 6] = [
        ("eight with four of the largest each", &[(8, 4, 8_192)], 0),
        ("eight, and hundreds that are quiet", &[(8, 4, 8_192)], 300),
        ("one alone with the largest", &[(1, 32, 8_192)], 0),
        ("one alone, and hundreds that are quiet", &[(1, 32, 8_192)], 300),
        ("a mix of sizes", &[(4, 4, 8_192), (4, 16, 1_024), (4, 64, 128)], 0),
        ("small ones", &[(12, 64, 100)], 50),
    ];
    for (what, loads, quiet) in table {
        let each = settled(loads, quiet, SECONDS);
        let total: u64 = each.iter().sum();
        // The block that is being decided at the end is not counted: up to 3 %.
        let least = CARRIED * SECONDS * 95 / 100;
        assert!(total >= least, "{what}: {total} of {}: {each:?}", CARRIED * SECONDS);
    }
}
