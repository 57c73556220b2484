//! Blocks, votes and certificates.
//!
//! A header's certificate covers its own results: a validator votes only once it has executed
//! the block and got the same header.

use bincode::{Decode, Encode};

use crate::codec;
use crate::evidence::Equivocation;
use crate::hash::{Digest, Domain, hash};
use crate::ids::{BatchId, BlockHash, ChainId, ValidatorId, WindowId};
use crate::merkle;
use crate::rejection::Outcome;
use crate::sign::Signature;
use crate::units::{Height, Round, TimeMs};
use crate::validators::{VALIDATORS_MAX, ValidatorSet};
use crate::votes::{Vote, VoteStep};

/// Outcome codes in one leaf of a batch's outcomes tree.
pub const OUTCOMES_PER_LEAF: usize = 32;
/// Bytes of an encoded certificate of [`VALIDATORS_MAX`] signatures, at most.
pub const CERTIFICATE_BYTES_MAX: usize = 64 + VALIDATORS_MAX * 68;
/// Bytes of an encoded [`BlockHeader`].
pub const BLOCK_HEADER_BYTES: usize = 2 + 32 + 8 + 4 + 4 + 4 + 8 + 8 + 32 + 4 + 4 + 9 * 32 + 4 + 4;

/// The header of a block: validators agree on its hash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct BlockHeader {
    /// [`crate::parameters::PROTOCOL_VERSION`] of the height.
    pub protocol_version: u16,
    /// The chain to which the block belongs.
    pub chain_id: ChainId,
    /// The position of the block in the chain; zero is genesis.
    pub height: Height,
    /// The round in which it was first proposed.
    pub round: Round,
    /// The round in which the block before it was decided, as a certificate shown with the
    /// proposal proves; zero in block one, whose parent nobody decided, and in block zero.
    pub parent_round: Round,
    /// The validator that proposed the block.
    pub proposer: ValidatorId,
    /// The proposer's clock: later than the parent's, at most a drift ahead of each voter's.
    pub time: TimeMs,
    /// The settlement window to which orders collected in this block belong.
    pub window: WindowId,
    /// The block before it.
    pub parent: BlockHash,
    /// How many batches it holds.
    pub batch_count: u32,
    /// Merkle root over the batch ids in order.
    pub batches_root: Digest,
    /// How many pieces of evidence it holds.
    pub evidence_count: u32,
    /// Merkle root over the evidence in order: [`crate::evidence::evidence_root`].
    pub evidence_root: Digest,
    /// Merkle root over each batch's outcomes root, in the same order.
    pub results_root: Digest,
    /// The digest of the whole state after it.
    pub state_digest: Digest,
    /// The digest of the validators who decide it.
    pub validators_hash: Digest,
    /// The digest of the validators who decide the next block.
    pub next_validators_hash: Digest,
    /// The digest of the parameters it was executed under.
    pub parameters_hash: Digest,
    /// How many participants there are.
    pub party_count: u32,
    /// Merkle root over the participants' [`crate::PartyKeys`], ascending by id.
    pub parties_root: Digest,
    /// How many records it leaves.
    pub record_count: u32,
    /// Merkle root over the records that it leaves: window reports, instructions, entries.
    pub records_root: Digest,
}

impl BlockHeader {
    /// The block hash: what validators vote on.
    pub fn hash(&self) -> BlockHash {
        BlockHash::new(hash(Domain::Block, &[&codec::encode(self)]))
    }
}

/// A header, the ordered ids of its batches, whose bytes travel ahead of it, and its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Block {
    /// The header, which commits to everything else.
    pub header: BlockHeader,
    /// The ids of its batches, in the order of execution.
    pub batches: Vec<BatchId>,
    /// Evidence against validators, ascending by height and validator.
    pub evidence: Vec<Equivocation>,
}

impl Block {
    /// Returns the hash of the header, which names the block.
    pub fn hash(&self) -> BlockHash {
        self.header.hash()
    }
}

