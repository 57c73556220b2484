//! A payment that was handed to a bank, and a word of the bank about it.

use chain_types::Amount;

use crate::ids::{Obligation, Uetr};
use crate::words::{BankEntry, RecallWord, ReturnWord, StatusWord};

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
    /// Its unique end-to-end transaction reference (UETR).
    pub uetr: Uetr,
}

/// A payment that was handed to a bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedPayment {
    /// The obligation that it pays.
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
    /// A status of a pain.002 or pacs.002.
    Status(&'a StatusWord),
    /// A return of a pacs.004.
    Return(&'a ReturnWord),
    /// An answer to a recall.
    Recall(&'a RecallWord),
    /// An entry of an account.
    Entry {
        /// The entry, with its details.
        entry: &'a BankEntry,
        /// The number of the account.
        account: &'a str,
    },
}
