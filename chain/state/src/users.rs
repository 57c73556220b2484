//! The counts of each user: recharges and cashback of a month under each programme, sums
//! of the day in each currency. An entry of another day counts for nothing; one of a month is kept
//! for the month after, so that what is returned then is still taken out. It is forgotten once
//! nothing can ask for it.
//!
//! Most users pay under one programme and in one currency: a user's first of each stand together
//! in one entry, the user's line, so that an order is one place in memory; further ones have
//! entries of their own, and so has the month before of the line's programme. Where one stands
//! follows from the blocks alone: what is over is as good as none, whether it was forgotten or not.

use ahash::RandomState;
use bincode::{Decode, Encode};
use chain_types::Currency;
use chain_types::change::CASHBACK_MONTH_MAX;

use crate::counts::{Count, CountKey, KeptSince};
use crate::positions::hash_of;

/// The pseudonym of a user, 16 bytes.
pub type UserId = [u8; 16];

/// The key of a month's count: the user, the programme and the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct UserMonthKey {
    /// The pseudonym of the user.
    pub user: UserId,
    /// The number of the cashback programme.
    pub programme: u32,
    /// The month: 12 times the year, plus the month from zero.
    pub month: u16,
}

/// A user's recharges of one month under one programme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct UserMonth {
    /// The month: 12 times the year, plus the month from zero.
    pub month: u16,
    /// How many orders were collected and stayed; it stays at its largest value.
    pub count: u16,
    granted: [u16; 3],
    largest: [u16; 2],
    version: u8,
    marks: u8,
}

/// The cashback that a user's orders of a month earned, and the facts on which it rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Earned {
    /// The cashback that was granted and not taken back, in minor units: 48 bits.
    pub granted: u64,
    /// The most that one order of the month was granted, in minor units.
    pub largest: u32,
    /// The lowest byte of the number of the programme's version that granted last.
    pub version: u8,
    /// The highest tier that this version granted in: three bits.
    pub top: u8,
    /// How many grants one order that goes can take along at most: one a tier of each version.
    /// Seven stands for all.
    pub steps: u8,
    /// True if a grant may stand that rests on orders that went.
    pub is_shifted: bool,
    /// True if a gateway that did not collect the order that went paid for a grant.
    pub is_paid_by_other: bool,
}

/// The key of a day's sum: the user and the collected currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct UserDayKey {
    /// The pseudonym of the user.
    pub user: UserId,
    /// The currency that is collected.
    pub currency: Currency,
}

/// A user's orders of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct UserDay {
    /// The day, counted from the Unix epoch in the chain's own day offset.
    pub day: u16,
    amount: [u16; 4],
}

impl UserMonth {
    /// A month in which nothing is earned.
    pub const fn new(month: u16, count: u16) -> Self {
        Self { month, count, granted: [0; 3], largest: [0; 2], version: 0, marks: 0 }
    }

    /// The cashback granted and not taken back, in minor units.
    pub const fn granted(&self) -> u64 {
        let [high, middle, low] = self.granted;
        (high as u64) << 32 | (middle as u64) << 16 | low as u64
    }

    /// All that is kept of what it earned.
    pub const fn earned(&self) -> Earned {
        let [high, low] = self.largest;
        Earned {
            granted: self.granted(),
            largest: (high as u32) << 16 | low as u32,
            version: self.version,
            top: self.marks & 0b111,
            steps: self.marks >> 3 & 0b111,
            is_shifted: self.marks & 1 << 6 != 0,
            is_paid_by_other: self.marks & 1 << 7 != 0,
        }
    }

    /// Replaces what it earned; what passes its bits becomes the most that they hold.
    pub fn set_earned(&mut self, earned: &Earned) {
        let [_, _, a, b, c, d, e, f] = earned.granted.min(CASHBACK_MONTH_MAX).to_be_bytes();
        self.granted = [[a, b], [c, d], [e, f]].map(u16::from_be_bytes);
        let [a, b, c, d] = earned.largest.to_be_bytes();
        self.largest = [[a, b], [c, d]].map(u16::from_be_bytes);
        self.version = earned.version;
        self.marks = earned.top.min(0b111)
            | earned.steps.min(0b111) << 3
            | u8::from(earned.is_shifted) << 6
            | u8::from(earned.is_paid_by_other) << 7;
    }

    const BYTES: usize = 2 + 2 + 6 + 4 + 1 + 1;

    fn bytes(&self) -> [u8; Self::BYTES] {
        let [high, middle, low] = self.granted.map(u128::from);
        let [upper, lower] = self.largest.map(u128::from);
        let packed = u128::from(self.month)
            | u128::from(self.count) << 16
            | low << 32
            | middle << 48
            | high << 64
            | lower << 80
            | upper << 96
            | u128::from(self.version) << 112
            | u128::from(self.marks) << 120;
        packed.to_le_bytes()
    }

    fn take(bytes: &[u8; Self::BYTES]) -> Self {
        let part = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        Self {
            month: part(0),
            count: part(2),
            granted: [part(8), part(6), part(4)],
            largest: [part(12), part(10)],
            version: bytes[14],
            marks: bytes[15],
        }
    }
}

