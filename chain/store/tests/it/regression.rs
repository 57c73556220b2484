//! An old copy of some of the files, put back among newer ones.

use chain_store::{ChainStore as _, StoreFault};
use chain_types::Height;

use crate::kit::*;

/// A home at height 5, and the same home later.
fn old_and_new(later: u64) -> (TestHome, TestHome) {
    let home = TestHome::new();
    let (store, _) = home.open();
    append_usual(&store, 1..=5);
    let old = home.killed(&store);
    append_usual(&store, 6..=later);
    store.checkpoint(Height::new(later), b"state").unwrap();
    drop(store);
    (old, home)
}

#[test]
fn old_block_files_under_a_newer_index_are_refused() {
    let (old, new) = old_and_new(20);
    std::fs::remove_dir_all(new.path().join("blocks")).unwrap();
    copy_folder(&old.path().join("blocks"), &new.path().join("blocks"));
    let fault = new.fault();
    let named = matches!(fault, StoreFault::Missing { .. } | StoreFault::Regression { .. });
    assert!(named, "{fault}");
    assert!(fault.to_string().contains("keep vote.guard"), "{fault}");
}

#[test]
fn a_checkpoint_beyond_the_block_files_is_refused() {
    // One height apart: the index alone may be that far ahead, a checkpoint may not.
    let (old, new) = old_and_new(6);
    assert_eq!(old.block_file_count(), new.block_file_count(), "the test stays in one file");
    std::fs::remove_dir_all(new.path().join("blocks")).unwrap();
    copy_folder(&old.path().join("blocks"), &new.path().join("blocks"));
    let fault = new.fault();
    assert!(matches!(fault, StoreFault::Regression { what: "checkpoint", .. }), "{fault}");
}

#[test]
fn an_old_index_under_newer_block_files_catches_up() {
    let (old, new) = old_and_new(20);
    std::fs::remove_dir_all(new.path().join("index")).unwrap();
    copy_folder(&old.path().join("index"), &new.path().join("index"));
    let (store, recovery) = new.open();
    assert_eq!(recovery.head, Some(Height::new(20)));
    assert_usual(&store, 20);
}
