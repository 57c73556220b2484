//! Windows, instructions, arrivals and failures.

use chain_state::{EntryCause, InstructionStatus};
use chain_types::{Height, WindowId};

use crate::kit::*;

/// A chain whose window 0 collected 300 in two orders for the shop, now instructed to bank B.
fn instructed() -> Chain {
    let mut chain = Chain::new();
    chain.one(BANK_A, one_step(order_id(1, 0), 100));
    chain.one(BANK_A, one_step(order_id(2, 0), 200));
    chain.block(30_000, &[]);
    chain
}

#[test]
fn a_window_closes_with_the_first_block_at_its_end() {
    let mut chain = Chain::new();
    chain.block(29_999, &[]);
    assert_eq!(chain.state.window(), WindowId::new(0));
    chain.block(1, &[]);
    assert_eq!(chain.state.window(), WindowId::new(1));
    assert_eq!(chain.blocks.last().unwrap().header.window, WindowId::new(1));
    let [closed] = chain.windows()[..] else { panic!("an empty window closes as well") };
    assert_eq!((closed.id, closed.order_count, closed.instruction_count), (WindowId::new(0), 0, 0));
    assert_eq!((closed.opened, closed.closed), (START, Some(START.plus(30_000))));
    assert_eq!((closed.first_height, closed.last_height), (Height::new(0), Some(Height::new(1))));
    assert_eq!(chain.state.open_window().first_height, Height::new(2));
    chain.block(500_000, &[]);
    assert_eq!(chain.state.window(), WindowId::new(2), "one close a block, however late it is");
}

#[test]
fn a_window_nets_its_orders_into_one_instruction_a_merchant() {
    let mut chain = Chain::new();
    chain.one(BANK_A, one_step(order_id(1, 0), 100));
    chain.one(SERVICE, order(order_id(2, 0), 1_000));
    let mut of_a = one_step(order_id(3, 0), 50);
    of_a.merchant = SHOP_OF_A.into();
    chain.one(BANK_A, of_a);
    let mut by_b = one_step(order_id(4, 0), 7);
    by_b.collecting_gateway = BANK_B.into();
    by_b.order_id = of(BANK_B, by_b.order_id()).bytes();
    chain.one(BANK_B, by_b);
    chain.block(29_000, &[]);
    assert_eq!(chain.state.open_window().instruction_count, 2, "as a close would give now");

    let late = chain.batch(BANK_A, &[one_step(order_id(5, 0), 4)]);
    chain.block(1_000, &[late]);
    let instructions = chain.instructions();
    let [shop, of_a] = instructions[..] else { panic!("two instructions: {instructions:?}") };
    assert_eq!((shop.id, shop.gateway.get()), (instruction_id(0, SHOP), BANK_B));
    assert_eq!(
        (shop.amount.get(), shop.order_count),
        (107, 2),
        "what is reserved is not collected"
    );
    assert_eq!((of_a.gateway.get(), of_a.amount.get()), (BANK_A, 50));
    assert_eq!(shop.earliest_accepted, START.plus(1));
    assert_eq!(shop.deadline, START.plus(180_001));
    assert_eq!(shop.instructed, chain.state.time());

    let window = chain.windows()[0];
    let positions: Vec<_> = window
        .positions
        .iter()
        .map(|position| (position.party.owner, position.gross_debits, position.gross_credits))
        .collect();
    assert_eq!(positions, [(u64::from(BANK_A), 150, 50), (u64::from(BANK_B), 7, 107)]);
    assert_eq!(chain.state.open_window().order_count, 1, "the closing block's own orders are next");
}

#[test]
fn an_arrival_settles_an_instruction() {
    let mut chain = instructed();
    assert_eq!(chain.state.outstanding_instructions().count(), 1);
    assert_eq!(chain.one(BANK_B, arrival(0, SHOP, 300)), 0);
    assert_eq!(chain.payable(SHOP).balance(), 0, "the scheme owes the merchant nothing");
    assert_eq!(chain.liquidity(BANK_B).balance(), 300, "bank B paid it outside");
    assert_eq!(chain.liquidity(BANK_A).balance(), 700);
    assert_eq!(chain.state.outstanding_instructions().count(), 0);
    let record = chain.state.instruction(&instruction_id(0, SHOP)).unwrap();
    let InstructionStatus::Arrived { time, location } = record.status else { panic!("arrived") };
    assert_eq!((time, location.height), (chain.state.time(), chain.state.height()));
    assert_eq!(record.reference, [9; 32]);
    let entries = chain.entries();
    let entry = entries.last().unwrap();
    assert_eq!(entry.cause, EntryCause::Instruction(instruction_id(0, SHOP)));
    assert_eq!((entry.credits_posted, entry.order_count), (300, 2));
}

