//! An account's counters at a height, with everything needed to verify them offline: what
//! `ledger_account_proof` gives and `sluice verify` checks.

use chain_types::codec::CodecError;
use chain_types::lineage::{Lineage, LineageError, Trust};
use chain_types::proof_bytes::{ProofTooLarge, decode_proof, encode_proof};
use chain_types::{BlockHeader, Certificate, ChainGenesis};

use crate::AccountProof;

/// The first bytes of an account proof.
pub const ACCOUNT_PROOF_MAGIC: [u8; 8] = *b"SLUICEA3";

/// An account after a decided block, with its proofs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenAccount {
    /// From the account to the state digest of the header.
    pub proof: AccountProof,
    /// The header of the block whose state the proof is about.
    pub header: BlockHeader,
    /// The quorum that decided it.
    pub certificate: Certificate,
    /// The changes of validators up to it.
    pub lineage: Lineage,
}

/// Why an account proof is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountProofError {
    /// The bytes are no account proof.
    #[error("not an account proof: {0}")]
    Codec(#[from] CodecError),
    /// The first bytes are not [`ACCOUNT_PROOF_MAGIC`].
    #[error("not an account proof: it does not begin with SLUICEA3")]
    Magic,
    /// The counters do not lead to the block's state digest.
    #[error("the account's counters do not lead to the block's state digest")]
    Counters,
    /// The proof has a lineage of its own and was to be held against another.
    #[error("the proof has a lineage of its own: verify it against the genesis file alone")]
    OwnLineage,
    /// The block is not proven to be the chain's.
    #[error("the block is not the chain's: {0}")]
    Lineage(#[from] LineageError),
}

impl ProvenAccount {
    /// Its bytes: magic, proof, header, certificate and lineage in canonical form.
    ///
    /// # Errors
    /// When they are more than anyone reads.
    pub fn encode(&self) -> Result<Vec<u8>, ProofTooLarge> {
        let Self { proof, header, certificate, lineage } = self;
        encode_proof(&(ACCOUNT_PROOF_MAGIC, proof, header, certificate, lineage), lineage)
    }

    /// Reads an account proof's bytes.
    ///
    /// # Errors
    /// When they are none, or more than [`chain_types::PROOF_BYTES_MAX`].
    pub fn decode(bytes: &[u8]) -> Result<Self, AccountProofError> {
        if !bytes.starts_with(&ACCOUNT_PROOF_MAGIC) {
            return Err(AccountProofError::Magic);
        }
        let (_, proof, header, certificate, lineage): ([u8; 8], _, _, _, _) = decode_proof(bytes)?;
        Ok(Self { proof, header, certificate, lineage })
    }

    /// Checks that the chain of `genesis` had the account so.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn verify(&self, genesis: &ChainGenesis) -> Result<(), AccountProofError> {
        self.prove(&self.lineage.trust(genesis, [self.header.height])?)
    }

    /// As [`Self::verify`], for a proof without a lineage: `trust` is what a lineage apart says of
    /// the header's height.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn verify_by(&self, trust: &Trust) -> Result<(), AccountProofError> {
        if !self.lineage.0.is_empty() {
            return Err(AccountProofError::OwnLineage);
        }
        self.prove(trust)
    }

    fn prove(&self, trust: &Trust) -> Result<(), AccountProofError> {
        if !self.proof.holds(self.header.state_digest) {
            return Err(AccountProofError::Counters);
        }
        Ok(trust.verify(&self.header, &self.certificate)?)
    }
}
