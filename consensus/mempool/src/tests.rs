//! What the pool promises: limits, fairness, order.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use bytes::Bytes;
use chain_types::batch::{BATCH_ITEMS_MAX, BatchItem};
use chain_types::operation::{CollectItem, RechargeItem, ReturnItem};
use chain_types::{
    BatchId, ChainId, ParticipantId, PartyKeys, SecretKey, SignedBatch, TimeMs, VerifiedBatch,
};
use zerocopy::{FromZeros, Immutable, IntoBytes};

use consensus_scheduler::{Origin, Scheduler, Settings};

use super::{Limits, Mempool, Offer, Room};

/// A pool with its scheduler, at a time that stands still.
struct Pool {
    mempool: Mempool,
    scheduler: Scheduler,
}

impl Pool {
    fn new(limits: Limits) -> Self {
        let scheduler = Scheduler::new(Settings::default());
        Self { mempool: Mempool::new(limits), scheduler }
    }

    fn offer(&mut self, batch: VerifiedBatch) -> Offer {
        self.mempool.offer(batch, &mut self.scheduler, Origin::Client, 1_000_000)
    }

    fn remove(&mut self, id: &BatchId) -> Option<VerifiedBatch> {
        self.mempool.remove(id, &mut self.scheduler)
    }

    fn expire(&mut self, time: TimeMs) -> Vec<BatchId> {
        self.mempool.expire(time, &mut self.scheduler)
    }

    fn propose(&mut self, room: &Room) -> Vec<VerifiedBatch> {
        self.mempool.propose(room, &mut self.scheduler)
    }
}

/// The items of the largest batch.
const LARGEST: usize = BATCH_ITEMS_MAX as usize;

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
    let mut pool = Pool::new(Limits::default());
    let one = batch(1, 1, 1);
    assert_eq!(pool.offer(one.clone()), Offer::Added);
    assert_eq!(pool.offer(one.clone()), Offer::Known);
    assert_eq!(pool.mempool.bytes(), one.bytes().len());
    assert!(pool.remove(&one.id()).is_some());
    assert!(pool.mempool.is_empty());
    assert_eq!(pool.mempool.bytes(), 0);
    assert!(pool.propose(&room(10, 10)).is_empty());
}

/// The batches of `items` items of `submitter` that the pool takes until it refuses one.
fn flood(pool: &mut Pool, submitter: u32, items: usize) -> usize {
    (0..).find(|number| pool.offer(batch(submitter, *number, items)) != Offer::Added).unwrap()
        as usize
}

#[test]
fn a_flood_of_one_order_batches_leaves_room_for_anothers() {
    let mut pool = Pool::new(Limits::default());
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
            let mut pool = Pool::new(limits);
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
    let mut pool = Pool::new(Limits { batches_max: 90, bytes_max: usize::MAX / 2 });
    assert_eq!(flood(&mut pool, 1, 1), 45);
    assert_eq!(flood(&mut pool, 2, 1), 23, "half of what is free");
    let first = pool.propose(&room(40, 1_000));
    for taken in first {
        pool.remove(&taken.id());
    }
    assert_eq!(
        (flood(&mut pool, 2, 2), pool.mempool.len()),
        (20, 48),
        "the first one's 5 and 43 of it: 40 single orders were its turn"
    );
    assert_eq!(flood(&mut pool, 1, 2), 19, "to 24, and 23 are free");
}

#[test]
fn a_refused_submitter_leaves_nothing_behind() {
    let size = batch(1, 1, 1).bytes().len();
    let mut pool = Pool::new(Limits { batches_max: 10, bytes_max: size });
    assert_eq!(pool.offer(batch(1, 1, 2)), Offer::Full);
    assert!(pool.mempool.held.is_empty());
    assert_eq!(pool.offer(batch(2, 1, 1)), Offer::Added);
    assert_eq!(pool.offer(batch(3, 1, 1)), Offer::Full);
}

/// Takes blocks while two submitters always have more to send, in batches of `sizes`. Returns the
/// items that each of them got.
fn contest(pool: &mut Pool, sizes: [usize; 2], blocks: u64, room: &Room) -> [u64; 2] {
    let mut number = 0;
    let (mut got, mut waiting) = ([0; 2], [0; 2]);
    for _ in 0..blocks {
        for (at, size) in sizes.into_iter().enumerate() {
            while waiting[at] < 3 * LARGEST {
                number += 1;
                assert_eq!(pool.offer(batch(1 + at as u32, number, size)), Offer::Added);
                waiting[at] += size;
            }
        }
        for taken in pool.propose(room) {
            let at = taken.header().submitter.get() as usize - 1;
            got[at] += u64::from(taken.count());
            waiting[at] -= taken.count() as usize;
            assert!(pool.remove(&taken.id()).is_some());
        }
    }
    got
}

