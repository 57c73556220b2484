//! All that is counted for users, and what a block changes of it.

use ahash::RandomState;

use crate::counts::{CountChanges, Counts, CountsCopy, KeptSince};
use crate::users::{UserDay, UserDayKey, UserId, UserMonth, UserMonthKey};

/// The copies of what is counted for users.
#[derive(Debug, Default)]
pub(crate) struct UsersCopy {
    pub(crate) lines: CountsCopy<UserId>,
    pub(crate) months: CountsCopy<UserMonthKey>,
    pub(crate) days: CountsCopy<UserDayKey>,
}

/// The counters of all users.
#[derive(Debug, Clone)]
pub(crate) struct UserBook {
    pub(crate) lines: Counts<UserId>,
    /// Months under a user's further programmes, and earlier ones of its line's.
    pub(crate) months: Counts<UserMonthKey>,
    /// Days in a user's further currencies.
    pub(crate) days: Counts<UserDayKey>,
}

impl UserBook {
    /// Makes a book in which no user is counted yet.
    pub(crate) fn new(hashing: &RandomState) -> Self {
        Self {
            lines: Counts::new(hashing.clone(), Vec::new()),
            months: Counts::new(hashing.clone(), Vec::new()),
            days: Counts::new(hashing.clone(), Vec::new()),
        }
    }

    pub(crate) fn month(&self, key: &UserMonthKey) -> UserMonth {
        let line = self.lines.get(&key.user);
        match line.month_is_of(key) {
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
    pub(crate) fn apply(
        &mut self,
        changes: &mut UserChanges,
        at_most: usize,
        copy: Option<&mut UsersCopy>,
    ) -> bool {
        let (lines, months, days) = match copy {
            Some(UsersCopy { lines, months, days }) => (Some(lines), Some(months), Some(days)),
            None => (None, None, None),
        };
        self.lines.apply(&mut changes.lines, at_most, lines)
            && self.months.apply(&mut changes.months, at_most, months)
            && self.days.apply(&mut changes.days, at_most, days)
    }

    /// The copy of all, not begun yet.
    pub(crate) fn to_copy(&self) -> UsersCopy {
        UsersCopy { lines: self.lines.copy(), months: self.months.copy(), days: self.days.copy() }
    }
}

/// The changes that a block makes to users.
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
                line.month_is_of(key) != Some(true)
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
        let line = *self.lines.so_far(&book.lines, &key.user);
        let is_in_line = match line.month_is_of(key) {
            Some(false) if !line.is_before(key) => false,
            Some(true) => true,
            // The line has room, or makes it, unless the month stands elsewhere already.
            Some(false) | None => self.further_month(book, key) == UserMonth::default(),
        };
        if !is_in_line {
            let month = self.months.change(&book.months, key);
            month.month = key.month;
            return month;
        }
        if line.is_before(key) && line.month != UserMonth::default() {
            let before = UserMonthKey { month: line.month.month, ..*key };
            *self.months.change(&book.months, &before) = line.month;
        }
        let line = self.lines.change(&book.lines, &key.user);
        if line.month.month != key.month {
            line.month = UserMonth::new(key.month, 0);
        }
        line.programme = key.programme;
        &mut line.month
    }

    /// A user's month under a programme so far.
    pub(crate) fn month_so_far(&mut self, book: &UserBook, key: &UserMonthKey) -> UserMonth {
        let line = self.lines.so_far(&book.lines, &key.user);
        match line.month_is_of(key) {
            Some(true) => line.month,
            _ => self.further_month(book, key),
        }
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
