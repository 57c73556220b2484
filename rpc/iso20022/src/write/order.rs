//! What a message to a bank is made of: the payments, and what is wrong with them.

use chain_types::{Amount, Currency, TimeMs};
use jiff::civil::Date;

use crate::account::BankParty;
use crate::amount::{AmountFlaw, sum_text};
use crate::ids::{MessageId, Obligation, Uetr};
use crate::text::CharacterSet;

/// Payments of one message.
pub const PAYMENTS_MAX: usize = 10_000;
/// Characters of a name (`Max140Text`); older networks carry 70.
pub const NAME_CHARACTERS_MAX: usize = 140;

/// A message, ready to be handed to the bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenMessage {
    /// The message's name and version, such as `pain.001.001.09`.
    pub name: &'static str,
    /// Its id: a hash of the content.
    pub id: MessageId,
    /// The document: XML in UTF-8.
    pub xml: String,
}

/// Why a message cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// There is nothing to say, or too much for one message.
    #[error("{0} payments in one message: write 1 to {PAYMENTS_MAX}")]
    Payments(usize),
    /// An amount is zero.
    #[error("the amount of {0} is zero")]
    Zero(String),
    /// An amount cannot be written.
    #[error(transparent)]
    Amount(#[from] AmountFlaw),
    /// A payment is of another currency than its message.
    #[error("{id} is of currency {actual}, in a message of {expected}")]
    Currency {
        /// The payment's end-to-end id.
        id: String,
        /// The code of the payment's currency.
        actual: String,
        /// The code of the message's currency.
        expected: String,
    },
    /// Two payments of a message have one end-to-end id.
    #[error("{0} stands in the message twice")]
    Twice(String),
    /// The time or the date has no form in ISO 8601 with four digits of a year.
    #[error("{0} is not a time of the years 1970 to 9999")]
    Time(String),
    /// A code of the bank's profile has another form.
    #[error("{0:?} is not a code of ISO 20022 of 1 to 4 letters or digits")]
    Code(String),
}

/// The side that pays the banks' charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChargeBearer {
    /// The gateway, so that the whole amount arrives.
    #[default]
    Debtor,
    /// Each side its own bank's.
    Shared,
    /// The side that the service level names.
    ServiceLevel,
}

impl ChargeBearer {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Debtor => "DEBT",
            Self::Shared => "SHAR",
            Self::ServiceLevel => "SLEV",
        }
    }
}

/// One payment of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingPayment {
    /// The obligation that it pays.
    pub obligation: Obligation,
    /// The number of times that it was sent before.
    pub resend: u16,
    /// The amount, in minor units of the message's currency.
    pub amount: Amount,
    /// The merchant, with its account and bank.
    pub creditor: BankParty,
    /// A text for the merchant; nothing if it is empty.
    pub remittance: String,
}

/// Payments of one currency out of one account on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentOrder {
    /// The time at which the order was planned. It is part of the content: a file that is made
    /// again states it again.
    pub created: TimeMs,
    /// The day on which the bank shall pay.
    pub execution: Date,
    /// The currency of account and payments.
    pub currency: Currency,
    /// The gateway, with its account and bank.
    pub debtor: BankParty,
    /// The side that pays the banks' charges.
    pub charges: ChargeBearer,
    /// The service level's code, where the bank's profile has one, such as `SEPA` or `URGP`.
    pub service_level: Option<String>,
    /// The characters that the bank carries.
    pub characters: CharacterSet,
    /// Characters of a name: 140, or 70 where the bank's network carries no more.
    pub name_characters_max: usize,
    /// The payments, at least one.
    pub payments: Vec<OutgoingPayment>,
}

impl PaymentOrder {
    /// Returns the sum of the payments as the message writes it.
    pub(super) fn sum(&self) -> Result<String, WriteError> {
        let sum = self.payments.iter().map(|payment| u128::from(payment.amount.get())).sum();
        Ok(sum_text(sum, self.currency)?)
    }

    pub(super) fn check(&self) -> Result<(), WriteError> {
        check_count(self.payments.len())?;
        if let Some(code) = &self.service_level {
            check_code(code)?;
        }
        let mut ids = std::collections::BTreeSet::new();
        for payment in &self.payments {
            let id = payment.obligation.end_to_end_id();
            if payment.amount.get() == 0 {
                return Err(WriteError::Zero(id.to_string()));
            }
            if id.instruction.currency != self.currency {
                let actual = id.instruction.currency.code_or_number();
                let expected = self.currency.code_or_number();
                return Err(WriteError::Currency { id: id.to_string(), actual, expected });
            }
            if !ids.insert(id) {
                return Err(WriteError::Twice(id.to_string()));
            }
        }
        Ok(())
    }
}

/// A payment that was handed to the bank, as later messages name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentPayment {
    /// The obligation that was paid.
    pub obligation: Obligation,
    /// The number of the sending, from 0.
    pub resend: u16,
    /// The message that carried it.
    pub message: MessageId,
    /// The name of that message, such as `pain.001.001.09`.
    pub message_name: &'static str,
}

impl SentPayment {
    pub(super) fn uetr(&self) -> Uetr {
        self.obligation.uetr(self.resend)
    }
}

pub(super) fn check_count(payments: usize) -> Result<(), WriteError> {
    if (1..=PAYMENTS_MAX).contains(&payments) {
        Ok(())
    } else {
        Err(WriteError::Payments(payments))
    }
}

pub(super) fn check_code(code: &str) -> Result<(), WriteError> {
    let is_code = (1..=4).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if is_code { Ok(()) } else { Err(WriteError::Code(code.chars().take(8).collect())) }
}
