//! Section 7, FX: rates, quotes, the reference, and what an order becomes at its quote.

use std::collections::BTreeMap;

use chain_types::{
    Currency, Outcome, ParticipantId, QuoteItem, RateItem, RechargeItem, Rejection, Roles,
};

use crate::arithmetic::{Fraction, RawRate, has_drifted, is_apart, is_off, median};
use crate::auditor::{Auditor, Verdict};
use crate::books::Account;
use crate::orders::{Order, check_spare, refuse_if, repeated};

/// The ordered pair: collected and paid out.
type Pair = (u16, u16);

/// The conversion of an order at a quote.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fill {
    pub(crate) quote: u64,
    pub(crate) provider: u32,
    /// The sum that the provider delivers and the merchant is paid: rounded down.
    pub(crate) payout: u64,
}

/// The confirmed reference of a pair, in multiples of 10^-15.
#[derive(Debug, Clone, Copy)]
struct Level {
    confirmed: u128,
    /// Block time of its confirmation.
    at: u64,
    /// A level further away, and the block time since which the reference has kept to it.
    waiting: Option<(u128, u64)>,
}

/// A quote and what was used of it.
#[derive(Debug, Clone, Copy)]
struct Quote {
    item: QuoteItem,
    used: u128,
}

/// The rates and quotes of FX providers, and the references that are confirmed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Market {
    /// Each provider's last rate, by pair and provider.
    rates: BTreeMap<Pair, BTreeMap<ParticipantId, RateItem>>,
    quotes: BTreeMap<u64, Quote>,
    /// Each provider's last quote.
    last_quotes: BTreeMap<ParticipantId, u64>,
    levels: BTreeMap<Pair, Level>,
}

