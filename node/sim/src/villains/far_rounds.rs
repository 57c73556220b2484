//! Proposes a whole block for each of thousands of rounds to come, at every height.

use chain_types::{Block, Height, Round, ValidatorId};
use consensus_core::Proposal;
use contracts::BlockContext;
use node_replica::{Input, PeerMessage};

use super::scene::context_of;
use super::{Scene, Villain};

/// How often it goes on.
const EVERY_MS: u64 = 10;
/// How many proposals it makes each time.
const TOGETHER: u32 = 8;
/// The first of the rounds.
const FIRST: u32 = 40;
/// How many it proposes for at a height: a longer run would show the same.
const ROUNDS_MAX: u32 = 300;

/// The hostile node that the module describes.
#[derive(Debug, Default)]
pub struct FarRounds {
    /// A proposal that was made at the height, to be changed.
    pattern: Option<(PeerMessage, Block)>,
    /// The height of the next one, its round, and how many were made.
    next: (Height, u32, u32),
}

impl FarRounds {
    fn proposals(&mut self, scene: &mut Scene<'_>) {
        let (height, mut round, made) = self.next;
        let Some((mut message, pattern)) = self.pattern.clone() else { return };
        // A node that is no validator takes another's turns.
        let validators = scene.validators();
        let is_own = |id: &ValidatorId| id.get() == scene.node;
        let ids = || validators.as_slice().iter().map(|validator| validator.id);
        let Some(own) = ids().find(is_own).or_else(|| ids().next_back()) else { return };
        if made >= ROUNDS_MAX || pattern.header.height != height {
            return;
        }
        for _ in 0..TOGETHER {
            round += 1;
            while scene.turn(Round::new(round)) != own.get() {
                round += 1;
            }
            let (proposer, time) = (ValidatorId::new(scene.node), scene.clock);
            let round = Round::new(round);
            let context = BlockContext { proposer, time, round, ..context_of(&pattern) };
            let Some(whole) = scene.execute(&context, &[], &[]) else { return };
            if let PeerMessage::Proposal { proposal, block, .. } = &mut message {
                let (block_hash, valid_round) = (whole.hash(), None);
                let said = Proposal { height, round, block: block_hash, valid_round, proposer };
                (*proposal, *block) = (scene.propose(said), whole);
            }
            for to in scene.others() {
                scene.tell(to, message.clone());
            }
        }
        self.next = (height, round, made + TOGETHER);
    }

    fn note(&mut self, said: &Input) {
        if let Input::Message { message, .. } = said
            && let PeerMessage::Proposal { block, .. } = message
        {
            self.pattern = Some((message.clone(), block.clone()));
        }
    }
}

impl Villain for FarRounds {
    fn hear(&mut self, _: &mut Scene<'_>, input: Input) -> Option<Input> {
        self.note(&input);
        Some(input)
    }

    fn say(&mut self, scene: &mut Scene<'_>, to: u32, said: Input) {
        self.note(&said);
        scene.send(to, said);
    }

    fn wake(&mut self, scene: &mut Scene<'_>) {
        scene.wake_after_ms = Some(EVERY_MS);
        let height = scene.height();
        if self.next.0 != height {
            self.next = (height, FIRST, 0);
        }
        self.proposals(scene);
    }
}
