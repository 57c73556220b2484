//! Everything a replica may ask of the world.

use chain_state::{Record, Retired, TreeNode};
use chain_types::{BatchId, Certificate, Digest, ExecutedBlock, Height, VerifiedBatch};
use consensus_core::{Equivocation, Proposers, Timeout};

use crate::committed::Snapshot;
use crate::identity::NodeIndex;
use crate::message::PeerMessage;
use crate::shares::SubmitRefusal;

/// The receivers of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Every validator but this one.
    Validators,
    /// Every node that is connected.
    All,
    /// One node, if it is connected.
    Node(NodeIndex),
}

/// A timer of the replica's. Setting one that is set already starts it anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// A timeout of consensus.
    Consensus(Timeout),
    /// The least interval since the last block has passed.
    Pace(Height),
    /// Most of that interval has passed: others may begin the height.
    Invite(Height),
    /// The time of a proposed block may have come.
    Judge(Height),
    /// The longest silence has passed: a block is due even if it is empty.
    Heartbeat(Height),
    /// Batches of a proposal are still missing.
    Fetch(Height),
    /// Peers may be ahead.
    CatchUp,
    /// It is time to say again how far this node is: whoever missed it may be waiting.
    Status,
    /// A node that has forgotten what it signed has listened for the original of its home.
    Listened,
    /// It is time to look whether a quorum was heard lately.
    Estranged,
    /// A decided block is in the store and known: what comes next may begin.
    Next,
}

/// A request to the driver, in order with the others.
#[derive(Debug)]
pub enum Effect {
    /// Send a message to peers.
    Send {
        /// The receivers of the message.
        to: Target,
        /// The message that is sent.
        message: PeerMessage,
    },
    /// Send a batch's bytes to every other validator.
    SendBatch(VerifiedBatch),
    /// Put a block and its payload on disk; durable before the next effect.
    Stage(ExecutedBlock),
    /// Append to the consensus log; durable before any [`Self::Send`] or [`Self::Guard`] after it.
    Persist {
        /// The height that it is about.
        height: Height,
        /// The record that consensus must find again.
        entry: Vec<u8>,
    },
    /// Replace the vote guard; durable before the next effect.
    Guard(Vec<u8>),
    /// Entries of lower heights may leave the consensus log: this height is committed.
    PruneLog(Height),
    /// Start a timer, anew if it runs.
    Schedule {
        /// The timer that is started.
        timer: Timer,
        /// The time until it fires, in milliseconds.
        after_ms: u64,
    },
    /// Stop a timer, if it runs.
    Cancel(Timer),
    /// Stop every timer of consensus.
    CancelConsensusTimers,
    /// Ask a peer for batches; each comes back as an [`crate::Input::Batch`].
    RequestBatches {
        /// The node that is asked.
        from: NodeIndex,
        /// The ids of the batches that are wanted.
        ids: Vec<BatchId>,
    },
    /// Ask a peer for committed blocks; answered by [`crate::Input::Blocks`].
    RequestBlocks {
        /// The node that is asked.
        from: NodeIndex,
        /// The first height wanted.
        height: Height,
    },
    /// The answer to [`crate::Input::BatchesWanted`]: what the pool holds, and what it does not.
    Batches {
        /// The token of the request.
        token: u64,
        /// The batches that were found here.
        batches: Vec<VerifiedBatch>,
        /// Not found: perhaps already in the chain.
        missing: Vec<BatchId>,
    },
    /// The answer to [`crate::Input::Submit`].
    Submitted {
        /// The token of the request.
        token: u64,
        /// Ok if the batch waits to be proposed.
        result: Result<(), SubmitRefusal>,
    },
    /// A block is decided; the state holds it already. Its payload is staged.
    Commit {
        /// The quorum that decided the block.
        certificate: Certificate,
        /// The block with its batches and outcomes.
        staged: ExecutedBlock,
        /// The records that the indexes take up.
        records: Vec<Record>,
        /// The running digest of all writes but the accounts', after the block.
        writes: Digest,
        /// The nodes of the accounts' tree that the block changed, of the levels that are kept.
        account_nodes: Vec<TreeNode>,
        /// Orders that left the duplicate window; to be sorted and archived.
        retired: Retired,
    },
    /// Keep this [`crate::Checkpoint`] as the state to start from, whenever there is time; atomic.
    Checkpoint {
        /// The height it is after.
        height: Height,
        /// The state that is written.
        snapshot: Snapshot,
        /// The proposers that are passed over.
        proposers: Proposers,
    },
    /// A checkpoint was due after this height while the one before is still being written.
    CheckpointLeftOut(Height),
    /// These batches left the pool uncommitted: their time is over.
    Dropped(Vec<BatchId>),
    /// A validator signed two values for one step.
    Evidence(Box<Equivocation>),
    /// Something inside consensus that its operator should know: a damaged log, or a bug.
    Trouble(String),
    /// A peer's block or message does not hold: its connection is not worth keeping.
    Distrust {
        /// The node that the complaint names.
        node: NodeIndex,
        /// Why, for the log.
        reason: String,
    },
}
