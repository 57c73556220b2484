//! A table of histories in bounded memory: sets of eight places, and a rule for who leaves.
//!
//! A subject has its place in one set, by its key. If the set is full, the history whose last order
//! is the oldest leaves; of equally old ones, the first. The rule knows nothing but orders and
//! their block times, so that a replay evicts alike.

use chain_types::codec;
use chain_types::hash::Sha256Pieces;

use crate::history::History;

/// Places of a set.
const WAYS: usize = 8;
/// Histories that are hashed together.
const PIECE: usize = 512;

/// Histories of one kind of subject.
#[derive(Debug, Clone)]
pub(crate) struct HistoryTable {
    places: Box<[History]>,
    /// The number of sets less one; the number is a power of two.
    mask: u64,
    evictions: u64,
}

impl HistoryTable {
    /// Makes a table of `2^sets_log2` sets of eight.
    pub fn new(sets_log2: u32) -> Self {
        let sets = 1_usize << sets_log2;
        let places = vec![History::default(); sets * WAYS].into_boxed_slice();
        Self { places, mask: sets as u64 - 1, evictions: 0 }
    }

    /// Returns the history of a subject, if the table has it.
    pub fn find(&self, key: u64) -> Option<&History> {
        self.set(key).iter().find(|history| history.key == key)
    }

    /// Returns the history of a subject for a label, if the table has it.
    pub fn find_mut(&mut self, key: u64) -> Option<&mut History> {
        let first = self.first(key);
        self.places[first..first + WAYS].iter_mut().find(|history| history.key == key)
    }

    /// Counts an order of a subject, whose history begins with it if there is none.
    pub fn count(&mut self, key: u64, amount: u64, partners: [u64; 2], now_ms: u64) {
        let first = self.first(key);
        let set = &mut self.places[first..first + WAYS];
        let place = match set.iter().position(|history| history.key == key) {
            Some(place) => {
                set[place] = set[place].aged(now_ms);
                place
            }
            None => {
                let place = oldest(set);
                self.evictions += u64::from(set[place].key != 0);
                set[place] = History::begun(key, now_ms);
                place
            }
        };
        set[place].count(amount, partners, now_ms);
    }

    /// Returns how many histories had to leave.
    pub const fn evictions(&self) -> u64 {
        self.evictions
    }

    /// Hashes the number of evictions and every place, also empty ones, in their order.
    pub fn hash_into(&self, hasher: &mut Sha256Pieces) {
        hasher.update(&(self.places.len() as u64).to_le_bytes());
        hasher.update(&self.evictions.to_le_bytes());
        let mut bytes = Vec::with_capacity(PIECE * size_of::<History>());
        for histories in self.places.chunks(PIECE) {
            bytes.clear();
            histories.iter().for_each(|history| codec::append(&mut bytes, history));
            hasher.update(&bytes);
        }
    }

    fn set(&self, key: u64) -> &[History] {
        let first = self.first(key);
        &self.places[first..first + WAYS]
    }

    /// Returns the first place of a key's set.
    const fn first(&self, key: u64) -> usize {
        (key & self.mask) as usize * WAYS
    }
}

/// Returns the place that a new history takes: an empty one, or that of the oldest.
fn oldest(set: &[History]) -> usize {
    let age = |place: &usize| (set[*place].key != 0, set[*place].last_ms);
    (0..set.len()).min_by_key(age).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(table: &HistoryTable) -> Vec<u64> {
        table.places.iter().map(|history| history.key).collect()
    }

    #[test]
    fn the_longest_unused_history_leaves_and_of_equals_the_first() {
        let mut table = HistoryTable::new(0);
        for key in 1..=8 {
            table.count(key, 5, [0; 2], 1_000 + key / 2);
        }
        assert_eq!((keys(&table), table.evictions()), ((1..=8).collect(), 0));
        table.count(1, 5, [0; 2], 2_000);
        // 2 and 3 are equally old, and 2 stands first.
        table.count(20, 5, [0; 2], 2_001);
        assert_eq!((keys(&table)[1], table.evictions()), (20, 1));
        table.count(30, 5, [0; 2], 2_001);
        assert_eq!((keys(&table)[2], table.evictions()), (30, 2));
        assert!(table.find(1).is_some() && table.find(2).is_none());
    }
}