/// The Merkle root over batch ids.
pub fn batches_root(batches: &[BatchId]) -> Digest {
    merkle::root(&batches.iter().map(|id| merkle::leaf(&id.digest().bytes())).collect::<Vec<_>>())
}

/// The leaf hashes of one batch's outcomes: little-endian codes, [`OUTCOMES_PER_LEAF`] to a leaf,
/// the last leaf as short as it comes.
pub fn outcome_leaves(outcomes: &[Outcome]) -> Vec<Digest> {
    outcomes.chunks(OUTCOMES_PER_LEAF).map(|chunk| merkle::leaf(&outcome_bytes(chunk))).collect()
}

/// The bytes of outcome codes: two each, little-endian.
pub fn outcome_bytes(outcomes: &[Outcome]) -> Vec<u8> {
    outcomes.iter().flat_map(|outcome| outcome.0.to_le_bytes()).collect()
}

/// The Merkle root over one batch's outcomes.
pub fn outcomes_root(outcomes: &[Outcome]) -> Digest {
    merkle::root(&outcome_leaves(outcomes))
}

/// The Merkle root over the outcomes roots of a block's batches.
pub fn results_root(outcomes_roots: &[Digest]) -> Digest {
    merkle::root(&outcomes_roots.iter().map(|root| merkle::leaf(&root.bytes())).collect::<Vec<_>>())
}

/// A quorum's precommits for a block.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Certificate {
    /// The height that was decided.
    pub height: Height,
    /// The round in which it was decided.
    pub round: Round,
    /// The hash of the block that was decided.
    pub block: BlockHash,
    /// Signatures, strictly ascending by validator.
    pub signatures: Vec<(ValidatorId, Signature)>,
}

/// Why a certificate does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The signers are not strictly ascending.
    #[error("signers are not in strictly ascending order at {0}")]
    Order(ValidatorId),
    /// A signer is not a validator of the height.
    #[error("{0} is not a validator of this height")]
    Stranger(ValidatorId),
    /// A signature is not its signer's precommit for this block.
    #[error("the signature of validator {0} does not verify")]
    Signature(ValidatorId),
    /// The signers' power is no quorum.
    #[error("power {power} of {total} is not above two thirds")]
    Power {
        /// The sum of the signers' voting power.
        power: u128,
        /// Power of all validators.
        total: u128,
    },
}

impl Certificate {
    /// Checks that every signature holds and that their power is a quorum of `validators`.
    ///
    /// # Errors
    /// [`CertificateError`]; one bad signature among enough good ones is an error too, so that a
    /// certificate has no byte that can be changed.
    pub fn verify(
        &self,
        chain_id: ChainId,
        validators: &ValidatorSet,
    ) -> Result<(), CertificateError> {
        let vote = Vote {
            height: self.height,
            round: self.round,
            step: VoteStep::Precommit,
            block: Some(self.block),
        };
        let digest = vote.digest(chain_id);
        let mut power = 0_u128;
        let mut last = None;
        for (id, signature) in &self.signatures {
            if last.is_some_and(|last| last >= *id) {
                return Err(CertificateError::Order(*id));
            }
            last = Some(*id);
            let validator = validators.get(*id).ok_or(CertificateError::Stranger(*id))?;
            if !validator.public_key.verifies(&digest, signature) {
                return Err(CertificateError::Signature(*id));
            }
            power += u128::from(validator.power);
        }
        if validators.is_quorum(power) {
            Ok(())
        } else {
            Err(CertificateError::Power { power, total: validators.total_power() })
        }
    }

    /// The power in `trusted` of the signers who have the same number and key there as among
    /// `deciders`, whose signatures these are.
    pub fn power_of(&self, deciders: &ValidatorSet, trusted: &ValidatorSet) -> u128 {
        let power = |(id, _): &(ValidatorId, Signature)| {
            let (signer, known) = (deciders.get(*id)?, trusted.get(*id)?);
            (signer.public_key == known.public_key).then_some(u128::from(known.power))
        };
        self.signatures.iter().filter_map(power).sum()
    }
}
