//! What a network does with a call: the scheduler, and what it is compared with.

use std::collections::{BTreeMap, VecDeque};

use chain_types::{BatchId, Digest, ParticipantId, TimeMs};
use consensus_scheduler::{
    Admission, BatchAttempt, CountedBatch, Origin, ReadBudget, RetryAt, Scheduler, ServiceClass,
    Settings,
};

use super::clients::{Habit, Reply};
use super::world::Batch;
use super::{BLOCK_US, CAPACITY, Crowd};

/// A block's most items and batches.
const BLOCK_ITEMS_MAX: u64 = CAPACITY;
const BLOCK_BATCHES_MAX: usize = 16_384;

/// The fields that a client sends beside a batch.
#[derive(Debug, Clone, Copy)]
pub struct Said {
    pub backlog_items: u64,
    pub ahead_items: u64,
    pub is_retry: bool,
}

pub trait Policy {
    fn name(&self) -> &'static str;
    fn clients(&self) -> Habit;
    fn begin(&mut self, _crowd: &Crowd) {}
    fn tick(&mut self, _now_us: u64) {}
    /// The node's queue in milliseconds and a client's share, each time a table is published.
    fn outlook(&mut self, _client: usize, _now_us: u64) -> Option<(u32, u64)> {
        None
    }
    fn charge_read(&mut self, _client: usize, _now_us: u64) -> bool {
        true
    }
    /// How much of the work of reading and verifying a batch is done before it is refused.
    fn refusal_percent(&self) -> u64;
    fn admit(&mut self, number: usize, batch: &Batch, said: Said, now_us: u64) -> Reply;
    fn take(&mut self, items_max: u64, now_us: u64) -> Vec<usize>;
    fn record_block(&mut self, items: u64, now_us: u64);
}

/// The scheduler of this crate, and clients that keep to their shares.
pub struct Grants {
    pub scheduler: Scheduler,
    budgets: Vec<ReadBudget>,
    entries: BTreeMap<BatchId, (ParticipantId, u64)>,
    published_us: u64,
    taken_items: u64,
    /// Bodies are read before they are refused, and connections always: what must not be.
    pub reads_all: bool,
}

pub fn batch_id(number: usize) -> BatchId {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&(number as u64).to_le_bytes());
    BatchId::new(Digest::from_bytes(bytes))
}

fn number_of(id: &BatchId) -> usize {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&id.digest().bytes()[..8]);
    u64::from_le_bytes(bytes) as usize
}

fn submitter(client: usize) -> ParticipantId {
    ParticipantId::new(client as u32 + 1)
}

impl Grants {
    pub fn new() -> Self {
        let settings = Settings { capacity_items_per_s: CAPACITY / 2, ..Settings::default() };
        Self {
            scheduler: Scheduler::new(settings),
            budgets: Vec::new(),
            entries: BTreeMap::new(),
            published_us: 0,
            taken_items: 0,
            reads_all: false,
        }
    }
}

