//! Catching up by verified blocks: a node believes a certificate and its own execution, never a
//! peer's word.
//!
//! Whom it asks is decided by what peers have delivered: each is measured, in milliseconds a block,
//! and the quickest is asked. A peer that has not answered after a while is not waited for alone:
//! a second one is asked for the same blocks. So a peer that answers late, or with little, costs a
//! node that pause once, whatever height it claims.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chain_types::{Height, TimeMs, ValidatorId};

use crate::committed::read_state;
use crate::effect::{Effect, Timer};
use crate::identity::NodeIndex;
use crate::input::SyncBlock;
use crate::past::asks_for_past;
use crate::recover::replay_block;
use crate::replica::Replica;

/// How long a validator that is one block behind waits for consensus to bring it.
const PATIENCE_MS: u64 = 300;
/// How long one peer is waited for before a second one is asked too: long enough for an honest
/// answer over a usual link, and short beside a height, which may need this validator's vote.
const SECOND_AFTER_MS: u64 = 250;
/// The time that a peer that has delivered nothing yet is taken to need, in milliseconds a block:
/// those that have shown to be quick come first.
const UNKNOWN_BLOCK_MS: u64 = 200;
/// How long two peers are waited for, at most, before the one asked first is given up for a third:
/// twice as long each time, for all links may be slow.
const REQUEST_MS: u64 = 12_000;
/// Requests under way at most.
const ASKED_MAX: usize = 2;
/// Failures beyond which a peer is not thought worse of.
const FAILURES_MAX: u32 = 8;

/// The blocks that are asked for, and of whom.
#[derive(Debug, Default)]
pub(crate) struct Sync {
    asked: Vec<Asked>,
    /// The height for which consensus is given time, and whether that time is over.
    patience: (Height, bool),
    records: BTreeMap<NodeIndex, Delivery>,
    /// How often nobody had answered in time, since somebody delivered.
    unanswered: u32,
}

/// A request under way.
#[derive(Debug, Clone, Copy)]
struct Asked {
    node: NodeIndex,
    /// The first block asked for.
    height: Height,
    /// By the node's clock.
    since: TimeMs,
}

/// The blocks that a peer has delivered, and how fast.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Delivery {
    /// How often it gave nothing, or what did not hold, since it last gave something.
    failures: u32,
    /// Milliseconds a block took, half of it the last answer; zero while nothing is known.
    block_ms: u64,
}

impl Sync {
    fn failed(&mut self, node: NodeIndex) {
        let record = self.records.entry(node).or_default();
        record.failures = (record.failures + 1).min(FAILURES_MAX);
    }

    fn delivered(&mut self, node: NodeIndex, blocks: usize, took_ms: u64) {
        let record = self.records.entry(node).or_default();
        let block_ms = (took_ms / blocks.max(1) as u64).max(1);
        record.block_ms =
            if record.block_ms == 0 { block_ms } else { record.block_ms.midpoint(block_ms) };
        record.failures = 0;
        self.unanswered = 0;
    }

    /// How long those asked are waited for before another is.
    fn patience_ms(&self) -> u64 {
        REQUEST_MS.min(SECOND_AFTER_MS << self.unanswered.min(8))
    }

    fn is_asked(&self, node: NodeIndex) -> bool {
        self.asked.iter().any(|asked| asked.node == node)
    }

    fn take_asked(&mut self, node: NodeIndex) -> Option<Asked> {
        let at = self.asked.iter().position(|asked| asked.node == node)?;
        Some(self.asked.remove(at))
    }

    /// Requests for blocks that are committed now.
    fn take_overtaken(&mut self, committed: Height) -> Vec<Asked> {
        let (overtaken, asked) =
            std::mem::take(&mut self.asked).into_iter().partition(|one| one.height <= committed);
        self.asked = asked;
        overtaken
    }
}

impl Replica {
    pub(crate) fn status(&mut self, from: NodeIndex, height: Height) {
        self.peers.insert(from, height);
        self.hear_height(from, height);
        self.forget_overtaken();
        let next = self.height();
        if height < next || !self.sync.asked.is_empty() {
            return;
        }
        // One behind is the normal state of a validator whose last precommit is on its way. That
        // it is further behind, it does not take from one peer alone.
        let patient = self.voter().is_some() && height.min(self.best_peer_height()) <= next;
        if !patient || self.sync.patience == (next, true) {
            self.ask();
        } else if self.sync.patience != (next, false) {
            self.sync.patience = (next, false);
            self.effects.push(Effect::Schedule { timer: Timer::CatchUp, after_ms: PATIENCE_MS });
        }
    }

    /// A request takes long, or patience with consensus is over.
    pub(crate) fn catch_up(&mut self) {
        self.sync.patience = (self.height(), true);
        let is_late =
            |asked: &Asked| self.now.get().saturating_sub(asked.since.get()) >= REQUEST_MS;
        if self.sync.asked.len() >= ASKED_MAX || self.sync.asked.first().is_some_and(is_late) {
            let silent = self.sync.asked.remove(0).node;
            self.give_up_on(silent);
        }
        if !self.sync.asked.is_empty() {
            self.sync.unanswered += 1;
        }
        self.ask();
    }