fn roomy() -> Pool {
    Pool::new(Limits { batches_max: 1 << 20, bytes_max: 1 << 40 })
}

#[test]
fn who_sends_small_batches_gets_as_many_items_as_who_sends_the_largest() {
    const BLOCKS: u64 = 30;
    const ITEMS_MAX: usize = 10_000;
    // Beside one of the largest there is space in a block that only small batches fit into.
    let left_over = BLOCKS * (ITEMS_MAX - LARGEST) as u64;
    for small in [16, 700] {
        let got = contest(&mut roomy(), [small, LARGEST], BLOCKS, &room(usize::MAX, ITEMS_MAX));
        let unequal = got[0].abs_diff(got[1]);
        assert!(unequal <= 2 * LARGEST as u64 + left_over, "{small}: {got:?}");
    }
}

#[test]
fn single_orders_beside_the_largest_batches_fill_the_places_of_a_block_in_their_own_turn() {
    // As many batches as a block may hold of singles are half of a turn.
    let got = contest(&mut roomy(), [1, LARGEST], 12, &room(4_096, 65_536));
    assert!(got[0] >= 5 * 4_096 && got[1] >= 5 * LARGEST as u64, "{got:?}");
}

#[test]
fn weights_divide_a_proposals_items() {
    let mut pool = roomy();
    pool.scheduler.set_weight(ParticipantId::new(2), 300);
    let got = contest(&mut pool, [500, 2_000], 30, &room(usize::MAX, 10_000));
    let parts = got[1] * 100 / got[0];
    assert!((270..=330).contains(&parts), "{got:?}");
}

#[test]
fn submitters_take_turns_and_keep_their_order() {
    let mut pool = Pool::new(Limits::default());
    for number in 0..3 {
        pool.offer(batch(1, number, 5_000));
    }
    pool.offer(batch(2, 9, 5_000));
    let who_and_which = |batch: &VerifiedBatch| {
        let header = batch.header();
        (header.submitter.get(), header.valid_until.get())
    };
    let first: Vec<(u32, u64)> = pool.propose(&room(3, 15_000)).iter().map(who_and_which).collect();
    assert_eq!(first, [(1, 0), (2, 9), (1, 1)]);
    // What was proposed is still there, and who had credit for one more batch comes first.
    let again = pool.propose(&room(1, 15_000));
    assert_eq!(who_and_which(&again[0]), (1, 0));
    assert_eq!(pool.propose(&room(9, 65_536)).len(), 4);
}

#[test]
fn proposals_stay_within_batches_and_items() {
    let mut pool = Pool::new(Limits::default());
    for number in 0..5 {
        pool.offer(batch(1, number, 10));
    }
    assert_eq!(pool.propose(&room(2, 1000)).len(), 2);
    assert_eq!(pool.propose(&room(10, 35)).len(), 3);
}

#[test]
fn what_can_no_longer_commit_is_forgotten() {
    let mut pool = Pool::new(Limits::default());
    let early = batch(1, 5, 1);
    pool.offer(early.clone());
    pool.offer(batch(1, 50, 1));
    assert_eq!(pool.expire(TimeMs::new(5)), []);
    assert_eq!(pool.expire(TimeMs::new(6)), [early.id()]);
    assert_eq!(pool.mempool.len(), 1);
}

#[test]
fn returns_without_room_wait_and_crowd_nobody_out() {
    let mut pool = Pool::new(Limits::default());
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

#[test]
fn duties_come_before_orders_and_keep_a_place_in_a_full_block() {
    let mut pool = Pool::new(Limits::default());
    for number in 0..2 {
        pool.offer(signed(1, number, &[RechargeItem::new_zeroed(); 60]));
    }
    pool.offer(batch(2, 2, 50));
    let taken = pool.propose(&room(10, 110));
    let which: Vec<u64> = taken.iter().map(|batch| batch.header().valid_until.get()).collect();
    assert_eq!(which, [2, 0]);
}

#[test]
fn a_batch_that_left_for_no_block_waits_again_and_is_not_charged_again() {
    let mut pool = Pool::new(Limits::default());
    let one = batch(1, 1, 8_000);
    pool.offer(one.clone());
    let opens_us = pool.scheduler.opens_us(ParticipantId::new(1));
    pool.remove(&one.id());
    assert_eq!(pool.scheduler.queue_items(), 0);
    assert_eq!(pool.offer(one.clone()), Offer::Added);
    assert_eq!(pool.scheduler.opens_us(ParticipantId::new(1)), opens_us);
    assert_eq!(pool.propose(&room(10, 10_000)).len(), 1);
    // What the limits refuse is charged to nobody.
    let mut full = Pool::new(Limits { batches_max: 0, bytes_max: 0 });
    assert_eq!(full.offer(one), Offer::Full);
    assert_eq!(full.scheduler.submitters(), 0);
}
