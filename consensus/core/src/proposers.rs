//! Whose turn it is to propose, computed from committed headers alone, so that a dead validator
//! costs one timeout and not one in every few heights.

use std::collections::BTreeMap;

use bincode::{Decode, Encode};
use chain_types::{BlockHeader, Height, Round, ValidatorId, ValidatorSet};

/// Which validators are passed over, and until when. A pure function of the committed headers:
/// every node that has noted the same headers gives the same answers. Goes into checkpoints.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Proposers {
    /// The last height at which each validator whose turn failed is passed over.
    passed_over_until: BTreeMap<ValidatorId, Height>,
}

impl Proposers {
    /// As after block zero: nobody is passed over.
    pub fn new() -> Self {
        Self::default()
    }

    /// Learns from a committed header, in order of height. Its round is the one in which its
    /// block was first proposed: those whose turn came in the rounds before have failed and are
    /// passed over for `penalty_heights` heights; its proposer has not, and is forgiven.
    /// `validators` are those who decided it.
    pub fn note(&mut self, header: &BlockHeader, validators: &ValidatorSet, penalty_heights: u64) {
        let order = self.order(validators, header.height);
        let rounds = usize::try_from(header.round.0).unwrap_or(usize::MAX);
        // Turns repeat after all validators have had one.
        let failed: Vec<_> = order.into_iter().take(rounds).collect();
        self.passed_over_until.retain(|_, until| *until > header.height);
        if penalty_heights > 0 {
            let until = Height(header.height.0.saturating_add(penalty_heights));
            for validator in failed {
                self.passed_over_until.insert(validator, until);
            }
        }
        self.passed_over_until.remove(&header.proposer);
    }

    /// Whose turn it is in `round` of `height`. `validators` is not empty.
    pub fn proposer(&self, validators: &ValidatorSet, height: Height, round: Round) -> ValidatorId {
        let order = self.order(validators, height);
        assert!(!order.is_empty(), "a height without validators has no proposer");
        order[round.0 as usize % order.len()]
    }

    /// The turns of a height, one for each validator, repeating from the first: those in good
    /// standing, then those passed over, each group rotated by the height. Everyone keeps a turn,
    /// so that a height never waits for one validator alone.
    pub fn order(&self, validators: &ValidatorSet, height: Height) -> Vec<ValidatorId> {
        let (passed_over, good): (Vec<_>, Vec<_>) = validators
            .as_slice()
            .iter()
            .map(|validator| validator.id)
            .partition(|id| self.is_passed_over(*id, height));
        [good, passed_over].into_iter().flat_map(|group| rotated(group, height)).collect()
    }

    /// Whether `validator` is passed over at `height`, if anyone else is in good standing.
    pub fn is_passed_over(&self, validator: ValidatorId, height: Height) -> bool {
        self.passed_over_until.get(&validator).is_some_and(|until| height <= *until)
    }

    /// Who is passed over at `height`, ascending by id, each with the last height of it.
    pub fn passed_over(&self, height: Height) -> impl Iterator<Item = (ValidatorId, Height)> {
        let until = self.passed_over_until.iter().map(|(id, until)| (*id, *until));
        until.filter(move |(_, until)| height <= *until)
    }
}

fn rotated(mut group: Vec<ValidatorId>, height: Height) -> Vec<ValidatorId> {
    if !group.is_empty() {
        let start = height.0 % group.len() as u64;
        group.rotate_left(start as usize);
    }
    group
}

#[cfg(test)]
mod tests;
