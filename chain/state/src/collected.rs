//! What orders add up to once they are collected: for a merchant in a currency, and by due time.

use bincode::{Decode, Encode};
use chain_types::{Amount, Currency, MerchantId, ParticipantId, TimeMs};

/// The sums collected for one merchant in one currency: one instruction at the close.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Collected {
    /// The sum, in minor units.
    pub amount: Amount,
    /// How many orders were collected, also those that went back since.
    pub order_count: u64,
}

impl Collected {
    /// The sum of one order.
    pub fn first(order: &CollectedOrder) -> Self {
        Self { amount: order.amount, order_count: 1 }
    }

    /// This and one more order; `None` when the sum would not fit one instruction.
    pub fn with(self, order: &CollectedOrder) -> Option<Self> {
        let amount = Amount::new(self.amount.get().checked_add(order.amount.get())?);
        Some(Self { amount, order_count: self.order_count + 1 })
    }
}

/// Orders of a merchant that have one due time: accepted in one block and collected in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct DueKey {
    /// The merchant who is paid.
    pub merchant: MerchantId,
    /// The currency that they pay.
    pub currency: Currency,
    /// Block time of their acceptance.
    pub accepted: TimeMs,
    /// Block time of their collection.
    pub collected: TimeMs,
    /// True if they were converted.
    pub is_cross_border: bool,
}

/// The sum left to be paid of such orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Due {
    /// The sum, in minor units.
    pub amount: Amount,
    /// How many orders it is of.
    pub order_count: u64,
    /// The gateway that collected the first of them.
    pub gateway: ParticipantId,
    /// The last block time at which their arrival is in time.
    pub deadline: TimeMs,
}

/// One order at the moment of its collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CollectedOrder {
    /// The merchant who is paid.
    pub merchant: MerchantId,
    /// The gateway that collected it.
    pub gateway: ParticipantId,
    /// How much the merchant is paid, in minor units.
    pub amount: Amount,
    /// The currency of the order.
    pub currency: Currency,
    /// Block time of its acceptance.
    pub accepted: TimeMs,
    /// The last block time at which its arrival is in time.
    pub deadline: TimeMs,
    /// True if it was converted.
    pub is_cross_border: bool,
}
