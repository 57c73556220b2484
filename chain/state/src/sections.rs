//! The sections of a checkpoint: a length of four bytes, then canonical bytes. Long lists are cut
//! into sections, so that none nears the codec's limit, and ends with an empty one.

use bincode::{Decode, Encode};
use chain_types::codec;

use crate::fault::StateFault;

/// Items of a list in one section: a copy of the state holds it as long as one section takes.
pub(crate) const SECTION_ITEMS: usize = 1_024;
/// Bytes of the longest section: far above [`SECTION_ITEMS`] of the longest item.
pub(crate) const SECTION_BYTES_MAX: usize = 4 * 1024 * 1024;

pub(crate) fn put_section<T: Encode>(bytes: &mut Vec<u8>, section: &T) {
    let section = codec::encode(section);
    assert!(section.len() <= SECTION_BYTES_MAX, "a checkpoint section is too long to be read");
    let length = u32::try_from(section.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&section);
}

/// Takes sections from the front.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Returns true if nothing is left.
    pub(crate) const fn is_done(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl Reader<'_> {
    pub(crate) fn section<T: Decode<()>>(&mut self) -> Result<T, StateFault> {
        Ok(codec::decode(self.section_bytes()?, SECTION_BYTES_MAX)?)
    }

    /// The next section, as its bytes.
    pub(crate) fn section_bytes(&mut self) -> Result<&[u8], StateFault> {
        const EARLY: StateFault = StateFault::Damaged("it ends early");
        let (length, rest) = self.bytes.split_first_chunk::<4>().ok_or(EARLY)?;
        let length = u32::from_le_bytes(*length) as usize;
        let (section, rest) = rest.split_at_checked(length).ok_or(EARLY)?;
        self.bytes = rest;
        Ok(section)
    }

    /// A list: its sections up to an empty one.
    pub(crate) fn list<T: Decode<()>>(&mut self) -> Result<Vec<T>, StateFault> {
        let mut items = Vec::new();
        loop {
            let section: Vec<T> = self.section()?;
            if section.is_empty() {
                return Ok(items);
            }
            items.extend(section);
        }
    }
}
