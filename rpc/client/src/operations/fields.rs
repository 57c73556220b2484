//! Fields that several kinds of operation have.

use std::fmt::Display;
use std::str::FromStr;

use chain_types::{Amount, Currency, Decision, Digest, OrderId, PublicKey, Rate};
use rpc_api::rate_of;

use crate::amounts;
use crate::order_file::{FileError, Row};

/// The bytes of a UUID.
pub(super) fn id(row: &Row, field: &str) -> Result<[u8; 16], FileError> {
    Ok(row.parse(field, str::parse::<OrderId>)?.bytes())
}

/// An ISO 4217 code.
pub(super) fn currency(row: &Row, field: &str) -> Result<Currency, FileError> {
    row.parse(field, |text| {
        Currency::from_code(text)
            .ok_or_else(|| format!("{text:?} is not an ISO 4217 code such as CNY, in capitals"))
    })
}

/// An amount in major units of `currency`.
pub(super) fn amount(row: &Row, field: &str, currency: Currency) -> Result<Amount, FileError> {
    row.parse(field, |text| amounts::parse(text, currency))
}

/// An amount that may be left out; zero then.
pub(super) fn optional_amount(
    row: &Row,
    field: &str,
    currency: Currency,
) -> Result<Amount, FileError> {
    match row.optional(field) {
        None => Ok(Amount::new(0)),
        Some(_) => amount(row, field, currency),
    }
}

/// A whole number from zero to `largest`.
pub(super) fn number<T: FromStr + Display>(
    row: &Row,
    field: &str,
    largest: T,
) -> Result<T, FileError> {
    row.parse(field, |text| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.then(|| text.parse().ok()).flatten();
        number.ok_or_else(|| format!("{text:?} is not a whole number from 0 to {largest}"))
    })
}

/// A whole number that may be left out.
pub(super) fn optional_number<T: FromStr + Display>(
    row: &Row,
    field: &str,
    largest: T,
) -> Result<Option<T>, FileError> {
    match row.optional(field) {
        None => Ok(None),
        Some(_) => number(row, field, largest).map(Some),
    }
}

/// Reads an exchange rate, a positive decimal number.
pub(super) fn rate(row: &Row, field: &str) -> Result<Rate, FileError> {
    row.parse(field, |text| {
        rate_of(text).ok_or_else(|| {
            format!("{text:?} is not a rate: digits and a point, from 10^-9 to 10^9")
        })
    })
}

/// A reason's number or ISO 20022 code.
pub(super) fn reason(
    row: &Row,
    known: impl Iterator<Item = (u16, &'static str)> + Clone,
) -> Result<u16, FileError> {
    row.parse("reason", |text| one_of(text, "a reason", known))
}

/// A choice's number or name.
pub(super) fn choice(
    row: &Row,
    field: &str,
    known: impl Iterator<Item = (u16, &'static str)> + Clone,
) -> Result<u16, FileError> {
    row.parse(field, |text| one_of(text, &format!("a known {field}"), known))
}

/// `approve` or `refuse`; `release` is another word for the first.
pub(super) fn decision(row: &Row) -> Result<u16, FileError> {
    if row.optional("decision") == Some("release") {
        return Ok(Decision::Approve.number());
    }
    let known = Decision::ALL.iter().map(|decision| (decision.number(), decision.name()));
    choice(row, "decision", known)
}

/// The number among `known` of a text that is a number or a name.
fn one_of(
    text: &str,
    what: &str,
    known: impl Iterator<Item = (u16, &'static str)> + Clone,
) -> Result<u16, String> {
    let found = known.clone().find(|(number, name)| *name == text || number.to_string() == text);
    found.map(|(number, _)| number).ok_or_else(|| {
        let known: Vec<String> = known.map(|(number, name)| format!("{number} ({name})")).collect();
        format!("{text:?} is not {what}; known are {}", known.join(", "))
    })
}

/// Reads a flag, `true` or `false`.
pub(super) fn flag(row: &Row, field: &str) -> Result<bool, FileError> {
    row.parse(field, |text| text.parse().map_err(|_| format!("{text:?} is not true or false")))
}

/// A public key, hexadecimal.
pub(super) fn public_key(row: &Row, field: &str) -> Result<PublicKey, FileError> {
    row.parse(field, |text| {
        PublicKey::from_hex(text)
            .ok_or_else(|| format!("{text:?} is not a public key: 64 hexadecimal digits"))
    })
}

/// Reads a digest of 64 hexadecimal digits.
pub(super) fn digest(row: &Row, field: &str) -> Result<Digest, FileError> {
    row.parse(field, |text| {
        Digest::from_hex(text)
            .ok_or_else(|| format!("{text:?} is not a digest: 64 hexadecimal digits"))
    })
}

/// The bank's or service's own reference: at most 32 bytes of text, padded with zeros.
pub(super) fn reference(row: &Row) -> Result<[u8; 32], FileError> {
    let text = row.optional("reference").unwrap_or_default();
    reference_bytes(text).ok_or_else(|| {
        row.error("reference", format!("{text:?} has {} bytes; at most 32", text.len()))
    })
}

/// `text` padded with zeros to 32 bytes; `None` when it is longer.
pub fn reference_bytes(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
    Some(bytes)
}
