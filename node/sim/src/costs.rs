//! How long a node's work takes, in virtual time.

use chain_types::VerifiedBatch;
use consensus_core::Message;
use node_replica::{Effect, Input, PeerMessage};

/// The cost of work, in virtual microseconds.
#[derive(Debug, Clone, Copy)]
pub struct Costs {
    /// Looking at an input.
    pub input_us: u64,
    /// The cost of verifying one signature.
    pub verify_us: u64,
    /// Executing a block and making it durable.
    pub block_us: u64,
    /// The cost that each item of a block adds.
    pub item_us: u64,
}

impl Default for Costs {
    fn default() -> Self {
        Self { input_us: 2, verify_us: 50, block_us: 1_000, item_us: 2 }
    }
}

impl Costs {
    /// Of looking at an input and verifying what it brings.
    pub fn of_input(&self, input: &Input) -> u64 {
        let signatures = match input {
            Input::Message { message, .. } => signatures(message),
            Input::Blocks { blocks, .. } => {
                blocks.iter().map(|block| block.certificate.signatures.len()).sum()
            }
            _ => 0,
        };
        self.input_us + self.verify_us * signatures as u64
    }

    /// Of what was done for an input.
    pub fn of_effects(&self, effects: &[Effect]) -> u64 {
        let of = |effect: &Effect| match effect {
            Effect::Stage(staged) => {
                let items: u64 = staged.batches.iter().map(items).sum();
                self.block_us + self.item_us * items
            }
            _ => 0,
        };
        effects.iter().map(of).sum()
    }
}

fn items(batch: &VerifiedBatch) -> u64 {
    u64::from(batch.count())
}

fn signatures(message: &PeerMessage) -> usize {
    match message {
        PeerMessage::Status { .. } | PeerMessage::Ask { .. } => 0,
        PeerMessage::Votes(votes) => votes.len(),
        PeerMessage::Consensus(Message::PolkaCertificate(certificate)) => {
            certificate.signatures.len()
        }
        PeerMessage::Consensus(Message::RoundCertificate(certificate)) => certificate.votes.len(),
        _ => 1,
    }
}
