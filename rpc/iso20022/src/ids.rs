//! Names of a payment between the chain and a bank. Each is made from the obligation alone, so that
//! a bridge that lost its disk finds them again. `docs/iso20022.md` gives the forms and vectors.

use std::fmt;
use std::str::FromStr;

use chain_types::hash::sha256;
use chain_types::{ChainId, Currency, InstructionId, MerchantId, WindowId};

use crate::base32;

/// The most characters of an id in ISO 20022 (`Max35Text`).
pub const ID_CHARACTERS_MAX: usize = 35;
/// The first character of an end-to-end id in its base32 form. The plain form begins with a digit.
const BASE32_MARK: char = 'S';
/// The first character of a message id.
const MESSAGE_MARK: char = 'M';
/// Bytes of a hash that a message id keeps: 160 bits, which are 32 characters.
const MESSAGE_BYTES: usize = 20;
/// Opens the hashed bytes of a UETR. No domain of the chain has this tag.
const UETR_TAG: [u8; 16] = *b"sluice:uetr:1\0\0\0";
/// Opens the hashed bytes of a message id.
const MESSAGE_TAG: [u8; 16] = *b"sluice:message:1";

/// A gateway's debt to a merchant: one attempt of one instruction of one chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Obligation {
    /// The chain whose instruction it is.
    pub chain: ChainId,
    /// The instruction's window, merchant and currency.
    pub instruction: InstructionId,
    /// The attempt, from 1.
    pub attempt: u16,
}

impl Obligation {
    /// Returns the id that travels with the money from end to end.
    pub fn end_to_end_id(&self) -> EndToEndId {
        EndToEndId { instruction: self.instruction, attempt: self.attempt }
    }

    /// Returns the unique reference of the payment's `resend`-th sending, from 0.
    pub fn uetr(&self, resend: u16) -> Uetr {
        let id = self.instruction;
        let hash = sha256(&[
            &UETR_TAG,
            &self.chain.digest().bytes(),
            &id.window.get().to_be_bytes(),
            &id.merchant.get().to_be_bytes(),
            &id.currency.get().to_be_bytes(),
            &self.attempt.to_be_bytes(),
            &resend.to_be_bytes(),
        ]);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.bytes()[..16]);
        bytes[6] = 0x40 | bytes[6] & 0x0f;
        bytes[8] = 0x80 | bytes[8] & 0x3f;
        Uetr(bytes)
    }
}

/// A text that is not an id of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct BankIdError {
    /// The text, as far as [`ID_CHARACTERS_MAX`] characters and one more.
    pub text: String,
    /// The form that was expected.
    pub expected: &'static str,
}

impl BankIdError {
    fn new(text: &str, expected: &'static str) -> Self {
        Self { text: text.chars().take(ID_CHARACTERS_MAX + 1).collect(), expected }
    }
}

/// The end-to-end id: `window-merchant-CCY-attempt` while that has at most 35 characters, and
/// otherwise `S` and the 20 bytes of the four numbers in base32. Both forms are read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndToEndId {
    /// The instruction that is paid.
    pub instruction: InstructionId,
    /// The attempt of the instruction, from 1.
    pub attempt: u16,
}

impl EndToEndId {
    /// Returns the obligation of `chain` that has this id.
    pub fn of_chain(self, chain: ChainId) -> Obligation {
        Obligation { chain, instruction: self.instruction, attempt: self.attempt }
    }

    fn plain(&self) -> Option<String> {
        let InstructionId { window, merchant, currency } = self.instruction;
        let code = currency.code_or_number();
        let text = format!("{window}-{merchant}-{code}-{}", self.attempt);
        (text.len() <= ID_CHARACTERS_MAX && code.len() == 3).then_some(text)
    }

    fn bytes(&self) -> [u8; 20] {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&self.instruction.window.get().to_be_bytes());
        bytes[8..16].copy_from_slice(&self.instruction.merchant.get().to_be_bytes());
        bytes[16..18].copy_from_slice(&self.instruction.currency.get().to_be_bytes());
        bytes[18..].copy_from_slice(&self.attempt.to_be_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (window, rest) = bytes.split_first_chunk::<8>()?;
        let (merchant, rest) = rest.split_first_chunk::<8>()?;
        let (currency, rest) = rest.split_first_chunk::<2>()?;
        let attempt: [u8; 2] = rest.try_into().ok()?;
        let instruction = InstructionId {
            window: WindowId::new(u64::from_be_bytes(*window)),
            merchant: MerchantId::new(u64::from_be_bytes(*merchant)),
            currency: Currency::new(u16::from_be_bytes(*currency)),
        };
        Some(Self { instruction, attempt: u16::from_be_bytes(attempt) })
    }

