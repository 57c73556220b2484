//! What a desk is asked about: an order, and features that stay off the chain.

use chain_types::hash::{Domain, hash};
use chain_types::{Amount, Digest, MerchantId, RechargeItem};

use crate::catalogue::PRIVATE_FEATURES;

/// The parts of an order from which features are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RiskOrder {
    /// The user's pseudonym, as the order has it.
    pub user: [u8; 16],
    /// The merchant who is paid.
    pub merchant: MerchantId,
    /// A keyed hash of the user's device; zero when unknown.
    pub device: u64,
    /// A keyed hash of the user's network; zero when unknown.
    pub network: u64,
    /// The amount in minor units of the desk's own currency.
    pub amount: Amount,
}

/// Facts about an order and its user that the asker keeps off the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrivateFeatures {
    /// The values. The model's maker and the asker agree on their meaning.
    pub values: [i64; PRIVATE_FEATURES],
    /// 32 random bytes of the asker. Without them, a reader of the verdict could find the values by
    /// trying all that are likely.
    pub blinding: [u8; 32],
}

/// A question to a desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RiskInquiry {
    /// The Merkle leaf of the order's item; it proves that a batch holds the item.
    pub item: Digest,
    /// The order of the item.
    pub order: RiskOrder,
    /// The asker's own knowledge.
    pub private: PrivateFeatures,
}

impl RiskOrder {
    /// Returns the parts of an order's item, with its amount in the desk's own currency.
    pub fn of(item: &RechargeItem, amount: Amount) -> Self {
        Self {
            user: item.user,
            merchant: item.merchant(),
            device: item.device.get(),
            network: item.network.get(),
            amount,
        }
    }
}

impl PrivateFeatures {
    /// Returns the features of an asker that knows nothing.
    pub const fn none(blinding: [u8; 32]) -> Self {
        Self { values: [0; PRIVATE_FEATURES], blinding }
    }

    /// Returns the digest that a verdict names: over the blinding, then the values.
    pub fn digest(&self) -> Digest {
        let mut bytes = [0; PRIVATE_FEATURES * 8];
        for (chunk, value) in bytes.chunks_exact_mut(8).zip(self.values) {
            chunk.copy_from_slice(&value.to_le_bytes());
        }
        hash(Domain::Private, &[&self.blinding, &bytes])
    }
}
