//! Items of settlement operators: proposals of changes, and approvals.

use zerocopy::little_endian::{U16, U64};

use super::item::item;
use crate::change::Change;
use crate::codec;
use crate::hash::{Digest, Domain, hash};
use crate::ids::ProposalId;
use crate::units::Height;

/// Bytes of the longest encoded [`Change`].
pub const CHANGE_BYTES_MAX: usize = 480;

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
            proposal_id: id.0,
            activation_height: activation_height.0.into(),
            change_length: u16::try_from(bytes.len()).ok()?.into(),
            change: padded,
            spare: [0; 6],
        })
    }

    /// The change, or `None` when the bytes are none, or zeros do not follow them.
    pub fn change(&self) -> Option<Change> {
        let length = usize::from(self.change_length.get());
        let (used, rest) = self.change.split_at_checked(length)?;
        let is_padded = rest.iter().all(|byte| *byte == 0);
        codec::decode(used, CHANGE_BYTES_MAX).ok().filter(|_| is_padded)
    }

    /// Returns the tagged hash of the whole item, which an approval names.
    pub fn digest(&self) -> Digest {
        hash(Domain::Change, &[zerocopy::IntoBytes::as_bytes(self)])
    }
}
