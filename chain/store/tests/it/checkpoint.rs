//! The checkpoint's file: whole or of no account, named by the index or gone.

use std::fs;
use std::path::{Path, PathBuf};

use chain_store::{ChainStore as _, StoreFault};
use chain_types::Height;

use crate::kit::*;

fn files(home: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(home.join("checkpoints")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// Ten megabytes in pieces of a prime length.
fn pieces(first: u8) -> impl Iterator<Item = Vec<u8>> {
    (0..100).map(move |number: u8| vec![first ^ number; 104_729])
}

/// A home at height 8 with a checkpoint after 5, and its bytes.
fn home() -> (TestHome, Vec<u8>) {
    let home = TestHome::new();
    let (store, _) = home.open();
    append_usual(&store, 1..=8);
    store.checkpoint(Height::new(3), b"the one before").unwrap();
    store.checkpoint_of(Height::new(5), &mut pieces(1)).unwrap();
    let bytes: Vec<u8> = pieces(1).flatten().collect();
    assert_eq!(files(&home.path()).len(), 1, "the one before is gone");
    assert_eq!(store.size_on_disk().unwrap().checkpoint_bytes, bytes.len() as u64);
    (home, bytes)
}

#[test]
fn pieces_come_back_as_one() {
    let (home, bytes) = home();
    let (_, recovery) = home.open();
    assert!(recovery.checkpoint == Some((Height::new(5), bytes)));
}

#[test]
fn one_that_the_index_does_not_name_leaves_the_one_before() {
    let (home, bytes) = home();
    let (store, _) = home.open();
    // As kill -9 leaves it: while it is written, and written but not named yet.
    let written = files(&home.path()).remove(0);
    let name = |name: &str| written.with_file_name(name);
    fs::write(name("00000000000000000007.checkpoint.new"), b"half of").unwrap();
    fs::write(name("00000000000000000006.checkpoint"), b"all of it").unwrap();
    let killed = home.killed(&store);
    assert_eq!(files(&killed.path()).len(), 3);
    let (store, recovery) = killed.open();
    assert!(recovery.checkpoint == Some((Height::new(5), bytes)));
    assert_eq!(
        files(&killed.path()),
        [killed.path().join("checkpoints").join(written.file_name().unwrap())]
    );
    // Again at the same height, of another form: as a whole.
    store.checkpoint_of(Height::new(5), &mut pieces(2)).unwrap();
    let killed = killed.killed(&store);
    let (_, recovery) = killed.open();
    assert!(recovery.checkpoint == Some((Height::new(5), pieces(2).flatten().collect())));
}

#[test]
fn a_damaged_or_lost_one_is_a_named_fault() {
    let (home, bytes) = home();
    let path = files(&home.path()).remove(0);
    for offset in [0, bytes.len() / 2, bytes.len() - 1] {
        let mut rotten = bytes.clone();
        rotten[offset] ^= 4;
        fs::write(&path, &rotten).unwrap();
        let fault = home.fault();
        assert!(matches!(&fault, StoreFault::Corrupt { .. }), "{fault}");
        assert!(fault.to_string().contains("00000000000000000005.checkpoint"), "{fault}");
    }
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    assert!(matches!(home.fault(), StoreFault::Corrupt { .. }));
    fs::remove_file(&path).unwrap();
    let fault = home.fault();
    assert!(matches!(&fault, StoreFault::Missing { .. }), "{fault}");
    // What the remedy says: the index goes, and blocks are executed from genesis.
    fs::write(&path, b"what is left of it").unwrap();
    fs::remove_dir_all(home.path().join("index")).unwrap();
    let (_, recovery) = home.open();
    assert_eq!((recovery.head, recovery.checkpoint), (Some(Height::new(8)), None));
    assert_eq!(files(&home.path()), [] as [PathBuf; 0]);
}
