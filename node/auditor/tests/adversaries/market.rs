//! What currencies are worth, and what honest providers say of it: a conversion at any other rate
//! would be a gain.

use std::collections::VecDeque;

use chain_types::{Currency, QuoteId, QuoteItem, RateItem, TimeMs};

use crate::item::Item;
use crate::network::*;

/// Pairs, and what they are worth at first: mantissa of six digits behind the point.
pub const PAIRS: [(u16, u16, u64); 3] =
    [(CNY, USD, 140_000), (USD, CNY, 7_125_000), (CNY, JPY, 20_500_000)];
pub const SCALE: u16 = 6;
/// Drift of a quote from the reference that is refused, in thousandths.
const DRIFT_PER_MILLE: u128 = 3;

/// Converts an amount, rounded down.
pub fn exact(amount: u64, from: u16, to: u16, (mantissa, scale): (u64, u16)) -> u64 {
    let exponent = |currency: u16| match currency {
        JPY => 0,
        KWD => 3,
        CLF => 4,
        _ => 2,
    };
    let product = u128::from(amount) * u128::from(mantissa) * 10_u128.pow(exponent(to));
    let payout = product / 10_u128.pow(exponent(from) + u32::from(scale));
    u64::try_from(payout).unwrap()
}

/// A rate that an honest provider published: pair, mantissa, when.
type Said = (usize, u64, u64);

pub struct Market {
    mantissas: [u64; 3],
    said: VecDeque<Said>,
    moved_ms: u64,
}

impl Market {
    pub fn new() -> Self {
        let mantissas = PAIRS.map(|(_, _, mantissa)| mantissa);
        Self { mantissas, said: VecDeque::new(), moved_ms: 0 }
    }

    /// Moves by some thousandths every few seconds, up or down.
    pub fn go_on(&mut self, time_ms: u64, per_mille: u64) {
        if time_ms < self.moved_ms + 4_000 {
            return;
        }
        self.moved_ms = time_ms;
        for (now, (_, _, first)) in self.mantissas.iter_mut().zip(PAIRS) {
            *now = (*now * (993 + per_mille) / 1_000).clamp(first * 3 / 4, first * 4 / 3);
        }
    }

    pub fn mantissa(&self, pair: usize) -> u64 {
        self.mantissas[pair]
    }

    /// An honest provider publishes what it sees.
    pub fn publish(&mut self, pair: usize, time_ms: u64) -> Item {
        let (currency, payout_currency, _) = PAIRS[pair];
        let mantissa = self.mantissas[pair];
        self.said.push_back((pair, mantissa, time_ms));
        while self.said.front().is_some_and(|said| said.2 + 120_000 < time_ms) {
            self.said.pop_front();
        }
        let pair = (Currency::new(currency), Currency::new(payout_currency));
        RateItem::new(pair, (mantissa, SCALE), TimeMs::new(time_ms)).into()
    }

    /// Returns true if honest providers said a rate like this within so long before `time_ms`:
    /// between their lowest and their highest, and what a quote may differ.
    pub fn allows(
        &self,
        pair: usize,
        (mantissa, scale): (u64, u16),
        time_ms: u64,
        ago_ms: u64,
    ) -> bool {
        let recent = self.said.iter().filter(|said| said.0 == pair);
        let recent = recent.filter(|said| said.2 + ago_ms >= time_ms).map(|said| said.1);
        let (Some(low), Some(high)) = (recent.clone().min(), recent.max()) else { return false };
        let rate = u128::from(mantissa) * 1_000 * 10_u128.pow(u32::from(SCALE));
        let bound = |said: u64, per_mille: u128| {
            u128::from(said) * per_mille * 10_u128.pow(u32::from(scale))
        };
        bound(low, 1_000 - DRIFT_PER_MILLE) <= rate && rate <= bound(high, 1_000 + DRIFT_PER_MILLE)
    }
}

pub fn quote(
    id: QuoteId,
    pair: usize,
    rate: (u64, u16),
    ceiling: u64,
    valid_until_ms: u64,
) -> Item {
    let (currency, payout_currency, _) = PAIRS[pair];
    let item = QuoteItem {
        quote_id: id.get().into(),
        currency: currency.into(),
        payout_currency: payout_currency.into(),
        mantissa: rate.0.into(),
        scale: rate.1.into(),
        ceiling: ceiling.into(),
        valid_until: valid_until_ms.into(),
        spare: [0; 26],
    };
    item.into()
}
