//! The kinds of batches: their items, their bounds, and who may submit them.

use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use crate::numbered;
use crate::operation::{
    ApprovalItem, ArrivalItem, BounceItem, CollectItem, ConsentItem, DebitingItem, FailureItem,
    HoldDecisionItem, LISTED_CHANGES_MAX, LineItem, ListedChangeItem, MerchantItem, PolicyItem,
    ProposalItem, QuoteItem, RateItem, RecallItem, RechargeItem, ReinstructItem, ReturnItem,
    SettleWindowItem, SettlementDecisionItem, StepInItem, TransferDecisionItem, TransferItem,
    VoidItem,
};
use crate::parameters::BATCH_ITEMS_MAX;
use crate::registry::Roles;

/// Ties an item's type to its batch kind.
pub trait BatchItem {
    /// The kind of the batches that hold it.
    const KIND: BatchKind;
}

/// The kinds, each once: number, item, bytes of an item, most items, roles, name.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $number:literal, $item:ident, $bytes:literal, $most:expr, $roles:expr, $name:literal;)*) => {
        numbered! {
            /// The kind of a batch's items.
            BatchKind: u16, name { $($(#[$doc])* $kind = $number, $name;)* }
        }

        impl BatchKind {
            /// Bytes of one item.
            pub const fn item_bytes(self) -> usize {
                match self { $(Self::$kind => $bytes,)* }
            }

            /// The most items of one batch.
            pub const fn items_max(self) -> u32 {
                match self { $(Self::$kind => $most,)* }
            }

            /// The roles of which a submitter needs at least one.
            pub const fn roles(self) -> Roles {
                match self { $(Self::$kind => $roles,)* }
            }
        }

        /// A batch's items, read in place.
        #[derive(Debug, Clone, Copy)]
        pub enum Items<'a> { $($(#[$doc])* $kind(&'a [$item]),)* }

        impl<'a> Items<'a> {
            /// Reads the items of a checked batch in place.
            pub(super) fn read(kind: BatchKind, bytes: &'a [u8]) -> Self {
                match kind { $(BatchKind::$kind => Self::$kind(cast(bytes)),)* }
            }
        }

        $(
            const _: () = assert!(size_of::<$item>() == $bytes);

            impl BatchItem for $item {
                const KIND: BatchKind = BatchKind::$kind;
            }
        )*
    };
}

kinds! {
    /// Recharge orders, reserved or collected at once.
    Recharge = 1, RechargeItem, 128, BATCH_ITEMS_MAX, Roles::RECHARGE_SERVICE.and(Roles::GATEWAY), "recharge";
    /// Collections of reserved orders.
    Collect = 2, CollectItem, 64, BATCH_ITEMS_MAX, Roles::GATEWAY, "collect";
    /// Voids of reserved orders.
    Void = 3, VoidItem, 64, BATCH_ITEMS_MAX, Roles::RECHARGE_SERVICE.and(Roles::GATEWAY), "void";
    /// Arrivals of instructions' money.
    Arrival = 4, ArrivalItem, 64, BATCH_ITEMS_MAX, Roles::GATEWAY, "arrival";
    /// Failures of instructions' payments.
    Failure = 5, FailureItem, 64, BATCH_ITEMS_MAX, Roles::GATEWAY, "failure";
    /// Returns and reversals of collected orders.
    Return = 6, ReturnItem, 72, 1_024, Roles::GATEWAY.and(Roles::SETTLEMENT_AGENT), "return";
    /// Failed instructions that are given again.
    Reinstruct = 7, ReinstructItem, 64, BATCH_ITEMS_MAX, Roles::SETTLEMENT_AGENT, "reinstruct";
    /// Settlements of windows, proposed.
    SettleWindow = 8, SettleWindowItem, 96, 1_024, Roles::SETTLEMENT_AGENT, "settle-window";
    /// Deposits, withdrawals and caps, proposed.
    Transfer = 9, TransferItem, 96, 1_024, Roles::SETTLEMENT_AGENT, "transfer";
    /// Deposits, withdrawals and caps, decided.
    TransferDecision = 10, TransferDecisionItem, 64, 1_024, Roles::SETTLEMENT_AGENT.and(Roles::SETTLEMENT_OPERATOR), "transfer-decision";
    /// Rates of FX providers.
    Rate = 11, RateItem, 64, 1_024, Roles::FX_PROVIDER, "rate";
    /// Quotes of FX providers.
    Quote = 12, QuoteItem, 64, 1_024, Roles::FX_PROVIDER, "quote";
    /// Decisions about held orders.
    HoldDecision = 13, HoldDecisionItem, 64, BATCH_ITEMS_MAX, Roles::RISK_DESK, "hold-decision";
    /// Risk policies of a scope and currency.
    Policy = 14, PolicyItem, 64, 1_024, Roles::RISK_DESK, "policy";
    /// Proposals to change the registry.
    Proposal = 15, ProposalItem, 512, 64, Roles::SETTLEMENT_OPERATOR, "proposal";
    /// Decisions about proposed changes.
    Approval = 16, ApprovalItem, 64, 1_024, Roles::SETTLEMENT_OPERATOR, "approval";
    /// Arrivals whose money came back.
    Bounce = 17, BounceItem, 64, 1_024, Roles::GATEWAY, "bounce";
    /// Recalls of outstanding instructions.
    Recall = 18, RecallItem, 64, 1_024, Roles::SETTLEMENT_AGENT, "recall";
    /// Instructions of absent gateways, ended by two agents.
    StepIn = 19, StepInItem, 64, 1_024, Roles::SETTLEMENT_AGENT, "step-in";
    /// Changes that one proposal shall make together.
    ChangeList = 20, ListedChangeItem, 348, LISTED_CHANGES_MAX, Roles::SETTLEMENT_OPERATOR, "change-list";
    /// Merchants that a registrar adds or changes.
    Merchant = 21, MerchantItem, 344, LISTED_CHANGES_MAX, Roles::MERCHANT_REGISTRAR, "merchant";
    /// Reserved orders whose users are being debited.
    Debiting = 22, DebitingItem, 64, BATCH_ITEMS_MAX, Roles::GATEWAY, "debiting";
    /// Settlements of windows, decided.
    SettlementDecision = 23, SettlementDecisionItem, 96, 1_024, Roles::SETTLEMENT_AGENT.and(Roles::SETTLEMENT_OPERATOR), "settlement-decision";
    /// Lines: how much others may reserve on the submitter's accounts.
    Line = 24, LineItem, 64, 1_024, Roles::GATEWAY.and(Roles::FX_PROVIDER), "line";
    /// Words of the other side that orders may be reversed.
    Consent = 25, ConsentItem, 64, 1_024, Roles::RECHARGE_SERVICE.and(Roles::GATEWAY), "consent";
}

impl BatchKind {
    /// Returns true if executing such a batch may read the past from disk.
    pub const fn reads_the_past(self) -> bool {
        self.counts_as_returns() || matches!(self, Self::SettleWindow | Self::SettlementDecision)
    }

    /// Returns true if such a batch reads the past once an item, so that `block_returns_max` bounds
    /// it.
    pub const fn counts_as_returns(self) -> bool {
        matches!(self, Self::Return | Self::Bounce | Self::Consent)
    }
}

fn cast<T: FromBytes + Immutable + KnownLayout + Unaligned>(bytes: &[u8]) -> &[T] {
    match <[T]>::ref_from_bytes(bytes) {
        Ok(items) => items,
        // `decode` checked the length, and the item types need no alignment.
        Err(_) => unreachable!("a checked batch holds whole items"),
    }
}