#[test]
fn each_word_on_an_instruction() {
    let arrived = || {
        let mut chain = instructed();
        chain.one(BANK_B, arrival(0, SHOP, 300));
        chain
    };
    let failed = || {
        let mut chain = instructed();
        chain.one(BANK_B, failure(0, SHOP, 1));
        chain
    };
    // Arrivals.
    assert_eq!(instructed().one(BANK_B, arrival(1, SHOP, 300)), 400, "its window is open");
    assert_eq!(instructed().one(BANK_B, arrival(0, SHOP_OF_A, 300)), 413, "its window is closed");
    assert_eq!(instructed().one(BANK_A, arrival(0, SHOP, 300)), 401);
    assert_eq!(instructed().one(BANK_B, arrival(0, SHOP, 299)), 402);
    assert_eq!(instructed().one(BANK_B, arrival(0, SHOP, 301)), 402);
    assert_eq!(arrived().one(BANK_B, arrival(0, SHOP, 300)), 1, "the very same word again");
    assert_eq!(arrived().one(BANK_A, arrival(0, SHOP, 300)), 401);
    let mut other = arrival(0, SHOP, 300);
    other.reference[0] = 0;
    assert_eq!(arrived().one(BANK_B, other), 403);
    assert_eq!(failed().one(BANK_B, arrival(0, SHOP, 300)), 404);
    let mut spare = arrival(0, SHOP, 300);
    spare.spare[3] = 1;
    assert_eq!(instructed().one(BANK_B, spare), 201);
    let mut yen = arrival(0, SHOP, 300);
    yen.currency = JPY.into();
    assert_eq!(instructed().one(BANK_B, yen), 413);
    // Failures.
    assert_eq!(instructed().one(BANK_B, failure(0, SHOP, 0)), 306);
    assert_eq!(instructed().one(BANK_B, failure(0, SHOP, 13)), 306);
    assert_eq!(instructed().one(BANK_B, failure(0, SHOP, 8)), 306, "of bounces only");
    assert_eq!(instructed().one(BANK_B, failure(0, SHOP, 7)), 418, "nobody recalled it");
    assert_eq!(instructed().one(BANK_B, failure(7, SHOP, 1)), 400);
    assert_eq!(instructed().one(BANK_A, failure(0, SHOP, 1)), 401);
    assert_eq!(arrived().one(BANK_B, failure(0, SHOP, 1)), 403);
    assert_eq!(failed().one(BANK_B, failure(0, SHOP, 1)), 1);
    assert_eq!(failed().one(BANK_B, failure(0, SHOP, 2)), 404);
    let mut spare = failure(0, SHOP, 1);
    spare.spare[9] = 1;
    assert_eq!(instructed().one(BANK_B, spare), 201);
}

#[test]
fn after_a_failure_the_money_stays_payable() {
    let mut chain = instructed();
    assert_eq!(chain.one(BANK_B, failure(0, SHOP, 2)), 0);
    assert_eq!(chain.payable(SHOP).balance(), 300);
    assert_eq!(chain.liquidity(BANK_B).balance(), 0);
    let record = chain.state.instruction(&instruction_id(0, SHOP)).unwrap().clone();
    assert!(matches!(record.status, InstructionStatus::Failed { reason: 2, .. }));
    assert_eq!(record.reference, [8; 32]);
    for _ in 0..40 {
        chain.block(60_000, &[]);
    }
    assert_eq!(chain.state.instruction(&record.id), Some(&record), "it is not forgotten");
}

#[test]
fn an_arrived_instruction_leaves_memory_after_a_while() {
    let mut chain = instructed();
    chain.one(BANK_B, arrival(0, SHOP, 300));
    chain.block(900_000, &[]);
    assert_eq!(chain.one(BANK_B, arrival(0, SHOP, 300)), 1, "the block's own time decides");
    assert!(chain.state.instruction(&instruction_id(0, SHOP)).is_none());
    assert_eq!(chain.one(BANK_B, arrival(0, SHOP, 300)), 413, "it ended so");
    assert_eq!(chain.liquidity(BANK_B).balance(), 300, "paid once");
}

#[test]
fn money_that_arrived_may_be_collected_against() {
    let mut chain = instructed();
    let mut item = one_step(order_id(6, 30_000), 5_300);
    item.collecting_gateway = BANK_B.into();
    item.order_id = of(BANK_B, item.order_id()).bytes();
    assert_eq!(chain.one(BANK_B, item), 215);
    chain.one(BANK_B, arrival(0, SHOP, 300));
    let mut item = one_step(order_id(7, 30_000), 5_300);
    item.collecting_gateway = BANK_B.into();
    item.order_id = of(BANK_B, item.order_id()).bytes();
    assert_eq!(chain.one(BANK_B, item), 0);
}
