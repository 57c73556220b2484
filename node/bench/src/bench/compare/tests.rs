#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::time::Duration;

use chain_types::Outcome;
use node_console::output::message_of;
use serde_json::json;
use tokio::time::Instant;

use super::*;
use crate::bench::gauge::{ProcessCost, RunCosts};
use crate::bench::pace::Pacing;
use crate::bench::reads::{AgeReport, ReadsReport};
use crate::bench::report::tests::{MACHINE, setting, tally};
use crate::bench::report::{BenchReport, Beside};
use crate::bench::shape::ShapeReport;
use crate::bench::tally::tests::sent;

const SECONDS: u64 = 1;

fn platform(merchants: usize) -> Setting {
    let shape = ShapeReport {
        name: "platform",
        merchants,
        currencies: [("CNY".to_owned(), 62.7), ("USD".to_owned(), 37.3)].into(),
        batch_sizes: [(1, 60.0), (8_192, 40.0)].into(),
        ..ShapeReport::default()
    };
    Setting { shape, contracts: true, ..setting("closed") }
}

/// A run with so many orders a second.
fn run(setting: Setting, orders: usize) -> BenchReport {
    let tally = tally(&[sent(Instant::now(), &vec![Outcome::APPLIED; orders])]);
    let (period, costs) = (Duration::from_secs(SECONDS), RunCosts::default());
    let (pacing, beside) = (Pacing::default(), Beside::default());
    BenchReport::new(&tally, period, setting, pacing, beside, &costs, MACHINE)
}

/// Reads a report that was written to a file.
fn earlier(report: &Value, is_unlike_allowed: bool) -> anyhow::Result<Earlier> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), report.to_string()).unwrap();
    Earlier::read(file.path(), is_unlike_allowed)
}

fn json_of(report: &impl Serialize) -> Value {
    serde_json::to_value(report).unwrap()
}

fn figure(comparison: &Comparison, name: &str) -> Ratio {
    comparison.figures.iter().find(|ratio| ratio.figure == name).unwrap().clone()
}

#[test]
fn figures_stand_side_by_side_with_their_ratio() {
    let before = earlier(&json_of(&run(platform(100), 40)), false).unwrap();
    let now = RunsReport::new(vec![run(platform(100), 50)]);
    before.check(&now.runs[0].setting, SECONDS).unwrap();
    let comparison = before.compare(&now, SECONDS);
    assert_eq!(comparison.unlike, []);
    let throughput = figure(&comparison, "throughput_per_second");
    assert_eq!((throughput.earlier, throughput.now), (Some(40.0), Some(50.0)));
    assert_eq!(throughput.ratio, Some(1.25));
    // Nothing was measured of the nodes: no figure is made up.
    assert!(comparison.figures.iter().all(|ratio| ratio.figure != "yuan_per_million_orders"));
    let text = comparison.text();
    assert!(text.contains(" 1.250") && text.contains("in the same shape"), "{text}");
    assert!(!text.contains("UNLIKE"), "{text}");
}

#[test]
fn several_runs_are_compared_by_their_medians() {
    let runs = |orders: [usize; 3]| {
        RunsReport::new(orders.map(|orders| run(platform(100), orders)).into())
    };
    let before = earlier(&json_of(&runs([10, 20, 90])), false).unwrap();
    let now = runs([70, 60, 10]);
    let throughput = figure(&before.compare(&now, SECONDS), "throughput_per_second");
    assert_eq!((throughput.earlier, throughput.now), (Some(20.0), Some(60.0)));
    assert_eq!(throughput.ratio, Some(3.0));
}

#[test]
fn a_ratio_needs_both_figures_and_no_zero_below() {
    assert_eq!(Ratio::new("f", None, None), None);
    for (earlier, now, expected) in [
        (Some(4.0), Some(1.0), Some(0.25)),
        (Some(4.0), Some(0.0), Some(0.0)),
        (Some(0.0), Some(4.0), None),
        (None, Some(4.0), None),
        (Some(4.0), None, None),
    ] {
        assert_eq!(Ratio::new("f", earlier, now).unwrap().ratio, expected, "{earlier:?} {now:?}");
    }
}

