//! Decisions by a header: reasons, times to retry, duties, reading, and what stays bounded.

use std::collections::VecDeque;

use chain_types::{BatchKind, TimeMs};
use consensus_scheduler::{
    Admission, BatchAttempt, ReadBudget, RetryAt, Scheduler, ServiceClass, Settings, ShareReason,
};

use crate::support::{BEGIN_US, CAPACITY, Chain, attempt, id, party};

/// Eight that send ten times too much in all.
const CROWD: [(u32, u32, u32); 8] = [
    (1, 12_500, 100),
    (2, 12_500, 100),
    (3, 12_500, 100),
    (4, 12_500, 100),
    (5, 12_500, 100),
    (6, 12_500, 100),
    (7, 12_500, 100),
    (8, 12_500, 100),
];

fn overloaded() -> Chain {
    let mut chain = Chain::new();
    chain.run(50, &CROWD, |_| 1_000_000);
    chain
}

#[test]
fn a_refusal_says_why_and_a_retry_at_its_time_is_admitted() {
    let mut chain = overloaded();
    let refused = (0..1_000).find_map(|_| match chain.offer(attempt(1, 100)) {
        Admission::Refuse { reason, retry: RetryAt::At(at) } => Some((reason, at)),
        _ => None,
    });
    let (reason, at) = refused.unwrap();
    assert_eq!(reason, ShareReason::ShareUsed);
    assert!(at.get() * 1_000 > chain.now_us);
    chain.now_us = at.get() * 1_000;
    assert_eq!(chain.offer(attempt(1, 100)), Admission::Admit);
}

#[test]
fn who_has_more_to_send_before_is_told_a_later_time() {
    let mut chain = overloaded();
    while chain.offer(attempt(1, 100)) == Admission::Admit {}
    let share = chain.scheduler.share(party(1));
    let at = |ahead_items| {
        let attempt = BatchAttempt { ahead_items, ..attempt(1, 100) };
        match overloaded_retry(&chain, &attempt) {
            RetryAt::At(at) => at.get(),
            RetryAt::Never => unreachable!("valid for ever"),
        }
    };
    let second = at(share) - at(0);
    assert!((995..=1_005).contains(&second), "{second} ms for a second's share");
}

/// Returns the time to retry that the scheduler states under overload, of a scheduler of its own.
fn overloaded_retry(chain: &Chain, attempt: &BatchAttempt) -> RetryAt {
    let mut again = overloaded();
    while again.offer(crate::support::attempt(1, 100)) == Admission::Admit {}
    match again.scheduler.consider(attempt, chain.now_us) {
        Admission::Refuse { retry, .. } => retry,
        Admission::Admit => unreachable!("the share is used"),
    }
}

#[test]
fn what_cannot_be_final_in_time_is_refused_for_ever_at_once() {
    let mut chain = overloaded();
    while chain.offer(attempt(1, 100)) == Admission::Admit {}
    let valid_until = TimeMs::new(chain.now_us / 1_000 + 50);
    let short = BatchAttempt { valid_until, ..attempt(1, 100) };
    assert!(matches!(chain.offer(short), Admission::Refuse { retry: RetryAt::Never, .. }));
    // Before a free node too, when its time is over already.
    let late = BatchAttempt { valid_until, ..attempt(99, 1) };
    let reason = ShareReason::TooLate;
    assert_eq!(chain.offer(late), Admission::Refuse { reason, retry: RetryAt::Never });
}

#[test]
fn a_batch_of_more_than_ten_seconds_of_its_share_is_refused_for_ever() {
    let mut chain = Chain::new();
    let loads: Vec<(u32, u32, u32)> = (1..=400).map(|number| (number, 1_000, 100)).collect();
    chain.run(30, &loads, |_| 1_000_000);
    let share = chain.scheduler.share(party(1));
    assert!(share < 800, "{share}");
    let reason = ShareReason::BatchOverShare;
    let refusal = Admission::Refuse { reason, retry: RetryAt::Never };
    assert_eq!(chain.offer(attempt(1, 8_192)), refusal);
}

#[test]
fn duties_pass_when_orders_do_not() {
    let mut chain = overloaded();
    while chain.offer(attempt(1, 100)) == Admission::Admit {}
    for class in [ServiceClass::Duty, ServiceClass::Return] {
        assert_eq!(chain.offer(BatchAttempt { class, ..attempt(1, 100) }), Admission::Admit);
    }
    // They come first in the block.
    chain.enter(id(1 << 40), 77, 5, ServiceClass::Duty);
    let taken = chain.scheduler.take(1_000, 100, 100);
    assert!(taken[..4].contains(&id(1 << 40)), "{taken:?}");
}

