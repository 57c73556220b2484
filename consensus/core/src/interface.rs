//! Everything that the world may tell consensus and everything that consensus may ask of the
//! world, on one screen.

use bincode::{Decode, Encode};
pub use chain_types::Equivocation;
use chain_types::{BlockHash, Certificate, Height, Round, ValidatorId, ValidatorSet};

use crate::messages::{Message, SignedVote};
use crate::proposers::Proposers;

/// The event that a timeout waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum TimeoutKind {
    /// A proposal; then vote for none.
    Propose,
    /// More agreement among the prevotes; then precommit none.
    Prevote,
    /// More agreement among the precommits; then enter the next round.
    Precommit,
    /// Progress; then send the own last votes again.
    Rebroadcast,
}

/// A timeout's name: at most one of each name runs at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Timeout {
    /// The height that waits.
    pub height: Height,
    /// The round that waits.
    pub round: Round,
    /// The event that it waits for.
    pub kind: TimeoutKind,
}

/// An event that the world reports to consensus. Inputs of another height than the running one are
/// ignored, except messages of the next height, of which a few are kept a validator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Decide `height`; a height under way is abandoned, since its block came by other means.
    /// Must be above the running height. The sets must be those of the committed chain below.
    StartHeight {
        /// The height to decide.
        height: Height,
        /// The voters: between one and [`chain_types::validators::VALIDATORS_MAX`] validators, with
        /// at most [`crate::POWER_TOTAL_MAX`] power together.
        validators: ValidatorSet,
        /// The proposers, as the headers below `height` have it.
        proposers: Proposers,
    },
    /// A peer's message, untrusted.
    Message(Message),
    /// The block asked for by [`Effect::GetBlock`]. Too late is harmless.
    Propose {
        /// The height asked for.
        height: Height,
        /// The round asked for.
        round: Round,
        /// The block to propose.
        block: BlockHash,
    },
    /// The result of executing a proposed block. May come before or after its proposal, but not
    /// before its height has started: a block that arrives early is executed then.
    Verdict {
        /// The height of the block.
        height: Height,
        /// The round of its proposal.
        round: Round,
        /// The validator that proposed the block.
        proposer: ValidatorId,
        /// The proposal's valid round.
        valid_round: Option<Round>,
        /// The hash of the block.
        block: BlockHash,
        /// True if its header is what this node computed.
        valid: bool,
    },
    /// A scheduled timeout has passed. One that was cancelled meanwhile does no harm.
    Timeout(Timeout),
}

/// A request of consensus to the world, to be performed strictly in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Append to the write-ahead log; durable before any later effect is performed. The log may
    /// be emptied once the running height's block and certificate are durable. One record holds
    /// all that has taken effect since the one before it, at most 16 MiB.
    Persist(Vec<u8>),
    /// Replace the vote guard's content; durable before any later effect is performed.
    Guard(Vec<u8>),
    /// Send to every other validator. A vote that precommits a block may come out of
    /// [`crate::Consensus::replay`]: send it only if that block's payload is durable here.
    Send(Message),
    /// Build a block and answer with [`Input::Propose`] within the propose timeout.
    GetBlock {
        /// The height to build.
        height: Height,
        /// The round to answer with.
        round: Round,
    },
    /// Send the block's body to the peers again: it is proposed again.
    Restream {
        /// The height of the block.
        height: Height,
        /// The round of the new proposal.
        round: Round,
        /// The hash of the block.
        block: BlockHash,
        /// The round in which a quorum prevoted it.
        valid_round: Option<Round>,
    },
    /// Answer with [`Input::Timeout`] after so long. A running timeout of this name starts anew.
    Schedule {
        /// The name of the timeout.
        timeout: Timeout,
        /// From now, in milliseconds.
        after_ms: u64,
    },
    /// Forget the timeout, if it runs.
    Cancel(Timeout),
    /// Forget all timeouts that run.
    CancelAll,
    /// Send others' votes of the running height again, and the proposals of its running round:
    /// who shares no link with their authors hears them from here.
    Relay(Vec<SignedVote>),
    /// The height is decided. Effects after it in the list still count.
    Decided {
        /// A quorum's precommits, verified.
        certificate: Certificate,
    },
    /// A validator signed two values where it may sign one.
    Evidence(Equivocation),
}
