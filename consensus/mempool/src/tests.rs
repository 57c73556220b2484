//! What the pool promises: limits, fairness, order.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use bytes::Bytes;
use chain_types::batch::BatchItem;
use chain_types::operation::{CollectItem, ReturnItem};
use chain_types::{
    ChainId, ParticipantId, PartyKeys, SecretKey, SignedBatch, TimeMs, VerifiedBatch,
};
use zerocopy::{FromZeros, Immutable, IntoBytes};

use super::{Limits, Mempool, Offer, Room};

fn room(batches_max: usize, items_max: usize) -> Room {
    Room { batches_max, items_max, returns_max: 0 }
}

fn batch(submitter: u32, number: u64, items: usize) -> VerifiedBatch {
    let item = CollectItem { order_id: [number as u8; 16], reference: [0; 32], spare: [0; 16] };
    signed(submitter, number, &vec![item; items])
}

fn signed(
    submitter: u32,
    number: u64,
    items: &[impl IntoBytes + Immutable + BatchItem],
) -> VerifiedBatch {
    let key = SecretKey::from_seed(&[1; 32]);
    let bytes = SignedBatch::sign(
        ChainId::default(),
        ParticipantId::new(submitter),
        &key,
        TimeMs::new(number),
        items,
    );
    let signed = SignedBatch::decode(Bytes::from(bytes)).unwrap();
    let current = key.public_key();
    let keys = |participant| Some(PartyKeys { participant, current, previous: None });
    signed.verify(ChainId::default(), keys).unwrap()
}

#[test]
fn a_batch_is_held_once_and_gone_once_removed() {
    let mut pool = Mempool::new(Limits::default());
    let one = batch(1, 1, 1);
    assert_eq!(pool.offer(one.clone()), Offer::Added);
    assert_eq!(pool.offer(one.clone()), Offer::Known);
    assert_eq!(pool.bytes(), one.bytes().len());
    assert!(pool.remove(&one.id()).is_some());
    assert!(pool.is_empty());
    assert_eq!(pool.bytes(), 0);
    assert!(pool.propose(&room(10, 10)).is_empty());
}

/// The batches of `items` items of `submitter` that the pool takes until it refuses one.
fn flood(pool: &mut Mempool, submitter: u32, items: usize) -> usize {
    (0..).find(|number| pool.offer(batch(submitter, *number, items)) != Offer::Added).unwrap()
        as usize
}

#[test]
fn a_flood_of_one_order_batches_leaves_room_for_anothers() {
    let mut pool = Mempool::new(Limits::default());
    let accepted = (0..16_381).filter(|n| pool.offer(batch(1, *n, 1)) == Offer::Added).count();
    assert_eq!(pool.offer(batch(2, 1, 1)), Offer::Added, "{accepted} of the first submitter wait");
    assert_eq!(accepted, 8_192, "one alone gets half");
    let share = pool.offer(batch(1, 20_000, 1));
    assert!(matches!(share, Offer::ShareFull { batches: 8_192, .. }), "{share:?}");
}

/// Floods of batches of one size, of a pool that holds 120 of them at most by number or by bytes.
#[test]
fn floods_share_the_pool_and_leave_as_much_to_the_next() {
    let size = batch(1, 1, 1).bytes().len();
    let plenty = usize::MAX / 2;
    let table = [
        ("by number", Limits { batches_max: 120, bytes_max: plenty }),
        ("by bytes", Limits { batches_max: plenty, bytes_max: 120 * size }),
    ];
    for (what, limits) in table {
        for floods in 1..40_u32 {
            let mut pool = Mempool::new(limits);
            // Each in turn until all are refused: who comes first has no more than the others.
            let mut accepted = vec![0; floods as usize];
            let mut number = 0;
            while (0..floods).fold(false, |is_added, submitter| {
                let offer = pool.offer(batch(submitter, number, 1));
                accepted[submitter as usize] += usize::from(offer == Offer::Added);
                is_added || offer == Offer::Added
            }) {
                number += 1;
            }
            let share = 120 / (floods as usize + 1);
            let case = format!("{what}: {floods} floods: {accepted:?}");
            assert!(accepted.iter().all(|count| (share..=share + 1).contains(count)), "{case}");
            assert_eq!(pool.offer(batch(1_000, 1, 1)), Offer::Added, "{case}");
        }
    }
}

