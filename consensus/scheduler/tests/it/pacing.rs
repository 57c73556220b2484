//! A client keeps to its share, and to a refusal.

use chain_types::TimeMs;
use consensus_scheduler::{Pacer, SendPlan};

use crate::support::BEGIN_US;

const LATE: TimeMs = TimeMs::new(u64::MAX / 2_000);

/// Items that are sent in ten seconds when there is always more.
fn sent_in_ten_seconds(pacer: &mut Pacer, items: u64) -> u64 {
    let mut sent = 0;
    for step in 0..10_000 {
        let now_us = BEGIN_US + step * 1_000;
        while let SendPlan::Now { .. } = pacer.plan(items, 0, LATE, now_us) {
            pacer.record_sent(items, now_us);
            sent += items;
        }
    }
    sent
}

#[test]
fn a_client_sends_its_share_whatever_its_batches_are() {
    for items in [1, 10, 100, 1_000] {
        let mut pacer = Pacer::new(4, 250, 1);
        pacer.hear(0, 10, 1_000, BEGIN_US);
        let sent = sent_in_ten_seconds(&mut pacer, items);
        // 98 % of ten seconds, 150 ms ahead, and the batch with which that ends.
        let most = 9_800 + 147 + items;
        assert!((most - items - 20..=most + 20).contains(&sent), "{sent} in batches of {items}");
    }
}

#[test]
fn of_two_nodes_the_one_with_the_shorter_queue_is_chosen() {
    let mut pacer = Pacer::new(4, 250, 7);
    for (node, queue_ms) in [(0, 40), (1, 5), (2, 300), (3, 60)] {
        pacer.hear(node, queue_ms, 1_000_000, BEGIN_US);
    }
    let mut chosen = [0; 4];
    for _ in 0..6_000 {
        if let SendPlan::Now { node } = pacer.plan(1, 0, LATE, BEGIN_US) {
            chosen[node] += 1;
        }
    }
    // The shortest wins each comparison that it is in, the longest none.
    assert_eq!(chosen[2], 0, "{chosen:?}");
    assert!((2_700..=3_300).contains(&chosen[1]), "{chosen:?}");
    assert!((1_700..=2_300).contains(&chosen[0]), "{chosen:?}");
    // Not all go to one: a word that is old would send everybody to the same node.
    assert!(chosen[3] > 700, "{chosen:?}");
}

#[test]
fn a_refusal_is_carried_to_no_other_node() {
    let mut pacer = Pacer::new(4, 250, 1);
    pacer.hear(0, 10, 1_000, BEGIN_US);
    let retry_at = TimeMs::new(BEGIN_US / 1_000 + 400);
    pacer.record_refusal(retry_at, BEGIN_US);
    for step in 0..400 {
        let now_us = BEGIN_US + step * 1_000;
        let until_us = BEGIN_US + 400_000;
        assert_eq!(pacer.plan(1, 0, LATE, now_us), SendPlan::Wait { until_us });
    }
    assert!(matches!(pacer.plan(1, 0, LATE, BEGIN_US + 400_000), SendPlan::Now { .. }));
}

#[test]
fn a_node_that_cannot_be_reached_is_left_for_a_second_and_others_are_tried() {
    let mut pacer = Pacer::new(2, 250, 1);
    pacer.record_unreachable(0, BEGIN_US);
    for step in 0..100 {
        let plan = pacer.plan(1, 0, LATE, BEGIN_US + step * 9_000);
        assert_eq!(plan, SendPlan::Now { node: 1 });
    }
    pacer.record_unreachable(1, BEGIN_US);
    assert!(matches!(pacer.plan(1, 0, LATE, BEGIN_US), SendPlan::Now { .. }), "better than none");
}

#[test]
fn what_cannot_be_final_in_time_is_said_at_once() {
    let mut pacer = Pacer::new(4, 250, 1);
    pacer.hear(0, 10, 1_000, BEGIN_US);
    let valid = |milliseconds| TimeMs::new(BEGIN_US / 1_000 + milliseconds);
    assert_eq!(pacer.plan(100, 5_000, valid(3_000), BEGIN_US), SendPlan::Never);
    assert!(matches!(pacer.plan(100, 5_000, valid(6_500), BEGIN_US), SendPlan::Wait { .. }));
    // A new one is taken only if it would be in time at a share that is a little smaller.
    assert!(!pacer.accepts(100, 5_000, valid(6_500), BEGIN_US));
    assert!(pacer.accepts(100, 5_000, valid(7_000), BEGIN_US));
}

#[test]
fn nothing_overflows() {
    let mut pacer = Pacer::new(0, u64::MAX / 4, 0);
    pacer.hear(9, u32::MAX, u64::MAX, u64::MAX);
    pacer.hear(0, u32::MAX, 0, u64::MAX);
    pacer.record_sent(u64::MAX, u64::MAX);
    pacer.record_refusal(TimeMs::new(u64::MAX), u64::MAX);
    pacer.record_unreachable(0, u64::MAX);
    assert_eq!(pacer.plan(u64::MAX, u64::MAX, LATE, u64::MAX), SendPlan::Never);
}
