//! A decision becomes state, and the next height is paced.

use chain_state::WriteSet;
use chain_types::{Certificate, Height};
use consensus_core::Timeouts;

use crate::checkpoint::SinceCheckpoint;
use crate::committed::read_state;
use crate::effect::{Effect, StagedBlock, Target, Timer};
use crate::message::PeerMessage;
use crate::replica::{Pace, Replica};

impl Replica {
    /// Consensus has decided a block that this replica executed and staged.
    pub(crate) fn decided(&mut self, certificate: Certificate) {
        if certificate.height != self.height() {
            // Its block came by sync, and consensus has not been told of the next height yet.
            return;
        }
        let decided = self.candidates.decide(&certificate.block);
        let Some((staged, writes)) = decided else {
            // Malachite decides only a value that we said is valid, and those we keep.
            unreachable!("decided block {} was never executed here", certificate.block);
        };
        self.commit(certificate, staged, writes);
    }

    /// Makes a decided, staged block the head of the chain.
    pub(crate) fn commit(
        &mut self,
        certificate: Certificate,
        staged: StagedBlock,
        writes: WriteSet,
    ) {
        let records = writes.records().to_vec();
        let running_writes = writes.running_writes();
        let penalty = self.parameters.proposer_penalty_heights;
        self.proposers.note(&staged.block, &self.validators, penalty);
        let height = staged.block.header.height;
        let time = staged.block.header.time;
        let orders = SinceCheckpoint::orders_of(&staged.outcomes);
        for id in &staged.block.batches {
            self.pool.remove(id);
        }
        let expired = self.pool.expire(time);
        if !expired.is_empty() {
            self.effects.push(Effect::Dropped(expired));
        }
        let retired = self.state.apply(writes);
        self.has_committed = true;
        self.follow_registry();
        let writes = running_writes;
        self.effects.push(Effect::Commit { certificate, staged, records, writes, retired });
        self.effects.push(Effect::PruneLog(height));
        self.checkpoint_is_due |= self.since_checkpoint.is_due_after(height, orders);
        self.begin_waiting(height);
    }

    /// Takes over what governance changed for the next height.
    fn follow_registry(&mut self) {
        if let Some(newcomer) = &mut self.newcomer {
            newcomer.committed(&self.validators);
        }
        if let Err(fault) = self.find_itself() {
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
        let (height, snapshot) = {
            let state = read_state(&self.state);
            (state.height(), state.snapshot())
        };
        let proposers = self.proposers.clone();
        self.effects.push(Effect::Checkpoint { height, snapshot, proposers });
    }

    /// Tells every peer how far this node is, now and again after a while of silence.
    pub(crate) fn say_status(&mut self) {
        let message = PeerMessage::Status { height: self.committed() };
        self.effects.push(Effect::Send { to: Target::All, message });
        let after_ms = self.parameters.heartbeat_ms;
        self.effects.push(Effect::Schedule { timer: Timer::Status, after_ms });
    }

    /// Between two heights: tells the peers, and waits for work or for the heartbeat.
    fn begin_waiting(&mut self, committed: Height) {
        self.candidates.clear();
        // The interval's timer was set when the committed height began; none is running if that
        // was elsewhere (the block came by sync).
        let next = committed.next();
        let interval_passed = if self.pace.started { self.pace.interval_passed } else { next };
        self.pace = Pace { interval_passed, ..Pace::default() };
        self.effects.push(Effect::CancelConsensusTimers);
        self.effects.push(Effect::Cancel(Timer::Fetch(committed)));
        self.effects.push(Effect::Cancel(Timer::Heartbeat(committed)));
        if self.voter().is_some() {
            let after_ms = self.parameters.heartbeat_ms;
            self.effects.push(Effect::Schedule { timer: Timer::Heartbeat(next), after_ms });
        }
        self.say_status();
    }
}
