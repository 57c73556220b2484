//! What is counted for each user: recharges and cashback of the month under each programme, sums
//! of the day in each currency. An entry of another month or day counts for nothing, and is
//! forgotten once it is long over.
//!
//! Most users pay under one programme and in one currency: a user's first of each stand together
//! in one entry, the user's line, so that an order is one place in memory; further ones have
//! entries of their own. Where one stands follows from the blocks alone: what is over is as good
//! as none, whether it was forgotten or not.

use ahash::RandomState;
use bincode::{Decode, Encode};
use chain_types::Currency;

use crate::counts::{Count, CountChanges, CountKey, Counts};
use crate::positions::hash_of;

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

    const BYTES: usize = 2 + 2 + 8;

    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.month.to_le_bytes());
        bytes.extend_from_slice(&self.count.to_le_bytes());
        bytes.extend_from_slice(&self.granted().to_le_bytes());
    }

    fn take(bytes: &[u8; Self::BYTES]) -> Self {
        let [m0, m1, c0, c1, granted @ ..] = *bytes;
        let (month, count) = (u16::from_le_bytes([m0, m1]), u16::from_le_bytes([c0, c1]));
        Self::new(month, count, u64::from_le_bytes(granted))
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

    const BYTES: usize = 2 + 8;

    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.day.to_le_bytes());
        bytes.extend_from_slice(&self.amount().to_le_bytes());
    }

    fn take(bytes: &[u8; Self::BYTES]) -> Self {
        let [d0, d1, amount @ ..] = *bytes;
        Self::new(u16::from_le_bytes([d0, d1]), u64::from_le_bytes(amount))
    }
}

const fn halves(number: u64) -> [u32; 2] {
    [(number >> 32) as u32, (number & 0xFFFF_FFFF) as u32]
}

const fn whole(halves: [u32; 2]) -> u64 {
    (halves[0] as u64) << 32 | halves[1] as u64
}

/// A user's first month and day that are not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct UserLine {
    /// Of which programme the month is; zero while there is none.
    programme: u32,
    month: UserMonth,
    /// In which currency the day is; zero while there is none.
    currency: Currency,
    day: UserDay,
}

impl UserLine {
    /// Whether it has a month, and whether that is of this programme.
    fn month_is_of(&self, programme: u32) -> Option<bool> {
        (self.month != UserMonth::default()).then_some(self.programme == programme)
    }

    /// Whether it has a day, and whether that is in this currency.
    fn day_is_in(&self, currency: Currency) -> Option<bool> {
        (self.day != UserDay::default()).then_some(self.currency == currency)
    }
}

// A user is one line of a cache, or two that follow each other.
const _: () = assert!(size_of::<(UserId, UserLine)>() == 48);

impl Count for UserMonth {
    fn kept(self, since: KeptSince) -> Self {
        if self.month < since.month { Self::default() } else { self }
    }
}

impl Count for UserDay {
    fn kept(self, since: KeptSince) -> Self {
        if self.day < since.day { Self::default() } else { self }
    }
}

impl Count for UserLine {
    fn kept(self, since: KeptSince) -> Self {
        let (month, day) = (self.month.kept(since), self.day.kept(since));
        Self {
            programme: if month == UserMonth::default() { 0 } else { self.programme },
            month,
            currency: if day == UserDay::default() { Currency(0) } else { self.currency },
            day,
        }
    }
}

impl CountKey for UserId {
    type Count = UserLine;

    const BYTES: usize = 16 + 4 + UserMonth::BYTES + 2 + UserDay::BYTES;

    fn hash(&self, hashing: &RandomState) -> u64 {
        hash_of(hashing, self)
    }

