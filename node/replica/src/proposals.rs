//! Checks of a proposal on arrival, before anything is executed or kept.
//!
//! A proposal is a signed word about a block's hash; the block travels beside it. What the hash
//! binds (the header) is the proposer's, what it does not bind by itself (batches and evidence)
//! must match the header's counts and roots, or whoever sent it has altered it. Every field of
//! the header that feeds a rule is held against the proposal: a block that is proposed for the
//! first time names this round and this proposer; one that is proposed again names the turn in
//! which it was proposed first, at the latest in the round in which a quorum prevoted it.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::block::batches_root;
use chain_types::evidence::{EVIDENCE_MAX, evidence_root};
use chain_types::{Block, BlockHash, Round, TimeMs};
use consensus_core::{Input as ConsensusInput, Message, SignedProposal};

use crate::candidates::Candidate;
use crate::committed::read_state;
use crate::effect::{Effect, Target, Timer};
use crate::identity::NodeIndex;
use crate::message::PeerMessage;
use crate::pace::EarlyProposal;
use crate::replica::Replica;

/// How far above the running round a proposal may be and still be kept. It is not executed before
/// its round runs.
const ROUNDS_AHEAD_MAX: u32 = 4;
/// Rounds of a height whose proposals are kept; the lowest goes first.
const ROUNDS_KEPT_MAX: usize = 16;
/// Proposals kept a round: an honest proposer makes one, and two of one round convict it. Should
/// the block of a third be decided, it comes by sync.
const PROPOSALS_PER_ROUND_MAX: usize = 2;
/// How long a proposal waits for batches that travel on their own, before they are asked for.
const FETCH_FIRST_MS: u64 = 40;
/// The longest pause until a block whose time has not come is looked at again.
const JUDGE_AGAIN_MS_MAX: u64 = 1_000;

/// A genuine proposal, and whether consensus knows what became of its block.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub signed: SignedProposal,
    pub is_judged: bool,
}

/// The proposals of a height, a few a round.
#[derive(Debug, Default)]
pub(crate) struct Slots(BTreeMap<Round, Vec<Slot>>);

impl Slots {
    /// Returns true if there is a place for a proposal that is not there yet.
    fn has_room(&self, signed: &SignedProposal) -> bool {
        let said = &signed.proposal;
        let of_round = self.0.get(&said.round).map_or(&[][..], Vec::as_slice);
        let is_known = of_round.iter().any(|slot| slot.signed.proposal.block == said.block);
        let is_oldest = self.0.first_key_value().is_some_and(|(oldest, _)| said.round < *oldest);
        !is_known
            && of_round.len() < PROPOSALS_PER_ROUND_MAX
            && !(is_oldest && self.0.len() >= ROUNDS_KEPT_MAX)
    }

