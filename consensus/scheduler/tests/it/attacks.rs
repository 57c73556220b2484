//! Who lies, floods or hides gains nothing, and nobody else loses.

use chain_types::ParticipantId;
use consensus_scheduler::{
    Admission, BatchAttempt, CountedBatch, Origin, Scheduler, ServiceClass, Settings,
};

use crate::support::{BEGIN_US, CAPACITY, Chain, attempt, id, party};

/// Four that send four times too much in all, in batches of 100.
const FOUR: [(u32, u32, u32); 4] =
    [(1, 10_000, 100), (2, 10_000, 100), (3, 10_000, 100), (4, 10_000, 100)];

/// The parts of the items that were settled, in thousandths.
fn parts(chain: &Chain, submitters: &[u32]) -> Vec<u64> {
    let total: u64 = submitters.iter().map(|who| chain.settled_of(*who)).sum();
    submitters.iter().map(|who| chain.settled_of(*who) * 1_000 / total.max(1)).collect()
}

#[test]
fn a_backlog_of_nothing_or_of_everything_moves_no_share() {
    let mut chain = Chain::new();
    let lies = |who: u32| match who {
        1 => 0,
        2 => u64::MAX,
        _ => 50_000,
    };
    chain.run(200, &FOUR, lies);
    for part in parts(&chain, &[1, 2, 3, 4]) {
        assert!((240..=260).contains(&part), "{part} thousandths");
    }
    let settled: u64 = (1..=4).map(|who| chain.settled_of(who)).sum();
    assert!(settled >= 20 * CAPACITY * 95 / 100, "{settled} in twenty seconds");
}

#[test]
fn who_claims_all_and_sends_little_takes_nothing_from_others() {
    let mut chain = Chain::new();
    // Submitters 3 and 4 send a fiftieth of the capacity and claim to have the world waiting.
    let loads = [(1, 20_000, 100), (2, 20_000, 100), (3, 1_000, 100), (4, 1_000, 100)];
    chain.run(200, &loads, |who| if who > 2 { u64::MAX } else { 100_000 });
    let settled: u64 = (1..=4).map(|who| chain.settled_of(who)).sum();
    assert!(settled >= 20 * CAPACITY * 93 / 100, "{settled} in twenty seconds");
}

#[test]
fn ten_thousand_that_are_registered_and_idle_cost_nobody_a_share() {
    let mut chain = Chain::new();
    for number in 0..10_000 {
        chain.offer(attempt(1_000 + number, 1));
    }
    for _ in 0..20 {
        // Each says a word from time to time, so that it stays known.
        for number in 0..10_000 {
            chain.offer(BatchAttempt { backlog_items: u64::MAX, ..attempt(1_000 + number, 1) });
        }
        chain.run(45, &FOUR, |_| 50_000);
    }
    let settled: u64 = (1..=4).map(|who| chain.settled_of(who)).sum();
    assert!(settled >= 90 * CAPACITY * 80 / 100, "{settled} in ninety seconds");
    for part in parts(&chain, &[1, 2, 3, 4]) {
        assert!((240..=260).contains(&part), "{part} thousandths");
    }
}

#[test]
fn ten_thousand_that_wake_together_leave_a_calm_submitter_its_place() {
    let mut chain = Chain::new();
    chain.run(100, &[(1, 500, 50)], |_| 0);
    for number in 0..10_000 {
        chain.offer(attempt(1_000 + number, 8_192));
    }
    // What they all together got in is a fraction of a second's work.
    let queue = chain.scheduler.queue_items();
    assert!(queue <= CAPACITY / 2, "{queue} items wait");
    assert_eq!(chain.offer(attempt(1, 50)), Admission::Admit);
    chain.block();
    assert!(chain.scheduler.queue_items_of(party(1)) == 0, "it is in the next block");
}

