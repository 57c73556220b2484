//! The month gives nothing away: the base rate is what it says, and no feature alone tells fraud
//! from honest orders. `SLUICE_LONG` plays a tenth of the platform's month.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};

use chain_types::{Amount, MerchantId, TimeMs};
use risk_engine::{EngineSize, FEATURES, PrivateFeatures, RiskEngine, RiskOrder, catalogue};
use risk_month::{
    FraudKind, MONTH_DAYS, MONTH_START_MS, MonthEvent, MonthOrder, MonthScale, RiskMonth, SHIFT_DAY,
};

const DAY_MS: u64 = 86_400_000;
/// The largest share of pairs of a fraud and an honest order that one feature may put in order, in
/// hundredths.
const AUC_MAX: u128 = 80;

#[expect(clippy::disallowed_methods, reason = "says if the long form runs; no month depends on it")]
fn scale() -> MonthScale {
    match std::env::var_os("SLUICE_LONG").is_some() {
        true => MonthScale { users: 300_000, merchants: 3_000, orders_a_day: 430_000 },
        false => MonthScale::SMALL,
    }
}

fn orders(seed: u64, scale: MonthScale) -> impl Iterator<Item = MonthOrder> {
    RiskMonth::new(seed, scale).filter_map(|event| match event {
        MonthEvent::Order(order) => Some(order),
        MonthEvent::Label(_) => None,
    })
}

fn risk_order(order: &MonthOrder) -> RiskOrder {
    RiskOrder {
        user: order.user,
        merchant: MerchantId::new(order.merchant),
        device: order.device,
        network: order.network,
        amount: Amount::new(order.amount),
    }
}

/// The values of all features of each fraud and of a sample of the honest orders, as a desk would
/// have seen them.
fn samples(seed: u64, scale: MonthScale) -> Vec<(bool, Vec<i64>)> {
    let sets = scale.users.next_power_of_two().ilog2().max(4);
    let size = EngineSize {
        user_sets_log2: sets - 2,
        merchant_sets_log2: sets - 3,
        device_sets_log2: sets,
        network_sets_log2: sets - 1,
    };
    let mut engine = RiskEngine::new(&size).unwrap();
    let every = (u64::from(scale.orders_a_day) * u64::from(MONTH_DAYS) / 60_000).max(1);
    let mut samples = Vec::new();
    for event in RiskMonth::new(seed, scale) {
        match event {
            MonthEvent::Order(order) => {
                let (seen, time) = (risk_order(&order), TimeMs::new(order.time_ms));
                if order.truth.is_some() || order.number.is_multiple_of(every) {
                    let mut private = PrivateFeatures::none([0; 32]);
                    private.values[0] = i64::from(order.identity_age_days);
                    let features = engine.features(&seen, &private, time);
                    samples.push((order.truth.is_some(), features.values().to_vec()));
                }
                engine.ingest(&seen, time);
            }
            MonthEvent::Label(label) => {
                let seen = risk_order(&label.order);
                engine.label(&seen, label.is_fraud, 256, TimeMs::new(label.time_ms));
            }
        }
    }
    samples
}

/// Twice the number of pairs of a fraud and an honest order in which the fraud's value is larger,
/// where a tie counts as half a pair; and the number of pairs.
fn ordered_pairs(mut values: Vec<(i64, bool)>) -> (u128, u128) {
    values.sort_unstable();
    let (mut honest_below, mut frauds, mut twice) = (0, 0, 0);
    for tied in values.chunk_by(|one, other| one.0 == other.0) {
        let fraud = tied.iter().filter(|(_, is_fraud)| *is_fraud).count() as u128;
        let honest = tied.len() as u128 - fraud;
        twice += fraud * (2 * honest_below + honest);
        honest_below += honest;
        frauds += fraud;
    }
    (twice, frauds * honest_below)
}

/// The better of the two ways to use a feature, in ten-thousandths.
fn auc(values: Vec<(i64, bool)>) -> u128 {
    let (twice, pairs) = ordered_pairs(values);
    let share = twice * 5_000 / pairs;
    share.max(10_000 - share)
}

#[test]
fn shares_of_pairs_are_counted_right() {
    let of = |values: &[(i64, bool)]| auc(values.to_vec());
    assert_eq!(of(&[(1, false), (2, true)]), 10_000);
    assert_eq!(of(&[(1, true), (2, false)]), 10_000);
    assert_eq!(of(&[(1, true), (1, false)]), 5_000);
    assert_eq!(of(&[(1, false), (2, true), (3, false), (4, true)]), 7_500);
}

