//! Conversion in JSON: rates, the reference that quotes are held against, and quotes.

use chain_types::Rejection;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::forms::{CurrencyForm, RateForm};
use crate::money::Money;
use crate::recharge::RejectionReport;
use crate::text::Text;

/// The reference rate of a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReferenceReport {
    /// The currency that is collected.
    #[schemars(with = "Text<CurrencyForm>")]
    pub currency: String,
    /// The currency that is paid out.
    #[schemars(with = "Text<CurrencyForm>")]
    pub payout_currency: String,
    /// The node's head, as of which this holds.
    pub height: u64,
    /// The block time at which it was computed, in milliseconds since 1970 (UTC).
    pub time_ms: u64,
    /// The median of the fresh rates; absent when there are too few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Text<RateForm>>")]
    pub rate: Option<String>,
    /// Why there is none: what an order that names a quote of the pair would be refused with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<RejectionReport>,
    /// How many rates are fresh.
    pub fresh_count: u32,
    /// How many providers have ever published one.
    pub provider_count: u32,
    /// How many fresh ones it takes.
    pub rates_min: u32,
    /// The level from which the median may differ by less than a step; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Text<RateForm>>")]
    pub confirmed: Option<String>,
    /// A level further away, which waits for confirmation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Text<RateForm>>")]
    pub waiting: Option<String>,
    /// From when on a published rate confirms that level, if the fresh rates have kept to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_until_ms: Option<u64>,
}

impl ReferenceReport {
    /// Says why there is no rate.
    #[must_use]
    pub fn without(self, missing: Rejection) -> Self {
        Self { rate: None, missing: Some(missing.into()), ..self }
    }
}

/// A provider's rate of a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RateReport {
    /// The currency that is collected.
    #[schemars(with = "Text<CurrencyForm>")]
    pub currency: String,
    /// The currency that is paid out.
    #[schemars(with = "Text<CurrencyForm>")]
    pub payout_currency: String,
    /// The participant id of the FX provider that published it.
    pub provider: u32,
    /// The payout currency's units for one unit of the currency, as a decimal number.
    #[schemars(with = "Text<RateForm>")]
    pub rate: String,
    /// When the provider observed it.
    pub observed_ms: u64,
    /// When it was published.
    pub published_ms: u64,
    /// True if it counts for the reference at the node's head.
    pub is_fresh: bool,
}

/// A provider's offer to convert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QuoteReport {
    /// Its number; the upper 32 bits are the provider's id.
    #[serde(with = "Text::<u64>")]
    pub quote_id: u64,
    /// The participant id of the FX provider that made the quote.
    pub provider: u32,
    /// The currency that is collected.
    #[schemars(with = "Text<CurrencyForm>")]
    pub currency: String,
    /// The currency that is paid out.
    #[schemars(with = "Text<CurrencyForm>")]
    pub payout_currency: String,
    /// The payout currency's units for one unit of the currency, as a decimal number.
    #[schemars(with = "Text<RateForm>")]
    pub rate: String,
    /// How much may be collected under it.
    pub ceiling: Money,
    /// How much of that is used by collected and reserved orders; absent once it is over so long
    /// that nothing can be given back to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Money>,
    /// The amount that orders may still use; zero once the quote's time is over.
    pub left: Money,
    /// The last block time at which an order may use it.
    pub valid_until_ms: u64,
    /// When it was issued.
    pub issued_ms: u64,
    /// True if an order may still use it, at the time of the node's head.
    pub is_valid: bool,
}
