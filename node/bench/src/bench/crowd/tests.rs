#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::collections::BTreeMap;

use genesis::{NetworkPlan, network_new};

use super::*;

const SKEW: Skew = Skew { merchants: 1.0, users: 1.0 };
const GATEWAYS: [ParticipantId; 2] = [ParticipantId::new(201), ParticipantId::new(202)];

fn genesis(merchants: u32, currencies: &[&str]) -> ChainGenesis {
    let folder = tempfile::tempdir().unwrap();
    let codes = currencies.iter().filter_map(|code| Currency::from_code(code));
    let default = NetworkPlan { seed: Some(1), merchants, ..NetworkPlan::default() };
    let plan = match currencies {
        [] => default,
        _ => NetworkPlan { currencies: codes.collect(), ..default },
    };
    let network = network_new(&folder.path().join("network"), &plan).unwrap();
    genesis::load_genesis(&network.genesis).unwrap()
}

fn crowd(genesis: &ChainGenesis, users: u64, skew: Skew, seed: u64) -> Crowd {
    Crowd::new(genesis, &GATEWAYS, users, skew, seed).unwrap()
}

#[test]
fn the_shares_name_every_currency_of_a_network_and_are_of_a_thousand() {
    assert_eq!(CURRENCY_SHARES.iter().map(|(_, share)| share).sum::<u32>(), 1_000);
    let genesis = genesis(3, &[]);
    let mut known: Vec<Currency> =
        CURRENCY_SHARES.iter().filter_map(|(code, _)| Currency::from_code(code)).collect();
    known.sort();
    assert_eq!(known, genesis.currencies);
    let crowd = crowd(&genesis, 10, SKEW, 1);
    let percent: f64 = crowd.currencies().map(|(_, percent)| percent).sum();
    assert!((percent - 100.0).abs() < 1e-9, "{percent}");
    let yuan = crowd.currencies().find(|(currency, _)| *currency == Currency::new(156)).unwrap();
    assert_eq!(yuan.1, 62.0);
}

#[test]
fn users_pay_in_one_currency_each_and_the_currencies_have_their_shares() {
    let genesis = genesis(100, &[]);
    // Alike, so that each user counts once or so.
    let crowd = crowd(&genesis, 1_000_000, Skew { merchants: 1.0, users: 0.0 }, 1);
    let mut choices = Entropy::seeded(5, 0);
    let (mut home, mut counts) = (BTreeMap::new(), BTreeMap::<Currency, u64>::new());
    for place in 0..200_000_usize {
        let purchase = crowd.purchase(GATEWAYS[place % 2], &mut choices);
        assert_eq!(*home.entry(purchase.user).or_insert(purchase.currency), purchase.currency);
        assert!((100..=ORDER_AMOUNT_MAX).contains(&purchase.amount), "{}", purchase.amount);
    }
    home.values().for_each(|currency| *counts.entry(*currency).or_default() += 1);
    let all = home.len() as f64;
    let chi_square: f64 = crowd
        .currencies()
        .map(|(currency, percent)| {
            let expected = all * percent / 100.0;
            (counts[&currency] as f64 - expected).powi(2) / expected
        })
        .sum();
    assert!(all > 150_000.0 && chi_square < 46.0, "{chi_square}: {counts:?}");
}

