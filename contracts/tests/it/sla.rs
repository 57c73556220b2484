//! Deadlines in block time, and who missed them.

use chain_state::BreachSubject;
use chain_types::BreachStage;

use crate::kit::*;

/// BreachStage, late party, order or instruction, and by how much after the start it was due.
fn breaches(chain: &Chain) -> Vec<(BreachStage, Option<u32>, BreachSubject, u64)> {
    let breaches = chain.breaches().into_iter().map(|breach| {
        let late = breach.late.map(|party| party.get());
        (breach.stage, late, breach.subject, breach.deadline.get() - START.get())
    });
    breaches.collect()
}

#[test]
fn a_collection_in_time_is_no_breach() {
    let mut chain = Chain::new();
    chain.one(SERVICE, order(order_id(1, 0), 100));
    chain.block(59_999, &[]);
    assert_eq!(chain.one(BANK_A, collect(order_id(1, 0))), 0);
    assert_eq!(breaches(&chain), []);
}

#[test]
fn a_late_collection_counts_and_is_a_breach() {
    let mut chain = Chain::new();
    chain.one(SERVICE, order(order_id(1, 0), 100));
    chain.block(60_000, &[]);
    assert_eq!(chain.one(BANK_A, collect(order_id(1, 0))), 0);
    let subject = BreachSubject::Order(order_id(1, 0));
    assert_eq!(breaches(&chain), [(BreachStage::Collected, Some(BANK_A), subject, 60_001)]);
    assert_eq!(chain.breaches()[0].noticed, chain.state.time());
}

#[test]
fn an_expired_reservation_is_a_breach() {
    let mut chain = Chain::new();
    chain.one(SERVICE, order(order_id(1, 0), 100));
    chain.block(180_000, &[]);
    let subject = BreachSubject::Order(order_id(1, 0));
    assert_eq!(breaches(&chain), [(BreachStage::Collected, Some(BANK_A), subject, 60_001)]);
    chain.block(180_000, &[]);
    assert_eq!(breaches(&chain).len(), 1, "noticed once");
}

#[test]
fn an_instruction_is_late_once_and_may_still_arrive() {
    let mut chain = Chain::new();
    chain.one(BANK_A, one_step(order_id(1, 0), 100));
    chain.block(30_000, &[]);
    chain.block(150_000, &[]);
    assert_eq!(chain.state.time(), START.plus(180_001));
    assert_eq!(breaches(&chain), [], "the deadline itself is in time");
    chain.block(1, &[]);
    let subject = BreachSubject::Instruction(instruction_id(0, SHOP));
    assert_eq!(breaches(&chain), [(BreachStage::Arrived, Some(BANK_B), subject, 180_001)]);
    chain.block(60_000, &[]);
    assert_eq!(chain.one(BANK_B, arrival(0, SHOP, 100)), 0);
    assert_eq!(breaches(&chain).len(), 1, "noticed once");
}

#[test]
fn an_instruction_that_failed_in_time_is_not_late() {
    let mut chain = Chain::new();
    chain.one(BANK_A, one_step(order_id(1, 0), 100));
    chain.block(30_000, &[]);
    chain.one(BANK_B, failure(0, SHOP, 1));
    chain.block(600_000, &[]);
    assert_eq!(breaches(&chain), []);
}

/// The arrival in the very block that is past the deadline is late: the clock runs first.
#[test]
fn an_arrival_one_block_too_late_is_late() {
    let mut chain = Chain::new();
    chain.one(BANK_A, one_step(order_id(1, 0), 100));
    chain.block(30_000, &[]);
    chain.block(150_000, &[]);
    assert_eq!(chain.one(BANK_B, arrival(0, SHOP, 100)), 0);
    assert_eq!(breaches(&chain).len(), 1);
}

/// When blocks stood still, nobody is blamed for a window that closed too late.
#[test]
fn nobody_is_blamed_for_a_chain_that_stood_still() {
    let mut chain = Chain::new();
    chain.one(BANK_A, one_step(order_id(1, 0), 100));
    chain.block(300_000, &[]);
    let subject = BreachSubject::Instruction(instruction_id(0, SHOP));
    assert_eq!(breaches(&chain), [(BreachStage::Instructed, None, subject, 180_001)]);
    chain.block(1, &[]);
    assert_eq!(breaches(&chain).len(), 1, "the paying gateway had no chance");
}

/// A gateway that collects so late that no instruction can be in time is named for that too.
#[test]
fn a_gateway_that_collected_too_late_for_its_instruction() {
    let mut chain = Chain::new();
    chain.one(SERVICE, order(order_id(1, 0), 100));
    chain.block(170_000, &[]);
    chain.one(BANK_A, collect(order_id(1, 0)));
    chain.block(30_000, &[]);
    let order = BreachSubject::Order(order_id(1, 0));
    let instruction = BreachSubject::Instruction(instruction_id(1, SHOP));
    let expected = [
        (BreachStage::Collected, Some(BANK_A), order, 60_001),
        (BreachStage::Instructed, Some(BANK_A), instruction, 180_001),
    ];
    assert_eq!(breaches(&chain), expected);
}
