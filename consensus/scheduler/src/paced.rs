//! The batches of one submitter from the moment in which they are offered: held back in order,
//! several on their way together, given up only while no node can have taken them.
//!
//! A batch whose call ended without an answer may be in a pool or a block. It is sent again, the
//! same bytes, and never given up here: only the chain says what became of it.

use std::collections::{BTreeMap, VecDeque};

use chain_types::TimeMs;

use crate::pacing::{Pacer, SendPlan, StatedShare};

/// The time between two looks for what has become too late, in microseconds.
const LOOK_US: u64 = 100_000;
/// The most items on their way while no node has stated a share: one of the largest batches.
const UNSTATED_ITEMS_MAX: u64 = 8_192;
/// When a batch whose node could not be reached is sent again, in microseconds.
const AGAIN_US: u64 = 200_000;

/// A batch in a [`PacedQueue`], in the order in which they were offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// The words of a client to a node beside a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeclaredLoad {
    /// Items that wait with the client, behind this batch or before it.
    pub backlog_items: u64,
    /// Items of refused batches that it will send before this one, should it be refused too.
    pub ahead_items: u64,
    /// True if a node refused the batch before.
    pub is_retry: bool,
}

/// The end of a call that was not answered with an outcome or a refusal for a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallEnd {
    /// The node may have taken the batch: its answer did not come.
    Open,
    /// The node has not taken it.
    NotTaken,
}

/// The next thing to do for a submitter's batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaceStep {
    /// Send the batch's bytes to the node of this index.
    Send {
        /// The batch that is meant.
        ticket: Ticket,
        /// The index of the node.
        node: usize,
        /// The words to say beside the batch.
        declared: DeclaredLoad,
    },
    /// The batch cannot be final before its valid-until time and no node has it. It is forgotten
    /// here: tell its user.
    GiveUp {
        /// The batch that is meant.
        ticket: Ticket,
    },
    /// Nothing before this moment, unless an answer, an outlook or a batch comes.
    Wait {
        /// The moment, in microseconds, later than now.
        until_us: u64,
    },
    /// Nothing until an answer or a batch comes.
    Idle,
}

#[derive(Debug, Clone, Copy)]
struct OneBatch {
    items: u64,
    valid_until: TimeMs,
    not_before_us: u64,
    was_refused: bool,
    /// A node holds it, or an earlier call ended without an answer.
    is_open: bool,
}

/// The batches of one submitter.
#[derive(Debug, Clone)]
pub struct PacedQueue {
    pacer: Pacer,
    held: BTreeMap<Ticket, OneBatch>,
    held_items: u64,
    away: BTreeMap<Ticket, OneBatch>,
    away_items: u64,
    away_max: usize,
    late: VecDeque<Ticket>,
    offered: u64,
    looked_us: u64,
}

impl PacedQueue {
    /// A queue without batches that keeps to a pacer's pace, with at most `away_max` batches on
    /// their way, at least one.
    pub fn new(pacer: Pacer, away_max: usize) -> Self {
        Self {
            pacer,
            held: BTreeMap::new(),
            held_items: 0,
            away: BTreeMap::new(),
            away_items: 0,
            away_max: away_max.max(1),
            late: VecDeque::new(),
            offered: 0,
            looked_us: 0,
        }
    }

    /// Takes a batch. One that would be late even at a share a little smaller is given up in the
    /// next step.
    pub fn offer(&mut self, items: u64, valid_until: TimeMs, now_us: u64) -> Ticket {
        let ticket = Ticket(self.offered);
        self.offered += 1;
        if self.pacer.accepts(items, self.held_items, valid_until, now_us) {
            let (not_before_us, was_refused, is_open) = (0, false, false);
            self.hold(ticket, OneBatch { items, valid_until, not_before_us, was_refused, is_open });
        } else {
            self.late.push_back(ticket);
        }
        ticket
    }

    /// Decides what to do next. The caller does it, and asks again.
    pub fn next(&mut self, now_us: u64) -> PaceStep {
        self.look_for_late(now_us);
        if let Some(ticket) = self.late.pop_front() {
            return PaceStep::GiveUp { ticket };
        }
        let look_us = self.looked_us.saturating_add(LOOK_US);
        let mut ready = self.held.iter().filter(|(_, batch)| batch.not_before_us <= now_us);
        let Some((ticket, batch)) = ready.next().map(|(ticket, batch)| (*ticket, *batch)) else {
            let first_us = self.held.values().map(|batch| batch.not_before_us).min();
            return first_us.map_or(PaceStep::Idle, |first_us| PaceStep::Wait {
                until_us: first_us.min(look_us),
            });
        };
        if self.away.len() >= self.away_max || !self.may_send_unstated(batch.items) {
            return PaceStep::Wait { until_us: look_us };
        }
        let plan = match batch.is_open {
            true => self.pacer.plan_again(now_us),
            false => self.pacer.plan(batch.items, 0, batch.valid_until, now_us),
        };
        match plan {
            SendPlan::Wait { until_us } => PaceStep::Wait { until_us: until_us.min(look_us) },
            SendPlan::Never => {
                self.unhold(ticket);
                PaceStep::GiveUp { ticket }
            }
            SendPlan::Now { node } => self.send(ticket, batch, node, now_us),
        }
    }