#[test]
fn a_flood_of_duties_takes_no_more_than_its_part_and_its_share() {
    let mut chain = overloaded();
    let before = chain.settled_of(1);
    let mut flood = CROWD.to_vec();
    flood[0] = (1, 0, 100);
    for _ in 0..100 {
        for _ in 0..500 {
            chain.offer(BatchAttempt { class: ServiceClass::Duty, ..attempt(1, 100) });
        }
        chain.run(1, &flood, |_| 1_000_000);
    }
    let flooded = chain.settled_of(1) - before;
    // A quarter of a tenth, and a share of about an eighth, of ten seconds.
    assert!(flooded <= CAPACITY * 10 / 40 + CAPACITY * 10 / 6, "{flooded}");
    assert_eq!(
        chain.offer(BatchAttempt { class: ServiceClass::Duty, ..attempt(2, 100) }),
        Admission::Admit
    );
}

#[test]
fn each_kind_has_the_class_of_whom_it_serves() {
    use ServiceClass::{Duty, Order, Return};
    let table = [
        (BatchKind::Recharge, Order),
        (BatchKind::Rate, Order),
        (BatchKind::Quote, Order),
        (BatchKind::Collect, Duty),
        (BatchKind::Void, Duty),
        (BatchKind::Arrival, Duty),
        (BatchKind::HoldDecision, Duty),
        (BatchKind::Approval, Duty),
        (BatchKind::Return, Return),
        (BatchKind::Bounce, Return),
    ];
    for (kind, class) in table {
        assert_eq!(ServiceClass::of(kind), class, "{kind:?}");
    }
}

#[test]
fn returns_take_no_more_of_a_block_than_it_may_hold() {
    let mut chain = Chain::new();
    for number in 0..20 {
        chain.enter(id(number), 1, 100, ServiceClass::Return);
        chain.enter(id(100 + number), 1, 100, ServiceClass::Order);
    }
    let taken = chain.scheduler.take(1_000, 100, 300);
    assert_eq!(taken.iter().filter(|batch| **batch < id(100)).count(), 3);
    assert_eq!(taken.len(), 10);
}

#[test]
fn a_connection_is_read_at_one_and_a_half_times_its_share() {
    let (mut budget, mut read) = (ReadBudget::default(), 0);
    // 256 items each 20 ms are 12,800 a second, of a share of 1,000.
    for step in 0..3_000_u64 {
        let now_us = BEGIN_US + step * 20_000;
        if budget.paused_until_us(now_us).is_none() {
            budget.record(party(1), 256, 1_000, now_us);
            read += 256;
        }
    }
    assert!((88_000..=93_000).contains(&read), "{read} in a minute");
}

#[test]
fn naming_many_submitters_in_turn_sheds_no_debt() {
    let mut budget = ReadBudget::default();
    for number in 0..100_000 {
        budget.record(party(number), 8_192, 1_000, BEGIN_US);
    }
    assert!(budget.paused_until_us(BEGIN_US + 1_000_000).is_some());
}

#[test]
fn more_submitters_than_there_is_room_for_share_one_account() {
    let settings = Settings { submitters_max: 1_000, ..Settings::default() };
    let mut scheduler = Scheduler::new(settings);
    for number in 0..300_000 {
        scheduler.consider(&attempt(number, 1), BEGIN_US);
    }
    assert_eq!(scheduler.submitters(), 1_000);
    // Eleven seconds later they are forgotten, and others find room.
    for tick in 1..=400 {
        scheduler.tick(BEGIN_US + tick * 100_000);
    }
    assert_eq!(scheduler.submitters(), 0);
    scheduler.consider(&attempt(7, 1), BEGIN_US + 41_000_000);
    assert_eq!(scheduler.submitters(), 1);
}

#[test]
fn equal_calls_give_equal_answers() {
    let shares = || {
        let chain = overloaded();
        let shares: Vec<u64> = (1..=9).map(|who| chain.scheduler.share(party(who))).collect();
        (shares, chain.settled)
    };
    assert_eq!(shares(), shares());
}

