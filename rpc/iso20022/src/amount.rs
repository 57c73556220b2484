//! Amounts as ISO 20022 writes them, read and written by hand. Integers only: no float ever holds
//! money.

use chain_types::{Amount, Currency};

/// Digits of an amount in ISO 20022 (`totalDigits`), the fraction's among them.
const TOTAL_DIGITS_MAX: usize = 18;
/// Characters of a text that a flaw quotes, and of one that is read at all.
const TEXT_CHARACTERS_MAX: usize = 64;

/// Why a text is not an amount of a currency.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum AmountFlaw {
    /// It is not digits with at most one point.
    #[error("{0:?} is not an amount: digits, and a point before decimals")]
    Form(String),
    /// It has digits other than zero beyond the currency's minor unit.
    #[error("{text:?} is finer than the minor unit of {code}, which has {exponent} decimals")]
    TooFine {
        /// The amount as it was written.
        text: String,
        /// The currency's code by ISO 4217.
        code: String,
        /// Decimals of the currency.
        exponent: u16,
    },
    /// It is negative: the direction stands in an element of its own.
    #[error("{0:?} is negative: a direction is stated by CRDT or DBIT")]
    Negative(String),
    /// It does not fit 64 bits of minor units.
    #[error("{0:?} is too large: at most 18446744073709551615 minor units")]
    Overflow(String),
    /// The code is not that of a currency with minor units.
    #[error("{0:?} is not a currency with minor units")]
    Currency(String),
    /// The amount has more than 18 digits, which no message can carry.
    #[error("{0:?} has more than 18 digits, which ISO 20022 cannot carry")]
    TooLong(String),
}

/// An amount of one currency, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BankMoney {
    /// The minor units; the direction stands beside.
    pub amount: Amount,
    /// The currency of the amount.
    pub currency: Currency,
}

fn quoted(text: &str) -> String {
    text.chars().take(TEXT_CHARACTERS_MAX).collect()
}

fn exponent(currency: Currency) -> Result<u16, AmountFlaw> {
    currency.exponent().ok_or_else(|| AmountFlaw::Currency(currency.code_or_number()))
}

/// Returns the currency of a three-letter code.
///
/// # Errors
/// When ISO 4217 does not list the code, or gives it no minor unit.
pub fn parse_currency(code: &str) -> Result<Currency, AmountFlaw> {
    let currency = Currency::from_code(code).filter(|each| each.exponent().is_some());
    currency.ok_or_else(|| AmountFlaw::Currency(quoted(code)))
}

/// Returns the minor units of a decimal number of `currency`. Decimals beyond the minor unit must
/// be zeros: `12.3400000000000` CNY is 1234.
///
/// # Errors
/// [`AmountFlaw`], which quotes the text.
pub fn parse_amount(text: &str, currency: Currency) -> Result<Amount, AmountFlaw> {
    let exponent = exponent(currency)?;
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    let (whole, decimals) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if text.chars().count() > TEXT_CHARACTERS_MAX {
        return Err(AmountFlaw::Form(quoted(text)));
    }
    if let Some(positive) = text.strip_prefix('-')
        && parse_amount(positive, currency).is_ok()
    {
        return Err(AmountFlaw::Negative(quoted(text)));
    }
    if whole.len() + decimals.len() == 0 || !is_digits(whole) || !is_digits(decimals) {
        return Err(AmountFlaw::Form(quoted(text)));
    }
    let places = usize::from(exponent);
    let (kept, beyond) = decimals.split_at(decimals.len().min(places));
    if beyond.bytes().any(|byte| byte != b'0') {
        let (text, code) = (quoted(text), currency.code_or_number());
        return Err(AmountFlaw::TooFine { text, code, exponent });
    }
    let zeros = std::iter::repeat_n(b'0', places - kept.len());
    let mut minor = 0_u64;
    for digit in whole.bytes().chain(kept.bytes()).chain(zeros) {
        minor = minor
            .checked_mul(10)
            .and_then(|minor| minor.checked_add(u64::from(digit - b'0')))
            .ok_or_else(|| AmountFlaw::Overflow(quoted(text)))?;
    }
    Ok(Amount::new(minor))
}

/// Returns the text of an amount with all decimals of its currency: `12.00`, `12` of JPY, `12.000`
/// of KWD.
///
/// # Errors
/// When the currency has no minor unit, or the amount has more than 18 digits.
pub fn amount_text(amount: Amount, currency: Currency) -> Result<String, AmountFlaw> {
    sum_text(u128::from(amount.get()), currency)
}

