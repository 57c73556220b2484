//! Foreign exchange: rates, quotes, and the conversion of an order.
//!
//! Operations: `publish` a rate and `issue` a quote, both by an FX provider.
//!
//! Rules of a rate, in order: spare bytes are zero (201); two different currencies of the chain
//! (600); bounds (601); observed in time (603) and after the provider's last one (602), but the
//! very same again is repeated. Of a quote: 201, 600, 601; a ceiling (206); its id is of the
//! provider's range (605); the same id with the same content is repeated, with other content, or an
//! id not above the provider's last, a conflict (604); it is valid from now on, not for too long
//! (606).
//!
//! Rules of a conversion, in order: see `convert`.
//!
//! Always: the provider delivers exactly what the merchant is paid, the exact payout rounded down;
//! rounding costs no more than a stated share of it.

use chain_state::{
    AccountKey, Conversion, DueFor, History, Overlay, QuoteRecord, RateRecord, Record,
};
use chain_types::{
    Amount, Currency, Outcome, Participant, QuoteId, QuoteItem, RateItem, RechargeItem, Rejection,
    TimeMs,
};

use crate::reference;

/// Quotes that differ from the reference by this many thousandths or more are refused.
const DRIFT_PER_MILLE: u32 = 3;

/// A provider publishes its rate of a pair.
pub(crate) fn publish(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &RateItem,
) -> Outcome {
    match check_rate(overlay, submitter, item) {
        Ok(record) => {
            let key = (record.currency, record.payout_currency, record.provider);
            overlay.tables().rates().put(key, record);
            reference::follow(overlay, item.pair());
            overlay.record(Record::Rate(record));
            Outcome::APPLIED
        }
        Err(outcome) => outcome,
    }
}

fn check_rate(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &RateItem,
) -> Result<RateRecord, Outcome> {
    if item.spare != [0; 42] {
        return Err(Rejection::SpareNotZero.into());
    }
    let (currency, payout_currency) = check_pair(overlay, item.pair())?;
    let rate = item.rate().ok_or(Rejection::RateOutOfBounds)?;
    let (time, observed) = (overlay.time(), item.observed());
    let parameters = overlay.state().parameters();
    let is_early = observed > time.plus(parameters.order_skew_ms);
    if is_early || observed.plus(parameters.rate_fresh_ms) < time {
        return Err(Rejection::RateUntimely.into());
    }
    let key = (currency, payout_currency, submitter.id);
    if let Some(last) = overlay.tables().rates().get(&key) {
        if last.observed == observed && last.rate == rate {
            return Err(Outcome::REPEATED);
        }
        if last.observed >= observed {
            return Err(Rejection::RateNotNewer.into());
        }
    }
    let provider = submitter.id;
    Ok(RateRecord { currency, payout_currency, provider, rate, observed, published: time })
}

/// A provider issues a quote.
pub(crate) fn issue(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &QuoteItem,
) -> Outcome {
    match check_quote(overlay, submitter, item) {
        Ok(record) => {
            overlay.tables().quotes().put(record.id, record);
            overlay.tables().last_quotes().put(submitter.id, record.id);
            overlay.record(Record::Quote(record));
            Outcome::APPLIED
        }
        Err(outcome) => outcome,
    }
}