    fn from_plain(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let window = WindowId::new(parts.next()?.parse().ok()?);
        let merchant = MerchantId::new(parts.next()?.parse().ok()?);
        let currency = Currency::from_code_or_number(parts.next()?)?;
        let attempt = parts.next()?.parse().ok()?;
        let id = Self { instruction: InstructionId { window, merchant, currency }, attempt };
        parts.next().is_none().then_some(id)
    }
}

impl fmt::Display for EndToEndId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.plain() {
            Some(text) => formatter.write_str(&text),
            None => write!(formatter, "{BASE32_MARK}{}", base32::encode(&self.bytes())),
        }
    }
}

impl FromStr for EndToEndId {
    type Err = BankIdError;

    /// Reads an id in the one form in which it is written.
    fn from_str(text: &str) -> Result<Self, BankIdError> {
        let decoded = match text.strip_prefix(BASE32_MARK) {
            Some(digits) => base32::decode(digits).and_then(|bytes| Self::from_bytes(&bytes)),
            None => Self::from_plain(text),
        };
        decoded
            .filter(|id| id.to_string() == text)
            .ok_or_else(|| BankIdError::new(text, "an end-to-end id such as 12-1001-CNY-1"))
    }
}

/// A unique end-to-end transaction reference: a UUID of version 4 whose random bits are a hash of
/// chain, window, merchant, currency, attempt and re-send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uetr([u8; 16]);

