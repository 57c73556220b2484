//! The items that batches carry. Each is a packed little-endian struct whose bytes are its
//! canonical form, so that it is read in place; a batch holds items of one kind only.
//!
//! Spare bytes are zero and are refused otherwise, so that a later meaning cannot be smuggled in.

mod fx;
mod governance;
mod lines;
mod liquidity;
mod orders;
mod reasons;
mod risk;
mod settlement;

pub use fx::{QuoteItem, RateItem};
pub use governance::{ApprovalItem, CHANGE_BYTES_MAX, ProposalItem};
pub use lines::LineItem;
pub use liquidity::{TransferDecisionItem, TransferItem};
pub use orders::{
    CollectItem, ConsentItem, DebitingItem, Flags, RechargeItem, ReturnItem, VoidItem,
};
pub use reasons::{FailureReason, HoldReason, ReturnReason, VoidReason};
pub use risk::{HoldDecisionItem, PolicyItem};
pub use settlement::{
    ArrivalItem, BounceItem, FailureItem, RecallItem, ReinstructItem, SettleWindowItem,
    SettlementDecisionItem, StepInItem,
};

/// An item: a packed struct of a frozen size, and the batch kind that holds it.
macro_rules! item {
    ($(#[$doc:meta])* $name:ident: $bytes:literal, $kind:ident { $($fields:tt)* }) => {
        $(#[$doc])*
        #[derive(
            Debug,
            Clone,
            Copy,
            PartialEq,
            Eq,
            zerocopy::FromBytes,
            zerocopy::IntoBytes,
            zerocopy::Immutable,
            zerocopy::KnownLayout,
            zerocopy::Unaligned,
        )]
        #[repr(C)]
        pub struct $name { $($fields)* }

        const _: () = assert!(size_of::<$name>() == $bytes);
        const _: () = assert!(crate::BatchKind::$kind.item_bytes() == $bytes);

        impl crate::batch::BatchItem for $name {
            const KIND: crate::BatchKind = crate::BatchKind::$kind;
        }
    };
}
use item;

macro_rules! choices {
    (
        $(#[$doc:meta])*
        $name:ident {
            $($(#[$variant_doc:meta])* $variant:ident = $number:literal, $text:literal;)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum $name { $($(#[$variant_doc])* $variant = $number,)* }

        impl $name {
            /// Every choice, ascending by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The choice of a frozen number.
            pub fn from_number(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// The frozen number.
            pub const fn number(self) -> u16 {
                self as u16
            }

            /// The name that JSON uses.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl bincode::Encode for $name {
            fn encode<E: bincode::enc::Encoder>(
                &self,
                encoder: &mut E,
            ) -> Result<(), bincode::error::EncodeError> {
                bincode::Encode::encode(&self.number(), encoder)
            }
        }

        impl<Context> bincode::Decode<Context> for $name {
            fn decode<D: bincode::de::Decoder<Context = Context>>(
                decoder: &mut D,
            ) -> Result<Self, bincode::error::DecodeError> {
                let number: u16 = bincode::Decode::decode(decoder)?;
                Self::from_number(number).ok_or(bincode::error::DecodeError::Other(concat!(
                    "no ",
                    stringify!($name),
                    " has this number"
                )))
            }
        }

        bincode::impl_borrow_decode!($name);
    };
}

choices! {
    /// What a checker, a risk desk or an operator decides.
    Decision {
        /// Yes: approve, release.
        Approve = 1, "approve";
        /// No: refuse.
        Refuse = 2, "refuse";
    }
}

choices! {
    /// What a transfer does to its account.
    TransferAction {
        /// Money came in from outside.
        Deposit = 1, "deposit";
        /// Money goes out.
        Withdraw = 2, "withdraw";
        /// The net debit cap becomes the amount.
        Cap = 3, "cap";
    }
}

choices! {
    /// On which account of its owner a line is: the number is the account kind's.
    LineAccount {
        /// A gateway's liquidity, which an order's amount is reserved on.
        GatewayLiquidity = 1, "gateway-liquidity";
        /// An FX provider's position, which an order's payout is reserved on.
        FxPosition = 5, "fx-position";
    }
}

choices! {
    /// Whom a risk policy is about.
    PolicyScope {
        /// Everybody.
        Scheme = 0, "scheme";
        /// One collecting gateway.
        Gateway = 1, "gateway";
        /// One merchant.
        Merchant = 2, "merchant";
    }
}
