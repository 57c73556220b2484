#![allow(clippy::unwrap_used, clippy::expect_used)]
use chain_types::{Outcome, Rejection};
use tokio::time::Instant;

use super::*;
use crate::bench::tally::tests::{lost, sent};
use crate::bench::tally::{LoadKind, SentBatch};

pub(crate) const MACHINE: MachinePrice = MachinePrice { cores: 2.0, yuan_per_hour: 0.35 };

pub(crate) fn setting(pace: &'static str) -> Setting {
    let (batch_items, gateways, nodes) = (4, 1, 4);
    Setting { pace, in_flight: 1, list: 1, batch_items, gateways, nodes, ..Setting::default() }
}

fn report(tally: &Tally, pacing: Pacing, seconds: u64) -> BenchReport {
    let (period, costs) = (Duration::from_secs(seconds), RunCosts::default());
    let beside = Beside::default();
    BenchReport::new(tally, period, setting("open"), pacing, beside, &costs, MACHINE)
}

pub(crate) fn tally(all: &[SentBatch]) -> Tally {
    let mut tally = Tally::new(Instant::now(), Duration::from_secs(60));
    all.iter().for_each(|sent| tally.add(sent));
    tally
}

#[test]
fn a_run_is_clean_when_every_order_was_sent_and_applied() {
    let now = Instant::now();
    let (applied, clean) = ([Outcome::APPLIED; 4], Pacing::default());
    let good = || sent(now, &applied);
    assert!(report(&tally(&[good()]), clean, 4).is_clean());
    assert!(!report(&tally(&[good(), lost(now, 1)]), clean, 4).is_clean());
    let refused = sent(now, &[Outcome::from(Rejection::LiquidityExceeded)]);
    assert!(!report(&tally(&[good(), refused]), clean, 4).is_clean());
    let overtaken = sent(now, &[Outcome::from(Rejection::OrderInstructed)]);
    let overtaken = SentBatch { kind: LoadKind::Return, ..overtaken };
    assert!(report(&tally(&[good(), overtaken]), clean, 4).is_clean());
    let unsent = Pacing { unsent_orders: 1, ..clean };
    let report = report(&tally(&[good()]), unsent, 4);
    assert!(!report.is_clean());
    assert!(report.text().contains("1 not sent at all"), "{}", report.text());
}

#[test]
fn a_run_without_orders_divides_by_nothing() {
    let report = report(&tally(&[]), Pacing::default(), 1);
    assert_eq!(report.costs.cpu_seconds_per_million_orders, None);
    assert!(!report.is_clean());
    assert!(report.text().contains("0 submitted"));
}

#[test]
fn runs_are_summed_up_by_median_and_ends() {
    let now = Instant::now();
    let run = |orders: usize| {
        let tally = tally(&[sent(now, &vec![Outcome::APPLIED; orders])]);
        report(&tally, Pacing::default(), 1)
    };
    let runs = RunsReport::new(vec![run(30), run(10), run(20)]);
    let of = |runs: &RunsReport| runs.summary[0].clone();
    let figure = "throughput_per_second";
    assert_eq!(of(&runs), Spread { figure, median: 20.0, min: 10.0, max: 30.0 });
    let even = RunsReport::new(vec![run(30), run(10)]);
    assert_eq!(of(&even), Spread { figure, median: 20.0, min: 10.0, max: 30.0 });
    // Nothing was measured of the nodes: no figure is made up.
    let costs = "yuan_per_million_orders";
    assert!(runs.summary.iter().all(|spread| spread.figure != costs));
    assert!(runs.text().contains("of all runs"));
    assert!(runs.is_clean());
    let price = |max| Spread { figure: costs, median: 0.0, min: 0.0, max };
    let text = |max| RunsReport { summary: vec![price(max)], runs: Vec::new() }.text();
    assert!(text(0.000_464).ends_with(" 0.000464"), "a price is small");
    assert!(text(0.0).ends_with(" 0.000") && text(20.0).ends_with(" 20.000"));
}
