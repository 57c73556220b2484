//! The places of a growing list's entries, found by their keys' hash. The list stays dense and
//! in order of arrival, so that adding to it writes where the last write was; the table beside it
//! takes five bytes an entry, and a search that finds nothing reads one of them. For lookups only:
//! nothing walks it.
//!
//! A large table grows bit by bit: the next one is filled along the list while the present one
//! still answers. Growing at once would visit millions of entries in no order, within one block,
//! and on every validator at the same height.

use ahash::RandomState;
use chain_types::ChainId;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Tables of less are made anew at once.
const LARGE: usize = 4_096;
/// Entries that go over to the next table with each that is added: it is full before the present
/// one is, which has a quarter of its places left when that begins.
const MOVES_PER_ADD: usize = 8;

/// Positions in a list that its owner keeps beside it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Positions {
    at: HashTable<u32>,
    /// How many were announced: it does not begin to grow before.
    room: usize,
    next: Option<Next>,
}

/// The table that follows: of the list's entries it has those before `moved`.
#[derive(Debug, Clone)]
struct Next {
    at: HashTable<u32>,
    moved: usize,
}

impl Positions {
    /// None yet, with room for so many.
    pub(crate) fn with_capacity(room: usize) -> Self {
        Self { at: HashTable::with_capacity(room), room, next: None }
    }

    /// The position among those of this hash that `is_it` accepts.
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        self.at.find(hash, |at| is_it(*at as usize)).map(|at| *at as usize)
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
                vacant.insert(packed(next));
                self.grow(hash, next, hash_of);
                None
            }
        }
    }

    /// Takes a step towards a larger table, if one is needed. `last` was just added, of `hash`.
    fn grow(&mut self, hash: u64, last: usize, hash_of: impl Fn(usize) -> u64) {
        let (count, capacity) = (self.at.len(), self.at.capacity());
        let is_due = count > self.room && capacity >= LARGE && count > capacity / 4 * 3;
        if self.next.is_none() && is_due {
            self.next = Some(Next { at: HashTable::with_capacity(2 * capacity), moved: 0 });
        }
        let Some(next) = &mut self.next else { return };
        for _ in 0..MOVES_PER_ADD {
            let hash = if next.moved == last { hash } else { hash_of(next.moved) };
            next.at.insert_unique(hash, packed(next.moved), |at| hash_of(*at as usize));
            next.moved += 1;
            if next.moved > last {
                self.at = std::mem::take(&mut next.at);
                self.next = None;
                return;
            }
        }
    }
}

/// Numbers keys in order of first use. They are found by hash, whose seeds only this node knows;
/// the numbers do not depend on it.
#[derive(Debug, Clone)]
pub struct Numbering {
    keys: Vec<u128>,
    at: Positions,
    hashing: RandomState,
}

impl Numbering {
    /// Makes a numbering that has given no number yet.
    pub(crate) fn new(hashing: RandomState) -> Self {
        Self { keys: Vec::new(), at: Positions::default(), hashing }
    }

    /// Returns the number of a key: the next one when it has none.
    pub fn number(&mut self, key: u128) -> usize {
        let (keys, hashing, next) = (&self.keys, &self.hashing, self.keys.len());
        let hash_of = |at: usize| hashing.hash_one(keys[at]);
        let found = self.at.find_or_add(hashing.hash_one(key), next, |at| keys[at] == key, hash_of);
        if found.is_none() {
            self.keys.push(key);
        }
        found.unwrap_or(next)
    }

    /// Forgets all numbers that it gave; the next one is zero.
    pub fn clear(&mut self) {
        self.keys.clear();
        self.at = Positions::default();
    }
}

fn packed(position: usize) -> u32 {
    u32::try_from(position).unwrap_or_else(|_| panic!("more than 2^32 entries in a list"))
}

/// Seeds of the hashes by which orders, users and batches are found. Submitters choose ids: a node
/// takes seeds that nobody else knows, or ids could be made that all hash alike. They show in no
/// result, only in how long one takes.
#[derive(Debug, Clone, Copy)]
pub struct HashSeeds(pub [u64; 4]);

impl HashSeeds {
    /// The chain's: the same everywhere, so that even timing is reproducible. For tests and tools.
    pub fn of_chain(chain_id: ChainId) -> Self {
        Self::of_bytes(chain_id.digest().bytes())
    }

    /// Makes the seeds from bytes.
    pub fn of_bytes(bytes: [u8; 32]) -> Self {
        let (seeds, _) = bytes.as_chunks::<8>();
        let mut numbers = seeds.iter().map(|seed| u64::from_le_bytes(*seed));
        Self(std::array::from_fn(|_| numbers.next().unwrap_or_default()))
    }

    pub(crate) fn hashing(self) -> RandomState {
        let Self([first, second, third, fourth]) = self;
        RandomState::with_seeds(first, second, third, fourth)
    }
}

/// The hash of a 16-byte id.
pub(crate) fn hash_of(hashing: &RandomState, id: &[u8; 16]) -> u64 {
    hashing.hash_one(u128::from_le_bytes(*id))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// A list and its positions, against a map that knows where each key stands.
    #[derive(Default)]
    struct Listed {
        keys: Vec<u64>,
        at: Positions,
        expected: BTreeMap<u64, usize>,
        grew: u32,
    }

    fn hash(key: u64) -> u64 {
        RandomState::with_seeds(1, 2, 3, 4).hash_one(key)
    }

    impl Listed {
        fn add(&mut self, key: u64) {
            let (keys, next, was_growing) = (&self.keys, self.keys.len(), self.at.next.is_some());
            let is_it = |at: usize| keys[at] == key;
            let found = self.at.find_or_add(hash(key), next, is_it, |at| hash(keys[at]));
            assert_eq!(found, self.expected.get(&key).copied());
            if found.is_none() {
                self.keys.push(key);
                self.expected.insert(key, next);
            }
            self.grew += u32::from(was_growing && self.at.next.is_none());
        }

        fn check(&self) {
            for (key, at) in &self.expected {
                assert_eq!(self.at.find(hash(*key), |at| self.keys[at] == *key), Some(*at));
            }
            assert_eq!(self.at.at.len(), self.keys.len());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 32,
            failure_persistence: None,
            ..Default::default()
        })]

        /// Every key is where it stands, whether it is added before, while or after a table grows.
        #[test]
        fn what_grows_bit_by_bit_loses_nothing(
            steps in prop::collection::vec((0_usize..1_200, any::<u64>()), 1..40)
        ) {
            let (mut list, mut next) = (Listed::default(), 0);
            for (adds, seed) in steps {
                for _ in 0..adds {
                    list.add(next);
                    // Some come again, some are new.
                    list.add(seed % (next + 1));
                    next += 1;
                }
                list.check();
            }
        }
    }

    #[test]
    fn a_large_table_grows_without_being_made_anew_at_once() {
        let mut list = Listed::default();
        for key in 0..200_000 {
            let (capacity, grew) = (list.at.at.capacity(), list.grew);
            list.add(key);
            let (is_larger, is_replaced) = (list.at.at.capacity() > capacity, list.grew > grew);
            assert!(!is_larger || capacity < LARGE || is_replaced, "made anew at {key}");
        }
        list.check();
        assert!(list.grew >= 4, "{}", list.grew);
        let announced = Positions::with_capacity(10_000);
        let mut list = Listed { at: announced, ..Listed::default() };
        (0..10_000).for_each(|key| list.add(key));
        assert!(list.at.next.is_none(), "as many as were announced need no larger table");
    }
}
