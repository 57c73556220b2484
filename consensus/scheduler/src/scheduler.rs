//! Who may send how much: the decision about a batch, by its header alone, and what it rests on.
//!
//! [`Scheduler::consider`] answers for a header that nobody has verified, so it charges nobody: a
//! forged header costs its victim nothing. [`Scheduler::enter`] charges once the signature is
//! known to be the submitter's, and so it does for batches that peers announce: all nodes enforce
//! one share without a word about it. [`Scheduler::tick`] divides the capacity anew.
//!
//! While a block is being decided, its batches still wait: a queue of a few hundred milliseconds is
//! no sign of too much. The sign is a block that was full, or that took too long, and what it left
//! behind.

use std::cmp::Reverse;

use chain_types::{BatchId, ParticipantId, TimeMs};

use crate::attempt::{
    Admission, BatchAttempt, CountedBatch, Origin, RetryAt, Settings, ShareReason,
};
use crate::block_time::BlockTime;
use crate::capacity::Capacity;
use crate::class::ServiceClass;
use crate::meter::{Meter, cost_us, items_in};
use crate::queues::ItemQueues;
use crate::recent::Recent;
use crate::shares::{Claim, Division, at_level, divide};
use crate::submitters::{Submitter, Submitters};
use crate::weights::Weights;

/// The time between two divisions of the capacity, in microseconds.
pub const TICK_US: u64 = 100_000;
/// The time for which a submitter is remembered and keeps its floor, in microseconds.
pub const SEEN_US: u64 = 10_000_000;
/// The most that waits of one submitter, as a time at its share, in microseconds.
pub const QUEUE_US: u64 = 500_000;
/// The most that a submitter may be ahead of its share, in microseconds.
pub const TOLERANCE_US: u64 = 250_000;
/// The largest batch, as a time at the submitter's share, in microseconds.
const BATCH_US_MAX: u64 = 10_000_000;
/// The longest queue that lets any batch pass, as a time at the capacity, in microseconds.
const SHORT_QUEUE_US: u64 = 250_000;
/// The longest queue that lets a submitter's only waiting batch pass, as a time at the capacity, in
/// microseconds. Without it, a batch larger than the submitter's bound would never pass.
const FIRST_QUEUE_US: u64 = 400_000;
/// The part of the capacity that is set aside for duties, and for the floors: a tenth.
const TENTH: u64 = 10;
/// The most active submitters whose shares are divided at every tick. With more, shares are divided
/// less often, so that the work a second stays the same.
const ACTIVE_A_TICK: usize = 16_384;
/// Smoothing of first tries: a rise is followed in about 200 ms, a fall in about a second.
const RISE_US: u64 = 200_000;
const FALL_US: u64 = 1_000_000;

/// The shares of all submitters, the batches that wait, and the estimate of the capacity.
#[derive(Debug)]
pub struct Scheduler {
    settings: Settings,
    capacity: Capacity,
    pub(crate) submitters: Submitters,
    weights: Weights,
    queues: [ItemQueues; ServiceClass::COUNT],
    recent: Recent,
    division: Division,
    /// The part of the capacity that was divided among orders, in items a second.
    divided: u64,
    tick_us: Option<u64>,
    block_time: BlockTime,
    /// The items that the last block left behind for want of space or time.
    left_items: u64,
    /// Someone was refused, or said that it has a backlog, since the last tick.
    are_clients_waiting: bool,
    /// Items of duties that were charged to the part that is set aside, since the last tick.
    duty_items: u64,
    duties_per_s: u64,
    duties: Meter,
}

impl Scheduler {
    /// A scheduler that has seen nobody.
    pub fn new(settings: Settings) -> Self {
        Self {
            capacity: Capacity::new(settings.capacity_items_per_s),
            submitters: Submitters::new(settings.submitters_max),
            weights: Weights::default(),
            queues: Default::default(),
            recent: Recent::new(settings.recent_max),
            division: Division::Plenty { spare: settings.capacity_items_per_s },
            divided: settings.capacity_items_per_s,
            tick_us: None,
            block_time: BlockTime::default(),
            left_items: 0,
            are_clients_waiting: false,
            duty_items: 0,
            duties_per_s: 0,
            duties: Meter::default(),
            settings,
        }
    }

