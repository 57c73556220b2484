//! The items that batches carry. Each is a packed little-endian struct whose bytes are its
//! canonical form, so that it is read in place; a batch holds items of one kind only.
//!
//! Spare bytes are zero and are refused otherwise, so that a later meaning cannot be smuggled in.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::ids::{InstructionId, MerchantId, OrderId, ParticipantId, WindowId};
use crate::units::{Amount, Currency};

/// Bits of [`RechargeItem::flags`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags;

impl Flags {
    /// Submit and collect in one step: only the collecting gateway itself may say so.
    pub const COLLECTED: u16 = 1;
    /// Every bit that has a meaning.
    pub const KNOWN: u16 = Self::COLLECTED;
}

/// One recharge order: 128 bytes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct RechargeItem {
    /// The order's id, a UUIDv7.
    pub order_id: [u8; 16],
    /// The user's pseudonym: a keyed hash made by the recharge service; no personal data.
    pub user: [u8; 16],
    /// The merchant who is paid.
    pub merchant: U64,
    /// The gateway that debits the user.
    pub collecting_gateway: U32,
    /// What the user pays, in minor units of `currency`. Not zero.
    pub amount: U64,
    /// What the user pays in: ISO 4217 numeric.
    pub currency: U16,
    /// What the merchant is paid in: ISO 4217 numeric.
    pub payout_currency: U16,
    /// See [`Flags`].
    pub flags: U16,
    /// The FX quote to convert at; zero when the currencies are the same.
    pub fx_quote: U64,
    /// The least the merchant may be paid, in minor units of `payout_currency`; zero for no bound.
    pub payout_minimum: U64,
    /// A keyed hash of the user's device, for risk; zero when unknown.
    pub device: U64,
    /// A keyed hash of the user's network, for risk; zero when unknown.
    pub network: U64,
    /// The recharge service's own reference; opaque to the chain.
    pub external_reference: [u8; 32],
    /// Zero.
    pub spare: [u8; 6],
}

/// A collecting gateway's word that the user was debited: 64 bytes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct CollectItem {
    /// The reserved order.
    pub order_id: [u8; 16],
    /// The gateway's reference of the debit.
    pub reference: [u8; 32],
    /// Zero.
    pub spare: [u8; 16],
}

/// The recharge service's or the collecting gateway's word that an order will not happen: 64 bytes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct VoidItem {
    /// The reserved order.
    pub order_id: [u8; 16],
    /// Why: see [`VoidReason`].
    pub reason: U16,
    /// The sender's reference.
    pub reference: [u8; 32],
    /// Zero.
    pub spare: [u8; 14],
}

/// A paying gateway's word that an instruction's money was credited: 64 bytes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct ArrivalItem {
    /// The instruction's window.
    pub window: U64,
    /// The instruction's merchant.
    pub merchant: U64,
    /// The amount credited: exactly the instruction's.
    pub amount: U64,
    /// The instruction's currency.
    pub currency: U16,
    /// The bank's reference of the credit.
    pub reference: [u8; 32],
    /// Zero.
    pub spare: [u8; 6],
}

/// A paying gateway's word that an instruction could not be paid: 64 bytes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct FailureItem {
    /// The instruction's window.
    pub window: U64,
    /// The instruction's merchant.
    pub merchant: U64,
    /// The instruction's currency.
    pub currency: U16,
    /// Why: see [`FailureReason`].
    pub reason: U16,
    /// The bank's reference of the refusal.
    pub reference: [u8; 32],
    /// Zero.
    pub spare: [u8; 12],
}

const _: () = assert!(size_of::<RechargeItem>() == 128);
const _: () = assert!(size_of::<CollectItem>() == 64);
const _: () = assert!(size_of::<VoidItem>() == 64);
const _: () = assert!(size_of::<ArrivalItem>() == 64);
const _: () = assert!(size_of::<FailureItem>() == 64);

impl RechargeItem {
    /// The order's id.
    pub fn order_id(&self) -> OrderId {
        OrderId(self.order_id)
    }

    /// The merchant who is paid.
    pub fn merchant(&self) -> MerchantId {
        MerchantId(self.merchant.get())
    }

    /// The gateway that debits the user.
    pub fn collecting_gateway(&self) -> ParticipantId {
        ParticipantId(self.collecting_gateway.get())
    }

    /// What the user pays.
    pub fn amount(&self) -> Amount {
        Amount(self.amount.get())
    }

    /// What the user pays in.
    pub fn currency(&self) -> Currency {
        Currency(self.currency.get())
    }

    /// What the merchant is paid in.
    pub fn payout_currency(&self) -> Currency {
        Currency(self.payout_currency.get())
    }

    /// Whether the order is submitted and collected in one step.
    pub fn is_collected(&self) -> bool {
        self.flags.get() & Flags::COLLECTED != 0
    }
}

impl CollectItem {
    /// The reserved order.
    pub fn order_id(&self) -> OrderId {
        OrderId(self.order_id)
    }
}

impl VoidItem {
    /// The reserved order.
    pub fn order_id(&self) -> OrderId {
        OrderId(self.order_id)
    }
}

impl ArrivalItem {
    /// The instruction that was paid.
    pub fn instruction(&self) -> InstructionId {
        instruction(self.window, self.merchant, self.currency)
    }
}

impl FailureItem {
    /// The instruction that could not be paid.
    pub fn instruction(&self) -> InstructionId {
        instruction(self.window, self.merchant, self.currency)
    }
}

fn instruction(window: U64, merchant: U64, currency: U16) -> InstructionId {
    InstructionId {
        window: WindowId(window.get()),
        merchant: MerchantId(merchant.get()),
        currency: Currency(currency.get()),
    }
}

macro_rules! reasons {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal, $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum $name { $($(#[$variant_doc])* $variant = $number,)* }

        impl $name {
            /// Every reason, in order of its number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The reason of a frozen number.
            pub fn from_number(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// The frozen number.
            pub fn number(self) -> u16 {
                self as u16
            }

            /// The ISO 20022 external status reason code that is nearest in meaning.
            pub fn iso_code(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

reasons! {
    /// Why a reserved order was voided.
    VoidReason {
        /// The user's bank refused the debit.
        DebitRefused = 1, "AM04";
        /// The user gave up.
        CustomerCancelled = 2, "CUST";
        /// The gateway could not reach the user's bank in time.
        BankUnavailable = 3, "AB08";
    }
}

reasons! {
    /// Why an instruction could not be paid.
    FailureReason {
        /// The merchant's account does not exist.
        AccountUnknown = 1, "AC01";
        /// The merchant's account is closed.
        AccountClosed = 2, "AC04";
        /// The merchant's account is blocked.
        AccountBlocked = 3, "AC06";
        /// The paying gateway's own systems failed.
        BankUnavailable = 4, "AB08";
    }
}
