//! Accounts, agents and addresses, checked once when an account book is loaded, and never at
//! payment time.

use std::fmt;

/// Characters of an account that is no IBAN, of a bank's code, and of a line of an address.
const OTHER_CHARACTERS_MAX: usize = 34;
const MEMBER_CHARACTERS_MAX: usize = 35;
const TOWN_CHARACTERS_MAX: usize = 35;
const STREET_CHARACTERS_MAX: usize = 70;
const POSTCODE_CHARACTERS_MAX: usize = 16;

/// Why an account, an agent or an address cannot be written into a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountFlaw {
    /// The IBAN has another form, or its check digits are not those of the rest.
    #[error("{0:?} is not an IBAN: two letters, two check digits, and up to 30 letters or digits")]
    Iban(String),
    /// The BIC has another form.
    #[error("{0:?} is not a BIC of 8 or 11 characters")]
    Bic(String),
    /// The account number is empty, too long, or has characters that a bank may not carry.
    #[error("{0:?} is not an account number: 1 to 34 characters of the SWIFT X set, no // in it")]
    Other(String),
    /// The code of a clearing system or of its member has another form.
    #[error("{0:?} is not a member of a clearing system, such as CNAPS and 12 digits")]
    Member(String),
    /// The country is not two capital letters.
    #[error("{0:?} is not a country: two capital letters")]
    Country(String),
    /// A line of the address is empty or too long.
    #[error("{0:?} is empty or too long for its line of an address")]
    Line(String),
}

/// An IBAN whose check digits are right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Iban(String);

impl Iban {
    /// Returns the IBAN of a text, with or without spaces.
    ///
    /// # Errors
    /// When the text has another form or other check digits.
    pub fn new(text: &str) -> Result<Self, AccountFlaw> {
        let iban: String = text.chars().filter(|letter| *letter != ' ').collect();
        let has_form = (5..=34).contains(&iban.len())
            && iban.bytes().enumerate().all(|(place, byte)| match place {
                0 | 1 => byte.is_ascii_uppercase(),
                2 | 3 => byte.is_ascii_digit(),
                _ => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            });
        if has_form && remainder_97(&iban) == 1 {
            Ok(Self(iban))
        } else {
            Err(AccountFlaw::Iban(text.chars().take(40).collect()))
        }
    }
}

/// The remainder by 97 of the number that an IBAN stands for (ISO 7064).
fn remainder_97(iban: &str) -> u32 {
    let (start, rest) = iban.split_at(4);
    rest.bytes().chain(start.bytes()).fold(0, |held, byte| match byte {
        b'0'..=b'9' => (held * 10 + u32::from(byte - b'0')) % 97,
        _ => (held * 100 + u32::from(byte - b'A') + 10) % 97,
    })
}

impl fmt::Display for Iban {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The number of a bank account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccountNumber {
    /// An IBAN (ISO 13616), its check digits checked.
    Iban(Iban),
    /// Any other number, as the bank writes it.
    Other(String),
}

impl AccountNumber {
    /// Returns the account of a number that is no IBAN.
    ///
    /// # Errors
    /// When it is empty, has over 34 characters or one outside of the SWIFT X set.
    pub fn other(text: &str) -> Result<Self, AccountFlaw> {
        let is_carried = |byte: u8| byte.is_ascii_alphanumeric() || b"/-?:().,'+".contains(&byte);
        let slashes = text.starts_with('/') || text.ends_with('/') || text.contains("//");
        if (1..=OTHER_CHARACTERS_MAX).contains(&text.len())
            && text.bytes().all(is_carried)
            && !slashes
        {
            Ok(Self::Other(text.to_owned()))
        } else {
            Err(AccountFlaw::Other(text.chars().take(40).collect()))
        }
    }

    /// Returns the number as banks write it.
    pub fn text(&self) -> &str {
        match self {
            Self::Iban(iban) => &iban.0,
            Self::Other(text) => text,
        }
    }
}

/// A bank, by its BIC or as the member of a clearing system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BankAgent {
    /// A business identifier code.
    Bic(String),
    /// The member of a clearing system.
    Member {
        /// ISO's code of the system, such as `CNAPS`.
        system: String,
        /// The member's id in it.
        member: String,
    },
}

