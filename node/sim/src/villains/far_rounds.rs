//! Proposes a whole block for each of thousands of rounds to come, at every height.

use chain_types::{Height, Round, ValidatorId};
use consensus_core::Proposal;
use contracts::BlockContext;
use node_replica::{Input, PeerMessage};

use super::scene::fresh_proposal;
use super::{Scene, Villain};

/// How often it goes on.
const EVERY_MS: u64 = 10;
/// How many proposals it makes each time.
const TOGETHER: u32 = 8;
/// The first of the rounds.
const FIRST: u32 = 40;

/// See the module.
#[derive(Debug, Default)]
pub struct FarRounds {
    /// A proposal of its replica's, to be changed.
    pattern: Option<PeerMessage>,
    /// The height of the next one, and its round.
    next: (Height, u32),
}

impl FarRounds {
    fn go_on(&mut self, scene: &mut Scene<'_>) {
        let (height, mut round) = self.next;
        let Some(mut message) = self.pattern.clone() else { return };
        for _ in 0..TOGETHER {
            round += 1;
            while scene.turn(Round(round)) != scene.node {
                round += 1;
            }
            let (proposer, time) = (ValidatorId(scene.node), scene.clock);
            let context = BlockContext { height, round: Round(round), proposer, time };
            let Some(whole) = scene.execute(&context, &[]) else { return };
            if let PeerMessage::Proposal { proposal, block, .. } = &mut message {
                *proposal = scene.propose(Proposal {
                    height,
                    round: Round(round),
                    block: whole.hash(),
                    valid_round: None,
                    proposer,
                });
                *block = whole;
            }
            for to in scene.others() {
                scene.tell(to, message.clone());
            }
        }
        self.next = (height, round);
    }
}

impl Villain for FarRounds {
    fn say(&mut self, scene: &mut Scene<'_>, to: u32, said: Input) {
        if fresh_proposal(&said).is_some()
            && let Input::Message { message, .. } = &said
        {
            self.pattern = Some(message.clone());
        }
        scene.send(to, said);
    }

    fn wake(&mut self, scene: &mut Scene<'_>) {
        scene.wake_after_ms = Some(EVERY_MS);
        let height = scene.height();
        if self.next.0 != height {
            self.next = (height, FIRST);
        }
        self.go_on(scene);
    }
}
