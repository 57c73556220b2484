//! What gateways and FX providers say of how much others may reserve on their accounts.

use zerocopy::little_endian::{U16, U32, U64};

use super::item;
use crate::ids::ParticipantId;
use crate::units::{Amount, Currency};

item! {
    /// How much a participant may have reserved on one of the submitter's accounts at a time: 64
    /// bytes.
    LineItem: 64, Line {
        /// Which account of the submitter: see [`crate::LineAccount`].
        pub account: U16,
        /// Who may reserve on it.
        pub holder: U32,
        /// The account's currency: ISO 4217 numeric.
        pub currency: U16,
        /// The most that its open reservations may sum up to, in minor units; zero ends the line.
        pub limit: U64,
        /// Zero.
        pub spare: [u8; 48],
    }
}

impl LineItem {
    /// Who may reserve.
    pub fn holder(&self) -> ParticipantId {
        ParticipantId(self.holder.get())
    }

    /// The account's currency.
    pub fn currency(&self) -> Currency {
        Currency(self.currency.get())
    }

    /// The most that may be outstanding.
    pub fn limit(&self) -> Amount {
        Amount(self.limit.get())
    }
}
