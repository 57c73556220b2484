//! The run: steps of 5 ms in which orders arrive, calls are answered and blocks are made.

use std::collections::VecDeque;

use super::clients::{Client, Reply};
use super::policies::{Policy, Said};
use super::report::Report;
use super::{
    BLOCK_US, CALM_AGAIN_US, CAPACITY, Crowd, Draws, END_US, Manner, SETTLE_US, START_US, STEP_US,
    SURGE_US, VALID_US,
};

/// The cost of one call beside its items, in items.
const CALL_COST: u64 = 2;

/// The end of a batch, as far as it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Open,
    /// It may be settled in time, but the network knows it.
    Admitted {
        at_us: u64,
    },
    Final {
        admitted_us: u64,
        at_us: u64,
    },
    /// Its client knows for certain that it never will be settled.
    Refused {
        at_us: u64,
    },
}

#[derive(Debug, Clone, Copy)]
pub struct Batch {
    pub client: usize,
    pub items: u64,
    pub created_us: u64,
    pub fate: Fate,
    /// The first time to retry that was stated, and when.
    pub promise: Option<(u64, u64)>,
}

impl Batch {
    pub const fn valid_until_us(&self) -> u64 {
        self.created_us + VALID_US
    }
}

pub struct World<'a> {
    pub crowd: &'a Crowd,
    pub batches: Vec<Batch>,
    clients: Vec<Client>,
    /// Calls that were sent, in order of arrival.
    calls: VecDeque<usize>,
    /// Work that can still be done in this step, and what blocks can use, in quarters of an item.
    time_left: u64,
    execution: u64,
    final_at: VecDeque<(u64, usize)>,
}

/// Simulates a crowd under a policy.
pub fn run(crowd: &Crowd, policy: &mut dyn Policy) -> Report {
    let mut draws = Draws::new(crowd.seed ^ 0xC0FF_EE00);
    let manner = policy.clients();
    let clients =
        crowd.profiles.iter().map(|profile| Client::new(*profile, manner, draws.word())).collect();
    let mut world = World {
        crowd,
        batches: Vec::new(),
        clients,
        calls: VecDeque::new(),
        time_left: 0,
        execution: 0,
        final_at: VecDeque::new(),
    };
    policy.begin(crowd);
    let mut now_us = START_US;
    while now_us < END_US {
        world.step(policy, now_us);
        now_us += STEP_US;
    }
    Report::of(&world)
}

impl World<'_> {
    fn step(&mut self, policy: &mut dyn Policy, now_us: u64) {
        let is_slow =
            (SURGE_US..CALM_AGAIN_US).contains(&now_us) && (now_us / 1_000_000).is_multiple_of(3);
        let percent = if is_slow { self.crowd.slow_percent } else { 100 };
        // In quarters of an item.
        let time = 4 * CAPACITY * STEP_US / 1_000_000 * percent / 100;
        self.time_left = (self.time_left + time).min(2 * time);
        for client in 0..self.clients.len() {
            self.clients[client].create(client, &mut self.batches, now_us);
        }
        policy.tick(now_us);
        for client in 0..self.clients.len() {
            if let Some((queue_ms, share)) = policy.outlook(client, now_us) {
                self.clients[client].hear(queue_ms, share, now_us);
            }
            self.clients[client].send(&mut self.batches, &mut self.calls, now_us);
        }
        self.answer(policy, now_us);
        let most = 4 * CAPACITY * BLOCK_US / 1_000_000;
        self.execution = (self.execution + std::mem::take(&mut self.time_left)).min(most);
        if now_us.is_multiple_of(BLOCK_US) {
            self.make_block(policy, now_us);
        }
        while self.final_at.front().is_some_and(|(at_us, _)| *at_us <= now_us) {
            let Some((at_us, batch)) = self.final_at.pop_front() else { break };
            if let Fate::Admitted { at_us: admitted_us } = self.batches[batch].fate {
                self.batches[batch].fate = Fate::Final { admitted_us, at_us };
            }
        }
    }

    /// Answers calls with up to nine tenths of the time.
    fn answer(&mut self, policy: &mut dyn Policy, now_us: u64) {
        let kept_back = self.time_left / 10;
        let mut unread = Vec::new();
        while self.time_left > kept_back {
            let Some(call) = self.calls.pop_front() else { break };
            let batch = self.batches[call];
            if !policy.charge_read(batch.client, now_us) {
                unread.push(call);
                continue;
            }
            let client = &mut self.clients[batch.client];
            let said = Said {
                backlog_items: client.backlog_items(),
                ahead_items: client.ahead_items(),
                is_retry: client.is_retry(call),
            };
            let reply = policy.admit(call, &batch, said, now_us);
            let work = match reply {
                Reply::Admitted => batch.items,
                _ => batch.items * policy.refusal_percent() / 100,
            };
            self.time_left = self.time_left.saturating_sub(4 * CALL_COST + work);
            match reply {
                Reply::Admitted => self.batches[call].fate = Fate::Admitted { at_us: now_us },
                Reply::Never => self.batches[call].fate = Fate::Refused { at_us: now_us },
                Reply::Later { at_us } => {
                    let promise = &mut self.batches[call].promise;
                    *promise = promise.or(at_us.map(|at_us| (now_us, at_us)));
                }
            }
            client.hear_reply(call, reply, now_us);
        }
        for call in unread.into_iter().rev() {
            self.calls.push_front(call);
        }
    }

    fn make_block(&mut self, policy: &mut dyn Policy, now_us: u64) {
        let taken = policy.take(self.execution / 3, now_us);
        let mut items = 0;
        for batch in taken {
            self.execution = self.execution.saturating_sub(3 * self.batches[batch].items);
            // A batch whose time is over when it would be final is not settled.
            if self.batches[batch].valid_until_us() > now_us + SETTLE_US {
                self.final_at.push_back((now_us + SETTLE_US, batch));
            }
            items += self.batches[batch].items;
        }
        policy.record_block(items, now_us);
    }

    /// Returns true for submitters of a manner.
    pub fn is(&self, batch: &Batch, manner: Manner) -> bool {
        self.crowd.profiles[batch.client].manner == manner
    }
}
