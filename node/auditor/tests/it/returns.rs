//! Section 10.

use chain_types::*;
use node_auditor::PaymentStatus;

use crate::kit::*;

#[test]
fn a_reversal_lowers_what_the_window_owes() {
    let mut scene = Scene::default();
    let order = scene.order(1_000);
    scene.say(SERVICE, order, 0);
    scene.say(A, send_back(&order, 1, 10), 321);
    scene.say(A, collect(&order), 0);
    scene.say(C, send_back(&order, 1, 10), 326);
    scene.say(A, send_back(&order, 2, 10), 324);
    scene.say(A, send_back(&order, 0, 10), 324);
    scene.say(A, send_back(&order, 1, 1_001), 320);
    scene.say(A, send_back(&order, 1, 10), 330);
    scene.say(C, consent(&order, 10), 332);
    scene.say(SERVICE, consent(&order, 10), 0);
    scene.say(SERVICE, consent(&order, 10), 1);
    scene.say(SERVICE, consent(&order, 9), 333);
    scene.say(A, send_back(&order, 1, 11), 330);
    scene.say(A, send_back(&order, 1, 10), 0);
    scene.say(A, send_back(&order, 2, 1), 330);
    scene.say(A, send_back(&order, 1, 10), 1);
    scene.say(A, send_back(&order, 1, 11), 323);
    scene.say(B, send_back(&order, 2, 90), 0);
    scene.say(B, send_back(&order, 3, 901), 320);
    scene.balance((2, MERCHANT, CNY), 900);
    scene.balance((1, 20, CNY), i128::from(OPENING) - 900);
    scene.close_window();
    assert_eq!(scene.parties(0), vec![((1, 20, CNY), 1_000, 100), ((1, 21, CNY), 0, 900)]);
    scene.say(B, send_back(&order, 3, 1), 322);
    scene.say(SERVICE, consent(&order, 900), 331);
    scene.say(B, arrival(0, CNY, 900), 0);
}

#[test]
fn a_return_of_money_that_arrived_comes_from_the_paying_gateway() {
    let mut scene = Scene::default();
    let order = scene.collected(1_000);
    scene.say(A, order, 0);
    scene.close_window();
    scene.say(B, arrival(0, CNY, 1_000), 0);
    scene.say(A, send_back(&order, 1, 400), 326);
    scene.say(B, send_back(&order, 1, 400), 0);
    scene.balance((1, 21, CNY), 600);
    scene.balance((1, 20, CNY), i128::from(OPENING) - 600);
    scene.close_window();
    assert_eq!(scene.parties(1), vec![((1, 20, CNY), 0, 400), ((1, 21, CNY), 400, 0)]);
    // B collects all that it has and may have: 600 and its cap of 500.
    let all = RechargeItem { collecting_gateway: B.into(), ..scene.order(1_100) };
    scene.say(SERVICE, all, 0);
    scene.say(B, send_back(&order, 2, 1), 328);
    scene.say(B, void(&all), 0);
    scene.say(B, send_back(&order, 2, 1), 0);
}

#[test]
fn an_instruction_whose_orders_all_return_is_returned() {
    let mut scene = Scene::default();
    let (first, second) = (scene.collected(300), scene.collected(400));
    scene.say(A, first, 0);
    scene.say(A, second, 0);
    scene.close_window();
    scene.say(B, failure(0, FailureReason::AccountClosed), 0);
    scene.say(B, send_back(&first, 1, 300), 0);
    scene.say(B, arrival(0, CNY, 700), 402);
    scene.say(B, arrival(0, CNY, 400), 404);
    scene.say(B, send_back(&second, 1, 400), 0);
    let returned = PaymentStatus::Returned { time_ms: scene.time };
    let instructions = scene.auditor.instructions();
    let (_, instruction) = instructions.first_key_value().unwrap();
    assert_eq!((instruction.status, instruction.amount, instruction.left), (returned, 700, 0));
    scene.say(B, failure(0, FailureReason::AccountClosed), 407);
    scene.say(MAKER, reinstruct(0), 407);
    scene.say(B, send_back(&second, 2, 1), 320);
    scene.balance((1, 20, CNY), i128::from(OPENING));
    scene.close_window();
    assert_eq!(
        scene.parties(1),
        vec![((1, 20, CNY), 0, 700), ((1, 21, CNY), 700, 0), ((7, 0, CNY), 700, 700)]
    );
}

#[test]
fn an_order_of_this_very_block_is_too_fresh() {
    let mut scene = Scene::default();
    let order = scene.collected(10);
    let orders = scene.batch(A, &[order]);
    let returns = scene.batch(A, &[send_back(&order, 1, 1)]);
    scene.block(&[(orders, &[0]), (returns, &[327])]);
    let unknown = scene.order(1);
    scene.say(A, send_back(&unknown, 1, 1), 300);
    scene.say(A, send_back(&order, 1, 0), 206);
    scene.say(A, ReturnItem { reason: 99.into(), ..send_back(&order, 1, 0) }, 306);
    let both = scene.batch(B, &[send_back(&order, 1, 1), send_back(&order, 2, 1)]);
    scene.block(&[(both, &[0, 0])]);
}

#[test]
fn the_return_period_ends() {
    let mut genesis = genesis();
    genesis.parameters.return_period_ms = 3_600_000;
    let mut scene = Scene::of(&genesis);
    let order = scene.collected(10);
    scene.say(A, order, 0);
    scene.close_window();
    scene.say(B, arrival(0, CNY, 10), 0);
    scene.window += 1;
    scene.pass(START_MS + 3_599_000 - scene.time);
    scene.say(B, send_back(&order, 1, 5), 0);
    scene.say(B, send_back(&order, 2, 5), 325);
}
