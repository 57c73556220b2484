//! Section 7, FX: rates, quotes, the reference, and what an order becomes at its quote.

use std::collections::BTreeMap;

use chain_types::{
    Currency, Outcome, ParticipantId, QuoteItem, RateItem, RechargeItem, Rejection, Roles,
};

use crate::arithmetic::{RawRate, has_drifted, median};
use crate::auditor::{Auditor, Verdict};
use crate::books::Account;
use crate::orders::{Order, check_spare, refuse_if, repeated};

/// The ordered pair: collected and paid out.
type Pair = (u16, u16);

/// An order's conversion.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fill {
    pub(crate) quote: u64,
    pub(crate) provider: u32,
    /// What the merchant is paid: rounded to the nearest.
    pub(crate) payout: u64,
    /// What the provider delivers: rounded down. The scheme bears the difference.
    pub(crate) floor: u64,
}

/// A quote and what was used of it.
#[derive(Debug, Clone, Copy)]
struct Quote {
    item: QuoteItem,
    used: u128,
}

/// What FX providers said, and how many orders were converted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Market {
    /// Each provider's last rate, by pair and provider.
    rates: BTreeMap<Pair, BTreeMap<ParticipantId, RateItem>>,
    quotes: BTreeMap<u64, Quote>,
    /// Each provider's last quote.
    last_quotes: BTreeMap<ParticipantId, u64>,
    /// Collected orders that were converted, by payout currency.
    converted: BTreeMap<u16, u128>,
}

impl Market {
    /// One more order was converted into a currency.
    pub(crate) fn count_converted(&mut self, payout_currency: u16) {
        *self.converted.entry(payout_currency).or_default() += 1;
    }

    /// How many collected orders were converted into a currency.
    pub(crate) fn converted(&self, payout_currency: u16) -> u128 {
        self.converted.get(&payout_currency).copied().unwrap_or_default()
    }

    fn used_mut(&mut self, quote: u64) -> &mut u128 {
        match self.quotes.get_mut(&quote) {
            Some(quote) => &mut quote.used,
            None => unreachable!("quote {quote} was found when the order was booked"),
        }
    }
}

impl Auditor {
    /// Rules of `publish rate`.
    pub(crate) fn rate(&mut self, item: &RateItem, provider: ParticipantId) -> Verdict {
        check_spare(&item.spare)?;
        let pair = (item.currency.get(), item.payout_currency.get());
        self.check_pair(pair)?;
        RawRate::new(item.mantissa.get(), item.scale.get())?;
        let parameters = &self.registry.parameters;
        let observed = item.observed.get();
        let is_early = observed > self.time.saturating_add(parameters.order_skew_ms);
        let is_old = observed.saturating_add(parameters.rate_fresh_ms) < self.time;
        refuse_if(is_early || is_old, Rejection::RateUntimely)?;
        let rates = self.fx.rates.entry(pair).or_default();
        if let Some(last) = rates.get(&provider)
            && observed <= last.observed.get()
        {
            return repeated(last == item, Rejection::RateNotNewer);
        }
        rates.insert(provider, *item);
        Ok(Outcome::APPLIED)
    }

    /// Rules of `issue quote`.
    pub(crate) fn quote(&mut self, item: &QuoteItem, provider: ParticipantId) -> Verdict {
        check_spare(&item.spare)?;
        self.check_pair((item.currency.get(), item.payout_currency.get()))?;
        RawRate::new(item.mantissa.get(), item.scale.get())?;
        refuse_if(item.ceiling.get() == 0, Rejection::AmountZero)?;
        let id = item.quote_id.get();
        refuse_if(id >> 32 != u64::from(provider.0), Rejection::QuoteIdForeign)?;
        if let Some(known) = self.known_quote(id) {
            return repeated(known.item == *item, Rejection::QuoteConflict);
        }
        let is_above_last = self.fx.last_quotes.get(&provider).is_none_or(|last| id > *last);
        refuse_if(!is_above_last, Rejection::QuoteConflict)?;
        let until = item.valid_until.get();
        let latest = self.time.saturating_add(self.registry.parameters.quote_valid_max_ms);
        let is_valid = until > self.time && until <= latest;
        refuse_if(!is_valid, Rejection::QuoteValidityInvalid)?;
        self.fx.quotes.insert(id, Quote { item: *item, used: 0 });
        self.fx.last_quotes.insert(provider, id);
        Ok(Outcome::APPLIED)
    }

    /// A quote that the chain still knows: while a reservation under it may be given back.
    fn known_quote(&self, id: u64) -> Option<&Quote> {
        let parameters = &self.registry.parameters;
        let kept_ms = parameters.order_validity_ms.saturating_add(parameters.order_skew_ms);
        let is_kept =
            |quote: &&Quote| self.time <= quote.item.valid_until.get().saturating_add(kept_ms);
        self.fx.quotes.get(&id).filter(is_kept)
    }

