//! Rates, the reference that quotes are held against, and quotes.

use jsonrpsee::proc_macros::rpc;

use crate::fx::{QuoteReport, RateReport, ReferenceReport};
use crate::method::interface;
use crate::page::Page;

interface! {
    /// Methods of the `fx` namespace. A pair is the currency that is collected, then the one that
    /// is paid out. A rate is in units of the payout currency for one of the currency collected,
    /// both major units.
    FxRpc #[rpc(server, client)];

    /// The reference rate of a pair at the node's head, or why there is none.
    ///
    /// The answer has the confirmed level, and a step that waits with the earliest time of its
    /// confirmation.
    "fx_reference": reference(&self, currency: String, payout_currency: String) -> ReferenceReport {
        errors: [IdMalformed],
        scope: Public,
        stability: Stable,
        example: r#"{"currency": "CNY", "payout_currency": "USD"}"#,
    }

    /// Every provider's last rate of a pair, ascending by provider.
    "fx_rates": rates(
        &self,
        currency: String,
        payout_currency: String,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<RateReport> {
        errors: [BadCursor, LimitOutOfBounds, IdMalformed],
        scope: Participant,
        stability: Stable,
        example: r#"{"currency": "CNY", "payout_currency": "USD", "limit": 1}"#,
    }

    /// All rates of a pair that a provider has published, the oldest first.
    "fx_rate_history": rate_history(
        &self,
        currency: String,
        payout_currency: String,
        provider: u32,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<RateReport> {
        errors: [BadCursor, LimitOutOfBounds, IdMalformed],
        scope: Participant,
        stability: Stable,
        example: r#"{"currency": "CNY", "payout_currency": "USD", "provider": 301, "limit": 1}"#,
    }

    /// One quote, by its number as a decimal string.
    "fx_quote": quote(&self, quote_id: String) -> QuoteReport {
        errors: [NotFound, IdMalformed, NodeBehind],
        scope: QuoteParty,
        stability: Stable,
        example: r#"{"quote_id": "1292785156103"}"#,
    }

    /// A provider's quotes, ascending by id.
    "fx_quotes": quotes(
        &self,
        provider: u32,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<QuoteReport> {
        errors: [BadCursor, LimitOutOfBounds],
        scope: QuoteParty,
        stability: Stable,
        example: r#"{"provider": 301, "limit": 1}"#,
    }
}
