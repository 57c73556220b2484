//! Amounts as decimal texts, as messages write them. They are added as integers; no float holds
//! money here either.

/// Decimals of the sums. No currency has more than four.
const DECIMALS_MAX: usize = 5;
/// The whole digits of an amount; more do not stand in a message.
const WHOLE_DIGITS_MAX: usize = 18;

/// Returns the number of an unsigned decimal text in units of 10^-5, or `None` if it is none.
pub(crate) fn units(text: &str) -> Option<i128> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_short = whole.len() <= WHOLE_DIGITS_MAX && decimals.len() <= DECIMALS_MAX;
    if whole.is_empty() || !is_short || !is_digits(whole) || !is_digits(decimals) {
        return None;
    }
    format!("{whole}{decimals:0<DECIMALS_MAX$}").parse().ok()
}

/// Returns the decimals of a text.
pub(crate) fn decimals(text: &str) -> usize {
    text.split_once('.').map_or(0, |(_, decimals)| decimals.len())
}

/// Returns the text of a number of units without its sign, with this many decimals. Digits beyond
/// them are zeros, since sums have no more decimals than their terms.
pub(crate) fn text(units: i128, decimals: usize) -> String {
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = DECIMALS_MAX + 1);
    let (whole, rest) = digits.split_at(digits.len() - DECIMALS_MAX);
    match rest.get(..decimals.min(DECIMALS_MAX)).unwrap_or_default() {
        "" => whole.to_owned(),
        kept => format!("{whole}.{kept}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_added_and_written() {
        for (amount, expected) in [
            ("12.34", Some(1_234_000)),
            ("12", Some(1_200_000)),
            ("0.001", Some(100)),
            ("999999999999999999.99", Some(99_999_999_999_999_999_999_000)),
            ("", None),
            (".5", None),
            ("-1", None),
            ("1e3", None),
            ("1.000001", None),
        ] {
            assert_eq!(units(amount), expected, "{amount}");
            if let Some(units) = expected {
                assert_eq!(text(units, decimals(amount)), amount);
            }
        }
        assert_eq!(text(-150_000, 2), "1.50");
        assert_eq!(text(0, 0), "0");
    }
}
