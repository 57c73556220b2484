//! FX providers: rates near to one another, and quotes near to the rates.

use chain_types::operation::{QuoteItem, RateItem};
use chain_types::{Amount, Currency, QuoteId, VerifiedBatch};
use rand::Rng as _;

use super::memory::Memory;
use super::moment::Moment;
use crate::setup::{DOLLAR, PROVIDERS, YEN, YUAN};

/// Each pair's rate in units of 10^-9.
const RATES: [(Currency, Currency, u64); 6] = [
    (YUAN, DOLLAR, 139_800_000),
    (DOLLAR, YUAN, 7_153_000_000),
    (YUAN, YEN, 20_900_000_000),
    (YEN, YUAN, 47_846_890),
    (DOLLAR, YEN, 149_497_700_000),
    (YEN, DOLLAR, 6_689_066),
];
/// Digits behind the point.
const SCALE: u16 = 9;
/// The most quotes of one batch.
const QUOTES_MAX: usize = 6;

/// A rate that lies off the usual one by so many ten-thousandths at the most.
fn about(moment: &mut Moment<'_>, rate: u64, most: u64) -> u64 {
    let off = moment.random.random_range(0..=2 * most);
    rate / 10_000 * (10_000 + off - most)
}

/// A provider publishes its rate of every pair.
pub fn publish_rates(_: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    let provider = moment.pick(&PROVIDERS);
    // Now and then an old observation, which a later one has overtaken.
    let age_ms = if moment.one_in(6) { 5_000 } else { 200 };
    let observed = moment.now.minus(moment.random.random_range(0..age_ms));
    let items = RATES.map(|(currency, payout_currency, rate)| {
        let mantissa = about(moment, rate, 12);
        RateItem::new((currency, payout_currency), (mantissa, SCALE), observed)
    });
    moment.sign(provider, &items)
}

/// A provider issues quotes, some of them too far from the market.
pub fn issue_quotes(memory: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    let provider = moment.pick(&PROVIDERS);
    let count = moment.random.random_range(1..=QUOTES_MAX);
    let items: Vec<QuoteItem> = (0..count)
        .map(|_| {
            let (currency, payout_currency, rate) = moment.pick(&RATES);
            memory.quotes += 1;
            let off = if moment.one_in(6) { 40 } else { 10 };
            let mantissa = about(moment, rate, off);
            let ceiling = Amount::new(moment.pick(&[0, 200_000, 5_000_000, 5_000_000]));
            let valid_until = moment.now.plus(moment.pick(&[500, 4_000, 10_000]));
            let pair = (currency, payout_currency);
            RateItem::new(pair, (mantissa, SCALE), moment.now).quote(
                QuoteId::of(provider, memory.quotes),
                ceiling,
                valid_until,
            )
        })
        .collect();
    moment.sign(provider, &items)
}
