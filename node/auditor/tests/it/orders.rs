//! Sections 3 and 4.

use chain_types::*;

use crate::kit::*;

#[test]
fn a_reservation_is_collected_once() {
    let mut scene = Scene::default();
    let order = scene.order(600);
    scene.say(SERVICE, order, 0);
    scene.say(SERVICE, order, 1);
    scene.say(A, order, 240);
    scene.say(SERVICE, RechargeItem { amount: 601.into(), ..order }, 205);
    assert_eq!(scene.counters((1, 20, CNY)).debits_pending, 600);
    assert_eq!(scene.counters((2, MERCHANT, CNY)).credits_pending, 600);
    scene.say(B, collect(&order), 214);
    scene.say(A, collect(&order), 0);
    scene.say(A, collect(&order), 1);
    scene.say(SERVICE, void(&order), 302);
    let expected = node_auditor::Counters {
        debits_posted: 600,
        credits_posted: u128::from(OPENING),
        settled: i128::from(OPENING),
        ..Default::default()
    };
    assert_eq!(scene.counters((1, 20, CNY)), expected);
    scene.balance((2, MERCHANT, CNY), 600);
    scene.balance((8, 0, CNY), -i128::from(OPENING));
}

#[test]
fn each_rule_of_submit_has_its_code() {
    let mut scene = Scene::default();
    let base = scene.order(10);
    let id_at = |time| {
        OrderId::owned(ParticipantId::new(SERVICE), TimeMs::new(time), [0, 0, 0, 1, 0, 0]).bytes()
    };
    let past_skew = id_at(START_MS + 1_000 + 60_001);
    let at_skew = id_at(START_MS + 1_000 + 60_000);
    let past_validity = id_at(START_MS + 1_000 - 180_001);
    let at_validity = id_at(START_MS + 1_000 - 180_000);
    let mut fresh = || scene.order_id(SERVICE);
    let rows: Vec<(u32, RechargeItem, u16)> = vec![
        (SERVICE, RechargeItem { order_id: [1; 16], spare: [1; 6], ..base }, 200),
        (SERVICE, RechargeItem { spare: [0, 0, 0, 0, 0, 1], flags: 2.into(), ..base }, 201),
        (SERVICE, RechargeItem { flags: 2.into(), ..base }, 202),
        (SERVICE, RechargeItem { order_id: past_validity, amount: 0.into(), ..base }, 203),
        (SERVICE, RechargeItem { order_id: at_validity, amount: 0.into(), ..base }, 206),
        (SERVICE, RechargeItem { order_id: past_skew, amount: 0.into(), ..base }, 204),
        (SERVICE, RechargeItem { order_id: at_skew, ..base }, 0),
        (SERVICE, RechargeItem { order_id: fresh(), amount: u64::MAX.into(), ..base }, 207),
        (SERVICE, RechargeItem { order_id: fresh(), payout_currency: 978.into(), ..base }, 208),
        (SERVICE, RechargeItem { order_id: fresh(), payout_minimum: 1.into(), ..base }, 209),
        (SERVICE, RechargeItem { order_id: fresh(), payout_currency: USD.into(), ..base }, 209),
        (SERVICE, RechargeItem { order_id: fresh(), merchant: 7.into(), ..base }, 210),
        (SERVICE, RechargeItem { order_id: fresh(), collecting_gateway: 10.into(), ..base }, 212),
        (SERVICE, RechargeItem { order_id: fresh(), flags: 1.into(), ..base }, 214),
        (B, RechargeItem { order_id: fresh(), ..base }, 214),
        (A, RechargeItem { order_id: fresh(), ..base }, 240),
        (SERVICE, RechargeItem { order_id: fresh(), ..base }, 0),
        (SERVICE, RechargeItem { order_id: fresh(), amount: OPENING.into(), ..base }, 215),
    ];
    let batches: Vec<_> = rows
        .iter()
        .map(|(submitter, item, code)| (scene.batch(*submitter, &[*item]), [*code]))
        .collect();
    let said: Vec<(VerifiedBatch, &[u16])> =
        batches.iter().map(|(batch, code)| (batch.clone(), code.as_slice())).collect();
    scene.block(&said);
}

