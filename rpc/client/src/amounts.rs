//! Amounts as people write them, in major units, read into minor units. Integers only: no float
//! ever holds money.

use chain_types::{Amount, Currency};

/// Why a text is not an amount of a currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// It is not digits, with at most one point between digits.
    #[error("{0:?} is not an amount: write digits, and a point before decimals, such as 12.34")]
    Form(String),
    /// It has more decimals than the currency.
    #[error("{text:?} has {actual} decimals; {code} has {expected}")]
    Decimals {
        /// The amount as it was written.
        text: String,
        /// The currency's ISO 4217 code.
        code: &'static str,
        /// The number of decimals that were written.
        actual: usize,
        /// Decimals of the currency.
        expected: u16,
    },
    /// It does not fit 64 bits of minor units.
    #[error("{0:?} is too large: at most 18446744073709551615 minor units")]
    Overflow(String),
    /// The number is not a currency with minor units.
    #[error("{0} is not a currency with minor units")]
    Currency(Currency),
}

/// The amount that `text` writes in major units of `currency`: `12.34` CNY is 1234 minor units,
/// `12` JPY is 12, `1.5` KWD is 1500.
///
/// # Errors
/// [`AmountError`]: any other form, more decimals than the currency has, or over 64 bits.
pub fn parse(text: &str, currency: Currency) -> Result<Amount, AmountError> {
    let (code, exponent) = code_and_exponent(currency)?;
    let form = || AmountError::Form(text.to_owned());
    let (whole, decimals) = match text.split_once('.') {
        Some((whole, decimals)) if !decimals.is_empty() => (whole, decimals),
        Some(_) => return Err(form()),
        None => (text, ""),
    };
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(decimals) {
        return Err(form());
    }
    if decimals.len() > usize::from(exponent) {
        let (text, actual) = (text.to_owned(), decimals.len());
        return Err(AmountError::Decimals { text, code, actual, expected: exponent });
    }
    let padding = usize::from(exponent) - decimals.len();
    let zeros = std::iter::repeat_n(b'0', padding);
    let mut minor = 0_u64;
    for digit in whole.bytes().chain(decimals.bytes()).chain(zeros) {
        minor = minor
            .checked_mul(10)
            .and_then(|minor| minor.checked_add(u64::from(digit - b'0')))
            .ok_or_else(|| AmountError::Overflow(text.to_owned()))?;
    }
    Ok(Amount::new(minor))
}

fn code_and_exponent(currency: Currency) -> Result<(&'static str, u16), AmountError> {
    currency.code().zip(currency.exponent()).ok_or(AmountError::Currency(currency))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::from_code(code).unwrap()
    }

    #[test]
    fn major_units_become_minor_units_by_the_currency_s_exponent() {
        let table: &[(&str, &str, u64)] = &[
            ("12.34", "CNY", 1_234),
            ("12.3", "CNY", 1_230),
            ("12", "CNY", 1_200),
            ("0.01", "CNY", 1),
            ("0", "CNY", 0),
            ("007.50", "USD", 750),
            ("12", "JPY", 12),
            ("12.345", "KWD", 12_345),
            ("1.5", "KWD", 1_500),
            ("184467440737095516.15", "CNY", u64::MAX),
            ("18446744073709551615", "JPY", u64::MAX),
        ];
        for (text, code, minor) in table {
            assert_eq!(parse(text, currency(code)), Ok(Amount::new(*minor)), "{text} {code}");
        }
    }

    #[test]
    fn every_other_form_is_refused() {
        for text in [
            "",
            ".",
            ".5",
            "5.",
            "-1",
            "+1",
            "1,000",
            "1 000",
            " 1",
            "1 ",
            "1e3",
            "0x10",
            "1.2.3",
            "١٢",
            "NaN",
            "12.34 CNY",
        ] {
            assert_eq!(
                parse(text, currency("CNY")),
                Err(AmountError::Form(text.to_owned())),
                "{text:?}"
            );
        }
    }

    #[test]
    fn too_many_decimals_name_the_currency_s_own() {
        for (text, code, actual, expected) in
            [("1.234", "CNY", 3, 2), ("1.0", "JPY", 1, 0), ("1.0000", "KWD", 4, 3)]
        {
            let error = parse(text, currency(code)).unwrap_err();
            let text = text.to_owned();
            let code = currency(code).code().unwrap();
            assert_eq!(error, AmountError::Decimals { text, code, actual, expected });
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (text, code) in [
            ("184467440737095516.16", "CNY"),
            ("18446744073709551616", "JPY"),
            ("18446744073709551.616", "KWD"),
            ("99999999999999999999999999", "USD"),
        ] {
            assert_eq!(
                parse(text, currency(code)),
                Err(AmountError::Overflow(text.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_shown_reads_back() {
        let table = [(1_234, "CNY"), (1, "CNY"), (0, "CNY"), (12, "JPY"), (1_500, "KWD")];
        for (minor, code) in table.into_iter().chain([(u64::MAX, "USD"), (u64::MAX, "KWD")]) {
            let shown = rpc_api::Money::new(Amount::new(minor), currency(code)).to_string();
            let number = shown.split_once(' ').unwrap().0;
            assert_eq!(parse(number, currency(code)), Ok(Amount::new(minor)), "{shown}");
        }
    }
}
