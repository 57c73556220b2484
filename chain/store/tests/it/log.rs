//! The consensus log.

use std::fs;
use std::path::{Path, PathBuf};

use chain_store::{IfMissing, Log, LogEntry, StoreFault};
use chain_types::Height;
use tempfile::TempDir;

use crate::kit::*;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("consensus.wal");
    (folder, path)
}

fn open_from(path: &Path, from: u64) -> (Log, Vec<LogEntry>) {
    Log::open(path, CHAIN, Height::new(from), IfMissing::Create).unwrap()
}

fn entry(height: u64, bytes: &[u8]) -> LogEntry {
    LogEntry { height: Height::new(height), bytes: bytes.to_vec() }
}

#[test]
fn what_was_appended_reads_back_in_order() {
    let (_folder, path) = folder();
    let (mut log, entries) = open_from(&path, 0);
    assert_eq!(entries, []);
    log.append(Height::new(1), &[b"one".as_slice(), b"", b"two"]).unwrap();
    log.append(Height::new(2), &[[9; 5_000]]).unwrap();
    log.append(Height::new(2), &[] as &[&[u8]]).unwrap();
    drop(log);
    let expected = [entry(1, b"one"), entry(1, b""), entry(1, b"two"), entry(2, &[9; 5_000])];
    for _ in 0..2 {
        assert_eq!(open_from(&path, 0).1, expected);
    }
    assert_eq!(open_from(&path, 2).1, [entry(2, &[9; 5_000])], "from a height on");
    assert_eq!(open_from(&path, 3).1, []);
}

#[test]
fn pruned_entries_go_and_the_file_stays_small() {
    let (_folder, path) = folder();
    let (mut log, _) = open_from(&path, 0);
    for height in 1..=400 {
        for at in 0..3_u8 {
            log.append(Height::new(height), &[vec![at; 9_000]]).unwrap();
        }
        log.prune(Height::new(height));
    }
    assert!(fs::metadata(&path).unwrap().len() <= 5 * 1024 * 1024);
    drop(log);
    let (_, entries) = open_from(&path, 399);
    let heights: Vec<u64> = entries.iter().map(|entry| entry.height.get()).collect();
    assert_eq!(heights, [399, 399, 399, 400, 400, 400]);
    assert_eq!(entries[5].bytes, vec![2; 9_000]);
}

#[test]
fn what_was_not_pruned_outlives_a_full_file() {
    let (_folder, path) = folder();
    let (mut log, _) = open_from(&path, 0);
    log.append(Height::new(5), &[b"the lock"]).unwrap();
    for at in 0..6_u8 {
        log.append(Height::new(6), &[vec![at; 1024 * 1024]]).unwrap();
    }
    drop(log);
    let (_, entries) = open_from(&path, 0);
    assert_eq!(entries.len(), 7);
    assert_eq!(entries[0], entry(5, b"the lock"));
}

#[test]
fn a_torn_last_append_is_left_out_whole() {
    let (_folder, path) = folder();
    let (mut log, _) = open_from(&path, 0);
    log.append(Height::new(1), &[b"kept"]).unwrap();
    let before = fs::read(&path).unwrap();
    log.append(Height::new(1), &[vec![1; 100], vec![2; 200]]).unwrap();
    drop(log);
    let after = fs::read(&path).unwrap();
    let (first, last) = (written(&before), written(&after));
    for cut in first..last {
        fs::write(&path, [&after[..cut], &before[cut..]].concat()).unwrap();
        let (mut log, entries) = open_from(&path, 0);
        assert_eq!(entries, [entry(1, b"kept")], "cut at {cut}");
        if cut % 50 == 0 {
            log.append(Height::new(1), &[b"next"]).unwrap();
            drop(log);
            assert_eq!(open_from(&path, 0).1, [entry(1, b"kept"), entry(1, b"next")]);
        }
    }
}

#[test]
fn rot_before_the_last_append_is_a_named_fault() {
    let (_folder, path) = folder();
    let (mut log, _) = open_from(&path, 0);
    log.append(Height::new(1), &[b"first entry"]).unwrap();
    let end = written_end(&path);
    log.append(Height::new(1), &[b"second entry"]).unwrap();
    drop(log);
    for offset in 0..end {
        flip_bit(&path, offset, (offset % 8) as u8);
        let before = fs::read(&path).unwrap();
        let result = Log::open(&path, CHAIN, Height::new(0), IfMissing::Create);
        let fault = result.expect_err("rot must be refused");
        assert!(matches!(fault, StoreFault::Corrupt { .. }), "offset {offset}: {fault}");
        assert!(fs::read(&path).unwrap() == before, "nothing was written");
        flip_bit(&path, offset, (offset % 8) as u8);
    }
    assert_eq!(open_from(&path, 0).1.len(), 2);
}

/// A peer's bytes stand in the log; they must not pass for one of its frames.
#[test]
fn an_entry_that_holds_a_log_is_only_an_entry() {
    let (_folder, path) = folder();
    let (mut log, _) = open_from(&path, 0);
    log.append(Height::new(1), &[b"kept"]).unwrap();
    let whole = fs::read(&path).unwrap()[..4_096].to_vec();
    log.append(Height::new(1), &[&whole]).unwrap();
    drop(log);
    // Torn inside that entry: what it holds looks like frames, and is none.
    let mut bytes = fs::read(&path).unwrap();
    let end = written(&bytes);
    bytes[end - 1] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(open_from(&path, 0).1, [entry(1, b"kept")]);
}

fn written(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1)
}
