//! A lineage that stands apart from receipts and proofs: the file that `sluice lineage` keeps and
//! `sluice verify` walks over. It has no bound, and is read one handover at a time.

use std::io::Read;

use chain_types::codec::{self, CodecError};
use chain_types::lineage::{HANDOVER_BYTES_MAX, LINEAGE_MAGIC, LineageError};
use chain_types::{Handover, Walk};

/// Why a file is not a lineage of the chain.
#[derive(Debug, thiserror::Error)]
pub enum LineageFileError {
    /// It could not be read.
    #[error(transparent)]
    Read(#[from] std::io::Error),
    /// The first bytes are not [`LINEAGE_MAGIC`].
    #[error("not a lineage: it does not begin with SLUICEL1")]
    Magic,
    /// A handover that does not decode, or a part of one.
    #[error("handover {number} does not decode: {error}")]
    Codec {
        /// The first is 1.
        number: u64,
        /// The fault of its bytes.
        error: CodecError,
    },
    /// A handover does not hold.
    #[error("handover {number} is not valid: {error}")]
    Lineage {
        /// The first is 1.
        number: u64,
        /// The reason why the lineage does not verify.
        error: LineageError,
    },
}

/// Walks over all handovers of a file, and gives their number. It must end with a whole one.
///
/// # Errors
/// The first thing that does not hold.
pub fn walk_over(mut file: impl Read, walk: &mut Walk) -> Result<u64, LineageFileError> {
    let mut magic = Vec::new();
    (&mut file).take(LINEAGE_MAGIC.len() as u64).read_to_end(&mut magic)?;
    if magic != LINEAGE_MAGIC {
        return Err(LineageFileError::Magic);
    }
    let mut bytes: Vec<u8> = Vec::new();
    let mut number = 0;
    loop {
        let room = HANDOVER_BYTES_MAX.saturating_sub(bytes.len());
        (&mut file).take(room as u64).read_to_end(&mut bytes)?;
        if bytes.is_empty() {
            return Ok(number);
        }
        number += 1;
        let (handover, read) = codec::decode_front::<Handover>(&bytes)
            .map_err(|error| LineageFileError::Codec { number, error })?;
        walk.step(&handover).map_err(|error| LineageFileError::Lineage { number, error })?;
        bytes.drain(..read);
    }
}

#[cfg(test)]
mod tests;
