//! Lets one other lock on its block and the rest not, at each of its turns: shows the block late to
//! most of them, and its own prevote to the one whose turn to propose comes last.

use chain_types::{Height, Round, VoteStep};
use consensus_core::Message;
use node_replica::{Input, PeerMessage};

use super::{Scene, Villain};

/// When the others see its block, after its turn began: just before they give up waiting.
const LATE_MS: u64 = 575;
/// How much later its prevote follows.
const PREVOTE_MS: u64 = 15;

/// A turn at which it does so.
#[derive(Debug, Clone)]
struct Turn {
    height: Height,
    round: Round,
    /// The node that locks a block.
    victim: u32,
    /// The nodes that see nothing of it.
    blind: Vec<u32>,
}

/// The hostile node that the module describes.
#[derive(Debug, Default)]
pub struct HiddenLock {
    turn: Option<Turn>,
}

impl HiddenLock {
    fn begin(&mut self, scene: &Scene<'_>, height: Height, round: Round) {
        let others = scene.others();
        let count = others.len();
        let next = |rounds: usize| scene.turn(Round::new(round.get() + rounds as u32));
        // Those whose turns come next, so that theirs are in vain.
        let blind = (1..=count / 3).map(next).collect();
        self.turn = Some(Turn { height, round, victim: next(count), blind });
    }
}

impl Villain for HiddenLock {
    fn say(&mut self, scene: &mut Scene<'_>, to: u32, said: Input) {
        if let Some(own) = scene.own_block(&said) {
            let (height, round) = (own.header.height, own.header.round);
            if self.turn.as_ref().is_none_or(|turn| (turn.height, turn.round) != (height, round)) {
                self.begin(scene, height, round);
            }
        }
        let Some(turn) = self.turn.clone() else { return scene.send(to, said) };
        let Input::Message { message, .. } = &said else { return scene.send(to, said) };
        match message {
            PeerMessage::Proposal { proposal, .. } if proposal.proposal.height == turn.height => {
                if proposal.proposal.round == turn.round && !turn.blind.contains(&to) {
                    scene.send_after(LATE_MS, to, said);
                }
            }
            PeerMessage::Consensus(Message::Vote(signed)) if signed.vote.height == turn.height => {
                let is_prevote = signed.vote.step == VoteStep::Prevote;
                if signed.vote.round == turn.round && is_prevote && to == turn.victim {
                    scene.send_after(LATE_MS + PREVOTE_MS, to, said);
                }
            }
            // What would tell the rest of the lock.
            PeerMessage::Consensus(message) if message.height() == turn.height => {}
            PeerMessage::Votes(_) => {}
            _ => scene.send(to, said),
        }
    }
}