impl UserDay {
    /// Orders of a day.
    pub const fn new(day: u16, amount: u64) -> Self {
        let parts = [(amount >> 48) as u16, (amount >> 32) as u16, (amount >> 16) as u16];
        Self { day, amount: [parts[0], parts[1], parts[2], amount as u16] }
    }

    /// Their sum, in minor units.
    pub const fn amount(&self) -> u64 {
        let [a, b, c, d] = self.amount;
        (a as u64) << 48 | (b as u64) << 32 | (c as u64) << 16 | d as u64
    }

    const BYTES: usize = 2 + 8;

    fn bytes(&self) -> [u8; Self::BYTES] {
        let packed = u128::from(self.day) | u128::from(self.amount()) << 16;
        let mut bytes = [0; Self::BYTES];
        bytes.copy_from_slice(&packed.to_le_bytes()[..Self::BYTES]);
        bytes
    }

    fn take(bytes: &[u8; Self::BYTES]) -> Self {
        let [d0, d1, amount @ ..] = *bytes;
        Self::new(u16::from_le_bytes([d0, d1]), u64::from_le_bytes(amount))
    }
}

/// A user's month of one programme, the last that an order counted in, and a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct UserLine {
    /// The programme of the month; zero while there is none.
    pub(crate) programme: u32,
    pub(crate) month: UserMonth,
    /// The currency of the day; zero while there is none.
    pub(crate) currency: Currency,
    pub(crate) day: UserDay,
}

impl UserLine {
    /// Returns true if its month is the key's, of the key's programme; `None` if it has no month.
    pub(crate) fn month_is_of(&self, key: &UserMonthKey) -> Option<bool> {
        let is_it = (self.programme, self.month.month) == (key.programme, key.month);
        (self.month != UserMonth::default()).then_some(is_it)
    }

    /// Returns true if its month is an earlier one of the key's programme.
    pub(crate) fn is_before(&self, key: &UserMonthKey) -> bool {
        self.programme == key.programme && self.month.month < key.month
    }

    /// Returns true if its day is in this currency; `None` if it has no day.
    pub(crate) fn day_is_in(&self, currency: Currency) -> Option<bool> {
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
            currency: if day == UserDay::default() { Currency::new(0) } else { self.currency },
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
        let mut entry = [0; Self::BYTES];
        entry[..16].copy_from_slice(self);
        entry[16..20].copy_from_slice(&line.programme.to_le_bytes());
        entry[20..36].copy_from_slice(&line.month.bytes());
        entry[36..38].copy_from_slice(&line.currency.get().to_le_bytes());
        entry[38..].copy_from_slice(&line.day.bytes());
        bytes.extend_from_slice(&entry);
    }

    fn take(bytes: &[u8]) -> Option<(Self, UserLine)> {
        let (user, bytes) = bytes.split_first_chunk()?;
        let (programme, bytes) = bytes.split_first_chunk()?;
        let (month, bytes) = bytes.split_first_chunk()?;
        let (currency, bytes) = bytes.split_first_chunk()?;
        let line = UserLine {
            programme: u32::from_le_bytes(*programme),
            month: UserMonth::take(month),
            currency: Currency::new(u16::from_le_bytes(*currency)),
            day: UserDay::take(bytes.first_chunk()?),
        };
        Some((*user, line))
    }
}

impl CountKey for UserMonthKey {
    type Count = UserMonth;

    const BYTES: usize = 16 + 4 + UserMonth::BYTES;

    fn hash(&self, hashing: &RandomState) -> u64 {
        hashing.hash_one((u128::from_le_bytes(self.user), self.programme, self.month))
    }

    // The month stands in the count.
    fn put(&self, count: &UserMonth, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.user);
        bytes.extend_from_slice(&self.programme.to_le_bytes());
        bytes.extend_from_slice(&count.bytes());
    }

    fn take(bytes: &[u8]) -> Option<(Self, UserMonth)> {
        let (user, bytes) = bytes.split_first_chunk()?;
        let (programme, bytes) = bytes.split_first_chunk()?;
        let (programme, count) =
            (u32::from_le_bytes(*programme), UserMonth::take(bytes.first_chunk()?));
        Some((Self { user: *user, programme, month: count.month }, count))
    }
}

impl CountKey for UserDayKey {
    type Count = UserDay;

    const BYTES: usize = 16 + 2 + UserDay::BYTES;

    fn hash(&self, hashing: &RandomState) -> u64 {
        hashing.hash_one((u128::from_le_bytes(self.user), self.currency.get()))
    }

    fn put(&self, count: &UserDay, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.user);
        bytes.extend_from_slice(&self.currency.get().to_le_bytes());
        bytes.extend_from_slice(&count.bytes());
    }

    fn take(bytes: &[u8]) -> Option<(Self, UserDay)> {
        let (user, bytes) = bytes.split_first_chunk()?;
        let (currency, bytes) = bytes.split_first_chunk()?;
        let key = Self { user: *user, currency: Currency::new(u16::from_le_bytes(*currency)) };
        Some((key, UserDay::take(bytes.first_chunk()?)))
    }
}
