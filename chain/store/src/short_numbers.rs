//! The form of what is written often and read by this very program: numbers as short as they are.

use bincode::config::{Configuration, Limit, LittleEndian, Varint, standard};
use chain_types::codec::DECODE_BYTES_MAX;

/// bincode with numbers as short as they are.
pub(crate) const fn short() -> Configuration<LittleEndian, Varint, Limit<DECODE_BYTES_MAX>> {
    standard().with_limit::<DECODE_BYTES_MAX>()
}
