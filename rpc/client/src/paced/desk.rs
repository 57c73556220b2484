//! What a client that paces itself decides: when which bytes go to which node, whom to ask for an
//! outlook, and when a fate is certain. No socket and no clock: time arrives as an argument, in
//! microseconds since the Unix epoch.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chain_types::{ChainId, ParticipantId, Rejection, TimeMs};
use consensus_scheduler::pacing::HEARD_US;
use consensus_scheduler::{CallEnd, DeclaredLoad, PaceStep, PacedQueue, Pacer, Ticket};
use rpc_api::{ApiError, BatchReport, BatchState, OutlookReport};

use super::fate::{BatchFate, BatchTold, BatchTrail, DefiniteRefusal};
use super::heard::{HeardOutlook, HeardOutlooks, OutlookKeys};
use crate::client::CallError;

/// When a batch that was refused without a usable time is sent again, in milliseconds.
const RETRY_MS: u64 = 250;
/// A time to retry is right if the true one is no further from it than this, in percent of it.
const RIGHT_PERCENT: u64 = 20;

/// How a client paces itself.
#[derive(Debug, Clone, Copy)]
pub struct PaceSettings {
    /// The usual time from a block's proposal until it is final, in milliseconds.
    pub settle_ms: u64,
    /// The most batches on their way at a time.
    pub away_max: usize,
    /// The time between two questions for an outlook while batches wait, in milliseconds; the nodes
    /// are asked in turn.
    pub ask_every_ms: u64,
    /// How long after its valid-until time the fate of a batch is asked for, in milliseconds.
    pub patience_ms: u64,
    /// The seed of the choice of nodes.
    pub seed: u64,
}

impl Default for PaceSettings {
    fn default() -> Self {
        Self { settle_ms: 250, away_max: 64, ask_every_ms: 200, patience_ms: 10_000, seed: 1 }
    }
}

/// The next thing to do for a desk.
#[derive(Debug)]
pub enum DeskAct {
    /// Send the batch's bytes to a node, and wait there until it is final.
    Send {
        /// The batch that is meant.
        ticket: Ticket,
        /// The index of the node.
        node: usize,
        /// The words to say beside the batch.
        declared: DeclaredLoad,
    },
    /// Ask a node for its outlook.
    Ask {
        /// The index of the node.
        node: usize,
    },
    /// Tell the batch's user; the batch is forgotten here.
    Tell {
        /// The batch that is meant.
        ticket: Ticket,
        /// The fate of the batch, and its way.
        told: BatchTold,
    },
    /// Nothing before this moment, unless an answer or a batch comes.
    Wait {
        /// The moment, in microseconds.
        until_us: u64,
    },
}

/// A batch whose fate is not told yet.
#[derive(Debug)]
struct DeskBatch {
    valid_until: TimeMs,
    patience_us: u64,
    trail: BatchTrail,
    /// When the last refusal was told, and the wait that it stated, in microseconds.
    promise: Option<(u64, u64)>,
    last: String,
}

/// A refusal that waits for the signed word on which it rests.
#[derive(Debug)]
struct Ending {
    ticket: Ticket,
    code: i32,
    reason: String,
    /// The node that refused; `None` if the client gave the batch up by the share that it keeps to.
    node: Option<usize>,
}

/// The deciding half of a client that paces itself, for one submitter.
#[derive(Debug)]
pub struct PaceDesk {
    settings: PaceSettings,
    queue: PacedQueue,
    heard: HeardOutlooks,
    batches: BTreeMap<Ticket, DeskBatch>,
    /// When to stop asking for each batch.
    patience: BTreeSet<(u64, Ticket)>,
    endings: Vec<Ending>,
    /// An outlook or an ending came since the endings were looked at.
    has_news: bool,
    again: VecDeque<(Ticket, usize)>,
    told: VecDeque<(Ticket, BatchTold)>,
    asking: Vec<bool>,
    ask_us: u64,
    asked: usize,
    refuted: u64,
}

