//! What the system keeps in memory of a chain that grows.

use std::path::Path;
use std::process::Command;

use chain_store::{ChainStore as _, Store, StoreOptions};
use tempfile::TempDir;

use crate::kit::*;

const MIB: u64 = 1024 * 1024;

/// A home on a disk: what a folder in memory holds cannot leave it.
fn folder() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn files(home: &Path) -> u64 {
    std::fs::read_dir(home.join("blocks")).unwrap().count() as u64
}

/// Bytes of a block file that are in memory.
fn cached(home: &Path, number: u64) -> u64 {
    let path = home.join("blocks").join(format!("{number:08}.blk"));
    let told = Command::new("fincore").args(["-b", "-n", "-o", "RES"]).arg(&path).output();
    String::from_utf8(told.unwrap().stdout).unwrap().trim().parse().unwrap()
}

#[test]
fn the_newest_block_files_stay_in_memory_and_older_ones_do_not() {
    let home = folder();
    let options = StoreOptions { block_files_cached: 3, ..small_options() };
    let (store, _) = Store::open(home.path(), CHAIN, options).unwrap();
    append_usual(&store, 1..=90);
    let files = files(home.path());
    assert!(files > 10, "{files}");
    // The one being written, three full ones and the one that is on its way.
    for number in files - 4..=files {
        assert!(cached(home.path(), number) > 0, "file {number} of {files}");
    }
    for number in 1..files - 4 {
        assert_eq!(cached(home.path(), number), 0, "file {number} of {files}");
    }
    assert_usual(&store, 90);
}

#[test]
fn a_large_file_goes_as_the_one_being_written_grows() {
    let home = folder();
    let block_file_bytes = 16 * MIB;
    let options = StoreOptions { block_files_cached: 0, block_file_bytes, ..small_options() };
    let (store, _) = Store::open(home.path(), CHAIN, options).unwrap();
    for height in 1.. {
        append(&store, &block(height, 0, vec![batch(height, 8_192)]));
        if files(home.path()) == 2 {
            break;
        }
        assert!(cached(home.path(), 1) > height * MIB / 2, "nothing goes before");
    }
    let full = cached(home.path(), 1);
    for height in store.head().unwrap().get() + 1.. {
        append(&store, &block(height, 0, vec![batch(height, 8_192)]));
        if cached(home.path(), 2) > 10 * MIB {
            break;
        }
    }
    let left = cached(home.path(), 1);
    assert!(full > 15 * MIB && left > 4 * MIB && left < 10 * MIB, "{left} of {full}");
}