#[test]
fn unlike_runs_are_refused_and_each_difference_is_named() {
    let before = json_of(&run(platform(100), 40));
    let refused = earlier(&before, false).unwrap();
    let shape = |change: fn(&mut ShapeReport)| {
        let mut setting = platform(100);
        change(&mut setting.shape);
        setting
    };
    let rows: [(Setting, u64, &str); 10] = [
        (platform(10_000), SECONDS, "shape.merchants (earlier 100, now 10000)"),
        (shape(|shape| shape.name = "uniform"), SECONDS, "shape.name (earlier \"platform\""),
        (shape(|shape| shape.merchants_zipf = 1.0), SECONDS, "shape.merchants_zipf"),
        (
            shape(|shape| shape.batch_sizes = [(8_192, 100.0)].into()),
            SECONDS,
            "shape.batch_sizes.1 (earlier 60.0, now null); shape.batch_sizes.8192",
        ),
        (
            shape(|shape| shape.currencies.retain(|code, _| code != "USD")),
            SECONDS,
            "shape.currencies.USD (earlier 37.3, now null)",
        ),
        (Setting { gateways: 8, ..platform(100) }, SECONDS, "gateways (earlier 1, now 8)"),
        (Setting { contracts: false, ..platform(100) }, SECONDS, "contracts (earlier true"),
        (Setting { pace: "open", rate: 5, ..platform(100) }, SECONDS, "rate (earlier 0, now 5)"),
        (
            Setting { parameters: [("window_ms", 9)].into(), ..platform(100) },
            SECONDS,
            "parameters.window_ms (earlier null, now 9)",
        ),
        (platform(100), 60, "seconds (earlier 1, now 60)"),
    ];
    for (setting, seconds, problem) in rows {
        let error = refused.check(&setting, seconds).unwrap_err();
        assert_eq!(Exit::of(&error), Exit::Usage);
        let error = message_of(&error);
        assert!(error.contains(problem) && error.contains("--compare-unlike"), "{error}");
        // Allowed, it is shown with the word.
        let allowed = earlier(&before, true).unwrap();
        allowed.check(&setting, seconds).unwrap();
        let now = RunsReport::new(vec![run(setting, 50)]);
        let comparison = allowed.compare(&now, seconds);
        assert!(!comparison.unlike.is_empty());
        let text = comparison.text();
        assert!(text.contains("UNLIKE") && !text.contains("the same shape"), "{text}");
    }
    let mut seeded = platform(100);
    seeded.shape.seed = 9;
    refused.check(&seeded, SECONDS).unwrap();
}

#[test]
fn a_report_of_an_older_program_states_no_shape_and_is_unlike() {
    let mut old = json_of(&run(platform(100), 40));
    old["setting"].as_object_mut().unwrap().remove("shape");
    let error = earlier(&old, false).unwrap().check(&platform(100), SECONDS).unwrap_err();
    let error = message_of(&error);
    assert!(error.contains("shape.name (earlier null, now \"platform\")"), "{error}");
    earlier(&old, true).unwrap().check(&platform(100), SECONDS).unwrap();
}

#[test]
fn what_is_no_report_is_refused() {
    for (text, problem) in [
        (json!([]), "is not a report of a bench"),
        (json!({"runs": []}), "is not a report of a bench"),
        (json!({"setting": {}, "seconds": 1}), "is not a report of a bench"),
        (json!({"error": {"message": "x"}}), "is not a report of a bench"),
    ] {
        let error = earlier(&text, true).unwrap_err();
        assert!(format!("{error:#}").contains(problem), "{text}: {error:#}");
        assert_eq!(Exit::of(&error), Exit::Usage);
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "run 1").unwrap();
    let error = format!("{:#}", Earlier::read(file.path(), true).unwrap_err());
    assert!(error.contains("give what --json printed"), "{error}");
}

#[test]
fn every_figure_has_its_place_in_a_full_report() {
    let now = Instant::now();
    let mut tally = tally(&[sent(now, &[Outcome::APPLIED])]);
    tally.phase("all up", now);
    tally.phase("one down", now);
    let latency = tally.total.latency.report();
    let age = AgeReport { reads: 1, latency, age_max_seconds: 1.0, behind: 0, errors: 0 };
    let reads = ReadsReport { rate: 1, recent: age.clone(), old: age, last_problem: None };
    let process = ProcessCost {
        name: "validator-0".to_owned(),
        cpu_seconds: 1.0,
        written_bytes: 1,
        memory_peak_bytes: 1,
    };
    let costs = RunCosts {
        processes: vec![process],
        disk_bytes: vec![1],
        network_bytes: vec![1],
        load_cpu_seconds: 1.0,
    };
    let beside = Beside { reads: Some(reads), ..Beside::default() };
    let (period, pacing) = (Duration::from_secs(SECONDS), Pacing::default());
    let setting = Setting { pace: "open", ..platform(1) };
    let full = BenchReport::new(&tally, period, setting, pacing, beside, &costs, MACHINE);
    let names: Vec<&str> = figures::of_run(&json_of(&full)).iter().map(|(name, _)| *name).collect();
    assert_eq!(names, figures::FIGURES.map(|(name, _)| name));
}
