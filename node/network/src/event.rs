//! Events for the node, and the queue through which they go.

use std::fmt;

use bytes::Bytes;
use chain_types::PublicKey;
use libp2p::request_response::ResponseChannel;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::command::Command;
use crate::lane::Lane;
use crate::remote::Remote;

/// Something that happened on the network.
#[derive(Debug)]
pub enum Event {
    /// The peer is linked and its consensus lane is open. A message of it may come before this.
    Connected(PublicKey),
    /// The last link to the peer is gone. Messages received before may still follow.
    Disconnected(PublicKey),
    /// A message, whole and within the lane's size limit; nothing else about it is checked.
    Message {
        /// The sender, proven by the handshake.
        from: PublicKey,
        /// The stream that the message came over.
        lane: Lane,
        /// The message, never empty.
        bytes: Bytes,
        /// The room that the message takes of its sender's share; to be kept until it is handled.
        room: Room,
    },
    /// A request that wants an answer.
    Request {
        /// The sender, proven by the handshake.
        from: PublicKey,
        /// The question, never empty.
        bytes: Bytes,
        /// The channel for the answer. Dropping it tells the peer that there is none.
        reply: Reply,
    },
}

/// The room of a message in its sender's inbox, given back when it is dropped. While a peer has
/// none left, its stream is not read: a peer that sends faster than the node handles waits for
/// itself, and for nobody else.
#[derive(Debug)]
pub struct Room {
    _permit: OwnedSemaphorePermit,
}

/// The way back for the answer to one request.
pub struct Reply {
    pub(crate) channel: ResponseChannel<Bytes>,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) bytes_max: usize,
}

impl Reply {
    /// The largest answer, in bytes.
    pub fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// Sends the answer. An empty one, or one above [`Self::bytes_max`], cannot travel: the peer
    /// is told that there is none, and it is logged as this node's error.
    pub fn send(self, bytes: Bytes) {
        if bytes.is_empty() || bytes.len() > self.bytes_max {
            tracing::error!(bytes = bytes.len(), limit = self.bytes_max, "answer cannot be sent");
            return;
        }
        // An error means that the network is stopped, and with it the link to the asker; the
        // queue has a place for every request that may be served.
        let _ = self.commands.try_send(Command::Respond { channel: self.channel, bytes });
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Reply")
    }
}

/// Consensus events given in a row while bulk ones wait; then one bulk event has its turn.
const URGENT_ROW_MAX: u32 = 64;

/// The receiving end: urgent events first, bulk messages after. Each queue is bounded, and so is
/// what waits of each peer; what is in here must be taken without delay, or the peers wait for one
/// another.
#[derive(Debug)]
pub struct Events {
    urgent: mpsc::Receiver<Event>,
    bulk: mpsc::Receiver<Event>,
    urgent_row: u32,
}

impl Events {
    /// The next event, or `None` once the network has stopped and all is taken. Cancel safe: an
    /// event is taken only when it is returned.
    pub async fn recv(&mut self) -> Option<Event> {
        // A queue that never empties must not keep the task from ever pausing.
        tokio::task::coop::consume_budget().await;
        if let Some(event) = self.try_recv() {
            return Some(event);
        }
        let (urgent, event) = tokio::select! {
            biased;
            event = self.urgent.recv() => (true, event),
            event = self.bulk.recv() => (false, event),
        };
        match (event, urgent) {
            (Some(event), _) => Some(event),
            (None, true) => self.bulk.recv().await,
            (None, false) => self.urgent.recv().await,
        }
    }

    /// The next event if one is waiting.
    pub fn try_recv(&mut self) -> Option<Event> {
        if self.urgent_row >= URGENT_ROW_MAX {
            self.urgent_row = 0;
            if let Ok(event) = self.bulk.try_recv() {
                return Some(event);
            }
        }
        if let Ok(event) = self.urgent.try_recv() {
            self.urgent_row += 1;
            return Some(event);
        }
        self.urgent_row = 0;
        self.bulk.try_recv().ok()
    }
}

/// The sending end of [`Events`].
#[derive(Debug, Clone)]
pub(crate) struct Inbox {
    pub(crate) urgent: mpsc::Sender<Event>,
    bulk: mpsc::Sender<Event>,
}

/// Events that may wait in either queue; the bytes of each peer are bounded by its room.
const EVENTS_MAX: usize = 4096;
/// The room that a message takes beside its own bytes, so that small ones are bounded in number.
const MESSAGE_OVERHEAD_BYTES: usize = 256;

impl Inbox {
    pub(crate) fn new() -> (Self, Events) {
        let (urgent, urgent_receiver) = mpsc::channel(EVENTS_MAX);
        let (bulk, bulk_receiver) = mpsc::channel(EVENTS_MAX);
        let events = Events { urgent: urgent_receiver, bulk: bulk_receiver, urgent_row: 0 };
        (Self { urgent, bulk }, events)
    }

    /// Hands a message to the node, waiting until its sender has room for it. False once nobody
    /// listens any more.
    pub(crate) async fn deliver(&self, remote: &Remote, lane: Lane, bytes: Bytes) -> bool {
        let queue = match lane {
            Lane::Consensus => &self.urgent,
            Lane::Bulk => &self.bulk,
        };
        let (room, room_bytes_max) = remote.lane(lane).room();
        let taken = (bytes.len() + MESSAGE_OVERHEAD_BYTES).min(room_bytes_max);
        // Limits are checked at start: the room's size fits in a u32.
        let Ok(_permit) = room.acquire_many_owned(taken as u32).await else { return false };
        let event = Event::Message { from: remote.key, lane, bytes, room: Room { _permit } };
        queue.send(event).await.is_ok()
    }
}