#[test]
fn a_batch_that_peers_announce_again_is_charged_once() {
    let mut scheduler = Scheduler::new(Settings::default());
    let order = ServiceClass::Order;
    let batch = CountedBatch { id: id(1), submitter: party(1), class: order, items: 8_192 };
    assert!(scheduler.enter(batch, Origin::Peer, BEGIN_US));
    let opens_us = scheduler.opens_us(party(1));
    for again in 0..10_000 {
        assert!(!scheduler.enter(batch, Origin::Peer, BEGIN_US + again));
    }
    assert_eq!(scheduler.opens_us(party(1)), opens_us);
    assert_eq!(scheduler.queue_items(), 8_192);
    // Nor once it is in a block.
    scheduler.remove(&id(1), party(1), order);
    assert!(!scheduler.enter(batch, Origin::Peer, BEGIN_US + 20_000));
    assert_eq!(scheduler.queue_items(), 0);
}

#[test]
fn nodes_that_hear_of_one_another_enforce_one_share_together() {
    let mut nodes = [Chain::new(), Chain::new()];
    let (mut number, mut admitted) = (0, [0_u64; 3]);
    for _ in 0..200 {
        for (at, who) in [(0, 1), (1, 2), (0, 3), (1, 3)].into_iter().cycle().take(400) {
            let now_us = nodes[at].now_us;
            let offer = BatchAttempt { backlog_items: 50_000, ..attempt(who, 100) };
            if nodes[at].scheduler.consider(&offer, now_us) != Admission::Admit {
                continue;
            }
            number += 1;
            admitted[who as usize - 1] += 100;
            nodes[at].enter(id(number), who, 100, ServiceClass::Order);
            let other = &mut nodes[1 - at];
            other.enter_announced(id(number), who, 100);
        }
        nodes.iter_mut().for_each(Chain::block);
    }
    // The third one asks both nodes, and gets what the others get at one.
    let total: u64 = admitted.iter().sum();
    for (who, items) in admitted.iter().enumerate() {
        let part = items * 1_000 / total;
        assert!((310..=360).contains(&part), "{who}: {part} thousandths");
    }
    let carried = total / 20;
    assert!(carried <= CAPACITY * 11 / 10, "{carried} items a second");
}

#[test]
fn weights_that_change_in_a_surge_are_followed_within_a_second() {
    let mut chain = Chain::new();
    chain.run(100, &FOUR, |_| 50_000);
    chain.scheduler.set_weight(party(1), 300);
    chain.run(10, &FOUR, |_| 50_000);
    chain.settled.clear();
    chain.run(100, &FOUR, |_| 50_000);
    let parts = parts(&chain, &[1, 2, 3, 4]);
    assert!((480..=520).contains(&parts[0]), "{parts:?}");
    assert!(parts[1..].iter().all(|part| (155..=180).contains(part)), "{parts:?}");
}

#[test]
fn forged_headers_charge_nobody() {
    let mut chain = Chain::new();
    let mut loads = FOUR.to_vec();
    loads.push((5, 100, 10));
    let backlog = |who| if who == 5 { 0 } else { 50_000 };
    chain.run(100, &loads, backlog);
    let share = chain.scheduler.share(party(1));
    let before = chain.settled_of(5);
    // A stranger names submitter 5, which is calm, in a hundred headers a block.
    for _ in 0..50 {
        for _ in 0..100 {
            chain.scheduler.consider(&attempt(5, 8_192), chain.now_us);
        }
        chain.run(1, &loads, backlog);
    }
    let settled = chain.settled_of(5) - before;
    assert!((4_900..=5_200).contains(&settled), "{settled} of the 5,000 that it sent");
    let after = chain.scheduler.share(party(1));
    assert!(after >= share * 3 / 4, "{after} of {share}: a fifth submitter's share, no more");
}

#[test]
fn one_address_for_all_is_nothing_that_is_asked() {
    // A decision names the submitter alone: all of them behind one proxy are still told apart.
    let mut chain = Chain::new();
    let loads = [(1, 40_000, 8_000), (2, 300, 30)];
    chain.run(100, &loads, |_| 0);
    let calm = chain.settled_of(2);
    assert!(calm >= 290 * 100, "{calm} of 30,000");
    let names: Vec<ParticipantId> = chain.scheduler.active(10);
    assert_eq!(names, [party(1), party(2)]);
}
