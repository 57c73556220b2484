//! Amounts as people and programs exchange them: minor units, currency and exponent together.

use std::fmt;

use chain_types::{Amount, Currency};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::forms::CurrencyForm;
use crate::text::Text;

/// An amount of one currency, exact. Sums and differences may be negative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Money {
    /// The amount in minor units, as a decimal string.
    #[serde(with = "Text::<i128>")]
    pub minor: i128,
    /// The ISO 4217 code; the three-digit number for a currency that ISO 4217 does not list.
    #[schemars(with = "Text<CurrencyForm>")]
    pub currency: String,
    /// Decimal digits of the minor unit: 12.34 CNY has `minor` 1234 and `exponent` 2.
    pub exponent: u16,
}

impl Money {
    /// An amount from the chain.
    pub fn new(amount: Amount, currency: Currency) -> Self {
        Self::sum(i128::from(amount.get()), currency)
    }

    /// A sum or difference of amounts, in minor units.
    pub fn sum(minor: i128, currency: Currency) -> Self {
        Self {
            minor,
            currency: currency_code(currency),
            exponent: currency.exponent().unwrap_or_default(),
        }
    }
}

impl fmt::Display for Money {
    /// As people write it: `12.34 CNY`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = self.minor.unsigned_abs().to_string();
        let exponent = usize::from(self.exponent.min(38));
        if exponent == 0 {
            return write!(formatter, "{sign}{digits} {}", self.currency);
        }
        let padded = format!("{digits:0>width$}", width = exponent + 1);
        let (major, minor) = padded.split_at(padded.len() - exponent);
        write!(formatter, "{sign}{major}.{minor} {}", self.currency)
    }
}

/// The ISO 4217 code of a currency; its three-digit number when ISO 4217 does not list it.
pub fn currency_code(currency: Currency) -> String {
    currency.code_or_number()
}

/// The currency of the text that [`currency_code`] writes: its ISO 4217 code; a three-digit number
/// only where ISO 4217 lists none.
pub fn currency_of(text: &str) -> Option<Currency> {
    Currency::from_code_or_number(text)
}
