//! What a bank's words can mean for an obligation.

use std::fmt;

/// The meaning of a bank's words for an obligation.
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
    /// A person decides, for the stated cause.
    Held(HeldCause),
}

/// Why a person decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HeldCause {
    /// End-to-end id and UETR are not those of one payment.
    IdsDisagree,
    /// The currency is not that of the obligation.
    Currency,
    /// The amount is not that of the payment, or is missing.
    Amount,
    /// The merchant was credited less charges.
    Charges,
    /// The account is another, or the direction is the other one.
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
