//! What is learned from blocks, and what is not.

use consensus_scheduler::capacity::{CAPACITY_MIN, Capacity};
use consensus_scheduler::meter::{DEBT_US_MAX, Meter, cost_us, items_in};

/// Blocks of `items` each 100 ms that leave `queue` behind.
fn blocks(capacity: &mut Capacity, from_us: u64, count: u64, items: u64, queue: u64) -> u64 {
    for number in 1..=count {
        capacity.record_block(items, queue, false, from_us + number * 100_000);
        capacity.probe(queue > 0, 100_000);
    }
    from_us + count * 100_000
}

#[test]
fn blocks_between_two_queues_show_the_capacity() {
    let mut capacity = Capacity::new(50_000);
    blocks(&mut capacity, 0, 60, 9_000, 500);
    assert!((89_000..=90_000).contains(&capacity.items_per_s()), "{}", capacity.items_per_s());
    // Half the pace for three seconds: a validator is away.
    blocks(&mut capacity, 6_000_000, 40, 4_500, 500);
    assert!((45_000..=46_500).contains(&capacity.items_per_s()), "{}", capacity.items_per_s());
}

#[test]
fn a_small_load_says_nothing_about_the_capacity() {
    let mut capacity = Capacity::new(80_000);
    blocks(&mut capacity, 0, 100, 100, 0);
    assert_eq!(capacity.items_per_s(), 80_000);
}

#[test]
fn clients_that_wait_without_a_queue_raise_it_by_two_percent_each_100_ms() {
    let mut capacity = Capacity::new(50_000);
    let mut now_us = 0;
    for step in 1..=10 {
        now_us += 100_000;
        capacity.record_block(5_000, 0, false, now_us);
        capacity.probe(true, 100_000);
        // Nothing is carried at first, so nothing bears the probe out.
        let before_us = if step < 8 { 0 } else { 1 };
        assert!(capacity.items_per_s() >= 50_000 + before_us, "step {step}");
    }
    blocks(&mut capacity, now_us, 60, 5_000, 0);
    let before = capacity.items_per_s();
    capacity.probe(true, 100_000);
    assert_eq!(capacity.items_per_s(), before + before / 50);
    // Clients that only say that they wait raise it to twice of what blocks carry, no further.
    for _ in 0..1_000 {
        capacity.probe(true, 100_000);
    }
    assert!(capacity.items_per_s() <= 2 * capacity.carried_items_per_s());
    assert!(Capacity::new(0).items_per_s() == CAPACITY_MIN);
}

#[test]
fn a_longer_queue_grants_less_until_it_is_short_again() {
    let capacity = Capacity::new(100_000);
    assert_eq!(capacity.grantable(0), 100_000);
    assert_eq!(capacity.grantable(5_000), 100_000, "50 ms of work are kept");
    assert_eq!(capacity.grantable(15_000), 90_000);
    assert_eq!(capacity.grantable(u64::MAX), 50_000);
}

#[test]
fn a_meter_lets_through_its_rate_and_a_little_ahead() {
    let (mut meter, rate) = (Meter::default(), 1_000);
    let mut admitted = 0;
    for step in 0..1_000 {
        let now_us = 10_000_000 + step * 10_000;
        // 100 are tried each 10 ms: ten times the rate.
        for _ in 0..10 {
            if meter.opens_us(250_000) <= now_us {
                meter.charge(10, rate, now_us);
                admitted += 10;
            }
        }
    }
    let expected = 10_000 + 250;
    assert!((expected - 20..=expected + 20).contains(&admitted), "{admitted}");
}

#[test]
fn a_debt_is_bounded_whatever_is_charged() {
    let mut meter = Meter::default();
    meter.charge(u64::MAX, 0, 5);
    assert_eq!(meter.opens_us(0), 5 + DEBT_US_MAX);
    assert_eq!(cost_us(10, 0), 10_000_000);
    assert_eq!(items_in(u64::MAX, u64::MAX), u64::MAX);
}