fn check_quote(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &QuoteItem,
) -> Result<QuoteRecord, Outcome> {
    if item.spare != [0; 26] {
        return Err(Rejection::SpareNotZero.into());
    }
    let (currency, payout_currency) = check_pair(overlay, item.pair())?;
    let rate = item.rate().ok_or(Rejection::RateOutOfBounds)?;
    let (id, ceiling, valid_until) = (item.quote_id(), item.ceiling(), item.valid_until());
    if ceiling.get() == 0 {
        return Err(Rejection::AmountZero.into());
    }
    if id.provider() != submitter.id {
        return Err(Rejection::QuoteIdForeign.into());
    }
    let (issued, used) = (overlay.time(), Amount::new(0));
    let new =
        QuoteRecord { id, currency, payout_currency, rate, ceiling, used, valid_until, issued };
    if let Some(known) = overlay.tables().quotes().get(&id) {
        let is_same = QuoteRecord { used: known.used, issued: known.issued, ..new } == *known;
        return Err(if is_same { Outcome::REPEATED } else { Rejection::QuoteConflict.into() });
    }
    // A quote is forgotten once nobody can use it, but its id is not given again.
    if overlay.tables().last_quotes().get(&submitter.id).is_some_and(|last| id <= *last) {
        return Err(Rejection::QuoteConflict.into());
    }
    let latest = issued.plus(overlay.state().parameters().quote_valid_max_ms);
    if valid_until <= issued || valid_until > latest {
        return Err(Rejection::QuoteValidityInvalid.into());
    }
    Ok(new)
}

fn check_pair(
    overlay: &Overlay<'_>,
    pair: (Currency, Currency),
) -> Result<(Currency, Currency), Rejection> {
    let currencies = overlay.state().currencies();
    let is_known = |currency| currencies.binary_search(&currency).is_ok();
    let is_pair = pair.0 != pair.1 && is_known(pair.0) && is_known(pair.1);
    is_pair.then_some(pair).ok_or(Rejection::PairInvalid)
}

/// How an order is converted; `None` for one that asks for nothing. Its form was checked: the
/// payout currency differs exactly when a quote is named.
///
/// Rules, in order: the quote is known (222) and of the pair (223); its provider is not suspended
/// (231); it has not expired (224); its ceiling holds the amount (225); there is a reference
/// for it (226, 232, 234), from which it differs by less than 0.3 % (227); the payout is an amount
/// (230), and rounding it costs no more than a stated share (233); it is no less than the order's
/// minimum (228), and the provider's position holds it (229).
pub(crate) fn convert(
    overlay: &mut Overlay<'_>,
    item: &RechargeItem,
) -> Result<Option<Conversion>, Rejection> {
    let Some(id) = item.quote() else {
        return Ok(None);
    };
    let pair = (item.currency(), item.payout_currency());
    let quote = *overlay.tables().quotes().get(&id).ok_or(Rejection::QuoteUnknown)?;
    if (quote.currency, quote.payout_currency) != pair {
        return Err(Rejection::QuoteMismatch);
    }
    if !reference::is_active(overlay, id.provider()) {
        return Err(Rejection::ProviderSuspended);
    }
    if overlay.time() > quote.valid_until {
        return Err(Rejection::QuoteExpired);
    }
    let used = quote.used.get().checked_add(item.amount.get());
    if used.is_none_or(|used| used > quote.ceiling.get()) {
        return Err(Rejection::QuoteSpent);
    }
    let reference = reference::of_quote(overlay, pair, id.provider())?;
    if quote.rate.drifts(reference, DRIFT_PER_MILLE) {
        return Err(Rejection::QuoteDrifted);
    }
    let conversion = conversion(&quote, item.amount()).ok_or(Rejection::PayoutOutOfRange)?;
    let loss_max = overlay.state().parameters().rounding_loss_max_per_mille;
    if is_rounded_beyond(&quote, item.amount(), conversion.payout, loss_max) {
        return Err(Rejection::RoundingTooCostly);
    }
    if conversion.payout.get() < item.payout_minimum.get() {
        return Err(Rejection::PayoutBelowMinimum);
    }
    let position = overlay.open(AccountKey::fx_position(id.provider(), pair.1));
    if overlay.account(position).available() < u128::from(conversion.payout.get()) {
        return Err(Rejection::PositionExceeded);
    }
    Ok(Some(conversion))
}

