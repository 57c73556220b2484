//! Bundles of votes that let a late validator catch up within a height, and their verification.

use bincode::de::Decoder;
use bincode::error::DecodeError;
use bincode::{Decode, Encode};
use chain_types::validators::VALIDATORS_MAX;
use chain_types::{
    BlockHash, ChainId, Height, Round, Signature, ValidatorId, ValidatorSet, Vote, VoteStep,
};

/// A quorum's prevotes for one block in one round.
#[derive(Debug, Clone, PartialEq, Eq, Encode)]
pub struct PolkaCertificate {
    /// The height voted on.
    pub height: Height,
    /// The round voted in.
    pub round: Round,
    /// The hash of the block that was prevoted.
    pub block: BlockHash,
    /// Each voter's signature; at most [`VALIDATORS_MAX`].
    pub signatures: Vec<(ValidatorId, Signature)>,
}

/// The step that a round certificate justifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum RoundCertificateKind {
    /// More than a third voted in this round: enter it.
    Skip,
    /// More than two thirds precommitted in this round: enter the next one.
    Precommit,
}

/// One vote of a round certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct RoundVote {
    /// The step voted in.
    pub step: VoteStep,
    /// The block voted for, or none.
    pub block: Option<BlockHash>,
    /// The validator that voted.
    pub validator: ValidatorId,
    /// The voter's signature over the vote.
    pub signature: Signature,
}

/// Enough votes to enter a round.
#[derive(Debug, Clone, PartialEq, Eq, Encode)]
pub struct RoundCertificate {
    /// The height voted on.
    pub height: Height,
    /// The round voted in.
    pub round: Round,
    /// The step that the certificate justifies.
    pub kind: RoundCertificateKind,
    /// The votes, one a validator; at most [`VALIDATORS_MAX`].
    pub votes: Vec<RoundVote>,
}

/// Why a bundle of votes does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFlaw {
    /// More signatures than a height has validators.
    #[error("{0} signatures, but a height has at most {VALIDATORS_MAX} validators")]
    TooMany(usize),
    /// One validator signs twice.
    #[error("validator {0} signs more than once")]
    Repeated(ValidatorId),
    /// A signer is not a validator of the height.
    #[error("{0} is not a validator of this height")]
    Stranger(ValidatorId),
    /// A prevote stands where only precommits count.
    #[error("validator {0} prevotes where only precommits count")]
    Step(ValidatorId),
    /// A signature does not verify.
    #[error("the signature of validator {0} does not verify")]
    Signature(ValidatorId),
    /// The signers' power does not justify it.
    #[error("power {power} of {total} is too little")]
    Power {
        /// The sum of the signers' voting power.
        power: u128,
        /// Power of all validators.
        total: u128,
    },
}

impl PolkaCertificate {
    /// Checks that distinct validators with more than two thirds of the power prevoted the block.
    ///
    /// # Errors
    /// [`CertificateFlaw`], the cheap ones first.
    pub fn verify(
        &self,
        chain_id: ChainId,
        validators: &ValidatorSet,
    ) -> Result<(), CertificateFlaw> {
        let vote = Vote {
            height: self.height,
            round: self.round,
            step: VoteStep::Prevote,
            block: Some(self.block),
        };
        let votes: Vec<_> =
            self.signatures.iter().map(|(id, signature)| (*id, vote, *signature)).collect();
        let power = power_of(&votes, validators)?;
        if !validators.is_quorum(power) {
            return Err(CertificateFlaw::Power { power, total: validators.total_power() });
        }
        verify_all(&votes, chain_id, validators)
    }
}

impl RoundCertificate {
    /// Checks that distinct validators cast these votes, with more than a third of the power to
    /// skip to a round, or with more than two thirds and precommits only to leave it.
    ///
    /// # Errors
    /// [`CertificateFlaw`], the cheap ones first.
    pub fn verify(
        &self,
        chain_id: ChainId,
        validators: &ValidatorSet,
    ) -> Result<(), CertificateFlaw> {
        let precommits_only = self.kind == RoundCertificateKind::Precommit;
        if precommits_only
            && let Some(prevote) = self.votes.iter().find(|vote| vote.step == VoteStep::Prevote)
        {
            return Err(CertificateFlaw::Step(prevote.validator));
        }
        let votes: Vec<_> = self
            .votes
            .iter()
            .map(|entry| {
                let vote = Vote {
                    height: self.height,
                    round: self.round,
                    step: entry.step,
                    block: entry.block,
                };
                (entry.validator, vote, entry.signature)
            })
            .collect();
        let power = power_of(&votes, validators)?;
        let total = validators.total_power();
        let enough = match self.kind {
            RoundCertificateKind::Skip => power * 3 > total,
            RoundCertificateKind::Precommit => validators.is_quorum(power),
        };
        if !enough {
            return Err(CertificateFlaw::Power { power, total });
        }
        verify_all(&votes, chain_id, validators)
    }
}

type CastVote = (ValidatorId, Vote, Signature);

/// The power of the voters, who must be distinct validators.
fn power_of(votes: &[CastVote], validators: &ValidatorSet) -> Result<u128, CertificateFlaw> {
    if votes.len() > VALIDATORS_MAX {
        return Err(CertificateFlaw::TooMany(votes.len()));
    }
    let mut seen = std::collections::BTreeSet::new();
    let mut power = 0_u128;
    for (id, ..) in votes {
        if !seen.insert(*id) {
            return Err(CertificateFlaw::Repeated(*id));
        }
        let validator = validators.get(*id).ok_or(CertificateFlaw::Stranger(*id))?;
        power += u128::from(validator.power);
    }
    Ok(power)
}

fn verify_all(
    votes: &[CastVote],
    chain_id: ChainId,
    validators: &ValidatorSet,
) -> Result<(), CertificateFlaw> {
    for (id, vote, signature) in votes {
        let validator = validators.get(*id).ok_or(CertificateFlaw::Stranger(*id))?;
        if !validator.public_key.verifies(&vote.digest(chain_id), signature) {
            return Err(CertificateFlaw::Signature(*id));
        }
    }
    Ok(())
}

/// At most [`VALIDATORS_MAX`] elements: a few bytes must not make a decoder reserve megabytes.
fn decode_list<T, D, Context>(decoder: &mut D) -> Result<Vec<T>, DecodeError>
where
    T: Decode<Context>,
    D: Decoder<Context = Context>,
{
    let count = u64::decode(decoder)?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count > VALIDATORS_MAX {
        return Err(DecodeError::ArrayLengthMismatch { required: VALIDATORS_MAX, found: count });
    }
    (0..count).map(|_| T::decode(decoder)).collect()
}

impl<Context> Decode<Context> for PolkaCertificate {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Ok(Self {
            height: Height::decode(decoder)?,
            round: Round::decode(decoder)?,
            block: BlockHash::decode(decoder)?,
            signatures: decode_list(decoder)?,
        })
    }
}

impl<Context> Decode<Context> for RoundCertificate {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        Ok(Self {
            height: Height::decode(decoder)?,
            round: Round::decode(decoder)?,
            kind: RoundCertificateKind::decode(decoder)?,
            votes: decode_list(decoder)?,
        })
    }
}

bincode::impl_borrow_decode!(PolkaCertificate);
bincode::impl_borrow_decode!(RoundCertificate);
