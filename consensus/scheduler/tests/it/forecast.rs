//! The forecast against seasonal-naive and against `augurs`, on weeks that are generated.
#![allow(clippy::disallowed_types, reason = "the oracle reckons in floats")]

use augurs_core::prelude::*;
use augurs_ets::AutoETS;
use augurs_mstl::MSTLModel;
use consensus_scheduler::forecast::EVENTS_MAX;
use consensus_scheduler::{DeclaredEvent, Forecast};

use crate::crowd::Draws;

const DAY: u64 = 1_440;
const WEEK: u64 = 7 * DAY;

/// Items in each minute of some weeks: two peaks a day, calmer weekends, a level that wanders, and
/// noise of a tenth.
fn weeks(seed: u64, weeks: u64) -> Vec<u64> {
    let mut draws = Draws::new(seed);
    let mut wander: i64 = 0;
    let minute_items = |minute: u64| {
        let of_day = (minute % DAY) as i64;
        let peak = |at: i64, width: i64, height: i64| {
            (height - (of_day - at).abs() * height / width).max(0)
        };
        let day = 20_000 + peak(600, 240, 45_000) + peak(1_200, 180, 70_000);
        let percent = if minute / DAY % 7 >= 5 { 70 } else { 100 };
        wander += draws.below(401) as i64 - 200 - wander / 500;
        let usual = (day * percent / 100 + wander).max(1_000);
        let noise = usual / 10 * (draws.below(2_001) as i64 - 1_000) / 1_000;
        (usual + noise).max(0) as u64
    };
    (0..weeks * WEEK).map(minute_items).collect()
}

/// The forecast of each hour of the last week from the minute before it, and what it was.
fn hours(items: &[u64]) -> Vec<(u64, u64)> {
    let mut forecast = Forecast::default();
    let mut hours = Vec::new();
    let last_week = items.len() as u64 - WEEK;
    for (minute, value) in (0..).zip(items) {
        if minute >= last_week && minute % 60 == 0 {
            let said: u64 = forecast.hour().map(|point| point.items()).sum();
            hours.push((said, hour_of(items, minute)));
        }
        forecast.record(minute, *value);
    }
    hours
}

fn hour_of(items: &[u64], minute: u64) -> u64 {
    items[minute as usize..minute as usize + 60].iter().sum()
}

/// The mean absolute errors of the last week's hours: ours, and that of the same hour a week ago.
fn errors(items: &[u64]) -> (u64, u64) {
    let first = items.len() as u64 - WEEK;
    let ours: u64 = hours(items).iter().map(|(said, was)| said.abs_diff(*was)).sum();
    let naive: u64 = (0..168)
        .map(|hour| first + hour * 60)
        .map(|minute| hour_of(items, minute).abs_diff(hour_of(items, minute - WEEK)))
        .sum();
    (ours / 168, naive / 168)
}

#[test]
fn the_next_hour_is_forecast_better_than_by_the_same_hour_a_week_ago() {
    for seed in 1..=5 {
        let (ours, naive) = errors(&weeks(seed, 4));
        let mase = ours * 1_000 / naive;
        println!("seed {seed}: MASE {mase} thousandths ({ours} against {naive} items an hour)");
        assert!(mase <= 900, "MASE {mase} thousandths");
    }
}

/// MSTL with exponential smoothing over hours, fitted anew each day: the best that the library has.
fn oracle(items: &[u64]) -> u64 {
    let hourly: Vec<f64> = items.chunks(60).map(|hour| hour.iter().sum::<u64>() as f64).collect();
    let first = hourly.len() - 168;
    let mut sum = 0.0;
    for hour in first..hourly.len() {
        let trend = AutoETS::non_seasonal().into_trend_model();
        let model = MSTLModel::new(vec![24, 168], trend).fit(&hourly[..hour]).unwrap();
        let forecast = model.predict(1, None).unwrap();
        sum += (forecast.point[0] - hourly[hour]).abs();
    }
    (sum / 168.0) as u64
}

