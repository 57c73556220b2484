//! What features say, at amounts and times of every size.

use chain_types::{Amount, MerchantId, TimeMs};
use risk_engine::{
    CHAIN_FEATURES, EngineSize, FeatureVector, PrivateFeatures, RiskEngine, RiskOrder, RiskSubject,
    catalogue,
};

use crate::support::{Draw, order};

const SIZE: EngineSize = EngineSize {
    user_sets_log2: 4,
    merchant_sets_log2: 4,
    device_sets_log2: 4,
    network_sets_log2: 4,
};
const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
/// Noon of a Thursday, which is a whole number of hours since the epoch.
const NOON_MS: u64 = 20_818 * DAY_MS + 12 * HOUR_MS;
const ORDER: RiskOrder = RiskOrder {
    user: [7; 16],
    merchant: MerchantId::new(1_001),
    device: 5,
    network: 6,
    amount: Amount::new(1_200),
};

fn at(ms: u64) -> TimeMs {
    TimeMs::new(ms)
}

fn features(engine: &RiskEngine, order: &RiskOrder, ms: u64) -> FeatureVector {
    engine.features(order, &PrivateFeatures::none([0; 32]), at(ms))
}

/// The value of a feature by its name.
fn named(features: &FeatureVector, name: &str) -> i64 {
    let row = catalogue().into_iter().find(|row| row.name == name);
    features.get(row.unwrap_or_else(|| panic!("no feature `{name}`")).number)
}

#[test]
fn a_week_of_one_user_gives_these_features() {
    let mut engine = RiskEngine::new(&SIZE).unwrap();
    let before = features(&engine, &ORDER, NOON_MS);
    engine.ingest(&ORDER, at(NOON_MS));
    let other = RiskOrder { merchant: MerchantId::new(1_002), device: 8, ..ORDER };
    engine.ingest(&RiskOrder { amount: Amount::new(400), ..other }, at(NOON_MS + HOUR_MS));
    let now = features(&engine, &ORDER, NOON_MS + HOUR_MS);
    let later = features(&engine, &ORDER, NOON_MS + 7 * DAY_MS);
    let table = [
        ("amount", 1_200, 1_200, 1_200),
        ("minute of the day", 720, 780, 720),
        ("day of the week", 0, 0, 0),
        ("round amount", 2, 2, 2),
        ("user and device unknown to each other", 1, 0, 1),
        ("user and merchant unknown to each other", 1, 0, 1),
        ("device and network unknown to each other", 1, 0, 1),
        ("what is known", 3, 3, 3),
        ("user: orders 1h", 0, 256 + 128, 0),
        ("user: sum 1h", 0, 400 + 600, 0),
        ("merchant: orders 1h", 0, 128, 0),
        ("merchant: sum 1h", 0, 600, 0),
        ("user: since the last", -1, 0, (7 * DAY_MS - HOUR_MS) as i64),
        ("device: since the last", -1, HOUR_MS as i64, 7 * DAY_MS as i64),
        ("user: age", -1, HOUR_MS as i64, 7 * DAY_MS as i64),
        ("device: sum 7d", 0, 1_196, 600),
        ("user: merchants", 0, 520, 0),
        ("user: devices", 0, 520, 0),
        ("network: users", 0, 258, 0),
        ("merchant: fraud rate", 0, 0, 0),
    ];
    for (name, first, second, third) in table {
        let found = [&before, &now, &later].map(|features| named(features, name));
        assert_eq!(found, [first, second, third], "{name}");
    }
    // 1,200 beside a mean of 800, but for what decay rounds down.
    let ratio = named(&now, "user: amount to mean");
    assert!((383..=385).contains(&ratio), "{ratio}");
}

