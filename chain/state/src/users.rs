//! What is counted for each user: recharges and cashback of the month, sums of the day. Millions
//! of entries, found by hash, each under 64 bytes; one of another month or day counts for nothing.
//!
//! A user has one entry, with the programme and the currency that it was first counted under; what
//! is counted under others stands beside, sorted. Which stands where is part of the state: it is
//! in the digest and in the checkpoint.

use std::collections::BTreeMap;

use ahash::RandomState;
use bincode::{Decode, Encode};
use chain_types::{Currency, codec};

use crate::positions::{Positions, hash_of};

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

/// A user's entry, as the checkpoint holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(crate) struct User {
    pub(crate) id: UserId,
    /// The programme of `month`; [`NO_PROGRAMME`] until there is one.
    programme: u32,
    /// The currency of `day`; [`NO_CURRENCY`] until there is one.
    currency: Currency,
    month: UserMonth,
    day: UserDay,
}

const NO_PROGRAMME: u32 = u32::MAX;
const NO_CURRENCY: Currency = Currency(u16::MAX);
/// Bytes of an entry in the digest.
const USER_BYTES: usize = 16 + 4 + 2 + 12 + 10;

// With its share of the positions: at least half of a table's places are taken.
const _: () = assert!(size_of::<User>() + 2 * 5 < 64);

impl User {
    const fn new(id: UserId) -> Self {
        Self {
            id,
            programme: NO_PROGRAMME,
            currency: NO_CURRENCY,
            month: UserMonth::new(0, 0, 0),
            day: UserDay::new(0, 0),
        }
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.id);
        bytes.extend_from_slice(&self.programme.to_le_bytes());
        bytes.extend_from_slice(&self.currency.0.to_le_bytes());
        bytes.extend_from_slice(&self.month.month.to_le_bytes());
        bytes.extend_from_slice(&self.month.count.to_le_bytes());
        bytes.extend_from_slice(&self.month.granted().to_le_bytes());
        bytes.extend_from_slice(&self.day.day.to_le_bytes());
        bytes.extend_from_slice(&self.day.amount().to_le_bytes());
    }
}

/// What is counted under programmes and currencies that are not a user's first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode)]
pub(crate) struct OtherCounts {
    pub(crate) months: BTreeMap<UserMonthKey, UserMonth>,
    pub(crate) days: BTreeMap<UserDayKey, UserDay>,
}

impl OtherCounts {
    fn extend(&mut self, changes: Self) {
        self.months.extend(changes.months);
        self.days.extend(changes.days);
    }
}

/// All users.
#[derive(Debug, Clone)]
pub(crate) struct UserBook {
    hashing: RandomState,
    users: Vec<User>,
    at: Positions,
    others: OtherCounts,
}

impl UserBook {
    /// The users of a checkpoint.
    pub(crate) fn new(hashing: RandomState, users: Vec<User>, others: OtherCounts) -> Self {
        let room = users.len();
        let (at, list) = (Positions::with_capacity(room), Vec::with_capacity(room));
        let mut book = Self { hashing, users: list, at, others };
        for user in users {
            book.put(user);
        }
        book
    }

    /// Ascending by id.
    pub(crate) fn users(&self) -> Vec<User> {
        let mut users = self.users.clone();
        users.sort_unstable_by_key(|user| user.id);
        users
    }

    pub(crate) fn others(&self) -> &OtherCounts {
        &self.others
    }

    pub(crate) fn month(&self, key: &UserMonthKey) -> UserMonth {
        match self.find(&key.user).map(|at| &self.users[at]) {
            Some(user) if user.programme == key.programme => user.month,
            _ => self.others.months.get(key).copied().unwrap_or_default(),
        }
    }

    pub(crate) fn day(&self, key: &UserDayKey) -> UserDay {
        match self.find(&key.user).map(|at| &self.users[at]) {
            Some(user) if user.currency == key.currency => user.day,
            _ => self.others.days.get(key).copied().unwrap_or_default(),
        }
    }

    pub(crate) fn apply(&mut self, changes: UserChanges) {
        for touched in changes.touched.iter().filter(|touched| touched.is_changed) {
            match touched.at {
                Some(at) => self.users[at as usize] = touched.user,
                None => self.put(touched.user),
            }
        }
        self.others.extend(changes.others);
    }

    fn find(&self, id: &UserId) -> Option<usize> {
        self.at.find(hash_of(&self.hashing, id), |at| self.users[at].id == *id)
    }

