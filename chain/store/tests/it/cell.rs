//! The vote guard's file.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

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
    for content in [b"".as_slice(), b"first", &[7; 4_016], b"a shorter one"] {
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
    let fault = cell.write(&[1; 4_017]).unwrap_err();
    assert!(matches!(fault, StoreFault::TooLarge { limit: 4_016, .. }), "{fault}");
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
    for copy in [0, COPY_BYTES] {
        for offset in 0..80 + 15 {
            flip_bit(&path, copy + offset, (offset % 8) as u8);
            assert_eq!(open(&path).unwrap().read(), Some(b"what was signed".as_slice()));
            // The copies hold the time of mending, unless the flip came a tick of the clock after
            // the write, which makes the file look like a copy: they are compared to each other.
            let bytes = fs::read(&path).unwrap();
            let (first, second) = bytes.split_at(COPY_BYTES as usize);
            assert!(first == second, "mended");
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
    flip_bit(&path, COPY_BYTES + 85, 7);
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
            assert_eq!(content == new, cut >= 80 + new.len(), "cut at {cut}");
        }
    }
}

/// A cell that was written and closed.
fn written(path: &Path, content: &[u8]) {
    let mut cell = open(path).unwrap();
    cell.write(content).unwrap();
    assert!(!cell.is_copied());
}

#[test]
fn a_file_that_is_where_it_was_written_is_no_copy() {
    let (folder, path) = folder();
    assert!(!open(&path).unwrap().is_copied(), "new");
    assert!(!open(&path).unwrap().is_copied(), "never written");
    for content in [b"one".as_slice(), &[2; 4_000], b"three"] {
        written(&path, content);
        for _ in 0..3 {
            assert!(!open(&path).unwrap().is_copied(), "opened again");
        }
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(!open(&path).unwrap().is_copied(), "another mode");
    let moved = folder.path().join("elsewhere");
    fs::create_dir(&moved).unwrap();
    fs::rename(&path, moved.join("vote.guard")).unwrap();
    assert!(!open(&moved.join("vote.guard")).unwrap().is_copied(), "moved");
}

/// After a power loss the time of the last change may be an earlier one.
#[test]
fn a_time_of_change_that_was_lost_is_no_copy() {
    let (_folder, path) = folder();
    written(&path, b"content");
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(3_600)).unwrap();
    assert!(!open(&path).unwrap().is_copied());
}

#[test]
fn a_copy_is_one_until_it_is_written() {
    let (folder, path) = folder();
    written(&path, b"what was signed");
    let copy = folder.path().join("copy");
    fs::copy(&path, &copy).unwrap();
    for _ in 0..3 {
        let cell = open(&copy).unwrap();
        assert!(cell.is_copied(), "opened, and never written");
        assert_eq!(cell.read(), Some(b"what was signed".as_slice()));
    }
    let mut cell = open(&copy).unwrap();
    cell.write(b"signed here").unwrap();
    assert!(!cell.is_copied());
    drop(cell);
    assert!(!open(&copy).unwrap().is_copied(), "it is its own now");
    assert!(!open(&path).unwrap().is_copied(), "and so is the other");
    fs::rename(&copy, &path).unwrap();
    assert!(!open(&path).unwrap().is_copied(), "moved over the other, it is still itself");
}

/// Puts an older content back.
type Way = fn(&[u8], &Path);

#[test]
fn an_older_copy_put_back_is_seen_however_it_is_put_back() {
    let by_new_file: Way = |old: &[u8], path: &Path| {
        fs::remove_file(path).unwrap();
        fs::write(path, old).unwrap();
    };
    let by_rename: Way = |old: &[u8], path: &Path| {
        let aside = path.with_extension("aside");
        fs::write(&aside, old).unwrap();
        fs::rename(aside, path).unwrap();
    };
    // The file stays the same one: only its time tells, which the system counts in ticks.
    let in_place: Way = |old: &[u8], path: &Path| {
        let time = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
        let (probe, before) = (path.with_extension("probe"), time(path));
        while fs::write(&probe, "").is_ok_and(|()| time(&probe) == before) {}
        fs::write(path, old).unwrap();
    };
    let ways: [Way; 3] = [by_new_file, by_rename, in_place];
    for (number, way) in ways.into_iter().enumerate() {
        let (_folder, path) = folder();
        written(&path, b"older");
        let old = fs::read(&path).unwrap();
        written(&path, b"newer");
        way(&old, &path);
        for _ in 0..2 {
            let cell = open(&path).unwrap();
            assert!(cell.is_copied(), "way {number}");
            assert_eq!(cell.read(), Some(b"older".as_slice()));
        }
        written(&path, b"newest");
        assert!(!open(&path).unwrap().is_copied(), "way {number}");
    }
}

#[test]
fn a_copy_of_which_one_half_is_damaged_is_mended_and_stays_a_copy() {
    let (folder, path) = folder();
    written(&path, b"what was signed");
    for half in [0, COPY_BYTES] {
        let copy = folder.path().join(format!("copy-{half}"));
        fs::copy(&path, &copy).unwrap();
        flip_bit(&copy, half + 20, 3);
        assert!(open(&copy).unwrap().is_copied());
        assert!(open(&copy).unwrap().is_copied(), "mended");
    }
}

#[test]
fn a_copy_of_a_cell_that_was_never_written_has_nothing_to_forget() {
    let (folder, path) = folder();
    drop(open(&path).unwrap());
    let copy = folder.path().join("copy");
    fs::copy(&path, &copy).unwrap();
    let cell = open(&copy).unwrap();
    assert_eq!((cell.read(), cell.is_copied()), (None, false));
}

#[test]
fn a_cell_of_an_earlier_build_is_refused_with_its_name() {
    let (_folder, path) = folder();
    written(&path, b"what was signed");
    let mut bytes = fs::read(&path).unwrap();
    for copy in [0, COPY_BYTES as usize] {
        bytes[copy..copy + 8].copy_from_slice(b"SLUICEC1");
    }
    fs::write(&path, bytes).unwrap();
    let fault = open(&path).unwrap_err();
    assert!(matches!(fault, StoreFault::Format { .. }), "{fault}");
    assert!(fault.to_string().contains("vote.guard"), "{fault}");
}

/// No text of a fault recommends what makes a key sign twice.
#[test]
fn a_guard_that_does_not_read_back_is_never_to_be_restored() {
    let (_folder, path) = folder();
    written(&path, b"what was signed");
    fs::write(&path, vec![0; 2 * COPY_BYTES as usize]).unwrap();
    let text = open(&path).unwrap_err().to_string();
    for words in ["vote.guard", "never put a copy", "silent until it cannot have voted"] {
        assert!(text.contains(words), "{text}");
    }
}
