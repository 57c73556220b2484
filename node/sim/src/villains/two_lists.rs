//! Shows its block to most and, under the same signed header, another batch list to the rest;
//! prevotes it where it is whole, and says nothing more until the others have got on without it.

use chain_types::{BatchId, Height, VoteStep};
use consensus_core::Message;
use node_replica::{Input, PeerMessage, SyncBlock};

use super::{Scene, Villain};

/// The hostile node that the module describes.
#[derive(Debug, Default)]
pub struct TwoLists {
    /// The height at which it has done it, until somebody else has committed it.
    height: Option<Height>,
}

impl Villain for TwoLists {
    fn hear(&mut self, _: &mut Scene<'_>, input: Input) -> Option<Input> {
        if let Input::Blocks { blocks, .. } = &input
            && blocks.iter().any(|block| Some(block.block.header.height) >= self.height)
        {
            self.height = None;
        }
        Some(input)
    }

    fn say(&mut self, scene: &mut Scene<'_>, to: u32, said: Input) {
        if let Some(own) = scene.own_block(&said) {
            self.height = Some(own.header.height);
        }
        let Some(height) = self.height else { return scene.send(to, said) };
        let others = scene.others();
        let is_rest = others.iter().rev().take((others.len() / 3).max(1)).any(|one| *one == to);
        let Input::Message { mut message, .. } = said else { return };
        let is_said = match &mut message {
            PeerMessage::Proposal { proposal, block, .. } => {
                if is_rest {
                    block.batches.push(BatchId::new(proposal.proposal.block.digest()));
                }
                proposal.proposal.proposer.get() == scene.node
            }
            PeerMessage::Consensus(Message::Vote(signed)) => {
                let is_prevote = signed.vote.step == VoteStep::Prevote;
                signed.vote.height < height || is_prevote && signed.vote.block.is_some() && !is_rest
            }
            PeerMessage::Status { height: said } => *said < height,
            _ => false,
        };
        if is_said {
            scene.tell(to, message);
        }
    }

    fn give_blocks(
        &mut self,
        _: &mut Scene<'_>,
        _: Height,
        mut honest: Vec<SyncBlock>,
    ) -> (Vec<SyncBlock>, u64) {
        honest.retain(|block| self.height.is_none_or(|hidden| block.block.header.height < hidden));
        (honest, 0)
    }
}