    /// Returns true if items may be sent: all that is held, only once a share was stated.
    fn may_send_unstated(&self, items: u64) -> bool {
        let together = self.away_items.saturating_add(items);
        self.pacer.stated().is_some() || self.away.is_empty() || together <= UNSTATED_ITEMS_MAX
    }

    fn send(&mut self, ticket: Ticket, batch: OneBatch, node: usize, now_us: u64) -> PaceStep {
        self.unhold(ticket);
        self.pacer.record_sent(batch.items, now_us);
        let before = self.held.range(..ticket).filter(|(_, other)| other.was_refused);
        let declared = DeclaredLoad {
            backlog_items: self.held_items,
            ahead_items: before.map(|(_, other)| other.items).fold(0, u64::saturating_add),
            is_retry: batch.was_refused,
        };
        self.away_items = self.away_items.saturating_add(batch.items);
        self.away.insert(ticket, batch);
        PaceStep::Send { ticket, node, declared }
    }

    /// Gives up what the present share does not carry in time: shares change.
    fn look_for_late(&mut self, now_us: u64) {
        if now_us < self.looked_us.saturating_add(LOOK_US) {
            return;
        }
        self.looked_us = now_us;
        let mut ahead_items = 0_u64;
        for (ticket, batch) in &self.held {
            let OneBatch { items, valid_until, is_open, .. } = *batch;
            if !is_open && self.pacer.is_late(items, ahead_items, valid_until, now_us) {
                self.late.push_back(*ticket);
            } else {
                ahead_items = ahead_items.saturating_add(items);
            }
        }
        for at in 0..self.late.len() {
            self.unhold(self.late[at]);
        }
    }

    /// Records that a node refused a batch for its submitter's share until a moment. Nothing is
    /// sent to any node before it, and the batch keeps its place before those that came later.
    pub fn record_refusal(&mut self, ticket: Ticket, retry_at: TimeMs, now_us: u64) {
        self.pacer.record_refusal(retry_at, now_us);
        if let Some(batch) = self.return_from_away(ticket) {
            self.hold(ticket, OneBatch { was_refused: true, ..batch });
        }
    }

    /// Records that a call ended without an outcome: the node could not be reached, was not ready,
    /// or said nothing in time. The same bytes are sent again, to another node if there is one.
    pub fn record_unanswered(&mut self, ticket: Ticket, node: usize, end: CallEnd, now_us: u64) {
        self.pacer.record_unreachable(node, now_us);
        if let Some(batch) = self.return_from_away(ticket) {
            let is_open = batch.is_open || end == CallEnd::Open;
            let not_before_us = now_us.saturating_add(AGAIN_US);
            self.hold(ticket, OneBatch { is_open, not_before_us, ..batch });
        }
    }

    /// Records that a node holds a batch and has not said its outcome yet: it may become final.
    pub fn record_taken(&mut self, ticket: Ticket) {
        if let Some(batch) = self.away.get_mut(&ticket) {
            batch.is_open = true;
        }
    }

    /// Forgets a batch whose fate is known, or that is waited for no longer.
    pub fn forget(&mut self, ticket: Ticket) {
        self.return_from_away(ticket);
        self.unhold(ticket);
        self.late.retain(|late| *late != ticket);
    }

    /// Returns true if a node may have a batch: one holds it, or a call about it ended without an
    /// answer.
    pub fn is_open(&self, ticket: Ticket) -> bool {
        let batch = self.held.get(&ticket).or_else(|| self.away.get(&ticket));
        batch.is_some_and(|batch| batch.is_open)
    }

    /// Learns from a verified table, as [`Pacer::hear`].
    pub fn hear(&mut self, node: usize, queue_ms: u32, share_items_per_s: u64, now_us: u64) {
        self.pacer.hear(node, queue_ms, share_items_per_s, now_us);
    }

    /// Returns the share that is kept to; `None` until a node has stated one.
    pub const fn stated(&self) -> Option<StatedShare> {
        self.pacer.stated()
    }

    /// Returns the items that are held back.
    pub const fn held_items(&self) -> u64 {
        self.held_items
    }

    /// Returns the number of batches that are held back or on their way.
    pub fn batches(&self) -> usize {
        self.held.len() + self.away.len()
    }

    fn hold(&mut self, ticket: Ticket, batch: OneBatch) {
        self.held_items = self.held_items.saturating_add(batch.items);
        self.held.insert(ticket, batch);
    }

    fn return_from_away(&mut self, ticket: Ticket) -> Option<OneBatch> {
        let batch = self.away.remove(&ticket)?;
        self.away_items = self.away_items.saturating_sub(batch.items);
        Some(batch)
    }

    fn unhold(&mut self, ticket: Ticket) {
        if let Some(batch) = self.held.remove(&ticket) {
            self.held_items = self.held_items.saturating_sub(batch.items);
        }
    }
}
