//! The paths of records that can be proven by themselves lead to their blocks' roots, on the disk
//! and in memory.

use chain_state::Record;
use chain_store::{RecordName, RecordPath};
use chain_types::{Digest, Height, WindowId, merkle};

use crate::kit::*;

/// Returns true if a path leads from record `index` of `records` to their root.
fn leads(path: &RecordPath, height: u64, records: &[Record], index: usize) -> bool {
    let leaves: Vec<Digest> = records.iter().map(Record::leaf).collect();
    let count = leaves.len() as u64;
    let root = merkle::root_from_proof(leaves[index], index as u64, count, &path.siblings);
    let is_there = path.height == Height::new(height) && path.index as usize == index;
    is_there && root == Some(merkle::root(&leaves))
}

#[test]
fn the_paths_of_windows_and_their_settlements_are_kept() {
    for (name, store, _home) in both() {
        let of_window =
            |number| store.record_path(RecordName::Window(WindowId::new(number))).unwrap();
        let of_word = |number| {
            store.record_path(RecordName::WindowSettlement(WindowId::new(number))).unwrap()
        };
        append_usual(store.as_ref(), 1..=3);
        for number in 1..=3 {
            let records = records(Height::new(number));
            let path = of_window(number).unwrap();
            assert!(leads(&path, number, &records, 0), "{name}: {path:?}");
            let path = of_word(number).unwrap();
            assert!(leads(&path, number, &records, 7), "{name}: {path:?}");
        }
        assert_eq!((of_window(4), of_word(4)), (None, None), "{name}");

        // Two windows end in one block, which leaves nothing else; the next leaves neither.
        let ended = [4, 5].map(|number| Record::Window(window(number, 1)));
        let blocks = [(4, ended.to_vec()), (5, vec![Record::Breach(breach(5, 0))])];
        for (height, records) in blocks {
            let staged = block(height, 0, vec![]);
            store.stage(&staged).unwrap();
            store.commit(&certificate(&staged), only(records)).unwrap();
        }
        for (index, number) in [(0, 4), (1, 5)] {
            let path = of_window(number).unwrap();
            assert!(leads(&path, 4, &ended, index), "{name}: {path:?}");
        }
        assert_eq!(of_word(4), None, "{name}");
    }
}

#[test]
fn paths_are_made_again_with_the_index() {
    for (name, store, _home) in both() {
        append_usual(store.as_ref(), 1..=1);
        let window = RecordName::Window(WindowId::new(9));
        assert_eq!(store.record_path(window).unwrap(), None, "{name}");
        store.reindex(Height::new(1), only(records(Height::new(9)))).unwrap();
        let path = store.record_path(window).unwrap().unwrap();
        assert!(leads(&path, 1, &records(Height::new(9)), 0), "{name}: {path:?}");
    }
}