impl Policy for Grants {
    fn name(&self) -> &'static str {
        if self.reads_all { "grants, everything read" } else { "grants" }
    }

    fn clients(&self) -> Habit {
        Habit::Paced
    }

    fn begin(&mut self, crowd: &Crowd) {
        self.budgets = vec![ReadBudget::default(); crowd.profiles.len()];
        for (client, profile) in crowd.profiles.iter().enumerate() {
            self.scheduler.set_weight(submitter(client), profile.weight);
        }
    }

    fn tick(&mut self, now_us: u64) {
        self.scheduler.tick(now_us);
        if now_us >= self.published_us + 100_000 {
            self.published_us = now_us;
        }
    }

    fn outlook(&mut self, client: usize, now_us: u64) -> Option<(u32, u64)> {
        let share = || (self.scheduler.queue_ms(), self.scheduler.share(submitter(client)));
        (self.published_us == now_us).then(share)
    }

    fn charge_read(&mut self, client: usize, now_us: u64) -> bool {
        self.reads_all || self.budgets[client].paused_until_us(now_us).is_none()
    }

    fn refusal_percent(&self) -> u64 {
        if self.reads_all { 100 } else { 0 }
    }

    fn admit(&mut self, number: usize, batch: &Batch, said: Said, now_us: u64) -> Reply {
        let (submitter, items) = (submitter(batch.client), batch.items as u32);
        let share = self.scheduler.share(submitter);
        self.budgets[batch.client].record(submitter, items, share, now_us);
        let attempt = BatchAttempt {
            submitter,
            items,
            class: ServiceClass::Order,
            valid_until: TimeMs::new(batch.valid_until_us() / 1_000),
            backlog_items: said.backlog_items,
            ahead_items: said.ahead_items,
            is_retry: said.is_retry,
        };
        match self.scheduler.consider(&attempt, now_us) {
            Admission::Admit => {
                let (id, class) = (batch_id(number), ServiceClass::Order);
                let counted = CountedBatch { id, submitter, class, items };
                self.scheduler.enter(counted, Origin::Client, now_us);
                self.entries.insert(id, (submitter, batch.items));
                Reply::Admitted
            }
            Admission::Refuse { retry: RetryAt::Never, .. } => Reply::Never,
            Admission::Refuse { retry: RetryAt::At(at), .. } => {
                Reply::Later { at_us: Some(at.get() * 1_000) }
            }
        }
    }

    fn take(&mut self, items_max: u64, _now_us: u64) -> Vec<usize> {
        let taken = self.scheduler.take(items_max.min(BLOCK_ITEMS_MAX), BLOCK_BATCHES_MAX, 0);
        self.taken_items = 0;
        for id in &taken {
            if let Some((submitter, items)) = self.entries.remove(id) {
                self.taken_items += items;
                self.scheduler.remove(id, submitter, ServiceClass::Order);
            }
        }
        taken.iter().map(number_of).collect()
    }

    fn record_block(&mut self, items: u64, now_us: u64) {
        let is_full = self.scheduler.queue_items() > 0;
        self.scheduler.record_block(items, is_full, now_us);
    }
}

/// A pool as built: one batch of each submitter in turn, and of one at most as much as is free.
struct Pool {
    queues: BTreeMap<usize, VecDeque<(usize, u64, u64)>>,
    items_by_client: BTreeMap<usize, u64>,
    items: u64,
    last_first: usize,
}

impl Pool {
    const fn new() -> Self {
        Self { queues: BTreeMap::new(), items_by_client: BTreeMap::new(), items: 0, last_first: 0 }
    }

    fn is_full_for(&self, client: usize, items: u64, items_max: u64) -> bool {
        let free = items_max.saturating_sub(self.items);
        let own = self.items_by_client.get(&client).copied().unwrap_or(0);
        items > free || (own > 0 && own + items > free)
    }

    fn push(&mut self, number: usize, batch: &Batch) {
        let queue = self.queues.entry(batch.client).or_default();
        queue.push_back((number, batch.items, batch.valid_until_us()));
        *self.items_by_client.entry(batch.client).or_default() += batch.items;
        self.items += batch.items;
    }

    fn take(&mut self, items_max: u64, now_us: u64) -> Vec<usize> {
        let mut order: Vec<usize> = self.queues.keys().copied().collect();
        let start = order.partition_point(|client| *client <= self.last_first);
        order.rotate_left(start);
        self.last_first = order.first().copied().unwrap_or(0);
        let (mut taken, mut left) = (Vec::new(), items_max);
        let mut is_over = false;
        while !is_over {
            is_over = true;
            for client in &order {
                let Some(queue) = self.queues.get_mut(client) else { continue };
                while let Some((number, items, valid_until_us)) = queue.front().copied() {
                    let is_late = valid_until_us <= now_us;
                    if !is_late && items > left {
                        return taken;
                    }
                    queue.pop_front();
                    self.items -= items;
                    *self.items_by_client.entry(*client).or_default() -= items;
                    if !is_late {
                        left -= items;
                        taken.push(number);
                        is_over = false;
                        break;
                    }
                }
            }
        }
        taken
    }
}

/// How the baselines decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// 128 MiB of batches, retries after a constant: as built.
    Static,
    /// Half a second of work, exponential backoff.
    Early,
    /// CoDel: refuse while the queue was above 50 ms for 100 ms, exponential backoff.
    Delay,
    /// A limit that grows by a step and shrinks by a tenth; clients throttle themselves.
    Aimd,
    /// A limit that follows the ratio of the least delay to the present one; likewise.
    Gradient,
}

