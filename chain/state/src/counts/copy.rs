//! The copy of counts while they change: see [`crate::copying`].

use ahash::RandomState;
use hashbrown::HashTable;

use super::key::CountKey;
use crate::fault::StateFault;
use crate::positions::Positions;
use crate::sections::{Reader, SECTION_BYTES_MAX, SECTION_ITEMS};

/// The copy of all counts: table by table, in no order that means anything.
#[derive(Debug)]
pub(crate) struct CountsCopy<K: CountKey> {
    /// How far each table of the counts is copied.
    tables: Vec<TableCopy<K>>,
    /// The table that is next.
    next: usize,
    hashing: RandomState,
}

impl<K: CountKey> Default for CountsCopy<K> {
    fn default() -> Self {
        Self { tables: Vec::new(), next: 0, hashing: RandomState::with_seeds(0, 0, 0, 0) }
    }
}

/// The copy of one table of counts.
#[derive(Debug)]
enum TableCopy<K: CountKey> {
    Done,
    Ahead(Before<K>),
}

/// Entries as they were when the copy began, if they changed since: each once, however often it
/// changes before its table's turn comes. One that was not there is what a key without an entry
/// has.
#[derive(Debug)]
struct Before<K: CountKey> {
    /// In the order in which they first changed, so that the same history gives the same bytes.
    entries: Vec<(K, K::Count)>,
    at: Positions,
}

impl<K: CountKey> Before<K> {
    fn new() -> Self {
        Self { entries: Vec::new(), at: Positions::default() }
    }

    /// An entry is about to change. The first time counts.
    fn note(&mut self, hashing: &RandomState, key: K, was: K::Count) {
        let entries = &self.entries;
        let found = self.at.find_or_add(
            key.hash(hashing),
            entries.len(),
            |at| entries[at].0 == key,
            |at| entries[at].0.hash(hashing),
        );
        if found.is_none() {
            self.entries.push((key, was));
        }
    }

    fn has(&self, hashing: &RandomState, key: &K) -> bool {
        let is_it = |at: usize| self.entries[at].0 == *key;
        !self.entries.is_empty() && self.at.find(key.hash(hashing), is_it).is_some()
    }
}

impl<K: CountKey> CountsCopy<K> {
    pub(super) fn of_tables(count: usize, hashing: &RandomState) -> Self {
        let tables = (0..count).map(|_| TableCopy::Ahead(Before::new())).collect();
        Self { tables, next: 0, hashing: hashing.clone() }
    }

    /// An entry is about to change.
    pub(super) fn note(&mut self, table: usize, key: K, was: K::Count) {
        if let Some(TableCopy::Ahead(before)) = self.tables.get_mut(table) {
            before.note(&self.hashing, key, was);
        }
    }

    /// A table was split: what `is_upper` stands in one at the end now.
    pub(super) fn split(&mut self, table: usize, is_upper: impl Fn(&K) -> bool) {
        let upper = match self.tables.get_mut(table) {
            Some(TableCopy::Ahead(before)) => {
                let all = std::mem::replace(before, Before::new()).entries;
                let mut upper = Before::new();
                for (key, was) in all {
                    let half = if is_upper(&key) { &mut upper } else { &mut *before };
                    half.note(&self.hashing, key, was);
                }
                TableCopy::Ahead(upper)
            }
            Some(TableCopy::Done) | None => TableCopy::Done,
        };
        self.tables.push(upper);
    }

    /// Puts the sections of the next table; says whether it is the last section, which is empty.
    pub(super) fn put<'a>(
        &mut self,
        entries_of: impl Fn(usize) -> Option<&'a HashTable<(K, K::Count)>>,
        bytes: &mut Vec<u8>,
    ) -> bool
    where
        K: 'a,
    {
        const { assert!(SECTION_ITEMS * K::BYTES <= SECTION_BYTES_MAX) };
        while let Some(copy) = self.tables.get_mut(self.next) {
            let table = entries_of(self.next);
            self.next += 1;
            let TableCopy::Ahead(before) = std::mem::replace(copy, TableCopy::Done) else {
                continue;
            };
            let unchanged = table.into_iter().flatten();
            let unchanged = unchanged.filter(|(key, _)| !before.has(&self.hashing, key));
            let were = before.entries.iter().filter(|(_, was)| *was != K::Count::default());
            let entries: Vec<(K, K::Count)> = unchanged.chain(were).copied().collect();
            if !entries.is_empty() {
                for section in entries.chunks(SECTION_ITEMS) {
                    put_entries(bytes, section);
                }
                return false;
            }
        }
        put_entries::<K>(bytes, &[]);
        true
    }

    /// How many entries are kept as they were.
    #[cfg(test)]
    fn kept(&self) -> usize {
        let kept = |copy: &TableCopy<K>| match copy {
            TableCopy::Ahead(before) => before.entries.len(),
            TableCopy::Done => 0,
        };
        self.tables.iter().map(kept).sum()
    }
}

