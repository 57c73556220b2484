//! Exchange rates: exact decimal fractions. What is converted is rounded down.

use std::cmp::Ordering;

use bincode::{Decode, Encode};

use crate::units::{Amount, Currency};

/// The largest [`Rate::scale`] that is accepted.
pub const RATE_SCALE_MAX: u16 = 15;
/// A rate lies between 10^-9 and 10^9.
const RATE_DECADES: u32 = 9;

/// Units of the payout currency for one unit of the collected currency, both major units:
/// `mantissa / 10^scale`, between 10^-9 and 10^9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Rate {
    mantissa: u64,
    scale: u16,
}

impl Rate {
    /// A rate, or `None` when it is out of bounds.
    pub fn new(mantissa: u64, scale: u16) -> Option<Self> {
        if scale > RATE_SCALE_MAX {
            return None;
        }
        let (value, one) = (u128::from(mantissa), 10_u128.pow(u32::from(scale)));
        let decades = 10_u128.pow(RATE_DECADES);
        let is_within = value * decades >= one && value <= one * decades;
        is_within.then_some(Self { mantissa, scale })
    }

    /// The digits of the rate.
    pub const fn mantissa(self) -> u64 {
        self.mantissa
    }

    /// How many of the digits stand behind the decimal point; at most [`RATE_SCALE_MAX`].
    pub const fn scale(self) -> u16 {
        self.scale
    }

    /// Compares two rates exactly: 1.50 and 1.5 are equal.
    pub fn compare(self, other: Self) -> Ordering {
        let (own, others) = self.on_one_scale(other);
        own.cmp(&others)
    }

    /// Returns true if the two differ by `per_mille` thousandths of `reference` or more.
    pub fn drifts(self, reference: Self, per_mille: u32) -> bool {
        let (own, reference) = self.on_one_scale(reference);
        own.abs_diff(reference) * 1_000 >= reference * u128::from(per_mille)
    }

    /// Both as integers of the same scale: below 2^64 x 10^15, which is below 2^114.
    fn on_one_scale(self, other: Self) -> (u128, u128) {
        let raised = |rate: Self, scale: u16| u128::from(rate.mantissa) * power_of_ten(scale);
        (raised(self, other.scale), raised(other, self.scale))
    }

    /// Returns the value of `amount` minor units of `currency` in `payout_currency`, rounded down;
    /// `None` when ISO 4217 has no exponent for one of them, or the result does not fit an amount.
    pub fn convert(
        self,
        amount: Amount,
        currency: Currency,
        payout_currency: Currency,
    ) -> Option<Amount> {
        let (numerator, denominator) = self.exact(amount, currency, payout_currency)?;
        u64::try_from(numerator / denominator).ok().map(Amount::new)
    }

    /// Returns true if `payout` differs from what `amount` is exactly by more than `per_mille`
    /// thousandths of that. `true` as well where [`Self::convert`] gives nothing.
    pub fn is_rounded_beyond(
        self,
        (amount, currency): (Amount, Currency),
        (payout, payout_currency): (Amount, Currency),
        per_mille: u32,
    ) -> bool {
        let Some((numerator, denominator)) = self.exact(amount, currency, payout_currency) else {
            return true;
        };
        // A payout below 2^64 and a denominator of at most 10^19 stay below 2^128.
        let off = (u128::from(payout.get()) * denominator).abs_diff(numerator);
        // Whoever passes 128 bits is the larger one: rounding is off by less than two units.
        off.saturating_mul(1_000) > numerator.saturating_mul(u128::from(per_mille))
    }

    /// The exact result of a conversion as a fraction: numerator and denominator.
    fn exact(
        self,
        amount: Amount,
        currency: Currency,
        payout_currency: Currency,
    ) -> Option<(u128, u128)> {
        let product = u128::from(amount.get()) * u128::from(self.mantissa);
        let raised = payout_currency.exponent()?;
        let lowered = currency.exponent()? + self.scale;
        Some(if raised >= lowered {
            (product.checked_mul(power_of_ten(raised - lowered))?, 1)
        } else {
            (product, power_of_ten(lowered - raised))
        })
    }
}

