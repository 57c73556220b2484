//! Consensus asks, the replica acts: building blocks, sending votes, and carrying a decision on.

use std::collections::VecDeque;

use chain_types::{BatchId, ExecutedBlock, Height, Round, TimeMs, VerifiedBatch, VoteStep};
use consensus_core::{
    Effect as ConsensusEffect, Input as ConsensusInput, Message, SignedVote, Timeout,
};
use consensus_mempool::Room;
use contracts::{BlockContext, Executed};

use crate::committed::read_state;
use crate::effect::{Effect, Target, Timer};
use crate::identity::NodeIndex;
use crate::message::PeerMessage;
use crate::past::Past;
use crate::replica::Replica;

/// How long a proposer that is not connected is waited for: a connection that broke may be back
/// meanwhile, and a dead validator's turn costs hardly more than its empty round.
pub(crate) const ABSENT_MS: u64 = 20;

impl Replica {
    /// Feeds consensus and carries out what it asks for, until it asks for nothing more.
    pub(crate) fn drive(&mut self, mut inputs: VecDeque<ConsensusInput>) {
        while let Some(input) = inputs.pop_front() {
            for effect in self.consensus.handle(input) {
                self.handle_effect(effect, &mut inputs);
            }
        }
        self.effects.extend(self.consensus.take_troubles().into_iter().map(Effect::Trouble));
    }

    pub(crate) fn handle_effect(
        &mut self,
        effect: ConsensusEffect,
        inputs: &mut VecDeque<ConsensusInput>,
    ) {
        match effect {
            ConsensusEffect::Persist(entry) => {
                // Consensus may still run for a height whose block came by sync.
                let height = self.consensus.height().unwrap_or(self.height());
                self.effects.push(Effect::Persist { height, entry });
            }
            ConsensusEffect::Guard(bytes) => {
                self.has_signed = true;
                self.effects.push(Effect::Guard(bytes));
            }
            ConsensusEffect::Send(message) => self.send_consensus(message),
            ConsensusEffect::GetBlock { height, round } => {
                if let Some(block) = self.build(height, round) {
                    inputs.push_back(ConsensusInput::Propose { height, round, block });
                }
            }
            // A proposal of this node's own is sent with its block by itself.
            ConsensusEffect::Restream { round, block, .. } => self.show_proposal(round, &block),
            ConsensusEffect::Relay(votes) => self.relay(votes),
            ConsensusEffect::Schedule { timeout, after_ms } => {
                let hopeless = self.awaits_an_absent_proposer() == Some(timeout);
                let after_ms = if hopeless { after_ms.min(ABSENT_MS) } else { after_ms };
                self.effects.push(Effect::Schedule { timer: Timer::Consensus(timeout), after_ms });
            }
            ConsensusEffect::Cancel(timeout) => {
                self.effects.push(Effect::Cancel(Timer::Consensus(timeout)));
            }
            ConsensusEffect::CancelAll => self.effects.push(Effect::CancelConsensusTimers),
            ConsensusEffect::Decided { certificate } => {
                // Whatever else was asked of this height is moot.
                inputs.clear();
                self.decided(certificate);
            }
            ConsensusEffect::Evidence(evidence) => {
                self.evidence.note(&evidence);
                self.effects.push(Effect::Evidence(Box::new(evidence)));
            }
        }
    }

    /// The timeout of the wait for a proposal, if it is the turn of a validator that is not
    /// connected: proposals come straight from their proposers.
    pub(crate) fn awaits_an_absent_proposer(&self) -> Option<Timeout> {
        let (timeout, proposer) = self.consensus.awaited_proposer()?;
        let is_here = self.voter() == Some(proposer)
            || self.peers.contains_key(&NodeIndex::new(proposer.get()));
        (!is_here).then_some(timeout)
    }

    fn send_consensus(&mut self, message: Message) {
        let message = match message {
            Message::Proposal(proposal) => {
                if self.candidates.is_staged(&proposal.proposal.block) {
                    self.candidates.slots.insert(proposal, true);
                    self.send_proposal(proposal);
                }
                return;
            }
            // A vote found in the log may outlive its block; it rests on nothing then.
            Message::Vote(SignedVote { vote, .. })
                if vote.step == VoteStep::Precommit
                    && vote.block.is_some_and(|block| !self.candidates.is_staged(&block)) =>
            {
                return;
            }
            other => PeerMessage::Consensus(other),
        };
        self.effects.push(Effect::Send { to: Target::Validators, message });
    }

    /// Says again what others have said of the running height.
    fn relay(&mut self, votes: Vec<SignedVote>) {
        if !votes.is_empty() {
            let message = PeerMessage::Votes(votes);
            self.effects.push(Effect::Send { to: Target::Validators, message });
        }
        self.relay_proposals();
    }

    /// Builds, executes and stages a block of what waits.
    fn build(&mut self, height: Height, round: Round) -> Option<chain_types::BlockHash> {
        let proposer = self.voter()?;
        if height != self.height() {
            return None;
        }
        let batches = self.proposable();
        let evidence = self.proposable_evidence();
        let (executed, parent_time) = {
            let state = read_state(&self.state);
            let time = self.now.max(state.time().plus(1));
            let parent_round = self.parent_round();
            let context = BlockContext { height, round, parent_round, proposer, time };
            let past = Past { state: &state, archive: &*self.archive };
            (contracts::execute(&state, &context, &batches, &evidence, &past), state.time())
        };
        match executed {
            Ok(executed) => Some(self.stage(executed, batches)),
            Err(error) => {
                // The pool holds only what may be proposed; nothing else enters this call.
                assert!(batches.is_empty(), "own proposal refused after {parent_time}: {error}");
                None
            }
        }
    }

    /// Returns the waiting batches that may stand in the next block.
    fn proposable(&mut self) -> Vec<VerifiedBatch> {
        let room = Room {
            batches_max: self.parameters.block_batches_max as usize,
            items_max: self.parameters.block_items_max as usize,
            // The archive has the block before only after this call.
            returns_max: if self.has_committed { 0 } else { self.parameters.block_returns_max },
        };
        let time = self.next_block_time();
        loop {
            let batches =
                self.shares.with(self.now, |scheduler, _| self.pool.propose(&room, scheduler));
            let state = read_state(&self.state);
            let stale: Vec<BatchId> = batches
                .iter()
                .filter(|batch| contracts::admit(&state, batch, time).is_err())
                .map(VerifiedBatch::id)
                .collect();
            drop(state);
            if stale.is_empty() {
                return batches;
            }
            self.shares.with(self.now, |scheduler, _| {
                stale.iter().for_each(|id| drop(self.pool.remove(id, scheduler)));
            });
            self.left_pool.extend(&stale);
            self.effects.push(Effect::Dropped(stale));
        }
    }

    fn next_block_time(&self) -> TimeMs {
        self.now.max(read_state(&self.state).time().plus(1))
    }

    /// Keeps an executed block as a candidate and asks for it to be put on disk.
    pub(crate) fn stage(
        &mut self,
        executed: Executed,
        batches: Vec<VerifiedBatch>,
    ) -> chain_types::BlockHash {
        let Executed { block, outcomes, writes } = executed;
        let hash = block.hash();
        let staged = ExecutedBlock { block, batches, outcomes };
        self.effects.push(Effect::Stage(staged.clone()));
        self.candidates.executed(hash, staged, writes);
        hash
    }
}
