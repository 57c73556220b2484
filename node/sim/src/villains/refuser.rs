//! Tells every validator that starts that another process has its key, and that its key has been
//! heard to sign.

use chain_types::{BlockHash, Round, ValidatorId, Vote, VoteStep};
use consensus_core::SignedVote;
use node_replica::{Input, PeerMessage};

use super::{Scene, Villain};

/// The hostile node that the module describes.
#[derive(Debug)]
pub struct Refuser;

impl Villain for Refuser {
    fn say(&mut self, scene: &mut Scene<'_>, to: u32, said: Input) {
        let Input::Message { message: PeerMessage::Heard { instance, .. }, .. } = said else {
            return scene.send(to, said);
        };
        let block = Some(BlockHash::new(scene.any_digest()));
        let (height, round) = (scene.height().plus(5), Round::new(3));
        let vote = Vote { height, round, step: VoteStep::Precommit, block };
        let vote = SignedVote { vote, validator: ValidatorId::new(to), signature: scene.forge() };
        scene.tell(to, PeerMessage::Heard { instance, vote: Some(vote), granted: false });
    }
}
