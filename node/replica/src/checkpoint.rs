//! Checkpoints: a replica starts from one, and says when the next one is due.

use chain_types::codec::{self, CodecError};
use chain_types::{Height, Outcome, ValidatorId};
use consensus_core::Proposers;

/// Everything a replica starts from, besides the blocks after it. Its bytes: the length of the
/// proposers' (4, little-endian), the proposers, then the state's to the end; a state with millions
/// of users is larger than the codec's limit.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// The bytes that [`chain_state::State::checkpoint`] made.
    pub state: Vec<u8>,
    /// The proposers that are passed over.
    pub proposers: Proposers,
}

impl Checkpoint {
    /// The bytes to keep, piece by piece, from those of the state.
    pub fn pieces_of(
        state: impl Iterator<Item = Vec<u8>>,
        proposers: &Proposers,
    ) -> impl Iterator<Item = Vec<u8>> {
        let proposers = codec::encode(proposers);
        // Some bytes a validator, of whom there are at most 128.
        let length = u32::try_from(proposers.len()).unwrap_or(u32::MAX);
        let begin = [&length.to_le_bytes(), proposers.as_slice()].concat();
        std::iter::once(begin).chain(state)
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
    /// The number of orders that a batch counts as, besides its items.
    pub const BATCH_ORDERS: u64 = 16;
}

/// The orders between the last checkpoint and the head.
#[derive(Debug, Clone, Copy)]
pub struct SinceCheckpoint {
    interval: CheckpointInterval,
    orders: u64,
    /// Heights are counted as if the chain had begun so much earlier.
    earlier: u64,
}

impl SinceCheckpoint {
    /// Returns a count of nothing: the head is a checkpoint.
    pub fn new(interval: CheckpointInterval) -> Self {
        Self { interval, orders: 0, earlier: 0 }
    }

    /// As if a part of the interval had passed: validators are not to write at the same heights,
    /// lest a quorum be slow together.
    pub fn staggered(self, validator: ValidatorId) -> Self {
        let part = |interval: u64| interval / 4 * u64::from(validator.get() % 4);
        let CheckpointInterval { blocks, orders } = self.interval;
        Self { orders: part(orders), earlier: part(blocks), ..self }.at_least(self.orders)
    }

    /// As if so many orders had been added already: those that a start has replayed.
    pub fn at_least(self, orders: u64) -> Self {
        Self { orders: self.orders.max(orders), ..self }
    }

    /// How many orders a block's batches count as.
    pub fn orders_of(outcomes: &[Vec<Outcome>]) -> u64 {
        let of_batch = |items: &Vec<Outcome>| items.len() as u64 + CheckpointInterval::BATCH_ORDERS;
        outcomes.iter().map(of_batch).sum()
    }

    /// The checkpoint that was due is not being written: another is due after an eighth of the
    /// interval.
    pub fn was_left_out(&mut self) {
        self.orders = self.orders.max(self.interval.orders - self.interval.orders / 8);
    }

    /// Adds a block; whether it makes a checkpoint due, before which nothing lies then.
    pub fn note_block(&mut self, height: Height, orders: u64) -> bool {
        self.orders += orders;
        let is_due = (height.get() + self.earlier).is_multiple_of(self.interval.blocks.max(1))
            || self.orders >= self.interval.orders;
        if is_due {
            self.orders = 0;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: CheckpointInterval = CheckpointInterval { blocks: 1_000, orders: 80 };

    /// At which of the blocks from height 1 on, of ten orders each, checkpoints are due.
    fn due(mut since: SinceCheckpoint, blocks: u64) -> Vec<u64> {
        (1..=blocks).filter(|height| since.note_block(Height::new(*height), 10)).collect()
    }

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
            assert_eq!(since.note_block(Height::new(height), orders), is_due, "block {height}");
        }
        let mut third = SinceCheckpoint::new(CheckpointInterval { blocks: 10, orders: 100 })
            .staggered(ValidatorId::new(6));
        let due = |since: &mut SinceCheckpoint, height| since.note_block(Height::new(height), 1);
        assert_eq!(
            (1..=40).filter(|height| due(&mut third, *height)).collect::<Vec<_>>(),
            [6, 16, 26, 36]
        );
        let of_batches = [vec![Outcome::APPLIED; 3], vec![Outcome::APPLIED]];
        assert_eq!(SinceCheckpoint::orders_of(&of_batches), 3 + 1 + 2 * 16);
    }

    #[test]
    fn what_a_start_replayed_counts() {
        let since = SinceCheckpoint::new(INTERVAL);
        assert_eq!(due(since.at_least(50), 12), [3, 11]);
        let staggered = since.staggered(ValidatorId::new(3));
        assert_eq!(due(staggered, 12), [2, 10]);
        assert_eq!(due(staggered.at_least(50), 12), [2, 10], "60 already");
        let named_later = since.at_least(50).staggered(ValidatorId::new(1));
        assert_eq!(due(named_later, 12), [3, 11], "20 would be less than there is");
    }

    #[test]
    fn one_that_was_left_out_is_made_up_for() {
        let mut since = SinceCheckpoint::new(INTERVAL);
        for height in 1..8 {
            assert!(!since.note_block(Height::new(height), 10));
        }
        assert!(since.note_block(Height::new(8), 10));
        since.was_left_out();
        assert!(since.note_block(Height::new(9), 10));
        assert!(!since.note_block(Height::new(10), 10));
    }
}