    /// Sets a weight that governance has decided.
    pub fn set_weight(&mut self, submitter: ParticipantId, weight: u32) {
        self.weights.set(submitter, weight);
        self.submitters.set_weight(submitter, self.weights.of(submitter));
    }

    /// Decides about a batch by its header. Records the try; charges nothing.
    pub fn consider(&mut self, attempt: &BatchAttempt, now_us: u64) -> Admission {
        let weight = self.weights.of(attempt.submitter);
        let place = self.submitters.touch(attempt.submitter, weight, now_us);
        let submitter = self.submitters.get_mut(place);
        if !attempt.is_retry {
            submitter.tried_items = submitter.tried_items.saturating_add(attempt.items.into());
        }
        submitter.backlog_items = attempt.backlog_items;
        self.submitters.activate(place);
        let admission = self.judge(attempt, now_us);
        let is_held_back = matches!(
            admission,
            Admission::Refuse { reason, .. } if reason != ShareReason::TooLate
        );
        self.are_clients_waiting |= attempt.backlog_items > 0 || is_held_back;
        admission
    }

    /// Returns what [`Self::consider`] would decide, and records nothing.
    pub fn judge(&self, attempt: &BatchAttempt, now_us: u64) -> Admission {
        let weight = self.weights.of(attempt.submitter);
        let unknown = Submitter::unknown(attempt.submitter, weight);
        let place = self.submitters.account(attempt.submitter);
        let submitter = place.map_or(&unknown, |place| self.submitters.get(place));
        if attempt.class.is_duty() && self.has_duty_room(submitter, now_us) {
            return Admission::Admit;
        }
        match self.obstacle(submitter, attempt, now_us) {
            None if self.is_too_late(submitter, attempt, now_us) => {
                Admission::Refuse { reason: ShareReason::TooLate, retry: RetryAt::Never }
            }
            None => Admission::Admit,
            Some((reason, opens_us)) => {
                let retry = self.retry(attempt, self.rate(submitter), opens_us, now_us);
                Admission::Refuse { reason, retry }
            }
        }
    }

    /// Returns the reason why a batch may not be sent now, and the time in microseconds until which
    /// it holds; `u64::MAX` if it always does. `None` if the batch may be sent.
    fn obstacle(
        &self,
        submitter: &Submitter,
        attempt: &BatchAttempt,
        now_us: u64,
    ) -> Option<(ShareReason, u64)> {
        let items = u64::from(attempt.items);
        let rate = self.rate(submitter);
        if items > items_in(self.charge_rate(submitter), BATCH_US_MAX).max(1) {
            return Some((ShareReason::BatchOverShare, u64::MAX));
        }
        let opens_us = submitter.meter.opens_us(TOLERANCE_US);
        if opens_us > now_us {
            return Some((ShareReason::ShareUsed, opens_us));
        }
        let queue = self.queue_items();
        if queue == 0 {
            return None;
        }
        let own = self.queue_items_of(attempt.submitter);
        let bound = items_in(self.allowance(submitter, rate), QUEUE_US);
        let capacity = self.capacity.items_per_s();
        let has_place = own + items <= bound
            || queue + items <= items_in(capacity, SHORT_QUEUE_US)
            || (own == 0 && queue <= items_in(capacity, FIRST_QUEUE_US));
        // What waits is gone after the whole queue, or after the own one at the share.
        let drained_us = cost_us(queue, capacity).min(cost_us(own, rate));
        (!has_place)
            .then(|| (ShareReason::QueueFull, now_us.saturating_add(drained_us.max(TICK_US))))
    }

    /// Returns true if the batch would not be final in time, although it may be sent.
    fn is_too_late(&self, submitter: &Submitter, attempt: &BatchAttempt, now_us: u64) -> bool {
        let queue = self.queue_items();
        let own = if queue == 0 { 0 } else { self.queue_items_of(attempt.submitter) };
        let own_us = cost_us(own + u64::from(attempt.items), self.charge_rate(submitter));
        let wait_us = own_us.min(cost_us(queue, self.capacity.items_per_s()));
        let final_ms = now_us.saturating_add(wait_us) / 1_000;
        final_ms.saturating_add(self.settings.settle_ms) > attempt.valid_until.get()
    }

