//! Millions of small counts, found by hash. They stand in tables of a few thousand each, so that an
//! entry is two misses in the cache away; a table that is full is split in two, and what is over
//! is forgotten table by table as the counts are changed: no block pays for all. (Extendible
//! hashing: Fagin, Nievergelt, Pippenger and Strong, 1979.)

mod copy;
mod key;

use ahash::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

pub(crate) use self::copy::{CountsCopy, read_counts};
pub use self::key::KeptSince;
pub(crate) use self::key::{Count, CountKey};
use crate::positions::Positions;

/// Entries looked at for each one that a block changes, so that the tables lose faster what is over
/// than they gain what is new.
const LOOKS_PER_CHANGE: usize = 2;
/// The most entries of a table: as many as the library puts into 8,192 places.
const TABLE_MAX: usize = 7_168;
/// Bits of a hash below those that say which table: the library uses the lowest to find a place
/// in a table of [`TABLE_MAX`], and the highest seven to tell entries apart.
const TABLE_SHIFT: u32 = 24;
/// The most bits that say which table. Keys made to hash alike, where the seeds are known, split
/// no table: it then grows as one, instead of the list of tables.
const TABLE_BITS_MAX: u32 = 20;

/// All counts of a kind.
#[derive(Debug, Clone)]
pub(crate) struct Counts<K: CountKey> {
    hashing: RandomState,
    tables: Vec<CountTable<K>>,
    /// The table of each end that a hash may have; as many as a power of two.
    table_of: Vec<u32>,
    count: usize,
    /// How many entries changes have paid for to be looked at, and the table that is next.
    looks: usize,
    next_look: usize,
}

/// Counts whose hashes end alike, above [`TABLE_SHIFT`], in so many bits.
#[derive(Debug, Clone)]
struct CountTable<K: CountKey> {
    entries: HashTable<(K, K::Count)>,
    bits: u32,
}

