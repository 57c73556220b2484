//! What is counted for each user: recharges and cashback of the month, sums of the day. Millions
//! of entries, found by hash, each under 64 bytes; an entry of another month or day counts for
//! nothing. The maps are for lookups only: what is written out is sorted.

use std::collections::HashMap;

use ahash::RandomState;
use bincode::{Decode, Encode};
use chain_types::Currency;

/// A user's pseudonym.
pub type UserId = [u8; 16];

/// Which user of which programme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct UserMonthKey {
    /// The user.
    pub user: UserId,
    /// The programme's number.
    pub programme: u32,
}

/// A user's recharges of one month under one programme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct UserMonth {
    /// The month: 12 times the year, plus the month from zero.
    pub month: u16,
    /// How many orders were collected; it stays at its largest value.
    pub count: u16,
    granted: [u32; 2],
}

/// Which user in which collected currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct UserDayKey {
    /// The user.
    pub user: UserId,
    /// The currency.
    pub currency: Currency,
}

/// A user's orders of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct UserDay {
    /// The day, counted from the Unix epoch in the chain's own day offset.
    pub day: u16,
    amount: [u32; 2],
}

// With its share of an open-addressed table, whose load is 7/8 at most.
const _: () = assert!(size_of::<(UserMonthKey, UserMonth)>() <= 32);
const _: () = assert!(size_of::<(UserDayKey, UserDay)>() <= 32);

impl UserMonth {
    /// Recharges of a month.
    pub const fn new(month: u16, count: u16, granted: u64) -> Self {
        Self { month, count, granted: halves(granted) }
    }

    /// The cashback granted, in minor units.
    pub const fn granted(&self) -> u64 {
        whole(self.granted)
    }
}

impl UserDay {
    /// Orders of a day.
    pub const fn new(day: u16, amount: u64) -> Self {
        Self { day, amount: halves(amount) }
    }

    /// Their sum, in minor units.
    pub const fn amount(&self) -> u64 {
        whole(self.amount)
    }
}

const fn halves(number: u64) -> [u32; 2] {
    [(number >> 32) as u32, (number & 0xFFFF_FFFF) as u32]
}

const fn whole(halves: [u32; 2]) -> u64 {
    (halves[0] as u64) << 32 | halves[1] as u64
}

/// All users.
#[derive(Debug, Clone)]
pub(crate) struct UserBook {
    months: HashMap<UserMonthKey, UserMonth, RandomState>,
    days: HashMap<UserDayKey, UserDay, RandomState>,
}

impl UserBook {
    pub(crate) fn new(hashing: RandomState) -> Self {
        let months = HashMap::with_hasher(hashing.clone());
        Self { months, days: HashMap::with_hasher(hashing) }
    }

    pub(crate) fn month(&self, key: &UserMonthKey) -> UserMonth {
        self.months.get(key).copied().unwrap_or_default()
    }

    pub(crate) fn day(&self, key: &UserDayKey) -> UserDay {
        self.days.get(key).copied().unwrap_or_default()
    }

    pub(crate) fn apply(&mut self, changes: UserChanges) {
        self.months.extend(changes.months.entries);
        self.days.extend(changes.days.entries);
    }

    pub(crate) fn put_month(&mut self, key: UserMonthKey, month: UserMonth) {
        self.months.insert(key, month);
    }

    pub(crate) fn put_day(&mut self, key: UserDayKey, day: UserDay) {
        self.days.insert(key, day);
    }

    /// Ascending by key.
    pub(crate) fn months(&self) -> Vec<(UserMonthKey, UserMonth)> {
        sorted(&self.months)
    }

    /// Ascending by key.
    pub(crate) fn days(&self) -> Vec<(UserDayKey, UserDay)> {
        sorted(&self.days)
    }
}

fn sorted<K: Copy + Ord, V: Copy>(entries: &HashMap<K, V, RandomState>) -> Vec<(K, V)> {
    #[expect(clippy::disallowed_methods, reason = "sorted at once: the map's order shows nowhere")]
    let mut all: Vec<_> = entries.iter().map(|(key, value)| (*key, *value)).collect();
    all.sort_unstable_by_key(|(key, _)| *key);
    all
}

/// Entries that a block changes, in order of first touch, found by key.
#[derive(Debug)]
struct Touched<K, V> {
    entries: Vec<(K, V)>,
    at: HashMap<K, u32, RandomState>,
}

impl<K: Copy + Eq + std::hash::Hash, V: Copy> Touched<K, V> {
    fn new(hashing: RandomState, room: usize) -> Self {
        let at = HashMap::with_capacity_and_hasher(room, hashing);
        Self { entries: Vec::with_capacity(room), at }
    }

    /// The entry of `key`, made from `found` when this is its first touch.
    fn entry(&mut self, key: K, found: impl FnOnce() -> V) -> &mut V {
        let next = self.entries.len();
        let at = match self.at.get(&key) {
            Some(at) => *at as usize,
            None => {
                let index = u32::try_from(next);
                assert!(index.is_ok(), "more than 2^32 users in a block");
                self.at.insert(key, index.unwrap_or_default());
                self.entries.push((key, found()));
                next
            }
        };
        &mut self.entries[at].1
    }

    fn get(&self, key: &K) -> Option<V> {
        let at = *self.at.get(key)?;
        self.entries.get(at as usize).map(|(_, value)| *value)
    }
}

/// What a block changes of users.
#[derive(Debug)]
pub(crate) struct UserChanges {
    months: Touched<UserMonthKey, UserMonth>,
    days: Touched<UserDayKey, UserDay>,
}

impl UserChanges {
    /// None yet, with room for so many of each: maps that grow order by order cost twice.
    pub(crate) fn new(hashing: RandomState, months: usize, days: usize) -> Self {
        Self { months: Touched::new(hashing.clone(), months), days: Touched::new(hashing, days) }
    }

    pub(crate) fn month(&mut self, book: &UserBook, key: UserMonthKey) -> &mut UserMonth {
        self.months.entry(key, || book.month(&key))
    }

    pub(crate) fn day(&mut self, book: &UserBook, key: UserDayKey) -> &mut UserDay {
        self.days.entry(key, || book.day(&key))
    }

    pub(crate) fn day_so_far(&self, book: &UserBook, key: &UserDayKey) -> UserDay {
        self.days.get(key).unwrap_or_else(|| book.day(key))
    }

    /// The bytes that the running digest takes in: each user's entry as it stands.
    pub(crate) fn digest_bytes(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&(self.months.entries.len() as u64).to_le_bytes());
        for (key, month) in &self.months.entries {
            bytes.extend_from_slice(&key.user);
            bytes.extend_from_slice(&key.programme.to_le_bytes());
            bytes.extend_from_slice(&month.month.to_le_bytes());
            bytes.extend_from_slice(&month.count.to_le_bytes());
            bytes.extend_from_slice(&month.granted().to_le_bytes());
        }
        bytes.extend_from_slice(&(self.days.entries.len() as u64).to_le_bytes());
        for (key, day) in &self.days.entries {
            bytes.extend_from_slice(&key.user);
            bytes.extend_from_slice(&key.currency.0.to_le_bytes());
            bytes.extend_from_slice(&day.day.to_le_bytes());
            bytes.extend_from_slice(&day.amount().to_le_bytes());
        }
    }
}