impl PaceDesk {
    /// A desk of one submitter over `nodes` nodes, at least one.
    pub fn new(
        chain_id: ChainId,
        submitter: ParticipantId,
        keys: OutlookKeys,
        nodes: usize,
        settings: PaceSettings,
    ) -> Self {
        let nodes = nodes.max(1);
        let pacer = Pacer::new(nodes, settings.settle_ms, settings.seed);
        Self {
            settings,
            queue: PacedQueue::new(pacer, settings.away_max),
            heard: HeardOutlooks::new(chain_id, submitter, keys, nodes),
            batches: BTreeMap::new(),
            patience: BTreeSet::new(),
            endings: Vec::new(),
            has_news: false,
            again: VecDeque::new(),
            told: VecDeque::new(),
            asking: vec![false; nodes],
            ask_us: 0,
            asked: 0,
            refuted: 0,
        }
    }

    /// Takes a batch of `items`.
    pub fn offer(&mut self, items: u64, valid_until: TimeMs, now_us: u64) -> Ticket {
        let ticket = self.queue.offer(items, valid_until, now_us);
        let patience_ms = valid_until.get().saturating_add(self.settings.patience_ms);
        let patience_us = patience_ms.saturating_mul(1_000);
        let trail = BatchTrail { offered_us: now_us, ..BatchTrail::default() };
        let last = "no node was asked yet".to_owned();
        let batch = DeskBatch { valid_until, patience_us, trail, promise: None, last };
        self.batches.insert(ticket, batch);
        self.patience.insert((patience_us, ticket));
        ticket
    }

    /// Returns the number of batches whose fate is not told yet.
    pub fn batches(&self) -> usize {
        self.batches.len()
    }

    /// Returns the items that are held back.
    pub const fn held_items(&self) -> u64 {
        self.queue.held_items()
    }

    /// Returns the outlooks that were believed.
    pub const fn heard(&self) -> &HeardOutlooks {
        &self.heard
    }

    /// Returns how many answers to a question for an outlook were not believed.
    pub const fn refuted(&self) -> u64 {
        self.refuted
    }

    /// Decides what is to be done next. The caller does it, and asks again.
    pub fn next(&mut self, now_us: u64) -> DeskAct {
        loop {
            self.end_what_is_certain(now_us);
            if let Some((ticket, told)) = self.told.pop_front() {
                return DeskAct::Tell { ticket, told };
            }
            if let Some((ticket, node)) = self.again.pop_front() {
                return DeskAct::Send { ticket, node, declared: DeclaredLoad::default() };
            }
            if let Some(node) = self.ask(now_us) {
                return DeskAct::Ask { node };
            }
            match self.queue.next(now_us) {
                PaceStep::Send { ticket, node, declared } => {
                    self.record_call(ticket, now_us);
                    return DeskAct::Send { ticket, node, declared };
                }
                PaceStep::GiveUp { ticket } => self.give_up(ticket, now_us),
                PaceStep::Wait { until_us } => return self.wait(until_us),
                PaceStep::Idle => return self.wait(u64::MAX),
            }
        }
    }

    fn wait(&self, until_us: u64) -> DeskAct {
        let patience_us = self.patience.first().map_or(u64::MAX, |(until_us, _)| *until_us);
        let ask_us = if self.batches.is_empty() { u64::MAX } else { self.ask_us };
        DeskAct::Wait { until_us: until_us.min(patience_us).min(ask_us) }
    }

    /// Chooses whom to ask for an outlook, each in turn, while there are batches.
    fn ask(&mut self, now_us: u64) -> Option<usize> {
        if self.batches.is_empty() || now_us < self.ask_us {
            return None;
        }
        self.ask_us = now_us.saturating_add(self.settings.ask_every_ms.max(1) * 1_000);
        let nodes = self.asking.len();
        let mut in_turn = (self.asked..self.asked + nodes).map(|at| at % nodes);
        let node = in_turn.find(|node| !self.asking[*node])?;
        (self.asked, self.asking[node]) = (node + 1, true);
        Some(node)
    }