/// Returns the text of a sum of amounts.
///
/// # Errors
/// When the currency has no minor unit, or the sum has more than 18 digits.
pub fn sum_text(minor: u128, currency: Currency) -> Result<String, AmountFlaw> {
    let text = minor_text(minor, currency)?;
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if digits > TOTAL_DIGITS_MAX { Err(AmountFlaw::TooLong(text)) } else { Ok(text) }
}

/// Returns the text of any sum, however long.
///
/// # Errors
/// When the currency has no minor unit.
pub(crate) fn minor_text(minor: u128, currency: Currency) -> Result<String, AmountFlaw> {
    let places = usize::from(exponent(currency)?);
    let digits = format!("{minor:0>width$}", width = places + 1);
    let (whole, decimals) = digits.split_at(digits.len() - places);
    Ok(if decimals.is_empty() { whole.to_owned() } else { format!("{whole}.{decimals}") })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The currencies of the scheme, with their exponents.
    const CURRENCIES: [(&str, u16); 18] = [
        ("CNY", 2),
        ("USD", 2),
        ("EUR", 2),
        ("GBP", 2),
        ("JPY", 0),
        ("HKD", 2),
        ("TWD", 2),
        ("KRW", 0),
        ("SGD", 2),
        ("MYR", 2),
        ("THB", 2),
        ("IDR", 2),
        ("VND", 0),
        ("PHP", 2),
        ("INR", 2),
        ("AUD", 2),
        ("AED", 2),
        ("KWD", 3),
    ];

    fn currency(code: &str) -> Currency {
        parse_currency(code).unwrap()
    }

    #[test]
    fn each_of_the_18_currencies_has_its_exponent_and_reads_back() {
        for (code, exponent) in CURRENCIES {
            let currency = currency(code);
            assert_eq!(currency.exponent(), Some(exponent), "{code}");
            for minor in [0, 1, 9, 10, 99, 100, 999, 1_000, 123_456_789, 999_999_999_999_999_999] {
                let text = amount_text(Amount::new(minor), currency).unwrap();
                assert_eq!(parse_amount(&text, currency), Ok(Amount::new(minor)), "{text} {code}");
                let zeros = if exponent == 0 { ".0000000000000" } else { "0000000000000" };
                let long = format!("{text}{zeros}");
                assert_eq!(parse_amount(&long, currency), Ok(Amount::new(minor)), "{long} {code}");
                if exponent > 0 {
                    let finer = format!("{text}1");
                    let flaw = parse_amount(&finer, currency).unwrap_err();
                    assert!(matches!(&flaw, AmountFlaw::TooFine { text, .. } if *text == finer));
                    assert!(flaw.to_string().contains(&finer));
                }
            }
        }
    }

    #[test]
    fn every_form_of_a_decimal_is_read() {
        for (text, code, minor) in [
            ("12.34", "CNY", 1_234),
            ("12.3", "CNY", 1_230),
            ("12", "CNY", 1_200),
            ("12.", "CNY", 1_200),
            (".5", "CNY", 50),
            ("+12.34", "CNY", 1_234),
            ("0012.34", "CNY", 1_234),
            ("12.3400000000000", "CNY", 1_234),
            ("12.000", "JPY", 12),
            ("1.5", "KWD", 1_500),
            ("184467440737095516.15", "CNY", u64::MAX),
        ] {
            assert_eq!(parse_amount(text, currency(code)), Ok(Amount::new(minor)), "{text}");
        }
    }

    #[test]
    fn everything_else_is_a_named_flaw_that_quotes_the_text() {
        let cny = currency("CNY");
        for text in [
            "", ".", "+", "-", "+.", "1,000.00", "1 000", " 1", "1e3", "0x1", "1.2.3", "NaN",
            "INF", "١٢", "--1", "+-1", "1\u{0}", "１２",
        ] {
            assert_eq!(parse_amount(text, cny), Err(AmountFlaw::Form(text.to_owned())), "{text:?}");
        }
        assert_eq!(parse_amount("-1.00", cny), Err(AmountFlaw::Negative("-1.00".to_owned())));
        let over = "184467440737095516.16";
        assert_eq!(parse_amount(over, cny), Err(AmountFlaw::Overflow(over.to_owned())));
        assert!(matches!(parse_amount(&"1".repeat(65), cny), Err(AmountFlaw::Form(_))));
        assert!(matches!(parse_amount("1.5", currency("JPY")), Err(AmountFlaw::TooFine { .. })));
        for code in ["", "cny", "XXX", "ZZZ", "156", "CNYX"] {
            assert_eq!(parse_currency(code), Err(AmountFlaw::Currency(code.to_owned())), "{code}");
        }
        assert!(matches!(amount_text(Amount::new(u64::MAX), cny), Err(AmountFlaw::TooLong(_))));
    }
}
