#![allow(clippy::unwrap_used, clippy::expect_used)]
use chain_types::BatchId;
use rpc_api::{BatchReport, BatchState, Outcomes};

use super::*;

/// A batch that was answered with these outcomes, 100 ms after it was to be sent.
pub fn sent(answered: Instant, outcomes: &[Outcome]) -> SentBatch {
    let mut report = BatchReport::pending(BatchId::default(), BatchState::Final);
    report.outcomes = Some(Outcomes::new(outcomes, false));
    SentBatch {
        kind: LoadKind::OneStep,
        items: u32::try_from(outcomes.len()).unwrap(),
        latency: Duration::from_millis(100),
        answered,
        result: Ok((report, 1)),
        sample: None,
    }
}

/// The same without an answer.
pub fn lost(answered: Instant, items: usize) -> SentBatch {
    let timeout = CallError::Timeout { waited_ms: 1, last: "silence".to_owned() };
    SentBatch { result: Err(timeout), ..sent(answered, &vec![Outcome::APPLIED; items]) }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn every_order_is_counted_once_and_by_its_fate() {
    let (start, refused) = (Instant::now(), Outcome::from(Rejection::LiquidityExceeded));
    let mut tally = Tally::new(start, SECOND);
    let applied = Outcome::APPLIED;
    tally.add(&sent(start + SECOND / 2, &[applied, applied, refused, applied]));
    // After the period: final, but no throughput.
    tally.add(&sent(start + SECOND * 2, &[applied; 4]));
    tally.add(&lost(start, 2));
    let total = &tally.total;
    assert_eq!((total.submitted, total.final_orders, total.unresolved), (10, 7, 2));
    let code = i32::from(Rejection::LiquidityExceeded.code());
    let name = "liquidity-exceeded".to_owned();
    assert_eq!(total.refused[&code], RefusedCount { code, name, orders: 1 });
    assert_eq!(total.refused_in_earnest(), 1);
    assert_eq!((tally.final_in_period, tally.batches_in_period), (3, 1));
    // The two that were lost are in the latencies: leaving them out would hide a stall.
    assert_eq!(total.latency.report().count, 10);
    assert_eq!(tally.peak_per_second(), 4);
}

#[test]
fn what_follows_from_an_order_is_a_kind_and_no_order() {
    let start = Instant::now();
    let mut tally = Tally::new(start, SECOND);
    tally.add(&SentBatch { kind: LoadKind::Reserve, ..sent(start, &[Outcome::APPLIED; 3]) });
    tally.add(&SentBatch { kind: LoadKind::Collect, ..sent(start, &[Outcome::APPLIED; 2]) });
    tally.add(&SentBatch { kind: LoadKind::Void, ..lost(start, 1) });
    assert_eq!((tally.total.submitted, tally.total.final_orders), (3, 3));
    assert_eq!((tally.total.unresolved, tally.batches), (1, 3));
    let kinds: Vec<_> = tally
        .kinds()
        .iter()
        .map(|kind| (kind.kind, kind.submitted, kind.final_operations, kind.unresolved))
        .collect();
    let expected =
        [(LoadKind::Reserve, 3, 3, 0), (LoadKind::Collect, 2, 2, 0), (LoadKind::Void, 1, 0, 1)];
    assert_eq!(kinds, expected);
}

#[test]
fn a_window_that_closed_before_a_return_is_no_fault() {
    let start = Instant::now();
    let mut tally = Tally::new(start, SECOND);
    let refused = Outcome::from(Rejection::OrderInstructed);
    tally.add(&SentBatch { kind: LoadKind::Return, ..sent(start, &[Outcome::APPLIED, refused]) });
    assert_eq!(tally.total.refused_in_all(), 1);
    assert_eq!(tally.total.refused_in_earnest(), 0);
}

#[test]
fn a_phase_has_the_latencies_of_what_was_to_be_sent_in_it() {
    let start = Instant::now();
    let mut tally = Tally::new(start, SECOND * 3);
    tally.phase("all up", start);
    tally.phase("one down", start + SECOND);
    tally.phase("all up again", start + SECOND * 2);
    let tenth = Duration::from_millis(100);
    tally.add(&sent(start + tenth * 2, &[Outcome::APPLIED; 3]));
    // To be sent in the first second, final in the second.
    tally.add(&sent(start + SECOND + tenth / 2, &[Outcome::APPLIED; 5]));
    tally.add(&lost(start + SECOND + tenth * 3, 7));
    // After the end: no phase's throughput.
    tally.add(&sent(start + SECOND * 4, &[Outcome::APPLIED; 11]));
    let phases = tally.phases();
    let counts: Vec<_> = phases
        .iter()
        .map(|phase| (phase.latency.count, phase.throughput_per_second.round(), phase.errors))
        .collect();
    assert_eq!(counts, [(8, 3.0, 0), (7, 5.0, 7), (11, 0.0, 0)]);
}
