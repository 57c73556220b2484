//! Opening a home again: after a clean stop, after kill -9, and with its index gone.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use chain_store::{ChainStore, IfMissing, InstructionFilter};
use chain_types::Height;

use crate::kit::*;

#[test]
fn a_new_home_is_empty_and_private() {
    let home = TestHome::new();
    let (_store, recovery) = home.open();
    assert!(recovery.created && recovery.staged.is_empty());
    assert_eq!((recovery.head, recovery.checkpoint.clone()), (None, None));
    assert_eq!(recovery.if_missing(), IfMissing::Create);
    for folder in [home.path(), home.path().join("blocks")] {
        let mode = fs::metadata(folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
    let mode = fs::metadata(home.block_file(1)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn after_a_clean_stop_everything_is_there() {
    let home = TestHome::new();
    let (store, _) = home.open();
    append_usual(&store, 1..=30);
    store.checkpoint(Height::new(28), b"the state after 28").unwrap();
    drop(store);
    let (store, recovery) = home.open();
    assert!(!recovery.created);
    assert_eq!(recovery.head, Some(Height::new(30)));
    assert_eq!(recovery.checkpoint, Some((Height::new(28), b"the state after 28".to_vec())));
    assert_eq!(recovery.staged, []);
    assert_eq!(recovery.if_missing(), IfMissing::Refuse);
    assert_usual(&store, 30);
    append_usual(&store, 31..=40);
    assert_usual(&store, 40);
    assert!(home.block_file_count() > 4, "the test crosses files");
}

#[test]
fn after_kill_blocks_are_there_and_records_come_again_from_the_checkpoint() {
    let home = TestHome::new();
    let (store, _) = home.open();
    append_usual(&store, 1..=12);
    store.checkpoint(Height::new(10), b"state").unwrap();
    append_usual(&store, 13..=20);
    let home = home.killed(&store);
    let (store, recovery) = home.open();
    assert_eq!(recovery.head, Some(Height::new(20)));
    assert_eq!(recovery.checkpoint.unwrap().0, Height::new(10));
    assert_usual(&store, 20);
    let instructions = |store: &dyn ChainStore| {
        store.instructions(InstructionFilter::All, None, 99).unwrap().len()
    };
    assert_eq!(instructions(&store), 24, "what the checkpoint's flush covered");
    for height in 11..=20 {
        store.reindex(Height::new(height), learned(Height::new(height))).unwrap();
    }
    assert_eq!(instructions(&store), 40);
    append_usual(&store, 21..=25);
    assert_usual(&store, 25);
}

#[test]
fn after_kill_at_any_height_the_head_is_the_last_commit() {
    let mut home = TestHome::new();
    let (mut store, _) = home.open();
    for height in 1..=24 {
        append_usual(&store, height..=height);
        if height % 7 == 0 {
            store.checkpoint(Height::new(height), b"state").unwrap();
        }
        let killed = home.killed(&store);
        let (reopened, recovery) = killed.open();
        assert_eq!(recovery.head, Some(Height::new(height)));
        assert_eq!(recovery.staged, []);
        assert_usual(&reopened, height);
        (store, home) = (reopened, killed);
    }
}

#[test]
fn a_staged_block_survives_and_can_be_committed() {
    let home = TestHome::new();
    let (store, _) = home.open();
    append_usual(&store, 1..=3);
    let shared = batch(900, 60);
    let rounds = [
        block(4, 0, vec![shared.clone(), batch(901, 1)]),
        block(4, 1, vec![shared.clone()]),
        block(4, 2, vec![]),
    ];
    for staged in &rounds {
        store.stage(staged).unwrap();
    }
    assert_eq!(store.counters().batches_shared, 1, "a batch is written once a height");
    let home = home.killed(&store);
    let (store, recovery) = home.open();
    assert_eq!(recovery.head, Some(Height::new(3)));
    assert_eq!(recovery.if_missing(), IfMissing::Refuse);
    assert_eq!(recovery.staged.len(), 3);
    for (found, staged) in recovery.staged.iter().zip(&rounds) {
        assert_eq!(found.block, staged.block);
        assert_eq!(found.batches, payload_of(staged));
        assert_eq!(found.outcomes, staged.outcomes);
        assert!(store.is_staged(&staged.block.hash()));
    }
    // Staged again as consensus replays its log: nothing is written twice.
    let before = store.size_on_disk().unwrap().block_bytes;
    store.stage(&rounds[1]).unwrap();
    assert_eq!(store.size_on_disk().unwrap().block_bytes, before);
    commit(&store, &rounds[1]);
    assert_eq!(store.block(Height::new(4)).unwrap(), Some(committed(&rounds[1])));
    assert_eq!(store.payload(Height::new(4)).unwrap(), Some(payload_of(&rounds[1])));
}

#[test]
fn a_lost_index_is_made_again_from_the_block_files() {
    let home = TestHome::new();
    let (store, _) = home.open();
    append_usual(&store, 1..=30);
    store.checkpoint(Height::new(30), b"state").unwrap();
    drop(store);
    fs::remove_dir_all(home.path().join("index")).unwrap();
    let (store, recovery) = home.open();
    assert_eq!(recovery.head, Some(Height::new(30)));
    assert_eq!(recovery.checkpoint, None, "the state is executed anew from genesis");
    assert_usual(&store, 30);
    for height in 1..=30 {
        store.reindex(Height::new(height), learned(Height::new(height))).unwrap();
    }
    assert_eq!(store.windows(None, 99).unwrap().len(), 30);
}

#[test]
fn orders_that_were_waiting_are_on_disk_after_a_checkpoint() {
    let home = TestHome::new();
    let (store, _) = home.open();
    let staged = usual_block(1);
    store.stage(&staged).unwrap();
    let runs = retired(&[(0, 3_000), (5_000, 9_000), (10_000, 10_001)]);
    store.commit(&certificate(&staged), leaving(runs.clone())).unwrap();
    store.checkpoint(Height::new(1), b"state").unwrap();
    assert_eq!(store.counters().orders_archived, 7_001);
    let home = home.killed(&store);
    let (store, _) = home.open();
    for number in [0, 2_999, 5_000, 8_999, 10_000] {
        let (id, record) = order(number);
        assert_eq!(store.archived_order(&id).unwrap(), Some(record));
    }
    // The replay retires them again; what has arrived is not taken in twice.
    store.reindex(Height::new(1), leaving(runs)).unwrap();
    store.checkpoint(Height::new(1), b"state").unwrap();
    assert_eq!(store.counters().orders_archived, 0);
}

#[test]
fn a_block_larger_than_a_file_gets_a_file_of_its_own() {
    let home = TestHome::new();
    let (store, _) = home.open();
    append_usual(&store, 1..=2);
    let large = block(3, 0, vec![batch(700, 3_000)]);
    append(&store, &large);
    append(&store, &usual_block(4));
    let home = home.killed(&store);
    let (store, _) = home.open();
    assert_eq!(store.payload(Height::new(3)).unwrap(), Some(payload_of(&large)));
    assert_eq!(store.block(Height::new(4)).unwrap(), Some(committed(&usual_block(4))));
}

#[test]
fn readers_and_the_writer_do_not_wait_for_each_other() {
    let home = TestHome::new();
    let (store, _) = home.open();
    append_usual(&store, 1..=10);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while store.head() < Some(Height::new(60)) {
                    let head = store.head().unwrap();
                    let expected = usual_block(head.get());
                    assert_eq!(store.block(head).unwrap(), Some(committed(&expected)));
                    assert_eq!(store.payload(head).unwrap(), Some(payload_of(&expected)));
                    let old = 1 + head.get() % 9;
                    assert_eq!(
                        store.payload(Height::new(old)).unwrap(),
                        Some(payload_of(&usual_block(old)))
                    );
                }
            });
        }
        for height in 11..=60 {
            append_usual(&store, height..=height);
            if height % 20 == 0 {
                store.checkpoint(Height::new(height), &[7; 10_000]).unwrap();
            }
        }
    });
    assert_usual(&store, 60);
}

#[test]
fn sizes_and_counters_add_up() {
    let home = TestHome::new();
    let (store, _) = home.open();
    append_usual(&store, 1..=20);
    store.checkpoint(Height::new(20), b"state").unwrap();
    let counters = store.counters();
    assert_eq!((counters.blocks_staged, counters.blocks_committed), (20, 20));
    assert_eq!(counters.syncs, 21, "one a block, one a checkpoint");
    assert_eq!(counters.files_begun + 1, u64::from(home.block_file_count()));
    let size = store.size_on_disk().unwrap();
    let headers = u64::from(home.block_file_count()) * 80;
    assert_eq!(size.block_bytes, counters.bytes_appended + headers);
    assert!(size.index_bytes > 0);
    drop(store);
    let (store, _) = home.open();
    assert_eq!(store.size_on_disk().unwrap().block_bytes, size.block_bytes);
}
