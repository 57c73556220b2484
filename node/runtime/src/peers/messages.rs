//! One peer's messages on their way to the driver: decoded, checked and verified in a task of its
//! own, so that a peer that floods delays only itself.

use std::time::Instant;

use bytes::Bytes;
use chain_types::{PublicKey, codec};
use node_network::{Ignored, Network, Room, Strike};
use node_replica::{NodeIndex, PEER_MESSAGE_BYTES_MAX, PeerMessage};
use tokio::sync::mpsc;

use super::checks::{Checks, Finding, Verifier};
use super::directory::Directory;
use crate::inbox::InputSender;

/// Longer messages may hold so many signatures that they are verified on a thread that may block.
const INLINE_BYTES_MAX: usize = 4_096;

/// A message as it arrived, which takes its sender's room until it is handled.
#[derive(Debug)]
pub struct Arrived {
    /// The bytes of the message.
    pub bytes: Bytes,
    /// Dropped when it is handled.
    pub room: Room,
}

/// Takes one peer's messages.
pub struct MessageListener {
    /// The network key of the peer.
    pub from: PublicKey,
    /// The network, which counts strikes.
    pub network: Network,
    /// The nodes by their network keys.
    pub directory: std::sync::Arc<Directory>,
    /// The inbox of the driver.
    pub inputs: InputSender,
    /// The verifier of signatures.
    pub verifier: Verifier,
}

impl MessageListener {
    /// Runs until the sending end is dropped.
    pub async fn run(self, mut arriving: mpsc::Receiver<Arrived>) {
        let mut checks = Checks::new(self.from, self.directory.clone(), Instant::now());
        while let Some(Arrived { bytes, room }) = arriving.recv().await {
            let dropped = match self.check(&mut checks, &bytes).await {
                (Finding::Handle, Some(message)) => self.hand_over(message, bytes.len()),
                (Finding::HandleAnd(reason), Some(message)) => {
                    self.network.ignored(self.from, reason, 1);
                    self.hand_over(message, bytes.len())
                }
                (Finding::Ignore(reason), _) => {
                    self.network.ignored(self.from, reason, 1);
                    0
                }
                (Finding::Strike(kind), _) => {
                    self.network.strike(self.from, kind);
                    0
                }
                (Finding::Handle | Finding::HandleAnd(_), None) => 0,
            };
            self.network.ignored(self.from, Ignored::Replaced, dropped);
            drop(room);
        }
    }

    /// Returns the finding about a message, and the message if the driver gets it.
    async fn check(&self, checks: &mut Checks, bytes: &[u8]) -> (Finding, Option<PeerMessage>) {
        if self.network.is_banned(&self.from) {
            return (Finding::Ignore(Ignored::Banned), None);
        }
        let Ok(message) = codec::decode::<PeerMessage>(bytes, PEER_MESSAGE_BYTES_MAX) else {
            return (Finding::Strike(Strike::Undecodable), None);
        };
        let admitted = checks.admit(&message, bytes, Instant::now());
        if !matches!(admitted, Finding::Handle | Finding::HandleAnd(_)) {
            return (admitted, None);
        }
        let (verified, message) = self.verify(message, bytes.len()).await;
        if verified != Finding::Handle {
            return (verified, None);
        }
        checks.remember(bytes, Instant::now());
        (admitted, message)
    }

    async fn verify(&self, message: PeerMessage, bytes: usize) -> (Finding, Option<PeerMessage>) {
        if bytes <= INLINE_BYTES_MAX {
            return (self.verifier.verify(&message, Instant::now()), Some(message));
        }
        let verifier = self.verifier.clone();
        let verify = move || (verifier.verify(&message, Instant::now()), Some(message));
        // Fails only when the runtime ends.
        let verified = tokio::task::spawn_blocking(verify).await;
        verified.unwrap_or((Finding::Handle, None))
    }

    /// Gives the number of the peer's older messages that fell for this one.
    fn hand_over(&self, message: PeerMessage, bytes: usize) -> u64 {
        let from: Option<NodeIndex> = self.directory.index(&self.from);
        from.map_or(0, |from| self.inputs.message(from, message, bytes))
    }
}
