//! Schedulers in a known condition.

use chain_types::{BatchId, Digest, ParticipantId, TimeMs};
use consensus_scheduler::{
    Admission, BatchAttempt, CountedBatch, Origin, Scheduler, ServiceClass, Settings,
};

/// Items a second that the tests' chain can do.
pub const CAPACITY: u64 = 100_000;
/// The first moment of the tests, in microseconds.
pub const BEGIN_US: u64 = 1_800_000_000_000_000;

pub fn party(number: u32) -> ParticipantId {
    ParticipantId::new(number)
}

pub fn id(number: u64) -> BatchId {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    BatchId::new(Digest::from_bytes(bytes))
}

pub fn attempt(submitter: u32, items: u32) -> BatchAttempt {
    BatchAttempt {
        submitter: party(submitter),
        items,
        class: ServiceClass::Order,
        valid_until: TimeMs::new(u64::MAX / 2_000),
        backlog_items: 0,
        ahead_items: 0,
        is_retry: false,
    }
}

/// A scheduler and a chain that takes what waits, 100 ms at a time.
pub struct Chain {
    pub scheduler: Scheduler,
    pub now_us: u64,
    batches: u64,
    /// Items that blocks took, by submitter.
    pub settled: std::collections::BTreeMap<u32, u64>,
    entered: std::collections::BTreeMap<BatchId, (u32, u32, ServiceClass)>,
}

impl Chain {
    pub fn new() -> Self {
        let settings = Settings { capacity_items_per_s: CAPACITY, ..Settings::default() };
        Self {
            scheduler: Scheduler::new(settings),
            now_us: BEGIN_US,
            batches: 0,
            settled: Default::default(),
            entered: Default::default(),
        }
    }

    /// Considers a batch, and enters it when it is admitted.
    pub fn offer(&mut self, attempt: BatchAttempt) -> Admission {
        let admission = self.scheduler.consider(&attempt, self.now_us);
        if admission == Admission::Admit {
            self.batches += 1;
            self.enter(id(self.batches), attempt.submitter.get(), attempt.items, attempt.class);
        }
        admission
    }

    pub fn enter(&mut self, id: BatchId, submitter: u32, items: u32, class: ServiceClass) -> bool {
        let batch = CountedBatch { id, submitter: party(submitter), class, items };
        self.entered.insert(id, (submitter, items, class));
        self.scheduler.enter(batch, Origin::Client, self.now_us)
    }

    /// Enters a batch that a peer has admitted.
    pub fn enter_announced(&mut self, id: BatchId, submitter: u32, items: u32) -> bool {
        let class = ServiceClass::Order;
        let batch = CountedBatch { id, submitter: party(submitter), class, items };
        self.entered.insert(id, (submitter, items, class));
        self.scheduler.enter(batch, Origin::Peer, self.now_us)
    }

    /// Makes a block of what waits, and lets 100 ms pass.
    pub fn block(&mut self) {
        let mut items = 0;
        for id in self.scheduler.take(CAPACITY / 10, 16_384, 1_000) {
            let (submitter, count, class) = self.entered.remove(&id).unwrap();
            assert!(self.scheduler.remove(&id, party(submitter), class));
            *self.settled.entry(submitter).or_default() += u64::from(count);
            items += u64::from(count);
        }
        self.now_us += 100_000;
        let is_full = self.scheduler.queue_items() > 0;
        self.scheduler.record_block(items, is_full, self.now_us);
        self.scheduler.tick(self.now_us);
    }

    /// Runs for some blocks. In each, every submitter tries `items_per_block` in batches of
    /// `batch_items`, ten times, each in turn.
    pub fn run(&mut self, blocks: u32, loads: &[(u32, u32, u32)], backlog: impl Fn(u32) -> u64) {
        for _ in 0..blocks {
            for _ in 0..10 {
                for (submitter, items_per_block, batch_items) in loads {
                    let batches = (items_per_block / 10).div_ceil(*batch_items);
                    for _ in 0..batches {
                        let backlog_items = backlog(*submitter);
                        let items = *batch_items;
                        self.offer(BatchAttempt { backlog_items, ..attempt(*submitter, items) });
                    }
                }
            }
            self.block();
        }
    }

    pub fn settled_of(&self, submitter: u32) -> u64 {
        self.settled.get(&submitter).copied().unwrap_or(0)
    }
}
