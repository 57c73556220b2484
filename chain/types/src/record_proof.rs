//! Proofs of records: what blocks left for readers, such as a window's report, with everything
//! needed to verify it offline, given only the genesis file. What a record says is for those who
//! know its kind; here it is bytes. Every byte of a proof is covered by a signature, a hash or a
//! comparison.

use bincode::{Decode, Encode};

use crate::block::{BlockHeader, Certificate};
use crate::codec::CodecError;
use crate::hash::Digest;
use crate::lineage::{Lineage, LineageError, Trust};
use crate::merkle;
use crate::proof_bytes::{ProofTooLarge, decode_proof, encode_proof};
use crate::registry::ChainGenesis;
use crate::units::Height;

/// The first bytes of a proof of records.
pub const RECORD_PROOF_MAGIC: [u8; 8] = *b"SLUICEP2";
/// The most records of one proof.
pub const RECORDS_MAX: usize = 64;

/// Proof that a decided block left a record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RecordInclusion {
    /// The record in canonical form.
    pub record: Vec<u8>,
    /// Its place among the block's records.
    pub index: u32,
    /// From the record to the header's records root.
    pub path: Vec<Digest>,
    /// The header of the block that left the record.
    pub header: BlockHeader,
    /// The quorum that decided it.
    pub certificate: Certificate,
}

/// Records with their proofs, strictly ascending by block and place.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RecordProof {
    /// The first bytes of every proof: [`RECORD_PROOF_MAGIC`].
    pub magic: [u8; 8],
    /// 1 to [`RECORDS_MAX`] records.
    pub records: Vec<RecordInclusion>,
    /// The changes of validators before the last of their blocks.
    pub lineage: Lineage,
}

/// Why a proof of records is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordProofError {
    /// The bytes are no proof of records.
    #[error("not a proof of records: {0}")]
    Codec(#[from] CodecError),
    /// The first bytes are not [`RECORD_PROOF_MAGIC`].
    #[error("not a proof of records: it does not begin with SLUICEP2")]
    Magic,
    /// It holds no record, or more than [`RECORDS_MAX`].
    #[error("a proof holds 1 to {RECORDS_MAX} records, this one {0}")]
    Count(usize),
    /// The records do not strictly ascend by block and place.
    #[error("the records do not ascend by block and place")]
    Order,
    /// A record does not lead to its block's records root.
    #[error("record {index} does not lead to the records root of block {height}")]
    Path {
        /// The height of the block.
        height: Height,
        /// The record's place in it.
        index: u32,
    },
    /// The proof has a lineage of its own and was to be held against another.
    #[error("the proof has a lineage of its own: verify it against the genesis file alone")]
    OwnLineage,
    /// A block is not proven to be the chain's.
    #[error("the block of a record is not the chain's: {0}")]
    Lineage(#[from] LineageError),
}

impl RecordProof {
    /// Its bytes.
    ///
    /// # Errors
    /// When they are more than anyone reads.
    pub fn encode(&self) -> Result<Vec<u8>, ProofTooLarge> {
        encode_proof(self, &self.lineage)
    }

    /// Reads a proof's bytes.
    ///
    /// # Errors
    /// When they are no proof of records, or more than [`crate::proof_bytes::PROOF_BYTES_MAX`].
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordProofError> {
        let proof: Self = decode_proof(bytes)?;
        if proof.magic == RECORD_PROOF_MAGIC { Ok(proof) } else { Err(RecordProofError::Magic) }
    }

    /// The heights of its blocks.
    pub fn heights(&self) -> impl Iterator<Item = Height> {
        self.records.iter().map(|included| included.header.height)
    }

    /// Checks that blocks of the chain of `genesis` left all these records.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn verify(&self, genesis: &ChainGenesis) -> Result<(), RecordProofError> {
        self.check()?;
        self.prove(&self.lineage.trust(genesis, self.heights())?)
    }

    /// As [`Self::verify`], for a proof without a lineage: `trust` is what a lineage apart says of
    /// [`Self::heights`].
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn verify_by(&self, trust: &Trust) -> Result<(), RecordProofError> {
        self.check()?;
        if !self.lineage.0.is_empty() {
            return Err(RecordProofError::OwnLineage);
        }
        self.prove(trust)
    }

    fn check(&self) -> Result<(), RecordProofError> {
        if self.magic != RECORD_PROOF_MAGIC {
            return Err(RecordProofError::Magic);
        }
        let count = self.records.len();
        if !(1..=RECORDS_MAX).contains(&count) {
            return Err(RecordProofError::Count(count));
        }
        if !self.records.is_sorted_by(|one, next| one.place() < next.place()) {
            return Err(RecordProofError::Order);
        }
        let broken = self.records.iter().find(|included| !included.leads_to_its_root());
        broken
            .map(RecordInclusion::place)
            .map_or(Ok(()), |(height, index)| Err(RecordProofError::Path { height, index }))
    }

    fn prove(&self, trust: &Trust) -> Result<(), RecordProofError> {
        for included in &self.records {
            trust.verify(&included.header, &included.certificate)?;
        }
        Ok(())
    }
}

impl RecordInclusion {
    fn place(&self) -> (Height, u32) {
        (self.header.height, self.index)
    }

    /// Returns true if the record stands at its place under the header's records root. That the
    /// chain decided the header is another matter: see [`RecordProof::verify`].
    pub fn leads_to_its_root(&self) -> bool {
        let (index, count) = (u64::from(self.index), u64::from(self.header.record_count));
        let leaf = merkle::leaf(&self.record);
        let root = merkle::root_from_proof(leaf, index, count, &self.path);
        root == Some(self.header.records_root)
    }
}