    /// Keeps a proposal. Those of the lowest round make room, if there must be some.
    pub(crate) fn insert(&mut self, signed: SignedProposal, is_judged: bool) {
        if !self.has_room(&signed) {
            return;
        }
        self.0.entry(signed.proposal.round).or_default().push(Slot { signed, is_judged });
        if self.0.len() > ROUNDS_KEPT_MAX {
            self.0.pop_first();
        }
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Slot> {
        self.0.values_mut().flatten()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.0.values().flatten()
    }

    /// The blocks that are proposed.
    pub(crate) fn blocks(&self) -> BTreeSet<BlockHash> {
        self.iter().map(|slot| slot.signed.proposal.block).collect()
    }

    /// The proposals from `round` on.
    fn rounds_from(&self, round: Round) -> impl Iterator<Item = &Slot> {
        self.0.range(round..).flat_map(|(_, slots)| slots)
    }
}

/// Why a proposal is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Late, early, or more than is kept: nobody's fault.
    Unwanted,
    /// Whoever sent it altered it, or made it up.
    OfSender(&'static str),
    /// Its proposer signed what no rule allows.
    OfProposer(&'static str),
}

impl Replica {
    /// Takes a proposal of the running height, if it holds.
    pub(crate) fn proposal(&mut self, from: NodeIndex, early: EarlyProposal) {
        let EarlyProposal { proposal, block, parent } = early;
        match self.check_proposal(&proposal, &block) {
            Ok(()) => {}
            Err(Flaw::Unwanted) => return,
            Err(Flaw::OfSender(reason)) => return self.distrust(from, reason),
            Err(Flaw::OfProposer(reason)) => {
                self.distrust(NodeIndex::new(proposal.proposal.proposer.get()), reason);
                return self.give_up_turn(proposal.proposal.round);
            }
        }
        let hash = proposal.proposal.block;
        self.candidates.gather(hash, block, from, parent);
        self.candidates.slots.insert(proposal, false);
        let kept = self.consensus.kept_blocks();
        self.candidates.forget_all_but(&kept);
        self.drive([ConsensusInput::Message(Message::Proposal(proposal))].into());
        self.judge_candidates();
        if !self.missing().is_empty() {
            let timer = Timer::Fetch(self.height());
            self.effects.push(Effect::Schedule { timer, after_ms: FETCH_FIRST_MS });
        }
    }

    /// Checks if a proposal of the height after the committed one holds, as far as can be told
    /// without executing its block: the cheap questions first.
    pub(crate) fn check_proposal(
        &self,
        signed: &SignedProposal,
        block: &Block,
    ) -> Result<(), Flaw> {
        let (said, header) = (&signed.proposal, &block.header);
        let ahead_max = self.running_round().get().saturating_add(ROUNDS_AHEAD_MAX);
        if said.height != self.height()
            || said.round.get() > ahead_max
            || !self.candidates.slots.has_room(signed)
        {
            return Err(Flaw::Unwanted);
        }
        if block.batches.len() != header.batch_count as usize
            || header.batch_count > self.parameters.block_batches_max
            || batches_root(&block.batches) != header.batches_root
        {
            return Err(Flaw::OfSender("the list of batches is not the header's"));
        }
        if block.evidence.len() > EVIDENCE_MAX
            || block.evidence.len() != header.evidence_count as usize
            || evidence_root(&block.evidence) != header.evidence_root
        {
            return Err(Flaw::OfSender("the evidence is not the header's"));
        }
        if block.hash() != said.block {
            return Err(Flaw::OfSender("the block is not the one that is proposed"));
        }
        let turn = |round| self.proposers.proposer(&self.validators, said.height, round);
        if said.proposer != turn(said.round) {
            return Err(Flaw::OfSender("a proposal out of its proposer's turn"));
        }
        if !self.is_signed(signed) {
            return Err(Flaw::OfSender("the signature of a proposal does not verify"));
        }
        let names_its_turn = match said.valid_round {
            None => header.round == said.round,
            Some(valid_round) => header.round <= valid_round && valid_round < said.round,
        };
        if header.height != said.height || !names_its_turn || header.proposer != turn(header.round)
        {
            return Err(Flaw::OfProposer("a header that names another turn than its own"));
        }
        Ok(())
    }

    fn is_signed(&self, signed: &SignedProposal) -> bool {
        let digest = signed.proposal.digest(self.chain_id);
        let proposer = self.validators.get(signed.proposal.proposer);
        proposer.is_some_and(|known| known.public_key.verifies(&digest, &signed.signature))
    }

    pub(crate) fn running_round(&self) -> Round {
        let of_height = self.consensus.height() == Some(self.height());
        self.consensus.round().filter(|_| of_height).unwrap_or_default()
    }

    pub(crate) fn distrust(&mut self, node: NodeIndex, reason: &str) {
        self.effects.push(Effect::Distrust { node, reason: reason.to_owned() });
    }

    /// The round's proposer has broken a rule: its turn is not waited for.
    fn give_up_turn(&mut self, round: Round) {
        let awaited = self.consensus.awaited_proposer();
        if let Some((timeout, _)) = awaited.filter(|(timeout, _)| timeout.round == round) {
            let timer = Timer::Consensus(timeout);
            self.effects.push(Effect::Schedule { timer, after_ms: 1 });
        }
    }

    /// Tells consensus of every proposal whose block is valid or invalid, and asks to be called
    /// again when the time of another may have come.
    pub(crate) fn verdicts(&mut self) -> Vec<ConsensusInput> {
        let mut verdicts = Vec::new();
        let candidates = &mut self.candidates;
        for slot in candidates.slots.iter_mut().filter(|slot| !slot.is_judged) {
            let said = &slot.signed.proposal;
            let valid = match candidates.blocks.get(&said.block) {
                Some(Candidate::Valid { .. }) => true,
                Some(Candidate::Invalid) => {
                    // Whoever signed this proposal answers for it, not whom the header names.
                    let node = NodeIndex::new(said.proposer.get());
                    let reason = "a block whose header is not what execution gives".to_owned();
                    self.effects.push(Effect::Distrust { node, reason });
                    false
                }
                Some(Candidate::Gathering { .. }) | None => continue,
            };
            slot.is_judged = true;
            verdicts.push(ConsensusInput::Verdict {
                height: said.height,
                round: said.round,
                proposer: said.proposer,
                valid_round: said.valid_round,
                block: said.block,
                valid,
            });
        }
        verdicts
    }

    /// Returns true if a vote for the block may be given at this moment: its time has come by this
    /// node's clock, and the round of its parent's decision is proven. Both are judgements of the
    /// moment and of this node, so a quorum's prevotes stand for them: more than a third of it is
    /// honest and has judged for itself.
    pub(crate) fn try_accept(&mut self, hash: &BlockHash, block: &Block) -> bool {
        if self.consensus.has_polka(hash) {
            return true;
        }
        let limit = self.block_time_max();
        if block.header.time > limit {
            let wait_ms =
                block.header.time.get().saturating_sub(limit.get()).clamp(1, JUDGE_AGAIN_MS_MAX);
            let timer = Timer::Judge(self.height());
            self.effects.push(Effect::Schedule { timer, after_ms: wait_ms });
            return false;
        }
        self.is_parent_proven(hash, block)
    }

    /// The latest time that this node grants a block: its clock and the drift, but always a
    /// millisecond after the parent's. Should all clocks have been ahead and be right again, the
    /// chain goes on, a millisecond a block, until they have come up with it.
    fn block_time_max(&self) -> TimeMs {
        let parent_time = read_state(&self.state).time();
        self.now.plus(self.parameters.clock_drift_ms).max(parent_time.plus(1))
    }

    /// Sends the proposals from the running round's predecessor on to the validators again.
    pub(crate) fn relay_proposals(&mut self) {
        let from = Round::new(self.running_round().get().saturating_sub(1));
        let slots: Vec<_> =
            self.candidates.slots.rounds_from(from).map(|slot| slot.signed).collect();
        for signed in slots {
            self.send_proposal(signed);
        }
    }

    /// Sends a kept proposal of `round` for a block to the validators again.
    pub(crate) fn show_proposal(&mut self, round: Round, block: &BlockHash) {
        let is_wanted = |slot: &&Slot| {
            let said = &slot.signed.proposal;
            said.round == round && said.block == *block
        };
        let found = self.candidates.slots.iter().find(is_wanted).map(|slot| slot.signed);
        if let Some(signed) = found {
            self.send_proposal(signed);
        }
    }

    pub(crate) fn send_proposal(&mut self, proposal: SignedProposal) {
        let hash = proposal.proposal.block;
        let Some(block) = self.candidates.block(&hash).cloned() else { return };
        let parent = self.candidates.parent(&hash).or(self.head.as_ref()).cloned();
        let message = PeerMessage::Proposal { proposal, block, parent };
        self.effects.push(Effect::Send { to: Target::Validators, message });
    }
}
