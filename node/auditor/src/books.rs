//! Section 2, accounts: four counters each, and beside them signed balances that follow from the
//! journal only, so that each can be held against the other.

use std::collections::BTreeMap;

/// The purpose of an account. The numbers are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Kind {
    /// The liquidity from which a gateway collects.
    GatewayLiquidity = 1,
    /// The debt of the scheme to a merchant.
    MerchantPayable = 2,
    /// A programme's prefunded budget.
    CashbackPool = 3,
    /// Cashback that a gateway credits to users, settled at window close.
    CashbackOwed = 4,
    /// The position from which an FX provider delivers.
    FxPosition = 5,
    /// Funds of failed payments, between the banks.
    Suspense = 7,
    /// The counter-account of all money that came from or went outside.
    SchemeSettlement = 8,
}

/// An account: kind, owner, currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Account {
    pub(crate) kind: Kind,
    pub(crate) owner: u64,
    pub(crate) currency: u16,
}

impl Account {
    /// The account in the form that the auditor shows: kind number, owner, currency.
    pub(crate) fn numbers(self) -> (u8, u64, u16) {
        (self.kind as u8, self.owner, self.currency)
    }

    /// Returns the key of a gateway's liquidity account.
    pub(crate) fn liquidity(gateway: u32, currency: u16) -> Self {
        Self { kind: Kind::GatewayLiquidity, owner: u64::from(gateway), currency }
    }

    /// Returns the key of a merchant's payable account.
    pub(crate) fn payable(merchant: u64, currency: u16) -> Self {
        Self { kind: Kind::MerchantPayable, owner: merchant, currency }
    }

    /// A merchant's cashback budget.
    pub(crate) fn pool(merchant: u64, currency: u16) -> Self {
        Self { kind: Kind::CashbackPool, owner: merchant, currency }
    }

    /// Cashback that a gateway is owed.
    pub(crate) fn owed(gateway: u32, currency: u16) -> Self {
        Self { kind: Kind::CashbackOwed, owner: u64::from(gateway), currency }
    }

    /// An FX provider's position.
    pub(crate) fn position(provider: u32, currency: u16) -> Self {
        Self { kind: Kind::FxPosition, owner: u64::from(provider), currency }
    }

    /// Funds of failed payments.
    pub(crate) fn suspense(currency: u16) -> Self {
        Self { kind: Kind::Suspense, owner: 0, currency }
    }

    /// Returns the key of the account that stands for money outside of the scheme.
    pub(crate) fn settlement(currency: u16) -> Self {
        Self { kind: Kind::SchemeSettlement, owner: 0, currency }
    }
}

/// An account's four counters and its bound, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Debits that are reserved.
    pub debits_pending: u128,
    /// Debits that are booked.
    pub debits_posted: u128,
    /// Credits that are reserved.
    pub credits_pending: u128,
    /// Credits that are booked.
    pub credits_posted: u128,
    /// How far below zero the balance may go.
    pub net_debit_cap: u64,
    /// The part of the balance that is deposited or settled; the rest is the position.
    pub settled: i128,
}

impl Counters {
    /// Credits posted less debits posted.
    pub fn balance(&self) -> i128 {
        signed(self.credits_posted) - signed(self.debits_posted)
    }

    /// Returns the sum that may still be debited; it is below zero only for accounts without a
    /// bound.
    pub fn available(&self) -> i128 {
        self.balance() + i128::from(self.net_debit_cap) - signed(self.debits_pending)
    }
}

/// Sums of 64-bit amounts do not reach half of 128 bits.
fn signed(sum: u128) -> i128 {
    match i128::try_from(sum) {
        Ok(sum) => sum,
        Err(_) => unreachable!("a counter passed 2^127"),
    }
}

/// `amount` from `debit` to `credit`, in their currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Movement {
    pub(crate) debit: Account,
    pub(crate) credit: Account,
    pub(crate) amount: u128,
}

impl Movement {
    /// `debit amount → credit`, as the page writes it.
    pub(crate) fn new(debit: Account, amount: impl Into<u128>, credit: Account) -> Self {
        assert_eq!(debit.currency, credit.currency, "a movement is within one currency");
        Self { debit, credit, amount: amount.into() }
    }
}

/// Every account, and the journal of the block.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books {
    accounts: BTreeMap<Account, Counters>,
    /// Movements posted since the last [`Books::fold_journal`].
    journal: Vec<Movement>,
    /// The sum of all journal entries so far, by account.
    balances: BTreeMap<Account, i128>,
    /// Accounts that a settlement took past their bounds, and how far they may be past them.
    floors: BTreeMap<Account, i128>,
}

impl Books {
    /// An account's counters; zeros for one that was never used.
    pub(crate) fn counters(&self, account: Account) -> Counters {
        self.accounts.get(&account).copied().unwrap_or_default()
    }