impl Market {
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
        self.move_level(pair);
        Ok(Outcome::APPLIED)
    }

    /// After each rate that is published: the confirmed level follows the pair's reference within
    /// a step, or once the reference has kept to a level further away; each no sooner than the
    /// time of confirmation after what was before.
    fn move_level(&mut self, pair: Pair) {
        let Ok(fresh) = self.fresh_rates(pair) else { return };
        let Some(reference) = median(fresh.into_values().collect()) else { return };
        let parameters = &self.registry.parameters;
        let step = u128::from(parameters.reference_step_per_mille);
        let (now, confirm_ms) = (self.time, parameters.reference_confirm_ms);
        let reached = Level { confirmed: reference, at: now, waiting: None };
        let level = self.fx.levels.entry(pair).or_insert(reached);
        if !is_apart(reference, level.confirmed, step) {
            level.waiting = None;
            if now >= level.at.saturating_add(confirm_ms) {
                *level = reached;
            }
            return;
        }
        let kept = level.waiting.filter(|(other, _)| !is_apart(reference, *other, step));
        match kept {
            Some((_, since)) if now >= since.saturating_add(confirm_ms) => *level = reached,
            Some(_) => {}
            None => level.waiting = Some((reference, now)),
        }
    }

    /// Rules of `issue quote`.
    pub(crate) fn quote(&mut self, item: &QuoteItem, provider: ParticipantId) -> Verdict {
        check_spare(&item.spare)?;
        self.check_pair((item.currency.get(), item.payout_currency.get()))?;
        RawRate::new(item.mantissa.get(), item.scale.get())?;
        refuse_if(item.ceiling.get() == 0, Rejection::AmountZero)?;
        let id = item.quote_id.get();
        refuse_if(id >> 32 != u64::from(provider.get()), Rejection::QuoteIdForeign)?;
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

    /// The fresh rates of a pair by provider, in multiples of 10^-15; 226 or 232 when they are not
    /// enough.
    fn fresh_rates(&self, pair: Pair) -> Result<BTreeMap<ParticipantId, u128>, Rejection> {
        let needed = usize::try_from(self.registry.parameters.rates_min).unwrap_or(usize::MAX);
        let empty = BTreeMap::new();
        let published = self.fx.rates.get(&pair).unwrap_or(&empty);
        let mut fresh = BTreeMap::new();
        for (provider, item) in published {
            if self.is_fresh(*provider, item) {
                let rate = RawRate::new(item.mantissa.get(), item.scale.get())?;
                fresh.insert(*provider, rate.exact());
            }
        }
        refuse_if(published.len() < needed, Rejection::RatesTooFew)?;
        refuse_if(fresh.len() < needed, Rejection::RatesStale)?;
        Ok(fresh)
    }

    /// The reference for a provider's quote: the others' median, with its own rate where that
    /// makes the number odd; 234 when it is a step or more away from what is confirmed.
    fn reference(&self, pair: Pair, provider: ParticipantId) -> Result<u128, Rejection> {
        let fresh = self.fresh_rates(pair)?;
        let is_odd = |rates: &Vec<u128>| rates.len() % 2 == 1;
        let others = fresh.iter().filter(|(of, _)| **of != provider);
        let others: Vec<u128> = others.map(|(_, rate)| *rate).collect();
        let all: Vec<u128> = fresh.values().copied().collect();
        let judges = if is_odd(&others) { others } else { all };
        let reference = median(judges).ok_or(Rejection::RatesStale)?;
        let step = u128::from(self.registry.parameters.reference_step_per_mille);
        let level = self.fx.levels.get(&pair);
        let is_near = level.is_some_and(|level| !is_apart(reference, level.confirmed, step));
        refuse_if(!is_near, Rejection::ReferenceUnconfirmed)?;
        Ok(reference)
    }

    fn is_fresh(&self, provider: ParticipantId, item: &RateItem) -> bool {
        let fresh_ms = self.registry.parameters.rate_fresh_ms;
        let is_recent = self.time <= item.observed.get().saturating_add(fresh_ms);
        is_recent && self.registry.is_active(provider, Roles::FX_PROVIDER)
    }

    /// 222 to 234: what an order becomes; `None` when it is not converted.
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
        let has_drifted = has_drifted(rate.exact(), self.reference(pair, provider)?);
        refuse_if(has_drifted, Rejection::QuoteDrifted)?;
        let payout = payout(&quote.item, item.amount.get()).ok_or(Rejection::PayoutOutOfRange)?;
        let is_costly = self.is_costly(&quote.item, item.amount.get(), payout);
        refuse_if(is_costly, Rejection::RoundingTooCostly)?;
        let fill = Fill { quote: id, provider: provider.get(), payout };
        let minimum = item.payout_minimum.get();
        refuse_if(fill.payout < minimum, Rejection::PayoutBelowMinimum)?;
        let position = Account::position(provider.get(), pair.1);
        let delivers = self.books.has_available(position, fill.payout);
        refuse_if(!delivers, Rejection::PositionExceeded)?;
        Ok(Some(fill))
    }

    /// Returns true if `payout` is further from what `amount` is exactly than rounding may cost.
    fn is_costly(&self, quote: &QuoteItem, amount: u64, payout: u64) -> bool {
        let thousandths = self.registry.parameters.rounding_loss_max_per_mille;
        exact(quote, amount).is_none_or(|exact| is_off(exact, payout, thousandths))
    }

    /// 329: what a return of a part takes of a converted order's payout. Before and after it the
    /// order is what an order of what is left of it would be.
    pub(crate) fn part_of_payout(
        &self,
        fill: Fill,
        left_before: u64,
        left_after: u64,
    ) -> Result<u64, Rejection> {
        let quote = &match self.fx.quotes.get(&fill.quote) {
            Some(quote) => quote.item,
            None => unreachable!("quote {} was found when the order was booked", fill.quote),
        };
        let worth = |amount: u64| payout(quote, amount).unwrap_or_default();
        let taken = worth(left_before) - worth(left_after);
        if left_after > 0 {
            let is_rest_costly = self.is_costly(quote, left_after, worth(left_after));
            let is_part_costly = self.is_costly(quote, left_before - left_after, taken);
            refuse_if(is_rest_costly || is_part_costly, Rejection::ReturnIndivisible)?;
        }
        Ok(taken)
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

/// Returns the exact value of `amount` by a quote, in minor units of the payout currency.
fn exact(quote: &QuoteItem, amount: u64) -> Option<Fraction> {
    let rate = RawRate::new(quote.mantissa.get(), quote.scale.get()).ok()?;
    let exponent = Currency::new(quote.currency.get()).exponent()?;
    let payout_exponent = Currency::new(quote.payout_currency.get()).exponent()?;
    rate.convert(amount, exponent, payout_exponent)
}

/// Returns the payout of `amount` by a quote; `None` when it would be zero or not an amount.
fn payout(quote: &QuoteItem, amount: u64) -> Option<u64> {
    u64::try_from(exact(quote, amount)?.floor()).ok().filter(|payout| *payout > 0)
}
