//! The clients: when each sends, and what it does when it is refused.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use chain_types::TimeMs;
use consensus_scheduler::{Pacer, SendPlan};

use super::world::{Batch, Fate};
use super::{Draws, Manner, Profile, START_US, STEP_US};

/// Calls of one client that may be on their way together.
const WINDOW: usize = 256;
const ROGUE_WINDOW: usize = 64;
/// When a rogue sends everything again, in microseconds.
const ROGUE_US: u64 = 20_000;
/// The constant that nodes state today, in microseconds.
const STATED_US: u64 = 250_000;
/// How many times the accepted calls a throttled client makes.
const THROTTLE: u64 = 2;

/// The answer to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    Admitted,
    /// Refused for now, with the time to retry if one is known.
    Later {
        at_us: Option<u64>,
    },
    Never,
}

/// The way in which clients try again under a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// Again after the constant that is stated.
    Constant,
    /// Again after a time that doubles.
    Exponential,
    /// Again after a time that doubles, and fewer calls while few are accepted (SRE book).
    Throttled,
    /// At the pace of the published share.
    Paced,
}

pub struct Client {
    profile: Profile,
    habit: Habit,
    draws: Draws,
    /// Items that are not a whole batch yet, in millionths.
    part: u64,
    /// Batches that are to be sent, by their time, with how often they were refused.
    due: BinaryHeap<Reverse<(u64, usize, u32)>>,
    /// Paced clients hold their batches back in order.
    held: VecDeque<usize>,
    held_items: u64,
    /// Items of the held batches that were refused since their client last sent them.
    refused_items: u64,
    in_flight: Vec<(usize, u32)>,
    asked: u64,
    accepted: u64,
    aged_us: u64,
    pacer: Pacer,
    checked_us: u64,
}

impl Client {
    pub fn new(profile: Profile, habit: Habit, seed: u64) -> Self {
        let mut draws = Draws::new(seed);
        Self {
            part: draws.below(profile.batch_items.max(1)) * 1_000_000,
            pacer: Pacer::new(4, 250, draws.word()),
            profile,
            habit,
            draws,
            due: BinaryHeap::new(),
            held: VecDeque::new(),
            held_items: 0,
            refused_items: 0,
            in_flight: Vec::new(),
            asked: 0,
            accepted: 0,
            aged_us: START_US,
            checked_us: START_US,
        }
    }

    fn is_rogue(&self) -> bool {
        self.profile.manner == Manner::Rogue
    }

    fn is_paced(&self) -> bool {
        self.habit == Habit::Paced && !self.is_rogue()
    }

    /// Makes batches of the items that arrived in this step.
    pub fn create(&mut self, client: usize, batches: &mut Vec<Batch>, now_us: u64) {
        self.part += self.profile.rate(now_us) * STEP_US;
        let whole = self.profile.batch_items * 1_000_000;
        while self.part >= whole {
            self.part -= whole;
            let (items, number) = (self.profile.batch_items, batches.len());
            let fate = Fate::Open;
            batches.push(Batch { client, items, created_us: now_us, fate, promise: None });
            if self.is_paced() {
                self.hold(number, batches, now_us);
            } else {
                self.due.push(Reverse((now_us, number, 0)));
            }
        }
    }

    /// A paced client holds a batch back, or says at once that it will never be settled.
    fn hold(&mut self, number: usize, batches: &mut [Batch], now_us: u64) {
        let batch = &mut batches[number];
        let valid_until = TimeMs::new(batch.valid_until_us() / 1_000);
        if self.pacer.accepts(batch.items, self.held_items, valid_until, now_us) {
            self.held.push_back(number);
            self.held_items += batch.items;
        } else {
            batch.fate = Fate::Refused { at_us: now_us };
        }
    }

    pub fn hear(&mut self, queue_ms: u32, share: u64, now_us: u64) {
        for node in 0..4 {
            self.pacer.hear(node, queue_ms, share, now_us);
        }
    }

    /// Sends what is due.
    pub fn send(&mut self, batches: &mut [Batch], calls: &mut VecDeque<usize>, now_us: u64) {
        if self.is_paced() {
            return self.send_paced(batches, calls, now_us);
        }
        let window = if self.is_rogue() { ROGUE_WINDOW } else { WINDOW };
        while self.in_flight.len() < window {
            let Some(Reverse((at_us, number, refused))) = self.due.peek().copied() else { return };
            if at_us > now_us {
                return;
            }
            self.due.pop();
            if batches[number].valid_until_us() <= now_us {
                continue;
            }
            if self.habit == Habit::Throttled && !self.is_rogue() && self.throttle(now_us) {
                let at_us = now_us + self.backoff_us(refused);
                self.due.push(Reverse((at_us, number, refused + 1)));
                continue;
            }
            self.in_flight.push((number, refused));
            calls.push_back(number);
        }
    }