#[test]
fn an_oracle_that_fits_everything_anew_each_hour_is_not_much_better() {
    let items = weeks(1, 4);
    let ((ours, naive), oracle) = (errors(&items), oracle(&items));
    println!("ours {ours}, MSTL and ETS {oracle}, seasonal-naive {naive} items an hour");
    assert!(ours <= oracle * 3 / 2, "ours {ours}, the oracle's {oracle}");
}

#[test]
fn what_is_forecast_is_the_sum_of_what_is_printed() {
    let mut forecast = Forecast::default();
    for (minute, items) in (0..).zip(weeks(3, 1)) {
        forecast.record(minute, items);
    }
    for point in forecast.hour() {
        let sum = point.level + point.trend + point.season + point.event;
        assert_eq!(i64::try_from(point.items()).unwrap(), sum.max(0));
        let text = point.to_string();
        for word in ["level", "trend", "season", "event"] {
            assert!(text.contains(word), "{text}");
        }
        // Each part is rounded by itself.
        assert!(point.low <= point.items() + 4 && point.items() <= point.high + 4, "{text}");
    }
}

#[test]
fn the_interval_holds_about_nineteen_minutes_of_twenty() {
    let items = weeks(2, 4);
    let mut forecast = Forecast::default();
    let (mut held, mut total) = ([0, 0], 0);
    for (minute, value) in (0_u64..).zip(&items) {
        if minute >= 3 * WEEK && minute + 60 < 4 * WEEK && minute % 7 == 0 {
            total += 1;
            for (at, ahead) in [(0, 1), (1, 60)] {
                let point = forecast.ahead(ahead).unwrap();
                let was = items[point.minute as usize];
                held[at] += u32::from((point.low..=point.high).contains(&was));
            }
        }
        forecast.record(minute, *value);
    }
    for held in held {
        let percent = held * 100 / total;
        assert!((85..=99).contains(&percent), "{percent} % of {total}");
    }
}

#[test]
fn a_declared_event_is_forecast_and_not_learned_as_usual() {
    let mut items = weeks(4, 3);
    let event = DeclaredEvent {
        from_minute: 2 * WEEK + 600,
        until_minute: 2 * WEEK + 660,
        factor_permille: 12_000,
    };
    let usual = items.clone();
    for minute in event.from_minute..event.until_minute {
        items[minute as usize] *= 12;
    }
    let mut forecast = Forecast::default();
    assert!(forecast.declare(event));
    for (minute, value) in (0_u64..).zip(&items) {
        if minute == event.from_minute {
            for point in forecast.hour().take(30) {
                let was = items[point.minute as usize];
                let part = point.items() * 100 / was;
                assert!((70..=130).contains(&part), "{point}");
                assert!(point.event > point.level, "{point}");
            }
        }
        if minute == event.from_minute + DAY {
            let point = forecast.ahead(1).unwrap();
            let part = point.items() * 100 / usual[minute as usize];
            assert!((75..=125).contains(&part), "a day later all is as before: {point}");
        }
        forecast.record(minute, *value);
    }
}

#[test]
fn events_are_bounded_and_must_make_sense() {
    let mut forecast = Forecast::default();
    let event = DeclaredEvent { from_minute: 5, until_minute: 6, factor_permille: 2_000 };
    assert!(!forecast.declare(DeclaredEvent { until_minute: 5, ..event }));
    assert!(!forecast.declare(DeclaredEvent { factor_permille: 0, ..event }));
    for _ in 0..EVENTS_MAX {
        assert!(forecast.declare(event));
    }
    assert!(!forecast.declare(event));
    forecast.record(6, 1);
    assert!(forecast.declare(DeclaredEvent { until_minute: 99, ..event }), "the others are over");
}

#[test]
fn nothing_overflows() {
    let mut forecast = Forecast::default();
    let event = DeclaredEvent { from_minute: 0, until_minute: u64::MAX, factor_permille: u32::MAX };
    assert!(forecast.declare(event));
    for minute in 0..5_000 {
        forecast.record(minute, if minute % 2 == 0 { u64::MAX } else { 0 });
        assert!(forecast.hour().count() == 60);
    }
    let mut forecast = Forecast::default();
    for minute in (0..5_000).chain([3, 1 << 40]) {
        forecast.record(minute, if minute % 2 == 0 { u64::MAX } else { 0 });
        assert!(forecast.hour().count() == 60);
    }
}
