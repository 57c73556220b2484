//! Records that can be proven by themselves, and their paths to their block's records root. A
//! path is made when its block is committed, for only then all records of the block are at hand.

use bincode::{Decode, Encode};
use chain_state::Record;
use chain_types::merkle::Tree;
use chain_types::{Digest, Height, WindowId};

/// A record whose path is kept. Blocks leave few of them: none an order, none a batch of orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordName {
    /// A window's report, left by the block that closed it.
    Window(WindowId),
    /// The word that a window is settled.
    WindowSettlement(WindowId),
}

/// The place of a record, and its path to its block's records root.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RecordPath {
    /// The block that left it.
    pub height: Height,
    /// Its place among the block's records.
    pub index: u32,
    /// The siblings from its leaf upwards.
    pub siblings: Vec<Digest>,
}

impl RecordName {
    /// The name of a record whose path is kept; `None` for all others.
    fn of(record: &Record) -> Option<Self> {
        match record {
            Record::Window(window) => Some(Self::Window(window.id)),
            Record::WindowSettlement(word) => Some(Self::WindowSettlement(word.window)),
            _ => None,
        }
    }
}

/// The paths to be kept of a block that left `records`. A block without such a record, which is
/// nearly every one, hashes nothing.
pub(crate) fn record_paths(height: Height, records: &[Record]) -> Vec<(RecordName, RecordPath)> {
    let named: Vec<(u32, RecordName)> = (0_u32..)
        .zip(records)
        .filter_map(|(index, record)| Some((index, RecordName::of(record)?)))
        .collect();
    if named.is_empty() {
        return Vec::new();
    }
    let tree = Tree::new(records.iter().map(Record::leaf).collect());
    let path = |(index, name): (u32, RecordName)| {
        let siblings = tree.prove(index as usize)?;
        Some((name, RecordPath { height, index, siblings }))
    };
    named.into_iter().filter_map(path).collect()
}
