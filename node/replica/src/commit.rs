//! A decision becomes state, and the next height is paced.

use chain_state::WriteSet;
use chain_types::{BatchId, Certificate, ExecutedBlock, Height};
use consensus_core::Timeouts;
use consensus_scheduler::{CountedBatch, Origin};

use crate::checkpoint::SinceCheckpoint;
use crate::committed::read_state;
use crate::effect::{Effect, Target, Timer};
use crate::message::PeerMessage;
use crate::pace::Pace;
use crate::replica::Replica;
use crate::shares::is_full_block;
use crate::silence::Silence;

/// How old a block may be of which shares learn, in milliseconds: what came by sync says nothing of
/// the present.
const PRESENT_MS: u64 = 2_000;

impl Replica {
    /// Consensus has decided a block that this replica executed and staged.
    pub(crate) fn decided(&mut self, certificate: Certificate) {
        if certificate.height != self.height() {
            // Its block came by sync, and consensus has not been told of the next height yet.
            return;
        }
        match self.candidates.decide(&certificate.block) {
            Some((staged, writes)) => {
                self.commit(certificate, staged, writes);
                self.decided_here();
            }
            // The log led to a block whose body this disk has lost since: it comes with a relayed
            // proposal, or by sync.
            None => {
                self.effects.push(Effect::Trouble(format!(
                    "block {} was decided, and its body is no longer in the block files: it is \
                     fetched from the peers",
                    certificate.height
                )));
                self.awaited_body = Some(certificate);
            }
        }
    }

    /// Carries out a decision whose block has come since.
    pub(crate) fn try_late_decision(&mut self) {
        let is_here = |awaited: &Certificate| self.candidates.is_staged(&awaited.block);
        if self.awaited_body.as_ref().is_some_and(is_here)
            && let Some(certificate) = self.awaited_body.take()
        {
            self.decided(certificate);
        }
    }

    /// Makes a decided, staged block the head of the chain.
    pub(crate) fn commit(
        &mut self,
        certificate: Certificate,
        staged: ExecutedBlock,
        mut writes: WriteSet,
    ) {
        let records = writes.take_records();
        let running_writes = writes.running_writes();
        let account_nodes = writes.account_nodes();
        let penalty = self.parameters.proposer_penalty_heights;
        self.proposers.note(&staged.block, &self.validators, penalty);
        let height = staged.block.header.height;
        let orders = SinceCheckpoint::orders_of(&staged.outcomes);
        let expired = self.clear_pool(&staged);
        self.left_pool.extend(staged.block.batches.iter().chain(&expired));
        if !expired.is_empty() {
            self.effects.push(Effect::Dropped(expired));
        }
        let retired = self.state.apply(writes);
        self.has_committed = true;
        self.head = Some(certificate.clone());
        self.deciders = self.validators.clone();
        self.beat();
        self.follow_registry();
        self.effects.push(Effect::Commit {
            certificate,
            staged,
            records,
            writes: running_writes,
            account_nodes,
            retired,
        });
        self.effects.push(Effect::PruneLog(height));
        self.checkpoint_is_due |= self.since_checkpoint.note_block(height, orders);
        self.begin_waiting(height);
    }

    /// Takes a block's batches out of the pool, and those whose time is over, which it returns. The
    /// shares learn from the block, unless it is one of long ago.
    fn clear_pool(&mut self, staged: &ExecutedBlock) -> Vec<BatchId> {
        let time = staged.block.header.time;
        let is_present = time.plus(PRESENT_MS) >= self.now;
        let (pool, parameters) = (&mut self.pool, &self.parameters);
        self.shares.with(self.now, |scheduler, now_us| {
            let mut items = 0;
            for batch in &staged.batches {
                items += u64::from(batch.count());
                let was_here = pool.remove(&batch.id(), scheduler).is_some();
                if !was_here && is_present {
                    // Nobody announced it to this node.
                    scheduler.charge(CountedBatch::of(batch), Origin::Peer, now_us);
                }
            }
            if is_present {
                let is_full = is_full_block(parameters, staged.batches.len(), items);
                scheduler.record_block(items, is_full, now_us);
            }
            pool.expire(time, scheduler)
        })
    }

    /// Takes over what governance changed for the next height.
    fn follow_registry(&mut self) {
        if let Some(Silence::Forgot { newcomer, .. }) = &mut self.silence {
            newcomer.committed(&self.validators);
        }
        if let Err(fault) = self.resolve_identity() {
            let trouble =
                format!("this node is registered as a validator and cannot vote: {fault}");
            self.effects.push(Effect::Trouble(trouble));
        }
        let state = read_state(&self.state);
        if *state.parameters() != self.parameters {
            self.parameters = state.parameters().clone();
            self.consensus.set_timeouts(Timeouts::from(&self.parameters));
        }
        if *state.validators() != self.validators {
            self.validators = state.validators().clone();
        }
    }

    pub(crate) fn checkpoint(&mut self) {
        let height = self.committed();
        let Some(snapshot) = self.state.snapshot() else {
            self.effects.push(Effect::CheckpointLeftOut(height));
            self.since_checkpoint.was_left_out();
            return;
        };
        let proposers = self.proposers.clone();
        self.effects.push(Effect::Checkpoint { height, snapshot, proposers });
    }

    /// Tells every peer how far this node is, now and again after a while of silence.
    pub(crate) fn say_status(&mut self) {
        let message = PeerMessage::Status { height: self.committed() };
        self.effects.push(Effect::Send { to: Target::All, message });
        self.ask_to_speak(Target::Validators);
        let after_ms = self.parameters.heartbeat_ms;
        self.effects.push(Effect::Schedule { timer: Timer::Status, after_ms });
    }

    /// Between two heights: tells the peers, and waits for work or for the heartbeat.
    fn begin_waiting(&mut self, committed: Height) {
        self.candidates.clear();
        self.awaited_body = None;
        // The interval's timer was set when the committed height began; none is running if that
        // was elsewhere (the block came by sync).
        let next = committed.next();
        let is_timed = self.pace.started;
        let Pace { interval_passed, open_for, .. } = std::mem::take(&mut self.pace);
        self.pace = Pace {
            interval_passed: if is_timed { interval_passed } else { next },
            open_for: if is_timed { open_for } else { next },
            ..Pace::default()
        };
        let validators = self.validators.clone();
        self.consensus.expect_height(next, &validators);
        self.look_at_early();
        self.effects.push(Effect::CancelConsensusTimers);
        self.effects.push(Effect::Cancel(Timer::Fetch(committed)));
        self.effects.push(Effect::Cancel(Timer::Judge(committed)));
        self.effects.push(Effect::Cancel(Timer::Heartbeat(committed)));
        if self.voter().is_some() {
            let after_ms = self.parameters.heartbeat_ms;
            self.effects.push(Effect::Schedule { timer: Timer::Heartbeat(next), after_ms });
        }
        self.say_status();
    }
}
