//! Invariant 2: no honest key signs two values for one height, round and step, also across
//! restarts.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::{BlockHash, Digest, Signature};
use consensus_core::Message;

use crate::setup::{CHAIN, node_key};

/// The value that was signed first for a step.
type Signed = (Option<BlockHash>, Digest, Signature);

/// Every value that any honest validator has signed: by validator, height, round and kind of
/// message. A key that runs twice is one validator.
#[derive(Debug, Default)]
pub struct Votes {
    hostile: BTreeSet<u32>,
    signed: BTreeMap<(u32, u64, u32, u8), Signed>,
}

impl Votes {
    /// Nothing was signed yet. Hostile validators sign what they like.
    pub fn new(hostile: impl Iterator<Item = u32>) -> Self {
        Self { hostile: hostile.collect(), signed: BTreeMap::new() }
    }

    /// A message leaves an honest node; it may be another's that is passed on.
    pub fn sent(&mut self, message: &Message) -> Result<(), String> {
        let (key, signed) = match message {
            Message::Vote(signed) => {
                let vote = &signed.vote;
                let step = 1 + vote.step as u8;
                let key = (signed.validator.get(), vote.height.get(), vote.round.get(), step);
                (key, (vote.block, vote.digest(CHAIN), signed.signature))
            }
            Message::Proposal(signed) => {
                let said = &signed.proposal;
                let key = (said.proposer.get(), said.height.get(), said.round.get(), 0);
                (key, (Some(said.block), said.digest(CHAIN), signed.signature))
            }
            Message::PolkaCertificate(_) | Message::RoundCertificate(_) => return Ok(()),
        };
        if self.hostile.contains(&key.0) {
            return Ok(());
        }
        let first = *self.signed.entry(key).or_insert(signed);
        if first.0 == signed.0 {
            return Ok(());
        }
        let public_key = node_key(key.0).public_key();
        let verifies = |(_, digest, signature): &Signed| public_key.verifies(digest, signature);
        if !verifies(&first) || !verifies(&signed) {
            return Err(format!("an honest node passes on what does not verify: {message:?}"));
        }
        let (first, second) = (first.0, signed.0);
        Err(format!("validator, height, round, step {key:?}: signed {first:?} and {second:?}"))
    }
}
