//! Millions of small counts, found by hash: a dense list in order of arrival, with the positions
//! of its entries beside it. Both grow bit by bit, and what is over is forgotten bit by bit as the
//! list is changed: no block pays for all.

use std::fmt::Debug;

use ahash::RandomState;

use crate::chunked::Chunked;
use crate::positions::Positions;

/// Entries looked at for each one that a block changes, so that the list loses faster what is over
/// than it gains what is new.
const LOOKS_PER_CHANGE: usize = 2;

/// What something is counted under.
pub(crate) trait CountKey: Copy + PartialEq {
    /// The count; its default is what a key without an entry has.
    type Count: Copy + Default + Debug;

    /// Its hash in a table of these seeds.
    fn hash(&self, hashing: &RandomState) -> u64;

    /// The bytes of an entry in the digest and in a checkpoint.
    const BYTES: usize;

    /// Appends them.
    fn put(&self, count: &Self::Count, bytes: &mut Vec<u8>);

    /// The entry of [`Self::BYTES`] bytes.
    fn take(bytes: &[u8]) -> Option<(Self, Self::Count)>;
}

/// All counts of a kind.
#[derive(Debug, Clone)]
pub(crate) struct Counts<K: CountKey> {
    hashing: RandomState,
    entries: Chunked<(K, K::Count)>,
    at: Positions,
    /// Where looking for what is over goes on.
    next_look: usize,
}

impl<K: CountKey> Counts<K> {
    /// The counts of a checkpoint.
    pub(crate) fn new(hashing: RandomState, entries: Vec<(K, K::Count)>) -> Self {
        let at = Positions::with_capacity(entries.len());
        let mut counts = Self { hashing, entries: Chunked::new(), at, next_look: 0 };
        for (key, count) in entries {
            counts.put(key, count);
        }
        counts
    }

    /// In no order that means anything.
    pub(crate) fn entries(&self) -> &Chunked<(K, K::Count)> {
        &self.entries
    }

    pub(crate) fn get(&self, key: &K) -> K::Count {
        self.find(key).map_or_else(K::Count::default, |at| self.entries[at].1)
    }

    /// Takes some of a block's changes, and when all are taken forgets some of what `is_over`: an
    /// entry that is as good as none. Says whether that is done as well.
    pub(crate) fn apply(
        &mut self,
        changes: &mut CountChanges<K>,
        at_most: usize,
        is_over: impl Fn(&K::Count) -> bool,
    ) -> bool {
        let rest = changes.touched.get(changes.taken..).unwrap_or_default();
        for touched in rest.iter().take(at_most).filter(|touched| touched.is_changed) {
            changes.looks += LOOKS_PER_CHANGE;
            match touched.at {
                Some(at) => self.entries[at as usize].1 = touched.count,
                None => self.put(touched.key, touched.count),
            }
        }
        let taken = rest.len().min(at_most);
        changes.taken += taken;
        if changes.taken < changes.touched.len() {
            return false;
        }
        // The positions that the changes name are used up: entries may move now.
        let looks = changes.looks.min((at_most - taken).saturating_mul(LOOKS_PER_CHANGE));
        changes.looks -= looks;
        self.forget_some(looks, is_over);
        changes.looks == 0
    }

    fn forget_some(&mut self, looks: usize, is_over: impl Fn(&K::Count) -> bool) {
        for _ in 0..looks {
            self.next_look = if self.next_look < self.entries.len() { self.next_look } else { 0 };
            if self.entries.len() == 0 {
                return;
            }
            if is_over(&self.entries[self.next_look].1) {
                self.remove(self.next_look);
            } else {
                self.next_look += 1;
            }
        }
    }

    fn find(&self, key: &K) -> Option<usize> {
        self.at.find(key.hash(&self.hashing), |at| self.entries[at].0 == *key)
    }

    fn put(&mut self, key: K, count: K::Count) {
        let (entries, hashing) = (&self.entries, &self.hashing);
        let found = self.at.find_or_add(
            key.hash(hashing),
            entries.len(),
            |at| entries[at].0 == key,
            |at| entries[at].0.hash(hashing),
        );
        match found {
            Some(at) => self.entries[at].1 = count,
            None => self.entries.push((key, count)),
        }
    }