    fn put(&self, line: &UserLine, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self);
        bytes.extend_from_slice(&line.programme.to_le_bytes());
        line.month.put(bytes);
        bytes.extend_from_slice(&line.currency.0.to_le_bytes());
        line.day.put(bytes);
    }

    fn take(bytes: &[u8]) -> Option<(Self, UserLine)> {
        let (user, bytes) = bytes.split_first_chunk()?;
        let (programme, bytes) = bytes.split_first_chunk()?;
        let (month, bytes) = bytes.split_first_chunk()?;
        let (currency, bytes) = bytes.split_first_chunk()?;
        let line = UserLine {
            programme: u32::from_le_bytes(*programme),
            month: UserMonth::take(month),
            currency: Currency(u16::from_le_bytes(*currency)),
            day: UserDay::take(bytes.first_chunk()?),
        };
        Some((*user, line))
    }
}

impl CountKey for UserMonthKey {
    type Count = UserMonth;

    const BYTES: usize = 16 + 4 + UserMonth::BYTES;

    fn hash(&self, hashing: &RandomState) -> u64 {
        hashing.hash_one((u128::from_le_bytes(self.user), self.programme))
    }

    fn put(&self, count: &UserMonth, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.user);
        bytes.extend_from_slice(&self.programme.to_le_bytes());
        count.put(bytes);
    }

    fn take(bytes: &[u8]) -> Option<(Self, UserMonth)> {
        let (user, bytes) = bytes.split_first_chunk()?;
        let (programme, bytes) = bytes.split_first_chunk()?;
        let key = Self { user: *user, programme: u32::from_le_bytes(*programme) };
        Some((key, UserMonth::take(bytes.first_chunk()?)))
    }
}

impl CountKey for UserDayKey {
    type Count = UserDay;

    const BYTES: usize = 16 + 2 + UserDay::BYTES;

    fn hash(&self, hashing: &RandomState) -> u64 {
        hashing.hash_one((u128::from_le_bytes(self.user), self.currency.0))
    }

    fn put(&self, count: &UserDay, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.user);
        bytes.extend_from_slice(&self.currency.0.to_le_bytes());
        count.put(bytes);
    }

    fn take(bytes: &[u8]) -> Option<(Self, UserDay)> {
        let (user, bytes) = bytes.split_first_chunk()?;
        let (currency, bytes) = bytes.split_first_chunk()?;
        let key = Self { user: *user, currency: Currency(u16::from_le_bytes(*currency)) };
        Some((key, UserDay::take(bytes.first_chunk()?)))
    }
}

/// From when on entries are kept. Those of an earlier month or day can never count again, whatever
/// programmes and parameters become, so that it does not matter when they go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeptSince {
    /// The first month.
    pub month: u16,
    /// The first day.
    pub day: u16,
}

/// All users.
#[derive(Debug, Clone)]
pub(crate) struct UserBook {
    pub(crate) lines: Counts<UserId>,
    /// Months under a user's further programmes.
    pub(crate) months: Counts<UserMonthKey>,
    /// Days in a user's further currencies.
    pub(crate) days: Counts<UserDayKey>,
}

impl UserBook {
    /// No user yet.
    pub(crate) fn new(hashing: &RandomState) -> Self {
        Self {
            lines: Counts::new(hashing.clone(), Vec::new()),
            months: Counts::new(hashing.clone(), Vec::new()),
            days: Counts::new(hashing.clone(), Vec::new()),
        }
    }

    pub(crate) fn month(&self, key: &UserMonthKey) -> UserMonth {
        let line = self.lines.get(&key.user);
        match line.month_is_of(key.programme) {
            Some(true) => line.month,
            _ => self.months.get(key),
        }
    }

    pub(crate) fn day(&self, key: &UserDayKey) -> UserDay {
        let line = self.lines.get(&key.user);
        match line.day_is_in(key.currency) {
            Some(true) => line.day,
            _ => self.days.get(key),
        }
    }

    /// Takes some of a block's changes. Says whether all are taken.
    pub(crate) fn apply(&mut self, changes: &mut UserChanges, at_most: usize) -> bool {
        self.lines.apply(&mut changes.lines, at_most)
            && self.months.apply(&mut changes.months, at_most)
            && self.days.apply(&mut changes.days, at_most)
    }
}