fn power_of_ten(exponent: u16) -> u128 {
    10_u128.pow(u32::from(exponent))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const CNY: Currency = Currency::new(156);
    const JPY: Currency = Currency::new(392);
    const KWD: Currency = Currency::new(414);

    fn converted(amount: u64, rate: (u64, u16), from: Currency, to: Currency) -> Option<u64> {
        let rate = Rate::new(rate.0, rate.1)?;
        Some(rate.convert(Amount::new(amount), from, to)?.get())
    }

    #[test]
    fn conversion_rounds_down() {
        type Row<'a> = (&'a str, u64, (u64, u16), Currency, Currency, Option<u64>);
        let rows: &[Row<'_>] = &[
            ("one to one", 12_345, (1, 0), CNY, CNY, Some(12_345)),
            ("2 to 0 decimals", 199, (1, 0), CNY, JPY, Some(1)),
            ("exactly the unit", 200, (1, 0), CNY, JPY, Some(2)),
            ("0 to 3 decimals", 7, (2_000_000_000, 9), JPY, KWD, Some(14_000)),
            ("the least rate", 1_000_000_000, (1, 9), CNY, CNY, Some(1)),
            ("the largest rate", 3, (1_000_000_000, 0), CNY, CNY, Some(3_000_000_000)),
            ("too large for an amount", u64::MAX, (2, 0), CNY, CNY, None),
            ("the largest amount", u64::MAX, (1, 0), CNY, CNY, Some(u64::MAX)),
            ("0 to 3 decimals, far too large", u64::MAX, (1_000_000_000, 0), JPY, KWD, None),
            ("nothing is left", 1, (1, 9), CNY, JPY, Some(0)),
        ];
        for (what, amount, rate, from, to, expected) in rows {
            assert_eq!(converted(*amount, *rate, *from, *to), *expected, "{what}");
        }
    }

    #[test]
    fn what_rounding_costs_is_exact_at_its_bound() {
        let rows = [
            // amount, payout, thousandths, beyond: at 0.14
            (10_000, 1_400, 0, false),
            (10_001, 1_400, 0, true),
            (101, 14, 10, false),
            (101, 14, 9, true),
            (7, 0, 999, true),
            (7, 0, 1_000, false),
            (7, 1, 20, true),
            (7, 1, 21, false),
            (u64::MAX, u64::MAX / 100 * 14 + 2, 1, false),
            (u64::MAX, u64::MAX, 1, true),
            (0, 0, 0, false),
        ];
        let rate = Rate::new(14, 2).unwrap();
        for (amount, payout, per_mille, is_beyond) in rows {
            let (from, to) = ((Amount::new(amount), CNY), (Amount::new(payout), CNY));
            let found = rate.is_rounded_beyond(from, to, per_mille);
            assert_eq!(found, is_beyond, "{payout} for {amount} within {per_mille}");
        }
        let highest = Rate::new(1_000_000_000, 0).unwrap();
        assert!(highest.is_rounded_beyond(
            (Amount::new(u64::MAX), JPY),
            (Amount::new(1), KWD),
            999
        ));
    }

    #[test]
    fn rates_are_bounded() {
        for (mantissa, scale, is_rate) in [
            (0, 0, false),
            (1, 9, true),
            (1, 10, false),
            (999_999, 15, false),
            (1_000_000, 15, true),
            (1_000_000_000, 0, true),
            (1_000_000_001, 0, false),
            (u64::MAX, 15, true),
            (1, 16, false),
            (u64::MAX, 0, false),
        ] {
            assert_eq!(Rate::new(mantissa, scale).is_some(), is_rate, "{mantissa} / 10^{scale}");
        }
    }

    #[test]
    fn drift_is_exact_at_its_bound() {
        let rate = |mantissa, scale| Rate::new(mantissa, scale).unwrap();
        let reference = rate(10_000, 4);
        for (mantissa, drifts) in
            [(10_029, false), (10_030, true), (9_971, false), (9_970, true), (10_000, false)]
        {
            assert_eq!(rate(mantissa, 4).drifts(reference, 3), drifts, "{mantissa}");
        }
        assert!(!rate(u64::MAX, 15).drifts(rate(u64::MAX - 1, 15), 3));
        assert!(rate(1, 9).drifts(rate(1_000_000_000, 0), 3));
        assert_eq!(rate(150, 2).compare(rate(15, 1)), Ordering::Equal);
    }
}
