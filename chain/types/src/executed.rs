//! A block as the node that executed it has it: with its payload and its outcomes.

use crate::batch::VerifiedBatch;
use crate::block::Block;
use crate::rejection::Outcome;

/// A block that was executed here, with everything that a precommit for it vouches for. It is on
/// disk before a vote for it leaves.
#[derive(Debug, Clone)]
pub struct ExecutedBlock {
    /// Header and batch ids.
    pub block: Block,
    /// Its batches, in the order of `block.batches`.
    pub batches: Vec<VerifiedBatch>,
    /// The outcomes of each batch's items, in the same order.
    pub outcomes: Vec<Vec<Outcome>>,
}

impl ExecutedBlock {
    /// # Panics
    /// When batches or outcomes are not those of the block: the block was not executed here.
    pub fn assert_whole(&self) {
        let ids = self.batches.iter().map(VerifiedBatch::id);
        assert!(self.block.batches.iter().copied().eq(ids), "the batches are those of the block");
        assert!(self.outcomes.len() == self.batches.len(), "every batch has outcomes");
        for (batch, outcomes) in self.batches.iter().zip(&self.outcomes) {
            assert!(outcomes.len() == batch.count() as usize, "every item has an outcome");
        }
    }

    /// Returns a copy of the block with its batches, as peers ask for it.
    pub fn with_batches(&self) -> (Block, Vec<VerifiedBatch>) {
        (self.block.clone(), self.batches.clone())
    }
}