    fn send_paced(&mut self, batches: &mut [Batch], calls: &mut VecDeque<usize>, now_us: u64) {
        if now_us >= self.checked_us + 100_000 {
            self.checked_us = now_us;
            self.give_up_what_is_late(batches, now_us);
        }
        while self.in_flight.len() < WINDOW {
            let Some(number) = self.held.front().copied() else { return };
            let batch = &mut batches[number];
            let valid_until = TimeMs::new(batch.valid_until_us() / 1_000);
            match self.pacer.plan(batch.items, 0, valid_until, now_us) {
                SendPlan::Wait { .. } => return,
                SendPlan::Never => batch.fate = Fate::Refused { at_us: now_us },
                SendPlan::Now { .. } => {
                    self.pacer.record_sent(batch.items, now_us);
                    self.refused_items = self.refused_items.saturating_sub(batch.items);
                    self.in_flight.push((number, u32::from(batch.promise.is_some())));
                    calls.push_back(number);
                }
            }
            self.held.pop_front();
            self.held_items -= batch.items;
        }
    }

    /// Shares change: what would be late by the present one is refused now.
    fn give_up_what_is_late(&mut self, batches: &mut [Batch], now_us: u64) {
        let mut ahead = 0;
        let held = std::mem::take(&mut self.held);
        for number in held {
            let batch = &mut batches[number];
            let valid_until = TimeMs::new(batch.valid_until_us() / 1_000);
            match self.pacer.plan(batch.items, ahead, valid_until, now_us) {
                SendPlan::Never => {
                    batch.fate = Fate::Refused { at_us: now_us };
                    self.held_items -= batch.items;
                }
                _ => {
                    ahead += batch.items;
                    self.held.push_back(number);
                }
            }
        }
    }

    pub fn backlog_items(&self) -> u64 {
        match self.is_rogue() {
            true => u64::MAX,
            false => self.held_items,
        }
    }

    pub fn ahead_items(&self) -> u64 {
        self.refused_items
    }

    pub fn is_retry(&self, call: usize) -> bool {
        !self.is_rogue() && self.in_flight.iter().any(|(other, tries)| *other == call && *tries > 0)
    }

    pub fn hear_reply(&mut self, call: usize, reply: Reply, now_us: u64) {
        let at = self.in_flight.iter().position(|(other, _)| *other == call);
        let refused = at.map_or(0, |at| self.in_flight.swap_remove(at).1);
        self.asked += 1;
        match reply {
            Reply::Admitted => self.accepted += 1,
            Reply::Never => {}
            Reply::Later { at_us } if self.is_paced() => {
                let at_us = at_us.unwrap_or(now_us + STATED_US);
                self.pacer.record_refusal(TimeMs::new(at_us.div_ceil(1_000)), now_us);
                let place = self.held.partition_point(|held| *held < call);
                self.held.insert(place, call);
                self.held_items += self.profile.batch_items;
                self.refused_items += self.profile.batch_items;
            }
            Reply::Later { .. } => {
                let wait_us = self.backoff_us(refused);
                self.due.push(Reverse((now_us + wait_us, call, refused + 1)));
            }
        }
    }

    fn backoff_us(&mut self, refused: u32) -> u64 {
        if self.is_rogue() {
            return ROGUE_US;
        }
        match self.habit {
            Habit::Constant | Habit::Paced => STATED_US,
            Habit::Exponential | Habit::Throttled => {
                let most = STATED_US << refused.min(7);
                most / 2 + self.draws.below(most)
            }
        }
    }

    /// Adaptive throttling: the chance that a call is not made is
    /// (asked - 2 accepted) / (asked + 1), over about ten seconds.
    fn throttle(&mut self, now_us: u64) -> bool {
        while self.aged_us + 1_000_000 <= now_us {
            self.aged_us += 1_000_000;
            (self.asked, self.accepted) = (self.asked * 9 / 10, self.accepted * 9 / 10);
        }
        let excess = self.asked.saturating_sub(THROTTLE * self.accepted);
        let throttle = self.draws.below(self.asked + 1) < excess;
        self.asked += u64::from(throttle);
        throttle
    }
}
