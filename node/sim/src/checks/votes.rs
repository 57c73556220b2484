//! Invariant 2: no honest key signs two values for one height, round and step, also across
//! restarts.

use std::collections::BTreeMap;

use chain_types::BlockHash;
use consensus_core::Message;

/// Every value that any validator has signed: by validator, height, round and kind of message.
#[derive(Debug, Default)]
pub struct Votes {
    signed: BTreeMap<(u32, u64, u32, u8), Option<BlockHash>>,
}

impl Votes {
    /// A message leaves a node.
    pub fn sent(&mut self, message: &Message) -> Result<(), String> {
        let (key, value) = match message {
            Message::Vote(signed) => {
                let vote = &signed.vote;
                let step = 1 + vote.step as u8;
                ((signed.validator.0, vote.height.0, vote.round.0, step), vote.block)
            }
            Message::Proposal(signed) => {
                let said = &signed.proposal;
                ((said.proposer.0, said.height.0, said.round.0, 0), Some(said.block))
            }
            Message::PolkaCertificate(_) | Message::RoundCertificate(_) => return Ok(()),
        };
        let first = *self.signed.entry(key).or_insert(value);
        if first == value {
            Ok(())
        } else {
            Err(format!("validator, height, round, step {key:?}: signed {first:?} and {value:?}"))
        }
    }
}
