//! Section 9.

use chain_types::*;

use crate::kit::*;

fn policy(scope: PolicyScope, subject: u64) -> PolicyItem {
    PolicyItem {
        scope: scope.number().into(),
        subject: subject.into(),
        currency: CNY.into(),
        ..PolicyItem::default()
    }
}

fn decide(order: &RechargeItem, decision: Decision) -> HoldDecisionItem {
    HoldDecisionItem {
        order_id: order.order_id,
        decision: decision.number().into(),
        reason: 1.into(),
        reference: [2; 32],
        spare: [0; 12],
    }
}

#[test]
fn limits_are_looked_at_in_their_order() {
    let mut scene = Scene::default();
    let scheme = PolicyItem {
        order_max: 500.into(),
        user_day_max: 700.into(),
        ..policy(PolicyScope::Scheme, 0)
    };
    let gateway = PolicyItem { day_max: 900.into(), ..policy(PolicyScope::Gateway, u64::from(A)) };
    let shop = PolicyItem { day_max: 950.into(), ..policy(PolicyScope::Merchant, MERCHANT) };
    let policies = scene.batch(DESK, &[scheme, gateway, shop]);
    scene.block(&[(policies, &[0, 0, 0])]);
    let rows = [
        (1, 501, 217),
        (1, 500, 0),
        (1, 201, 218),
        (1, 200, 0),
        (2, 201, 219),
        (2, 200, 0),
        (3, 1, 219),
    ];
    let mut orders = Vec::new();
    for (user, amount, code) in rows {
        let order = RechargeItem { user: [user; 16], ..scene.order(amount) };
        scene.say(SERVICE, order, code);
        orders.push(order);
    }
    let wider = PolicyItem { day_max: 0.into(), ..gateway };
    scene.say(DESK, wider, 0);
    for (amount, code) in [(51, 220), (50, 0)] {
        let order = RechargeItem { user: [3; 16], ..scene.order(amount) };
        scene.say(SERVICE, order, code);
    }
    scene.say(A, void(&orders[1]), 0);
    let again = scene.order(500);
    scene.say(SERVICE, again, 0);
}

#[test]
fn the_day_of_limits_begins_at_midnight_of_the_scheme() {
    // 2026-01-15T23:59:57 in UTC+8.
    let genesis = ChainGenesis { time: TimeMs::new(START_MS + 57_597_000), ..genesis() };
    let mut scene = Scene::of(&genesis);
    let scheme = PolicyItem { user_day_max: 100.into(), ..policy(PolicyScope::Scheme, 0) };
    scene.say(DESK, scheme, 0);
    let (first, second, third) = (scene.order(100), scene.order(1), scene.order(1));
    scene.say(SERVICE, first, 0);
    // Midnight: what is of yesterday counts no longer, and its void frees nothing of today.
    scene.say(SERVICE, second, 0);
    scene.say(A, void(&first), 0);
    let rest = scene.order(99);
    scene.say(SERVICE, rest, 0);
    scene.say(SERVICE, third, 218);
}

#[test]
fn a_void_after_midnight_frees_the_day_of_acceptance_while_its_sum_stands() {
    // 2026-01-15T23:59:56 in UTC+8. The clock of limits is put back to UTC after midnight.
    let genesis = ChainGenesis { time: TimeMs::new(START_MS + 57_596_000), ..genesis() };
    let mut scene = Scene::of(&genesis);
    let scheme = PolicyItem { user_day_max: 100.into(), ..policy(PolicyScope::Scheme, 0) };
    scene.say(DESK, scheme, 0);
    let order = scene.order(100);
    scene.say(SERVICE, order, 0);
    scene.pass(5_000);
    scene.say(A, void(&order), 0);
    let place = Parameters::NAMES.iter().position(|name| *name == "day_offset_min").unwrap();
    let index = u16::try_from(place).unwrap();
    scene.change(&Change::Parameter { index, value: 0 });
    let (all, more) = (scene.order(100), scene.order(1));
    scene.say(SERVICE, all, 0);
    scene.say(SERVICE, more, 218);
}

