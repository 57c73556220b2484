//! `fx_*`: rates, the reference that quotes are held against, and quotes.

use chain_types::Rejection;
use jsonrpsee::core::RpcResult;
use jsonrpsee::proc_macros::rpc;
use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::page::Page;
use crate::recharge::RejectionReport;

/// Methods of the `fx` namespace. A pair is the currency that is collected, then the one that is
/// paid out, as ISO 4217 codes. A rate is decimal text: units of the payout currency for one of
/// the currency collected, both major units.
#[rpc(server, client, namespace = "fx")]
pub trait FxRpc {
    /// The reference rate of a pair at the node's head, or why there is none.
    ///
    /// # Errors
    /// `id-malformed` when a currency is none.
    #[method(name = "reference")]
    async fn reference(
        &self,
        currency: String,
        payout_currency: String,
    ) -> RpcResult<ReferenceReport>;

    /// Every provider's last rate of a pair, ascending by provider.
    ///
    /// # Errors
    /// `id-malformed`, `bad-cursor`, `limit-out-of-bounds`.
    #[method(name = "rates")]
    async fn rates(
        &self,
        currency: String,
        payout_currency: String,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<RateReport>>;

    /// All rates of a pair that a provider has published, the oldest first.
    ///
    /// # Errors
    /// `id-malformed`, `bad-cursor`, `limit-out-of-bounds`.
    #[method(name = "rate_history")]
    async fn rate_history(
        &self,
        currency: String,
        payout_currency: String,
        provider: u32,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<RateReport>>;

    /// One quote, by its number as a decimal string.
    ///
    /// # Errors
    /// `id-malformed`, `not-found`.
    #[method(name = "quote")]
    async fn quote(&self, quote_id: String) -> RpcResult<QuoteReport>;

    /// A provider's quotes, ascending by id.
    ///
    /// # Errors
    /// `bad-cursor`, `limit-out-of-bounds`.
    #[method(name = "quotes")]
    async fn quotes(
        &self,
        provider: u32,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<QuoteReport>>;
}

/// The reference rate of a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceReport {
    /// The currency that is collected.
    pub currency: String,
    /// The currency that is paid out.
    pub payout_currency: String,
    /// The node's head, as of which this holds.
    pub height: u64,
    /// The block time at which it was computed, in milliseconds since 1970 (UTC).
    pub time_ms: u64,
    /// The median of the fresh rates; absent when there are too few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
    pub confirmed: Option<String>,
    /// A level further away, which waits for confirmation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateReport {
    /// The currency that is collected.
    pub currency: String,
    /// The currency that is paid out.
    pub payout_currency: String,
    /// The participant id of the FX provider that published it.
    pub provider: u32,
    /// The payout currency's units for one unit of the currency, as a decimal number.
    pub rate: String,
    /// When the provider observed it.
    pub observed_ms: u64,
    /// When it was published.
    pub published_ms: u64,
    /// True if it counts for the reference at the node's head.
    pub is_fresh: bool,
}

/// A provider's offer to convert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteReport {
    /// Its number; the upper 32 bits are the provider's id.
    #[serde(with = "crate::text")]
    pub quote_id: u64,
    /// The participant id of the FX provider that made the quote.
    pub provider: u32,
    /// The currency that is collected.
    pub currency: String,
    /// The currency that is paid out.
    pub payout_currency: String,
    /// The payout currency's units for one unit of the currency, as a decimal number.
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
