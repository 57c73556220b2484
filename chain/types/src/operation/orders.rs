//! Items of services and collecting gateways about orders.

use zerocopy::little_endian::{U16, U32, U64};

use super::item::item;
use crate::ids::{MerchantId, OrderId, ParticipantId, QuoteId};
use crate::units::{Amount, Currency};

/// The bits that [`RechargeItem::flags`] may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags;

impl Flags {
    /// Submit and collect in one step: only the collecting gateway itself may say so.
    pub const COLLECTED: u16 = 1;
    /// Every bit that has a meaning.
    pub const KNOWN: u16 = Self::COLLECTED;
}

item! {
    /// One recharge order: 128 bytes.
    RechargeItem: 128 {
        /// The order's id, a UUIDv7.
        pub order_id: [u8; 16] = OrderId,
        /// The user's pseudonym: a keyed hash made by the recharge service; no personal data.
        pub user: [u8; 16],
        /// The merchant who is paid.
        pub merchant: U64 => MerchantId,
        /// The gateway that debits the user.
        pub collecting_gateway: U32 => ParticipantId,
        /// The amount that the user pays, in minor units of `currency`. Not zero.
        pub amount: U64 => Amount,
        /// The currency that the user pays in: ISO 4217 numeric.
        pub currency: U16 => Currency,
        /// The currency that the merchant is paid in: ISO 4217 numeric.
        pub payout_currency: U16 => Currency,
        /// The sum of the [`Flags`] that are set.
        pub flags: U16,
        /// The FX quote to convert at; zero when the currencies are the same.
        pub fx_quote: U64,
        /// The least the merchant may be paid, in minor units of `payout_currency`; zero for no
        /// bound.
        pub payout_minimum: U64,
        /// A keyed hash of the user's device, for risk; zero when unknown.
        pub device: U64,
        /// A keyed hash of the user's network, for risk; zero when unknown.
        pub network: U64,
        /// The recharge service's own reference; opaque to the chain.
        pub external_reference: [u8; 32],
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 6],
    }
}

item! {
    /// A collecting gateway's word that the user was debited: 64 bytes.
    CollectItem: 64 {
        /// The id of the reserved order.
        pub order_id: [u8; 16] = OrderId,
        /// The gateway's reference of the debit.
        pub reference: [u8; 32],
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 16],
    }
}

item! {
    /// A collecting gateway's word that it debits the user now: from then on only that gateway
    /// collects or voids the order. 64 bytes.
    DebitingItem: 64 {
        /// The id of the reserved order.
        pub order_id: [u8; 16] = OrderId,
        /// The gateway's reference of the debit.
        pub reference: [u8; 32],
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 16],
    }
}

item! {
    /// The recharge service's or the collecting gateway's word that an order will not happen: 64
    /// bytes.
    VoidItem: 64 {
        /// The id of the reserved order.
        pub order_id: [u8; 16] = OrderId,
        /// The reason: the number of a [`crate::VoidReason`].
        pub reason: U16,
        /// The reference of the sender, 32 bytes.
        pub reference: [u8; 32],
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 14],
    }
}

item! {
    /// A gateway's word that money of a collected order goes back, and what that may cost it: 72
    /// bytes.
    ReturnItem: 72 {
        /// The id of the collected order.
        pub order_id: [u8; 16] = OrderId,
        /// How much of it, in minor units of its own currency. Not zero.
        pub amount: U64 => Amount,
        /// The most that who returns it pays for cashback that rested on it, in minor units of its
        /// own currency; zero pays nothing.
        pub rested_max: U64 => Amount,
        /// The reason: the number of a [`crate::ReturnReason`].
        pub reason: U16,
        /// The number of this return among the order's, from 1.
        pub sequence: U16,
        /// The reference of the bank, 32 bytes.
        pub reference: [u8; 32],
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 4],
    }
}

item! {
    /// The word of the other side that a collecting gateway may reverse an order: 64 bytes.
    ConsentItem: 64 {
        /// The id of the collected order.
        pub order_id: [u8; 16] = OrderId,
        /// How much of it may have gone back in all, in minor units of its own currency. Not zero.
        pub amount: U64 => Amount,
        /// The reference of the sender, 32 bytes.
        pub reference: [u8; 32],
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 8],
    }
}

impl RechargeItem {
    /// The FX quote that the order names, if any.
    pub fn quote(&self) -> Option<QuoteId> {
        (self.fx_quote.get() != 0).then_some(QuoteId::new(self.fx_quote.get()))
    }

    /// Returns true if the order is submitted and collected in one step.
    pub fn is_collected(&self) -> bool {
        self.flags.get() & Flags::COLLECTED != 0
    }
}
