//! The copy of counts while they change: see [`crate::copying`].

use ahash::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::key::CountKey;
use crate::fault::StateFault;
use crate::sections::{Reader, SECTION_BYTES_MAX, SECTION_ITEMS};

/// The copy of all counts: table by table, in no order that means anything.
#[derive(Debug)]
pub(crate) struct CountsCopy<K: CountKey> {
    /// How far each table of the counts is copied.
    tables: Vec<TableCopy<K>>,
    /// The table that is next.
    next: usize,
}

impl<K: CountKey> Default for CountsCopy<K> {
    fn default() -> Self {
        Self { tables: Vec::new(), next: 0 }
    }
}

/// The copy of one table of counts.
#[derive(Debug)]
enum TableCopy<K: CountKey> {
    Done,
    /// Entries as they were when the copy began, if they changed since; the first of each counts.
    /// One that was not there is what a key without an entry has.
    Ahead(Vec<(K, K::Count)>),
}

impl<K: CountKey> CountsCopy<K> {
    pub(super) fn of_tables(count: usize) -> Self {
        let tables = (0..count).map(|_| TableCopy::Ahead(Vec::new())).collect();
        Self { tables, next: 0 }
    }

    /// An entry is about to change.
    pub(super) fn note(&mut self, table: usize, key: K, was: K::Count) {
        if let Some(TableCopy::Ahead(before)) = self.tables.get_mut(table) {
            before.push((key, was));
        }
    }

    /// A table was split: what `is_upper` stands in one at the end now.
    pub(super) fn split(&mut self, table: usize, is_upper: impl Fn(&K) -> bool) {
        let upper = match self.tables.get_mut(table) {
            Some(TableCopy::Ahead(before)) => {
                let (upper, lower) =
                    std::mem::take(before).into_iter().partition(|(key, _)| is_upper(key));
                *before = lower;
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
        hashing: &RandomState,
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
            let entries = as_they_were(table, &before, hashing);
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
}

/// The entries of a table, but those of `before` as they were then.
fn as_they_were<K: CountKey>(
    table: Option<&HashTable<(K, K::Count)>>,
    before: &[(K, K::Count)],
    hashing: &RandomState,
) -> Vec<(K, K::Count)> {
    let mut first: HashTable<usize> = HashTable::with_capacity(before.len());
    for (at, (key, _)) in before.iter().enumerate() {
        let is_it = |of: &usize| before[*of].0 == *key;
        if let Entry::Vacant(vacant) =
            first.entry(key.hash(hashing), is_it, |of| before[*of].0.hash(hashing))
        {
            vacant.insert(at);
        }
    }
    let is_changed = |key: &K| {
        !before.is_empty() && first.find(key.hash(hashing), |of| before[*of].0 == *key).is_some()
    };
    let unchanged = table.into_iter().flatten().filter(|(key, _)| !is_changed(key));
    // In the order in which they changed, so that the same history gives the same bytes.
    let is_first = |(at, (key, _)): &(usize, &(K, K::Count))| {
        first.find(key.hash(hashing), |of| before[*of].0 == *key) == Some(at)
    };
    let were = before.iter().enumerate().filter(is_first).map(|(_, entry)| entry);
    let were = were.filter(|(_, was)| *was != K::Count::default());
    unchanged.chain(were).copied().collect()
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
}
