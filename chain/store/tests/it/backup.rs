//! Block files copied while they are written, and homes made of the copies.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use chain_store::{
    BackupBlocks, BackupFile, ChainStore as _, NewHome, Store, StoreFault, back_up_blocks,
    block_file_path,
};
use chain_types::Height;

use crate::kit::*;

fn back_up(home: &TestHome, to: &Path) -> Result<Option<BackupBlocks>, StoreFault> {
    back_up_blocks(&home.path(), CHAIN, to, &mut |_, _| {})
}

/// Restores into a new folder; gives the folder.
fn restore(from: &Path, files: &[BackupFile], to: &Path) -> Result<(), StoreFault> {
    let new = NewHome::begin(to, CHAIN)?;
    new.copy_blocks(from, files, &mut |_, _| {})?;
    new.finish()
}

/// Restores, and asserts that the home holds the usual blocks up to the backup's head.
fn assert_restores(from: &Path, blocks: &BackupBlocks) {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    restore(from, &blocks.files, &home).unwrap();
    let (store, recovery) = Store::open(&home, CHAIN, small_options()).unwrap();
    assert_eq!(recovery.head, Some(blocks.head));
    assert_eq!(usual_block(blocks.head.get()).block.hash(), blocks.block);
    assert!(recovery.staged.is_empty() && !recovery.created);
    assert_usual(&store, blocks.head.get());
    let left: Vec<_> =
        fs::read_dir(&home).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    for name in ["vote.guard", "consensus.wal", "restoring"] {
        assert!(!left.iter().any(|found| found == name), "{left:?}");
    }
    // The home goes on.
    append_usual(&store, blocks.head.get() + 1..=blocks.head.get() + 5);
    drop(store);
    let (store, _) = Store::open(&home, CHAIN, small_options()).unwrap();
    assert_usual(&store, blocks.head.get() + 5);
}

/// Block files of a home are in a backup byte by byte, as far as it goes.
fn assert_is_prefix(home: &TestHome, backup: &Path, blocks: &BackupBlocks) {
    for (number, file) in (1..).zip(&blocks.files) {
        let copy = fs::read(block_file_path(backup, number)).unwrap();
        let source = fs::read(block_file_path(&home.path(), number)).unwrap();
        assert_eq!(copy.len() as u64, file.bytes);
        assert_eq!(chain_types::hash::sha256(&[&copy]), file.sha256);
        assert!(source.starts_with(&copy), "file {number}");
    }
    assert!(!block_file_path(backup, blocks.files.len() + 1).exists());
}

#[test]
fn a_backup_of_every_height_restores() {
    let (home, folder) = (TestHome::new(), tempfile::tempdir().unwrap());
    let (store, _) = home.open();
    assert_eq!(back_up(&home, &folder.path().join("none")).unwrap(), None, "nothing is decided");
    assert!(!folder.path().join("none/blocks").exists());
    for height in 1..=30 {
        append_usual(&store, height..=height);
        // A block that is staged and not decided is no part of a backup.
        store.stage(&usual_block(height + 1)).unwrap();
        let to = folder.path().join(height.to_string());
        let blocks = back_up(&home, &to).unwrap().unwrap();
        assert_eq!(blocks.head, Height::new(height));
        assert_is_prefix(&home, &to, &blocks);
        if height % 4 == 1 {
            assert_restores(&to, &blocks);
        }
    }
    assert!(home.block_file_count() >= 4, "files were crossed");
}

