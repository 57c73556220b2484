//! The copy of a map that changes meanwhile: see [`crate::copying`].

use std::collections::BTreeMap;

use bincode::Encode;

use crate::sections::{SECTION_ITEMS, put_section};

/// The copy of a map.
#[derive(Debug)]
pub(crate) struct MapCopy<K, V> {
    /// The last key that was looked at.
    last: Option<K>,
    /// Nothing of the map as it was is left to be copied.
    is_done: bool,
    /// Entries after that one as they were when the copy began, if they changed since.
    before: BTreeMap<K, Option<V>>,
}

impl<K, V> Default for MapCopy<K, V> {
    fn default() -> Self {
        Self { last: None, is_done: false, before: BTreeMap::new() }
    }
}

impl<K: Ord + Clone, V: Clone> MapCopy<K, V> {
    /// An entry is about to change. The first one counts.
    pub(crate) fn note(&mut self, key: &K, was: Option<&V>) {
        if !self.is_done && self.last.as_ref().is_none_or(|last| key > last) {
            self.before.entry(key.clone()).or_insert_with(|| was.cloned());
        }
    }

    /// All entries are about to go.
    pub(crate) fn note_all(&mut self, were: BTreeMap<K, V>) {
        for (key, was) in were {
            if !self.is_done && self.last.as_ref().is_none_or(|last| key > *last) {
                self.before.entry(key).or_insert(Some(was));
            }
        }
    }

    /// The next entries as they were; fewer than [`SECTION_ITEMS`] are the last.
    fn next(&mut self, live: &BTreeMap<K, V>) -> Vec<(K, V)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let mut entries = Vec::new();
        if self.is_done {
            return entries;
        }
        let lower = self.last.as_ref().map_or(Unbounded, Excluded);
        let mut found = live.range((lower, Unbounded)).peekable();
        let mut last = None;
        while entries.len() < SECTION_ITEMS {
            let is_live_first = match (found.peek(), self.before.first_key_value()) {
                (Some((key, _)), Some((noted, _))) => *key < noted,
                (key, _) => key.is_some(),
            };
            if is_live_first {
                let Some((key, value)) = found.next() else { break };
                last = Some(key.clone());
                entries.push((key.clone(), value.clone()));
                continue;
            }
            let Some((key, was)) = self.before.pop_first() else {
                self.is_done = true;
                break;
            };
            if found.peek().is_some_and(|(live, _)| **live == key) {
                found.next();
            }
            last = Some(key.clone());
            entries.extend(was.map(|was| (key, was)));
        }
        self.last = last.or(self.last.take());
        entries
    }

    /// Puts the next section of the list; says whether it is the last, which is empty.
    pub(crate) fn put(&mut self, live: &BTreeMap<K, V>, bytes: &mut Vec<u8>) -> bool
    where
        K: Encode,
        V: Encode,
    {
        let entries = self.next(live);
        put_section(bytes, &entries);
        entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 24,
            failure_persistence: None,
            ..Default::default()
        })]

        /// Whatever changes between the sections, all of them are the map as it was.
        #[test]
        fn all_sections_are_the_map_as_it_was(
            began in prop::collection::vec((0_u32..6_000, 0_u8..9), 1_000..6_000),
            steps in prop::collection::vec(
                prop::collection::vec((0_u32..6_000, prop::option::of(0_u8..9)), 0..800),
                0..9,
            ),
            all_go in 0_usize..9,
        ) {
            let began = BTreeMap::from_iter(began);
            let (mut live, mut copy) = (began.clone(), MapCopy::default());
            let (mut copied, mut is_done) = (Vec::new(), false);
            for (at, step) in steps.into_iter().chain(vec![Vec::new(); 9]).enumerate() {
                if at == all_go {
                    copy.note_all(std::mem::take(&mut live));
                }
                for (key, change) in step {
                    copy.note(&key, live.get(&key));
                    match change {
                        Some(value) => live.insert(key, value),
                        None => live.remove(&key),
                    };
                }
                if !is_done {
                    let entries = copy.next(&live);
                    is_done = entries.is_empty();
                    copied.extend(entries);
                }
            }
            prop_assert!(is_done);
            prop_assert!(copied == began.into_iter().collect::<Vec<_>>());
        }
    }
}
