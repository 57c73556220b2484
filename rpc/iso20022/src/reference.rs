//! A bank's reference in the 32 bytes that the chain keeps. Banks write up to 35 characters.

use chain_types::hash::sha256;

use crate::ids::ID_CHARACTERS_MAX;

/// Bytes of a reference on the chain.
const BYTES: usize = 32;
/// Opens 35 characters of 7 bits each. No text begins with this byte.
const PACKED_MARK: u8 = 0xff;
/// Opens 31 bytes of a hash. No text begins with this byte.
const HASHED_MARK: u8 = 0xfe;
/// Opens the hashed bytes of a reference that does not fit.
const TAG: [u8; 16] = *b"sluice:bankref:1";

/// A bank's reference as the chain keeps it.
///
/// | text | 32 bytes |
/// |---|---|
/// | up to 32 bytes of UTF-8 | the text, and zeros |
/// | 33 to 35 characters of ASCII | `ff`, and 7 bits a character, the first bits first, and zeros |
/// | anything longer | `fe`, and the first 31 bytes of a hash: the bridge's journal has the text |
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BankReference([u8; BYTES]);

impl BankReference {
    /// Returns the reference that the chain keeps as these bytes, which may be no reference.
    pub const fn from_bytes(bytes: [u8; BYTES]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes that the chain keeps.
    pub const fn bytes(self) -> [u8; BYTES] {
        self.0
    }

    /// Returns the reference of `text`, or `None` of an empty text or one with control characters.
    pub fn of_text(text: &str) -> Option<Self> {
        if text.is_empty() || text.chars().any(char::is_control) {
            return None;
        }
        let mut bytes = [0; BYTES];
        if text.len() <= BYTES {
            bytes[..text.len()].copy_from_slice(text.as_bytes());
        } else if text.is_ascii() && text.len() <= ID_CHARACTERS_MAX {
            bytes = packed(text);
        } else {
            bytes[0] = HASHED_MARK;
            bytes[1..].copy_from_slice(&sha256(&[&TAG, text.as_bytes()]).bytes()[..BYTES - 1]);
        }
        Some(Self(bytes))
    }

    /// Returns the text, or `None` if only its hash is kept or the bytes are no reference.
    pub fn text(self) -> Option<String> {
        let text = match self.0[0] {
            HASHED_MARK => return None,
            PACKED_MARK => unpacked(&self.0),
            _ => {
                let bytes = self.0.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
                String::from_utf8(self.0[..bytes].to_vec()).ok()?
            }
        };
        (Self::of_text(&text) == Some(self)).then_some(text)
    }
}

fn packed(text: &str) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    bytes[0] = PACKED_MARK;
    for (place, byte) in text.bytes().enumerate() {
        for bit in (0..7).filter(|bit| byte >> (6 - bit) & 1 == 1) {
            let at = 8 + place * 7 + bit;
            bytes[at / 8] |= 0x80 >> (at % 8);
        }
    }
    bytes
}

fn unpacked(bytes: &[u8; BYTES]) -> String {
    let character = |place: usize| {
        let bits = (0..7).map(|bit| 8 + place * 7 + bit);
        bits.fold(0_u8, |held, at| held << 1 | bytes[at / 8] >> (7 - at % 8) & 1)
    };
    let characters = (0..ID_CHARACTERS_MAX).map(character);
    characters.take_while(|byte| *byte != 0).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_reference_of_35_characters_reads_back() {
        for text in [
            "1",
            "12345678901234567890123456789012",
            "123456789012345678901234567890123",
            "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~",
            "FT26334/0001.A b-c:d(e)f,g'h+i?jklm",
            "银行流水号一二三四五",
        ] {
            assert_eq!(BankReference::of_text(text).unwrap().text().as_deref(), Some(text));
        }
    }

    #[test]
    fn longer_references_are_hashed_and_differ() {
        let long = "123456789012345678901234567890123456";
        let hashed = BankReference::of_text(long).unwrap();
        assert_eq!(hashed.text(), None);
        assert_ne!(BankReference::of_text(&long.replace('6', "7")), Some(hashed));
        assert_ne!(BankReference::of_text("银行流水号一二三四五六七"), Some(hashed));
        for text in ["", "a\nb", "\u{0}"] {
            assert_eq!(BankReference::of_text(text), None, "{text:?}");
        }
    }

    #[test]
    fn bytes_that_no_text_gives_have_none() {
        let mut bytes = [0; 32];
        assert_eq!(BankReference::from_bytes(bytes).text(), None);
        bytes[1] = b'a';
        assert_eq!(BankReference::from_bytes(bytes).text(), None);
        bytes[0] = PACKED_MARK;
        assert_eq!(BankReference::from_bytes(bytes).text(), None);
    }
}
