//! Starting again: replaying committed blocks, and what the last run left undecided.

use std::collections::VecDeque;

use chain_state::{Snapshot, State};
use chain_types::codec::{self, CodecError};
use chain_types::{Block, Height, Outcome, ValidatorId, VerifiedBatch};
use consensus_core::Proposers;
use contracts::{BlockError, Executed};

use crate::candidates::context_of;
use crate::effect::{Effect, Timer};
use crate::past::{Archive, Past};
use crate::replica::{Replica, read_state};

/// Everything a replica starts from, besides the blocks after it. Its bytes: the length of the
/// proposers' (4, little-endian), the proposers, then the state's to the end; a state with millions
/// of users is larger than the codec's limit.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// [`State::checkpoint`]'s bytes.
    pub state: Vec<u8>,
    /// Which proposers are passed over.
    pub proposers: Proposers,
}

impl Checkpoint {
    /// The bytes to keep.
    pub fn bytes_of(snapshot: Snapshot, proposers: &Proposers) -> Vec<u8> {
        let proposers = codec::encode(proposers);
        // A few bytes a validator, of whom there are at most 128.
        let length = u32::try_from(proposers.len()).unwrap_or(u32::MAX);
        let mut bytes = [&length.to_le_bytes(), proposers.as_slice()].concat();
        snapshot.append_to(&mut bytes);
        bytes
    }

    /// The checkpoint of these bytes.
    ///
    /// # Errors
    /// When they do not decode.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let parts = bytes
            .split_first_chunk::<4>()
            .and_then(|(length, rest)| rest.split_at_checked(u32::from_le_bytes(*length) as usize));
        // Cut short, it is what decoding nothing is.
        let (proposers, state) = parts.unwrap_or_default();
        let proposers = codec::decode(proposers, codec::DECODE_BYTES_MAX)?;
        Ok(Self { state: state.to_vec(), proposers })
    }
}

/// How much may lie between two checkpoints: a node that starts replays no more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckpointInterval {
    /// Blocks; at least one.
    pub blocks: u64,
    /// Orders and other items; a batch, whose signature a start verifies, is as much as
    /// [`Self::BATCH_ORDERS`].
    pub orders: u64,
}

impl CheckpointInterval {
    /// What a batch counts besides its items.
    pub const BATCH_ORDERS: u64 = 16;
}

/// What lies between the last checkpoint and the head.
#[derive(Debug, Clone, Copy)]
pub struct SinceCheckpoint {
    interval: CheckpointInterval,
    orders: u64,
    /// Heights are counted as if the chain had begun so much earlier.
    earlier: u64,
}

impl SinceCheckpoint {
    /// Nothing.
    pub fn new(interval: CheckpointInterval) -> Self {
        Self { interval, orders: 0, earlier: 0 }
    }

    /// As if a part of the interval had passed: validators are not to write at the same heights,
    /// lest a quorum be slow together.
    pub fn staggered(self, validator: ValidatorId) -> Self {
        let part = |interval: u64| interval / 4 * u64::from(validator.0 % 4);
        let CheckpointInterval { blocks, orders } = self.interval;
        Self { orders: part(orders), earlier: part(blocks), ..self }
    }

    /// How many orders a block's batches count as.
    pub fn orders_of(outcomes: &[Vec<Outcome>]) -> u64 {
        let of_batch = |items: &Vec<Outcome>| items.len() as u64 + CheckpointInterval::BATCH_ORDERS;
        outcomes.iter().map(of_batch).sum()
    }

    /// Adds a block; whether it makes a checkpoint due, before which nothing lies then.
    pub fn is_due_after(&mut self, height: Height, orders: u64) -> bool {
        self.orders += orders;
        let is_due = (height.0 + self.earlier).is_multiple_of(self.interval.blocks.max(1))
            || self.orders >= self.interval.orders;
        if is_due {
            self.orders = 0;
        }
        is_due
    }
}

/// What executing a committed block again gives.
pub type Replayed = Executed;

