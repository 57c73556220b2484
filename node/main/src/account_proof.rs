//! An account's counters at a height, with everything needed to verify them offline: what
//! `ledger_account_proof` gives and `sluice verify` checks.

use chain_state::AccountProof;
use chain_types::codec::{self, CodecError};
use chain_types::lineage::{Lineage, LineageError};
use chain_types::{BlockHeader, Certificate, ChainGenesis};

/// The first bytes of an account proof.
pub const ACCOUNT_PROOF_MAGIC: [u8; 8] = *b"SLUICEA1";
/// Bytes of the largest account proof.
pub const ACCOUNT_PROOF_BYTES_MAX: usize = 1024 * 1024;

/// An account after a decided block, with its proofs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenAccount {
    /// From the account to the state digest of the header.
    pub proof: AccountProof,
    /// The block's header.
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
    #[error("not an account proof: it does not begin with SLUICEA1")]
    Magic,
    /// The counters do not lead to the block's state digest.
    #[error("the account's counters do not lead to the block's state digest")]
    Counters,
    /// A change of validators is not before the block: nothing rests on it.
    #[error("a change of validators is not before the block")]
    Needless,
    /// The block is not proven to be the chain's.
    #[error("the block is not the chain's: {0}")]
    Lineage(#[from] LineageError),
}

impl ProvenAccount {
    /// Its bytes: magic, proof, header, certificate and lineage in canonical form.
    pub fn encode(&self) -> Vec<u8> {
        let Self { proof, header, certificate, lineage } = self;
        codec::encode(&(ACCOUNT_PROOF_MAGIC, proof, header, certificate, lineage))
    }

    /// Reads an account proof's bytes.
    ///
    /// # Errors
    /// When they are none, or more than [`ACCOUNT_PROOF_BYTES_MAX`].
    pub fn decode(bytes: &[u8]) -> Result<Self, AccountProofError> {
        if !bytes.starts_with(&ACCOUNT_PROOF_MAGIC) {
            return Err(AccountProofError::Magic);
        }
        let (_, proof, header, certificate, lineage): ([u8; 8], _, _, _, _) =
            codec::decode(bytes, ACCOUNT_PROOF_BYTES_MAX)?;
        Ok(Self { proof, header, certificate, lineage })
    }

    /// Checks that the chain of `genesis` had the account so.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn verify(&self, genesis: &ChainGenesis) -> Result<(), AccountProofError> {
        if !self.proof.holds(self.header.state_digest) {
            return Err(AccountProofError::Counters);
        }
        // Nobody would check it, so anybody could change it.
        let height = self.header.height;
        if self.lineage.0.iter().any(|handover| handover.header.height >= height) {
            return Err(AccountProofError::Needless);
        }
        Ok(self.lineage.verify(genesis, &self.header, &self.certificate)?)
    }
}

#[cfg(test)]
mod tests;
