//! Power lost in the middle of a write: what no sync had covered may be there, gone, or torn at
//! any byte and in any order. Everything before it stays, and the store goes on.

use std::fs;

use chain_store::ChainStore;
use chain_types::Height;

use crate::kit::*;

/// The home after `write`, and the bytes of its last block file before and after it.
struct Torn {
    home: TestHome,
    file: std::path::PathBuf,
    before: Vec<u8>,
    after: Vec<u8>,
}

/// Keeps all blocks in one file.
fn torn(prepare: impl Fn(&dyn ChainStore), write: impl Fn(&dyn ChainStore)) -> Torn {
    let home = TestHome::new();
    let (store, _) = home.open();
    prepare(&store);
    let file = home.block_file(home.block_file_count());
    let before = fs::read(&file).unwrap();
    write(&store);
    assert_eq!(file, home.block_file(home.block_file_count()), "the test stays in one file");
    let after = fs::read(&file).unwrap();
    assert_eq!(before.len(), after.len());
    Torn { home: home.killed(&store), file: file.file_name().unwrap().into(), before, after }
}

impl Torn {
    fn written(&self) -> (usize, usize) {
        let differs = |at: &usize| self.before[*at] != self.after[*at];
        let first = (0..self.after.len()).find(differs).unwrap();
        let last = (0..self.after.len()).rev().find(differs).unwrap();
        (first, last)
    }

    /// A copy of the home in which the file has these bytes.
    fn with(&self, bytes: &[u8]) -> TestHome {
        let copy = TestHome::new();
        copy_folder(&self.home.path(), &copy.path());
        fs::write(copy.path().join("blocks").join(&self.file), bytes).unwrap();
        copy
    }

    /// Only the bytes before `at` of the last write reached the disk.
    fn cut(&self, at: usize) -> TestHome {
        self.with(&[&self.after[..at], &self.before[at..]].concat())
    }
}

fn goes_on(home: &TestHome, store: chain_store::Store, head: u64) {
    append_usual(&store, head + 1..=head + 3);
    assert_usual(&store, head + 3);
    let home = home.killed(&store);
    let (store, recovery) = home.open();
    assert_eq!(recovery.staged, []);
    assert_usual(&store, head + 3);
}

#[test]
fn a_torn_stage_leaves_the_head() {
    let staged = usual_block(3);
    let torn = torn(|store| append_usual(store, 1..=2), |store| store.stage(&staged).unwrap());
    let (first, last) = torn.written();
    for at in (first..last).step_by(97).chain(first..first + 48).chain([last]) {
        let home = torn.cut(at);
        let (store, recovery) = home.open();
        assert_eq!(recovery.head, Some(Height::new(2)), "cut at {at}");
        assert_eq!(recovery.staged, [], "cut at {at}");
        assert_usual(&store, 2);
        if at % 2 == 0 {
            goes_on(&home, store, 2);
        }
    }
    // Not torn at all: the block is staged.
    let home = torn.cut(last + 1);
    let (store, recovery) = home.open();
    assert_eq!(recovery.staged.len(), 1);
    goes_on(&home, store, 2);
}

#[test]
fn a_torn_certificate_leaves_its_block_staged() {
    let staged = usual_block(3);
    let torn = torn(
        |store| {
            append_usual(store, 1..=2);
            store.stage(&staged).unwrap();
        },
        |store| commit(store, &staged),
    );
    let (first, last) = torn.written();
    for at in (first..=last).step_by(7).chain([last]) {
        let home = torn.cut(at);
        let (store, recovery) = home.open();
        assert_eq!(recovery.head, Some(Height::new(2)), "cut at {at}");
        assert_eq!(recovery.staged.len(), 1, "cut at {at}");
        assert_eq!(recovery.staged[0].block, staged.block);
        assert_eq!(store.block(Height::new(3)).unwrap(), None);
        commit(&store, &staged);
        assert_usual(&store, 3);
        if at % 16 == 0 {
            goes_on(&home, store, 3);
        }
    }
}

/// The certificate and the next stage were both on their way: the disk may have taken the later
/// one first. This is no corruption, for nothing says that the certificate was durable.
#[test]
fn a_certificate_lost_before_a_later_write_that_arrived_is_no_corruption() {
    let (third, fourth) = (usual_block(3), block(4, 0, vec![batch(41, 9)]));
    let torn = torn(
        |store| {
            append_usual(store, 1..=2);
            store.stage(&third).unwrap();
        },
        |store| {
            commit(store, &third);
            store.stage(&fourth).unwrap();
        },
    );
    let (first, last) = torn.written();
    // Zeros over the certificate, or over any piece of what was on its way.
    for (from, to) in [(first, first + 40), (first, first + 300), (first + 44, first + 60)] {
        let mut bytes = torn.after.clone();
        bytes[from..to].fill(0);
        let home = torn.with(&bytes);
        let (store, recovery) = home.open();
        assert_eq!(recovery.head, Some(Height::new(2)));
        assert_eq!(recovery.staged.len(), 1, "block 3 was synced before its certificate");
        // What lay behind is wiped: it must not come back as if it followed.
        let file = home.path().join("blocks").join(&torn.file);
        assert!(written_end(&file) <= first as u64);
        commit(&store, &third);
        assert_usual(&store, 3);
        goes_on(&home, store, 3);
    }
    let mut bytes = torn.after.clone();
    bytes[last - 20] ^= 1;
    let (store, recovery) = torn.with(&bytes).open();
    assert_eq!(recovery.head, Some(Height::new(3)), "only the stage of block 4 was torn");
    assert_usual(&store, 3);
}

/// The index was flushed by chance after the last commit, whose certificate the power took.
#[test]
fn an_index_one_height_ahead_of_the_certificates_is_no_regression() {
    let home = TestHome::new();
    let (store, _) = home.open();
    append_usual(&store, 1..=2);
    store.stage(&usual_block(3)).unwrap();
    let file = home.block_file(home.block_file_count());
    let before = fs::read(&file).unwrap();
    commit(&store, &usual_block(3));
    // Closing flushes the index.
    drop(store);
    fs::write(&file, before).unwrap();
    let (store, recovery) = home.open();
    assert_eq!(recovery.head, Some(Height::new(2)));
    assert_eq!(recovery.staged.len(), 1);
    assert_usual(&store, 2);
    for batch in usual_block(3).batches {
        assert_eq!(store.batch_location(&batch.id()).unwrap(), None);
    }
    commit(&store, &usual_block(3));
    assert_usual(&store, 3);
    goes_on(&home, store, 3);
}

#[test]
fn a_file_whose_creation_never_ended_is_removed() {
    let home = TestHome::new();
    let (store, _) = home.open();
    append_usual(&store, 1..=2);
    drop(store);
    let leftover = home.path().join("blocks/00000002.blk.new");
    fs::write(&leftover, b"half a file").unwrap();
    let (store, _) = home.open();
    assert!(!leftover.exists());
    goes_on(&home, store, 2);
}
