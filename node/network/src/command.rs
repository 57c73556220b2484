//! Commands of other tasks to the driver.

use std::time::Instant;

use bytes::Bytes;
use chain_types::PublicKey;
use chain_types::registry::NODES_MAX;
use libp2p::Multiaddr;
use libp2p::request_response::ResponseChannel;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::config::Limits;
use crate::fault::RequestError;

/// A command from another task to the driver.
pub(crate) enum Command {
    /// The addresses of a peer that is due, or why there are none.
    Dial { key: PublicKey, addresses: Result<Vec<Multiaddr>, String> },
    /// The peer took our consensus stream.
    Ready { key: PublicKey },
    /// Close the peer's connections, and accept none until then.
    Ban { key: PublicKey, until: Instant },
    /// Sends a request to the peer.
    Request { key: PublicKey, bytes: Bytes, answer: Answer },
    /// Sends the response to a peer's request.
    Respond { channel: ResponseChannel<Bytes>, bytes: Bytes },
}

/// Commands that may wait: a place for every request under way, and some for the rest.
pub(crate) fn commands_max(limits: &Limits) -> usize {
    NODES_MAX * (limits.requests_in_max + limits.requests_out_max) + 256
}

/// The channel for the answer to our request; holds its slot until then.
pub(crate) struct Answer {
    pub(crate) sender: oneshot::Sender<Result<Bytes, RequestError>>,
    pub(crate) slot: OwnedSemaphorePermit,
}

impl Answer {
    pub(crate) fn give(self, answer: Result<Bytes, RequestError>) {
        // First, so that whoever has the answer can ask again.
        std::mem::drop(self.slot);
        // Whoever asked may have stopped waiting.
        let _ = self.sender.send(answer);
    }
}
