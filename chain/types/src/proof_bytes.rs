//! The bytes of proofs, and the one bound of everything that is proven, for those who make and
//! those who verify.

use bincode::{Decode, Encode};

use crate::codec::{self, CodecError};
use crate::lineage::Lineage;

/// Bytes of the largest receipt, account proof or proof of records, its lineage among them. As
/// base64 it fits an answer of 6 MiB. The report of a window with some 90,000 positions fits.
pub const PROOF_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A proof that nobody would read, because it is too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes, {lineage_bytes} of them lineage; at most {PROOF_BYTES_MAX} are read")]
pub struct ProofTooLarge {
    /// The length of the encoded proof, in bytes.
    pub bytes: usize,
    /// Bytes of its lineage, which can be had apart.
    pub lineage_bytes: usize,
}

/// The bytes of a proof that holds `lineage`.
///
/// # Errors
/// When they are more than [`PROOF_BYTES_MAX`].
pub fn encode_proof<T: Encode>(proof: &T, lineage: &Lineage) -> Result<Vec<u8>, ProofTooLarge> {
    let encoded = codec::encode(proof);
    if encoded.len() <= PROOF_BYTES_MAX {
        return Ok(encoded);
    }
    let lineage_bytes = codec::encode(lineage).len();
    Err(ProofTooLarge { bytes: encoded.len(), lineage_bytes })
}

/// The proof of these bytes.
///
/// # Errors
/// When they are none, or more than [`PROOF_BYTES_MAX`].
pub fn decode_proof<T: Decode<()>>(bytes: &[u8]) -> Result<T, CodecError> {
    codec::decode(bytes, PROOF_BYTES_MAX)
}
