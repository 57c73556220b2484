//! What a bank said, as typed words: about which payment, at which level, and what.

use jiff::civil::Date;

use crate::amount::BankMoney;

/// The names of a payment as the bank wrote them; nothing is cut.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaymentName {
    /// The message that carried it.
    pub message: Option<Box<str>>,
    /// The payment information that it stood in.
    pub payment_information: Option<Box<str>>,
    /// The end-to-end id, if it is named.
    pub end_to_end: Option<Box<str>>,
    /// The instruction's or the transaction's id.
    pub transaction: Option<Box<str>>,
    /// The unique end-to-end transaction reference (UETR), if it is named.
    pub uetr: Option<Box<str>>,
}

impl PaymentName {
    /// Returns true if it names a transaction, not only a message or a part of one.
    pub fn is_of_transaction(&self) -> bool {
        self.end_to_end.is_some() || self.transaction.is_some() || self.uetr.is_some()
    }

    /// Returns true if it names nothing.
    pub fn is_empty(&self) -> bool {
        !self.is_of_transaction() && self.message.is_none() && self.payment_information.is_none()
    }
}

/// The level of a message that a status is about, the highest first. The lowest level decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StatusLevel {
    /// All of a message.
    Group,
    /// One payment information of a message.
    PaymentInformation,
    /// One transaction of a message.
    Transaction,
}

/// The status that a bank gives a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusCode {
    /// The bank has it and works on it: RCVD, ACTC, ACCP, ACSP, ACWC, ACWP, ACFC, PDNG, PATC.
    Pending,
    /// Some transactions of the message are rejected (PART): it says nothing about any of them.
    Partial,
    /// The debtor's side has settled (ACSC).
    Settled,
    /// The creditor's account is credited (ACCC).
    Credited,
    /// The payment is rejected (RJCT).
    Rejected,
    /// Any other code: nothing follows from it but doubt.
    Unknown(Box<str>),
}

impl StatusCode {
    /// Returns the status of ISO's code.
    pub fn of_code(code: &str) -> Self {
        match code {
            "RCVD" | "ACTC" | "ACCP" | "ACSP" | "ACWC" | "ACWP" | "ACFC" | "PDNG" | "PATC" => {
                Self::Pending
            }
            "PART" => Self::Partial,
            "ACSC" => Self::Settled,
            "ACCC" => Self::Credited,
            "RJCT" => Self::Rejected,
            other => Self::Unknown(other.chars().take(35).collect::<String>().into()),
        }
    }
}

/// A status of a pain.002 or pacs.002.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusWord {
    /// The level that it is about.
    pub level: StatusLevel,
    /// The payment, or as much of a name as the level has.
    pub name: PaymentName,
    /// The status by ISO's code.
    pub status: StatusCode,
    /// Codes of the reasons, the bank's own among them.
    pub reasons: Vec<Box<str>>,
    /// The amount that the bank repeats, if it does.
    pub money: Option<BankMoney>,
    /// The bank's own reference.
    pub reference: Option<Box<str>>,
}

/// A payment that comes back, of a pacs.004.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnWord {
    /// The name of the payment that comes back.
    pub name: PaymentName,
    /// The amount that comes back.
    pub returned: BankMoney,
    /// The amount that had been paid, if the bank repeats it.
    pub original: Option<BankMoney>,
    /// Codes of the reasons.
    pub reasons: Vec<Box<str>>,
    /// The bank's id of the return.
    pub reference: Option<Box<str>>,
}

/// The bank's answer to a request to cancel a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecallStatus {
    /// Cancelled: the payment is not made, or comes back (CNCL, ACCR).
    Cancelled,
    /// Refused: the payment stands (RJCR).
    Refused,
    /// Not decided yet (PDCR).
    Pending,
    /// Any other code: nothing follows from it.
    Unknown(Box<str>),
}

impl RecallStatus {
    /// Returns the status of ISO's code.
    pub fn of_code(code: &str) -> Self {
        match code {
            "CNCL" | "ACCR" => Self::Cancelled,
            "RJCR" => Self::Refused,
            "PDCR" => Self::Pending,
            other => Self::Unknown(other.chars().take(35).collect::<String>().into()),
        }
    }
}

