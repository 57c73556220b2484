//! Faults of a checkpoint and the blocks that complete it: an operator's concern.

use chain_types::codec::CodecError;
use chain_types::{BlockHash, ChainId, Digest, Height};

/// Why a state could not be restored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateFault {
    /// The bytes do not begin as a checkpoint of this version does.
    #[error("not a checkpoint of this version; remove it and replay the blocks from genesis")]
    Version,
    /// The bytes end early or hold something else.
    #[error("the checkpoint does not decode ({0}); remove it and replay the blocks from genesis")]
    Codec(#[from] CodecError),
    /// The bytes end early, go on too long, or their checksum is another.
    #[error("the checkpoint is damaged ({0}); remove it and replay the blocks from genesis")]
    Damaged(&'static str),
    /// The checkpoint belongs to another chain.
    #[error("the checkpoint is of chain {actual}, the genesis file is of {expected}")]
    Chain {
        /// The chain it names.
        actual: ChainId,
        /// The chain of the genesis file.
        expected: ChainId,
    },
    /// The state does not have the digest that the checkpoint says.
    #[error("the checkpoint's state has digest {actual}, but should have {expected}")]
    DigestMismatch {
        /// The digest of the content.
        actual: Digest,
        /// The digest that the checkpoint states.
        expected: Digest,
    },
    /// The blocks fed to complete the state do not ascend by one.
    #[error("block {actual} was given where block {expected} was due")]
    BlockOrder {
        /// The height that was given.
        actual: Height,
        /// The height that follows the head.
        expected: Height,
    },
    /// A block fed does not follow the one before, or has other content than its header says.
    #[error(
        "the store's block {height} is not the one that was decided: its {what} differ; move the home away but keep vote.guard, and let the node fetch the chain from its peers"
    )]
    BlockDiffers {
        /// The height of the block.
        height: Height,
        /// The part that differs from the header.
        what: &'static str,
    },
    /// The blocks fed do not end at the checkpoint's block.
    #[error("the blocks end at {actual:?}, the checkpoint is of block {height}, {hash}")]
    BlocksEnd {
        /// The last block given.
        actual: Option<(Height, BlockHash)>,
        /// The height of the checkpoint.
        height: Height,
        /// The hash of the checkpoint's block.
        hash: BlockHash,
    },
    /// The orders that the blocks leave reserved are not those that the checkpoint reserves.
    #[error("the blocks leave {actual} orders reserved, the checkpoint reserves {expected}")]
    ReservationsDiffer {
        /// The number by the blocks.
        actual: usize,
        /// The number by the checkpoint.
        expected: usize,
    },
}