#[test]
fn a_held_order_waits_for_the_desk() {
    let mut scene = Scene::default();
    scene.change(&Change::Programme(programme(0)));
    scene.transferred(TransferAction::Deposit, (3, MERCHANT, CNY), 1_000);
    let hold = PolicyItem { hold_above: 100.into(), ..policy(PolicyScope::Merchant, MERCHANT) };
    scene.say(DESK, hold, 0);
    let (low, high, refused) = (scene.order(100), scene.collected(101), scene.order(200));
    scene.say(SERVICE, low, 0);
    scene.say(A, high, 2);
    scene.say(A, high, 2);
    scene.say(SERVICE, refused, 2);
    scene.balance((2, MERCHANT, CNY), 0);
    scene.say(A, collect(&high), 307);
    scene.say(A, void(&high), 307);
    scene.say(DESK, decide(&low, Decision::Approve), 308);
    scene.say(DESK, decide(&high, Decision::Approve), 10);
    scene.say(DESK, decide(&high, Decision::Approve), 1);
    scene.say(DESK, decide(&high, Decision::Refuse), 308);
    scene.balance((2, MERCHANT, CNY), 101);
    scene.say(
        DESK,
        HoldDecisionItem { decision: 3.into(), ..decide(&high, Decision::Refuse) },
        310,
    );
    scene.say(DESK, HoldDecisionItem { reason: 9.into(), ..decide(&high, Decision::Refuse) }, 306);
    scene.say(DESK, decide(&refused, Decision::Refuse), 0);
    scene.say(A, collect(&refused), 309);
}

#[test]
fn a_release_that_the_rules_refuse_leaves_the_order_held() {
    let mut scene = Scene::default();
    let hold = PolicyItem { hold_above: 100.into(), ..policy(PolicyScope::Scheme, 0) };
    scene.say(DESK, hold, 0);
    let order = scene.order(OPENING);
    scene.say(SERVICE, order, 2);
    let small = scene.order(1);
    scene.say(SERVICE, small, 0);
    scene.say(DESK, decide(&order, Decision::Approve), 215);
    scene.say(A, collect(&order), 307);
    scene.say(A, void(&small), 0);
    scene.say(DESK, decide(&order, Decision::Approve), 0);
    assert_eq!(scene.counters((1, 20, CNY)).debits_pending, u128::from(OPENING));
    scene.window += 1;
    scene.pass(180_001);
    assert_eq!(scene.counters((1, 20, CNY)).debits_pending, 0);
}

#[test]
fn policies_have_rules() {
    let mut scene = Scene::default();
    let scheme = policy(PolicyScope::Scheme, 0);
    let rows = [
        (PolicyItem { spare: [1; 20], scope: 9.into(), ..scheme }, 201),
        (PolicyItem { currency: 978.into(), scope: 9.into(), ..scheme }, 700),
        (PolicyItem { currency: 978.into(), day_max: 1.into(), ..scheme }, 208),
        (PolicyItem { scope: 3.into(), ..scheme }, 700),
        (PolicyItem { subject: 1.into(), ..scheme }, 700),
        (policy(PolicyScope::Gateway, u64::from(SERVICE)), 700),
        (policy(PolicyScope::Gateway, u64::from(A) + (1 << 32)), 700),
        (policy(PolicyScope::Merchant, 1), 700),
        (PolicyItem { day_max: 1.into(), ..scheme }, 701),
        (PolicyItem { user_day_max: 1.into(), ..policy(PolicyScope::Merchant, MERCHANT) }, 701),
        (scheme, 0),
    ];
    let codes = rows.map(|(_, code)| code);
    let batch = scene.batch(DESK, &rows.map(|(item, _)| item));
    scene.block(&[(batch, &codes)]);
}