    /// The last entry takes the place of the one that goes.
    fn remove(&mut self, at: usize) {
        let (entries, hashing) = (&self.entries, &self.hashing);
        self.at.swap_remove(at, entries.len() - 1, |at| entries[at].0.hash(hashing));
        self.entries.swap_remove(at);
    }
}

/// An entry that a block has looked at.
#[derive(Debug)]
struct Touched<K: CountKey> {
    key: K,
    count: K::Count,
    /// Where it stands among the counts.
    at: Option<u32>,
    is_changed: bool,
}

impl<K: CountKey> Touched<K> {
    fn new(counts: &Counts<K>, key: K) -> Self {
        Self::found(counts, key, counts.find(&key))
    }

    /// `guess` is what [`Positions::guess`] said of the key.
    fn guessed(counts: &Counts<K>, key: K, guess: Option<usize>) -> Self {
        match guess {
            Some(at) if counts.entries[at].0 != key => Self::new(counts, key),
            sure => Self::found(counts, key, sure),
        }
    }

    fn found(counts: &Counts<K>, key: K, at: Option<usize>) -> Self {
        let count = at.map_or_else(K::Count::default, |at| counts.entries[at].1);
        // Positions are 32 bits.
        Self { key, count, at: at.and_then(|at| u32::try_from(at).ok()), is_changed: false }
    }
}

/// What a block changes of counts, in order of first touch.
#[derive(Debug)]
pub(crate) struct CountChanges<K: CountKey> {
    hashing: RandomState,
    touched: Vec<Touched<K>>,
    at: Positions,
    /// The last one: an order looks at its count several times, and the orders of a batch come as
    /// they were expected, so that the next one is mostly the one after it.
    last: usize,
    /// How many the counts have taken already.
    taken: usize,
    /// For how many entries it is still to be looked whether they are over.
    looks: usize,
}

impl<K: CountKey> CountChanges<K> {
    /// None yet, with room for so many: tables that grow order by order cost twice.
    pub(crate) fn new(hashing: RandomState, room: usize) -> Self {
        let (at, touched) = (Positions::with_capacity(room), Vec::with_capacity(room));
        Self { hashing, touched, at, last: 0, taken: 0, looks: 0 }
    }

    /// Looks these up together, ahead of their orders: each is several misses in the cache, and
    /// misses that do not depend on each other are waited for at the same time. So first all
    /// positions, then all entries.
    pub(crate) fn expect(&mut self, counts: &Counts<K>, keys: &[K]) {
        let guess = |key: &K| counts.at.guess(key.hash(&counts.hashing));
        let guesses: Vec<Option<usize>> = keys.iter().map(guess).collect();
        let found = |(key, guess): (&K, &Option<usize>)| Touched::guessed(counts, *key, *guess);
        let found: Vec<Touched<K>> = keys.iter().zip(&guesses).map(found).collect();
        let before_first = self.touched.len().saturating_sub(1);
        for touched in found {
            let key = touched.key;
            self.touch(&key, || touched);
        }
        self.last = before_first;
    }

    /// A count so far.
    pub(crate) fn so_far(&mut self, counts: &Counts<K>, key: &K) -> K::Count {
        let at = self.touch(key, || Touched::new(counts, *key));
        self.touched[at].count
    }

    /// A count so far, to be changed.
    pub(crate) fn change(&mut self, counts: &Counts<K>, key: &K) -> &mut K::Count {
        let at = self.touch(key, || Touched::new(counts, *key));
        self.touched[at].is_changed = true;
        &mut self.touched[at].count
    }

    /// Where a key stands in `touched`. `found` looks it up among the counts.
    fn touch(&mut self, key: &K, found: impl FnOnce() -> Touched<K>) -> usize {
        for likely in [self.last, self.last + 1] {
            if self.touched.get(likely).is_some_and(|touched| touched.key == *key) {
                self.last = likely;
                return likely;
            }
        }
        let (list, hashing) = (&self.touched, &self.hashing);
        let next = list.len();
        let before = self.at.find_or_add(
            key.hash(hashing),
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
        let changed = self.touched.iter().filter(|touched| touched.is_changed);
        bytes.reserve(self.touched.len() * K::BYTES + 8);
        bytes.extend_from_slice(&(changed.clone().count() as u64).to_le_bytes());
        for touched in changed {
            touched.key.put(&touched.count, bytes);
        }
    }
}
