//! Catching up by verified blocks: a node believes a certificate and its own execution, never a
//! peer. One request is under way at a time; a peer that fails is passed over until it speaks
//! again, and after that it is asked last.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chain_types::Height;

use crate::committed::read_state;
use crate::effect::{Effect, Timer};
use crate::input::SyncBlock;
use crate::past::asks_for_past;
use crate::recover::replay_block;
use crate::replica::{NodeIndex, Replica};

/// How long a validator that is one block behind waits for consensus to bring it.
const PATIENCE_MS: u64 = 300;
/// How long a request for blocks may take before another peer is asked.
const REQUEST_MS: u64 = 12_000;

/// What is asked for.
#[derive(Debug, Default)]
pub(crate) struct Sync {
    asked: Option<NodeIndex>,
    /// The height for which consensus is given time, and whether that time is over.
    patience: (Height, bool),
    /// How often each node gave nothing, or what did not hold.
    failures: BTreeMap<NodeIndex, u32>,
}

impl Sync {
    fn failed(&mut self, node: NodeIndex) {
        let failures = self.failures.entry(node).or_default();
        *failures = failures.saturating_add(1);
    }

    pub(crate) fn lost(&mut self, node: NodeIndex) {
        if self.asked == Some(node) {
            self.asked = None;
        }
    }
}

impl Replica {
    pub(crate) fn status(&mut self, from: NodeIndex, height: Height) {
        self.peers.insert(from, height);
        if let Some(newcomer) = &mut self.newcomer {
            newcomer.hear(from, height);
        }
        let next = self.height();
        if height < next || self.sync.asked.is_some() {
            return;
        }
        // One behind is the normal state of a validator whose last precommit is on its way.
        let patient = self.voter().is_some() && height == next;
        if !patient || self.sync.patience == (next, true) {
            self.ask();
        } else if self.sync.patience != (next, false) {
            self.sync.patience = (next, false);
            self.effects.push(Effect::Schedule { timer: Timer::CatchUp, after_ms: PATIENCE_MS });
        }
    }

    /// A request took too long, or patience with consensus is over.
    pub(crate) fn catch_up(&mut self) {
        self.sync.patience = (self.height(), true);
        if let Some(silent) = self.sync.asked.take() {
            self.sync.failed(silent);
            self.peers.entry(silent).and_modify(|height| *height = Height::default());
        }
        self.ask();
    }

    fn ask(&mut self) {
        let next = self.height();
        let ahead = self.peers.iter().filter(|(_, height)| **height >= next);
        // Those that failed least often first, then those that say they have most.
        let failures = |node| self.sync.failures.get(node).copied().unwrap_or_default();
        let best = ahead.min_by_key(|(node, height)| (failures(node), Reverse(**height)));
        let Some((from, _)) = best else { return };
        let from = *from;
        self.sync.asked = Some(from);
        self.effects.push(Effect::RequestBlocks { from, height: next });
        self.effects.push(Effect::Schedule { timer: Timer::CatchUp, after_ms: REQUEST_MS });
    }

    /// A peer's answer: each block is verified, executed, staged and committed in turn.
    pub(crate) fn blocks(&mut self, from: NodeIndex, blocks: Vec<SyncBlock>) {
        if self.sync.asked == Some(from) {
            self.sync.asked = None;
            self.effects.push(Effect::Cancel(Timer::CatchUp));
        }
        let before = self.committed();
        for block in blocks {
            // Consensus may have brought some of them meanwhile.
            if block.block.header.height <= self.committed() {
                continue;
            }
            // A version that is not known here is no fault of the peer's.
            if self.unknown_version().is_some() {
                return;
            }
            // The archive has the blocks before only after this call: it is asked for again.
            if self.has_committed && asks_for_past(&block.batches) {
                break;
            }
            if let Err(reason) = self.sync_block(block) {
                self.effects.push(Effect::Distrust { node: from, reason });
                break;
            }
        }
        if self.committed() == before {
            // It said more than it gave; it is asked again once it says so anew.
            self.sync.failed(from);
            self.peers.entry(from).and_modify(|height| *height = before);
        }
        self.ask();
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
        let hash = self.stage(replayed, batches);
        let Some((staged, writes)) = self.candidates.decide(&hash) else {
            unreachable!("a block just staged is a candidate");
        };
        self.commit(certificate, staged, writes);
        Ok(())
    }
}
