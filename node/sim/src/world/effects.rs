//! Feeds replicas and carries out what they ask for, in the order of `node/runtime`.

use chain_types::{BatchId, ExecutedBlock, ValidatorId};
use consensus_core::Message;
use node_replica::{Checkpoint, Effect, Input, PeerMessage, Timer, WaitingBatches, read_state};
use rand::Rng as _;

use super::{Event, World};
use crate::checks::has_returns;

/// The longest that writing a checkpoint takes.
const CHECKPOINT_MS_MAX: u64 = 200;

impl World {
    /// Feeds a node that is not busy, which is busy for a while then.
    pub(super) fn feed(&mut self, node: u32, input: Input) -> Result<(), String> {
        let now = self.clock(node);
        let is_honest = self.is_honest(node);
        let is_sync = matches!(input, Input::Blocks { .. });
        let mut cost_us = if is_honest { self.costs.of_input(&input) } else { 0 };
        let slot = &mut self.nodes[node as usize];
        let Some(replica) = slot.replica.as_mut() else { return Ok(()) };
        let effects = replica.handle(now, input);
        if !is_sync && works_on_after_commit(&effects) {
            return Err(format!("node {node} kept a decided block back for the work after it"));
        }
        if !shows_what_waits(&replica.waiting_batches(), &effects) {
            return Err(format!("node {node} shows its readers other batches than those it holds"));
        }
        if is_honest {
            cost_us += self.costs.of_effects(&effects);
        }
        slot.busy_until_us = self.now_us + cost_us;
        let life = slot.life;
        self.at(self.now_us + cost_us, Event::Work { node, life });
        for effect in effects {
            if let Effect::Commit { staged, .. } = &effect {
                let count = u64::from(is_sync && has_returns(&staged.batches));
                self.observer.seen.synced_returns += count;
            }
            if let Some((left, away_ms)) = self.nodes[node as usize].doom.as_mut() {
                if *left == 0 {
                    let away_ms = *away_ms;
                    self.crash(node, away_ms);
                    return Ok(());
                }
                *left -= 1;
            }
            self.carry_out(node, cost_us, effect)?;
        }
        Ok(())
    }

    fn carry_out(&mut self, node: u32, lag_us: u64, effect: Effect) -> Result<(), String> {
        let slot = &mut self.nodes[node as usize];
        let disk = &mut slot.folder.disk;
        match effect {
            Effect::Send { to, message } => {
                disk.write_log();
                self.check_sent(node, &message)?;
                self.send(node, lag_us, to, &message);
            }
            Effect::SendBatch(batch) => {
                let place = slot.place;
                for validator in self.validators(node).as_slice() {
                    if validator.id.get() != place {
                        self.utter(node, lag_us, validator.id.get(), Input::Batch(batch.clone()));
                    }
                }
            }
            Effect::Stage(staged) => disk.stage(staged),
            Effect::Persist { height, entry } => disk.persist(height, entry),
            Effect::Guard(bytes) => {
                disk.write_guard(bytes);
                slot.folder.copied = false;
            }
            Effect::PruneLog(below) => disk.prune_log(below),
            Effect::Schedule { timer, after_ms } => self.schedule(node, lag_us, timer, after_ms),
            Effect::Cancel(timer) => drop(slot.timers.remove(&timer)),
            Effect::CancelConsensusTimers => {
                slot.timers.retain(|timer, _| !matches!(timer, Timer::Consensus(_)));
            }
            Effect::RequestBatches { from, ids } => self.request_batches(node, from.get(), ids),
            Effect::RequestBlocks { from, height } => self.request_blocks(node, from.get(), height),
            Effect::Batches { token, batches, .. } => {
                if let Some(asker) = self.askers.remove(&token) {
                    let there = self.nodes[asker as usize].place;
                    for batch in batches {
                        self.utter(node, lag_us, there, Input::Batch(batch));
                    }
                }
            }
            Effect::Commit { certificate, staged, records, retired, .. } => {
                slot.folder.shelf.keep(&staged, &records, &retired);
                disk.commit(certificate, &staged);
                if self.is_honest(node) {
                    self.committed(node, &staged)?;
                }
            }
            Effect::Checkpoint { height, snapshot, proposers } => {
                let bytes =
                    Checkpoint::pieces_of(snapshot.into_pieces(), &proposers).flatten().collect();
                self.write_checkpoint(node, (height, bytes));
            }
            Effect::Submitted { token, result } => {
                if let Some((id, items)) = self.submitting.remove(&token)
                    && result.is_ok()
                {
                    self.figures.submitted(id, items, self.now_us / 1_000);
                }
            }
            Effect::Dropped(_) | Effect::CheckpointLeftOut(_) => {}
            complaint => self.complain(node, complaint)?,
        }
        Ok(())
    }

    fn schedule(&mut self, node: u32, lag_us: u64, timer: Timer, after_ms: u64) {
        self.number += 1;
        let number = self.number;
        let slot = &mut self.nodes[node as usize];
        slot.timers.insert(timer, number);
        let life = slot.life;
        let at_us = self.now_us + lag_us + after_ms * 1_000;
        self.at(at_us, Event::Timer { node, life, timer, number });
    }

    fn request_batches(&mut self, node: u32, to: u32, ids: Vec<chain_types::BatchId>) {
        let place = self.nodes[node as usize].place;
        let now_ms = self.now_ms();
        if let Some(delay_ms) = self.network.delay_ms((place, to), now_ms, &mut self.random) {
            let event = Event::BatchesWanted { node: to, asker: node, ids };
            self.after_ms(delay_ms, event);
        }
    }

