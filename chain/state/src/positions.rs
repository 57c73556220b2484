//! Where the entries of a growing list stand, found by their keys' hash. The list stays dense and
//! in order of arrival, so that adding to it writes where the last write was; the table beside it
//! takes five bytes an entry, and a search that finds nothing reads one of them. For lookups only:
//! nothing walks it.

use ahash::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Positions in a list that its owner keeps beside it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Positions {
    at: HashTable<u32>,
}

impl Positions {
    /// None yet, with room for so many.
    pub(crate) fn with_capacity(room: usize) -> Self {
        Self { at: HashTable::with_capacity(room) }
    }

    /// The position among those of this hash that `is_it` accepts.
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        self.at.find(hash, |at| is_it(*at as usize)).map(|at| *at as usize)
    }

    /// A position of this hash or of one that looks like it: nearly always [`Self::find`]'s,
    /// without a look at the list. `None` is sure.
    pub(crate) fn guess(&self, hash: u64) -> Option<usize> {
        self.at.find(hash, |_| true).map(|at| *at as usize)
    }

    /// The position that `is_it` accepts; when there is none, `next` becomes it, and the caller
    /// adds that entry to its list. `hash_of` gives the hash of any position before `next`.
    pub(crate) fn find_or_add(
        &mut self,
        hash: u64,
        next: usize,
        is_it: impl Fn(usize) -> bool,
        hash_of: impl Fn(usize) -> u64,
    ) -> Option<usize> {
        let found = self.at.entry(hash, |at| is_it(*at as usize), |at| hash_of(*at as usize));
        match found {
            Entry::Occupied(found) => Some(*found.get() as usize),
            Entry::Vacant(vacant) => {
                let position = u32::try_from(next);
                assert!(position.is_ok(), "more than 2^32 entries in a list");
                vacant.insert(position.unwrap_or_default());
                None
            }
        }
    }

    /// Forgets an entry: the position of this hash.
    pub(crate) fn remove(&mut self, hash: u64, position: usize) {
        let found = self.at.find_entry(hash, |at| *at as usize == position);
        assert!(found.is_ok(), "no entry has the position {position}");
        if let Ok(entry) = found {
            entry.remove();
        }
    }

    /// The entry of this hash stands at `to` now, a position that nothing else has.
    pub(crate) fn moved(&mut self, hash: u64, from: usize, to: usize) {
        let found = self.at.find_mut(hash, |at| *at as usize == from);
        assert!(found.is_some(), "no entry has the position {from}");
        if let (Some(at), Ok(to)) = (found, u32::try_from(to)) {
            *at = to;
        }
    }
}

/// The hash of a 16-byte id.
pub(crate) fn hash_of(hashing: &RandomState, id: &[u8; 16]) -> u64 {
    hashing.hash_one(u128::from_le_bytes(*id))
}
