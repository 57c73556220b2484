//! One account: four counters that only its two-legged movements change.

use bincode::{Decode, Encode};
use chain_types::hash::{Domain, sha256_of};
pub use chain_types::{AccountKey, AccountKind, SCHEME_OWNER};
use chain_types::{Amount, Digest, codec};

/// The counters of an account, in minor units. They never fall, but for the two pending ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Account {
    /// Debits reserved and not yet posted or released.
    pub debits_pending: u128,
    /// The sum of all debits posted.
    pub debits_posted: u128,
    /// Credits reserved and not yet posted or released.
    pub credits_pending: u128,
    /// The sum of all credits posted.
    pub credits_posted: u128,
    /// The amount by which [`Self::balance`] may be below zero, pending debits included. Liquidity
    /// and FX positions alone have one.
    pub net_debit_cap: u64,
    /// The part of [`Self::balance`] that is money at the scheme's bank: deposits and the sums of
    /// settlements, less withdrawals. The rest is the position: what is owed by or to other
    /// parties' banks in windows that are not settled.
    pub settled: i128,
}

/// The largest value of a counter, so that every difference of two fits an `i128`.
const COUNTER_MAX: u128 = i128::MAX as u128;

/// A counter would pass `i128::MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a counter of the account would pass its largest value")]
pub struct CounterOverflow;

impl Account {
    /// Credits less debits, posted ones only, in minor units.
    pub fn balance(&self) -> i128 {
        difference(self.credits_posted, self.debits_posted)
    }

    /// Returns the amount that may still be debited, in minor units: credits posted, less debits
    /// posted and pending, plus the net debit cap. Zero when that is negative.
    pub fn available(&self) -> u128 {
        let funds = self.credits_posted.saturating_add(u128::from(self.net_debit_cap));
        funds.saturating_sub(self.debits_posted.saturating_add(self.debits_pending))
    }

    /// Returns the sum owed by or to other parties in windows that are not settled, in minor units.
    pub fn position(&self) -> i128 {
        let position = self.balance().checked_sub(self.settled);
        position.unwrap_or_else(|| panic!("a settled balance is out of its range"))
    }

    /// Returns the amount by which debits, posted and pending, are past credits posted and the net
    /// debit cap.
    pub(crate) fn overdrawn(&self) -> u128 {
        let funds = self.credits_posted.saturating_add(u128::from(self.net_debit_cap));
        self.debits_posted.saturating_add(self.debits_pending).saturating_sub(funds)
    }

    /// Returns true if debits, posted and pending, stay within credits posted and the net debit
    /// cap.
    pub fn is_within_cap(&self) -> bool {
        self.overdrawn() == 0
    }

    /// The leaf of the accounts tree for this account.
    pub fn leaf(&self, key: &AccountKey) -> Digest {
        let mut message = Vec::new();
        self.leaf_message(key, &mut message);
        sha256_of(&message)
    }

    /// Appends the bytes that [`Self::leaf`] hashes to `message`.
    pub(crate) fn leaf_message(&self, key: &AccountKey, message: &mut Vec<u8>) {
        message.extend_from_slice(&Domain::Account.tag());
        codec::append(message, &(*key, *self));
    }

    pub(crate) fn debited(mut self, amount: Amount) -> Result<Self, CounterOverflow> {
        self.debits_posted = plus(self.debits_posted, amount)?;
        Ok(self)
    }

    pub(crate) fn credited(mut self, amount: Amount) -> Result<Self, CounterOverflow> {
        self.credits_posted = plus(self.credits_posted, amount)?;
        Ok(self)
    }

    /// With `change` more of it settled.
    pub(crate) fn settled_by(mut self, change: i128) -> Result<Self, CounterOverflow> {
        let settled = self.settled.checked_add(change);
        let settled = settled.filter(|settled| settled.unsigned_abs() <= COUNTER_MAX);
        self.settled = settled.ok_or(CounterOverflow)?;
        Ok(self)
    }

    pub(crate) fn debit_reserved(mut self, amount: Amount) -> Result<Self, CounterOverflow> {
        self.debits_pending = plus(self.debits_pending, amount)?;
        Ok(self)
    }

    pub(crate) fn credit_reserved(mut self, amount: Amount) -> Result<Self, CounterOverflow> {
        self.credits_pending = plus(self.credits_pending, amount)?;
        Ok(self)
    }

    pub(crate) fn debit_released(mut self, amount: Amount) -> Self {
        self.debits_pending = minus(self.debits_pending, amount);
        self
    }

    pub(crate) fn credit_released(mut self, amount: Amount) -> Self {
        self.credits_pending = minus(self.credits_pending, amount);
        self
    }
}

fn plus(counter: u128, amount: Amount) -> Result<u128, CounterOverflow> {
    counter
        .checked_add(u128::from(amount.get()))
        .filter(|counter| *counter <= COUNTER_MAX)
        .ok_or(CounterOverflow)
}

/// `after - before` of two counters.
pub(crate) fn difference(after: u128, before: u128) -> i128 {
    assert!(after <= COUNTER_MAX && before <= COUNTER_MAX, "a counter is out of its range");
    after.cast_signed() - before.cast_signed()
}

fn minus(counter: u128, amount: Amount) -> u128 {
    let rest = counter.checked_sub(u128::from(amount.get()));
    rest.unwrap_or_else(|| panic!("released {amount}, but only {counter} is pending"))
}