impl<K: CountKey> Counts<K> {
    /// The counts of a checkpoint.
    pub(crate) fn new(hashing: RandomState, entries: Vec<(K, K::Count)>) -> Self {
        let table = CountTable { entries: HashTable::new(), bits: 0 };
        let (tables, table_of) = (vec![table], vec![0]);
        let mut counts = Self { hashing, tables, table_of, count: 0, looks: 0, next_look: 0 };
        for (key, count) in entries {
            counts.put(key, count, None);
        }
        counts
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Begins a copy of all counts as they are now.
    pub(crate) fn copy(&self) -> CountsCopy<K> {
        CountsCopy::of_tables(self.tables.len(), &self.hashing)
    }

    /// Puts the sections of the copy's next table; says whether it is the last section, which is
    /// empty.
    pub(crate) fn put_copy(&self, copy: &mut CountsCopy<K>, bytes: &mut Vec<u8>) -> bool {
        let entries_of = |table: usize| self.tables.get(table).map(|table| &table.entries);
        copy.put(entries_of, bytes)
    }

    pub(crate) fn get(&self, key: &K) -> K::Count {
        let place = self.find(key.hash(&self.hashing), |of| of == key);
        place
            .and_then(|place| self.entry(place))
            .map_or_else(K::Count::default, |(_, count)| *count)
    }

    /// The place of the entry of this hash, or of one that looks like it, whose key `is_it`.
    fn find(&self, hash: u64, is_it: impl Fn(&K) -> bool) -> Option<Place> {
        let table = self.table_at(hash);
        let bucket = self.tables[table].entries.find_bucket_index(hash, |(key, _)| is_it(key))?;
        Some(Place { table: u32::try_from(table).ok()?, bucket: u32::try_from(bucket).ok()? })
    }

    fn entry(&self, place: Place) -> Option<&(K, K::Count)> {
        self.tables.get(place.table as usize)?.entries.get_bucket(place.bucket as usize)
    }

    fn entry_mut(&mut self, place: Place) -> Option<&mut (K, K::Count)> {
        self.tables.get_mut(place.table as usize)?.entries.get_bucket_mut(place.bucket as usize)
    }

    fn table_at(&self, hash: u64) -> usize {
        let end = (hash >> TABLE_SHIFT) as usize & (self.table_of.len() - 1);
        self.table_of[end] as usize
    }

    /// Takes some of a block's changes, and when all are taken forgets some of what is over. Says
    /// whether that is done as well.
    pub(crate) fn apply(
        &mut self,
        changes: &mut CountChanges<K>,
        at_most: usize,
        mut copy: Option<&mut CountsCopy<K>>,
    ) -> bool {
        let rest = changes.changed.get(changes.taken..).unwrap_or_default();
        let taken = rest.len().min(at_most);
        for at in &rest[..taken] {
            let Touched { key, count, place, .. } = changes.touched[*at];
            let entry = place.and_then(|place| self.entry_mut(place));
            match entry.filter(|entry| entry.0 == key) {
                Some(entry) => {
                    let was = std::mem::replace(&mut entry.1, count);
                    if let (Some(copy), Some(place)) = (&mut copy, place) {
                        copy.note(place.table as usize, key, was);
                    }
                }
                None => self.put(key, count, copy.as_deref_mut()),
            }
        }
        self.looks += taken * LOOKS_PER_CHANGE;
        changes.taken += taken;
        if changes.taken < changes.changed.len() {
            return false;
        }
        self.forget_some(at_most.saturating_sub(taken), changes.since, copy)
    }

    /// Forgets what is over of tables for which changes have paid, until it has looked at so many
    /// entries. Says whether there is no other such table.
    fn forget_some(
        &mut self,
        at_most: usize,
        since: KeptSince,
        mut copy: Option<&mut CountsCopy<K>>,
    ) -> bool {
        self.looks = self.looks.min(self.count);
        let mut looked = 0;
        loop {
            let next = if self.next_look < self.tables.len() { self.next_look } else { 0 };
            let entries = &mut self.tables[next].entries;
            let before = entries.len();
            if self.looks < before.max(1) {
                return true;
            }
            if looked >= at_most {
                return false;
            }
            entries.retain(|(key, count)| {
                let is_kept = count.kept(since) != K::Count::default();
                if let (false, Some(copy)) = (is_kept, &mut copy) {
                    copy.note(next, *key, *count);
                }
                is_kept
            });
            self.count -= before - entries.len();
            self.looks -= before.max(1);
            looked += before.max(1);
            self.next_look = next + 1;
        }
    }

    fn put(&mut self, key: K, count: K::Count, mut copy: Option<&mut CountsCopy<K>>) {
        let hash = key.hash(&self.hashing);
        let mut at = self.table_at(hash);
        let table = &self.tables[at];
        let may_split = table.entries.len() >= TABLE_MAX && table.bits < TABLE_BITS_MAX;
        if may_split && self.find(hash, |of| *of == key).is_none() {
            self.split(at, copy.as_deref_mut());
            at = self.table_at(hash);
        }
        let hashing = &self.hashing;
        let entries = &mut self.tables[at].entries;
        match entries.entry(hash, |(of, _)| *of == key, |(of, _)| of.hash(hashing)) {
            Entry::Occupied(mut found) => {
                let was = std::mem::replace(&mut found.get_mut().1, count);
                if let Some(copy) = copy {
                    copy.note(at, key, was);
                }
            }
            Entry::Vacant(vacant) => {
                vacant.insert((key, count));
                self.count += 1;
                if let Some(copy) = copy {
                    copy.note(at, key, K::Count::default());
                }
            }
        }
    }

    /// Splits a table by one more bit of its entries' hashes.
    fn split(&mut self, at: usize, copy: Option<&mut CountsCopy<K>>) {
        let bits = self.tables[at].bits;
        if self.table_of.len() == 1 << bits {
            self.table_of.extend_from_within(..);
        }
        let Ok(next) = u32::try_from(self.tables.len()) else {
            panic!("more than 2^32 tables of counts")
        };
        let is_upper = |end: usize| end >> bits & 1 == 1;
        for (end, table) in self.table_of.iter_mut().enumerate() {
            if *table as usize == at && is_upper(end) {
                *table = next;
            }
        }
        let halves = [(); 2]
            .map(|()| CountTable { entries: HashTable::with_capacity(TABLE_MAX), bits: bits + 1 });
        let [mut lower, mut upper] = halves;
        for entry in std::mem::take(&mut self.tables[at].entries) {
            let hash = entry.0.hash(&self.hashing);
            let is_upper = is_upper((hash >> TABLE_SHIFT) as usize);
            let half = if is_upper { &mut upper } else { &mut lower };
            half.entries.insert_unique(hash, entry, |(of, _)| of.hash(&self.hashing));
        }
        self.tables[at] = lower;
        self.tables.push(upper);
        if let Some(copy) = copy {
            let hashing = &self.hashing;
            copy.split(at, |key| is_upper((key.hash(hashing) >> TABLE_SHIFT) as usize));
        }
    }
}

/// An entry that a block has looked at.
#[derive(Debug, Clone, Copy)]
struct Touched<K: CountKey> {
    key: K,
    count: K::Count,
    /// The place at which the counts have it; an entry may move until it is changed.
    place: Option<Place>,
    is_changed: bool,
}

/// The place of an entry: its table, and its bucket in that. Both are below 2^32.
#[derive(Debug, Clone, Copy)]
struct Place {
    table: u32,
    bucket: u32,
}

impl<K: CountKey> Touched<K> {
    fn find(counts: &Counts<K>, key: K, hash: u64, since: KeptSince) -> Self {
        let place = counts.find(hash, |of| *of == key);
        Self::new(key, place, place.and_then(|place| counts.entry(place)), since)
    }

