//! The shape of a load: whom its orders pay, in which currencies, and in batches of which sizes.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::{Currency, MerchantId};
use serde::Serialize;

use super::crowd::{Crowd, Skew};
use super::sizes::BatchSizes;

/// Merchants of a network in the platform's shape, unless an option says otherwise.
pub const PLATFORM_MERCHANTS: u32 = 10_000;
/// Gateways of such a network.
pub const PLATFORM_GATEWAYS: u32 = 8;
/// Users of each of its gateways: 20 million in all.
pub const PLATFORM_USERS: u64 = 2_500_000;
/// The exponent of Zipf's law over its merchants and users.
pub const PLATFORM_ZIPF: f64 = 1.0;
/// Its cashback programmes: governance opens each by itself, so that not every merchant has one.
pub const PLATFORM_PROGRAMMES: u32 = 200;
/// Users of each gateway in the uniform shape.
pub const UNIFORM_USERS: u64 = 500_000;
/// Orders in a batch of the uniform shape.
pub const UNIFORM_BATCH_ITEMS: u32 = 8_192;

/// The merchants and users of a load's orders.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LoadShape {
    /// All merchants by Zipf's law, in every currency by its share.
    Platform {
        /// How the crowd is skewed.
        skew: Skew,
        /// The number of cashback programmes: those of the pairs of merchant and currency that
        /// most orders are of.
        programmes: usize,
    },
    /// A few merchants in all currencies, all alike: each user always pays the same pair. Each pair
    /// has a programme. What was measured until 2026-11-30.
    Uniform {
        /// The most merchants that are paid: the first ones of the network.
        merchants_max: usize,
    },
}

/// The shape of a load, as its report states it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ShapeReport {
    /// The name of the shape: `platform` or `uniform`.
    pub name: &'static str,
    /// Merchants that are paid.
    pub merchants: usize,
    /// The exponent of Zipf's law over merchants; zero when they are alike.
    pub merchants_zipf: f64,
    /// The users of each gateway.
    pub users_per_gateway: u64,
    /// The exponent of Zipf's law over the users of a gateway; zero when they are alike.
    pub users_zipf: f64,
    /// The share of each currency among users, in percent.
    pub currencies: BTreeMap<String, f64>,
    /// The share of batches of each size, in percent.
    pub batch_sizes: BTreeMap<u32, f64>,
    /// The orders of a batch on average.
    pub batch_items_mean: f64,
    /// The number of cashback programmes, each of a merchant and a currency.
    pub programmes: usize,
    /// The share of orders that a programme counts, in percent.
    pub programme_orders_percent: f64,
    /// The seed of what the load chooses. Runs with different seeds may be compared.
    pub seed: u64,
}

/// The merchants and users of a load, as its shape made them.
#[derive(Debug, Clone, Default)]
pub struct Whom {
    /// The report of it, but for batches and seed.
    pub report: ShapeReport,
    /// The pairs of merchant and currency that have programmes.
    pub programmes: BTreeSet<(MerchantId, Currency)>,
    /// The currencies in which users pay.
    pub currencies: BTreeSet<Currency>,
}

impl Whom {
    /// Returns the merchants that a crowd pays. The `programmes` busiest pairs of merchant and
    /// currency have a programme.
    pub fn of_crowd(crowd: &Crowd, skew: Skew, users: u64, programmes: usize) -> Self {
        let (pairs, percent) = crowd.busiest(programmes);
        let named = |(currency, percent): (Currency, f64)| (name(currency), rounded(percent));
        let report = ShapeReport {
            name: "platform",
            merchants: crowd.merchants(),
            merchants_zipf: skew.merchants,
            users_per_gateway: users,
            users_zipf: skew.users,
            currencies: crowd.currencies().map(named).collect(),
            programmes: pairs.len(),
            programme_orders_percent: rounded(percent),
            ..ShapeReport::default()
        };
        let currencies = crowd.currencies().map(|(currency, _)| currency).collect();
        Self { report, programmes: pairs, currencies }
    }

    /// Returns the merchants of these pairs. Each user always pays the same pair.
    pub fn of_pairs(pairs: BTreeSet<(MerchantId, Currency)>, users: u64) -> Self {
        let merchants: BTreeSet<MerchantId> = pairs.iter().map(|(merchant, _)| *merchant).collect();
        let mut shares: BTreeMap<String, f64> = BTreeMap::new();
        for (_, currency) in &pairs {
            *shares.entry(name(*currency)).or_default() += 100.0 / pairs.len() as f64;
        }
        shares.values_mut().for_each(|share| *share = rounded(*share));
        let report = ShapeReport {
            name: "uniform",
            merchants: merchants.len(),
            users_per_gateway: users,
            currencies: shares,
            programmes: pairs.len(),
            programme_orders_percent: 100.0,
            ..ShapeReport::default()
        };
        let currencies = pairs.iter().map(|(_, currency)| *currency).collect();
        Self { report, programmes: pairs, currencies }
    }