impl BankAgent {
    /// Returns the bank of a BIC.
    ///
    /// # Errors
    /// When the text has not 8 or 11 characters of a BIC.
    pub fn bic(text: &str) -> Result<Self, AccountFlaw> {
        let has_form = [8, 11].contains(&text.len())
            && text.bytes().enumerate().all(|(place, byte)| match place {
                4 | 5 => byte.is_ascii_uppercase(),
                _ => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            });
        let flaw = || AccountFlaw::Bic(text.chars().take(12).collect());
        if has_form { Ok(Self::Bic(text.to_owned())) } else { Err(flaw()) }
    }

    /// Returns the bank that is a member of a clearing system.
    ///
    /// # Errors
    /// When the system has not 1 to 5 or the member not 1 to 35 letters or digits.
    pub fn member(system: &str, member: &str) -> Result<Self, AccountFlaw> {
        let is_code = |text: &str, most| {
            (1..=most).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        if is_code(system, 5) && is_code(member, MEMBER_CHARACTERS_MAX) {
            Ok(Self::Member { system: system.to_owned(), member: member.to_owned() })
        } else {
            Err(AccountFlaw::Member(format!("{system} {member}").chars().take(48).collect()))
        }
    }
}

/// A structured address. Banks refuse addresses in free lines from November 2026 on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartyAddress {
    pub(crate) street: Option<String>,
    pub(crate) postcode: Option<String>,
    pub(crate) town: String,
    pub(crate) country: String,
}

impl PartyAddress {
    /// Returns the address of a town and a country: the least that banks take.
    ///
    /// # Errors
    /// When the town is empty or too long, or the country is not two capital letters.
    pub fn new(town: &str, country: &str) -> Result<Self, AccountFlaw> {
        if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(AccountFlaw::Country(country.chars().take(8).collect()));
        }
        let town = line(town, TOWN_CHARACTERS_MAX)?;
        Ok(Self { street: None, postcode: None, town, country: country.to_owned() })
    }

    /// Sets street and postcode.
    ///
    /// # Errors
    /// When one of them is empty or too long.
    pub fn with_street(mut self, street: &str, postcode: &str) -> Result<Self, AccountFlaw> {
        self.street = Some(line(street, STREET_CHARACTERS_MAX)?);
        self.postcode = Some(line(postcode, POSTCODE_CHARACTERS_MAX)?);
        Ok(self)
    }
}

fn line(text: &str, characters_max: usize) -> Result<String, AccountFlaw> {
    let text = text.trim();
    if (1..=characters_max).contains(&text.chars().count()) {
        Ok(text.to_owned())
    } else {
        Err(AccountFlaw::Line(text.chars().take(characters_max + 1).collect()))
    }
}

/// Somebody with an account at a bank: the gateway that pays, or the merchant that is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankParty {
    /// The name as the account book has it; a message carries as much of it as it can.
    pub name: String,
    /// The address, where the bank asks for one.
    pub address: Option<PartyAddress>,
    /// The number of the party's account.
    pub account: AccountNumber,
    /// The bank of the account.
    pub agent: BankAgent,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_iban_has_the_right_check_digits() {
        for text in [
            "DE89370400440532013000",
            "GB82 WEST 1234 5698 7654 32",
            "KW81CBKU0000000000001234560101",
        ] {
            assert_eq!(Iban::new(text).unwrap().to_string(), text.replace(' ', ""));
        }
        for text in [
            "",
            "DE",
            "DE89370400440532013001",
            "de89370400440532013000",
            "DE8937040044053201300O",
            "É8",
        ] {
            assert!(Iban::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn accounts_agents_and_addresses_are_checked() {
        assert!(BankAgent::bic("DEUTDEFF").is_ok() && BankAgent::bic("DEUTDEFF500").is_ok());
        for text in ["", "DEUTDEF", "deutdeff", "DEUT1EFF", "DEUTDEFF50"] {
            assert!(BankAgent::bic(text).is_err(), "{text}");
        }
        assert!(BankAgent::member("CNAPS", "102100099996").is_ok());
        assert!(
            BankAgent::member("CNAPSX", "1").is_err() && BankAgent::member("CNAPS", "").is_err()
        );
        assert!(AccountNumber::other("6222020200112233445").is_ok());
        for text in ["", "/1", "1/", "1//2", "12 34", "账号", &"1".repeat(35)] {
            assert!(AccountNumber::other(text).is_err(), "{text}");
        }
        assert!(
            PartyAddress::new("Shanghai", "CN")
                .unwrap()
                .with_street("Nanjing Lu 1", "200000")
                .is_ok()
        );
        assert!(PartyAddress::new("", "CN").is_err() && PartyAddress::new("X", "China").is_err());
    }
}