/// Why a block does not follow from the state.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It is not the next block.
    #[error("block {actual} does not follow block {committed}")]
    Order {
        /// The block's height.
        actual: Height,
        /// The height of the state.
        committed: Height,
    },
    /// Its batches are not those it names.
    #[error("block {0} does not name the batches it came with")]
    Batches(Height),
    /// The rules refuse it.
    #[error("block {height} is against the rules: {error}")]
    Refused {
        /// Its height.
        height: Height,
        /// The rule.
        error: BlockError,
    },
    /// Execution gives another header.
    #[error("block {height} executes to {actual}, its header is {expected}")]
    Differs {
        /// Its height.
        height: Height,
        /// What execution gives, in short.
        actual: String,
        /// What the header says, in short.
        expected: String,
    },
}

/// Executes `block` on `state` and compares everything that its header says. `archive` holds every
/// block up to the state's.
///
/// # Errors
/// [`ReplayError`] naming what differs.
pub fn replay_block(
    state: &State,
    block: &Block,
    batches: &[VerifiedBatch],
    archive: &dyn Archive,
) -> Result<Replayed, ReplayError> {
    let height = block.header.height;
    if height != state.height().next() {
        return Err(ReplayError::Order { actual: height, committed: state.height() });
    }
    if !block.batches.iter().copied().eq(batches.iter().map(VerifiedBatch::id)) {
        return Err(ReplayError::Batches(height));
    }
    let executed = contracts::execute(state, &context_of(block), batches, &Past { state, archive })
        .map_err(|error| ReplayError::Refused { height, error })?;
    if executed.block == *block {
        return Ok(executed);
    }
    let short = |block: &Block| {
        let header = &block.header;
        format!("results {} state {}", header.results_root, header.state_digest)
    };
    let (actual, expected) = (short(&executed.block), short(block));
    Err(ReplayError::Differs { height, actual, expected })
}

impl Replica {
    /// Takes up the height that the last run was deciding: first its blocks, then its votes.
    pub(crate) fn recover(&mut self, staged: Vec<(Block, Vec<VerifiedBatch>)>, wal: &[Vec<u8>]) {
        self.effects.push(Effect::Schedule {
            timer: Timer::Heartbeat(self.height()),
            after_ms: self.parameters.heartbeat_ms,
        });
        self.pace.interval_passed = self.height();
        self.say_status();
        if self.voter().is_none() {
            return;
        }
        for (block, batches) in staged {
            let state = read_state(&self.state);
            let replayed = replay_block(&state, &block, &batches, &*self.archive);
            drop(state);
            if let Ok(executed) = replayed {
                self.stage(executed, batches);
            }
        }
        if wal.is_empty() {
            return;
        }
        // The log comes right after the start: what the start asks for is answered after it.
        let start = self.begin_height();
        let mut effects = self.consensus.handle(start);
        effects.extend(self.consensus.replay(wal));
        let mut inputs = VecDeque::new();
        for effect in effects {
            self.obey(effect, &mut inputs);
        }
        self.drive(inputs);
        self.tell_if_mute();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_due_by_height_or_by_orders() {
        let mut since = SinceCheckpoint::new(CheckpointInterval { blocks: 10, orders: 100 });
        // (height, orders of the block, whether a checkpoint is due after it)
        let rows = [
            (8, 99, false),
            (9, 1, true),
            (10, 0, true),
            (11, 99, false),
            (12, 0, false),
            (13, 2, true),
            (14, 99, false),
            (20, 0, true),
            (21, 99, false),
        ];
        for (height, orders, is_due) in rows {
            assert_eq!(since.is_due_after(Height(height), orders), is_due, "block {height}");
        }
        let mut third = SinceCheckpoint::new(CheckpointInterval { blocks: 10, orders: 100 })
            .staggered(ValidatorId(6));
        let due = |since: &mut SinceCheckpoint, height| since.is_due_after(Height(height), 1);
        assert_eq!(
            (1..=40).filter(|height| due(&mut third, *height)).collect::<Vec<_>>(),
            [6, 16, 26, 36]
        );
        let of_batches = [vec![Outcome::APPLIED; 3], vec![Outcome::APPLIED]];
        assert_eq!(SinceCheckpoint::orders_of(&of_batches), 3 + 1 + 2 * 16);
    }
}
