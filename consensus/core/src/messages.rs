//! Messages between validators, and their bytes.

use bincode::{Decode, Encode};
use chain_types::codec::{self, CodecError};
use chain_types::validators::VALIDATORS_MAX;
use chain_types::{Digest, Height, PublicKey, Round, Signature, ValidatorId};
pub use chain_types::{Proposal, SignedProposal, SignedVote};

use crate::certificates::{PolkaCertificate, RoundCertificate};

/// The first byte of every encoded message.
pub const MESSAGE_VERSION: u8 = 1;

/// The largest encoded message, in bytes: a round certificate of all validators. One round vote
/// is at most 4 (step) + 33 (block) + 4 (validator) + 64 (signature) bytes.
pub const MESSAGE_BYTES_MAX: usize = 64 + VALIDATORS_MAX * 105;

/// A signature that verifies: its key, the digest that it is over, and the signature.
pub(crate) type Verified = (PublicKey, Digest, Signature);

/// A message between validators.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Message {
    /// The proposal of a round's proposer.
    Proposal(SignedProposal),
    /// The vote of a validator.
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