#[test]
fn no_feature_alone_tells_fraud_from_honest_orders() {
    let samples = samples(7, scale());
    assert!(samples.len() > 50_000, "{} samples", samples.len());
    let mut leaks = Vec::new();
    let mut all = Vec::new();
    for (number, row) in catalogue().into_iter().enumerate() {
        let values = samples.iter().map(|(is_fraud, values)| (values[number], *is_fraud));
        let auc = auc(values.collect());
        all.push(format!("{auc} {}", row.name));
        if auc > AUC_MAX * 100 {
            leaks.push(format!("{}: {auc} of 10,000", row.name));
        }
    }
    assert_eq!(all.len(), FEATURES);
    all.sort();
    println!("{}", all[FEATURES - 12..].join("\n"));
    assert!(leaks.is_empty(), "\n{}\n", leaks.join("\n"));
}

/// A month whose answer stands in a feature is found to leak: the test can fail.
#[test]
fn a_feature_that_names_the_fraud_is_found() {
    let values = orders(7, MonthScale::SMALL).take(50_000).map(|order| {
        (i64::from(order.truth.is_some()) + i64::from(order.number.is_multiple_of(9)), order)
    });
    let leaking = values.map(|(value, order)| (value, order.truth.is_some())).collect();
    assert!(auc(leaking) > AUC_MAX * 100);
}

#[test]
fn one_order_of_400_is_fraud_and_every_kind_has_its_part() {
    for seed in 0..3 {
        let (mut all, mut kinds) = (0_u64, BTreeMap::<_, u64>::new());
        for order in orders(seed, MonthScale::SMALL) {
            all += 1;
            if let Some(kind) = order.truth {
                *kinds.entry(kind).or_default() += 1;
            }
        }
        let frauds: u64 = kinds.values().sum();
        // 0.25 %, to a twentieth of it.
        assert!((frauds * 400).abs_diff(all) * 20 <= all, "{frauds} of {all}");
        for kind in FraudKind::ALL {
            let part = kinds.get(&kind).copied().unwrap_or(0) * 100 / frauds;
            assert!((4..=25).contains(&part), "{kind:?}: {part} % of the frauds");
        }
    }
}

#[test]
fn a_seed_gives_one_month_and_another_seed_another() {
    let scale = MonthScale { users: 500, merchants: 40, orders_a_day: 600 };
    let month = |seed| RiskMonth::new(seed, scale).collect::<Vec<_>>();
    assert_eq!(month(1), month(1));
    assert_ne!(month(1), month(2));
}

#[test]
fn events_come_in_order_and_labels_late_and_sometimes_wrong() {
    let (mut last, mut number) = (0, 0);
    let (mut labels, mut wrong, mut frauds, mut labelled) = (0_u64, 0, 0_u64, 0_u64);
    for event in RiskMonth::new(5, MonthScale::SMALL) {
        let time_ms = match event {
            MonthEvent::Order(order) => {
                assert_eq!(order.number, number);
                assert!(order.time_ms < MONTH_START_MS + u64::from(MONTH_DAYS) * DAY_MS);
                assert!(order.amount > 0 && order.device != 0 && order.network != 0);
                number += 1;
                frauds += u64::from(order.truth.is_some());
                order.time_ms
            }
            MonthEvent::Label(label) => {
                let delay = label.time_ms - label.order.time_ms;
                assert!((3 * DAY_MS..45 * DAY_MS).contains(&delay));
                labels += 1;
                labelled += u64::from(label.order.truth.is_some());
                wrong += u64::from(label.is_fraud != label.order.truth.is_some());
                label.time_ms
            }
        };
        assert!(time_ms >= last, "order {number}");
        last = time_ms;
    }
    assert_eq!(labelled, frauds, "every fraud is labelled");
    assert!((1..=3).contains(&(wrong * 100 / labels)), "{wrong} of {labels} wrong");
}

#[test]
fn a_new_kind_appears_on_the_day_of_the_shift() {
    let shift_ms = MONTH_START_MS + u64::from(SHIFT_DAY) * DAY_MS;
    let kinds = |is_late: bool| -> BTreeSet<_> {
        let orders = orders(3, MonthScale::SMALL);
        let part = orders.filter(|order| (order.time_ms >= shift_ms) == is_late);
        part.filter_map(|order| order.truth).collect()
    };
    assert_eq!(kinds(true).len(), FraudKind::ALL.len());
    assert!(!kinds(false).contains(&FraudKind::Resale));
    assert_eq!(kinds(false).len(), FraudKind::ALL.len() - 1);
}
