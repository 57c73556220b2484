//! What a bank's words mean for an obligation, as a pure decision table. Doubt is never failure and
//! never a second payment: who reads a rejection wrongly pays twice.

mod facts;
mod reasons;
mod rules;

use std::fmt;

use chain_types::{Amount, FailureReason};

pub use self::facts::judge;
pub use self::reasons::{REASONS, ReasonClass, reason_class};
pub use self::rules::{EvidenceRule, FACTS, Fact, FactSet, RULES, meaning_of};
use crate::ids::{Obligation, Uetr};
use crate::words::{BankEntry, RecallWord, ReturnWord, StatusWord};

/// What a bank's words mean for an obligation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meaning {
    /// Nothing is decided yet.
    Wait,
    /// The bank knows more: ask it, with a pacs.028 or the profile's way to poll.
    Ask,
    /// The money left the gateway.
    Settled,
    /// The merchant has the money: `arrive`.
    Arrived,
    /// It is not paid, or came back before it arrived: `fail`.
    Failed,
    /// It had arrived and came back: `bounce`.
    Bounced,
    /// The bank cancelled it: `fail` with the reason FOCR.
    Recalled,
    /// A person decides.
    Held(HeldCause),
}

/// Why a person decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HeldCause {
    /// End-to-end id and UETR are not those of one payment.
    IdsDisagree,
    /// Another currency.
    Currency,
    /// Another amount, or none.
    Amount,
    /// The merchant was credited less charges.
    Charges,
    /// Another account, or the other direction.
    Account,
    /// Another amount came back than was paid.
    ReturnAmount,
    /// Rejected and paid at once.
    BothWords,
    /// Rejected for a reason that is not known here.
    UnknownReason,
}

impl fmt::Display for Meaning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Wait => "wait",
            Self::Ask => "ask",
            Self::Settled => "settled",
            Self::Arrived => "arrived",
            Self::Failed => "failed",
            Self::Bounced => "bounced",
            Self::Recalled => "recalled",
            Self::Held(cause) => return write!(formatter, "held: {cause}"),
        };
        formatter.write_str(text)
    }
}

impl fmt::Display for HeldCause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::IdsDisagree => "ids disagree",
            Self::Currency => "currency",
            Self::Amount => "amount",
            Self::Charges => "charges",
            Self::Account => "account",
            Self::ReturnAmount => "return amount",
            Self::BothWords => "both words",
            Self::UnknownReason => "unknown reason",
        })
    }
}

/// The bank's word that counts as an arrival, from its profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ArrivalProof {
    /// ACCC, or a booked credit of the merchant's account.
    #[default]
    Credited,
    /// ACSC or a booked debit as well: for banks that say no more.
    Settled,
}

/// One sending of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentSending {
    /// The id of the message that carried it; its payment information has the same id.
    pub message: Box<str>,
    /// Its unique reference.
    pub uetr: Uetr,
}

/// A payment that was handed to a bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedPayment {
    /// What is paid.
    pub obligation: Obligation,
    /// The amount that was ordered.
    pub amount: Amount,
    /// Its sendings, the first one first.
    pub sendings: Vec<PaymentSending>,
    /// The number of the gateway's account.
    pub gateway_account: Box<str>,
    /// The number of the merchant's account.
    pub merchant_account: Box<str>,
}

/// A bank's word, with the account that it is about.
#[derive(Debug, Clone, Copy)]
pub enum EvidenceWord<'a> {
    /// A status.
    Status(&'a StatusWord),
    /// A return.
    Return(&'a ReturnWord),
    /// An answer to a recall.
    Recall(&'a RecallWord),
    /// An entry of an account.
    Entry {
        /// The entry.
        entry: &'a BankEntry,
        /// The number of the account.
        account: &'a str,
    },
}

/// What words mean for a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The meaning.
    pub meaning: Meaning,
    /// The facts that it follows from.
    pub facts: FactSet,
    /// The reason on the chain, of a failure, a bounce or a recall.
    pub reason: Option<FailureReason>,
    /// The bank's own code of the reason.
    pub code: Option<Box<str>>,
    /// The bank's reference of the credit, the return or the rejection.
    pub reference: Option<Box<str>>,
}