    /// Returns the time at which a refused batch is admitted, after the batches that its client
    /// sends before it.
    fn retry(&self, attempt: &BatchAttempt, rate: u64, opens_us: u64, now_us: u64) -> RetryAt {
        let before_us = cost_us(attempt.ahead_items, rate);
        let at_us = opens_us.max(now_us).saturating_add(before_us);
        let final_ms = (at_us / 1_000).saturating_add(u64::from(self.queue_ms()));
        match final_ms.saturating_add(self.settings.settle_ms) > attempt.valid_until.get() {
            true => RetryAt::Never,
            false => RetryAt::At(TimeMs::new(at_us.div_ceil(1_000))),
        }
    }

    /// Charges a verified batch to its submitter and puts it into its queue: one that was admitted
    /// here, or one that a peer announces. Returns false, and does neither, for a batch that was
    /// charged before.
    pub fn enter(&mut self, batch: CountedBatch, origin: Origin, now_us: u64) -> bool {
        let is_new = self.charge(batch, origin, now_us);
        if is_new {
            self.requeue(batch);
        }
        is_new
    }

    /// Puts a batch into its queue that was charged before, and left the queue for no block.
    pub fn requeue(&mut self, batch: CountedBatch) {
        self.queues[batch.class.number()].push(batch.submitter, batch.id, batch.items);
    }

    /// Charges a verified batch that waits for nothing here: a block has it, and nobody announced
    /// it before. Returns false, and charges nothing, for one that was charged before.
    pub fn charge(&mut self, batch: CountedBatch, origin: Origin, now_us: u64) -> bool {
        let CountedBatch { id, submitter, class, items } = batch;
        if !self.recent.insert(id) {
            return false;
        }
        let place = self.submitters.touch(submitter, self.weights.of(submitter), now_us);
        self.submitters.activate(place);
        let entry = self.submitters.get(place);
        let (rate, weight) = (self.charge_rate(entry), entry.weight);
        let is_from_duties = class.is_duty() && self.has_duty_room(entry, now_us);
        let set_aside = self.capacity.items_per_s() / TENTH;
        let duty_rate = self.duty_rate(weight);
        let count = u64::from(items);
        let entry = self.submitters.get_mut(place);
        if origin == Origin::Peer {
            entry.tried_items = entry.tried_items.saturating_add(count);
        }
        if is_from_duties {
            entry.duties.charge(count, duty_rate, now_us);
            self.duties.charge(count, set_aside, now_us);
            self.duty_items = self.duty_items.saturating_add(count);
        } else {
            entry.meter.charge(count, rate, now_us);
        }
        true
    }

    /// Takes the batches of the next block: duties first, returns among them up to `returns_max`
    /// items, then orders, each by deficit round robin in items.
    pub fn take(&mut self, items_max: u64, batches_max: usize, returns_max: u64) -> Vec<BatchId> {
        let mut left = (items_max, batches_max);
        let mut taken = Vec::new();
        for class in [ServiceClass::Return, ServiceClass::Duty, ServiceClass::Order] {
            let most = if class == ServiceClass::Return { returns_max.min(left.0) } else { left.0 };
            let (queue, weights) = (&mut self.queues[class.number()], &self.weights);
            let (batches, items) = queue.take(most, left.1, weights);
            left = (left.0 - items, left.1 - batches.len());
            taken.extend(batches);
        }
        taken
    }

    /// Forgets a batch that is in a block or never will be. Returns true if it waited.
    pub fn remove(&mut self, id: &BatchId, submitter: ParticipantId, class: ServiceClass) -> bool {
        self.queues[class.number()].remove(submitter, id)
    }

    /// Learns from a block whose batches were removed. After a full one, all that waits now was
    /// left behind; after one that took too long, what came after the time that it should have
    /// taken.
    pub fn record_block(&mut self, items: u64, is_full: bool, now_us: u64) {
        let waiting = self.queue_items();
        let late = self.block_time.record(items, waiting, now_us);
        self.left_items = if is_full { waiting } else { late.unwrap_or(0) };
        self.capacity.record_block(items, self.left_items, late.is_some(), now_us);
    }

