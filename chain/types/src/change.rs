//! Changes that governance may make. A proposal carries one [`Change`] in canonical form.

use bincode::{Decode, Encode};

use crate::hash::Digest;
use crate::ids::{MerchantId, ParticipantId};
use crate::registry::{Merchant, Node, Participant, RegistrarLimits};
use crate::sign::PublicKey;
use crate::units::{Amount, Currency};

/// The most tiers of a cashback programme: as many outcome codes stand for them.
pub const CASHBACK_TIERS_MAX: usize = 4;
/// The most gateways that take part in a cashback programme.
pub const CASHBACK_GATEWAYS_MAX: usize = 32;
/// The most cashback of one order, in minor units, whatever its programme says.
pub const CASHBACK_ORDER_MAX: u64 = u32::MAX as u64;
/// The most cashback of one user and calendar month, in minor units, whatever the programme says.
pub const CASHBACK_MONTH_MAX: u64 = (1 << 48) - 1;
/// Basis points of the whole.
pub const BASIS_POINTS: u32 = 10_000;

/// One change of the registry.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Change {
    /// A new participant with its first key; or new name and roles of one, its key as it is.
    Participant(Participant),
    /// A new key of a participant. The one before holds on for some heights.
    Key {
        /// The participant whose key it is.
        participant: ParticipantId,
        /// The key that its batches are signed with from then on.
        public_key: PublicKey,
        /// The number of blocks from the activation on that still accept the key before.
        overlap_heights: u64,
    },
    /// A participant is suspended, or is so no longer.
    ParticipantSuspended {
        /// The participant that is suspended or readmitted.
        participant: ParticipantId,
        /// True if it is suspended from the activation on.
        suspended: bool,
    },
    /// A new merchant; or new name, payout gateway and payout account of one.
    Merchant(Merchant),
    /// A merchant is suspended, or is so no longer.
    MerchantSuspended {
        /// The merchant that is suspended or readmitted.
        merchant: MerchantId,
        /// True if it is suspended from the activation on.
        suspended: bool,
    },
    /// A parameter's new value.
    Parameter {
        /// Its place in [`crate::Parameters::NAMES`].
        index: u16,
        /// The new value, within the parameter's bounds.
        value: u64,
    },
    /// A node that is added at the end of the list of nodes.
    Node(Node),
    /// A node's voting power; zero for none.
    Power {
        /// The node's place in the list.
        node: u32,
        /// The voting power from the activation on.
        power: u64,
    },
    /// A currency that the chain accepts from then on.
    Currency(Currency),
    /// A merchant's cashback programme in a currency.
    Programme(Programme),
    /// The protocol version that blocks are executed by.
    ProtocolVersion(u16),
    /// Both keys of a node at once. Its place, name, operator and power stay.
    NodeKeys {
        /// The node's place in the list.
        node: u32,
        /// The new key of its connections.
        network_key: PublicKey,
        /// The new key of its votes; for an edge node the same as `network_key`.
        validator_key: PublicKey,
    },
    /// A node is no peer and no validator from then on, for good. Its place stays.
    NodeRemoved {
        /// The node's place in the list.
        node: u32,
    },
    /// All changes of a list that its maker gave before, in their order: all or none.
    List {
        /// [`crate::ListedChangeItem::list_digest`] of its items.
        digest: Digest,
        /// The number of its changes.
        count: u32,
    },
    /// Sets the limits within which a merchant registrar works without a vote.
    Registrar {
        /// The participant whose limits these are.
        participant: ParticipantId,
        /// Its gateway, and its bounds of a day.
        limits: RegistrarLimits,
    },
}

impl Change {
    /// Returns true if a list may hold the change: it is about a merchant or a programme.
    pub const fn may_be_listed(&self) -> bool {
        matches!(self, Self::Merchant(_) | Self::MerchantSuspended { .. } | Self::Programme(_))
    }
}

/// A merchant's cashback programme in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Programme {
    /// The merchant that grants and funds the cashback.
    pub merchant: MerchantId,
    /// The currency of orders that it is for, and of its budget.
    pub currency: Currency,
    /// At most [`CASHBACK_TIERS_MAX`], ascending by `above`.
    pub tiers: Vec<CashbackTier>,
    /// The most for one order, in minor units; zero for no bound.
    pub order_max: Amount,
    /// The most for one user and calendar month, in minor units; zero for no bound.
    pub user_month_max: Amount,
    /// The programme's time zone: minutes east of UTC, -720 to 840.
    pub offset_min: i16,
    /// True if orders earn cashback under it.
    pub is_active: bool,
    /// The least order that counts and earns, in minor units: each tier's share of it is at least
    /// one minor unit.
    pub order_least: Amount,
    /// The gateways whose orders count and earn: at most [`CASHBACK_GATEWAYS_MAX`], ascending. A
    /// gateway that is not named takes no part, even if it pays the merchant.
    pub gateways: Vec<ParticipantId>,
}

/// "Above five recharges in a calendar month, eight percent".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct CashbackTier {
    /// It holds for the recharges after this many in the month.
    pub above: u16,
    /// Hundredths of a percent of the order's amount; at most [`BASIS_POINTS`].
    pub basis_points: u16,
}

impl CashbackTier {
    /// Above five recharges in a calendar month, eight percent.
    pub const DEFAULT: Self = Self { above: 5, basis_points: 800 };
}

impl Programme {
    /// The least order that a programme of these tiers may count: a tier's share of it, rounded
    /// down, is at least one minor unit.
    pub fn least_of(tiers: &[CashbackTier]) -> Amount {
        let shares = tiers.iter().map(|tier| u64::from(tier.basis_points)).filter(|part| *part > 0);
        Amount::new(shares.map(|part| u64::from(BASIS_POINTS).div_ceil(part)).max().unwrap_or(1))
    }

    /// Returns true if an order of this amount that this gateway collects counts and may earn.
    pub fn counts(&self, gateway: ParticipantId, amount: Amount) -> bool {
        self.is_active && amount >= self.order_least && self.takes_part(gateway)
    }

    /// Returns true if a gateway's orders count.
    pub fn takes_part(&self, gateway: ParticipantId) -> bool {
        self.gateways.binary_search(&gateway).is_ok()
    }

    /// Returns true if tiers and gateways ascend, no share is more than the whole, and the time
    /// zone exists. The least order also has to earn something in every tier.
    pub fn is_well_formed(&self) -> bool {
        let ascends = self.tiers.windows(2).all(|pair| pair[0].above < pair[1].above);
        let are_distinct = self.gateways.windows(2).all(|pair| pair[0] < pair[1]);
        let is_share = |tier: &CashbackTier| u32::from(tier.basis_points) <= BASIS_POINTS;
        ascends
            && !self.tiers.is_empty()
            && self.tiers.len() <= CASHBACK_TIERS_MAX
            && self.tiers.iter().all(is_share)
            && self.order_least >= Self::least_of(&self.tiers)
            && are_distinct
            && self.gateways.len() <= CASHBACK_GATEWAYS_MAX
            && (-720..=840).contains(&self.offset_min)
    }
}
