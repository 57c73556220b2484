//! Everything the world may tell a replica.

use chain_types::{BatchId, Block, Certificate, Height, VerifiedBatch};

use crate::effect::Timer;
use crate::identity::NodeIndex;
use crate::message::PeerMessage;

/// An event. Every input comes with the node's wall-clock time.
#[derive(Debug, Clone)]
pub enum Input {
    /// First of all inputs: what the last run left on disk beyond the committed blocks.
    Recover {
        /// Blocks staged for the next height but not known to be decided.
        staged: Vec<(Block, Vec<VerifiedBatch>)>,
        /// The consensus log's entries from the next height on, in order. Those of a later height
        /// are there when the certificate of the one before it was lost with the power.
        wal: Vec<(Height, Vec<u8>)>,
    },
    /// A batch from a client of this node.
    Submit {
        /// The batch that is offered.
        batch: VerifiedBatch,
        /// Names the answer, [`crate::Effect::Submitted`].
        token: u64,
    },
    /// A batch that a peer sent ahead, or in answer to a request.
    Batch(VerifiedBatch),
    /// A message of a peer.
    Message {
        /// The sender, as its encrypted connection proves.
        from: NodeIndex,
        /// The message of the sender.
        message: PeerMessage,
    },
    /// A connection to a peer stands.
    Connected(NodeIndex),
    /// The last connection to a peer is gone.
    Disconnected(NodeIndex),
    /// A timer has run out.
    Timer(Timer),
    /// A peer's answer to [`crate::Effect::RequestBlocks`]; empty when it failed.
    Blocks {
        /// The node that answered.
        from: NodeIndex,
        /// Consecutive blocks, their batches verified.
        blocks: Vec<SyncBlock>,
    },
    /// A peer asks for batches.
    BatchesWanted {
        /// The ids of the batches that are asked for.
        ids: Vec<BatchId>,
        /// Names the answer, [`crate::Effect::Batches`].
        token: u64,
    },
}

/// A block from a peer, its batches' signatures checked, nothing else.
#[derive(Debug, Clone)]
pub struct SyncBlock {
    /// Header, ids and batches.
    pub block: Block,
    /// The quorum said to have decided it.
    pub certificate: Certificate,
    /// Its batches, in order.
    pub batches: Vec<VerifiedBatch>,
}
