//! What a refusal states, and what a clock that is set changes: nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chain_types::{BatchId, Digest};
use consensus_scheduler::{CountedBatch, Origin};

use super::*;

/// The first moment of the tests, in milliseconds.
const BEGIN_MS: u64 = 1_800_000_000_000;

fn question(kind: BatchKind, valid_ms: u64) -> ShareQuestion {
    let valid_until = TimeMs::new(BEGIN_MS + valid_ms);
    ShareQuestion { submitter: ParticipantId::new(7), kind, items: 8_192, valid_until }
}

/// Charges as many large batches of orders as the share allows, and returns the first refusal.
fn use_share(shares: &SharedScheduler, now: TimeMs, valid_ms: u64) -> SubmitRefusal {
    let asked = question(BatchKind::Recharge, valid_ms);
    for number in 0..100 {
        if let Err(refusal) = shares.consider(&asked, now) {
            return refusal;
        }
        let batch = CountedBatch {
            id: BatchId::new(Digest::from_bytes([number; 32])),
            submitter: asked.submitter,
            class: ServiceClass::Order,
            items: asked.items,
        };
        shares.with(now, |scheduler, now_us| {
            assert!(scheduler.charge(batch, Origin::Client, now_us));
        });
    }
    unreachable!("819,200 items at once are beyond any share")
}

#[test]
fn a_refusal_states_when_the_same_bytes_are_admitted() {
    let shares = SharedScheduler::default();
    let begin = TimeMs::new(BEGIN_MS);
    let refusal = use_share(&shares, begin, 60_000);
    assert_eq!(refusal.error.rejection, Rejection::PoolFull);
    assert!(refusal.error.detail.contains("has sent its share"), "{}", refusal.error);
    let after_ms = refusal.retry_after_ms.unwrap();
    let asked = question(BatchKind::Recharge, 60_000);
    assert!(shares.consider(&asked, begin.plus(after_ms - 1)).is_err());
    assert_eq!(shares.consider(&asked, begin.plus(after_ms)), Ok(()));
}

#[test]
fn what_cannot_be_in_time_is_refused_for_ever() {
    let shares = SharedScheduler::default();
    let refusal = use_share(&shares, TimeMs::new(BEGIN_MS), 1);
    assert_eq!(refusal.retry_after_ms, None);
    assert!(refusal.error.detail.contains("never before its valid-until"), "{}", refusal.error);
}

#[test]
fn duties_pass_when_orders_do_not() {
    let shares = SharedScheduler::default();
    use_share(&shares, TimeMs::new(BEGIN_MS), 60_000);
    for kind in [BatchKind::Collect, BatchKind::Void, BatchKind::Arrival, BatchKind::Return] {
        assert_eq!(
            shares.consider(&question(kind, 60_000), TimeMs::new(BEGIN_MS)),
            Ok(()),
            "{kind:?}"
        );
    }
}

#[test]
fn a_clock_that_is_set_back_makes_no_debt_longer() {
    let shares = SharedScheduler::default();
    let after_ms = use_share(&shares, TimeMs::new(BEGIN_MS), 60_000).retry_after_ms.unwrap();
    let hour_ms = 3_600_000;
    let set_back = TimeMs::new(BEGIN_MS - hour_ms);
    let asked = question(BatchKind::Recharge, 60_000);
    assert!(shares.consider(&asked, set_back).is_err());
    assert_eq!(shares.consider(&asked, set_back.plus(after_ms)), Ok(()));
    // A batch is valid by the wall clock, whatever was done to it.
    let valid_until = TimeMs::new(BEGIN_MS - hour_ms + 1_000);
    let old = ShareQuestion { valid_until, ..asked };
    assert_eq!(shares.consider(&old, set_back.plus(after_ms)), Ok(()));
    let over = ShareQuestion { valid_until: TimeMs::new(BEGIN_MS - hour_ms - 1), ..asked };
    assert!(shares.consider(&over, set_back.plus(after_ms)).is_err());
}

#[test]
fn a_block_is_full_by_items_or_by_batches() {
    let parameters = Parameters::default();
    let table = [
        (1, 57_344, false),
        (1, 57_345, true),
        (4_095, 4_095, false),
        (4_096, 4_096, true),
        (0, 0, false),
    ];
    for (batches, items, is_full) in table {
        assert_eq!(is_full_block(&parameters, batches, items), is_full, "{batches}, {items}");
    }
}
