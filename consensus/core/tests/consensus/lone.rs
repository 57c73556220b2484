//! One validator with what its disk would hold, and its peers' messages, made by hand. At height
//! 1 the turns are 1, 2, 3, 0.

use chain_types::{
    BlockHash, Digest, Height, Parameters, Round, ValidatorId, ValidatorSet, Vote, VoteStep,
};
use consensus_core::{
    Consensus, Effect, Input, Message, Proposal, Proposers, RoundCertificate, RoundCertificateKind,
    RoundVote, SignedProposal, SignedVote, Standing, Timeouts,
};

use crate::world::{chain_id, key_of, validators};

pub const HEIGHT: Height = Height::new(1);

pub fn block(byte: u8) -> BlockHash {
    BlockHash::new(Digest::from_bytes([byte; 32]))
}

pub fn signed_vote(
    index: usize,
    height: Height,
    round: u32,
    step: VoteStep,
    block: Option<BlockHash>,
) -> SignedVote {
    let vote = Vote { height, round: Round::new(round), step, block };
    let signature = key_of(index).sign(&vote.digest(chain_id()));
    SignedVote { vote, validator: ValidatorId::new(index as u32), signature }
}

pub fn prevote(index: usize, round: u32, block: Option<BlockHash>) -> Input {
    Input::Message(Message::Vote(signed_vote(index, HEIGHT, round, VoteStep::Prevote, block)))
}

pub fn precommit(index: usize, round: u32, block: Option<BlockHash>) -> Input {
    Input::Message(Message::Vote(signed_vote(index, HEIGHT, round, VoteStep::Precommit, block)))
}

pub fn signed_proposal(
    index: usize,
    height: Height,
    round: u32,
    block: BlockHash,
) -> SignedProposal {
    let proposer = ValidatorId::new(index as u32);
    let proposal =
        Proposal { height, round: Round::new(round), block, valid_round: None, proposer };
    let signature = key_of(index).sign(&proposal.digest(chain_id()));
    SignedProposal { proposal, signature }
}

pub fn proposal(index: usize, round: u32, block: BlockHash) -> Input {
    Input::Message(Message::Proposal(signed_proposal(index, HEIGHT, round, block)))
}

pub fn verdict(index: usize, round: u32, block: BlockHash, valid: bool) -> Input {
    Input::Verdict {
        height: HEIGHT,
        round: Round::new(round),
        proposer: ValidatorId::new(index as u32),
        valid_round: None,
        block,
        valid,
    }
}

/// A certificate of two validators' precommits that leads to `round`.
pub fn skip(round: u32, block: Option<BlockHash>) -> Message {
    let vote = |index| {
        let signed = signed_vote(index, HEIGHT, round, VoteStep::Precommit, block);
        let (validator, signature) = (signed.validator, signed.signature);
        RoundVote { step: VoteStep::Precommit, block, validator, signature }
    };
    Message::RoundCertificate(RoundCertificate {
        height: HEIGHT,
        round: Round::new(round),
        kind: RoundCertificateKind::Skip,
        votes: (2..4).map(vote).collect(),
    })
}

pub fn start(height: Height, validators: ValidatorSet) -> Input {
    Input::StartHeight { height, validators, proposers: Proposers::new() }
}

/// A validator with what its disk would hold.
pub struct Lone {
    pub consensus: Consensus,
    pub log: Vec<Vec<u8>>,
    pub guard: Option<Vec<u8>>,
    pub sent: Vec<Message>,
    pub effects: Vec<Effect>,
}

impl Lone {
    pub fn new(index: usize) -> Self {
        let mut lone = Self::restarted(index, Vec::new(), None);
        assert_eq!(lone.consensus.standing(), Standing::Voting);
        lone.effects.clear();
        lone
    }

    /// Starts at height 1 with this log and guard.
    pub fn restarted(index: usize, log: Vec<Vec<u8>>, guard: Option<Vec<u8>>) -> Self {
        let identity = Some((ValidatorId::new(index as u32), key_of(index)));
        let timeouts = Timeouts::from(&Parameters::default());
        let mut consensus =
            Consensus::new(chain_id(), identity, timeouts, guard.as_deref()).unwrap();
        let mut effects = consensus.handle(start(HEIGHT, validators(4)));
        effects.extend(consensus.replay(&log));
        let mut lone = Self { consensus, log, guard, sent: Vec::new(), effects: Vec::new() };
        lone.perform(effects);
        lone
    }

    pub fn feed(&mut self, input: Input) -> Vec<Effect> {
        let effects = self.consensus.handle(input);
        self.perform(effects.clone());
        effects
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in &effects {
            match effect {
                Effect::Persist(bytes) => self.log.push(bytes.clone()),
                Effect::Guard(bytes) => self.guard = Some(bytes.clone()),
                Effect::Send(message) => self.sent.push(message.clone()),
                _ => {}
            }
        }
        self.effects.extend(effects);
    }

    pub fn sent_vote(&self, step: VoteStep, round: u32) -> Option<Option<BlockHash>> {
        self.sent.iter().find_map(|message| match message {
            Message::Vote(signed)
                if signed.vote.step == step && signed.vote.round == Round::new(round) =>
            {
                Some(signed.vote.block)
            }
            _ => None,
        })
    }

    /// Leads validator 0 to precommit a block in round 0.
    pub fn precommitted() -> Self {
        let mut lone = Self::new(0);
        lone.feed(proposal(1, 0, block(7)));
        lone.feed(verdict(1, 0, block(7), true));
        lone.feed(prevote(1, 0, Some(block(7))));
        lone.feed(prevote(2, 0, Some(block(7))));
        assert_eq!(lone.sent_vote(VoteStep::Precommit, 0), Some(Some(block(7))));
        lone
    }
}

pub fn propose(lone: &mut Lone, block: BlockHash) {
    let wanted = Effect::GetBlock { height: HEIGHT, round: Round::new(0) };
    assert!(lone.effects.contains(&wanted), "no block was asked for");
    lone.feed(Input::Propose { height: HEIGHT, round: Round::new(0), block });
}

pub fn proposer() -> Lone {
    Lone::restarted(1, Vec::new(), None)
}
