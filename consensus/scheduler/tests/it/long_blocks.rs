//! Too much offered by paced clients to a node whose blocks take as long as their work and are
//! never full: the machine is the bound, and only the time that blocks take says so.

use std::collections::BTreeMap;

use chain_types::{BatchId, TimeMs};
use consensus_scheduler::{
    Admission, BatchAttempt, CountedBatch, Origin, PaceStep, PacedQueue, Pacer, RetryAt, Scheduler,
    ServiceClass, Settings, Ticket,
};

use crate::support::{BEGIN_US, attempt, id, party};

/// Items a second that the node works through.
const WORKED: u64 = 94_000;
const BLOCK_ITEMS_MAX: u64 = 65_536;
/// The time between two looks, in microseconds.
const STEP_US: u64 = 2_000;
const SURGE_US: u64 = 6_000_000;
/// When calm clients stop, after the surge.
const END_US: u64 = 8_000_000;
/// The first estimate is twice too high. What comes before this moment says only that.
const LEARNED_US: u64 = 2_000_000;
const VALID_MS: u64 = 3_000;

struct Client {
    submitter: u32,
    batch_items: u32,
    per_s: u64,
    is_calm: bool,
    queue: PacedQueue,
    offered: u64,
    /// When each batch was offered whose fate is not known.
    open: BTreeMap<Ticket, u64>,
}

struct Waiting {
    client: usize,
    ticket: Ticket,
    admitted_us: u64,
    valid_until: TimeMs,
}

#[derive(Default, Debug)]
struct Seen {
    settled: u64,
    expired: u64,
    refused: u64,
    admitted_us: Vec<u64>,
    calm: (u64, u64),
    got: BTreeMap<u32, u64>,
}

struct World {
    /// The time that a block takes besides its work, in microseconds.
    fixed_us: u64,
    scheduler: Scheduler,
    clients: Vec<Client>,
    waiting: BTreeMap<BatchId, Waiting>,
    deciding: Option<(Vec<BatchId>, u64, u64)>,
    begun_us: u64,
    number: u64,
    seen: Seen,
}

impl World {
    fn new(fixed_us: u64, times: u64) -> Self {
        let settings =
            Settings { capacity_items_per_s: 200_000, settle_ms: 0, ..Settings::default() };
        let client = |submitter: u32, batch_items: u32, per_s: u64, is_calm: bool| Client {
            submitter,
            batch_items,
            per_s,
            is_calm,
            queue: PacedQueue::new(Pacer::new(1, 250, u64::from(submitter)), 256),
            offered: 0,
            open: BTreeMap::new(),
        };
        let each = WORKED * times / 12;
        let mut clients = vec![client(1, 1, 500, false), client(2, 8_192, each, false)];
        for number in 3..=12 {
            let items = [64, 256, 1_024, 4_096][number as usize % 4];
            clients.push(client(number, items, each, false));
        }
        clients.extend((13..=16).map(|number| client(number, 32, WORKED / 16 / 4, true)));
        Self {
            fixed_us,
            scheduler: Scheduler::new(settings),
            clients,
            waiting: BTreeMap::new(),
            deciding: None,
            begun_us: 0,
            number: 0,
            seen: Seen::default(),
        }
    }

    fn offer(&mut self, at_us: u64) {
        let now_us = BEGIN_US + at_us;
        for client in &mut self.clients {
            let until_us = if client.is_calm { END_US } else { SURGE_US };
            let due = client.per_s * at_us.min(until_us) / 1_000_000;
            while client.offered + u64::from(client.batch_items) <= due {
                client.offered += u64::from(client.batch_items);
                let valid_until = TimeMs::new(now_us / 1_000 + VALID_MS);
                let items = client.batch_items.into();
                let ticket = client.queue.offer(items, valid_until, now_us);
                client.open.insert(ticket, now_us);
                if client.is_calm && at_us >= LEARNED_US {
                    self.seen.calm.1 += u64::from(client.batch_items);
                }
            }
        }
    }

    fn send(&mut self, now_us: u64) {
        for at in 0..self.clients.len() {
            let client = &mut self.clients[at];
            loop {
                let (ticket, declared) = match client.queue.next(now_us) {
                    PaceStep::Send { ticket, declared, .. } => (ticket, declared),
                    PaceStep::GiveUp { ticket } => {
                        client.open.remove(&ticket);
                        self.seen.refused += u64::from(client.batch_items);
                        continue;
                    }
                    PaceStep::Wait { .. } | PaceStep::Idle => break,
                };
                let valid_until = TimeMs::new(client.open[&ticket] / 1_000 + VALID_MS);
                let offer = BatchAttempt {
                    valid_until,
                    backlog_items: declared.backlog_items,
                    ahead_items: declared.ahead_items,
                    is_retry: declared.is_retry,
                    ..attempt(client.submitter, client.batch_items)
                };
                match self.scheduler.consider(&offer, now_us) {
                    Admission::Admit => {
                        self.number += 1;
                        let batch = CountedBatch {
                            id: id(self.number),
                            submitter: party(client.submitter),
                            class: ServiceClass::Order,
                            items: client.batch_items,
                        };
                        assert!(self.scheduler.enter(batch, Origin::Client, now_us));
                        client.queue.record_taken(ticket);
                        let waiting =
                            Waiting { client: at, ticket, admitted_us: now_us, valid_until };
                        self.waiting.insert(batch.id, waiting);
                    }
                    Admission::Refuse { retry: RetryAt::At(retry_at), .. } => {
                        client.queue.record_refusal(ticket, retry_at, now_us);
                    }
                    Admission::Refuse { retry: RetryAt::Never, .. } => {
                        client.queue.forget(ticket);
                        client.open.remove(&ticket);
                        self.seen.refused += u64::from(client.batch_items);
                    }
                }
            }
        }
    }