#[test]
fn a_block_holds_no_batch_without_an_author() {
    let until = TimeMs::new(START_MS + 9_000);
    for (submitter, key, code) in [(99, secret(99), 108), (SERVICE, secret(A), 109)] {
        let mut scene = Scene::default();
        let batch = signed(submitter, &key, until, &[scene.order(1)]);
        let finding = scene.judge(&[(batch, &[code])]).unwrap_err().to_string();
        assert!(finding.contains(&code.to_string()), "{finding}");
    }
}

#[test]
fn a_refused_order_is_remembered_and_an_untimely_one_is_not() {
    let mut scene = Scene::default();
    let too_much = scene.order(OPENING + 1);
    scene.say(SERVICE, too_much, 215);
    scene.say(SERVICE, too_much, 215);
    scene.say(A, collect(&too_much), 301);
    let early = RechargeItem {
        order_id: OrderId::owned(
            ParticipantId::new(SERVICE),
            TimeMs::new(scene.time + 62_000),
            [9; 6],
        )
        .bytes(),
        ..scene.order(1)
    };
    scene.say(SERVICE, early, 204);
    scene.say(SERVICE, early, 0);
}

#[test]
fn voids_and_expiries_free_what_was_held() {
    let mut scene = Scene::default();
    let (first, second) = (scene.order(300), scene.order(400));
    scene.say(SERVICE, first, 0);
    scene.say(SERVICE, second, 0);
    scene.say(B, debiting(&first), 214);
    scene.say(A, debiting(&first), 0);
    scene.say(A, debiting(&first), 1);
    scene.say(SERVICE, void(&first), 312);
    scene.say(B, void(&first), 305);
    scene.say(A, VoidItem { reason: 9.into(), ..void(&first) }, 306);
    scene.say(A, void(&first), 0);
    scene.say(A, void(&first), 1);
    scene.say(A, collect(&first), 303);
    assert_eq!(scene.counters((1, 20, CNY)).debits_pending, 400);
    let elapsed = scene.time - START_MS;
    scene.window += 1;
    scene.pass(180_000 - elapsed);
    assert_eq!(scene.counters((1, 20, CNY)).debits_pending, 400);
    scene.pass(1);
    assert_eq!(scene.counters((1, 20, CNY)).debits_pending, 0);
    scene.say(A, collect(&second), 304);
    scene.say(SERVICE, second, 1);
    scene.pass(9_000);
    scene.say(SERVICE, second, 203);
    scene.say(A, collect(&second), 311);
}

#[test]
fn a_whole_batch_gets_one_code() {
    let mut scene = Scene::default();
    let items = [scene.order(1), scene.order(2)];
    let until = |ms| TimeMs::new(START_MS + ms);
    let twice = scene.batch(SERVICE, &items);
    let rows: Vec<(VerifiedBatch, [u16; 2])> = vec![
        (signed(MAKER, &secret(MAKER), until(9_000), &items), [111, 111]),
        (signed(SERVICE, &secret(SERVICE), until(999), &items), [112, 112]),
        (signed(SERVICE, &secret(SERVICE), until(241_001), &items), [113, 113]),
        (signed(SERVICE, &secret(SERVICE), until(241_000), &items), [0, 0]),
        (signed(SERVICE, &secret(SERVICE), until(1_000), &items), [1, 1]),
        (twice.clone(), [1, 1]),
        (twice, [114, 114]),
    ];
    let said: Vec<(VerifiedBatch, &[u16])> =
        rows.iter().map(|(batch, codes)| (batch.clone(), codes.as_slice())).collect();
    scene.block(&said);
}
