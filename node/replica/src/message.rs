//! Messages between nodes. Batches travel as the bytes their submitter signed, on a lane
//! of their own; everything here is small, or an answer to a request.

use bincode::{Decode, Encode};
use chain_types::batch::BATCH_BYTES_MAX;
use chain_types::{BatchId, Block, Certificate, Height};
use consensus_core::{Message, SignedProposal, SignedVote};

/// Bytes of the largest [`PeerMessage`].
pub const PEER_MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of the largest [`PeerRequest`].
pub const REQUEST_BYTES_MAX: usize = 64 * 1024;
/// Bytes of the largest [`PeerResponse`].
pub const RESPONSE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The most batches of one request, and so of its answer: an honest node asks for no more, and an
/// answer with as many of the largest is read.
pub const REQUEST_BATCHES_MAX: usize = {
    const MAX: usize = 8;
    assert!(MAX * (8 + BATCH_BYTES_MAX) + 12 <= RESPONSE_BYTES_MAX);
    MAX
};
/// The most blocks of one answer.
pub const SYNC_BLOCKS_MAX: u32 = 256;
/// Bytes of batches after which an answer takes no further block.
pub const SYNC_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Said without being asked.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum PeerMessage {
    /// A vote or a certificate of votes.
    Consensus(Message),
    /// A proposal with the block it is of: the proposer's own, or relayed.
    Proposal {
        /// The proposal, which its proposer signed.
        proposal: SignedProposal,
        /// Header and batch ids.
        block: Block,
        /// The certificate of the block before it: proves the round that the header says it was
        /// decided in. `None` for block one.
        parent: Option<Certificate>,
    },
    /// Votes of others, relayed to those who may not have heard them: at most
    /// [`consensus_core::RELAYED_VOTES_MAX`].
    Votes(Vec<SignedVote>),
    /// The sender has committed this height.
    Status {
        /// The height that the sender has committed.
        height: Height,
    },
    /// A validator that has started asks, before it votes, what was heard of its key.
    Ask {
        /// Tells one running process with a key from another.
        instance: u64,
    },
    /// The answer to [`Self::Ask`].
    Heard {
        /// The instance that the question named.
        instance: u64,
        /// The last vote of the asking validator that the sender has verified.
        vote: Option<SignedVote>,
        /// True if no other process with that key has asked lately.
        granted: bool,
    },
}

/// Asked of one peer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum PeerRequest {
    /// The bytes of these batches, at most [`REQUEST_BATCHES_MAX`].
    Batches(Vec<BatchId>),
    /// Committed blocks from a height on.
    Blocks {
        /// The first height wanted.
        from: Height,
        /// The most blocks wanted.
        count: u32,
    },
}

/// The answer to a [`PeerRequest`]; shorter than asked when the peer has less.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum PeerResponse {
    /// Batches as their submitters signed them.
    Batches(Vec<Vec<u8>>),
    /// Consecutive blocks, ascending by height.
    Blocks(Vec<WireBlock>),
}

/// A committed block with everything needed to verify it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct WireBlock {
    /// Header and batch ids.
    pub block: Block,
    /// The quorum that decided it.
    pub certificate: Certificate,
    /// The batches' bytes, in the block's order.
    pub batches: Vec<Vec<u8>>,
}
