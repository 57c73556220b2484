//! Says that it is far ahead, and answers requests for blocks honestly, or slowly, or falsely.

use chain_types::{Digest, Height};
use node_replica::{Input, PeerMessage, SyncBlock};

use super::{Scene, Villain};

/// How often it says so without being asked.
const SAYS_EVERY_MS: u64 = 200;
/// How long a slow answer takes: just less than a request waits.
const SLOW_MS: u64 = 9_000;

/// The way in which it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// As an honest node.
    Honestly,
    /// With one block, late.
    Slowly,
    /// With blocks that do not hold.
    Falsely,
}

/// The hostile node that the module describes.
#[derive(Debug)]
pub struct Boaster {
    /// The height that it says it has committed.
    said: Height,
    /// The answer that it gives when it is asked.
    answers: Answers,
}

impl Boaster {
    /// One that answers so.
    pub fn new(answers: Answers) -> Self {
        let said = match answers {
            Answers::Honestly => Height::new(1_000_000_000),
            Answers::Slowly | Answers::Falsely => Height::new(u64::MAX),
        };
        Self { said, answers }
    }
}

impl Villain for Boaster {
    fn say(&mut self, scene: &mut Scene<'_>, to: u32, said: Input) {
        match said {
            Input::Message { message: PeerMessage::Status { .. }, .. } => {
                scene.tell(to, PeerMessage::Status { height: self.said });
            }
            honest => scene.send(to, honest),
        }
    }

    fn wake(&mut self, scene: &mut Scene<'_>) {
        if self.answers != Answers::Honestly {
            scene.tell_all(&PeerMessage::Status { height: self.said });
            scene.wake_after_ms = Some(SAYS_EVERY_MS);
        }
    }

    fn give_blocks(
        &mut self,
        _: &mut Scene<'_>,
        _: Height,
        mut honest: Vec<SyncBlock>,
    ) -> (Vec<SyncBlock>, u64) {
        match self.answers {
            Answers::Honestly => (honest, 0),
            Answers::Slowly => {
                honest.truncate(1);
                (honest, SLOW_MS)
            }
            Answers::Falsely => {
                for block in &mut honest {
                    block.block.header.state_digest = Digest::ZERO;
                }
                (honest, 0)
            }
        }
    }
}
