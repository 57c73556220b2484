//! What validators say to one another, and its bytes.

use bincode::{Decode, Encode};
use chain_types::codec::{self, CodecError};
use chain_types::hash::{Domain, hash};
use chain_types::validators::VALIDATORS_MAX;
use chain_types::{BlockHash, ChainId, Digest, Height, Round, Signature, ValidatorId, Vote};

use crate::certificates::{PolkaCertificate, RoundCertificate};

/// The first byte of every encoded message.
pub const MESSAGE_VERSION: u8 = 1;

/// The largest encoded message, in bytes: a round certificate of all validators. One round vote
/// is at most 4 (step) + 33 (block) + 4 (validator) + 64 (signature) bytes.
pub const MESSAGE_BYTES_MAX: usize = 64 + VALIDATORS_MAX * 105;

/// A proposer's word: "decide this block".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Proposal {
    /// The height to decide.
    pub height: Height,
    /// The round it is proposed in.
    pub round: Round,
    /// The block.
    pub block: BlockHash,
    /// The earlier round in which a quorum prevoted it, if it is proposed again.
    pub valid_round: Option<Round>,
    /// Who proposes.
    pub proposer: ValidatorId,
}

impl Proposal {
    /// What is signed: tag, chain id, height 8, round 4, block hash 32, presence 1, valid round
    /// 4 or zeros, proposer 4.
    pub fn digest(&self, chain_id: ChainId) -> Digest {
        let valid_round = self.valid_round.unwrap_or_default();
        hash(
            Domain::Proposal,
            &[
                &chain_id.0.0,
                &self.height.0.to_le_bytes(),
                &self.round.0.to_le_bytes(),
                &self.block.0.0,
                &[u8::from(self.valid_round.is_some())],
                &valid_round.0.to_le_bytes(),
                &self.proposer.0.to_le_bytes(),
            ],
        )
    }
}

/// A proposal with its proposer's signature over [`Proposal::digest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct SignedProposal {
    /// The proposal.
    pub proposal: Proposal,
    /// The proposer's signature.
    pub signature: Signature,
}

/// A vote with its voter's signature over [`Vote::digest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct SignedVote {
    /// The vote.
    pub vote: Vote,
    /// Who votes.
    pub validator: ValidatorId,
    /// The voter's signature.
    pub signature: Signature,
}

/// A message between validators.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Message {
    /// A proposer's proposal.
    Proposal(SignedProposal),
    /// A validator's vote.
    Vote(SignedVote),
    /// A quorum's prevotes for one block.
    PolkaCertificate(PolkaCertificate),
    /// Enough votes to enter a round.
    RoundCertificate(RoundCertificate),
}

impl Message {
    /// The height it speaks of.
    pub const fn height(&self) -> Height {
        match self {
            Self::Proposal(signed) => signed.proposal.height,
            Self::Vote(signed) => signed.vote.height,
            Self::PolkaCertificate(certificate) => certificate.height,
            Self::RoundCertificate(certificate) => certificate.height,
        }
    }

    /// The round it speaks of.
    pub const fn round(&self) -> Round {
        match self {
            Self::Proposal(signed) => signed.proposal.round,
            Self::Vote(signed) => signed.vote.round,
            Self::PolkaCertificate(certificate) => certificate.round,
            Self::RoundCertificate(certificate) => certificate.round,
        }
    }

    /// In whose name a proposal or vote speaks; certificates speak in nobody's.
    pub const fn sender(&self) -> Option<ValidatorId> {
        match self {
            Self::Proposal(signed) => Some(signed.proposal.proposer),
            Self::Vote(signed) => Some(signed.validator),
            Self::PolkaCertificate(_) | Self::RoundCertificate(_) => None,
        }
    }

    /// [`MESSAGE_VERSION`], then the canonical form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![MESSAGE_VERSION];
        bytes.extend(codec::encode(self));
        bytes
    }

    /// The message that `bytes` hold. Nothing of it is verified.
    ///
    /// # Errors
    /// [`CodecError`] when there are more than [`MESSAGE_BYTES_MAX`] bytes, the version is
    /// another one, a certificate has more than [`VALIDATORS_MAX`] signatures, or the bytes do
    /// not decode to the last one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(CodecError::TooLarge { actual: bytes.len(), limit: MESSAGE_BYTES_MAX });
        }
        match bytes.split_first() {
            Some((&MESSAGE_VERSION, rest)) => codec::decode(rest, MESSAGE_BYTES_MAX),
            Some((version, _)) => {
                Err(CodecError::Malformed(format!("message version {version} is not known")))
            }
            None => Err(CodecError::Malformed("no bytes".to_owned())),
        }
    }
}