/// Converts an amount by a quote; `None` when the payout is zero or not an amount.
pub fn conversion(quote: &QuoteRecord, amount: Amount) -> Option<Conversion> {
    let payout = quote.rate.convert(amount, quote.currency, quote.payout_currency)?;
    let payout_currency = quote.payout_currency;
    (payout.get() > 0).then_some(Conversion { quote: quote.id, payout_currency, payout })
}

/// Returns true if rounding to `payout` costs more than so many thousandths of what `amount` is
/// worth.
pub(crate) fn is_rounded_beyond(
    quote: &QuoteRecord,
    amount: Amount,
    payout: Amount,
    per_mille: u32,
) -> bool {
    let (from, to) = ((amount, quote.currency), (payout, quote.payout_currency));
    quote.rate.is_rounded_beyond(from, to, per_mille)
}

/// Takes an amount of a quote's ceiling.
pub(crate) fn use_up(overlay: &mut Overlay<'_>, id: QuoteId, amount: Amount) {
    change_use(overlay, id, |used| used.saturating_add(amount.get()));
}

/// Gives back an amount of a quote's ceiling.
pub(crate) fn give_back(overlay: &mut Overlay<'_>, id: QuoteId, amount: Amount) {
    change_use(overlay, id, |used| used.saturating_sub(amount.get()));
}

fn change_use(overlay: &mut Overlay<'_>, id: QuoteId, change: impl FnOnce(u64) -> u64) {
    let mut quotes = overlay.tables().quotes();
    if let Some(quote) = quotes.get(&id).copied() {
        quotes.put(id, QuoteRecord { used: Amount::new(change(quote.used.get())), ..quote });
    }
}

/// Forgets quotes that no order may use and no reservation can give back to any more.
pub(crate) fn forget(overlay: &mut Overlay<'_>) {
    let parameters = overlay.state().parameters();
    // A reservation made at the last moment may be given back until its id's validity is over.
    let kept_ms = parameters.order_validity_ms + parameters.order_skew_ms;
    let time = overlay.time();
    let dues = &overlay.state().tables().dues().quotes;
    for id in dues.past(DueFor::Oblivion, |ended| TimeMs::new(ended).plus(kept_ms) < time) {
        overlay.tables().quotes().remove(&id);
    }
}

/// Returns the quote by which an order was converted, wherever it is kept; `None` within one
/// currency.
pub(crate) fn quote_of(
    overlay: &mut Overlay<'_>,
    order: &RechargeItem,
    history: &dyn History,
) -> Result<Option<QuoteRecord>, Rejection> {
    let Some(id) = order.quote() else {
        return Ok(None);
    };
    let known = overlay.tables().quotes().get(&id).copied();
    known.or_else(|| history.quote(id)).map(Some).ok_or(Rejection::QuoteUnknown)
}

/// Returns the part of a converted order's payout that goes back when its returns rise from
/// `before` to `after` of `amount`. The rest of the payout becomes that of an order of the rest of
/// the amount.
pub(crate) fn payout_of_part(
    overlay: &Overlay<'_>,
    quote: &QuoteRecord,
    amount: Amount,
    before: u64,
    after: u64,
) -> Result<Amount, Rejection> {
    let payout_of = |part: Amount| {
        conversion(quote, part).map_or(Amount::new(0), |conversion| conversion.payout)
    };
    let left = amount.minus(Amount::new(after));
    let payout_left = payout_of(left);
    let payout_before = payout_of(amount.minus(Amount::new(before)));
    let payout = payout_before.minus(payout_left);
    let part = Amount::new(after.saturating_sub(before));
    let loss_max = overlay.state().parameters().rounding_loss_max_per_mille;
    // The last part is never refused: it takes exactly what is left.
    let is_unfair = left.get() > 0
        && (is_rounded_beyond(quote, left, payout_left, loss_max)
            || is_rounded_beyond(quote, part, payout, loss_max));
    if is_unfair { Err(Rejection::ReturnIndivisible) } else { Ok(payout) }
}
