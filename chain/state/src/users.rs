//! What is counted for each user: recharges and cashback of the month under each programme, sums
//! of the day in each currency. An entry of another month or day counts for nothing, and is
//! forgotten once it is long over.

use ahash::RandomState;
use bincode::{Decode, Encode};
use chain_types::Currency;

use crate::counts::{CountChanges, CountKey, Counts};

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

// With its share of the positions: at least half of a table's places are taken.
const _: () = assert!(size_of::<(UserMonthKey, UserMonth)>() + 2 * 5 < 64);
const _: () = assert!(size_of::<(UserDayKey, UserDay)>() + 2 * 5 < 64);

impl CountKey for UserMonthKey {
    type Count = UserMonth;

    const BYTES: usize = 16 + 4 + 2 + 2 + 8;

    fn hash(&self, hashing: &RandomState) -> u64 {
        hashing.hash_one((u128::from_le_bytes(self.user), self.programme))
    }

    fn put(&self, count: &UserMonth, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.user);
        bytes.extend_from_slice(&self.programme.to_le_bytes());
        bytes.extend_from_slice(&count.month.to_le_bytes());
        bytes.extend_from_slice(&count.count.to_le_bytes());
        bytes.extend_from_slice(&count.granted().to_le_bytes());
    }

    fn take(bytes: &[u8]) -> Option<(Self, UserMonth)> {
        let (user, bytes) = bytes.split_first_chunk()?;
        let (programme, bytes) = bytes.split_first_chunk()?;
        let (month, bytes) = bytes.split_first_chunk()?;
        let (count, granted) = bytes.split_first_chunk()?;
        let count = u16::from_le_bytes(*count);
        let granted = u64::from_le_bytes(granted.try_into().ok()?);
        let key = Self { user: *user, programme: u32::from_le_bytes(*programme) };
        Some((key, UserMonth::new(u16::from_le_bytes(*month), count, granted)))
    }
}

impl CountKey for UserDayKey {
    type Count = UserDay;

    const BYTES: usize = 16 + 2 + 2 + 8;

    fn hash(&self, hashing: &RandomState) -> u64 {
        hashing.hash_one((u128::from_le_bytes(self.user), self.currency.0))
    }

    fn put(&self, count: &UserDay, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.user);
        bytes.extend_from_slice(&self.currency.0.to_le_bytes());
        bytes.extend_from_slice(&count.day.to_le_bytes());
        bytes.extend_from_slice(&count.amount().to_le_bytes());
    }

    fn take(bytes: &[u8]) -> Option<(Self, UserDay)> {
        let (user, bytes) = bytes.split_first_chunk()?;
        let (currency, bytes) = bytes.split_first_chunk()?;
        let (day, amount) = bytes.split_first_chunk()?;
        let amount = u64::from_le_bytes(amount.try_into().ok()?);
        let key = Self { user: *user, currency: Currency(u16::from_le_bytes(*currency)) };
        Some((key, UserDay::new(u16::from_le_bytes(*day), amount)))
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
    pub(crate) months: Counts<UserMonthKey>,
    pub(crate) days: Counts<UserDayKey>,
}

impl UserBook {
    /// No user yet.
    pub(crate) fn new(hashing: &RandomState) -> Self {
        Self {
            months: Counts::new(hashing.clone(), Vec::new()),
            days: Counts::new(hashing.clone(), Vec::new()),
        }
    }

    /// Takes some of a block's changes. Says whether all are taken.
    pub(crate) fn apply(&mut self, changes: &mut UserChanges, at_most: usize) -> bool {
        let KeptSince { month, day } = changes.kept_since;
        self.months.apply(&mut changes.months, at_most, |count| count.month < month)
            && self.days.apply(&mut changes.days, at_most, |count| count.day < day)
    }
}

/// What a block changes of users.
#[derive(Debug)]
pub(crate) struct UserChanges {
    pub(crate) months: CountChanges<UserMonthKey>,
    pub(crate) days: CountChanges<UserDayKey>,
    pub(crate) kept_since: KeptSince,
}

impl UserChanges {
    /// None yet, with room for so many of each kind.
    pub(crate) fn new(hashing: &RandomState, room: usize) -> Self {
        Self {
            months: CountChanges::new(hashing.clone(), room),
            days: CountChanges::new(hashing.clone(), room),
            kept_since: KeptSince::default(),
        }
    }

    /// The bytes that the running digest takes in. What is kept is not among them.
    pub(crate) fn digest_bytes(&self, bytes: &mut Vec<u8>) {
        self.months.digest_bytes(bytes);
        self.days.digest_bytes(bytes);
    }
}
