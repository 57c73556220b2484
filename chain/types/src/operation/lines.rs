//! Items of gateways and FX providers: how much others may reserve on their accounts.

use zerocopy::little_endian::{U16, U32, U64};

use super::item::item;
use crate::ids::ParticipantId;
use crate::units::{Amount, Currency};

item! {
    /// How much a participant may have reserved on one of the submitter's accounts at a time: 64
    /// bytes.
    LineItem: 64 {
        /// The account of the submitter: the number of a [`crate::LineAccount`].
        pub account: U16,
        /// The participant id of the party that may reserve on the account.
        pub holder: U32 => ParticipantId,
        /// The account's currency: ISO 4217 numeric.
        pub currency: U16 => Currency,
        /// The most that its open reservations may sum up to, in minor units; zero ends the line.
        pub limit: U64 => Amount,
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 48],
    }
}