/// A submitter asks for each batch once, in order, and comes back at the time that it was told.
#[test]
fn times_to_retry_that_are_stated_come_true() {
    let mut chain = overloaded();
    // What waits with submitter 1: when it asked and the time that it was told, and when to ask.
    let mut waiting: VecDeque<(u64, u64, u64)> = VecDeque::new();
    let (mut right, mut total) = (0, 0);
    for step in 1..=2_000_u64 {
        chain.now_us += 5_000;
        while let Some((asked_us, stated_us, at_us)) = waiting.front().copied() {
            if at_us > chain.now_us {
                break;
            }
            match chain.offer(BatchAttempt { is_retry: true, ..attempt(1, 100) }) {
                Admission::Admit => {
                    waiting.pop_front();
                    let (stated, took) = (stated_us - asked_us, chain.now_us - asked_us);
                    total += 1;
                    right += u32::from(took.abs_diff(stated) <= (stated / 5).max(20_000));
                }
                Admission::Refuse { retry: RetryAt::At(at), .. } => {
                    waiting[0].2 = at.get() * 1_000;
                }
                Admission::Refuse { .. } => unreachable!("valid for ever"),
            }
        }
        // 20,000 items a second, of which a share of an eighth bears half.
        let ahead_items = 100 * waiting.len() as u64;
        let offer = BatchAttempt { ahead_items, ..attempt(1, 100) };
        if let Admission::Refuse { retry: RetryAt::At(at), .. } = chain.offer(offer) {
            waiting.push_back((chain.now_us, at.get() * 1_000, at.get() * 1_000));
        }
        for (submitter, ..) in &CROWD[1..] {
            (0..6).for_each(|_| {
                chain.offer(BatchAttempt { backlog_items: 1_000_000, ..attempt(*submitter, 100) });
            });
        }
        if step % 20 == 0 {
            chain.now_us -= 100_000;
            chain.block();
        }
    }
    assert!(total >= 300, "{total}");
    assert!(right * 100 >= total * 95, "{right} of {total}");
}

#[test]
fn who_asked_for_little_lately_keeps_an_even_part() {
    let mut chain = Chain::new();
    // Nearly everything is used, and all that is asked for fits.
    chain.run(50, &[(1, 9_000, 100), (2, 500, 100)], |_| 0);
    let share = chain.scheduler.share(party(2));
    assert!(share >= CAPACITY / 4, "{share}: a third is for those that were not seen yet");
}

#[test]
fn judging_records_nothing_and_says_what_considering_would() {
    let mut chain = overloaded();
    let (mut admitted, mut refused) = (0, 0);
    for submitter in (1..=12).cycle().take(200) {
        let offer = attempt(submitter, 100);
        let judged = chain.scheduler.judge(&offer, chain.now_us);
        assert_eq!(judged, chain.scheduler.judge(&offer, chain.now_us));
        assert_eq!(judged, chain.offer(offer));
        match judged {
            Admission::Admit => admitted += 1,
            Admission::Refuse { .. } => refused += 1,
        }
    }
    assert!(admitted > 10 && refused > 10, "{admitted} and {refused}");
    let known = chain.scheduler.submitters();
    chain.scheduler.judge(&attempt(77, 100), chain.now_us);
    assert_eq!(chain.scheduler.submitters(), known);
}

#[test]
fn large_batches_after_a_pause_pass_beside_hundreds_that_send_little() {
    let mut chain = Chain::new();
    let little: Vec<(u32, u32, u32)> = (1..=300).map(|number| (number, 10, 1)).collect();
    chain.run(20, &little, |_| 0);
    // Its even part is some 330 items a second, and two thirds of the capacity are idle.
    for _ in 0..3 {
        assert_eq!(chain.offer(attempt(900, 8_192)), Admission::Admit);
        chain.run(1, &little, |_| 0);
    }
}

#[test]
fn only_full_blocks_show_the_capacity_however_much_waits_while_they_are_decided() {
    let mut chain = Chain::new();
    let mut blocks = |is_full: bool| {
        for number in 0..40 {
            chain.enter(id(number + 1_000 * u64::from(is_full)), 1, 500, ServiceClass::Order);
            chain.now_us += 100_000;
            chain.scheduler.record_block(500, is_full, chain.now_us);
            chain.scheduler.tick(chain.now_us);
        }
        chain.scheduler.capacity().items_per_s()
    };
    assert_eq!(blocks(false), CAPACITY);
    assert!(blocks(true) < CAPACITY / 5);
}
