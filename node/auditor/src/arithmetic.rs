//! The auditor's own arithmetic: one fraction with its two roundings, and rates as whole numbers.

use chain_types::Rejection;

/// Rates are compared as multiples of 10^-15: every rate is a whole number of them.
const RATE_DECIMALS: u16 = 15;
/// 10^-9 in multiples of 10^-15.
const RATE_MIN: u128 = 1_000_000;
/// 10^9 in multiples of 10^-15.
const RATE_MAX: u128 = 1_000_000_000_000_000_000_000_000;
/// A quote may differ from the reference by less than this many thousandths of it.
const DRIFT_PER_MILLE: u128 = 3;

/// A fraction of whole numbers; the denominator is not zero.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fraction {
    numerator: u128,
    denominator: u128,
}

impl Fraction {
    /// The exact value `numerator / denominator`; the denominator is above zero.
    pub(crate) fn new(numerator: u128, denominator: u128) -> Self {
        assert!(denominator > 0, "a fraction has a denominator");
        Self { numerator, denominator }
    }

    /// Down to the whole number.
    pub(crate) fn floor(self) -> u128 {
        self.numerator / self.denominator
    }
}

/// Returns true if `whole` differs from `exact` by more than so many thousandths of it.
pub(crate) fn is_off(exact: Fraction, whole: u64, thousandths: u32) -> bool {
    let scaled = u128::from(whole) * exact.denominator;
    let (low, high) = (scaled.min(exact.numerator), scaled.max(exact.numerator));
    let allowed = exact.numerator.checked_mul(u128::from(thousandths));
    // What passes 128 bits allows more than a rounding can be off.
    allowed.is_some_and(|allowed| (high - low).saturating_mul(1_000) > allowed)
}

/// A rate within its bounds: `mantissa / 10^scale`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawRate {
    mantissa: u64,
    scale: u16,
}

impl RawRate {
    /// The rate of these digits.
    ///
    /// # Errors
    /// 601 out of bounds.
    pub(crate) fn new(mantissa: u64, scale: u16) -> Result<Self, Rejection> {
        let rate = Self { mantissa, scale };
        let is_within = scale <= RATE_DECIMALS && (RATE_MIN..=RATE_MAX).contains(&rate.exact());
        is_within.then_some(rate).ok_or(Rejection::RateOutOfBounds)
    }

    /// The rate in multiples of 10^-15: exact, at most 2^64 × 10^15.
    pub(crate) fn exact(self) -> u128 {
        u128::from(self.mantissa) * ten_to(RATE_DECIMALS - self.scale)
    }

    /// `amount` of a currency with `exponent` digits as minor units of one with `payout_exponent`;
    /// `None` when that is past what 128 bits hold.
    pub(crate) fn convert(
        self,
        amount: u64,
        exponent: u16,
        payout_exponent: u16,
    ) -> Option<Fraction> {
        let numerator = (u128::from(amount) * u128::from(self.mantissa))
            .checked_mul(ten_to(payout_exponent))?;
        Some(reduced(numerator, exponent + self.scale))
    }
}

/// `numerator / 10^decades`, with tens taken out of both while they divide.
fn reduced(mut numerator: u128, mut decades: u16) -> Fraction {
    while decades > 0 && numerator.is_multiple_of(10) {
        numerator /= 10;
        decades -= 1;
    }
    Fraction::new(numerator, ten_to(decades))
}

/// The median of rates in multiples of 10^-15; of an even number the lower of the middle two.
/// `None` of none.
pub(crate) fn median(mut rates: Vec<u128>) -> Option<u128> {
    rates.sort_unstable();
    let middle = rates.len().checked_sub(1)? / 2;
    rates.get(middle).copied()
}

/// Returns true if `rate` differs from `reference` by 0.3 % of it or more.
pub(crate) fn has_drifted(rate: u128, reference: u128) -> bool {
    is_apart(rate, reference, DRIFT_PER_MILLE)
}

/// Returns true if `rate` differs from `reference` by so many thousandths of it or more.
pub(crate) fn is_apart(rate: u128, reference: u128, thousandths: u128) -> bool {
    rate.abs_diff(reference) * 1_000 >= reference * thousandths
}

