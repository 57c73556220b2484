//! A file that must be there and is not.

use std::fs;

use chain_store::{Cell, IfMissing, Log, StoreFault};
use chain_types::Height;

use crate::kit::*;

/// A home of several block files, of which the index knows all blocks.
fn home() -> TestHome {
    let home = TestHome::new();
    let (store, _) = home.open();
    append_usual(&store, 1..=30);
    drop(store);
    assert!(home.block_file_count() >= 4);
    home
}

#[test]
fn a_missing_block_file_is_named() {
    let home = home();
    let count = home.block_file_count();
    for number in [1, 2, count - 1] {
        let (path, aside) = (home.block_file(number), home.path().join("aside"));
        fs::rename(&path, &aside).unwrap();
        let fault = home.fault();
        assert!(matches!(fault, StoreFault::Missing { .. }), "{fault}");
        assert!(fault.to_string().contains(&format!("{number:08}.blk")), "{fault}");
        fs::rename(&aside, &path).unwrap();
    }
    assert_usual(&home.open().0, 30);
}

#[test]
fn missing_last_block_files_are_a_regression() {
    let home = home();
    let count = home.block_file_count();
    fs::remove_file(home.block_file(count)).unwrap();
    fs::remove_file(home.block_file(count - 1)).unwrap();
    let fault = home.fault();
    let named = matches!(fault, StoreFault::Missing { .. } | StoreFault::Regression { .. });
    assert!(named, "{fault}");
    for number in 1..count - 1 {
        fs::remove_file(home.block_file(number)).unwrap();
    }
    let fault = home.fault();
    assert!(matches!(fault, StoreFault::Missing { .. }), "no block file at all: {fault}");
}

#[test]
fn a_shortened_block_file_is_corrupt() {
    let home = home();
    let path = home.block_file(2);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let fault = home.fault();
    assert!(matches!(fault, StoreFault::Corrupt { .. }), "{fault}");
}

#[test]
fn a_home_without_its_chain_id_is_refused() {
    let home = home();
    fs::remove_file(home.path().join("chain-id")).unwrap();
    let fault = home.fault();
    assert!(matches!(fault, StoreFault::Missing { .. }), "{fault}");
}

#[test]
fn log_and_guard_are_made_only_when_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let (log, cell) = (folder.path().join("log"), folder.path().join("cell"));
    let fault = Log::open(&log, CHAIN, Height::new(1), IfMissing::Refuse).unwrap_err();
    assert!(matches!(fault, StoreFault::Missing { .. }), "{fault}");
    let fault = Cell::open(&cell, CHAIN, IfMissing::Refuse).unwrap_err();
    assert!(matches!(fault, StoreFault::Missing { .. }), "{fault}");
    assert!(!log.exists() && !cell.exists());
}