    fn put(&mut self, user: User) {
        let (users, hashing) = (&self.users, &self.hashing);
        let hash = hash_of(hashing, &user.id);
        let is_it = |at: usize| users[at].id == user.id;
        let found =
            self.at.find_or_add(hash, users.len(), is_it, |at| hash_of(hashing, &users[at].id));
        match found {
            Some(at) => self.users[at] = user,
            None => self.users.push(user),
        }
    }
}

/// A user that a block has looked at.
#[derive(Debug, Clone, Copy)]
struct Touched {
    user: User,
    /// Where it stands in the book.
    at: Option<u32>,
    is_changed: bool,
}

impl Touched {
    fn new(book: &UserBook, id: &UserId) -> Self {
        let at = book.find(id);
        let user = at.map_or(User::new(*id), |at| book.users[at]);
        // The book's positions are 32 bits.
        Self { user, at: at.and_then(|at| u32::try_from(at).ok()), is_changed: false }
    }
}

/// What a block changes of users, in order of first touch.
#[derive(Debug)]
pub(crate) struct UserChanges {
    hashing: RandomState,
    touched: Vec<Touched>,
    at: Positions,
    others: OtherCounts,
    /// The last one: an order looks at its user several times.
    last: usize,
}

impl UserChanges {
    /// None yet, with room for so many users: tables that grow order by order cost twice.
    pub(crate) fn new(hashing: RandomState, room: usize) -> Self {
        let (at, touched) = (Positions::with_capacity(room), Vec::with_capacity(room));
        Self { hashing, touched, at, others: OtherCounts::default(), last: 0 }
    }

    /// Looks these users up together, ahead of their orders: each is a miss in the cache, and
    /// misses that do not depend on each other are waited for at the same time.
    pub(crate) fn expect(&mut self, book: &UserBook, users: impl Iterator<Item = UserId>) {
        let found: Vec<Touched> = users.map(|id| Touched::new(book, &id)).collect();
        for touched in found {
            self.touch(&touched.user.id, || touched);
        }
    }

    /// Where a user stands in `touched`. `found` looks it up in the book.
    fn touch(&mut self, id: &UserId, found: impl FnOnce() -> Touched) -> usize {
        if self.touched.get(self.last).is_some_and(|touched| touched.user.id == *id) {
            return self.last;
        }
        let (list, hashing) = (&self.touched, &self.hashing);
        let next = list.len();
        let is_it = |at: usize| list[at].user.id == *id;
        let before = self.at.find_or_add(hash_of(hashing, id), next, is_it, |at| {
            hash_of(hashing, &list[at].user.id)
        });
        self.last = before.unwrap_or(next);
        if before.is_none() {
            self.touched.push(found());
        }
        self.last
    }

    pub(crate) fn month(&mut self, book: &UserBook, key: UserMonthKey) -> &mut UserMonth {
        let at = self.touch(&key.user, || Touched::new(book, &key.user));
        let user = &mut self.touched[at].user;
        if user.programme == NO_PROGRAMME {
            user.programme = key.programme;
        }
        if user.programme != key.programme {
            let found = || book.others.months.get(&key).copied().unwrap_or_default();
            return self.others.months.entry(key).or_insert_with(found);
        }
        self.touched[at].is_changed = true;
        &mut self.touched[at].user.month
    }

    pub(crate) fn day(&mut self, book: &UserBook, key: UserDayKey) -> &mut UserDay {
        let at = self.touch(&key.user, || Touched::new(book, &key.user));
        let user = &mut self.touched[at].user;
        if user.currency == NO_CURRENCY {
            user.currency = key.currency;
        }
        if user.currency != key.currency {
            let found = || book.others.days.get(&key).copied().unwrap_or_default();
            return self.others.days.entry(key).or_insert_with(found);
        }
        self.touched[at].is_changed = true;
        &mut self.touched[at].user.day
    }

    pub(crate) fn day_so_far(&mut self, book: &UserBook, key: &UserDayKey) -> UserDay {
        let at = self.touch(&key.user, || Touched::new(book, &key.user));
        let user = &self.touched[at].user;
        if user.currency == key.currency {
            return user.day;
        }
        let changed = self.others.days.get(key).or_else(|| book.others.days.get(key));
        changed.copied().unwrap_or_default()
    }

    /// The bytes that the running digest takes in: each changed user's entry as it stands.
    pub(crate) fn digest_bytes(&self, bytes: &mut Vec<u8>) {
        let changed = self.touched.iter().filter(|touched| touched.is_changed);
        bytes.reserve(self.touched.len() * USER_BYTES + 8);
        bytes.extend_from_slice(&(changed.clone().count() as u64).to_le_bytes());
        for touched in changed {
            touched.user.put(bytes);
        }
        bytes.extend_from_slice(&codec::encode(&self.others));
    }
}
