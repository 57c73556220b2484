//! Rates and quotes of FX providers.

use chain_types::{ParticipantId, QuoteId, QuoteItem, RateItem, TimeMs};

use super::{Subject, fields};
use crate::participant::order_file::{FileError, Row};

pub(super) const RATE: &[&str] = &["currency", "payout_currency", "rate", "observed_ms"];
pub(super) const QUOTE: &[&str] =
    &["number", "currency", "payout_currency", "rate", "ceiling", "valid_ms"];
/// How long a quote is valid that does not say.
const VALID_MS_DEFAULT: u64 = 60_000;

pub(super) fn rate(row: &Row, now: TimeMs) -> Result<RateItem, FileError> {
    let rate = fields::rate(row, "rate")?;
    let observed = fields::optional_number(row, "observed_ms", u64::MAX)?;
    Ok(RateItem {
        currency: fields::currency(row, "currency")?.0.into(),
        payout_currency: fields::currency(row, "payout_currency")?.0.into(),
        mantissa: rate.mantissa().into(),
        scale: rate.scale().into(),
        observed: observed.unwrap_or(now.0).into(),
        spare: [0; 42],
    })
}

/// `number` tells one quote of the provider from another; the id is made of both.
pub(super) fn quote(
    row: &Row,
    provider: ParticipantId,
    now: TimeMs,
) -> Result<QuoteItem, FileError> {
    let currency = fields::currency(row, "currency")?;
    let rate = fields::rate(row, "rate")?;
    let valid_ms = fields::optional_number(row, "valid_ms", u64::MAX)?;
    let number = fields::number(row, "number", u32::MAX)?;
    Ok(QuoteItem {
        quote_id: QuoteId::new(provider, number).0.into(),
        currency: currency.0.into(),
        payout_currency: fields::currency(row, "payout_currency")?.0.into(),
        mantissa: rate.mantissa().into(),
        scale: rate.scale().into(),
        ceiling: fields::amount(row, "ceiling", currency)?.0.into(),
        valid_until: now.plus(valid_ms.unwrap_or(VALID_MS_DEFAULT)).0.into(),
        spare: [0; 26],
    })
}

impl Subject for RateItem {
    fn subject(&self) -> String {
        let (currency, payout) = self.pair();
        let code = rpc_api::money::currency_code;
        format!("{}/{} at {}", code(currency), code(payout), self.observed())
    }
}

impl Subject for QuoteItem {
    fn subject(&self) -> String {
        format!("quote {}", self.quote_id())
    }
}
