//! The fates of payments at the bank.

use serde::{Deserialize, Serialize};

/// The fate of a payment at the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentFate {
    /// The merchant is credited, and statuses say so.
    Credited,
    /// The merchant is credited, and only its account says so.
    CreditedByEntry,
    /// The account is closed (AC04): no money moves.
    Rejected,
    /// The gateway's account lacks the money (AM04): no money moves; the same may be paid later.
    Unfunded,
    /// It is settled, and comes back before the merchant has it.
    Returned,
    /// The merchant is credited, and the money comes back later.
    Bounced,
    /// The merchant is credited with another amount.
    WrongAmount,
    /// The merchant is credited, and the bank never says anything of it.
    Silent,
    /// The bank works on it until somebody asks for it back, and cancels it then.
    Waiting,
    /// The merchant is credited, and the bank says in one message that it is and that it is not.
    Contradicted,
}

impl PaymentFate {
    /// Every fate, in the order of their names.
    pub const ALL: [Self; 10] = [
        Self::Credited,
        Self::CreditedByEntry,
        Self::Rejected,
        Self::Unfunded,
        Self::Returned,
        Self::Bounced,
        Self::WrongAmount,
        Self::Silent,
        Self::Waiting,
        Self::Contradicted,
    ];

    /// Returns the name, as the journal and the command line write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Credited => "credited",
            Self::CreditedByEntry => "credited-by-entry",
            Self::Rejected => "rejected",
            Self::Unfunded => "unfunded",
            Self::Returned => "returned",
            Self::Bounced => "bounced",
            Self::WrongAmount => "wrong-amount",
            Self::Silent => "silent",
            Self::Waiting => "waiting",
            Self::Contradicted => "contradicted",
        }
    }

    /// Returns true if money leaves the gateway's account at once.
    pub const fn has_moved_money(self) -> bool {
        !matches!(self, Self::Rejected | Self::Unfunded | Self::Waiting)
    }

    /// Returns true if the money comes back by itself.
    pub const fn has_return(self) -> bool {
        matches!(self, Self::Returned | Self::Bounced)
    }
}
