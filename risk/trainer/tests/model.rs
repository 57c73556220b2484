//! What the trainer makes: the same bytes from the same orders, and scores that find fraud in a
//! month that it has not seen.
#![allow(clippy::unwrap_used)]

use risk_engine::{CompiledModel, FeatureVector, RiskModel};
use risk_month::MonthScale;
use risk_trainer::{
    BoostPlan, TrainFault, TrainingRows, WARM_UP_DAYS, alerts, average_precision_ppm,
    limit_of_share, observe, train, train_desk_model,
};

/// The model that ships: `scripts/risk --seed 1 --model risk/trainer/models/month.model` makes it.
const SHIPPED: &[u8] = include_bytes!("../models/month.model");
const PLAN: BoostPlan = BoostPlan { trees: 64, depth: 4, slowness: 5 };

#[test]
fn the_model_that_ships_is_made_again_to_the_byte_and_finds_fraud_of_another_month() {
    let past = observe(1_000_001, MonthScale::SMALL).unwrap();
    let made = train_desk_model(&past, &PLAN).unwrap();
    drop(past);
    assert_eq!(made.encode(), SHIPPED, "run scripts/risk --seed 1 --model FILE");
    let model = CompiledModel::new(RiskModel::decode(SHIPPED).unwrap());
    let month = observe(1, MonthScale::SMALL).unwrap();
    let measured = month.iter().filter(|order| order.day() >= WARM_UP_DAYS);
    let scored: Vec<(i32, bool)> =
        measured.map(|order| (model.score(&order.features), order.truth.is_some())).collect();
    // A score without knowledge has the base rate, a quarter of a percent.
    let precision = average_precision_ppm(&scored);
    assert!(precision > 200_000, "{precision}");
    let held = alerts(&scored, limit_of_share(&scored, 5_000));
    assert!(held.hits * 100 > held.frauds * 30, "{held:?}");
    let own = alerts(&scored, i64::from(model.model().head().hold_at));
    assert!(own.misjudged() < own.frauds && own.hits * 10 > own.alerts * 8, "{own:?}");
}

fn vector(first: i64, second: i64) -> FeatureVector {
    let mut features = FeatureVector::new();
    features.set(0, first);
    features.set(1, second);
    features
}

/// Fraud where both of two features are high: no single split tells it.
#[test]
fn two_splits_tell_what_one_cannot() {
    let rows: Vec<(FeatureVector, bool)> = (0..4_000)
        .map(|row| {
            let (first, second) = (row % 20, row / 20 % 20);
            (vector(first, second), first >= 10 && second >= 10)
        })
        .collect();
    let trained = TrainingRows::new(rows.iter().map(|(features, label)| (features, *label)));
    let plan = BoostPlan { trees: 20, depth: 2, slowness: 2 };
    let model = CompiledModel::new(train(&trained, &plan).unwrap());
    let wrong = rows.iter().filter(|(features, label)| (model.score(features) > 0) != *label);
    assert_eq!(wrong.count(), 0);
    // The order of rows changes nothing: sums are exact.
    let turned = TrainingRows::new(rows.iter().rev().map(|(features, label)| (features, *label)));
    assert_eq!(&train(&turned, &plan).unwrap(), model.model());
}

#[test]
fn rows_of_one_kind_make_no_model() {
    for label in [false, true] {
        let rows: Vec<FeatureVector> = (0..100).map(|value| vector(value, 0)).collect();
        let rows = TrainingRows::new(rows.iter().map(|features| (features, label)));
        let fault = train(&rows, &PLAN).unwrap_err();
        let frauds = if label { 100 } else { 0 };
        assert_eq!(fault, TrainFault::OneKind { rows: 100, frauds });
    }
    let empty = TrainingRows::new(std::iter::empty());
    assert!(empty.is_empty() && train(&empty, &PLAN).is_err());
}