#[test]
fn who_floods_an_empty_pool_is_held_to_what_is_free_once_others_come() {
    let mut pool = Mempool::new(Limits { batches_max: 90, bytes_max: usize::MAX / 2 });
    assert_eq!(flood(&mut pool, 1, 1), 45);
    assert_eq!(flood(&mut pool, 2, 1), 23, "half of what is free");
    let first = pool.propose(&room(40, 1_000));
    for taken in first {
        pool.remove(&taken.id());
    }
    assert_eq!((flood(&mut pool, 2, 2), pool.len()), (30, 58), "the first one's 25 and 33 of it");
    assert_eq!(flood(&mut pool, 1, 2), 4, "to 29, and 28 are free");
}

#[test]
fn a_refused_submitter_leaves_nothing_behind() {
    let size = batch(1, 1, 1).bytes().len();
    let mut pool = Mempool::new(Limits { batches_max: 10, bytes_max: size });
    assert_eq!(pool.offer(batch(1, 1, 2)), Offer::Full);
    assert!(pool.queues.is_empty());
    assert_eq!(pool.offer(batch(2, 1, 1)), Offer::Added);
    assert_eq!(pool.offer(batch(3, 1, 1)), Offer::Full);
}

#[test]
fn submitters_take_turns_and_keep_their_order() {
    let mut pool = Mempool::new(Limits::default());
    for number in 0..3 {
        pool.offer(batch(1, number, 1));
    }
    pool.offer(batch(2, 9, 1));
    let taken: Vec<(u32, u64)> = pool
        .propose(&room(3, 100))
        .iter()
        .map(|batch| (batch.header().submitter.get(), batch.header().valid_until.get()))
        .collect();
    assert_eq!(taken, [(1, 0), (2, 9), (1, 1)]);
    assert_eq!(
        pool.propose(&room(1, 100))[0].header().submitter.get(),
        2,
        "the next proposal starts after"
    );
}

#[test]
fn proposals_stay_within_batches_and_items() {
    let mut pool = Mempool::new(Limits::default());
    for number in 0..5 {
        pool.offer(batch(1, number, 10));
    }
    assert_eq!(pool.propose(&room(2, 1000)).len(), 2);
    assert_eq!(pool.propose(&room(10, 35)).len(), 3);
}

#[test]
fn what_can_no_longer_commit_is_forgotten() {
    let mut pool = Mempool::new(Limits::default());
    let early = batch(1, 5, 1);
    pool.offer(early.clone());
    pool.offer(batch(1, 50, 1));
    assert_eq!(pool.expire(TimeMs::new(5)), []);
    assert_eq!(pool.expire(TimeMs::new(6)), [early.id()]);
    assert_eq!(pool.len(), 1);
}

#[test]
fn returns_without_room_wait_and_crowd_nobody_out() {
    let mut pool = Mempool::new(Limits::default());
    for number in 0..4 {
        pool.offer(signed(1, number, &[ReturnItem::new_zeroed(); 10]));
    }
    pool.offer(batch(1, 4, 10));
    pool.offer(batch(1, 5, 10));
    let mut taken = |returns_max| -> Vec<u64> {
        let batches = pool.propose(&Room { batches_max: 3, items_max: 30, returns_max });
        batches.iter().map(|batch| batch.header().valid_until.get()).collect()
    };
    assert_eq!(taken(0), [4, 5]);
    assert_eq!(taken(10), [0, 4, 5]);
    assert_eq!(taken(25), [0, 1, 4]);
}