    fn decide(&mut self, now_us: u64) {
        if let Some((batches, items, _)) = self.deciding.take_if(|(_, _, until)| *until <= now_us) {
            for batch in batches {
                self.settle(batch, now_us);
            }
            let is_full = items + 8_192 > BLOCK_ITEMS_MAX;
            self.scheduler.record_block(items, is_full, now_us);
        }
        self.scheduler.tick(now_us);
        let is_due = now_us >= self.begun_us + 100_000 && self.scheduler.queue_items() > 0;
        if self.deciding.is_none() && is_due {
            let batches = self.scheduler.take(BLOCK_ITEMS_MAX, 4_096, 0);
            let count = |id: &BatchId| self.clients[self.waiting[id].client].batch_items;
            let items: u64 = batches.iter().map(|id| u64::from(count(id))).sum();
            self.deciding =
                Some((batches, items, now_us + self.fixed_us + items * 1_000_000 / WORKED));
            self.begun_us = now_us;
        }
    }

    fn settle(&mut self, batch: BatchId, now_us: u64) {
        let Waiting { client, ticket, admitted_us, valid_until } =
            self.waiting.remove(&batch).unwrap();
        let client = &mut self.clients[client];
        let (who, items) = (party(client.submitter), u64::from(client.batch_items));
        assert!(self.scheduler.remove(&batch, who, ServiceClass::Order));
        client.queue.forget(ticket);
        let offered_us = client.open.remove(&ticket).unwrap();
        if self.begun_us / 1_000 > valid_until.get() {
            self.seen.expired += items;
            return;
        }
        let is_learned = offered_us >= BEGIN_US + LEARNED_US;
        if now_us <= BEGIN_US + SURGE_US {
            self.seen.settled += items;
            if now_us >= BEGIN_US + LEARNED_US && !client.is_calm {
                *self.seen.got.entry(client.submitter).or_default() += items;
            }
        }
        if is_learned {
            self.seen.admitted_us.push(now_us - admitted_us);
        }
        if is_learned && client.is_calm && now_us - offered_us <= 1_000_000 {
            self.seen.calm.0 += items;
        }
    }

    fn run(mut self) -> Seen {
        for at_us in (0..END_US + 4_000_000).step_by(STEP_US as usize) {
            let now_us = BEGIN_US + at_us;
            if at_us % 200_000 == 0 {
                let queue_ms = self.scheduler.queue_ms();
                for client in &mut self.clients {
                    let share = self.scheduler.share(party(client.submitter));
                    client.queue.hear(0, queue_ms, share, now_us);
                }
            }
            self.offer(at_us);
            self.send(now_us);
            self.decide(now_us);
        }
        self.seen.admitted_us.sort_unstable();
        self.seen
    }
}

#[test]
fn the_time_of_blocks_that_are_never_full_shows_the_capacity() {
    for fixed_us in [10_000, 60_000] {
        for times in [2, 5, 10] {
            let seen = World::new(fixed_us, times).run();
            let p99_ms = seen.admitted_us[seen.admitted_us.len() * 99 / 100] / 1_000;
            // What the same node carries with blocks of a quarter of a second.
            let carried = WORKED * (250_000 - fixed_us) / 250_000 * SURGE_US / 1_000_000;
            let goodput = seen.settled * 100 / carried;
            let calm = seen.calm.0 * 10_000 / seen.calm.1;
            let case = format!(
                "fixed {fixed_us} us, {times} times: goodput {goodput} %, p99 {p99_ms} ms, calm \
                 {calm} of 10,000, expired {}, refused {}, {:?}",
                seen.expired, seen.refused, seen.got
            );
            println!("{case}");
            assert!(goodput >= 85 && calm >= 9_990 && p99_ms <= 800, "{case}");
            let crowd: Vec<u64> = (2..=12).map(|number| seen.got[&number]).collect();
            let (sum, squares) =
                crowd.iter().fold((0, 0), |(sum, squares), got| (sum + got, squares + got * got));
            assert!(sum * sum * 100 >= 95 * squares * crowd.len() as u64, "{case}");
        }
    }
}
