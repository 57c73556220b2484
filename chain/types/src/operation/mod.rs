//! The items that batches carry. Each is a packed little-endian struct whose bytes are its
//! canonical form, so that it is read in place; a batch holds items of one kind only.
//!
//! Spare bytes are zero and are refused otherwise, so that a later meaning cannot be smuggled in.

mod fx;
mod governance;
mod item;
mod lines;
mod liquidity;
mod orders;
mod reasons;
mod risk;
mod settlement;

pub use fx::{QuoteItem, RateItem};
pub use governance::{
    ApprovalItem, CHANGE_BYTES_MAX, LISTED_BYTES_MAX, LISTED_CHANGES_MAX, ListedChangeItem,
    MERCHANT_BYTES_MAX, MerchantItem, ProposalItem,
};
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

use crate::numbered;

numbered! {
    /// The decision of a checker, a risk desk or an operator.
    Decision: u16, name {
        /// The proposal is approved, or the order released.
        Approve = 1, "approve";
        /// The proposal or the order is refused.
        Refuse = 2, "refuse";
    }
}

numbered! {
    /// The effect of a transfer on its account.
    TransferAction: u16, name {
        /// Money came in from outside.
        Deposit = 1, "deposit";
        /// Money leaves the account for its owner's bank.
        Withdraw = 2, "withdraw";
        /// The net debit cap becomes the amount.
        Cap = 3, "cap";
    }
}

numbered! {
    /// The subject of a risk policy.
    PolicyScope: u16, name {
        /// The orders of the whole scheme.
        Scheme = 0, "scheme";
        /// The orders that one gateway collects.
        Gateway = 1, "gateway";
        /// The orders to one merchant.
        Merchant = 2, "merchant";
    }
}
