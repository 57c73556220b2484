//! Starting again: replaying committed blocks, and what the last run left undecided.

use chain_state::State;
use chain_types::{Block, Height, VerifiedBatch};
use contracts::{BlockError, Executed};

use crate::candidates::context_of;
use crate::committed::read_state;
use crate::effect::{Effect, Timer};
use crate::past::{Archive, Past};
use crate::replica::Replica;

/// The result of executing a committed block again.
pub type Replayed = Executed;

/// Why a block does not follow from the state.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It is not the next block.
    #[error("block {actual} does not follow block {committed}")]
    Order {
        /// The height of the block.
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
        /// The height of the block.
        height: Height,
        /// The rule that the block breaks.
        error: BlockError,
    },
    /// Execution gives another header.
    #[error("block {height} executes to {actual}, its header is {expected}")]
    Differs {
        /// The height of the block.
        height: Height,
        /// The result of the execution, in short.
        actual: String,
        /// The content of the header, in short.
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
    let executed = contracts::execute(
        state,
        &context_of(block),
        batches,
        &block.evidence,
        &Past { state, archive },
    )
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
    pub(crate) fn recover(
        &mut self,
        staged: Vec<(Block, Vec<VerifiedBatch>)>,
        wal: Vec<(Height, Vec<u8>)>,
    ) {
        self.effects.push(Effect::Schedule {
            timer: Timer::Heartbeat(self.height()),
            after_ms: self.parameters.heartbeat_ms,
        });
        self.pace.interval_passed = self.height();
        self.pace.open_for = self.height();
        self.look_for_quorum_later();
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
        // Its votes, as soon as this validator may speak: at once, if others did not get on.
        self.pace.heartbeat_due = wal.iter().any(|(height, _)| *height == self.height());
        self.log = wal;
    }
}