    /// 600: two different currencies of the chain.
    fn check_pair(&self, (currency, payout_currency): Pair) -> Result<(), Rejection> {
        let is_pair = currency != payout_currency
            && self.registry.has_currency(currency)
            && self.registry.has_currency(payout_currency);
        refuse_if(!is_pair, Rejection::PairInvalid)
    }

    /// The reference rate of a pair, in multiples of 10^-15; 226 or 232 when there is none.
    fn reference(&self, pair: Pair) -> Result<u128, Rejection> {
        let needed = usize::try_from(self.registry.parameters.rates_min).unwrap_or(usize::MAX);
        let empty = BTreeMap::new();
        let published = self.fx.rates.get(&pair).unwrap_or(&empty);
        let mut fresh = Vec::new();
        for (provider, item) in published {
            if self.is_fresh(*provider, item) {
                fresh.push(RawRate::new(item.mantissa.get(), item.scale.get())?.exact());
            }
        }
        let has_enough = |count: usize| count >= needed;
        match median(fresh.clone()).filter(|_| has_enough(fresh.len())) {
            Some(reference) => Ok(reference),
            None if has_enough(published.len()) => Err(Rejection::RatesStale),
            None => Err(Rejection::RatesTooFew),
        }
    }

    fn is_fresh(&self, provider: ParticipantId, item: &RateItem) -> bool {
        let fresh_ms = self.registry.parameters.rate_fresh_ms;
        let is_recent = self.time <= item.observed.get().saturating_add(fresh_ms);
        is_recent && self.registry.is_active(provider, Roles::FX_PROVIDER)
    }

    /// 222 to 232: what an order becomes; `None` when it is not converted.
    pub(crate) fn convert(&self, item: &RechargeItem) -> Result<Option<Fill>, Rejection> {
        if item.currency == item.payout_currency {
            return Ok(None);
        }
        let pair = (item.currency.get(), item.payout_currency.get());
        let id = item.fx_quote.get();
        let quote = self.known_quote(id).ok_or(Rejection::QuoteUnknown)?;
        let quoted = (quote.item.currency.get(), quote.item.payout_currency.get());
        refuse_if(quoted != pair, Rejection::QuoteMismatch)?;
        let provider = quote.item.quote_id().provider();
        let is_active = self.registry.is_active(provider, Roles::FX_PROVIDER);
        refuse_if(!is_active, Rejection::ProviderSuspended)?;
        refuse_if(self.time > quote.item.valid_until.get(), Rejection::QuoteExpired)?;
        let would_be_used = quote.used + u128::from(item.amount.get());
        let ceiling = u128::from(quote.item.ceiling.get());
        refuse_if(would_be_used > ceiling, Rejection::QuoteSpent)?;
        let rate = RawRate::new(quote.item.mantissa.get(), quote.item.scale.get())?;
        let has_drifted = has_drifted(rate.exact(), self.reference(pair)?);
        refuse_if(has_drifted, Rejection::QuoteDrifted)?;
        let fill = fill(&quote.item, rate, item).ok_or(Rejection::PayoutOutOfRange)?;
        let minimum = item.payout_minimum.get();
        refuse_if(fill.payout < minimum, Rejection::PayoutBelowMinimum)?;
        let position = Account::position(provider.0, pair.1);
        let delivers = self.books.has_available(position, fill.floor);
        refuse_if(!delivers, Rejection::PositionExceeded)?;
        Ok(Some(fill))
    }

    /// A booked order uses its quote.
    pub(crate) fn use_quote(&mut self, order: &Order) {
        if let Some(fill) = order.fill {
            *self.fx.used_mut(fill.quote) += u128::from(order.amount());
        }
    }

    /// A void or expired order uses its quote no longer.
    pub(crate) fn free_quote(&mut self, order: &Order) {
        if let Some(fill) = order.fill {
            *self.fx.used_mut(fill.quote) -= u128::from(order.amount());
        }
    }
}

/// `None` when the payout would be zero or no amount.
fn fill(quote: &QuoteItem, rate: RawRate, item: &RechargeItem) -> Option<Fill> {
    let exponent = Currency(item.currency.get()).exponent()?;
    let payout_exponent = Currency(item.payout_currency.get()).exponent()?;
    let exact = rate.convert(item.amount.get(), exponent, payout_exponent)?;
    let payout = u64::try_from(exact.round()).ok().filter(|payout| *payout > 0)?;
    let floor = u64::try_from(exact.floor()).ok()?;
    let provider = quote.quote_id().provider().0;
    Some(Fill { quote: quote.quote_id.get(), provider, payout, floor })
}
