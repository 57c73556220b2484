//! A proposer's and a voter's word, and both signed.

use bincode::{Decode, Encode};

use crate::hash::{Digest, Domain, hash};
use crate::ids::{BlockHash, ChainId, ValidatorId};
use crate::sign::Signature;
use crate::units::{Height, Round};

/// The two steps of a round in which validators vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum VoteStep {
    /// "I have executed this block and got its header."
    Prevote,
    /// "I have seen a quorum prevote it, and its payload is on my disk."
    Precommit,
}

/// A validator's vote. What it signs is [`Vote::digest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Vote {
    /// The height voted on.
    pub height: Height,
    /// The round voted in.
    pub round: Round,
    /// The step of the round that the vote belongs to.
    pub step: VoteStep,
    /// The block, or `None` for none.
    pub block: Option<BlockHash>,
}

impl Vote {
    /// Returns the digest that is signed, over: tag, chain id, height 8, round 4, step 1 (0
    /// prevote, 1 precommit), presence 1, block hash 32 or zeros.
    pub fn digest(&self, chain_id: ChainId) -> Digest {
        let block = self.block.unwrap_or_default();
        hash(
            Domain::Vote,
            &[
                &chain_id.digest().bytes(),
                &self.height.get().to_le_bytes(),
                &self.round.get().to_le_bytes(),
                &[u8::from(self.step == VoteStep::Precommit)],
                &[u8::from(self.block.is_some())],
                &block.digest().bytes(),
            ],
        )
    }
}

/// A proposer's word: "decide this block".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Proposal {
    /// The height to decide.
    pub height: Height,
    /// The round it is proposed in.
    pub round: Round,
    /// The hash of the proposed block.
    pub block: BlockHash,
    /// The earlier round in which a quorum prevoted it, if it is proposed again.
    pub valid_round: Option<Round>,
    /// The validator that proposes the block.
    pub proposer: ValidatorId,
}

impl Proposal {
    /// Returns the digest that is signed, over: tag, chain id, height 8, round 4, block hash 32,
    /// presence 1, valid round 4 or zeros, proposer 4.
    pub fn digest(&self, chain_id: ChainId) -> Digest {
        let valid_round = self.valid_round.unwrap_or_default();
        hash(
            Domain::Proposal,
            &[
                &chain_id.digest().bytes(),
                &self.height.get().to_le_bytes(),
                &self.round.get().to_le_bytes(),
                &self.block.digest().bytes(),
                &[u8::from(self.valid_round.is_some())],
                &valid_round.get().to_le_bytes(),
                &self.proposer.get().to_le_bytes(),
            ],
        )
    }
}

/// A proposal with its proposer's signature over [`Proposal::digest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct SignedProposal {
    /// The proposal that is signed.
    pub proposal: Proposal,
    /// The proposer's signature over [`Proposal::digest`].
    pub signature: Signature,
}

/// A vote with its voter's signature over [`Vote::digest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct SignedVote {
    /// The vote that is signed.
    pub vote: Vote,
    /// The validator that votes.
    pub validator: ValidatorId,
    /// The voter's signature over [`Vote::digest`].
    pub signature: Signature,
}
