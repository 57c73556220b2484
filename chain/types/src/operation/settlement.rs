//! What paying gateways and settlement agents say of instructions and windows.

use zerocopy::little_endian::{U16, U64};

use super::item;
use crate::ids::{InstructionId, MerchantId, WindowId};
use crate::units::Currency;

item! {
    /// A paying gateway's word that an instruction's money was credited: 64 bytes.
    ArrivalItem: 64, Arrival {
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
}

item! {
    /// A paying gateway's word that an instruction could not be paid: 64 bytes.
    FailureItem: 64, Failure {
        /// The instruction's window.
        pub window: U64,
        /// The instruction's merchant.
        pub merchant: U64,
        /// The instruction's currency.
        pub currency: U16,
        /// Why: see [`crate::FailureReason`].
        pub reason: U16,
        /// The bank's reference of the refusal.
        pub reference: [u8; 32],
        /// Zero.
        pub spare: [u8; 12],
    }
}

item! {
    /// A settlement agent's word that a failed instruction can be paid now: 64 bytes.
    ReinstructItem: 64, Reinstruct {
        /// The instruction's window.
        pub window: U64,
        /// The instruction's merchant.
        pub merchant: U64,
        /// The instruction's currency.
        pub currency: U16,
        /// The agent's reference.
        pub reference: [u8; 32],
        /// Zero.
        pub spare: [u8; 14],
    }
}

item! {
    /// The maker's word that the banks have settled a window's nets: 96 bytes.
    SettleWindowItem: 96, SettleWindow {
        /// The closed window.
        pub window: U64,
        /// The digest of the window's report, so that the maker signs what the banks moved.
        pub digest: [u8; 32],
        /// The reference of the settlement, such as that of the central bank's system.
        pub reference: [u8; 32],
        /// Zero.
        pub spare: [u8; 24],
    }
}

item! {
    /// The checker's decision about a proposed settlement: 96 bytes.
    SettlementDecisionItem: 96, SettlementDecision {
        /// The closed window.
        pub window: U64,
        /// See [`crate::Decision`].
        pub decision: U16,
        /// The digest of the window's report again, so that the checker signs what it checked.
        pub digest: [u8; 32],
        /// The maker's reference again.
        pub reference: [u8; 32],
        /// Zero.
        pub spare: [u8; 22],
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

impl ReinstructItem {
    /// The instruction that failed.
    pub fn instruction(&self) -> InstructionId {
        instruction(self.window, self.merchant, self.currency)
    }
}

impl SettleWindowItem {
    /// The closed window.
    pub fn window(&self) -> WindowId {
        WindowId(self.window.get())
    }
}

impl SettlementDecisionItem {
    /// The closed window.
    pub fn window(&self) -> WindowId {
        WindowId(self.window.get())
    }
}

fn instruction(window: U64, merchant: U64, currency: U16) -> InstructionId {
    InstructionId {
        window: WindowId(window.get()),
        merchant: MerchantId(merchant.get()),
        currency: Currency(currency.get()),
    }
}
