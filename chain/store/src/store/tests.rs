//! A failed write or sync is final: the disk may have dropped what it could not write, and says
//! so once.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chain_types::{
    Block, BlockHeader, Certificate, ChainId, Digest, ExecutedBlock, Height, OrderId, Round, TimeMs,
};

use crate::cell::Cell;
use crate::chain_store::ChainStore;
use crate::disk::Operation::{self, Sync, Write};
use crate::disk::failing::fail_next;
use crate::fault::StoreFault;
use crate::home::IfMissing;
use crate::log::Log;
use crate::model::{BlockRecords, InstructionFilter};
use crate::options::StoreOptions;
use crate::store::Store;

// The program's allocator, which RocksDB uses as well.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const CHAIN: ChainId = ChainId::new(Digest::from_bytes([7; 32]));

fn options() -> StoreOptions {
    StoreOptions { block_file_bytes: 4_096, ..StoreOptions::default() }
}

fn block(height: u64) -> ExecutedBlock {
    let header = BlockHeader {
        protocol_version: 1,
        chain_id: CHAIN,
        height: Height::new(height),
        time: TimeMs::new(height),
        ..BlockHeader::default()
    };
    let block = Block { header, batches: Vec::new(), evidence: Vec::new() };
    ExecutedBlock { block, batches: Vec::new(), outcomes: Vec::new() }
}

fn certificate(height: u64) -> Certificate {
    let (height, block) = (Height::new(height), block(height).block.hash());
    Certificate { height, round: Round::new(0), block, signatures: Vec::new() }
}

fn append(store: &Store, height: u64) {
    store.stage(&block(height)).unwrap();
    store.commit(&certificate(height), BlockRecords::default()).unwrap();
}

fn assert_refuses_everything(store: &Store) {
    let results = [
        store.stage(&block(3)).err(),
        store.commit(&certificate(3), BlockRecords::default()).err(),
        store.reindex(Height::new(1), BlockRecords::default()).err(),
        store.checkpoint(Height::new(1), b"state").err(),
        store.block(Height::new(1)).err(),
        store.payload(Height::new(1)).err(),
        store.outcomes(Height::new(1)).err(),
        store.block_height(&block(1).block.hash()).err(),
        store.archived_order(&OrderId::default()).err(),
        store.windows(None, 1).err(),
        store.instructions(InstructionFilter::All, None, 1).err(),
        store.breaches(None, 1).err(),
    ];
    for (at, fault) in results.into_iter().enumerate() {
        match fault {
            Some(StoreFault::Poisoned { cause }) => {
                let names_file = cause.contains(".blk") || cause.contains(".checkpoint");
                assert!(names_file && cause.contains("error 5"), "{cause}");
            }
            other => panic!("call {at} went on: {other:?}"),
        }
    }
}

/// A store at height 2 whose next `operation` fails in `act`.
fn poisoned_by(operation: Operation, act: impl FnOnce(&Store) -> Result<(), StoreFault>) {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path(), CHAIN, options()).unwrap();
    append(&store, 1);
    append(&store, 2);
    store.stage(&block(3)).unwrap();
    fail_next(operation);
    let fault = act(&store).expect_err("the failure shows at once");
    assert!(matches!(fault, StoreFault::Io { .. }), "{fault}");
    assert_eq!(store.head(), Some(Height::new(2)), "what failed did not become the head");
    assert_refuses_everything(&store);
    drop(store);
    // The next process finds what was durable and goes on.
    let (store, recovery) = Store::open(folder.path(), CHAIN, options()).unwrap();
    assert_eq!(recovery.head, Some(Height::new(2)));
    store.stage(&block(3)).unwrap();
    store.commit(&certificate(3), BlockRecords::default()).unwrap();
    append(&store, 4);
    assert!(store.block(Height::new(3)).unwrap().is_some());
}

#[test]
fn a_failed_write_of_a_stage_stops_the_store() {
    let mut other = block(3);
    other.block.header.round = Round::new(1);
    poisoned_by(Write, |store| store.stage(&other));
}

#[test]
fn a_failed_sync_of_a_stage_stops_the_store() {
    let mut other = block(3);
    other.block.header.round = Round::new(1);
    poisoned_by(Sync, |store| store.stage(&other));
}

#[test]
fn a_failed_write_of_a_certificate_stops_the_store() {
    poisoned_by(Write, |store| store.commit(&certificate(3), BlockRecords::default()));
}

#[test]
fn a_failed_sync_of_a_checkpoint_stops_the_store() {
    poisoned_by(Sync, |store| store.checkpoint(Height::new(2), b"state"));
}

#[test]
fn a_failed_write_of_a_checkpoint_stops_the_store() {
    poisoned_by(Write, |store| store.checkpoint(Height::new(2), b"state"));
}

#[test]
fn a_failed_beginning_of_a_file_stops_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path(), CHAIN, options()).unwrap();
    let mut height = 0;
    // A stage asks for room for the largest block frame, so it is a stage that begins a file.
    while store.writer().appender.room_left() >= 1_104 {
        height += 1;
        append(&store, height);
    }
    fail_next(Sync);
    let fault = store.stage(&block(height + 1)).unwrap_err();
    assert!(matches!(fault, StoreFault::Io { action: "sync", .. }), "{fault}");
    assert_refuses_everything(&store);
    drop(store);
    let (store, recovery) = Store::open(folder.path(), CHAIN, options()).unwrap();
    assert_eq!(recovery.head, Some(Height::new(height)));
    append(&store, height + 1);
    append(&store, height + 2);
}

#[test]
fn refusals_that_change_nothing_stop_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(folder.path(), CHAIN, options()).unwrap();
    store.stage(&block(5)).unwrap_err();
    store.commit(&certificate(1), BlockRecords::default()).unwrap_err();
    append(&store, 1);
}

#[test]
fn a_failed_write_or_sync_of_the_log_is_final() {
    let folder = tempfile::tempdir().unwrap();
    for (name, operation) in [("written", Write), ("synced", Sync)] {
        let path = folder.path().join(name);
        let (mut log, _) = Log::open(&path, CHAIN, Height::new(0), IfMissing::Create).unwrap();
        log.append(Height::new(1), &[b"kept"]).unwrap();
        fail_next(operation);
        let fault = log.append(Height::new(1), &[b"lost"]).unwrap_err();
        assert!(matches!(fault, StoreFault::Io { .. }), "{fault}");
        let fault = log.append(Height::new(1), &[b"later"]).unwrap_err();
        assert!(matches!(fault, StoreFault::Poisoned { .. }), "{fault}");
        drop(log);
        let (_, entries) = Log::open(&path, CHAIN, Height::new(0), IfMissing::Create).unwrap();
        assert_eq!(entries[0].bytes, b"kept");
        assert!(entries.iter().all(|entry| entry.bytes != b"later"));
    }
}

#[test]
fn a_failed_write_or_sync_of_the_cell_is_final() {
    let folder = tempfile::tempdir().unwrap();
    for (name, operation) in [("written", Write), ("synced", Sync)] {
        let path = folder.path().join(name);
        let mut cell = Cell::open(&path, CHAIN, IfMissing::Create).unwrap();
        cell.write(b"kept").unwrap();
        fail_next(operation);
        let fault = cell.write(b"lost").unwrap_err();
        assert!(matches!(fault, StoreFault::Io { .. }), "{fault}");
        assert_eq!(cell.read(), Some(b"kept".as_slice()));
        let fault = cell.write(b"later").unwrap_err();
        assert!(matches!(fault, StoreFault::Poisoned { .. }), "{fault}");
    }
}