    fn new(key: K, place: Option<Place>, entry: Option<&(K, K::Count)>, since: KeptSince) -> Self {
        let count = entry.map_or_else(K::Count::default, |(_, count)| count.kept(since));
        Self { key, count, place, is_changed: false }
    }
}

/// The counts that a block looks at and changes.
#[derive(Debug)]
pub(crate) struct CountChanges<K: CountKey> {
    hashing: RandomState,
    /// The first month and day whose counts this block keeps.
    pub(crate) since: KeptSince,
    /// In order of first touch.
    touched: Vec<Touched<K>>,
    at: Positions,
    /// The positions of the changed ones, in order of first change. What was only looked at may
    /// be another on each node: one forgets what is over sooner, and need not look.
    changed: Vec<usize>,
    /// The last one: an order looks at its count several times, and the orders of a batch come as
    /// they were expected, so that the next one is mostly the one after it.
    last: usize,
    /// How many the counts have taken already.
    taken: usize,
}

impl<K: CountKey> CountChanges<K> {
    /// None yet, with room for so many: tables that grow order by order cost twice.
    pub(crate) fn new(hashing: RandomState, room: usize) -> Self {
        let (at, touched) = (Positions::with_capacity(room), Vec::with_capacity(room));
        let (since, changed) = (KeptSince::default(), Vec::with_capacity(room));
        Self { hashing, since, touched, at, changed, last: 0, taken: 0 }
    }

    /// Says what is over for this block, before anything is looked at: it must not depend on what
    /// was forgotten already.
    pub(crate) fn keep_since(&mut self, since: KeptSince) {
        assert!(self.touched.is_empty(), "what is over was said too late");
        self.since = since;
    }

    /// Returns true if nothing was looked up.
    pub(crate) fn is_empty(&self) -> bool {
        self.touched.is_empty()
    }

    /// Looks these up together, ahead of their orders: each is two misses in the cache, and misses
    /// that do not depend on each other are waited for at the same time. So first all hashes, then
    /// all places, then all entries. Gives where to [`Self::look_from`].
    pub(crate) fn expect(&mut self, counts: &Counts<K>, keys: &[K]) -> usize {
        let hashes: Vec<u64> = keys.iter().map(|key| key.hash(&self.hashing)).collect();
        // The first entry whose hash looks the same is nearly always the right one.
        let guesses: Vec<Option<Place>> =
            hashes.iter().map(|hash| counts.find(*hash, |_| true)).collect();
        let found = |((key, hash), guess): ((&K, &u64), Option<Place>)| match guess
            .and_then(|place| counts.entry(place))
        {
            Some(entry) if entry.0 != *key => Touched::find(counts, *key, *hash, self.since),
            entry => Touched::new(*key, guess, entry, self.since),
        };
        let found: Vec<Touched<K>> = keys.iter().zip(&hashes).zip(guesses).map(found).collect();
        let before_first = self.touched.len().saturating_sub(1);
        for (touched, hash) in found.into_iter().zip(hashes) {
            self.touch_hashed(&touched.key, hash, || touched);
        }
        self.look_from(before_first);
        before_first
    }

    /// Says that those are asked for next that were expected from there on.
    pub(crate) fn look_from(&mut self, before_first: usize) {
        self.last = before_first;
    }

    /// A count so far.
    pub(crate) fn so_far(&mut self, counts: &Counts<K>, key: &K) -> &K::Count {
        let at = self.touch(counts, key);
        &self.touched[at].count
    }

    /// A count so far, to be changed.
    pub(crate) fn change(&mut self, counts: &Counts<K>, key: &K) -> &mut K::Count {
        let at = self.touch(counts, key);
        let touched = &mut self.touched[at];
        if !std::mem::replace(&mut touched.is_changed, true) {
            self.changed.push(at);
        }
        &mut touched.count
    }

    /// Returns the place of a key in `touched`.
    fn touch(&mut self, counts: &Counts<K>, key: &K) -> usize {
        for likely in [self.last, self.last + 1] {
            if self.touched.get(likely).is_some_and(|touched| touched.key == *key) {
                self.last = likely;
                return likely;
            }
        }
        let hash = key.hash(&self.hashing);
        let since = self.since;
        self.touch_hashed(key, hash, || Touched::find(counts, *key, hash, since))
    }

