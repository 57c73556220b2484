//! Items of risk desks: policies, and decisions about held orders.

use zerocopy::little_endian::{U16, U64};

use super::item::item;
use crate::ids::OrderId;
use crate::units::Currency;

item! {
    /// A risk desk's decision about a held order: 64 bytes.
    HoldDecisionItem: 64 {
        /// The id of the held order.
        pub order_id: [u8; 16] = OrderId,
        /// See [`crate::Decision`]: approve releases it.
        pub decision: U16,
        /// The reason: the number of a [`crate::HoldReason`].
        pub reason: U16,
        /// The reference of the desk, 32 bytes.
        pub reference: [u8; 32],
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 12],
    }
}

item! {
    /// A risk desk's limits for a scope and currency, in minor units; zero means none: 64 bytes.
    PolicyItem: 64 {
        /// The number of a [`crate::PolicyScope`].
        pub scope: U16,
        /// Zero for the scheme; a gateway's or merchant's id.
        pub subject: U64,
        /// The currency that is collected: ISO 4217 numeric.
        pub currency: U16 => Currency,
        /// The largest amount of one order.
        pub order_max: U64,
        /// The largest sum of a user's orders of a day; the scheme's scope only.
        pub user_day_max: U64,
        /// The largest sum of the subject's orders of a day; not the scheme's scope.
        pub day_max: U64,
        /// Orders above this are held.
        pub hold_above: U64,
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 20],
    }
}
