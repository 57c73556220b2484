//! Invariant 12, for validators that lost their disks: once healed, each votes again.

use std::collections::BTreeSet;

use chain_types::{ValidatorId, ValidatorSet};
use consensus_core::Message;

/// The validators that lost their disks.
#[derive(Debug, Default)]
pub struct Newcomers {
    silent: BTreeSet<u32>,
    returned: u64,
}

impl Newcomers {
    /// A validator's disk is gone: it is silent until it votes again.
    pub fn lost_disk(&mut self, node: u32) {
        self.silent.insert(node);
    }

    /// A message leaves a node.
    pub fn sent(&mut self, message: &Message) {
        if let Message::Vote(signed) = message {
            self.returned += u64::from(self.silent.remove(&signed.validator.0));
        }
    }

    /// How many have voted again.
    pub fn returned(&self) -> u64 {
        self.returned
    }

    /// Whether every one of them that still has a vote has voted again.
    pub fn all_vote(&self, validators: &ValidatorSet) -> Result<(), String> {
        let mut silent = self.silent.iter();
        match silent.find(|node| validators.get(ValidatorId(**node)).is_some()) {
            None => Ok(()),
            Some(node) => Err(format!("validator {node} lost its disk and has not voted since")),
        }
    }
}
