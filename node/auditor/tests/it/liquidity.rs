//! Section 11.

use chain_types::*;

use crate::kit::*;

const LIQUIDITY: (u16, u64, u16) = (1, A as u64, CNY);

#[test]
fn a_withdrawal_is_held_until_its_checker_has_decided() {
    let mut scene = Scene::default();
    let items = [900_000, 100_001, 100_000]
        .map(|amount| scene.transfer(TransferAction::Withdraw, LIQUIDITY, amount));
    for (item, code) in items.iter().zip([0, 505, 0]) {
        scene.say(MAKER, *item, code);
    }
    assert_eq!(scene.counters((1, 20, CNY)).debits_pending, 1_000_000);
    let order = scene.order(1);
    scene.say(SERVICE, order, 215);
    scene.say(MAKER, decision(&items[0], Decision::Approve), 503);
    let other = TransferDecisionItem { amount: 1.into(), ..decision(&items[0], Decision::Approve) };
    scene.say(CHECKER, other, 508);
    scene.say(CHECKER, decision(&items[0], Decision::Approve), 0);
    scene.say(CHECKER, decision(&items[0], Decision::Approve), 1);
    scene.say(CHECKER, decision(&items[0], Decision::Refuse), 502);
    scene.say(OPERATORS[0], decision(&items[2], Decision::Refuse), 0);
    scene.say(CHECKER, decision(&items[1], Decision::Approve), 501);
    scene.balance((1, 20, CNY), 100_000);
    scene.balance((8, 0, CNY), -100_000);
    assert_eq!(scene.counters((1, 20, CNY)).debits_pending, 0);
}

#[test]
fn a_transfer_expires() {
    let mut genesis = genesis();
    genesis.parameters.transfer_validity_ms = 60_000;
    let mut scene = Scene::of(&genesis);
    let item = scene.transfer(TransferAction::Withdraw, LIQUIDITY, 5);
    scene.say(MAKER, item, 0);
    scene.window += 1;
    scene.pass(60_000);
    assert_eq!(scene.counters((1, 20, CNY)).debits_pending, 5);
    scene.pass(1);
    assert_eq!(scene.counters((1, 20, CNY)).debits_pending, 0);
    scene.say(CHECKER, decision(&item, Decision::Approve), 502);
    scene.window += 1;
    scene.pass(178_000);
    scene.say(CHECKER, decision(&item, Decision::Approve), 502);
    scene.say(CHECKER, decision(&item, Decision::Approve), 501);
}

#[test]
fn a_cap_is_not_set_below_what_is_used() {
    let mut scene = Scene::default();
    let order = RechargeItem { collecting_gateway: B.into(), ..scene.order(400) };
    scene.say(SERVICE, order, 0);
    let lower =
        |scene: &mut Scene, cap| scene.transfer(TransferAction::Cap, (1, u64::from(B), CNY), cap);
    let (none, enough) = (lower(&mut scene, 399), lower(&mut scene, 400));
    scene.say(MAKER, none, 0);
    scene.say(MAKER, enough, 0);
    scene.say(CHECKER, decision(&none, Decision::Approve), 506);
    scene.say(CHECKER, decision(&enough, Decision::Approve), 0);
    scene.say(B, void(&order), 0);
    scene.say(CHECKER, decision(&none, Decision::Approve), 0);
    assert_eq!(scene.counters((1, 21, CNY)).net_debit_cap, 399);
}

#[test]
fn proposals_of_transfers_have_rules() {
    let mut scene = Scene::default();
    let good = scene.transfer(TransferAction::Deposit, LIQUIDITY, 5);
    let fresh = |scene: &mut Scene| TransferItem { transfer_id: scene.id(), ..good };
    let ids: Vec<TransferItem> = (0..9).map(|_| fresh(&mut scene)).collect();
    let rows = [
        (TransferItem { transfer_id: [0; 16], ..good }, 200),
        (TransferItem { spare: [1; 26], action: 9.into(), ..good }, 201),
        (TransferItem { action: 9.into(), ..good }, 507),
        (good, 0),
        (good, 1),
        (TransferItem { amount: 6.into(), ..good }, 500),
        (TransferItem { amount: 0.into(), ..ids[0] }, 206),
        (TransferItem { amount: 0.into(), action: 3.into(), ..ids[1] }, 0),
        (TransferItem { currency: 978.into(), ..ids[2] }, 208),
        (TransferItem { account_kind: 2.into(), ..ids[3] }, 504),
        (TransferItem { owner: 30.into(), ..ids[4] }, 504),
        (TransferItem { account_kind: 5.into(), owner: 30.into(), ..ids[5] }, 0),
        (TransferItem { account_kind: 3.into(), owner: MERCHANT.into(), ..ids[6] }, 0),
        (
            TransferItem {
                account_kind: 3.into(),
                owner: MERCHANT.into(),
                action: 3.into(),
                ..ids[7]
            },
            504,
        ),
    ];
    let codes = rows.map(|(_, code)| code);
    let batch = scene.batch(MAKER, &rows.map(|(item, _)| item));
    scene.block(&[(batch, &codes)]);
}