/// A section of entries: its length, then theirs.
fn put_entries<K: CountKey>(bytes: &mut Vec<u8>, entries: &[(K, K::Count)]) {
    let length = u32::try_from(entries.len() * K::BYTES).unwrap_or(u32::MAX);
    bytes.reserve(4 + entries.len() * K::BYTES);
    bytes.extend_from_slice(&length.to_le_bytes());
    for (key, count) in entries {
        key.put(count, bytes);
    }
}

/// A list of counts in a checkpoint, whose entries have bytes of their own: its sections up to an
/// empty one.
pub(crate) fn read_counts<K: CountKey>(
    reader: &mut Reader<'_>,
) -> Result<Vec<(K, K::Count)>, StateFault> {
    let mut counts = Vec::new();
    loop {
        let section = reader.section_bytes()?;
        if section.is_empty() {
            return Ok(counts);
        }
        if section.len() % K::BYTES != 0 {
            return Err(StateFault::Damaged("a section has no whole entries"));
        }
        counts.extend(section.chunks_exact(K::BYTES).filter_map(K::take));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use super::*;
    use crate::counts::{CountChanges, Counts, KeptSince};
    use crate::users::{UserMonth, UserMonthKey};

    fn key(user: u32) -> UserMonthKey {
        UserMonthKey { user: u128::from(user).to_le_bytes(), programme: 1, month: 1 }
    }

    /// All entries, ascending by user.
    fn entries(counts: &Counts<UserMonthKey>) -> BTreeMap<[u8; 16], UserMonth> {
        let all = counts.tables.iter().flat_map(|table| table.entries.iter());
        all.map(|(key, count)| (key.user, *count)).collect()
    }

    fn count(counts: &mut Counts<UserMonthKey>, users: std::ops::Range<u32>, month: u16) {
        let mut changes = CountChanges::new(counts.hashing.clone(), 0);
        changes.keep_since(KeptSince { month, day: 0 });
        for user in users {
            *changes.change(counts, &key(user)) = UserMonth::new(month, user as u16);
        }
        while !counts.apply(&mut changes, 1_000, None) {}
    }

    /// Counts that change, are added, split their tables and go while they are copied: the copy is
    /// of those that there were.
    #[test]
    fn a_copy_is_of_the_counts_as_they_were() {
        for seed in 0..20_u32 {
            let mut counts = Counts::new(RandomState::with_seeds(1, 2, 3, 4), Vec::new());
            count(&mut counts, 0..30_000 + 1_000 * seed, 1);
            let were = entries(&counts);
            let mut copy = counts.copy();
            let (mut bytes, mut is_done, mut step) = (Vec::new(), false, 0);
            while !is_done {
                let mut changes = CountChanges::new(counts.hashing.clone(), 0);
                // From the second month on, what is over of the first one is forgotten.
                let month = 1 + u16::from(step > 1) * 2;
                changes.keep_since(KeptSince { month: month - 1, day: 0 });
                for user in (0..9_000_u32).map(|at| at * (seed + 7) + step * 20_011) {
                    *changes.change(&counts, &key(user)) = UserMonth::new(month, step as u16);
                }
                while !counts.apply(&mut changes, 1_000, Some(&mut copy)) {}
                for _ in 0..=seed % 3 {
                    is_done = is_done || counts.put_copy(&mut copy, &mut bytes);
                }
                step += 1;
            }
            assert!(step > 1, "the copy and the changes took turns");
            let copied = read_counts::<UserMonthKey>(&mut Reader::new(&bytes)).unwrap();
            let count = copied.len();
            let copied: BTreeMap<_, _> =
                copied.into_iter().map(|(key, count)| (key.user, count)).collect();
            assert_eq!((count, copied == were), (were.len(), true), "seed {seed}");
        }
    }

    /// However often entries change while a copy waits, each is kept once.
    #[test]
    fn entries_that_change_often_are_kept_once() {
        let mut counts = Counts::new(RandomState::with_seeds(1, 2, 3, 4), Vec::new());
        count(&mut counts, 0..20_000, 1);
        let were = entries(&counts);
        let mut copy = counts.copy();
        for change in 1..50_u16 {
            let mut changes = CountChanges::new(counts.hashing.clone(), 0);
            for user in 19_000..21_000 {
                *changes.change(&counts, &key(user)) = UserMonth::new(1, change);
            }
            while !counts.apply(&mut changes, 1_000, Some(&mut copy)) {}
            assert_eq!(copy.kept(), 2_000);
        }
        let mut bytes = Vec::new();
        while !counts.put_copy(&mut copy, &mut bytes) {}
        let copied = read_counts::<UserMonthKey>(&mut Reader::new(&bytes)).unwrap();
        let copied: BTreeMap<_, _> =
            copied.into_iter().map(|(key, count)| (key.user, count)).collect();
        assert!(copied == were);
    }
}