/// The writer never waits for a backup, and no backup is torn.
#[test]
fn backups_taken_under_the_writer_restore() {
    let (home, folder) = (TestHome::new(), tempfile::tempdir().unwrap());
    let (store, _) = home.open();
    append_usual(&store, 1..=1);
    let is_done = AtomicBool::new(false);
    let backups = std::thread::scope(|scope| {
        let taking = scope.spawn(|| {
            let mut backups = Vec::new();
            while !is_done.load(Ordering::Relaxed) {
                let to = folder.path().join(backups.len().to_string());
                let blocks = back_up(&home, &to).unwrap().unwrap();
                backups.push((to, blocks));
            }
            backups
        });
        append_usual(&store, 2..=220);
        is_done.store(true, Ordering::Relaxed);
        taking.join().unwrap()
    });
    assert!(backups.len() >= 2, "{} backups were taken meanwhile", backups.len());
    for (to, blocks) in &backups {
        assert_is_prefix(&home, to, blocks);
    }
    let step = backups.len().div_ceil(12);
    for (to, blocks) in backups.iter().step_by(step) {
        assert_restores(to, blocks);
    }
}

/// kill -9 or a power loss leaves a torn tail: the backup ends before it.
#[test]
fn a_backup_of_a_home_with_a_torn_tail_ends_before_it() {
    let home = TestHome::new();
    let (store, _) = home.open();
    let (mut height, mut decided, mut staged) = (0, 0, 0);
    // Until a block is staged in the file in which the one before it was decided.
    while staged <= decided + 100 {
        height += 1;
        append_usual(&store, height..=height);
        let last = home.block_file(home.block_file_count());
        decided = written_end(&last);
        store.stage(&usual_block(height + 1)).unwrap();
        staged = written_end(&last);
    }
    let last = home.block_file(home.block_file_count());
    drop(store);
    let whole = fs::read(&last).unwrap();
    for end in (decided..staged).step_by(97) {
        let mut torn = whole.clone();
        torn[end as usize..].fill(0);
        fs::write(&last, &torn).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("backup");
        let blocks = back_up(&home, &to).unwrap().unwrap();
        assert_eq!(blocks.head, Height::new(height), "torn at {end}");
        assert_is_prefix(&home, &to, &blocks);
    }
}

#[test]
fn a_home_that_is_rotten_is_not_backed_up() {
    let home = TestHome::new();
    let (store, _) = home.open();
    append_usual(&store, 1..=30);
    drop(store);
    let count = home.block_file_count();
    for number in [1, 2, count] {
        let path = home.block_file(number);
        let end = written_end(&path);
        // The last frames of the last file may be a torn tail: nothing after them tells otherwise.
        let end = if number == count { end / 3 } else { end };
        for offset in (0..end).step_by(1_013) {
            flip_bit(&path, offset, (offset % 8) as u8);
            let folder = tempfile::tempdir().unwrap();
            let to = folder.path().join("backup");
            let fault = back_up(&home, &to).expect_err("rot is named");
            assert!(fault.to_string().contains(&format!("{number:08}.blk")), "{fault}");
            assert!(!to.join("blocks").exists(), "nothing is left of it");
            flip_bit(&path, offset, (offset % 8) as u8);
        }
    }
    let aside = home.path().join("aside");
    fs::rename(home.block_file(2), &aside).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let fault = back_up(&home, &folder.path().join("backup")).unwrap_err();
    assert!(fault.to_string().contains("00000002.blk"), "{fault}");
}

#[test]
fn a_backup_needs_an_empty_folder_and_its_own_chain() {
    let (home, folder) = (TestHome::new(), tempfile::tempdir().unwrap());
    let (store, _) = home.open();
    append_usual(&store, 1..=5);
    let to = folder.path().join("backup");
    back_up(&home, &to).unwrap().unwrap();
    let before = fs::read(block_file_path(&to, 1)).unwrap();
    let fault = back_up(&home, &to).unwrap_err();
    assert!(matches!(fault, StoreFault::Occupied { .. }), "{fault}");
    assert_eq!(fs::read(block_file_path(&to, 1)).unwrap(), before, "the older one is unharmed");
    let other = folder.path().join("other");
    let fault = back_up_blocks(&home.path(), OTHER_CHAIN, &other, &mut |_, _| {}).unwrap_err();
    assert!(matches!(fault, StoreFault::WrongChain { .. }), "{fault}");
}

