//! What is said of liquidity, rates and quotes.

use chain_state::{AccountKey, AccountKind, TransferRecord, TransferStatus};
use chain_types::{
    Currency, ParticipantId, QuoteId, QuoteItem, RateItem, TransferDecisionItem, TransferItem,
};

use crate::item::Item;
use crate::network::*;
use crate::speaker::{Now, Speaker};

type Said = Option<(u32, Item)>;

/// Pairs, and what most providers say of them: mantissa and scale.
const PAIRS: [(u16, u16, u64, u16); 8] = [
    (CNY, USD, 140_000, 6),
    (USD, CNY, 7_125_000, 6),
    (CNY, JPY, 20_500_000, 6),
    (JPY, CNY, 48_000, 6),
    (USD, KWD, 307_000, 6),
    (KWD, CLF, 84_000, 6),
    (KWD, JPY, 1_000_000_000, 0),
    (JPY, KWD, 1, 9),
];

/// The market in each phase, in thousandths of [`PAIRS`]. One step is of exactly the bound, and
/// others are of less.
const MARKET: [u64; 4] = [1_000, 1_000, 1_020, 1_019];
/// How long a phase lasts.
const PHASE_MS: u64 = 30_000;

/// Returns the rate that most providers give at a time.
fn at_market(now: Now<'_>, mantissa: u64) -> u64 {
    // The extreme rates stay where they are.
    if !(1_000..1_000_000_000).contains(&mantissa) {
        return mantissa;
    }
    let phase = usize::try_from(now.time / PHASE_MS).unwrap() % MARKET.len();
    mantissa * MARKET[phase] / 1_000
}

/// All that an account has.
fn balance(now: Now<'_>, kind: u16, owner: u64, currency: u16) -> u64 {
    let kind = u8::try_from(kind).ok().and_then(AccountKind::from_number);
    let key = kind.map(|kind| AccountKey { kind, owner, currency: Currency::new(currency) });
    let account = key.and_then(|key| now.chain.state.account(&key));
    account.map_or(1, |account| u64::try_from(account.balance()).unwrap_or(1))
}

impl Speaker {
    pub fn transfer(&mut self, now: Now<'_>) -> Said {
        let action = self.choose(&[1, 1, 1, 2, 2, 3, 3, 3]);
        let (kind, owner) = match (self.below(24), action) {
            (0, _) => (self.choose(&[0, 2, 4, 8, 9, 77, 257]), 201),
            (1, _) => (self.choose(&[1, 3, 5]), self.choose(&[0, 9, 101, u64::MAX])),
            (2..8, 1 | 2) => (3, self.choose(&MERCHANTS[..4])),
            (8..16, _) => (5, u64::from(self.choose(&[401, 402, 403, 403, EVERYBODY]))),
            _ => (1, u64::from(self.choose(&[201, 202, 203, 205, EVERYBODY]))),
        };
        let currency = self.choose(&[CNY, CNY, CNY, USD, JPY, KWD, CLF, 826]);
        let is_boundless = owner == u64::from(EVERYBODY) || (kind == 5 && currency == JPY);
        let amount = match self.below(20) {
            0 => 0,
            1 if is_boundless || action == 2 => u64::MAX,
            2..7 if action == 2 => balance(now, kind, owner, currency),
            2..5 if action == 3 => 0,
            _ if action == 1 => self.between(1, 40_000),
            _ if action == 2 => self.between(1, 6_000),
            _ => self.between(0, 90_000),
        };
        let mut transfer_id = self.id(now);
        let known = now.chain.state.tables().transfers.keys().last();
        if let Some(known) = known.filter(|_| self.one_in(20)) {
            transfer_id = known.bytes();
        }
        let item = TransferItem {
            transfer_id,
            action: if self.one_in(40) { 4 } else { action }.into(),
            account_kind: kind.into(),
            owner: owner.into(),
            currency: currency.into(),
            amount: amount.into(),
            reference: self.reference(),
            spare: [0; 26],
        };
        Some((self.agent(), item.into()))
    }

    fn agent(&mut self) -> u32 {
        self.choose(&[601, 601, 602, 602, 603, HOUSE])
    }