    /// Returns true if `amount` may be debited to an account: nothing may, if it is past its bound.
    pub(crate) fn has_available(&self, account: Account, amount: u64) -> bool {
        self.counters(account).available().max(0) >= i128::from(amount)
    }

    /// Every account that was ever used.
    pub(crate) fn accounts(&self) -> &BTreeMap<Account, Counters> {
        &self.accounts
    }

    /// Sets an account's bound.
    pub(crate) fn set_cap(&mut self, account: Account, cap: u64) {
        self.accounts.entry(account).or_default().net_debit_cap = cap;
    }

    /// Makes so much more, or less, of an account's balance settled money.
    pub(crate) fn settle(&mut self, account: Account, change: i128) {
        self.accounts.entry(account).or_default().settled += change;
    }

    /// Lets an account be past its bound by as much as it is now: a settlement took it there.
    pub(crate) fn allow_past_bound(&mut self, account: Account) {
        let past = self.counters(account).available().min(0);
        self.floors.insert(account, past);
    }

    /// How far below zero what is available in an account may be. It only rises, but by a
    /// settlement.
    pub(crate) fn floor(&mut self, account: Account) -> i128 {
        let Some(floor) = self.floors.get(&account).copied() else { return 0 };
        let now = self.counters(account).available().min(0);
        if now > floor {
            self.floors.insert(account, now);
        }
        floor
    }

    /// Forgets floors of accounts that are within their bounds again.
    pub(crate) fn keep_floors(&mut self, past: &[(Account, i128)]) {
        self.floors.retain(|account, _| past.iter().any(|(one, _)| one == account));
    }

    /// Books a movement at once.
    pub(crate) fn post(&mut self, movement: Movement) {
        let amount = movement.amount;
        self.accounts.entry(movement.debit).or_default().debits_posted += amount;
        self.accounts.entry(movement.credit).or_default().credits_posted += amount;
        self.journal.push(movement);
    }

    /// Reserves a movement: both its legs become pending.
    pub(crate) fn reserve(&mut self, movement: Movement) {
        let amount = movement.amount;
        self.accounts.entry(movement.debit).or_default().debits_pending += amount;
        self.accounts.entry(movement.credit).or_default().credits_pending += amount;
    }

    /// Lets a held movement go.
    pub(crate) fn release(&mut self, movement: Movement) {
        let amount = movement.amount;
        self.accounts.entry(movement.debit).or_default().debits_pending -= amount;
        self.accounts.entry(movement.credit).or_default().credits_pending -= amount;
    }

    /// Books a held movement.
    pub(crate) fn post_reserved(&mut self, movement: Movement) {
        self.release(movement);
        self.post(movement);
    }

    /// Adds the journal of the block to the signed balances, and begins a new one. The first
    /// account whose counters say another balance is returned with that of the journals.
    pub(crate) fn fold_journal(&mut self) -> Result<(), (Account, i128)> {
        for movement in self.journal.drain(..) {
            let amount = signed(movement.amount);
            *self.balances.entry(movement.debit).or_default() -= amount;
            *self.balances.entry(movement.credit).or_default() += amount;
        }
        for (account, counters) in &self.accounts {
            let journaled = self.balances.get(account).copied().unwrap_or_default();
            if counters.balance() != journaled {
                return Err((*account, journaled));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CNY: u16 = 156;

    fn movement(amount: u128) -> Movement {
        Movement::new(Account::liquidity(1, CNY), amount, Account::payable(2, CNY))
    }

    #[test]
    fn a_reservation_is_held_then_posted_or_let_go() {
        let mut books = Books::default();
        books.set_cap(Account::liquidity(1, CNY), 100);
        books.reserve(movement(60));
        books.reserve(movement(30));
        assert_eq!(books.counters(Account::liquidity(1, CNY)).available(), 10);
        assert!(books.has_available(Account::liquidity(1, CNY), 10));
        assert!(!books.has_available(Account::liquidity(1, CNY), 11));
        books.post_reserved(movement(60));
        books.release(movement(30));
        let counters = books.counters(Account::liquidity(1, CNY));
        let expected = Counters { debits_posted: 60, net_debit_cap: 100, ..Counters::default() };
        assert_eq!(counters, expected);
        assert_eq!(books.counters(Account::payable(2, CNY)).balance(), 60);
        assert_eq!(books.fold_journal(), Ok(()));
    }

    #[test]
    fn a_counter_that_the_journal_does_not_explain_is_found() {
        let mut books = Books::default();
        books.post(movement(7));
        books.accounts.entry(Account::payable(2, CNY)).or_default().credits_posted += 1;
        assert_eq!(books.fold_journal(), Err((Account::payable(2, CNY), 7)));
    }

    #[test]
    fn money_may_go_round_within_one_account() {
        let mut books = Books::default();
        let own = Account::liquidity(1, CNY);
        books.post(Movement::new(own, 5_u64, own));
        assert_eq!(books.counters(own).balance(), 0);
        assert_eq!(books.fold_journal(), Ok(()));
    }
}
