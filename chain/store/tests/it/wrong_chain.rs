//! Files of one chain under the name of another.

use std::fs;

use chain_store::{Cell, IfMissing, Log, Store, StoreFault};
use chain_types::Height;

use crate::kit::*;

#[test]
fn a_home_of_another_chain_is_refused() {
    let home = TestHome::new();
    drop(home.open());
    let fault = Store::open(&home.path(), OTHER_CHAIN, small_options()).unwrap_err();
    match &fault {
        StoreFault::WrongChain { found, expected, .. } => {
            assert_eq!((*found, *expected), (CHAIN, OTHER_CHAIN));
        }
        fault => panic!("{fault}"),
    }
    let text = fault.to_string();
    assert!(text.contains("genesis file"), "{text}");
    home.open();
}

#[test]
fn block_files_of_another_chain_are_refused() {
    let (home, other) = (TestHome::new(), TestHome::new());
    drop(home.open());
    drop(Store::open(&other.path(), OTHER_CHAIN, small_options()).unwrap());
    fs::copy(other.block_file(1), home.block_file(1)).unwrap();
    let fault = home.fault();
    assert!(matches!(fault, StoreFault::WrongChain { .. }), "{fault}");
}

#[test]
fn log_and_guard_of_another_chain_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (log, cell) = (folder.path().join("log"), folder.path().join("cell"));
    drop(Log::open(&log, CHAIN, Height::new(1), IfMissing::Create).unwrap());
    drop(Cell::open(&cell, CHAIN, IfMissing::Create).unwrap());
    let fault = Log::open(&log, OTHER_CHAIN, Height::new(1), IfMissing::Create).unwrap_err();
    assert!(matches!(fault, StoreFault::WrongChain { .. }), "{fault}");
    let fault = Cell::open(&cell, OTHER_CHAIN, IfMissing::Create).unwrap_err();
    assert!(matches!(fault, StoreFault::WrongChain { .. }), "{fault}");
}

#[test]
fn a_home_of_a_later_format_is_refused() {
    let home = TestHome::new();
    drop(home.open());
    let marker = home.path().join("chain-id");
    let text = fs::read_to_string(&marker).unwrap();
    fs::write(&marker, text.replace("format 6", "format 7")).unwrap();
    let fault = home.fault();
    assert!(matches!(fault, StoreFault::Format { .. }), "{fault}");
    fs::write(&marker, "sluice home, format 6\nnot a chain id\n").unwrap();
    let fault = home.fault();
    assert!(matches!(fault, StoreFault::Corrupt { .. }), "{fault}");
}
