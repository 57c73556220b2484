//! Items of settlement agents about money that comes from or goes outside: maker and checker.

use zerocopy::little_endian::{U16, U64};

use super::item::item;
use crate::account::{AccountKey, AccountKind};
use crate::ids::TransferId;
use crate::units::{Amount, Currency};

item! {
    /// The maker's proposal of a deposit, a withdrawal or a net debit cap: 96 bytes.
    TransferItem: 96 {
        /// The transfer's id, a UUIDv7.
        pub transfer_id: [u8; 16] = TransferId,
        /// The number of a [`crate::TransferAction`].
        pub action: U16,
        /// The kind of the account: the number of an account kind.
        pub account_kind: U16,
        /// The account's owner: a participant's or a merchant's id, by kind.
        pub owner: U64,
        /// The account's currency: ISO 4217 numeric.
        pub currency: U16 => Currency,
        /// How much, in minor units; of a cap, the new cap.
        pub amount: U64 => Amount,
        /// The reference of the money outside.
        pub reference: [u8; 32],
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 26],
    }
}

item! {
    /// The checker's decision about a transfer: 64 bytes.
    TransferDecisionItem: 64 {
        /// The id of the transfer that is decided.
        pub transfer_id: [u8; 16] = TransferId,
        /// The number of a [`crate::Decision`].
        pub decision: U16,
        /// The transfer's action again, so that the checker signs what it checked.
        pub action: U16,
        /// The transfer's amount again.
        pub amount: U64,
        /// The reference of the checker, 32 bytes.
        pub reference: [u8; 32],
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 4],
    }
}

impl TransferItem {
    /// Returns the account; `None` when no account kind has the number that the item names.
    pub fn account(&self) -> Option<AccountKey> {
        let kind = AccountKind::from_number(u8::try_from(self.account_kind.get()).ok()?)?;
        let currency = Currency::new(self.currency.get());
        Some(AccountKey { kind, owner: self.owner.get(), currency })
    }
}