    /// Divides the capacity anew if 100 ms have passed; longer when very many are active.
    pub fn tick(&mut self, now_us: u64) {
        let before_us = *self.tick_us.get_or_insert(now_us);
        let elapsed_us = now_us.saturating_sub(before_us);
        let stretch = 1 + self.submitters.active.len() / ACTIVE_A_TICK;
        if elapsed_us < TICK_US * stretch as u64 {
            return;
        }
        self.tick_us = Some(now_us);
        self.capacity.probe(std::mem::take(&mut self.are_clients_waiting), elapsed_us);
        self.submitters.forget_before(now_us.saturating_sub(SEEN_US));
        let duties = std::mem::take(&mut self.duty_items);
        self.duties_per_s = follow(self.duties_per_s, per_second(duties, elapsed_us), elapsed_us);
        let grantable = self.capacity.grantable(self.left_items);
        self.divided = grantable.saturating_sub(self.duties_per_s).max(1);
        let mut claims = self.claims(elapsed_us);
        self.division = divide(self.divided, &mut claims);
    }

    /// Updates the demand of each active submitter with the tries since the last tick, and returns
    /// their claims.
    fn claims(&mut self, elapsed_us: u64) -> Vec<Claim> {
        let floor = self.floor_level();
        let mut active = std::mem::take(&mut self.submitters.active);
        let mut claims = Vec::with_capacity(active.len());
        active.retain(|place| {
            let entry = self.submitters.get_mut(*place);
            let tries = per_second(std::mem::take(&mut entry.tried_items), elapsed_us);
            entry.tries_per_s = follow(entry.tries_per_s, tries, elapsed_us);
            if entry.tries_per_s == 0 {
                (entry.is_active, entry.demand, entry.backlog_items) = (false, 0, 0);
                return false;
            }
            // A declared backlog counts for half of what was really tried: a lie gains no more.
            let believed = entry.tries_per_s / 2 + floor.saturating_mul(entry.weight.into());
            entry.demand = entry.tries_per_s.saturating_add(entry.backlog_items.min(believed));
            claims.push(Claim { demand: entry.demand, weight: entry.weight });
            true
        });
        self.submitters.active = active;
        claims
    }

    /// Returns a submitter's share, in items a second: that at which it is charged.
    pub fn share(&self, submitter: ParticipantId) -> u64 {
        match self.submitters.find(submitter) {
            Some(place) => self.rate(self.submitters.get(place)),
            None => self.rate_of(0, self.weights.of(submitter)),
        }
    }

    /// Returns the share of a submitter of the standard weight that was not seen lately.
    pub fn share_of_others(&self) -> u64 {
        self.rate_of(0, crate::weights::WEIGHT_STANDARD)
    }

    fn rate(&self, submitter: &Submitter) -> u64 {
        self.rate_of(submitter.demand, submitter.weight)
    }

    /// The rate at which a batch is charged. While all that is asked for fits, what is left is
    /// anybody's at once: a large batch after a pause has no debt of seconds beside an idle chain.
    fn charge_rate(&self, submitter: &Submitter) -> u64 {
        let rate = self.rate(submitter);
        match self.division {
            Division::Scarce { .. } => rate,
            Division::Plenty { spare } => rate.max(submitter.demand.saturating_add(spare)),
        }
    }

    fn rate_of(&self, demand: u64, weight: u32) -> u64 {
        let floor = self.floor_level().saturating_mul(weight.into());
        let rate = match self.division {
            Division::Scarce { level } => at_level(level, weight),
            // Nobody has less than an even part, however little it asked for lately.
            Division::Plenty { spare } => {
                let even = self.part(self.divided, weight);
                demand.saturating_add(self.part(spare, weight)).max(even)
            }
        };
        rate.max(floor).max(1)
    }

    /// The part of a weight among all that were seen lately.
    fn part(&self, items_per_s: u64, weight: u32) -> u64 {
        let weights = u128::from(self.submitters.weights.max(1));
        let part = u128::from(items_per_s) * u128::from(weight) / weights;
        u64::try_from(part).unwrap_or(u64::MAX)
    }