#[test]
fn popular_merchants_and_frequent_users_come_by_zipf_s_law_wherever_they_lie() {
    let genesis = genesis(1_000, &["CNY"]);
    let crowd = crowd(&genesis, 100, SKEW, 1);
    let mut choices = Entropy::seeded(6, 0);
    let (mut merchants, mut users) = (BTreeMap::<_, u64>::new(), BTreeMap::<_, u64>::new());
    let orders = 200_000;
    for _ in 0..orders {
        let purchase = crowd.purchase(GATEWAYS[0], &mut choices);
        *merchants.entry(purchase.merchant).or_default() += 1;
        *users.entry(purchase.user).or_default() += 1;
    }
    let (of_merchants, of_users) = (harmonic(1_000), harmonic(100));
    assert_eq!((merchants.len(), users.len()), (1_000, 100));
    for (rank, merchant) in (1..=10).zip(&crowd.merchants) {
        let expected = f64::from(orders) / f64::from(rank) / of_merchants;
        let found = merchants[merchant] as f64;
        assert!((found - expected).abs() < 5.0 * expected.sqrt(), "{rank}: {found} {expected}");
    }
    let most = *users.values().max().unwrap() as f64;
    let expected = f64::from(orders) / of_users;
    assert!((most - expected).abs() < 5.0 * expected.sqrt(), "{most} {expected}");
    assert!(!crowd.merchants.is_sorted(), "ranks do not follow the ids");
    let other = self::crowd(&genesis, 100, SKEW, 2);
    assert_ne!(crowd.merchants, other.merchants, "another seed has other stars");
    let again = self::crowd(&genesis, 100, SKEW, 1);
    assert_eq!(crowd.merchants, again.merchants);
}

#[test]
fn the_same_seed_buys_the_same() {
    let genesis = genesis(50, &[]);
    let purchases = |seed| -> Vec<Purchase> {
        let (crowd, mut choices) = (crowd(&genesis, 1_000, SKEW, seed), Entropy::seeded(seed, 0));
        (0..50).map(|_| crowd.purchase(GATEWAYS[1], &mut choices)).collect()
    };
    assert_eq!(purchases(1), purchases(1));
    assert_ne!(purchases(1), purchases(2));
}

#[test]
fn the_busiest_pairs_are_the_most_popular_merchants_in_the_commonest_currencies() {
    let crowd = crowd(&genesis(4, &["CNY", "USD"]), 10, SKEW, 1);
    let (yuan, dollar, stars) = (Currency::new(156), Currency::new(840), &crowd.merchants);
    let (pairs, percent) = crowd.busiest(3);
    // 62 of 71 users pay in yuan: the fourth in yuan has more orders than the first in dollars.
    assert_eq!(pairs, [(stars[0], yuan), (stars[1], yuan), (stars[2], yuan)].into());
    let expected = 62.0 / 71.0 * (1.0 + 1.0 / 2.0 + 1.0 / 3.0) / harmonic(4) * 100.0;
    assert!((percent - expected).abs() < 1e-9, "{percent} {expected}");
    let (pairs, percent) = crowd.busiest(1_000);
    assert!(pairs.len() == 8 && pairs.contains(&(stars[3], dollar)));
    assert!((percent - 100.0).abs() < 1e-9, "{percent}");
    assert_eq!(crowd.busiest(0), (BTreeSet::new(), 0.0));
}

#[test]
fn a_currency_without_a_line_of_every_gateway_is_left_alone() {
    let mut genesis = genesis(4, &["CNY", "USD"]);
    genesis.liquidity.retain(|line| (line.gateway.get(), line.currency.get()) != (202, 840));
    let crowd = crowd(&genesis, 10, SKEW, 1);
    assert_eq!(crowd.currencies().collect::<Vec<_>>(), [(Currency::new(156), 100.0)]);
    genesis.merchants.iter_mut().for_each(|merchant| merchant.suspended = true);
    let error = Crowd::new(&genesis, &GATEWAYS, 10, SKEW, 1).unwrap_err().to_string();
    assert!(error.contains("no merchant"), "{error}");
    genesis.merchants.iter_mut().for_each(|merchant| merchant.suspended = false);
    genesis.liquidity.clear();
    let error = Crowd::new(&genesis, &GATEWAYS, 10, SKEW, 1).unwrap_err().to_string();
    assert!(error.contains("in no currency"), "{error}");
}

fn harmonic(count: u32) -> f64 {
    (1..=count).map(|rank| 1.0 / f64::from(rank)).sum()
}
