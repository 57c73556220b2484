//! Rates and quotes of FX providers.

use chain_types::{ParticipantId, QuoteId, QuoteItem, RateItem, TimeMs};

use super::{Subject, fields};
use crate::order_file::{FileError, Row};

pub(super) const RATE: &[&str] = &["currency", "payout_currency", "rate", "observed_ms"];
pub(super) const QUOTE: &[&str] =
    &["number", "currency", "payout_currency", "rate", "ceiling", "valid_ms"];
/// How long a quote is valid that does not say.
const VALID_MS_DEFAULT: u64 = 60_000;

pub(super) fn rate(row: &Row, now: TimeMs) -> Result<RateItem, FileError> {
    let observed = fields::optional_number(row, "observed_ms", u64::MAX)?;
    at_rate(row, observed.map_or(now, TimeMs::new))
}

fn at_rate(row: &Row, observed: TimeMs) -> Result<RateItem, FileError> {
    let rate = fields::rate(row, "rate")?;
    let currency = fields::currency(row, "currency")?;
    let payout_currency = fields::currency(row, "payout_currency")?;
    Ok(RateItem::new((currency, payout_currency), (rate.mantissa(), rate.scale()), observed))
}

/// `number` tells one quote of the provider from another; the id is made of both.
pub(super) fn quote(
    row: &Row,
    provider: ParticipantId,
    now: TimeMs,
) -> Result<QuoteItem, FileError> {
    let rate = at_rate(row, now)?;
    let ceiling = fields::amount(row, "ceiling", rate.pair().0)?;
    let valid_ms = fields::optional_number(row, "valid_ms", u64::MAX)?;
    let id = QuoteId::of(provider, fields::number(row, "number", u32::MAX)?);
    Ok(rate.quote(id, ceiling, now.plus(valid_ms.unwrap_or(VALID_MS_DEFAULT))))
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