/// What a block changes of users.
#[derive(Debug)]
pub(crate) struct UserChanges {
    pub(crate) lines: CountChanges<UserId>,
    pub(crate) months: CountChanges<UserMonthKey>,
    pub(crate) days: CountChanges<UserDayKey>,
}

impl UserChanges {
    /// None yet, with room for so many users.
    pub(crate) fn new(hashing: &RandomState, room: usize) -> Self {
        Self {
            lines: CountChanges::new(hashing.clone(), room),
            months: CountChanges::new(hashing.clone(), 0),
            days: CountChanges::new(hashing.clone(), 0),
        }
    }

    /// Says what is over for this block, before anything is looked at.
    pub(crate) fn keep_since(&mut self, since: KeptSince) {
        self.lines.keep_since(since);
        self.months.keep_since(since);
        self.days.keep_since(since);
    }

    /// Looks up together what orders will count.
    pub(crate) fn expect(
        &mut self,
        book: &UserBook,
        users: &[UserId],
        months: &[UserMonthKey],
        days: &[UserDayKey],
    ) {
        let before_first = self.lines.expect(&book.lines, users);
        if book.months.len() > 0 {
            let mut further = months.to_vec();
            further.retain(|key| {
                let line = self.lines.so_far(&book.lines, &key.user);
                line.month_is_of(key.programme) != Some(true)
            });
            self.months.expect(&book.months, &further);
            self.lines.look_from(before_first);
        }
        if book.days.len() > 0 {
            let mut further = days.to_vec();
            further.retain(|key| {
                let line = self.lines.so_far(&book.lines, &key.user);
                line.day_is_in(key.currency) != Some(true)
            });
            self.days.expect(&book.days, &further);
            self.lines.look_from(before_first);
        }
    }

    /// A user's month under a programme so far, to be changed.
    pub(crate) fn month(&mut self, book: &UserBook, key: &UserMonthKey) -> &mut UserMonth {
        let line = self.lines.so_far(&book.lines, &key.user);
        let is_in_line = match line.month_is_of(key.programme) {
            Some(is_of) => is_of,
            // The line has room, unless the month stands elsewhere already.
            None => self.further_month(book, key) == UserMonth::default(),
        };
        if !is_in_line {
            return self.months.change(&book.months, key);
        }
        let line = self.lines.change(&book.lines, &key.user);
        line.programme = key.programme;
        &mut line.month
    }

    fn further_month(&mut self, book: &UserBook, key: &UserMonthKey) -> UserMonth {
        let is_any = book.months.len() > 0 || !self.months.is_empty();
        if is_any { *self.months.so_far(&book.months, key) } else { UserMonth::default() }
    }

    /// A user's day in a currency so far, to be changed.
    pub(crate) fn day(&mut self, book: &UserBook, key: &UserDayKey) -> &mut UserDay {
        let line = self.lines.so_far(&book.lines, &key.user);
        let is_in_line = match line.day_is_in(key.currency) {
            Some(is_in) => is_in,
            None => self.further_day(book, key) == UserDay::default(),
        };
        if !is_in_line {
            return self.days.change(&book.days, key);
        }
        let line = self.lines.change(&book.lines, &key.user);
        line.currency = key.currency;
        &mut line.day
    }

    /// A user's day in a currency so far.
    pub(crate) fn day_so_far(&mut self, book: &UserBook, key: &UserDayKey) -> UserDay {
        let line = self.lines.so_far(&book.lines, &key.user);
        match line.day_is_in(key.currency) {
            Some(true) => line.day,
            _ => self.further_day(book, key),
        }
    }

    fn further_day(&mut self, book: &UserBook, key: &UserDayKey) -> UserDay {
        let is_any = book.days.len() > 0 || !self.days.is_empty();
        if is_any { *self.days.so_far(&book.days, key) } else { UserDay::default() }
    }

    /// The bytes that the running digest takes in. What is kept is not among them.
    pub(crate) fn digest_bytes(&self, bytes: &mut Vec<u8>) {
        self.lines.digest_bytes(bytes);
        self.months.digest_bytes(bytes);
        self.days.digest_bytes(bytes);
    }
}
