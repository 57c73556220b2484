//! Items of paying gateways and settlement agents about instructions and windows.

use zerocopy::little_endian::{U16, U64};

use super::item::item;
use crate::ids::{InstructionId, MerchantId, WindowId};
use crate::units::{Amount, Currency};

item! {
    /// A paying gateway's word that an instruction's money was credited: 64 bytes.
    ArrivalItem: 64 {
        /// The number of the instruction's window.
        pub window: U64,
        /// The id of the instruction's merchant.
        pub merchant: U64,
        /// The amount credited: exactly the instruction's.
        pub amount: U64,
        /// The currency of the instruction: ISO 4217 numeric.
        pub currency: U16,
        /// The bank's reference of the credit.
        pub reference: [u8; 32],
        /// The attempt under which it was paid.
        pub attempt: U16,
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 4],
    }
}

item! {
    /// A paying gateway's word that an instruction could not be paid: 64 bytes.
    FailureItem: 64 {
        /// The number of the instruction's window.
        pub window: U64,
        /// The id of the instruction's merchant.
        pub merchant: U64,
        /// The currency of the instruction: ISO 4217 numeric.
        pub currency: U16,
        /// The reason: the number of a [`crate::FailureReason`].
        pub reason: U16,
        /// The bank's reference of the refusal.
        pub reference: [u8; 32],
        /// The attempt that failed.
        pub attempt: U16,
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 10],
    }
}

item! {
    /// A settlement agent's word that a failed instruction can be paid now: 64 bytes.
    ReinstructItem: 64 {
        /// The number of the instruction's window.
        pub window: U64,
        /// The id of the instruction's merchant.
        pub merchant: U64,
        /// The currency of the instruction: ISO 4217 numeric.
        pub currency: U16,
        /// The reference of the agent, 32 bytes.
        pub reference: [u8; 32],
        /// The attempt that failed.
        pub attempt: U16,
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 12],
    }
}

item! {
    /// A paying gateway's word that an instruction's money came back after its arrival, or that the
    /// arrival was attested by mistake: 64 bytes.
    BounceItem: 64 {
        /// The number of the instruction's window.
        pub window: U64,
        /// The id of the instruction's merchant.
        pub merchant: U64,
        /// The currency of the instruction: ISO 4217 numeric.
        pub currency: U16,
        /// The reason: the number of a [`crate::FailureReason`].
        pub reason: U16,
        /// The bank's reference of the return.
        pub reference: [u8; 32],
        /// The attempt that had arrived.
        pub attempt: U16,
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 10],
    }
}

item! {
    /// A settlement agent's request that an outstanding instruction shall not be paid: 64 bytes.
    RecallItem: 64 {
        /// The number of the instruction's window.
        pub window: U64,
        /// The id of the instruction's merchant.
        pub merchant: U64,
        /// The currency of the instruction: ISO 4217 numeric.
        pub currency: U16,
        /// The reference of the agent, 32 bytes.
        pub reference: [u8; 32],
        /// The attempt that is recalled.
        pub attempt: U16,
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 12],
    }
}

item! {
    /// A settlement agent's word that an instruction's paying gateway is absent and the instruction
    /// has failed; it counts once a second agent says the same: 64 bytes.
    StepInItem: 64 {
        /// The number of the instruction's window.
        pub window: U64,
        /// The id of the instruction's merchant.
        pub merchant: U64,
        /// The currency of the instruction: ISO 4217 numeric.
        pub currency: U16,
        /// The reason: the number of a [`crate::FailureReason`].
        pub reason: U16,
        /// The reference of the agent, 32 bytes.
        pub reference: [u8; 32],
        /// The attempt that is ended.
        pub attempt: U16,
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 10],
    }
}

item! {
    /// The maker's word that the banks have settled a window's nets: 96 bytes.
    SettleWindowItem: 96 {
        /// The number of the closed window.
        pub window: U64 => WindowId,
        /// The digest of the window's report, so that the maker signs what the banks moved.
        pub digest: [u8; 32],
        /// The reference of the settlement, such as that of the central bank's system.
        pub reference: [u8; 32],
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 24],
    }
}

item! {
    /// The checker's decision about a proposed settlement: 96 bytes.
    SettlementDecisionItem: 96 {
        /// The number of the closed window.
        pub window: U64 => WindowId,
        /// The number of a [`crate::Decision`].
        pub decision: U16,
        /// The digest of the window's report again, so that the checker signs what it checked.
        pub digest: [u8; 32],
        /// The maker's reference again.
        pub reference: [u8; 32],
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 22],
    }
}

macro_rules! of_instructions {
    ($($name:ident($($field:ident: $type:ty = $value:expr)?))*) => {
        $(impl $name {
            /// Says it of an attempt of an instruction.
            pub fn new(
                id: InstructionId,
                $($field: $type,)?
                reference: [u8; 32],
                attempt: u16,
            ) -> Self {
                Self {
                    window: id.window.get().into(),
                    merchant: id.merchant.get().into(),
                    currency: id.currency.get().into(),
                    $($field: $value.into(),)?
                    reference,
                    attempt: attempt.into(),
                    ..Self::default()
                }
            }

            /// The instruction that it is about.
            pub fn instruction(&self) -> InstructionId {
                instruction(self.window, self.merchant, self.currency)
            }
        })*
    };
}

of_instructions! {
    ArrivalItem(amount: Amount = amount.get())
    FailureItem(reason: u16 = reason)
    ReinstructItem()
    BounceItem(reason: u16 = reason)
    RecallItem()
    StepInItem(reason: u16 = reason)
}

fn instruction(window: U64, merchant: U64, currency: U16) -> InstructionId {
    InstructionId {
        window: WindowId::new(window.get()),
        merchant: MerchantId::new(merchant.get()),
        currency: Currency::new(currency.get()),
    }
}
