//! Shows its block to most and, under the same signed header, another batch list to the rest;
//! prevotes it where it is whole, and says nothing more at that height.

use chain_types::{BatchId, Height, VoteStep};
use consensus_core::Message;
use node_replica::{Input, PeerMessage};

use super::{Scene, Villain};

/// See the module.
#[derive(Debug, Default)]
pub struct TwoLists {
    /// The height at which it has done it.
    height: Option<Height>,
}

impl Villain for TwoLists {
    fn say(&mut self, scene: &mut Scene<'_>, to: u32, said: Input) {
        let others = scene.others();
        let rest = (others.len() / 3).max(1);
        let is_rest = others.iter().rev().take(rest).any(|other| *other == to);
        if let Some((signed, own)) = scene.fresh_proposal(&said) {
            self.height = Some(signed.proposal.height);
            let mut batches = own.batches.clone();
            batches.push(BatchId(own.hash().0));
            let Input::Message { mut message, .. } = said else { return };
            if let PeerMessage::Proposal { block, .. } = &mut message
                && is_rest
            {
                block.batches = batches;
            }
            return scene.tell(to, message);
        }
        match &said {
            Input::Message { message: PeerMessage::Consensus(message), .. }
                if Some(message.height()) == self.height =>
            {
                let is_prevote = matches!(message, Message::Vote(signed)
                    if signed.vote.step == VoteStep::Prevote && signed.vote.block.is_some());
                if is_prevote && !is_rest && message.round().0 == 0 {
                    scene.send(to, said);
                }
            }
            _ => scene.send(to, said),
        }
    }
}
