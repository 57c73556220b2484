//! The proposer of each round, computed from committed blocks alone, so that a dead validator
//! costs one timeout and not one in every few heights, and one that signs twice hardly any.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use chain_types::evidence::EVIDENCE_PENALTY_HEIGHTS;
use chain_types::{Block, Height, Round, ValidatorId, ValidatorSet};

/// The validators that are passed over, and until when. A pure function of the committed blocks:
/// every node that has noted the same blocks gives the same answers. Goes into checkpoints.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Proposers {
    /// The last height at which each validator whose turn failed is passed over.
    passed_over_until: BTreeMap<ValidatorId, Height>,
    /// The last height at which the turns of each validator with evidence against it come last.
    caught_until: BTreeMap<ValidatorId, Height>,
    /// The block noted last. In which round it was decided, the next header says.
    last: Option<LastBlock>,
}

/// The part of a header that the one after it needs, to judge the turns of its height.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct LastBlock {
    height: Height,
    /// The round in which it was first proposed.
    round: Round,
    /// The turns of its height, as they were while it was decided.
    order: Vec<ValidatorId>,
}

impl Proposers {
    /// As after block zero: nobody is passed over.
    pub fn new() -> Self {
        Self::default()
    }

    /// Learns from a committed block, in order of height. A turn that came before the block was
    /// first proposed has failed. So has a turn in which it was proposed and not decided: the next
    /// header's parent round says so. Whoever failed is passed over for `penalty_heights` heights
    /// after the block; the validator in whose turn the block was decided is forgiven. Evidence
    /// counts for [`EVIDENCE_PENALTY_HEIGHTS`], and nothing forgives it.
    /// `validators` are those who decided it.
    pub fn note(&mut self, block: &Block, validators: &ValidatorSet, penalty_heights: u64) {
        let header = &block.header;
        let order = self.order(validators, header.height);
        let until = header.height.plus(penalty_heights);
        let last = self.last.take().filter(|last| last.height.next() == header.height);
        if let Some(LastBlock { round, order, .. }) = last {
            self.pass_over(turns(&order, round, header.parent_round), until);
            // A round before the first proposal cannot have decided.
            if header.parent_round >= round {
                self.passed_over_until.remove(&turn(&order, header.parent_round));
            }
        }
        self.pass_over(turns(&order, Round::new(0), header.round), until);
        self.last = Some(LastBlock { height: header.height, round: header.round, order });
        self.passed_over_until.retain(|_, until| *until > header.height);
        self.caught_until.retain(|_, until| *until > header.height);
        let until = header.height.plus(EVIDENCE_PENALTY_HEIGHTS);
        self.caught_until.extend(block.evidence.iter().map(|one| (one.validator(), until)));
    }

    fn pass_over(&mut self, failed: impl Iterator<Item = ValidatorId>, until: Height) {
        for validator in failed {
            let known = self.passed_over_until.entry(validator).or_default();
            *known = until.max(*known);
        }
    }

    /// Returns the validator whose turn it is in `round` of `height`. `validators` is not empty.
    pub fn proposer(&self, validators: &ValidatorSet, height: Height, round: Round) -> ValidatorId {
        let order = self.order(validators, height);
        turn(&order, round)
    }

    /// The turns of a height, one for each validator, repeating from the first: those in good
    /// standing, then those passed over, then those with evidence against them, each group rotated
    /// by the height. Everyone keeps a turn, so that a height never waits for one validator alone.
    pub fn order(&self, validators: &ValidatorSet, height: Height) -> Vec<ValidatorId> {
        let ids = validators.as_slice().iter().map(|validator| validator.id);
        let (caught, others): (Vec<_>, Vec<_>) = ids.partition(|id| self.is_caught(*id, height));
        let (passed_over, good): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|id| self.is_passed_over(*id, height));
        [good, passed_over, caught].into_iter().flat_map(|group| rotated(group, height)).collect()
    }

    /// Returns true if `validator` is passed over at `height`, if anyone else is in good standing.
    pub fn is_passed_over(&self, validator: ValidatorId, height: Height) -> bool {
        let failed = self.passed_over_until.get(&validator).is_some_and(|until| height <= *until);
        failed || self.is_caught(validator, height)
    }

    /// Returns the validators whose turns failed, so that they are passed over at `height`,
    /// ascending by id, each with the last height of it.
    pub fn passed_over(&self, height: Height) -> impl Iterator<Item = (ValidatorId, Height)> {
        let until = self.passed_over_until.iter().map(|(id, until)| (*id, *until));
        until.filter(move |(_, until)| height <= *until)
    }

    /// Against whom evidence is committed, so that they are passed over at `height`, as
    /// [`Self::passed_over`].
    pub fn caught(&self, height: Height) -> impl Iterator<Item = (ValidatorId, Height)> {
        let until = self.caught_until.iter().map(|(id, until)| (*id, *until));
        until.filter(move |(_, until)| height <= *until)
    }

    /// Returns true if `validator` is passed over at `height` because evidence against it is
    /// committed.
    pub fn is_caught(&self, validator: ValidatorId, height: Height) -> bool {
        self.caught_until.get(&validator).is_some_and(|until| height <= *until)
    }
}

/// Returns the validator whose turn `round` is: turns repeat after all validators have had one.
fn turn(order: &[ValidatorId], round: Round) -> ValidatorId {
    assert!(!order.is_empty(), "a height without validators has no proposer");
    order[round.get() as usize % order.len()]
}

/// Returns the validators whose turns the rounds from `first` up to `end` were, each at most once.
fn turns(order: &[ValidatorId], first: Round, end: Round) -> impl Iterator<Item = ValidatorId> {
    (first.get()..end.get()).take(order.len()).map(|round| turn(order, Round::new(round)))
}

fn rotated(mut group: Vec<ValidatorId>, height: Height) -> Vec<ValidatorId> {
    if !group.is_empty() {
        let start = height.get() % group.len() as u64;
        group.rotate_left(start as usize);
    }
    group
}

#[cfg(test)]
mod tests;