#[test]
fn labels_change_the_rates_of_those_who_have_a_history_and_of_nobody_else() {
    let mut engine = RiskEngine::new(&SIZE).unwrap();
    engine.ingest(&ORDER, at(NOON_MS));
    let stranger = RiskOrder { user: [9; 16], ..ORDER };
    engine.label(&stranger, true, 256, at(NOON_MS));
    let rate = |engine: &RiskEngine, order, ms, name| named(&features(engine, order, ms), name);
    assert_eq!(rate(&engine, &stranger, NOON_MS, "user: fraud rate"), 0);
    assert_eq!(rate(&engine, &ORDER, NOON_MS, "user: fraud rate"), 0);
    assert_eq!(rate(&engine, &ORDER, NOON_MS, "merchant: fraud rate"), 65_536 / 2);
    engine.label(&ORDER, true, u16::MAX, at(NOON_MS));
    assert_eq!(rate(&engine, &ORDER, NOON_MS, "user: fraud rate"), 65_536 / 2);
    assert_eq!(rate(&engine, &ORDER, NOON_MS, "merchant: fraud rate"), 65_536 * 2 / 3);
    engine.label(&ORDER, false, 256, at(NOON_MS));
    assert_eq!(rate(&engine, &ORDER, NOON_MS, "user: fraud rate"), 65_536 / 3);
    // After 30 days half a label of each kind is left, beside the one that is always added.
    let later = NOON_MS + 30 * DAY_MS;
    assert_eq!(rate(&engine, &ORDER, later, "user: fraud rate"), 65_536 / 4);
}

#[test]
fn unknown_devices_and_networks_share_no_history() {
    let mut engine = RiskEngine::new(&SIZE).unwrap();
    let unknown = RiskOrder { device: 0, network: 0, ..ORDER };
    for _ in 0..3 {
        engine.ingest(&unknown, at(NOON_MS));
        engine.label(&unknown, true, 256, at(NOON_MS));
    }
    let found = features(&engine, &unknown, NOON_MS);
    for name in ["device: orders 30d", "network: orders 30d", "what is known", "user: devices"] {
        assert_eq!(named(&found, name), 0, "{name}");
    }
    assert_eq!(named(&found, "user and device unknown to each other"), 0);
    assert_eq!(named(&found, "user: orders 30d"), 3 * 256);
}

#[test]
fn amounts_and_times_of_every_size_stay_within_bounds() {
    let mut draw = Draw(3);
    let mut engine = RiskEngine::new(&SIZE).unwrap();
    for _ in 0..20_000 {
        let order = order(&mut draw, 12);
        let ms = draw.wild();
        for value in features(&engine, &order, ms).values() {
            assert!(*value >= -1, "{value}");
        }
        engine.ingest(&order, at(ms));
        engine.label(&order, draw.below(2) == 0, draw.any() as u16, at(draw.wild()));
    }
    let mut engine = RiskEngine::new(&SIZE).unwrap();
    let largest = RiskOrder { amount: Amount::new(u64::MAX), ..ORDER };
    engine.ingest(&largest, at(u64::MAX));
    engine.ingest(&largest, at(u64::MAX));
    let found = features(&engine, &largest, u64::MAX);
    assert_eq!(named(&found, "user: sum 30d"), i64::MAX);
    assert_eq!(named(&found, "user: orders 30d"), 512);
}

#[test]
fn ten_million_orders_of_one_user_are_counted() {
    let mut engine = RiskEngine::new(&SIZE).unwrap();
    for _ in 0..10_000_000 {
        engine.ingest(&ORDER, at(NOON_MS));
    }
    let found = features(&engine, &ORDER, NOON_MS);
    assert_eq!(named(&found, "user: orders 30d"), 10_000_000 * 256);
    assert_eq!(named(&found, "user: sum 30d"), 10_000_000 * 1_200);
    assert_eq!(named(&found, "user: amount to mean"), 256);
}

/// Time that goes backwards, as an asker's clock may, ages nothing.
#[test]
fn a_clock_that_lags_behind_the_chain_finds_the_state_as_it_is() {
    let mut engine = RiskEngine::new(&SIZE).unwrap();
    engine.ingest(&ORDER, at(NOON_MS));
    let found = features(&engine, &ORDER, NOON_MS - 9 * DAY_MS);
    assert_eq!(named(&found, "user: orders 1h"), 256);
    assert_eq!(named(&found, "user: since the last"), 0);
    assert_eq!(named(&found, "user and device unknown to each other"), 0);
}

#[test]
fn the_catalogue_has_each_feature_once() {
    let rows = catalogue();
    let names: std::collections::BTreeSet<_> = rows.iter().map(|row| &row.name).collect();
    assert_eq!(names.len(), rows.len());
    assert!(rows.iter().enumerate().all(|(at, row)| at == usize::from(row.number)));
    assert_eq!(rows[CHAIN_FEATURES].name, "private 0");
    for (subject, first) in RiskSubject::ALL.into_iter().zip([8, 22, 36, 50]) {
        assert_eq!(rows[first].name, format!("{}: orders 1h", subject.name()));
    }
}
