//! A checkpoint is copied out of a state that goes on: piece by piece, between blocks and beside
//! whoever reads. What a block changes ahead of the copy is kept as it was, so that all pieces
//! together are the state at the height where the copy began (copy on write, at the grain of an
//! entry). No block waits longer for a larger state.

use std::collections::BTreeMap;
use std::sync::Arc;

use bincode::Encode;
use chain_types::hash::Sha256Pieces;
use chain_types::{Currency, InstructionId, MerchantId, OrderId};

use crate::account::{Account, AccountKey};
use crate::checkpoint::Head;
use crate::counts::CountsCopy;
use crate::records::{InstructionRecord, Reservation, WindowParty};
use crate::registry::Registry;
use crate::sections::{SECTION_ITEMS, put_section};
use crate::tables::TableCopies;
use crate::users::{UserDayKey, UserId, UserMonthKey};
use crate::window::{Collected, Due, DueKey, Gross};

/// How far the copy of a state has come: see [`crate::State::copying`]. Whoever holds one shows it
/// every block that the state takes meanwhile.
#[derive(Debug)]
pub struct Copying {
    pub(crate) head: Head,
    pub(crate) registry: Arc<Registry>,
    pub(crate) accounts: AccountsCopy,
    pub(crate) reservations: MapCopy<OrderId, Reservation>,
    pub(crate) window: WindowCopy,
    pub(crate) instructions: MapCopy<InstructionId, InstructionRecord>,
    pub(crate) tables: TableCopies,
    pub(crate) users: UsersCopy,
    /// What has been given so far; `None` once the checksum was.
    pub(crate) hash: Option<Sha256Pieces>,
    /// The list that is being copied.
    pub(crate) list: usize,
}

/// The copies of the open window's lists.
#[derive(Debug, Default)]
pub(crate) struct WindowCopy {
    pub(crate) collected: MapCopy<(MerchantId, Currency), Collected>,
    pub(crate) dues: MapCopy<DueKey, Due>,
    pub(crate) legs: MapCopy<WindowParty, Gross>,
}

/// The copies of what is counted for users.
#[derive(Debug, Default)]
pub(crate) struct UsersCopy {
    pub(crate) lines: CountsCopy<UserId>,
    pub(crate) months: CountsCopy<UserMonthKey>,
    pub(crate) days: CountsCopy<UserDayKey>,
}

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

    /// All entries go.
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

/// The copy of all accounts, which are only ever added to.
#[derive(Debug)]
pub(crate) struct AccountsCopy {
    /// Those that were there when the copy began.
    count: usize,
    next: usize,
    /// Accounts from there on as they were, if they changed since.
    before: BTreeMap<usize, Account>,
}

impl AccountsCopy {
    pub(crate) const fn of(count: usize) -> Self {
        Self { count, next: 0, before: BTreeMap::new() }
    }

    /// An account is about to change. The first one counts.
    pub(crate) fn note(&mut self, index: usize, was: &Account) {
        if (self.next..self.count).contains(&index) {
            self.before.entry(index).or_insert(*was);
        }
    }

    /// Puts the next section of the list; says whether it is the last, which is empty.
    pub(crate) fn put(&mut self, live: &[(AccountKey, Account)], bytes: &mut Vec<u8>) -> bool {
        let end = self.count.min(self.next + SECTION_ITEMS);
        let live = live.get(self.next..end).unwrap_or_default();
        let mut accounts = live.to_vec();
        for (at, (_, account)) in (self.next..).zip(&mut accounts) {
            if let Some(was) = self.before.remove(&at) {
                *account = was;
            }
        }
        self.next = end;
        put_section(bytes, &accounts);
        accounts.is_empty()
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
            began in prop::collection::vec((0_u32..30_000, 0_u8..9), 9_000..30_000),
            steps in prop::collection::vec(
                prop::collection::vec((0_u32..30_000, prop::option::of(0_u8..9)), 0..2_000),
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
