//! Evidence that a validator signed two values where it may sign one, as blocks carry it.
//!
//! One offence has one form: the message with the lower value stands first. A validator's guard
//! never signs two, so evidence names nobody who runs one key once.

use bincode::{Decode, Encode};

use crate::codec;
use crate::hash::Digest;
use crate::ids::{BlockHash, ChainId, ValidatorId};
use crate::merkle;
use crate::numbered;
use crate::sign::{PublicKey, Signature};
use crate::units::{Height, Round};
use crate::votes::{SignedProposal, SignedVote, VoteStep};

/// The most evidence in one block: eight signatures to verify, less than a millisecond.
pub const EVIDENCE_MAX: usize = 4;
/// How many heights after an offence a block may still hold the evidence of it. Every validator
/// has thousands of turns in that time, and what the state remembers so that no offence is
/// recorded twice stays below [`EVIDENCE_MAX`] entries a height.
pub const EVIDENCE_AGE_HEIGHTS: u64 = 10_000;
/// For how many heights after the block with the evidence its author's turns come last: at ten
/// blocks a second almost three hours, in which operators can take its power away.
pub const EVIDENCE_PENALTY_HEIGHTS: u64 = 100_000;

/// Two messages of one validator that exclude each other.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Equivocation {
    /// Two votes of one height, round and step.
    Votes {
        /// The one for nothing, or for the block with the lower hash.
        first: SignedVote,
        /// The message with the higher value.
        second: SignedVote,
    },
    /// Two proposals of one height and round.
    Proposals {
        /// The one of the block with the lower hash.
        first: SignedProposal,
        /// The message with the higher value.
        second: SignedProposal,
    },
}

numbered! {
    /// The kind of message of which a validator may sign only one a round.
    EquivocationKind: u32, name {
        /// Two prevotes of one round.
        Prevotes = 0, "prevotes";
        /// Two precommits of one round.
        Precommits = 1, "precommits";
        /// Two proposals of one round.
        Proposals = 2, "proposals";
    }
}

/// Why two messages are no evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EquivocationFlaw {
    /// They are of two validators.
    #[error("the two messages are of different validators")]
    Validator,
    /// They are of two heights, rounds or steps.
    #[error("the two messages are of different heights, rounds or steps")]
    Step,
    /// They name one value.
    #[error("the two messages name the same value")]
    SameValue,
    /// The message with the higher value stands first.
    #[error("the message with the lower value does not stand first")]
    Order,
    /// A signature is not the validator's.
    #[error("the signature of the {0} message does not verify")]
    Signature(&'static str),
}

/// The part of a message that evidence rests on: signer, place, value and signed digest.
struct Message {
    validator: ValidatorId,
    place: (Height, Round, EquivocationKind),
    value: Option<BlockHash>,
    digest: Digest,
    signature: Signature,
}

impl Message {
    fn of_vote(signed: &SignedVote, chain_id: ChainId) -> Self {
        let vote = &signed.vote;
        Self {
            validator: signed.validator,
            place: (vote.height, vote.round, kind_of(vote.step)),
            value: vote.block,
            digest: vote.digest(chain_id),
            signature: signed.signature,
        }
    }

    fn of_proposal(signed: &SignedProposal, chain_id: ChainId) -> Self {
        let proposal = &signed.proposal;
        Self {
            validator: proposal.proposer,
            place: (proposal.height, proposal.round, EquivocationKind::Proposals),
            value: Some(proposal.block),
            digest: proposal.digest(chain_id),
            signature: signed.signature,
        }
    }
}

const fn kind_of(step: VoteStep) -> EquivocationKind {
    match step {
        VoteStep::Prevote => EquivocationKind::Prevotes,
        VoteStep::Precommit => EquivocationKind::Precommits,
    }
}

impl Equivocation {
    /// Returns the validator that signed both messages.
    pub const fn validator(&self) -> ValidatorId {
        match self {
            Self::Votes { first, .. } => first.validator,
            Self::Proposals { first, .. } => first.proposal.proposer,
        }
    }

    /// The height of both.
    pub const fn height(&self) -> Height {
        match self {
            Self::Votes { first, .. } => first.vote.height,
            Self::Proposals { first, .. } => first.proposal.height,
        }
    }

    /// The round of both.
    pub const fn round(&self) -> Round {
        match self {
            Self::Votes { first, .. } => first.vote.round,
            Self::Proposals { first, .. } => first.proposal.round,
        }
    }

    /// Returns the kind of the two messages.
    pub const fn kind(&self) -> EquivocationKind {
        match self {
            Self::Votes { first, .. } => kind_of(first.vote.step),
            Self::Proposals { .. } => EquivocationKind::Proposals,
        }
    }

    /// The two values: blocks, or `None` for a vote for nothing.
    pub const fn values(&self) -> (Option<BlockHash>, Option<BlockHash>) {
        match self {
            Self::Votes { first, second } => (first.vote.block, second.vote.block),
            Self::Proposals { first, second } => {
                (Some(first.proposal.block), Some(second.proposal.block))
            }
        }
    }

    /// The same offence with the lower value first.
    #[must_use]
    pub fn in_order(self) -> Self {
        let (lower, higher) = self.values();
        if lower <= higher {
            return self;
        }
        match self {
            Self::Votes { first, second } => Self::Votes { first: second, second: first },
            Self::Proposals { first, second } => Self::Proposals { first: second, second: first },
        }
    }

    /// Checks that both messages are signed with `key`, the vote key of [`Self::validator`], and
    /// exclude each other. Two proposals of one block exclude nothing, whatever rounds they name.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn verify(&self, chain_id: ChainId, key: PublicKey) -> Result<(), EquivocationFlaw> {
        let (first, second) = match self {
            Self::Votes { first, second } => {
                (Message::of_vote(first, chain_id), Message::of_vote(second, chain_id))
            }
            Self::Proposals { first, second } => {
                (Message::of_proposal(first, chain_id), Message::of_proposal(second, chain_id))
            }
        };
        if first.validator != second.validator {
            return Err(EquivocationFlaw::Validator);
        }
        if first.place != second.place {
            return Err(EquivocationFlaw::Step);
        }
        if first.value == second.value {
            return Err(EquivocationFlaw::SameValue);
        }
        if first.value > second.value {
            return Err(EquivocationFlaw::Order);
        }
        for (which, message) in [("first", first), ("second", second)] {
            if !key.verifies(&message.digest, &message.signature) {
                return Err(EquivocationFlaw::Signature(which));
            }
        }
        Ok(())
    }
}

/// The Merkle root over a block's evidence: a leaf is the canonical form of one.
pub fn evidence_root(evidence: &[Equivocation]) -> Digest {
    merkle::root(&evidence.iter().map(|one| merkle::leaf(&codec::encode(one))).collect::<Vec<_>>())
}