#[test]
fn a_file_that_differs_from_the_list_is_named_and_no_home_is_left() {
    let (home, folder) = (TestHome::new(), tempfile::tempdir().unwrap());
    let (store, _) = home.open();
    append_usual(&store, 1..=30);
    let (from, to) = (folder.path().join("backup"), folder.path().join("home"));
    let blocks = back_up(&home, &from).unwrap().unwrap();
    for number in 1..=blocks.files.len() {
        let path = block_file_path(&from, number);
        let good = fs::read(&path).unwrap();
        let mut flipped = good.clone();
        flipped[good.len() / 2] ^= 1;
        let bad = [flipped, good[..good.len() - 1].to_vec(), [good.as_slice(), b"x"].concat()];
        for bytes in bad {
            fs::write(&path, bytes).unwrap();
            let fault = restore(&from, &blocks.files, &to).unwrap_err();
            assert!(matches!(fault, StoreFault::Backup { .. }), "{fault}");
            assert!(fault.to_string().contains(&format!("{number:08}.blk")), "{fault}");
            assert!(!to.join("blocks").exists() && !to.join("restoring").exists());
        }
        fs::remove_file(&path).unwrap();
        let fault = restore(&from, &blocks.files, &to).unwrap_err();
        assert!(fault.to_string().contains(&format!("{number:08}.blk")), "{fault}");
        fs::write(&path, good).unwrap();
    }
    // The same folder serves once the backup is whole.
    restore(&from, &blocks.files, &to).unwrap();
    assert_usual(&Store::open(&to, CHAIN, small_options()).unwrap().0, 30);
}

#[test]
fn a_restore_never_touches_a_folder_that_holds_anything() {
    let (home, folder) = (TestHome::new(), tempfile::tempdir().unwrap());
    let (store, _) = home.open();
    append_usual(&store, 1..=3);
    let fault = NewHome::begin(&home.path(), CHAIN).unwrap_err();
    assert!(matches!(fault, StoreFault::Occupied { .. }), "{fault}");
    assert_usual(&store, 3);
    fs::write(folder.path().join("vote.guard"), b"some guard").unwrap();
    let fault = NewHome::begin(folder.path(), CHAIN).unwrap_err();
    assert!(matches!(fault, StoreFault::Occupied { .. }), "{fault}");
}

/// A restore that was killed leaves no home, and the next one replaces it.
#[test]
fn a_restore_that_never_ended_is_no_home() {
    let (home, folder) = (TestHome::new(), tempfile::tempdir().unwrap());
    let (store, _) = home.open();
    append_usual(&store, 1..=5);
    let (from, to) = (folder.path().join("backup"), folder.path().join("home"));
    let blocks = back_up(&home, &from).unwrap().unwrap();
    let new = NewHome::begin(&to, CHAIN).unwrap();
    new.copy_blocks(&from, &blocks.files, &mut |_, _| {}).unwrap();
    let fault = Store::open(&to, CHAIN, small_options()).unwrap_err();
    assert!(matches!(fault, StoreFault::Locked { .. }), "{fault}");
    // Killed at any step: the parts that were moved, and no chain id yet.
    let killed = folder.path().join("killed");
    copy_folder(&to, &killed);
    let fault = Store::open(&killed, CHAIN, small_options()).unwrap_err();
    assert!(fault.to_string().contains("restore"), "{fault}");
    restore(&from, &blocks.files, &killed).unwrap();
    assert_usual(&Store::open(&killed, CHAIN, small_options()).unwrap().0, 5);
    let half = folder.path().join("half");
    copy_folder(&to, &half);
    fs::rename(half.join("restoring/blocks"), half.join("blocks")).unwrap();
    let fault = Store::open(&half, CHAIN, small_options()).unwrap_err();
    assert!(matches!(fault, StoreFault::Missing { .. }), "{fault}");
    new.finish().unwrap();
    assert_usual(&Store::open(&to, CHAIN, small_options()).unwrap().0, 5);
}