    fn touch_hashed(&mut self, key: &K, hash: u64, found: impl FnOnce() -> Touched<K>) -> usize {
        let (list, hashing) = (&self.touched, &self.hashing);
        let next = list.len();
        let before = self.at.find_or_add(
            hash,
            next,
            |at| list[at].key == *key,
            |at| list[at].key.hash(hashing),
        );
        self.last = before.unwrap_or(next);
        if before.is_none() {
            self.touched.push(found());
        }
        self.last
    }

    /// The bytes that the running digest takes in: how many changed, and each as it stands.
    pub(crate) fn digest_bytes(&self, bytes: &mut Vec<u8>) {
        bytes.reserve(self.changed.len() * K::BYTES + 8);
        bytes.extend_from_slice(&(self.changed.len() as u64).to_le_bytes());
        for at in &self.changed {
            let touched = &self.touched[*at];
            touched.key.put(&touched.count, bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users::{UserMonth, UserMonthKey};

    fn key(user: u32) -> UserMonthKey {
        UserMonthKey { user: u128::from(user).to_le_bytes(), programme: 1, month: 1 }
    }

    fn count(counts: &mut Counts<UserMonthKey>, users: std::ops::Range<u32>, month: u16) {
        let mut changes = CountChanges::new(counts.hashing.clone(), 0);
        changes.keep_since(KeptSince { month, day: 0 });
        for user in users {
            *changes.change(counts, &key(user)) = UserMonth::new(month, user as u16);
        }
        while !counts.apply(&mut changes, 1_000, None) {}
    }

    #[test]
    fn tables_that_are_full_are_split_and_lose_nothing() {
        let mut counts = Counts::new(RandomState::with_seeds(1, 2, 3, 4), Vec::new());
        for block in 0..20 {
            count(&mut counts, block * 5_000..(block + 1) * 5_000, 1);
        }
        assert!(counts.tables.len() > 100_000 / TABLE_MAX, "{} tables", counts.tables.len());
        assert!(counts.tables.iter().all(|table| table.entries.len() <= TABLE_MAX));
        assert!(counts.tables.iter().all(|table| table.entries.capacity() <= TABLE_MAX));
        assert_eq!(
            (counts.len(), counts.tables.iter().map(|table| table.entries.len()).sum::<usize>()),
            (100_000, 100_000)
        );
        for user in 0..100_000 {
            assert_eq!(counts.get(&key(user)), UserMonth::new(1, user as u16));
        }
        assert_eq!(counts.get(&key(100_000)), UserMonth::default());
        // All of them, and none twice: those of a table's end of hashes are in no other.
        let keys: Vec<UserMonthKey> = (0..100_001).map(key).collect();
        let mut changes = CountChanges::new(counts.hashing.clone(), 0);
        changes.expect(&counts, &keys);
        let found = keys.iter().map(|key| changes.so_far(&counts, key).count);
        assert!(found.eq((0..100_000).map(|user| user as u16).chain([0])));
    }

    #[test]
    fn keys_that_hash_alike_do_not_make_tables_without_end() {
        #[derive(Debug, Clone, Copy, PartialEq)]
        struct Alike(u32);
        impl CountKey for Alike {
            type Count = UserMonth;
            const BYTES: usize = 0;
            fn hash(&self, _hashing: &RandomState) -> u64 {
                // Alike in all bits that say which table.
                u64::from(self.0)
            }
            fn put(&self, _count: &UserMonth, _bytes: &mut Vec<u8>) {}
            fn take(_bytes: &[u8]) -> Option<(Self, UserMonth)> {
                None
            }
        }
        let entries = (0..8_000).map(|key| (Alike(key), UserMonth::new(1, key as u16)));
        let counts = Counts::new(RandomState::with_seeds(1, 2, 3, 4), entries.collect());
        assert_eq!((counts.len(), counts.table_of.len()), (8_000, 1 << TABLE_BITS_MAX));
        assert_eq!(counts.get(&Alike(7_999)), UserMonth::new(1, 7_999));
    }

    #[test]
    fn what_is_over_goes_table_by_table() {
        let mut counts = Counts::new(RandomState::with_seeds(1, 2, 3, 4), Vec::new());
        count(&mut counts, 0..100_000, 1);
        count(&mut counts, 100_000..130_000, 2);
        let left = counts.len() - 30_000;
        assert!((20_000..60_000).contains(&left), "30,000 changes look at 60,000: {left} are left");
        count(&mut counts, 100_000..200_000, 2);
        assert_eq!(counts.len(), 100_000);
    }
}
