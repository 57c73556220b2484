//! The vote guard's file.

use std::fs;
use std::path::{Path, PathBuf};

use chain_store::{Cell, IfMissing, StoreFault};
use tempfile::TempDir;

use crate::kit::*;

const COPY_BYTES: u64 = 4_096;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vote.guard");
    (folder, path)
}

fn open(path: &Path) -> Result<Cell, StoreFault> {
    Cell::open(path, CHAIN, IfMissing::Create)
}

#[test]
fn the_last_content_stands() {
    let (_folder, path) = folder();
    assert_eq!(open(&path).unwrap().read(), None);
    assert_eq!(open(&path).unwrap().read(), None, "opened again and still never written");
    for content in [b"".as_slice(), b"first", &[7; 4_040], b"a shorter one"] {
        let mut cell = open(&path).unwrap();
        cell.write(content).unwrap();
        assert_eq!(cell.read(), Some(content));
        drop(cell);
        assert_eq!(open(&path).unwrap().read(), Some(content));
    }
    assert_eq!(fs::metadata(&path).unwrap().len(), 2 * COPY_BYTES);
}

#[test]
fn content_beyond_its_bounds_changes_nothing() {
    let (_folder, path) = folder();
    let mut cell = open(&path).unwrap();
    cell.write(b"good").unwrap();
    let fault = cell.write(&[1; 4_041]).unwrap_err();
    assert!(matches!(fault, StoreFault::TooLarge { limit: 4_040, .. }), "{fault}");
    cell.write(b"better").unwrap();
    assert_eq!(open(&path).unwrap().read(), Some(b"better".as_slice()));
}

#[test]
fn one_damaged_copy_loses_nothing() {
    let (_folder, path) = folder();
    let mut cell = open(&path).unwrap();
    cell.write(b"older").unwrap();
    cell.write(b"what was signed").unwrap();
    drop(cell);
    let good = fs::read(&path).unwrap();
    for copy in [0, COPY_BYTES] {
        for offset in 0..56 + 15 {
            flip_bit(&path, copy + offset, (offset % 8) as u8);
            assert_eq!(open(&path).unwrap().read(), Some(b"what was signed".as_slice()));
            assert!(fs::read(&path).unwrap() == good, "mended");
        }
    }
}

#[test]
fn two_damaged_copies_are_a_fault_and_never_empty() {
    let (_folder, path) = folder();
    let mut cell = open(&path).unwrap();
    cell.write(b"what was signed").unwrap();
    drop(cell);
    let good = fs::read(&path).unwrap();
    flip_bit(&path, 10, 0);
    flip_bit(&path, COPY_BYTES + 60, 7);
    let fault = open(&path).unwrap_err();
    assert!(matches!(fault, StoreFault::Corrupt { .. }), "{fault}");
    for bytes in [vec![], vec![0; 2 * COPY_BYTES as usize], good[..40].to_vec()] {
        fs::write(&path, bytes).unwrap();
        let fault = open(&path).unwrap_err();
        assert!(matches!(fault, StoreFault::Corrupt { .. }), "{fault}");
    }
}

/// Power lost in the middle of a write: each copy is the old or the new one, or torn.
#[test]
fn a_torn_write_leaves_the_old_or_the_new_content() {
    let (_folder, path) = folder();
    for (old, new) in [(vec![1; 100], vec![2; 90]), (vec![3; 4_000], vec![4; 3_000])] {
        let mut cell = open(&path).unwrap();
        cell.write(&old).unwrap();
        let before = fs::read(&path).unwrap();
        cell.write(&new).unwrap();
        drop(cell);
        let after = fs::read(&path).unwrap();
        for cut in (0..after.len()).step_by(64) {
            fs::write(&path, [&after[..cut], &before[cut..]].concat()).unwrap();
            let cell = open(&path).unwrap();
            let content = cell.read().unwrap();
            assert!(content == old || content == new, "cut at {cut}");
            // Once the first copy is whole, the new content stands.
            assert_eq!(content == new, cut >= 56 + new.len(), "cut at {cut}");
        }
    }
}
