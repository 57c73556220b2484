//! Lets one other lock on its block and the rest not: shows the block late to most of them, and
//! its own prevote to one.

use chain_types::{Height, Round, VoteStep};
use consensus_core::Message;
use node_replica::{Input, PeerMessage};

use super::{Scene, Villain};

/// When the others see its block, after its turn began: just before they give up waiting.
const LATE_MS: u64 = 575;
/// How much later its prevote follows.
const PREVOTE_MS: u64 = 15;

/// See the module.
#[derive(Debug, Default)]
pub struct HiddenLock {
    /// The turn at which it does so.
    turn: Option<(Height, Round)>,
}

impl Villain for HiddenLock {
    fn say(&mut self, scene: &mut Scene<'_>, to: u32, said: Input) {
        if let Some((signed, _)) = scene.fresh_proposal(&said) {
            self.turn = Some((signed.proposal.height, signed.proposal.round));
        }
        let others = scene.others();
        let is_one = others.first() == Some(&to);
        let sees_it = !others.iter().rev().take(others.len() / 3).any(|other| *other == to);
        let Input::Message { message, .. } = &said else { return scene.send(to, said) };
        match message {
            PeerMessage::Proposal { proposal, .. }
                if self.turn == Some((proposal.proposal.height, proposal.proposal.round)) =>
            {
                if sees_it {
                    scene.send_after(LATE_MS, to, said);
                }
            }
            PeerMessage::Consensus(Message::Vote(signed))
                if self.turn == Some((signed.vote.height, signed.vote.round)) =>
            {
                if is_one && signed.vote.step == VoteStep::Prevote {
                    scene.send_after(LATE_MS + PREVOTE_MS, to, said);
                }
            }
            // What would tell the rest of the lock.
            PeerMessage::Consensus(message)
                if self.turn.is_some_and(|(height, _)| message.height() == height) => {}
            _ => scene.send(to, said),
        }
    }
}