    /// Returns the same without any programme.
    #[must_use]
    pub fn without_programmes(mut self) -> Self {
        self.programmes.clear();
        self.report.programmes = 0;
        self.report.programme_orders_percent = 0.0;
        self
    }

    /// Returns the report of the whole shape.
    pub fn shape(&self, sizes: &BatchSizes, seed: u64) -> ShapeReport {
        ShapeReport {
            batch_sizes: sizes.shares().into_iter().collect(),
            batch_items_mean: rounded(sizes.mean()),
            seed,
            ..self.report.clone()
        }
    }
}

impl ShapeReport {
    /// Formats the shape for people, in one line.
    pub fn text(&self) -> String {
        let Self { name, merchants, users_per_gateway, programmes, seed, .. } = self;
        let law = |exponent: f64| match exponent > 0.0 {
            true => format!("by Zipf {exponent}"),
            false => "all alike".to_owned(),
        };
        let sizes = match (self.batch_sizes.first_key_value(), self.batch_sizes.last_key_value()) {
            (Some((least, _)), Some((most, _))) if least != most => {
                let mean = self.batch_items_mean;
                format!("batches of {least} to {most} orders, {mean:.0} on average")
            }
            (_, most) => format!("batches of {} orders", most.map_or(0, |(most, _)| *most)),
        };
        format!(
            "{name}: {merchants} merchants, {}; {users_per_gateway} users a gateway, {}; {} \
             currencies; {sizes}; {programmes} programmes, for {:.1} % of the orders; seed {seed}",
            law(self.merchants_zipf),
            law(self.users_zipf),
            self.currencies.len(),
            self.programme_orders_percent,
        )
    }
}

/// The currency's code, or its number when it has none.
fn name(currency: Currency) -> String {
    currency.code().map_or_else(|| currency.to_string(), str::to_owned)
}

/// A share as reports show it: to a tenth of a percent.
fn rounded(share: f64) -> f64 {
    (share * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::crowd::CURRENCY_SHARES;
    use crate::bench::sizes::PLATFORM_SIZES;

    #[test]
    fn pairs_that_are_alike_share_the_orders_and_all_have_programmes() {
        let (yuan, dollar) = (Currency::new(156), Currency::new(840));
        let pairs =
            [(1, yuan), (1, dollar), (2, yuan)].map(|(id, money)| (MerchantId::new(id), money));
        let whom = Whom::of_pairs(pairs.into(), 500);
        let shape = whom.shape(&BatchSizes::fixed(8_192), 1);
        assert_eq!((shape.merchants, shape.programmes), (2, 3));
        assert_eq!(shape.currencies, [("CNY", 66.7), ("USD", 33.3)].map(own).into());
        assert_eq!(shape.batch_sizes, [(8_192, 100.0)].into());
        assert_eq!(whom.currencies, [yuan, dollar].into());
        assert_eq!(
            shape.text(),
            "uniform: 2 merchants, all alike; 500 users a gateway, all alike; 2 currencies; \
             batches of 8192 orders; 3 programmes, for 100.0 % of the orders; seed 1"
        );
        let bare = whom.without_programmes();
        assert_eq!((bare.programmes.len(), bare.report.programmes), (0, 0));
        assert_eq!(bare.report.programme_orders_percent, 0.0);
    }

    /// The page defines the default shape: what it states is what the load draws from.
    #[test]
    fn the_page_states_the_shape_that_is_measured() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/performance.md");
        let page = std::fs::read_to_string(path).unwrap_or_default();
        let shares: Vec<String> = CURRENCY_SHARES
            .iter()
            .map(|(code, share)| format!("{code} {:.1}", f64::from(*share) / 10.0))
            .collect();
        let sizes: Vec<String> = PLATFORM_SIZES
            .iter()
            .map(|(items, percent)| format!("{}: {percent} %", grouped(u64::from(*items))))
            .collect();
        for stated in [
            format!("{} % of the users", shares.join(", ")),
            format!("{} of the batches", sizes.join(", ")),
            format!("| merchants | {}, in the genesis file", grouped(PLATFORM_MERCHANTS.into())),
            format!("| users | {} at each gateway", grouped(PLATFORM_USERS)),
            format!("| orders by merchant | Zipf's law, exponent {PLATFORM_ZIPF:.1}"),
            format!("| gateways | {PLATFORM_GATEWAYS}, in turn"),
            format!("programmes of the {PLATFORM_PROGRAMMES} pairs"),
            format!("| {} at each gateway |", grouped(UNIFORM_USERS)),
        ] {
            assert!(page.contains(&stated), "docs/performance.md does not state: {stated}");
        }
    }

    /// A number with commas between thousands.
    fn grouped(number: u64) -> String {
        match number / 1_000 {
            0 => number.to_string(),
            thousands => format!("{},{:03}", grouped(thousands), number % 1_000),
        }
    }

    fn own((code, share): (&str, f64)) -> (String, f64) {
        (code.to_owned(), share)
    }
}
