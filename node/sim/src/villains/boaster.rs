//! Says that it is far ahead, to whoever asks, and votes like an honest validator.

use chain_types::Height;
use node_replica::PeerMessage;

/// What it says that it has committed.
const BOAST: Height = Height(1_000_000_000);

/// A validator that says it is further than it is.
#[derive(Debug, Clone, Copy)]
pub struct Boaster {
    /// Which.
    pub node: u32,
}

impl Boaster {
    /// What leaves `node` when its replica says `message`.
    pub fn says(self, node: u32, message: &PeerMessage) -> PeerMessage {
        match message {
            PeerMessage::Status { .. } if node == self.node => {
                PeerMessage::Status { height: BOAST }
            }
            honest => honest.clone(),
        }
    }
}