    /// The last connection to a peer is gone, and what it was asked with it.
    pub(crate) fn sync_lost(&mut self, node: NodeIndex) {
        if self.sync.take_asked(node).is_some() {
            self.sync.failed(node);
            self.ask();
        }
    }

    /// It said more than it gave; it is asked again once it says so anew.
    fn give_up_on(&mut self, node: NodeIndex) {
        self.sync.failed(node);
        let own = self.committed();
        self.peers.entry(node).and_modify(|height| *height = own.min(*height));
    }

    /// Asks the best of those that say they have the next block, unless it is asked already.
    fn ask(&mut self) {
        let (next, known) = (self.height(), self.best_peer_height());
        let ahead = self
            .peers
            .iter()
            .filter(|(node, height)| **height >= next && !self.sync.is_asked(**node));
        let best = ahead.min_by_key(|(node, height)| {
            let is_edge = self.validators.get(ValidatorId::new(node.get())).is_none();
            let Delivery { failures, block_ms } =
                self.sync.records.get(node).copied().unwrap_or_default();
            let block_ms = if block_ms == 0 { UNKNOWN_BLOCK_MS } else { block_ms };
            // What is claimed beyond what an honest validator says too makes nobody better.
            (failures, is_edge, block_ms, Reverse(known.min(**height)))
        });
        if let Some(from) = best.map(|(node, _)| *node) {
            self.sync.asked.push(Asked { node: from, height: next, since: self.now });
            self.effects.push(Effect::RequestBlocks { from, height: next });
        }
        self.wait_for_answers();
    }

    fn wait_for_answers(&mut self) {
        if !self.sync.asked.is_empty() {
            let after_ms = self.sync.patience_ms();
            self.effects.push(Effect::Schedule { timer: Timer::CatchUp, after_ms });
        }
    }

    /// Consensus, or another peer, has brought what was asked for: nobody is waited for. Whoever
    /// was waited for long enough to ask a second one has failed.
    fn forget_overtaken(&mut self) {
        for Asked { node, since, .. } in self.sync.take_overtaken(self.committed()) {
            if self.now.get().saturating_sub(since.get()) >= SECOND_AFTER_MS {
                self.give_up_on(node);
            }
        }
    }

    /// A peer's answer: each block is verified, executed, staged and committed in turn.
    pub(crate) fn blocks(&mut self, from: NodeIndex, blocks: Vec<SyncBlock>) {
        let asked = self.sync.take_asked(from);
        let before = self.committed();
        let (first, count) = (blocks.first().map(|one| one.block.header.height), blocks.len());
        let holds = self.take_blocks(from, blocks);
        match asked {
            Some(asked) if holds && first == Some(asked.height) => {
                let took_ms = self.now.get().saturating_sub(asked.since.get());
                self.sync.delivered(from, count, took_ms);
            }
            _ if self.committed() == before => self.give_up_on(from),
            _ => {}
        }
        self.forget_overtaken();
        if self.sync.asked.is_empty() {
            // The timer may have been that of patience with consensus: the next word sets it anew.
            self.effects.push(Effect::Cancel(Timer::CatchUp));
            if self.sync.patience == (self.height(), false) {
                self.sync.patience = (Height::default(), false);
            }
            self.ask();
        } else {
            // One request is left: a second one is asked for soon.
            self.wait_for_answers();
        }
    }

    /// Commits the blocks that follow the committed one, in order. Gives whether all of those that
    /// were looked at hold.
    fn take_blocks(&mut self, from: NodeIndex, blocks: Vec<SyncBlock>) -> bool {
        for block in blocks {
            // Consensus, or another peer, may have brought some of them meanwhile.
            if block.block.header.height <= self.committed() {
                continue;
            }
            // A version that is not known here is no fault of the peer's.
            if self.unknown_version().is_some() {
                break;
            }
            // The archive has the blocks before only after this call: it is asked for again.
            if self.has_committed && asks_for_past(&block.batches) {
                break;
            }
            if let Err(reason) = self.sync_block(block) {
                self.effects.push(Effect::Distrust { node: from, reason });
                return false;
            }
        }
        true
    }

    fn sync_block(&mut self, sync: SyncBlock) -> Result<(), String> {
        let SyncBlock { block, certificate, batches } = sync;
        let replayed = {
            let state = read_state(&self.state);
            if certificate.block != block.hash() || certificate.height != block.header.height {
                return Err("the certificate is of another block".to_owned());
            }
            certificate
                .verify(self.chain_id, &self.validators)
                .map_err(|error| format!("block {}: {error}", block.header.height))?;
            replay_block(&state, &block, &batches, &*self.archive)
                .map_err(|error| error.to_string())?
        };
        self.look_for_own_key_in(&certificate);
        let hash = self.stage(replayed, batches);
        let Some((staged, writes)) = self.candidates.decide(&hash) else {
            unreachable!("a block just staged is a candidate");
        };
        self.commit(certificate, staged, writes);
        self.brought();
        Ok(())
    }
}
