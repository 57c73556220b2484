//! Speaks of the next height as soon as it can, though nobody has work: to the others that is a
//! height that has begun.

use chain_types::{Height, Round, ValidatorId, Vote, VoteStep};
use consensus_core::{Message, SignedVote};
use node_replica::PeerMessage;

use super::{Scene, Villain};

/// How often it looks whether there is a next height.
const LOOKS_EVERY_MS: u64 = 3;

/// The hostile node that the module describes.
#[derive(Debug, Default)]
pub struct EarlyStarter {
    /// The height of which it spoke last.
    spoken: Height,
}

impl Villain for EarlyStarter {
    fn wake(&mut self, scene: &mut Scene<'_>) {
        scene.wake_after_ms = Some(LOOKS_EVERY_MS);
        let height = scene.height();
        if height == self.spoken {
            return;
        }
        self.spoken = height;
        let vote = Vote { height, round: Round::new(1), step: VoteStep::Prevote, block: None };
        let own = scene.vote(vote);
        let forged = Message::Vote(SignedVote {
            vote,
            validator: ValidatorId::new((scene.node + 1) % scene.shape.validators),
            signature: scene.forge(),
        });
        scene.tell_all(&own);
        scene.tell_all(&PeerMessage::Consensus(forged));
    }
}