    /// The share as far as the demand bears it out: thousands that were idle do not fill the queue
    /// together in the moment in which they wake.
    fn allowance(&self, submitter: &Submitter, rate: u64) -> u64 {
        let floor = self.floor_level().saturating_mul(submitter.weight.into());
        let borne_out = (submitter.demand + submitter.demand / 2).saturating_add(floor);
        rate.min(borne_out)
    }

    /// Items a second for a weight of 1 that everyone seen lately may always send: together a tenth
    /// of the capacity.
    fn floor_level(&self) -> u64 {
        self.capacity.items_per_s() / TENTH / self.submitters.weights.max(1)
    }

    /// Returns true if a duty is served from the part that is set aside. One submitter alone has a
    /// quarter of it, or more by its weight, so that a flood of voids leaves room for others.
    fn has_duty_room(&self, submitter: &Submitter, now_us: u64) -> bool {
        self.duties.opens_us(TOLERANCE_US) <= now_us
            && submitter.duties.opens_us(TOLERANCE_US) <= now_us
    }

    fn duty_rate(&self, weight: u32) -> u64 {
        let set_aside = self.capacity.items_per_s() / TENTH;
        let by_weight = set_aside * u64::from(weight) / self.submitters.weights.max(1);
        by_weight.max(set_aside / 4)
    }

    /// Returns the items that wait.
    pub fn queue_items(&self) -> u64 {
        self.queues.iter().map(ItemQueues::items).sum()
    }

    /// Returns the items of one submitter that wait.
    pub fn queue_items_of(&self, submitter: ParticipantId) -> u64 {
        self.queues.iter().map(|queue| queue.items_of(submitter)).sum()
    }

    /// Returns how long the queue takes at the estimated capacity, in milliseconds.
    pub fn queue_ms(&self) -> u32 {
        let queue_us = cost_us(self.queue_items(), self.capacity.items_per_s());
        u32::try_from(queue_us / 1_000).unwrap_or(u32::MAX)
    }

    /// Returns the estimate of the capacity.
    pub const fn capacity(&self) -> &Capacity {
        &self.capacity
    }

    /// Returns how many submitters have an account of their own.
    pub fn submitters(&self) -> usize {
        self.submitters.len()
    }

    /// Returns the submitters with a demand, in the order of their ids, at most `lines_max`: those
    /// with the largest demand when there are more.
    pub fn active(&self, lines_max: usize) -> Vec<ParticipantId> {
        let mut active: Vec<&Submitter> = self.submitters.active().collect();
        if active.len() > lines_max {
            let by_demand = |entry: &&Submitter| (Reverse(entry.demand), entry.id);
            active.select_nth_unstable_by_key(lines_max, by_demand);
            active.truncate(lines_max);
        }
        let mut ids: Vec<ParticipantId> = active.into_iter().map(|entry| entry.id).collect();
        ids.sort_unstable();
        ids
    }

    /// Returns a submitter's weight.
    pub fn weight(&self, submitter: ParticipantId) -> u32 {
        self.weights.of(submitter)
    }

    /// Returns the first moment at which a batch of the submitter is admitted again, in
    /// microseconds; a moment that has passed when one is admitted now.
    pub fn opens_us(&self, submitter: ParticipantId) -> u64 {
        let place = self.submitters.find(submitter);
        place.map_or(0, |place| self.submitters.get(place).meter.opens_us(TOLERANCE_US))
    }
}

fn per_second(items: u64, elapsed_us: u64) -> u64 {
    items.saturating_mul(1_000_000) / elapsed_us.max(1)
}

/// Moves a smoothed rate towards a sample: up fast, down slowly, to zero in the end.
fn follow(rate: u64, sample: u64, elapsed_us: u64) -> u64 {
    let (smoothing_us, difference) = match sample > rate {
        true => (RISE_US, sample - rate),
        false => (FALL_US, rate - sample),
    };
    let part = u128::from(difference) * u128::from(elapsed_us.min(smoothing_us));
    let step = u64::try_from(part.div_ceil(u128::from(smoothing_us))).unwrap_or(u64::MAX);
    if sample > rate { rate.saturating_add(step) } else { rate - step }
}