    /// Records the answer to a question for an outlook. One that is not believed changes nothing.
    pub fn record_outlook(
        &mut self,
        node: usize,
        answer: Result<OutlookReport, CallError>,
        now_us: u64,
    ) {
        if let Some(asking) = self.asking.get_mut(node) {
            *asking = false;
        }
        let Ok(report) = answer else { return };
        match self.heard.hear(node, report, now_us) {
            Ok(heard) => {
                let (queue_ms, share) = (heard.head.queue_ms, heard.share_items_per_s());
                self.queue.hear(node, queue_ms, share, now_us);
                self.has_news = true;
            }
            Err(fault) => {
                self.refuted += 1;
                tracing::debug!(node, %fault, "refused an outlook");
            }
        }
    }

    /// Records the answer to a batch that was sent.
    pub fn record_answer(
        &mut self,
        ticket: Ticket,
        node: usize,
        answer: Result<BatchReport, CallError>,
        now_us: u64,
    ) {
        let Some(batch) = self.batches.get_mut(&ticket) else { return };
        match answer {
            Ok(report) if report.state == BatchState::Final => {
                batch.keep_promise();
                self.tell(ticket, BatchFate::Final(Box::new(report)), now_us);
            }
            Ok(report) => {
                batch.last = format!("{:?}", report.state);
                self.queue.record_unanswered(ticket, node, CallEnd::Open, now_us);
            }
            Err(error) => {
                batch.last = error.to_string();
                self.record_error(ticket, node, &error, now_us);
            }
        }
    }

    fn record_error(&mut self, ticket: Ticket, node: usize, error: &CallError, now_us: u64) {
        let CallError::Refused { code, transient, retry_after_ms, message, .. } = error else {
            return self.queue.record_unanswered(ticket, node, CallEnd::Open, now_us);
        };
        if *code == ApiError::WaitTimeout.code() {
            // The node holds it: wait on there.
            self.queue.record_taken(ticket);
            return self.again.push_back((ticket, node));
        }
        if *code == i32::from(Rejection::PoolFull.code()) {
            return match retry_after_ms.filter(|_| *transient) {
                Some(after_ms) => self.record_refusal(ticket, after_ms, now_us),
                None if self.queue.is_open(ticket) => self.record_refusal(ticket, RETRY_MS, now_us),
                None => self.end(ticket, *code, message.clone(), Some(node)),
            };
        }
        if *transient || !error.is_refusal() {
            let end = if error.is_refusal() { CallEnd::NotTaken } else { CallEnd::Open };
            return self.queue.record_unanswered(ticket, node, end, now_us);
        }
        // What a node may have is refused only once no block can hold it any more.
        if self.queue.is_open(ticket) && !self.is_past(ticket, node) {
            return self.queue.record_unanswered(ticket, node, CallEnd::Open, now_us);
        }
        self.end(ticket, *code, message.clone(), Some(node));
    }

    /// Returns true if a node had signed, before a batch was sent to it for the last time, that the
    /// chain is past the batch's valid-until time: its refusal then stands.
    fn is_past(&self, ticket: Ticket, node: usize) -> bool {
        let (Some(batch), Some(heard)) = (self.batches.get(&ticket), self.heard.last(node)) else {
            return false;
        };
        heard.heard_us <= batch.trail.sent_us && heard.head.block_time > batch.valid_until
    }

    fn record_refusal(&mut self, ticket: Ticket, after_ms: u64, now_us: u64) {
        let retry_at = TimeMs::new((now_us / 1_000).saturating_add(after_ms));
        self.queue.record_refusal(ticket, retry_at, now_us);
        if let Some(batch) = self.batches.get_mut(&ticket) {
            batch.trail.refusals += 1;
            batch.judge_promise(now_us, after_ms.saturating_mul(1_000));
        }
    }

    fn record_call(&mut self, ticket: Ticket, now_us: u64) {
        if let Some(batch) = self.batches.get_mut(&ticket) {
            batch.trail.calls += 1;
            batch.trail.sent_us = now_us;
        }
    }

