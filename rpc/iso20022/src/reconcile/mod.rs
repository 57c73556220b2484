//! A day's statements against what the chain says. Every difference is a break of one of ten kinds,
//! with an id that stays and an age that grows until it is explained.

mod book;
mod breaks;
mod matching;
mod report;

use std::collections::BTreeSet;

use chain_types::Digest;
use jiff::civil::Date;

use self::book::EntryBook;
use self::breaks::plain;
pub use self::breaks::{
    BankBreak, BreakKind, CarriedForward, ChainWord, ExpectedPayment, LastStatement,
    StatementFinding, StatementFlaw,
};
pub use self::report::{ReconciliationReport, ReportedBreak, ReportedFault};
use crate::ids::Obligation;
use crate::words::{AccountStatement, BankEntry, MoneyDirection};

/// A day's work: statements go in, a [`Reconciliation`] comes out.
#[derive(Debug)]
pub struct Reconciler {
    day: Date,
    gateway_accounts: BTreeSet<Box<str>>,
    expected: Vec<ExpectedPayment>,
    carried: CarriedForward,
    explained: BTreeSet<Box<str>>,
    book: EntryBook,
}

/// The result of a day's reconciliation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciliation {
    /// The report, for people and for the settlement's reference.
    pub report: ReconciliationReport,
    /// Breaks of all days that are open, ordered by kind and id.
    pub breaks: Vec<BankBreak>,
    /// Statements that cannot be right.
    pub findings: Vec<StatementFinding>,
    /// Debits and credits that were matched on this day, by payment.
    pub matched: Vec<(Obligation, MoneyDirection, Box<str>)>,
    /// The breaks and last statements for the next day.
    pub carried: CarriedForward,
}

impl Reconciliation {
    /// Returns the digest that `settle-window` names: SHA-256 of the JSON report's bytes.
    pub fn digest(&self) -> Digest {
        chain_types::hash::sha256(&[self.report.json().as_bytes()])
    }
}

impl Reconciler {
    /// Begins a day. `explained` are ids of breaks that people have explained.
    pub fn new(
        day: Date,
        gateway_accounts: impl IntoIterator<Item = Box<str>>,
        expected: Vec<ExpectedPayment>,
        carried: CarriedForward,
        explained: BTreeSet<Box<str>>,
    ) -> Self {
        let accounts = gateway_accounts.into_iter().map(|account| plain(&account)).collect();
        let book = EntryBook::default();
        Self { day, gateway_accounts: accounts, expected, carried, explained, book }
    }

    /// Takes an entry; its statement follows. Entries that are not booked are left out.
    pub fn entry(&mut self, entry: BankEntry) {
        self.book.entry(entry);
    }

    /// Takes the statement of the entries before it.
    pub fn statement(&mut self, statement: &AccountStatement) {
        self.book.statement(statement, &self.carried.statements);
    }

    /// Ends the day and returns its result.
    pub fn finish(self) -> Reconciliation {
        matching::finish(self)
    }
}
