//! The acts of the bank, as its journal keeps them. An act is a line: it counts whole or not at
//! all, and nothing is said of it before it is on disk.

use serde::{Deserialize, Serialize};

use crate::fate::PaymentFate;

/// A payment that the bank has taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankPayment {
    /// End-to-end id, as the order gives it.
    pub id: String,
    /// Unique reference (UETR), as the order gives it.
    pub uetr: String,
    /// The id of the message that carried it.
    pub message: String,
    /// The name and version of that message.
    pub message_name: String,
    /// The amount that was ordered, as the message wrote it.
    pub amount: String,
    /// Code of the currency, by ISO 4217.
    pub currency: String,
    /// The number of the gateway's account.
    pub gateway_account: String,
    /// The number of the merchant's account.
    pub merchant_account: String,
    /// The fate that was drawn.
    pub fate: PaymentFate,
    /// Reference under which the bank books it.
    pub reference: String,
}

/// Money that really moved, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedMoney {
    /// The time by the bank's clock, in milliseconds.
    pub time_ms: u64,
    /// The day by the bank's clock, in UTC.
    pub day: String,
    /// The payment's end-to-end id.
    pub id: String,
    /// The payment's unique reference.
    pub uetr: String,
    /// The id of the message that carried the payment.
    pub message: String,
    /// The amount in major units, as a decimal text.
    pub amount: String,
    /// Code of the currency, by ISO 4217.
    pub currency: String,
    /// The number of the account that was debited.
    pub from: String,
    /// The number of the account that was credited.
    pub to: String,
    /// True if it went back to the gateway.
    pub is_back: bool,
    /// Reference under which the bank books it.
    pub reference: String,
}

/// A file for the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankAnswer {
    /// The number of the file, which is also its name.
    pub number: u64,
    /// The time at which it is put into the folder, in milliseconds.
    pub due_ms: u64,
    /// The whole document, in XML.
    pub xml: String,
}

impl BankAnswer {
    /// Returns the name of the file.
    pub fn name(&self) -> String {
        format!("{:08}.xml", self.number)
    }
}

/// Money that will come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueReturn {
    /// A number that no other return has.
    pub number: u64,
    /// The time at which it comes back, in milliseconds.
    pub due_ms: u64,
    /// The payment's end-to-end id.
    pub id: String,
}

/// How far an account has been stated by a camt.053.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountClosing {
    /// The number of the account.
    pub account: String,
    /// The sequence number of the statement, from 1.
    pub number: u64,
    /// Movements of the whole journal that are behind it.
    pub moved: usize,
    /// The closing balance in units of 10^-5 of the currency, as a decimal text.
    pub closing: String,
}

/// The event that the bank decided about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecisionCause {
    /// A message was paid.
    Paid {
        /// The id of the message.
        message: String,
    },
    /// A message came again.
    Duplicate {
        /// The id of the message.
        message: String,
    },
    /// A message was rejected as a whole.
    Refused {
        /// The id of the message.
        message: String,
        /// ISO's code of the reason.
        code: String,
    },
    /// Somebody asked what became of payments.
    Asked {
        /// The payments' end-to-end ids.
        ids: Vec<String>,
    },
    /// Somebody asked for payments back.
    Recalled {
        /// The end-to-end ids of those that are cancelled.
        cancelled: Vec<String>,
    },
    /// Money of a payment came back.
    CameBack {
        /// The return that was due.
        due: DueReturn,
    },
    /// A statement of the accounts was made.
    Closed {
        /// The accounts, as they stand now.
        closings: Vec<AccountClosing>,
    },
    /// A file cannot be read.
    Unreadable {
        /// The name of the file.
        file: String,
        /// The flaw, in words.
        flaw: String,
    },
}

/// One decision of the bank, with all that follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankDecision {
    /// The event that the bank decided about.
    pub cause: DecisionCause,
    /// The first number that no file or reference has yet.
    pub next: u64,
    /// The time of the decision, in milliseconds.
    pub time_ms: u64,
    /// Bookings of money that moved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<MovedMoney>,
    /// Payments that were taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<BankPayment>,
    /// Money that will come back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returns: Vec<DueReturn>,
    /// Files for the gateway.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<BankAnswer>,
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BankAct {
    /// The first line of a journal.
    Opened {
        /// The seed of every draw.
        seed: u64,
    },
    /// A decision of the bank.
    Decided(Box<BankDecision>),
    /// Files are in the folder.
    Delivered {
        /// Numbers of the files that were delivered.
        numbers: Vec<u64>,
    },
}