pub struct Baseline {
    control: Control,
    pool: Pool,
    limit: u64,
    above_since_us: Option<u64>,
    rate: u64,
    block_us: u64,
    least_delay_us: u64,
}

impl Baseline {
    pub const fn new(control: Control) -> Self {
        Self {
            control,
            pool: Pool::new(),
            limit: CAPACITY / 10,
            above_since_us: None,
            rate: CAPACITY / 2,
            block_us: 0,
            least_delay_us: u64::MAX,
        }
    }

    fn delay_us(&self) -> u64 {
        self.pool.items * 1_000_000 / self.rate.max(1_000)
    }
}

impl Policy for Baseline {
    fn name(&self) -> &'static str {
        match self.control {
            Control::Static => "as built: large pool, constant retry",
            Control::Early => "early refusal, exponential backoff",
            Control::Delay => "delay target (CoDel), backoff",
            Control::Aimd => "AIMD, client-side throttling",
            Control::Gradient => "gradient, client-side throttling",
        }
    }

    fn clients(&self) -> Habit {
        match self.control {
            Control::Static => Habit::Constant,
            Control::Early | Control::Delay => Habit::Exponential,
            Control::Aimd | Control::Gradient => Habit::Throttled,
        }
    }

    /// As built, a batch is refused after all that; the others refuse what they have only received.
    fn refusal_percent(&self) -> u64 {
        if self.control == Control::Static { 100 } else { 25 }
    }

    fn admit(&mut self, number: usize, batch: &Batch, _said: Said, now_us: u64) -> Reply {
        let items_max = match self.control {
            Control::Static => 128 * 1024 * 1024 / 128,
            Control::Early => CAPACITY / 2,
            Control::Delay => match self.above_since_us {
                Some(since_us) if now_us >= since_us + 100_000 => 0,
                _ => 128 * 1024 * 1024 / 128,
            },
            Control::Aimd | Control::Gradient => self.limit,
        };
        if self.pool.is_full_for(batch.client, batch.items, items_max) {
            return Reply::Later { at_us: Some(now_us + 250_000) };
        }
        self.pool.push(number, batch);
        let is_above = self.delay_us() > 50_000;
        self.above_since_us = match (is_above, self.above_since_us) {
            (true, since) => since.or(Some(now_us)),
            (false, _) => None,
        };
        Reply::Admitted
    }

    fn take(&mut self, items_max: u64, now_us: u64) -> Vec<usize> {
        self.pool.take(items_max.min(BLOCK_ITEMS_MAX), now_us)
    }

    fn record_block(&mut self, items: u64, now_us: u64) {
        let elapsed_us = now_us.saturating_sub(std::mem::replace(&mut self.block_us, now_us));
        let sample = items * 1_000_000 / elapsed_us.clamp(1, 10 * BLOCK_US);
        self.rate = (self.rate * 9 + sample) / 10;
        let delay_us = self.delay_us();
        if delay_us <= 50_000 {
            self.above_since_us = None;
        }
        let block = CAPACITY * BLOCK_US / 1_000_000;
        match self.control {
            Control::Aimd if delay_us > 100_000 => self.limit -= self.limit / 10,
            Control::Aimd => self.limit += block / 20,
            Control::Gradient => {
                // The least delay is forgotten slowly, and a block's time is always there.
                let present_us = delay_us + BLOCK_US;
                let least_us = self.least_delay_us.min(present_us);
                self.least_delay_us = least_us + least_us / 500;
                let ratio = (1_500 * least_us / present_us).clamp(500, 1_000);
                self.limit = self.limit * ratio / 1_000 + block / 20;
            }
            _ => {}
        }
        self.limit = self.limit.clamp(block / 2, 128 * 1024 * 1024 / 128);
    }
}

/// Every policy of the table, in its order.
pub fn all() -> Vec<Box<dyn Policy>> {
    let controls =
        [Control::Static, Control::Early, Control::Delay, Control::Aimd, Control::Gradient];
    let mut policies: Vec<Box<dyn Policy>> = Vec::new();
    for control in controls {
        policies.push(Box::new(Baseline::new(control)));
    }
    policies.push(Box::new(Grants::new()));
    policies
}