fn ten_to(exponent: u16) -> u128 {
    10_u128.pow(u32::from(exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_past_a_whole_number_is_left_out() {
        let rows = [
            // numerator, denominator, floor
            (0, 7, 0),
            (1, 2, 0),
            (3, 2, 1),
            (5, 2, 2),
            (7, 2, 3),
            (4_999, 10_000, 0),
            (5_001, 10_000, 0),
            (15_000, 10_000, 1),
            (25_000, 10_000, 2),
            (1, 3, 0),
            (2, 3, 0),
            (9, 3, 3),
            (u128::MAX, 1, u128::MAX),
            (u128::MAX, 2, u128::MAX / 2),
            (u128::MAX, u128::MAX, 1),
        ];
        for (numerator, denominator, floor) in rows {
            let fraction = Fraction::new(numerator, denominator);
            assert_eq!(fraction.floor(), floor, "{numerator} / {denominator} down");
        }
    }

    #[test]
    fn rounding_is_off_by_a_part_of_the_exact_value() {
        let rows = [
            // numerator, denominator, whole, thousandths, off
            (1_414, 100, 14, 9, true),
            (1_414, 100, 14, 10, false),
            (98, 100, 0, 999, true),
            (98, 100, 1, 20, true),
            (98, 100, 1, 21, false),
            (7, 7, 1, 0, false),
        ];
        for (numerator, denominator, whole, thousandths, off) in rows {
            let exact = Fraction::new(numerator, denominator);
            let shown = format!("{whole} for {numerator} / {denominator} within {thousandths}");
            assert_eq!(is_off(exact, whole, thousandths), off, "{shown}");
        }
    }

    #[test]
    fn rates_have_bounds() {
        let rows = [
            // mantissa, scale, whether it is a rate
            (0, 0, false),
            (1, 9, true),
            (1, 10, false),
            (9, 10, false),
            (10, 10, true),
            (1_000_000, 15, true),
            (999_999, 15, false),
            (1_000_000_000, 0, true),
            (1_000_000_001, 0, false),
            (10_000_000_000_000_000_000, 10, true),
            (10_000_000_000_000_000_001, 10, false),
            (u64::MAX, 15, true),
            (1_000, 16, false),
            (1_000, u16::MAX, false),
        ];
        for (mantissa, scale, is_rate) in rows {
            let rate = RawRate::new(mantissa, scale);
            assert_eq!(rate.is_ok(), is_rate, "{mantissa} / 10^{scale}");
        }
    }

    #[test]
    fn conversion_is_exact() {
        let rows = [
            // amount, mantissa, scale, exponents, floor
            (10_000, 1_404, 4, (2, 2), 1_404),
            (12_345, 1_404, 4, (2, 2), 1_733),
            (5, 1, 1, (2, 2), 0),
            (15, 1, 1, (2, 2), 1),
            (25, 1, 1, (2, 2), 2),
            (100, 21, 0, (2, 0), 21),
            (250, 1, 0, (2, 0), 2),
            (350, 1, 0, (2, 0), 3),
            (7, 2, 3, (0, 3), 14),
            (1, 1, 9, (4, 0), 0),
            (1_000_000_000_000_000, u64::MAX, 11, (0, 0), 184467440737095516150000),
        ];
        for (amount, mantissa, scale, (from, to), floor) in rows {
            let Ok(rate) = RawRate::new(mantissa, scale) else {
                panic!("{mantissa} / 10^{scale} is a rate")
            };
            let Some(exact) = rate.convert(amount, from, to) else {
                panic!("{amount} at {mantissa} / 10^{scale} fits")
            };
            assert_eq!(exact.floor(), floor, "{amount} at {mantissa} / 10^{scale} down");
        }
    }

    #[test]
    fn the_median_of_an_even_number_is_the_lower_middle_one() {
        let rows: [(Vec<u128>, Option<u128>); 6] = [
            (vec![], None),
            (vec![5], Some(5)),
            (vec![9, 1], Some(1)),
            (vec![9, 1, 5], Some(5)),
            (vec![4, 3, 2, 1], Some(2)),
            (vec![7, 7, 1, 9, 8], Some(7)),
        ];
        for (rates, expected) in rows {
            let shown = format!("{rates:?}");
            assert_eq!(median(rates), expected, "{shown}");
        }
    }

    #[test]
    fn a_quote_drifts_from_three_thousandths_on() {
        let rows = [
            // quote, reference (mantissa, scale), drifted
            ((10_000, 4), (1, 0), false),
            ((10_029, 4), (1, 0), false),
            ((9_971, 4), (1, 0), false),
            ((10_030, 4), (1, 0), true),
            ((9_970, 4), (1, 0), true),
            ((1_002_999, 6), (1, 0), false),
            ((71_214, 5), (71, 2), true),
            ((71_212, 5), (71, 2), false),
            ((1_500, 3), (15, 1), false),
        ];
        for (quote, reference, expected) in rows {
            let exact = |(mantissa, scale)| match RawRate::new(mantissa, scale) {
                Ok(rate) => rate.exact(),
                Err(_) => panic!("{mantissa} / 10^{scale} is a rate"),
            };
            let drifted = has_drifted(exact(quote), exact(reference));
            assert_eq!(drifted, expected, "{quote:?} against {reference:?}");
        }
    }
}
