//! Items of settlement operators: proposals of changes, and approvals.

use zerocopy::little_endian::{U16, U64};

use super::item::item;
use crate::change::Change;
use crate::codec;
use crate::hash::{Digest, Domain, hash};
use crate::ids::ProposalId;
use crate::merkle;
use crate::registry::Merchant;
use crate::units::Height;

/// Bytes of the longest encoded [`Change`].
pub const CHANGE_BYTES_MAX: usize = 480;
/// Bytes of the longest encoded [`Change`] that a list may hold: a merchant's.
pub const LISTED_BYTES_MAX: usize = 341;
/// Bytes of the longest encoded [`Merchant`].
pub const MERCHANT_BYTES_MAX: usize = 337;
/// The most changes of a list, which is one batch.
pub const LISTED_CHANGES_MAX: u32 = 3_000;

item! {
    /// A settlement operator's proposal of one change: 512 bytes.
    ProposalItem: 512 {
        /// The proposal's id, a UUIDv7.
        pub proposal_id: [u8; 16] = ProposalId,
        /// The first block that shall execute under the change.
        pub activation_height: U64 => Height,
        /// How many bytes of `change` are used.
        pub change_length: U16,
        /// The canonical bytes of a [`Change`], then zeros.
        pub change: [u8; CHANGE_BYTES_MAX],
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 6],
    }
}

item! {
    /// A change of a list that one proposal shall make as a whole: 348 bytes.
    ListedChangeItem: 348 {
        /// How many bytes of `change` are used.
        pub change_length: U16,
        /// The canonical bytes of a [`Change`] that a list may hold, then zeros.
        pub change: [u8; LISTED_BYTES_MAX],
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 5],
    }
}

item! {
    /// A merchant that a registrar adds or changes: 344 bytes.
    MerchantItem: 344 {
        /// How many bytes of `merchant` are used.
        pub merchant_length: U16,
        /// The canonical bytes of a [`Merchant`], then zeros.
        pub merchant: [u8; MERCHANT_BYTES_MAX],
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 5],
    }
}

item! {
    /// A settlement operator's decision about a proposal: 64 bytes.
    ApprovalItem: 64 {
        /// The id of the proposal that is decided.
        pub proposal_id: [u8; 16] = ProposalId,
        /// The number of a [`crate::Decision`].
        pub decision: U16,
        /// [`ProposalItem::digest`], so that the operator signs what it read.
        pub digest: [u8; 32],
        /// Reserved; zeros, or the item is refused.
        pub spare: [u8; 14],
    }
}

impl ProposalItem {
    /// The proposal of a change, or `None` when its bytes are too many.
    pub fn new(id: ProposalId, activation_height: Height, change: &Change) -> Option<Self> {
        let bytes = codec::encode(change);
        let mut padded = [0; CHANGE_BYTES_MAX];
        padded.get_mut(..bytes.len())?.copy_from_slice(&bytes);
        Some(Self {
            proposal_id: id.bytes(),
            activation_height: activation_height.get().into(),
            change_length: u16::try_from(bytes.len()).ok()?.into(),
            change: padded,
            spare: [0; 6],
        })
    }

    /// The change, or `None` when the bytes are none, or zeros do not follow them.
    pub fn change(&self) -> Option<Change> {
        padded(self.change_length, &self.change)
    }

    /// Returns the tagged hash of the whole item, which an approval names.
    pub fn digest(&self) -> Digest {
        hash(Domain::Change, &[zerocopy::IntoBytes::as_bytes(self)])
    }
}

impl ListedChangeItem {
    /// The item of a change, or `None` when its bytes are too many.
    pub fn new(change: &Change) -> Option<Self> {
        let bytes = codec::encode(change);
        let mut padded = [0; LISTED_BYTES_MAX];
        padded.get_mut(..bytes.len())?.copy_from_slice(&bytes);
        let change_length = u16::try_from(bytes.len()).ok()?.into();
        Some(Self { change_length, change: padded, spare: [0; 5] })
    }

    /// The change, or `None` when the bytes are none that a list may hold, or zeros do not follow
    /// them.
    pub fn change(&self) -> Option<Change> {
        padded(self.change_length, &self.change).filter(Change::may_be_listed)
    }

    /// Returns the digest of a list, which its proposal names: the items root of its batch.
    pub fn list_digest(items: &[Self]) -> Digest {
        let leaf = |item: &Self| merkle::leaf(zerocopy::IntoBytes::as_bytes(item));
        merkle::root(&items.iter().map(leaf).collect::<Vec<Digest>>())
    }
}

impl MerchantItem {
    /// The item of a merchant, or `None` when its bytes are too many.
    pub fn new(merchant: &Merchant) -> Option<Self> {
        let bytes = codec::encode(merchant);
        let mut padded = [0; MERCHANT_BYTES_MAX];
        padded.get_mut(..bytes.len())?.copy_from_slice(&bytes);
        let merchant_length = u16::try_from(bytes.len()).ok()?.into();
        Some(Self { merchant_length, merchant: padded, spare: [0; 5] })
    }

    /// The merchant, or `None` when the bytes are none, or zeros do not follow them.
    pub fn merchant(&self) -> Option<Merchant> {
        padded(self.merchant_length, &self.merchant)
    }
}

/// Reads a value of `length` bytes, which zeros follow.
fn padded<T: bincode::Decode<()>>(length: U16, bytes: &[u8]) -> Option<T> {
    let (used, rest) = bytes.split_at_checked(usize::from(length.get()))?;
    let is_padded = rest.iter().all(|byte| *byte == 0);
    codec::decode(used, bytes.len()).ok().filter(|_| is_padded)
}
