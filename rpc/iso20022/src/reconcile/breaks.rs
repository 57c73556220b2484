//! What is held against one another, and the differences.

use std::collections::BTreeMap;

use chain_types::{Amount, Currency};
use jiff::civil::Date;

use crate::ids::Obligation;
use crate::words::MoneyDirection;

/// Why the bank's books and the chain differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BreakKind {
    /// Money came in that names no payment of ours.
    UnmatchedCredit,
    /// Money went out that names no payment of ours.
    UnmatchedDebit,
    /// The chain says that it arrived; the bank's books do not have it.
    MissingAtBank,
    /// The bank paid; the chain does not say so, or does not know the payment.
    MissingOnChain,
    /// Another amount than the chain's.
    Amount,
    /// Another currency than the chain's.
    Currency,
    /// The payment was paid or returned more often than it should have been.
    Twice,
    /// The money came back; the chain still says that it arrived, or waits for it.
    Returned,
    /// Charges: taken from a payment, or booked on their own.
    Charge,
    /// Booked on another account, or in the other direction, than the payment has.
    WrongAccount,
}

impl BreakKind {
    /// Every kind, in the order of reports.
    pub const ALL: [Self; 10] = [
        Self::UnmatchedCredit,
        Self::UnmatchedDebit,
        Self::MissingAtBank,
        Self::MissingOnChain,
        Self::Amount,
        Self::Currency,
        Self::Twice,
        Self::Returned,
        Self::Charge,
        Self::WrongAccount,
    ];

    /// Returns the kind as reports write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnmatchedCredit => "unmatched-credit",
            Self::UnmatchedDebit => "unmatched-debit",
            Self::MissingAtBank => "missing-at-bank",
            Self::MissingOnChain => "missing-on-chain",
            Self::Amount => "amount",
            Self::Currency => "currency",
            Self::Twice => "twice",
            Self::Returned => "returned",
            Self::Charge => "charge",
            Self::WrongAccount => "wrong-account",
        }
    }
}

/// The state of a payment on the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChainWord {
    /// The instruction is outstanding: no arrival or failure is attested.
    Outstanding,
    /// The arrival of the money is attested.
    Arrived,
    /// It failed or bounced: the gateway should have the money.
    Failed,
}

/// A payment that the statements are held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedPayment {
    /// The obligation that it pays.
    pub obligation: Obligation,
    /// The number of times that it was sent again.
    pub resends: u16,
    /// The amount of the instruction.
    pub amount: Amount,
    /// The number of the merchant's account.
    pub merchant_account: Box<str>,
    /// The payment's state on the chain.
    pub chain: ChainWord,
    /// The debits and credits of earlier days, with their ids.
    pub matched: Vec<(MoneyDirection, Box<str>)>,
}

/// A difference between the bank's books and the chain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BankBreak {
    /// The id of the break. The same difference has the same id on every day.
    pub id: Box<str>,
    /// The kind of the difference.
    pub kind: BreakKind,
    /// The account that it stands on; empty if it stands on none.
    pub account: Box<str>,
    /// The payment, if the bank names one of ours.
    pub obligation: Option<Obligation>,
    /// The money at the bank, in minor units; the chain's if the bank has none.
    pub amount: Amount,
    /// The currency of that money.
    pub currency: Currency,
    /// The amount of the instruction, if there is one.
    pub expected: Option<Amount>,
    /// The bank's own reference; empty if there is none.
    pub reference: Box<str>,
    /// The day on which it was seen first.
    pub since: Date,
}

/// Why a statement itself cannot be right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum StatementFlaw {
    /// Opening balance and entries do not give the closing balance.
    Sum {
        /// The closing balance by the entries, in minor units.
        computed: i128,
        /// The closing balance that is stated.
        stated: i128,
    },
    /// The statement has no opening or no closing balance.
    NoBalance,
    /// The opening balance is not the closing balance of the statement before.
    Opening {
        /// The closing balance of the statement before.
        expected: i128,
        /// The opening balance that is stated.
        stated: i128,
    },
    /// Statements are missing between the last one and this one.
    Gap {
        /// The first number that is missing.
        first: u64,
        /// The last number that is missing.
        last: u64,
    },
    /// A statement of this number was reconciled before; its entries are not counted again.
    Repeated,
    /// The statement has no number, so that gaps cannot be found.
    NoNumber,
}

/// A flaw of a statement, with the statement's account and number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatementFinding {
    /// The number of the account.
    pub account: Box<str>,
    /// The statement's number, if it has one.
    pub number: Option<u64>,
    /// The reason why the statement cannot be right.
    pub flaw: StatementFlaw,
}

/// The last statement of an account that was reconciled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastStatement {
    /// Its electronic or legal sequence number.
    pub number: u64,
    /// Its day, if it has one: a new year begins with number 1 again.
    pub day: Option<Date>,
    /// Its closing balance, in minor units.
    pub closing: i128,
}

/// The open breaks and last statements that one day hands to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CarriedForward {
    /// Breaks that are open.
    pub breaks: Vec<BankBreak>,
    /// The last statement of each account.
    pub statements: BTreeMap<Box<str>, LastStatement>,
}

/// The number of an account without the spaces that people read it by.
pub(super) fn plain(account: &str) -> Box<str> {
    account.chars().filter(|letter| *letter != ' ').collect::<String>().into()
}