    /// A batch that no node has cannot be final in time.
    fn give_up(&mut self, ticket: Ticket, now_us: u64) {
        let share = self.queue.stated().filter(|stated| is_recent(stated.heard_us, now_us));
        let (rejection, reason) = match share {
            Some(stated) => (
                Rejection::PoolFull,
                format!(
                    "with what is before it, it cannot be final before its valid-until time at the \
                     submitter's share of {} items a second",
                    stated.items_per_s
                ),
            ),
            None => (
                Rejection::BatchExpired,
                "its valid-until time is over, or too near for a block".to_owned(),
            ),
        };
        self.end(ticket, i32::from(rejection.code()), reason, None);
    }

    fn end(&mut self, ticket: Ticket, code: i32, reason: String, node: Option<usize>) {
        self.queue.forget(ticket);
        self.endings.push(Ending { ticket, code, reason, node });
        self.has_news = true;
    }

    /// Tells the refusals for which there is a signed word, and what nobody could say in time.
    fn end_what_is_certain(&mut self, now_us: u64) {
        if std::mem::take(&mut self.has_news) {
            for ending in std::mem::take(&mut self.endings) {
                let Some(outlook) = self.word_for(&ending, now_us).cloned() else {
                    self.endings.push(ending);
                    continue;
                };
                let Ending { ticket, code, reason, .. } = ending;
                let until = self.batches.get(&ticket).map(|batch| batch.valid_until);
                let until = until.unwrap_or_default();
                let refusal = DefiniteRefusal { code, reason, until, outlook };
                self.tell(ticket, BatchFate::Refused(Box::new(refusal)), now_us);
            }
        }
        while let Some((patience_us, ticket)) = self.patience.first().copied() {
            if patience_us > now_us {
                return;
            }
            self.patience.remove(&(patience_us, ticket));
            self.endings.retain(|ending| ending.ticket != ticket);
            let last = self.batches.get(&ticket).map(|batch| batch.last.clone());
            let last = last.unwrap_or_default();
            self.tell(ticket, BatchFate::Unresolved { last }, now_us);
        }
    }

    /// The signed word on which a refusal rests: of the node that refused, or that stated the share
    /// by which the client gave the batch up.
    fn word_for(&self, ending: &Ending, now_us: u64) -> Option<&HeardOutlook> {
        let stated = || Some(self.queue.stated()?.node);
        let word = match ending.node.or_else(stated) {
            Some(node) => self.heard.last(node),
            None => self.heard.newest(),
        };
        // The middle share may be a word of just before the last one.
        word.filter(|word| is_recent(word.heard_us.saturating_add(HEARD_US), now_us))
    }

    fn tell(&mut self, ticket: Ticket, fate: BatchFate, now_us: u64) {
        self.queue.forget(ticket);
        if let Some(batch) = self.batches.remove(&ticket) {
            self.patience.remove(&(batch.patience_us, ticket));
            let trail = BatchTrail { told_us: now_us, ..batch.trail };
            self.told.push_back((ticket, BatchTold { fate, trail }));
        }
    }
}

impl DeskBatch {
    /// Holds the time to retry that was stated before against another refusal.
    fn judge_promise(&mut self, now_us: u64, wait_us: u64) {
        if let Some((told_us, stated_us)) = self.promise.replace((now_us, wait_us)) {
            let true_us = now_us.saturating_add(wait_us).saturating_sub(told_us);
            let wrong_us = true_us.abs_diff(stated_us);
            self.trail.stated += 1;
            let is_right = wrong_us.saturating_mul(100) <= stated_us.saturating_mul(RIGHT_PERCENT);
            self.trail.kept += u32::from(is_right);
        }
    }

    /// The batch was admitted when it came again: the time that was stated was right.
    fn keep_promise(&mut self) {
        if self.promise.take().is_some() {
            self.trail.stated += 1;
            self.trail.kept += 1;
        }
    }
}

/// Returns true if a word that was heard then still counts.
fn is_recent(heard_us: u64, now_us: u64) -> bool {
    heard_us.saturating_add(HEARD_US) >= now_us
}