/// An answer to a recall, of a camt.029.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecallWord {
    /// The payment, or the message that carried it.
    pub name: PaymentName,
    /// The answer by ISO's code.
    pub status: RecallStatus,
    /// Codes of the reasons.
    pub reasons: Vec<Box<str>>,
}

/// The message that reports an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccountMessage {
    /// camt.052: within the day.
    Report,
    /// camt.053: the day's statement.
    Statement,
    /// camt.054: a notification of single entries.
    Notification,
}

/// The direction of money, as the account's owner sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MoneyDirection {
    /// Money came in (CRDT).
    Credit,
    /// Money went out (DBIT).
    Debit,
}

/// The state of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryState {
    /// On the books (BOOK). Nothing follows from any other state.
    Booked,
    /// Expected, not on the books (PDNG, FUTR).
    Pending,
    /// Stated for information alone (INFO).
    Information,
}

/// One detail of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryDetail {
    /// The name of the payment, or the part of it that the bank repeats.
    pub name: PaymentName,
    /// The bank's own reference of it.
    pub reference: Option<Box<str>>,
    /// The amount; the entry's where a single detail has none.
    pub money: Option<BankMoney>,
    /// The amount that was instructed, if the bank repeats it.
    pub instructed: Option<BankMoney>,
    /// Charges that were taken from it, in minor units of its own currency.
    pub charges: u128,
    /// The code of the return's reason, empty if the bank gives none; `None` if it is no return.
    pub returned: Option<Box<str>>,
}

/// An entry of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankEntry {
    /// The message that reports it.
    pub message: AccountMessage,
    /// The number of its statement within the file, from 0.
    pub statement: usize,
    /// The bank's own reference of the entry.
    pub reference: Option<Box<str>>,
    /// The amount and its currency.
    pub money: BankMoney,
    /// The direction by CRDT or DBIT.
    pub direction: MoneyDirection,
    /// The bank says that it reverses an earlier entry.
    pub is_reversal: bool,
    /// The bank transaction code is that of a return.
    pub is_return: bool,
    /// The bank transaction code is that of charges.
    pub is_charge: bool,
    /// The state of the entry.
    pub state: EntryState,
    /// The day of the booking.
    pub booked: Option<Date>,
    /// Charges that were taken from it, in minor units of its own currency.
    pub charges: u128,
    /// The details of the entry, each about one transaction or several.
    pub details: Vec<EntryDetail>,
}

/// A balance of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedBalance {
    /// ISO's code: OPBD, CLBD, PRCD, ITBD and others.
    pub code: Box<str>,
    /// The minor units; negative if the account is overdrawn.
    pub minor: i128,
    /// The currency of the balance.
    pub currency: chain_types::Currency,
}

/// The part of a camt.052, camt.053 or camt.054 about one account, without its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountStatement {
    /// The message that reports it.
    pub message: AccountMessage,
    /// Its number within the file, from 0.
    pub statement: usize,
    /// The bank's id of it.
    pub id: Box<str>,
    /// The account: an IBAN or another number.
    pub account: Box<str>,
    /// The account's currency, if it is stated.
    pub currency: Option<chain_types::Currency>,
    /// The electronic or legal sequence number.
    pub number: Option<u64>,
    /// The number of the page, if the statement has several.
    pub page: Option<u64>,
    /// The last day that it is about, or the day on which it was made.
    pub day: Option<Date>,
    /// The balances, in the order of the message.
    pub balances: Vec<StatedBalance>,
    /// The number of its entries, unreadable ones among them.
    pub entries: u64,
}

/// One thing that a bank said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BankWord {
    /// A status of a pain.002 or pacs.002.
    Status(StatusWord),
    /// A return of a pacs.004.
    Return(ReturnWord),
    /// An answer to a recall.
    Recall(RecallWord),
    /// An entry. Its statement follows behind the last of its entries.
    Entry(BankEntry),
    /// A statement, behind its entries.
    Statement(AccountStatement),
}
