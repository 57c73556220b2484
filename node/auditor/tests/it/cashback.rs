//! Section 8.

use chain_types::*;

use crate::kit::*;

const POOL: (u16, u64, u16) = (3, MERCHANT, CNY);

/// A chain whose gateways may take back what they collected for a while.
fn scene_with(programme: Programme, budget: u64) -> Scene {
    let mut genesis = genesis();
    genesis.parameters.reversal_grace_ms = 60_000;
    let mut scene = Scene::of(&genesis);
    scene.change(&Change::Programme(programme));
    scene.transferred(TransferAction::Deposit, POOL, budget);
    scene
}

#[test]
fn the_sixth_recharge_of_the_month_gets_eight_percent() {
    let mut scene = scene_with(programme(5), 10_000);
    for code in [0, 0, 0, 0, 0, 10, 10] {
        let order = scene.collected(1_000);
        scene.say(A, order, code);
    }
    let other = RechargeItem { user: [2; 16], ..scene.collected(1_000) };
    scene.say(A, other, 0);
    // Promised, and owed when the money is there.
    scene.balance((3, MERCHANT, CNY), 10_000);
    scene.balance((4, 20, CNY), 0);
    assert_eq!(scene.counters((3, MERCHANT, CNY)).debits_pending, 160);
    scene.close_window();
    scene.balance((1, 20, CNY), i128::from(OPENING) - 8_000);
    assert_eq!(scene.parties(0), vec![((1, 20, CNY), 8_000, 0), ((1, 21, CNY), 0, 8_000)]);
    scene.say(B, arrival(0, CNY, 8_000), 0);
    scene.balance((3, MERCHANT, CNY), 9_840);
    scene.balance((4, 20, CNY), 160);
    scene.close_window();
    scene.balance((4, 20, CNY), 0);
    scene.balance((1, 20, CNY), i128::from(OPENING) - 8_000 + 160);
    assert_eq!(scene.parties(1), vec![((1, 20, CNY), 0, 160), ((3, MERCHANT, CNY), 160, 0)]);
    let statements = scene.auditor.statements();
    let (key, statement) = statements.first_key_value().unwrap();
    assert_eq!((key.merchant, key.month.year, key.month.month), (MERCHANT, 2026, 1));
    assert_eq!((statement.orders, statement.collected), (8, 8_000));
    assert_eq!(statement.cashback_granted, 160);
}

#[test]
fn the_users_month_and_the_budget_are_ceilings() {
    let limited = Programme { user_month_max: Amount::new(100), ..programme(0) };
    let mut scene = scene_with(limited, 130);
    let first = scene.collected(1_000);
    scene.say(A, first, 10);
    let over_month = scene.collected(263);
    scene.say(A, over_month, 20);
    let up_to_month = scene.collected(250);
    scene.say(A, up_to_month, 10);
    let over_budget = RechargeItem { user: [2; 16], ..scene.collected(500) };
    scene.say(A, over_budget, 21);
    let up_to_budget = RechargeItem { user: [2; 16], ..scene.collected(375) };
    scene.say(A, up_to_budget, 10);
    let nothing = RechargeItem { user: [2; 16], ..scene.collected(12) };
    scene.say(A, nothing, 0);
    scene.balance((3, MERCHANT, CNY), 130);
    assert_eq!(scene.counters((3, MERCHANT, CNY)).available(), 0);
}

#[test]
fn a_month_begins_at_midnight_of_the_programme() {
    // 2026-01-31T23:59:50 in UTC+8.
    let genesis = ChainGenesis { time: TimeMs::new(1_769_875_190_000), ..genesis() };
    let mut scene = Scene::of(&genesis);
    scene.change(&Change::Programme(programme(1)));
    scene.transferred(TransferAction::Deposit, POOL, 1_000);
    for code in [0, 10, 10, 10, 10, 0, 10] {
        let order = scene.collected(100);
        scene.say(A, order, code);
    }
}

#[test]
fn what_is_left_of_an_order_keeps_what_it_would_have_earned() {
    let mut scene = scene_with(programme(0), 1_000);
    let order = scene.collected(1_000);
    scene.say(A, order, 10);
    // floor(906 × 0.08) = 72, floor(894 × 0.08) = 71; 12 is below the least order.
    for (sequence, amount, promised) in [(1, 94, 72), (2, 12, 71), (3, 882, 0), (4, 12, 0)] {
        scene.say(B, send_back(&order, sequence, amount), 0);
        assert_eq!(scene.counters((3, MERCHANT, CNY)).debits_pending, promised);
    }
    scene.balance((3, MERCHANT, CNY), 1_000);
    scene.balance((2, MERCHANT, CNY), 0);
    scene.balance((1, 20, CNY), i128::from(OPENING));
    scene.close_window();
    assert_eq!(scene.parties(0), vec![((1, 20, CNY), 1_000, 1_000)]);
    assert!(scene.auditor.instructions().is_empty());
}

#[test]
fn an_order_that_goes_takes_along_what_rested_on_it() {
    let mut scene = scene_with(programme(1), 1_000);
    let orders = [scene.collected(50), scene.collected(2_000), scene.collected(500)];
    for (order, code) in orders.iter().zip([0, 10, 10]) {
        scene.say(A, *order, code);
    }
    // The largest grant, 160, and then what is left, 40.
    scene.say(A, send_back(&orders[0], 1, 50), 0);
    scene.balance((3, MERCHANT, CNY), 1_160);
    // It was paid for already, but for 120: that is set off.
    scene.say(A, send_back(&orders[1], 1, 2_000), 0);
    scene.balance((3, MERCHANT, CNY), 1_040);
    assert_eq!(scene.counters((3, MERCHANT, CNY)).debits_pending, 40);
    scene.say(A, send_back(&orders[2], 1, 500), 0);
    scene.balance((3, MERCHANT, CNY), 1_000);
    assert_eq!(scene.counters((3, MERCHANT, CNY)).debits_pending, 0);
    scene.balance((1, 20, CNY), i128::from(OPENING));
}

#[test]
fn who_is_not_named_takes_no_part() {
    let named = Programme { gateways: vec![ParticipantId::new(21)], ..programme(0) };
    let mut scene = scene_with(named, 1_000);
    let order = scene.collected(1_000);
    scene.say(A, order, 0);
    assert_eq!(scene.counters((3, MERCHANT, CNY)).debits_pending, 0);
}
