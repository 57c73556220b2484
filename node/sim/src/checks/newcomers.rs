//! Invariant 12, for validators that lost their disks: once healed, each votes again.

use std::collections::BTreeSet;

use chain_types::{ValidatorId, ValidatorSet};
use consensus_core::Message;

/// The validators that have voted, and those that have not since their disk was lost.
#[derive(Debug, Default)]
pub struct Newcomers {
    voted: BTreeSet<u32>,
    silent: BTreeSet<u32>,
    returned: u64,
}

impl Newcomers {
    /// Nobody has voted yet. Hostile validators are none of those who forget.
    pub fn new(hostile: impl Iterator<Item = u32>) -> Self {
        Self { voted: hostile.collect(), ..Self::default() }
    }

    /// A validator's disk is gone: it is silent until it votes again.
    pub fn lost_disk(&mut self, node: u32) {
        self.silent.insert(node);
    }

    /// A message leaves a node.
    pub fn sent(&mut self, message: &Message) {
        if let Message::Vote(signed) = message {
            self.voted.insert(signed.validator.get());
            self.returned += u64::from(self.silent.remove(&signed.validator.get()));
        }
    }

    /// Returns true if every validator but `node` has voted, and none is silent since its disk was
    /// lost. Else one more would be too many: a third at most may have forgotten what it signed.
    pub fn may_lose_disk(&self, node: u32, validators: &ValidatorSet) -> bool {
        let ids = validators.as_slice().iter().map(|validator| validator.id.get());
        let mut others = ids.filter(|id| *id != node);
        others.all(|id| self.voted.contains(&id) && !self.silent.contains(&id))
    }

    /// How many have voted again.
    pub fn returned(&self) -> u64 {
        self.returned
    }

    /// Returns true if every one of them that still has a vote has voted again.
    pub fn all_vote(&self, validators: &ValidatorSet) -> Result<(), String> {
        let mut silent = self.silent.iter();
        match silent.find(|node| validators.get(ValidatorId::new(**node)).is_some()) {
            None => Ok(()),
            Some(node) => Err(format!("validator {node} lost its disk and has not voted since")),
        }
    }
}