    pub fn decide_transfer(&mut self, now: Now<'_>) -> Said {
        let all = now.chain.state.tables().transfers.values();
        let is_open = |record: &&TransferRecord| record.status == TransferStatus::Proposed;
        let mut found: Vec<TransferRecord> = all.clone().filter(is_open).copied().collect();
        if found.is_empty() || self.one_in(5) {
            found = all.copied().collect();
        }
        if found.is_empty() {
            return None;
        }
        let record = self.choose(&found);
        let mut transfer_id = record.id.bytes();
        if self.one_in(30) {
            transfer_id = self.id(now);
        }
        let item = TransferDecisionItem {
            transfer_id,
            decision: self.choose(&[1, 1, 1, 1, 1, 1, 2, 2, 2, 0]).into(),
            action: record.action.number().into(),
            amount: record.amount.get().saturating_add(u64::from(self.one_in(20))).into(),
            reference: self.reference(),
            spare: [0; 4],
        };
        let by = if self.one_in(3) { self.choose(&OPERATORS) } else { self.agent() };
        Some((by, item.into()))
    }

    fn provider(&mut self) -> u32 {
        match self.below(30) {
            0 => 404,
            1 => EVERYBODY,
            _ => self.choose(&PROVIDERS[..3]),
        }
    }

    /// A mantissa and scale near a pair's: mostly the very same.
    fn near(&mut self, mantissa: u64, scale: u16) -> (u64, u16) {
        let thousandths = match self.below(20) {
            0 => 1_003,
            1 => 997,
            2 => 1_002,
            3 => 998,
            4 => 1_001,
            5 => 990,
            _ => 1_000,
        };
        let one = self.choose(&[0, 0, 0, 0, 0, 0, 0, 1]);
        match self.below(60) {
            0 => (0, scale),
            1 => (mantissa, 16),
            2 => (u64::MAX, scale),
            _ => (mantissa * thousandths - one, scale + 3),
        }
    }

    pub fn rate(&mut self, now: Now<'_>) -> Said {
        let (currency, payout_currency, mantissa, scale) = self.choose(&PAIRS);
        let mantissa = at_market(now, mantissa);
        let (mantissa, scale) =
            if self.one_in(4) { self.near(mantissa, scale) } else { (mantissa, scale) };
        let parameters = now.chain.state.parameters();
        let (fresh_ms, skew_ms) = (parameters.rate_fresh_ms, parameters.order_skew_ms);
        let observed = match self.below(60) {
            0 => now.time.saturating_sub(fresh_ms),
            1 => now.time.saturating_sub(fresh_ms + 1),
            2 => now.time + skew_ms,
            3 => now.time + skew_ms + 1,
            4 => u64::MAX,
            5..12 => now.time - now.time % 1_000,
            _ => now.time - self.below(400),
        };
        let mut item = RateItem {
            currency: currency.into(),
            payout_currency: payout_currency.into(),
            mantissa: mantissa.into(),
            scale: scale.into(),
            observed: observed.into(),
            spare: [0; 42],
        };
        if self.one_in(40) {
            item.payout_currency = self.choose(&[currency, 826]).into();
        }
        Some((self.provider(), item.into()))
    }

    pub fn quote(&mut self, now: Now<'_>) -> Said {
        let provider = self.provider();
        let (currency, payout_currency, mantissa, scale) = self.choose(&PAIRS);
        let (mantissa, scale) = self.near(at_market(now, mantissa), scale);
        let longest_ms = now.chain.state.parameters().quote_valid_max_ms;
        let valid_until = match self.below(40) {
            0 => now.time,
            1 => now.time + 1,
            2 => now.time + longest_ms,
            3 => now.time + longest_ms + 1,
            _ => now.time + self.between(2_000, longest_ms),
        };
        let number = *self.quote_numbers.get(&provider).unwrap_or(&0);
        let number = match self.below(24) {
            0 => number,
            1 => number.saturating_sub(3),
            2 => number + 5,
            _ => number + 1,
        };
        self.quote_numbers.insert(provider, number);
        let of = if self.one_in(40) { 402 } else { provider };
        let is_large = matches!((currency, payout_currency), (KWD, JPY) | (JPY, KWD));
        let ceiling = match self.below(24) {
            0 => 0,
            1..4 => u64::MAX,
            _ if is_large => u64::MAX,
            _ => self.between(1, 20_000),
        };
        let mut item = QuoteItem {
            quote_id: QuoteId::of(ParticipantId::new(of), number).get().into(),
            currency: currency.into(),
            payout_currency: payout_currency.into(),
            mantissa: mantissa.into(),
            scale: scale.into(),
            ceiling: ceiling.into(),
            valid_until: valid_until.into(),
            spare: [0; 26],
        };
        if self.one_in(40) {
            item.payout_currency = self.choose(&[currency, 826]).into();
        }
        Some((provider, item.into()))
    }
}
