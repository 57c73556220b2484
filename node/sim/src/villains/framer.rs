//! Would have another validator accused: says two things of each step in its name, with signatures
//! that are forged, or taken from what it did sign.

use chain_types::{BlockHash, Vote, VoteStep};
use consensus_core::{Message, Proposal, SignedProposal, SignedVote};
use node_replica::{Input, PeerMessage};

use super::{Scene, Villain};

/// The hostile node that the module describes.
#[derive(Debug)]
pub struct Framer;

impl Framer {
    fn frame_vote(scene: &mut Scene<'_>, signed: &SignedVote) {
        let other = match signed.vote.block {
            Some(_) => None,
            None => Some(BlockHash::new(scene.any_digest())),
        };
        let step = match signed.vote.step {
            VoteStep::Prevote => VoteStep::Precommit,
            VoteStep::Precommit => VoteStep::Prevote,
        };
        let stolen = Vote { block: other, ..signed.vote };
        let moved = Vote { step, ..signed.vote };
        for (vote, signature) in [
            (stolen, signed.signature),
            (stolen, scene.forge()),
            (moved, signed.signature),
            (stolen, scene.sign(&stolen.digest(crate::setup::CHAIN))),
        ] {
            let vote = SignedVote { vote, validator: signed.validator, signature };
            scene.tell_all(&PeerMessage::Consensus(Message::Vote(vote)));
        }
    }
}

impl Villain for Framer {
    fn hear(&mut self, scene: &mut Scene<'_>, input: Input) -> Option<Input> {
        match &input {
            // Not what other villains say in others' names.
            Input::Message { from, message: PeerMessage::Consensus(Message::Vote(signed)) }
                if signed.validator.get() == from.get() =>
            {
                Self::frame_vote(scene, signed);
            }
            Input::Message { from, message: message @ PeerMessage::Proposal { proposal, .. } }
                if proposal.proposal.proposer.get() == from.get() =>
            {
                let mut framed = message.clone();
                if let PeerMessage::Proposal { proposal, block, .. } = &mut framed {
                    block.header.time = block.header.time.plus(1);
                    let said = Proposal { block: block.hash(), ..proposal.proposal };
                    *proposal = SignedProposal { proposal: said, signature: scene.forge() };
                }
                scene.tell_all(&framed);
            }
            _ => {}
        }
        Some(input)
    }
}
