//! Collection, void and expiry of reserved orders.

use chain_state::{EntryCause, OrderStatus};
use chain_types::{Height, Outcome};

use crate::kit::*;

/// A chain with order 1 of 100 reserved for bank A by the service.
fn reserved() -> Chain {
    let mut chain = Chain::new();
    assert_eq!(chain.one(SERVICE, order(order_id(1, 0), 100)), 0);
    chain
}

#[test]
fn a_collection_posts_what_was_pending() {
    let mut chain = reserved();
    assert_eq!(chain.one(BANK_A, collect(order_id(1, 0))), 0);
    let (liquidity, payable) = (chain.liquidity(BANK_A), chain.payable(SHOP));
    assert_eq!((liquidity.debits_pending, liquidity.debits_posted), (0, 100));
    assert_eq!((payable.credits_pending, payable.credits_posted), (0, 100));
    assert_eq!(chain.state.reservation_count(), 0);
    let record = chain.state.order(&order_id(1, 0)).unwrap();
    assert_eq!((record.status, record.status_height), (OrderStatus::Collected, Height::new(2)));
    assert_eq!(
        (record.location.height, record.status_location.height),
        (Height::new(1), Height::new(2))
    );
    assert_eq!(record.outcome, Outcome::APPLIED, "what became of the submission stands");
}

#[test]
fn a_void_releases_what_was_pending() {
    for submitter in [SERVICE, BANK_A] {
        let mut chain = reserved();
        assert_eq!(chain.one(submitter, void(order_id(1, 0))), 0);
        assert_eq!(chain.liquidity(BANK_A).available(), 10_000);
        assert_eq!(chain.payable(SHOP), Default::default());
        assert_eq!(chain.status(&order_id(1, 0)), Some(OrderStatus::Voided));
        assert!(chain.breaches().is_empty(), "giving up in time is no breach");
    }
}

type Make = fn() -> Chain;

/// Status of the order, the step, who takes it, and the code it gets.
#[test]
fn each_step_on_each_status() {
    let make: [(&str, Make); 7] = [
        ("unknown", Chain::new),
        ("rejected", || {
            let mut chain = Chain::new();
            chain.one(SERVICE, order(order_id(1, 0), 0));
            chain
        }),
        ("reserved", reserved),
        ("collected", || {
            let mut chain = reserved();
            chain.one(BANK_A, collect(order_id(1, 0)));
            chain
        }),
        ("voided", || {
            let mut chain = reserved();
            chain.one(BANK_A, void(order_id(1, 0)));
            chain
        }),
        ("expired", || {
            let mut chain = reserved();
            chain.block(180_000, &[]);
            chain
        }),
        ("debiting", || {
            let mut chain = reserved();
            chain.one(BANK_A, debiting(order_id(1, 0)));
            chain
        }),
    ];
    // The collection, the gateway's void, the service's, and the word that it debits.
    let steps = [
        [300, 300, 300, 300],
        [301, 301, 301, 301],
        [0, 0, 0, 0],
        [1, 302, 302, 302],
        [303, 1, 1, 303],
        [304, 304, 304, 304],
        [0, 0, 312, 1],
    ];
    for ((name, make), codes) in make.into_iter().zip(steps) {
        let id = order_id(1, 0);
        let actual = [
            make().one(BANK_A, collect(id)),
            make().one(BANK_A, void(id)),
            make().one(SERVICE, void(id)),
            make().one(BANK_A, debiting(id)),
        ];
        assert_eq!(actual, codes, "{name}");
    }
}

#[test]
fn only_the_parties_of_an_order_may_step() {
    assert_eq!(reserved().one(BANK_B, collect(order_id(1, 0))), 214);
    assert_eq!(reserved().one(BANK_B, void(order_id(1, 0))), 305);
}

#[test]
fn ill_formed_steps_are_refused() {
    let mut item = collect(order_id(1, 0));
    item.spare[15] = 1;
    assert_eq!(reserved().one(BANK_A, item), 201);
    let mut item = void(order_id(1, 0));
    item.spare[0] = 1;
    assert_eq!(reserved().one(BANK_A, item), 201);
    let mut item = void(order_id(1, 0));
    item.reason = 4.into();
    assert_eq!(reserved().one(BANK_A, item), 306);
    item.reason = 0.into();
    assert_eq!(reserved().one(BANK_A, item), 306);
    let mut item = collect(order_id(1, 0));
    item.order_id[6] = 0;
    assert_eq!(reserved().one(BANK_A, item), 200);
}

#[test]
fn reserve_and_collect_in_one_block() {
    let mut chain = Chain::new();
    let id = order_id(1, 0);
    let batches = [
        chain.batch(SERVICE, &[order(id, 100)]),
        chain.batch(BANK_A, &[collect(id), collect(id)]),
        chain.batch(SERVICE, &[void(id)]),
    ];
    let outcomes = chain.block(1, &batches);
    let codes: Vec<u16> = outcomes.concat().iter().map(|outcome| outcome.0).collect();
    assert_eq!(codes, [0, 0, 1, 302]);
    assert_eq!(chain.payable(SHOP).credits_posted, 100);
    let record = chain.state.order(&id).unwrap();
    assert_eq!((record.location.batch, record.status_location.batch), (0, 1));
}

#[test]
fn a_reservation_may_be_collected_up_to_its_last_millisecond() {
    let mut chain = reserved();
    chain.block(179_998, &[]);
    assert_eq!(chain.state.time(), START.plus(179_999));
    assert_eq!(chain.one(BANK_A, collect(order_id(1, 0))), 0);
}

#[test]
fn a_reservation_expires_and_gives_the_money_back() {
    let mut chain = reserved();
    chain.block(179_999, &[]);
    assert_eq!(chain.status(&order_id(1, 0)), Some(OrderStatus::Reserved));
    let batch = chain.batch(BANK_A, &[collect(order_id(1, 0))]);
    assert_eq!(chain.block(1, &[batch])[0][0].0, 304, "expiry comes before the block's batches");
    assert_eq!(chain.liquidity(BANK_A).available(), 10_000);
    let record = chain.state.order(&order_id(1, 0)).unwrap();
    assert_eq!((record.status, record.status_height), (OrderStatus::Expired, Height::new(3)));
    assert_eq!(record.status_location, record.location, "no operation caused it");
    assert_eq!(chain.entries().last().unwrap().cause, EntryCause::Expiry);
}

#[test]
fn one_entry_an_account_and_batch() {
    let mut chain = Chain::new();
    let items: Vec<_> = (0..50).map(|number| one_step(order_id(number, 0), 10)).collect();
    let before = chain.entries().len();
    let batch = chain.batch(BANK_A, &items);
    chain.block(1, &[batch]);
    let entries = chain.entries();
    assert_eq!(entries.len() - before, 2);
    assert_eq!((entries[before].debits_posted, entries[before].order_count), (500, 50));
    assert_eq!((entries[before].sequence, entries[before + 1].sequence), (0, 1));
}