    fn write_checkpoint(&mut self, node: u32, checkpoint: (chain_types::Height, Vec<u8>)) {
        let after_ms = self.random.random_range(1..=CHECKPOINT_MS_MAX);
        let slot = &mut self.nodes[node as usize];
        if slot.writing.is_some() {
            if let Some(replica) = slot.replica.as_mut() {
                replica.checkpoint_left_out();
            }
            return;
        }
        slot.folder.disk.sync();
        slot.writing = Some(checkpoint);
        let life = slot.life;
        self.after_ms(after_ms, Event::CheckpointWritten { node, life });
    }

    /// Notes what an honest node says of others: only a hostile one may be named.
    fn complain(&mut self, node: u32, complaint: Effect) -> Result<(), String> {
        if !self.is_honest(node) {
            return Ok(());
        }
        match complaint {
            Effect::Evidence(evidence) => {
                let named = evidence.validator();
                if self.is_honest(named.get()) {
                    return Err(format!("honest validator {named} accused: {evidence:?}"));
                }
                *self.named.evidence.entry(named.get()).or_default() += 1;
            }
            Effect::Distrust { node: peer, reason } => {
                let peer = peer.get();
                if self.is_honest(peer) {
                    return Err(format!("node {node} distrusts honest node {peer}: {reason}"));
                }
                *self.named.distrusted.entry(peer).or_default() += 1;
            }
            Effect::Trouble(trouble) if self.is_troubled(node) => {
                self.named.troubles.push((node, trouble));
            }
            other => return Err(format!("node {node}: {other:?}")),
        }
        Ok(())
    }

    /// A node has committed a block.
    fn committed(&mut self, node: u32, staged: &ExecutedBlock) -> Result<(), String> {
        let header = &staged.block.header;
        // Blocks that came by sync are applied several at once: the last one shows in the state.
        let digest = {
            let state = read_state(&self.nodes[node as usize].state);
            let last = state.height() == header.height;
            if last { state.digest() } else { header.state_digest }
        };
        let new = header.height > self.agreement.head();
        self.agreement.committed(node, &staged.block, digest)?;
        self.note("commit", &header.hash().digest().bytes());
        let now_ms = self.now_ms();
        self.figures.committed(node, header.height, self.agreement.head(), now_ms);
        if new {
            for evidence in &staged.block.evidence {
                let named = evidence.validator();
                if self.is_honest(named.get()) {
                    return Err(format!("block {} names honest validator {named}", header.height));
                }
                *self.named.caught.entry(named.get()).or_default() += 1;
            }
            let is_honest = self.is_honest(header.proposer.get());
            self.figures.decided(is_honest, &staged.block.batches, now_ms);
            for (batch, outcomes) in staged.batches.iter().zip(&staged.outcomes) {
                self.books.read(batch, outcomes)?;
            }
            self.audit.read(staged)?;
            let kept = self.nodes[node as usize].folder.disk.blocks.last().cloned();
            if let Some(kept) = kept {
                self.inform_villains(&kept);
            }
            let state = read_state(&self.nodes[node as usize].state);
            self.audit.compare(&state)?;
            self.clients.read(staged, &state);
            self.observer.read(staged, &state);
        }
        Ok(())
    }

    /// A message is about to leave a node.
    fn check_sent(&mut self, node: u32, message: &PeerMessage) -> Result<(), String> {
        if !self.is_honest(node) {
            return Ok(());
        }
        match message {
            PeerMessage::Consensus(message) => {
                self.votes.sent(message)?;
                self.newcomers.sent(message);
                let is_of_added =
                    message.sender() == Some(ValidatorId::new(self.shape.genesis_nodes()));
                self.observer.seen.votes_of_added += u64::from(is_of_added);
            }
            PeerMessage::Proposal { proposal, .. } => {
                self.votes.sent(&Message::Proposal(*proposal))?;
            }
            PeerMessage::Votes(votes) => {
                for signed in votes {
                    self.votes.sent(&Message::Vote(*signed))?;
                }
            }
            PeerMessage::Ask { .. } => *self.figures.asks.entry(node).or_default() += 1,
            PeerMessage::Status { .. } | PeerMessage::Heard { .. } => {}
        }
        Ok(())
    }
}

/// Returns whether readers see the batches that a replica holds after an input: they are admitted
/// before anybody is told so, and gone once their block is decided.
fn shows_what_waits(waiting: &WaitingBatches, effects: &[Effect]) -> bool {
    let is_dropped = |id: &BatchId| {
        effects.iter().any(|effect| matches!(effect, Effect::Dropped(ids) if ids.contains(id)))
    };
    effects.iter().all(|effect| match effect {
        Effect::SendBatch(batch) => waiting.contains(&batch.id()) || is_dropped(&batch.id()),
        Effect::Batches { batches, missing, .. } => {
            batches.iter().all(|batch| waiting.contains(&batch.id()) || is_dropped(&batch.id()))
                && !missing.iter().any(|id| waiting.contains(id))
        }
        Effect::Commit { staged, .. } => {
            !staged.block.batches.iter().any(|id| waiting.contains(id))
        }
        _ => true,
    })
}

/// Returns true if a block was executed, or the state copied, between a decision and its becoming
/// known.
fn works_on_after_commit(effects: &[Effect]) -> bool {
    let is_commit = |effect: &Effect| matches!(effect, Effect::Commit { .. });
    let is_work = |effect: &Effect| matches!(effect, Effect::Stage(_) | Effect::Checkpoint { .. });
    effects.iter().skip_while(|effect| !is_commit(effect)).any(is_work)
}
