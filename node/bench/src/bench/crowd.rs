//! The platform's crowd: users and merchants by Zipf's law, and for each user a currency by share.

use std::collections::BTreeSet;

use chain_types::{ChainGenesis, Currency, MerchantId, ParticipantId};
use node_localnet::ORDER_AMOUNT_MAX;
use rpc_client::orders::{Entropy, Profile, Purchase};

use super::draw::{AliasTable, Zipf};

/// Of a thousand users, how many pay in a currency. An assumption: docs/performance.md says what
/// it stands on.
pub const CURRENCY_SHARES: [(&str, u32); 18] = [
    ("CNY", 620),
    ("USD", 90),
    ("EUR", 50),
    ("JPY", 40),
    ("HKD", 35),
    ("TWD", 30),
    ("KRW", 25),
    ("GBP", 20),
    ("SGD", 15),
    ("MYR", 14),
    ("THB", 13),
    ("IDR", 12),
    ("VND", 10),
    ("PHP", 8),
    ("INR", 7),
    ("AUD", 6),
    ("AED", 3),
    ("KWD", 2),
];
/// The share of a currency that the table does not name: that of its last.
const CURRENCY_SHARE_LEAST: u32 = 2;
/// The stream of the seed's generator that says which merchants are popular. The streams of the
/// threads that choose are numbered from zero.
const POPULARITY_STREAM: u64 = u64::MAX;

/// How a crowd is skewed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Skew {
    /// The exponent of Zipf's law over merchants; zero makes them alike.
    pub merchants: f64,
    /// The exponent of Zipf's law over the users of a gateway; zero makes them alike.
    pub users: f64,
}

/// The users of every gateway, and whom they pay.
#[derive(Debug, Clone)]
pub struct Crowd {
    /// The merchants, the most popular first.
    merchants: Vec<MerchantId>,
    popularity: Zipf,
    users: Zipf,
    currencies: Vec<(Currency, u32)>,
    by_share: AliasTable,
    amount_max: u64,
}

impl Crowd {
    /// Returns the crowd of a network: `users` at each of `gateways` pay every merchant that is
    /// not suspended, in every currency in which all gateways have a line. The seed says which
    /// merchants are popular, so that they do not lie side by side in the nodes' tables.
    ///
    /// # Errors
    /// When no merchant or no currency is left.
    pub fn new(
        genesis: &ChainGenesis,
        gateways: &[ParticipantId],
        users: u64,
        skew: Skew,
        seed: u64,
    ) -> anyhow::Result<Self> {
        let open = genesis.merchants.iter().filter(|merchant| !merchant.suspended);
        let payers: BTreeSet<ParticipantId> =
            open.clone().map(|merchant| merchant.payout_gateway).chain(gateways.to_vec()).collect();
        let has_lines = |currency: &Currency| {
            let lines = genesis.liquidity.iter().filter(|line| line.currency == *currency);
            lines.filter(|line| payers.contains(&line.gateway)).count() == payers.len()
        };
        let currencies = genesis.currencies.iter().copied().filter(has_lines);
        let currencies: Vec<(Currency, u32)> =
            currencies.map(|currency| (currency, share_of(currency))).collect();
        let mut merchants: Vec<MerchantId> = open.map(|merchant| merchant.id).collect();
        anyhow::ensure!(!merchants.is_empty(), "the network has no merchant to collect for");
        anyhow::ensure!(!currencies.is_empty(), "in no currency have all gateways a line");
        shuffle(&mut merchants, &mut Entropy::seeded(seed, POPULARITY_STREAM));
        let weights: Vec<f64> = currencies.iter().map(|(_, share)| f64::from(*share)).collect();
        Ok(Self {
            popularity: Zipf::new(merchants.len() as u64, skew.merchants),
            users: Zipf::new(users, skew.users),
            by_share: AliasTable::new(&weights),
            amount_max: ORDER_AMOUNT_MAX.min(genesis.parameters.order_amount_max),
            merchants,
            currencies,
        })
    }

    /// Draws what a user of `gateway` does next. A user always pays in the same currency, and
    /// whom it pays is drawn anew for each order.
    pub fn purchase(&self, gateway: ParticipantId, choices: &mut Entropy) -> Purchase {
        let user = scattered(self.users.draw(choices), gateway);
        let merchant = usize::try_from(self.popularity.draw(choices)).unwrap_or(0);
        Purchase {
            user: (u128::from(gateway.get()) << 64 | u128::from(user)).to_le_bytes(),
            merchant: self.merchants.get(merchant).copied().unwrap_or_default(),
            currency: self.currency_of(user),
            amount: Profile::amount(self.amount_max, choices),
        }
    }

    fn currency_of(&self, user: u64) -> Currency {
        // Another scattering than the pseudonym's own: its high bits choose.
        let place = self.by_share.at(scatter(user));
        self.currencies.get(place).map_or_else(Currency::default, |(currency, _)| *currency)
    }

    /// Returns the number of merchants.
    pub fn merchants(&self) -> usize {
        self.merchants.len()
    }

    /// Returns the currencies with their shares of the users, in percent.
    pub fn currencies(&self) -> impl Iterator<Item = (Currency, f64)> + '_ {
        let all: f64 = self.currencies.iter().map(|(_, share)| f64::from(*share)).sum();
        self.currencies
            .iter()
            .map(move |(currency, share)| (*currency, f64::from(*share) * 100.0 / all))
    }

    /// Returns the `count` pairs of merchant and currency that most orders are of, and what share
    /// of all orders that is, in percent.
    pub fn busiest(&self, count: usize) -> (BTreeSet<(MerchantId, Currency)>, f64) {
        let all: f64 = self.popularity.weights().sum();
        let mut pairs = Vec::new();
        // A pair among the first `count` has a merchant among the first `count`.
        for (merchant, weight) in self.merchants.iter().zip(self.popularity.weights()).take(count) {
            for (currency, percent) in self.currencies() {
                pairs.push((weight / all * percent, (*merchant, currency)));
            }
        }
        pairs.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        pairs.truncate(count);
        let percent = pairs.iter().map(|(percent, _)| percent).sum();
        (pairs.into_iter().map(|(_, pair)| pair).collect(), percent)
    }
}

fn share_of(currency: Currency) -> u32 {
    let code = currency.code();
    let known = CURRENCY_SHARES.iter().find(|(known, _)| code == Some(*known));
    known.map_or(CURRENCY_SHARE_LEAST, |(_, share)| *share)
}

/// Puts `items` in a random order (Fisher and Yates).
fn shuffle<T>(items: &mut [T], entropy: &mut Entropy) {
    for place in (1..items.len()).rev() {
        let other = usize::try_from(entropy.below(place as u64 + 1)).unwrap_or(place);
        items.swap(place, other);
    }
}

/// Returns the pseudonym's number of a gateway's user of a rank: like a hash, so that frequent
/// users do not lie side by side in the nodes' tables. No two ranks have the same.
fn scattered(rank: u64, gateway: ParticipantId) -> u64 {
    scatter(rank ^ (u64::from(gateway.get()) << 32))
}

/// The finaliser of `SplitMix64`: a permutation of the numbers.
fn scatter(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests;
