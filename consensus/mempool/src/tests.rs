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

fn batch(submitter: u32, number: u8, items: usize) -> VerifiedBatch {
    let item = CollectItem { order_id: [number; 16], reference: [0; 32], spare: [0; 16] };
    signed(submitter, number, &vec![item; items])
}

fn signed(
    submitter: u32,
    number: u8,
    items: &[impl IntoBytes + Immutable + BatchItem],
) -> VerifiedBatch {
    let key = SecretKey::from_seed(&[1; 32]);
    let bytes = SignedBatch::sign(
        ChainId::default(),
        ParticipantId(submitter),
        &key,
        TimeMs(u64::from(number)),
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

#[test]
fn a_flood_fills_its_own_share_only() {
    let size = batch(1, 1, 1).bytes().len();
    let limits = Limits { batches_max: 100, bytes_max: 10 * size, submitter_bytes_max: 4 * size };
    let mut pool = Mempool::new(limits);
    let accepted = (0..10).filter(|n| pool.offer(batch(1, *n, 1)) == Offer::Added).count();
    assert_eq!(accepted, 4);
    assert_eq!(pool.offer(batch(2, 1, 1)), Offer::Added);
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
        .map(|batch| (batch.header().submitter.0, batch.header().valid_until.0))
        .collect();
    assert_eq!(taken, [(1, 0), (2, 9), (1, 1)]);
    assert_eq!(
        pool.propose(&room(1, 100))[0].header().submitter.0,
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
    assert_eq!(pool.expire(TimeMs(5)), []);
    assert_eq!(pool.expire(TimeMs(6)), [early.id()]);
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
        batches.iter().map(|batch| batch.header().valid_until.0).collect()
    };
    assert_eq!(taken(0), [4, 5]);
    assert_eq!(taken(10), [0, 4, 5]);
    assert_eq!(taken(25), [0, 1, 4]);
}
