//! The canonical form of every structure that leaves a machine: bincode 2.0.1, fixed-width
//! little-endian integers, u64 lengths, a size limit, trailing bytes refused (ADR 0001).

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use bincode::enc::write::Writer;
use bincode::error::EncodeError;
use bincode::{Decode, Encode};

/// The largest structure that any decoder accepts, in bytes; callers pass tighter limits.
pub const DECODE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Why bytes were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// More bytes than the caller's limit for this structure.
    #[error("{actual} bytes, but at most {limit} are accepted here")]
    TooLarge {
        /// The number of bytes that were given.
        actual: usize,
        /// The largest number of bytes that is accepted.
        limit: usize,
    },
    /// The bytes end early or hold a value outside its range.
    #[error("bytes do not decode: {0}")]
    Malformed(String),
    /// The structure is complete and bytes are left over.
    #[error("{0} bytes follow the end of the structure")]
    Trailing(usize),
}

fn config() -> Configuration<LittleEndian, Fixint, Limit<DECODE_BYTES_MAX>> {
    bincode::config::standard().with_fixed_int_encoding().with_limit::<DECODE_BYTES_MAX>()
}

/// The canonical bytes of `value`.
pub fn encode<T: Encode>(value: &T) -> Vec<u8> {
    match bincode::encode_to_vec(value, bincode::config::standard().with_fixed_int_encoding()) {
        Ok(bytes) => bytes,
        // Encoding into memory has no failing case for the closed set of types of this workspace.
        Err(error) => unreachable!("encoding into memory failed: {error}"),
    }
}

/// Appends the canonical bytes of `value` to `bytes`: for many values, one after another.
pub fn append<T: Encode>(bytes: &mut Vec<u8>, value: &T) {
    struct Appending<'a>(&'a mut Vec<u8>);
    impl Writer for Appending<'_> {
        fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
            self.0.extend_from_slice(bytes);
            Ok(())
        }
    }
    let config = bincode::config::standard().with_fixed_int_encoding();
    if let Err(error) = bincode::encode_into_writer(value, Appending(bytes), config) {
        unreachable!("encoding into memory failed: {error}");
    }
}

/// The structure at the front of `bytes`, and how many bytes it takes.
///
/// # Errors
/// [`CodecError`] when the bytes end early or are out of range.
pub fn decode_front<T: Decode<()>>(bytes: &[u8]) -> Result<(T, usize), CodecError> {
    bincode::decode_from_slice(bytes, config())
        .map_err(|error| CodecError::Malformed(error.to_string()))
}

/// The structure that `bytes` hold, all of them, if they are at most `limit` bytes.
///
/// # Errors
/// [`CodecError`] when the bytes are too many, end early, are out of range or trail.
pub fn decode<T: Decode<()>>(bytes: &[u8], limit: usize) -> Result<T, CodecError> {
    if bytes.len() > limit.min(DECODE_BYTES_MAX) {
        return Err(CodecError::TooLarge { actual: bytes.len(), limit });
    }
    let (value, read) = decode_front(bytes)?;
    if read != bytes.len() {
        return Err(CodecError::Trailing(bytes.len() - read));
    }
    Ok(value)
}
