//! Exchange rates as people and programs exchange them: exact decimal text.

use chain_types::Rate;
use chain_types::rate::RATE_SCALE_MAX;

/// A rate as a decimal number: `7.1234`, with all the digits that it was given.
pub fn rate_text(rate: Rate) -> String {
    let scale = usize::from(rate.scale());
    let digits = format!("{:0>width$}", rate.mantissa(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(scale));
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

/// The rate of a decimal number, or `None` for a text that is none: other characters than digits
/// and one point between digits, a zero before other digits, more than 15 decimals, or out of the
/// bounds of a rate.
pub fn rate_of(text: &str) -> Option<Rate> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !fraction.is_none_or(is_number) {
        return None;
    }
    let fraction = fraction.unwrap_or_default();
    let scale = u16::try_from(fraction.len()).ok().filter(|scale| *scale <= RATE_SCALE_MAX)?;
    let mantissa = format!("{whole}{fraction}").parse().ok()?;
    Rate::new(mantissa, scale).filter(|rate| rate_text(*rate) == text)
}