impl fmt::Display for Uetr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            if matches!(place, 4 | 6 | 8 | 10) {
                formatter.write_str("-")?;
            }
            write!(formatter, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl FromStr for Uetr {
    type Err = BankIdError;

    /// Reads any UUID of version 4 in its hyphenated form, in small or large letters.
    fn from_str(text: &str) -> Result<Self, BankIdError> {
        let parse = || {
            let groups: Vec<&str> = text.split('-').collect();
            let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
            let digits: String = groups.concat();
            let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            if lengths != [8, 4, 4, 4, 12] || !is_hex {
                return None;
            }
            let bytes = u128::from_str_radix(&digits, 16).ok()?.to_be_bytes();
            (bytes[6] >> 4 == 4 && bytes[8] >> 6 == 0b10).then_some(Self(bytes))
        };
        parse().ok_or_else(|| BankIdError::new(text, "a UUID of version 4"))
    }
}

/// The id of a message: `M` and 160 bits of the hash of its content in base32. A file that is made
/// again has the same id and the same bytes, so that the bank's own check finds the duplicate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(String);

impl MessageId {
    /// Stands where the id will stand while the content is hashed: as long as an id.
    pub(crate) const PLACEHOLDER: &'static str = "M00000000000000000000000000000000";

    /// Returns the id of a message whose content is `bytes`, with zeros in the places of its id.
    pub(crate) fn of_content(bytes: &[u8]) -> Self {
        let hash = sha256(&[&MESSAGE_TAG, bytes]).bytes();
        Self(format!("{MESSAGE_MARK}{}", base32::encode(&hash[..MESSAGE_BYTES])))
    }

    /// Returns the id as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MessageId {
    type Err = BankIdError;

    /// Reads an id in the one form in which it is written.
    fn from_str(text: &str) -> Result<Self, BankIdError> {
        let digits = text.strip_prefix(MESSAGE_MARK).and_then(base32::decode);
        let is_own = digits.is_some_and(|bytes| bytes.len() == MESSAGE_BYTES);
        let id = || Self(text.to_owned());
        is_own.then(id).ok_or_else(|| BankIdError::new(text, "a message id: M and 32 digits"))
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use chain_types::Digest;
    use chain_types::hash::Domain;
    use proptest::prelude::*;

    use super::*;

    fn id(window: u64, merchant: u64, code: &str, attempt: u16) -> EndToEndId {
        let instruction = InstructionId {
            window: WindowId::new(window),
            merchant: MerchantId::new(merchant),
            currency: Currency::from_code(code).unwrap(),
        };
        EndToEndId { instruction, attempt }
    }

    #[test]
    fn an_id_is_plain_up_to_35_characters_and_base32_beyond() {
        let plain = id(12, 1_001, "CNY", 1).to_string();
        assert_eq!(plain, "12-1001-CNY-1");
        let longest = id(9_999_999_999, 9_999_999_999_999, "CNY", 65_535).to_string();
        assert_eq!(longest, "9999999999-9999999999999-CNY-65535");
        for (window, merchant, attempt) in
            [(u64::MAX, u64::MAX, u16::MAX), (u64::MAX, 1_001, 999), (1, u64::MAX, 65_535)]
        {
            let id = id(window, merchant, "KWD", attempt);
            let text = id.to_string();
            assert!(text.len() <= ID_CHARACTERS_MAX, "{text}");
            assert_eq!(text.parse(), Ok(id));
        }
        assert_eq!(id(u64::MAX, u64::MAX, "CNY", u16::MAX).to_string().len(), 33);
    }

    #[test]
    fn only_the_one_form_is_read() {
        let long = id(u64::MAX, u64::MAX, "CNY", 1).to_string();
        let short = format!("S{}", base32::encode(&id(12, 1_001, "CNY", 1).bytes()));
        for text in [
            "",
            "-",
            "S",
            "012-1001-CNY-1",
            "12-1001-156-1",
            "12-1001-CNY-1-1",
            "12-1001-CNY",
            "12-1001-CNY-65536",
            "12-1001-cny-1",
            "+12-1001-CNY-1",
            " 12-1001-CNY-1",
            "18446744073709551615-18446744073709551615-CNY-1",
            &short,
            &long.to_lowercase(),
            &long[..32],
            &format!("{long}A"),
            "١٢-1001-CNY-1",
        ] {
            assert!(text.parse::<EndToEndId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_message_id_reads_back() {
        let id = MessageId::of_content(b"content");
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        for text in ["", "M", &id.as_str()[1..], &id.as_str()[..32], &id.as_str().to_lowercase()] {
            assert!(text.parse::<MessageId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_uetr_is_a_uuid_of_version_4_and_follows_each_part() {
        let obligation =
            id(12, 1_001, "CNY", 1).of_chain(ChainId::new(Digest::from_bytes([7; 32])));
        let uetr = obligation.uetr(0);
        assert_eq!(uetr.to_string().parse(), Ok(uetr));
        assert_eq!(uetr.to_string().to_uppercase().parse(), Ok(uetr));
        let mut other = obligation;
        other.chain = ChainId::new(Digest::from_bytes([8; 32]));
        let mut all = vec![uetr, obligation.uetr(1), other.uetr(0)];
        for changed in [
            id(13, 1_001, "CNY", 1),
            id(12, 1_002, "CNY", 1),
            id(12, 1_001, "USD", 1),
            id(12, 1_001, "CNY", 2),
        ] {
            all.push(changed.of_chain(obligation.chain).uetr(0));
        }
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        for text in ["", "x", "0190a8e2-7c00-7000-8000-000000000000", &uetr.to_string()[1..]] {
            assert!(text.parse::<Uetr>().is_err(), "{text}");
        }
    }

    #[test]
    fn no_domain_of_the_chain_has_these_tags() {
        let domains = [
            Domain::Batch,
            Domain::Block,
            Domain::Vote,
            Domain::Proposal,
            Domain::State,
            Domain::Writes,
            Domain::Account,
            Domain::Validators,
            Domain::Parameters,
            Domain::Change,
            Domain::Report,
        ];
        for domain in domains {
            assert!(![UETR_TAG, MESSAGE_TAG].contains(&domain.tag()));
        }
    }

    proptest! {
        #[test]
        fn every_id_reads_back(window: u64, merchant: u64, currency: u16, attempt: u16) {
            let instruction = InstructionId {
                window: WindowId::new(window),
                merchant: MerchantId::new(merchant),
                currency: Currency::new(currency),
            };
            let id = EndToEndId { instruction, attempt };
            let text = id.to_string();
            prop_assert!(text.len() <= ID_CHARACTERS_MAX);
            prop_assert!(text.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'-')));
            prop_assert_eq!(text.parse(), Ok(id));
        }

        #[test]
        fn no_text_panics(text in ".{0,60}") {
            let _ = text.parse::<EndToEndId>();
            let _ = text.parse::<Uetr>();
        }
    }
}
