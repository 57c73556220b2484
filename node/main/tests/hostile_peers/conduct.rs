//! What a peer does otherwise than an honest node, and the keys it does it with.

use chain_types::{ChainId, Height, Round, SecretKey, ValidatorId, ValidatorSet};
use consensus_core::{Proposal, Proposers, SignedProposal, SignedVote};
use node_replica::{PeerMessage, SharedState, WireBlock};

/// A validator's keys, and what it knows of the chain.
pub struct Own {
    pub chain_id: ChainId,
    pub id: ValidatorId,
    pub key: SecretKey,
    pub state: SharedState,
    /// The validators of the next height.
    pub validators: ValidatorSet,
    /// The order of proposers, as the committed headers give it.
    pub proposers: Proposers,
}

impl Own {
    pub fn sign_proposal(&self, proposal: Proposal) -> SignedProposal {
        SignedProposal { proposal, signature: self.key.sign(&proposal.digest(self.chain_id)) }
    }

    /// Signs the vote anew, as it is now.
    pub fn sign_again(&self, signed: &mut SignedVote) {
        signed.signature = self.key.sign(&signed.vote.digest(self.chain_id));
    }

    /// The first round of a height in which it is this validator's turn.
    pub fn first_turn(&self, height: Height) -> Round {
        let order = self.proposers.order(&self.validators, height);
        let place = order.iter().position(|id| *id == self.id).expect("a validator");
        Round::new(u32::try_from(place).unwrap())
    }

    /// After how many rounds turns repeat.
    pub fn turns(&self) -> u32 {
        u32::try_from(self.validators.as_slice().len()).unwrap()
    }

    /// Returns true if the message is this validator's own fresh proposal.
    pub fn proposes_fresh(&self, message: &PeerMessage) -> bool {
        match message {
            PeerMessage::Proposal { proposal, .. } => {
                let said = &proposal.proposal;
                said.proposer == self.id && said.valid_round.is_none()
            }
            _ => false,
        }
    }
}

/// A filter between a peer's honest replica and the other validators. The default methods are
/// honest.
pub trait Conduct: Send + 'static {
    /// Returns the messages for one node in place of the replica's message.
    fn says(&mut self, _own: &Own, _to: u32, message: &PeerMessage) -> Vec<PeerMessage> {
        vec![message.clone()]
    }

    /// Returns the answers to a node's message, besides the replica's own.
    fn hears(&mut self, _own: &Own, _from: u32, _message: &PeerMessage) -> Vec<PeerMessage> {
        Vec::new()
    }

    /// Returns the messages for every other validator when a block is committed.
    fn committed(&mut self, _own: &Own, _block: &WireBlock) -> Vec<PeerMessage> {
        Vec::new()
    }

    /// Up to which height committed blocks are given to those who ask.
    fn serves_up_to(&self) -> Height {
        Height::new(u64::MAX)
    }

    /// Returns true if the peer fetches a block as soon as another says that it has it. One whose
    /// words differ from its replica's does not learn of the decision from votes.
    fn syncs_at_once(&self) -> bool {
        false
    }
}
