//! What the network tells the node, and the queue it tells it through.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use chain_types::PublicKey;
use libp2p::request_response::ResponseChannel;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::driver::Command;

/// Which of a peer's two streams a message takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Votes and proposals: small and urgent. When too many wait, the oldest are dropped.
    Consensus,
    /// Batches: large. When too many wait, new ones are dropped; receivers fetch what they miss.
    Bulk,
}

impl Lane {
    /// Both lanes, the urgent one first.
    pub const ALL: [Self; 2] = [Self::Consensus, Self::Bulk];

    /// `consensus` or `bulk`: in protocol names, metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Consensus => "consensus",
            Self::Bulk => "bulk",
        }
    }
}

/// Something that happened on the network.
#[derive(Debug)]
pub enum Event {
    /// The peer is linked and its consensus lane is open. A message of it may come before this.
    Connected(PublicKey),
    /// The last link to the peer is gone. Messages received before may still follow.
    Disconnected(PublicKey),
    /// A message, whole and within the lane's size limit; nothing else about it is checked.
    Message {
        /// Who sent it, proven by the handshake.
        from: PublicKey,
        /// On which lane.
        lane: Lane,
        /// The message, never empty.
        bytes: Bytes,
    },
    /// A question.
    Request {
        /// Who asks, proven by the handshake.
        from: PublicKey,
        /// The question, never empty.
        bytes: Bytes,
        /// Where the answer goes. Dropping it tells the peer that there is none.
        reply: Reply,
    },
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

/// The receiving end: urgent events first, bulk messages after, each queue bounded in bytes.
/// While the node does not take them, the streams of the lane are not read.
#[derive(Debug)]
pub struct Events {
    urgent: mpsc::Receiver<Envelope>,
    bulk: mpsc::Receiver<Envelope>,
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
        let (urgent, envelope) = tokio::select! {
            biased;
            envelope = self.urgent.recv() => (true, envelope),
            envelope = self.bulk.recv() => (false, envelope),
        };
        match (envelope, urgent) {
            (Some(envelope), _) => Some(envelope.event),
            (None, true) => self.bulk.recv().await.map(|envelope| envelope.event),
            (None, false) => self.urgent.recv().await.map(|envelope| envelope.event),
        }
    }

    /// The next event if one is waiting.
    pub fn try_recv(&mut self) -> Option<Event> {
        if self.urgent_row >= URGENT_ROW_MAX {
            self.urgent_row = 0;
            if let Ok(envelope) = self.bulk.try_recv() {
                return Some(envelope.event);
            }
        }
        if let Ok(envelope) = self.urgent.try_recv() {
            self.urgent_row += 1;
            return Some(envelope.event);
        }
        self.urgent_row = 0;
        self.bulk.try_recv().ok().map(|envelope| envelope.event)
    }
}

/// An event with the room it takes in its inbox, given back when the node takes the event.
#[derive(Debug)]
pub(crate) struct Envelope {
    event: Event,
    _room: Option<OwnedSemaphorePermit>,
}

impl Envelope {
    /// An event that is bounded by other means.
    pub(crate) fn unmetered(event: Event) -> Self {
        Self { event, _room: None }
    }
}

/// The sending end of [`Events`].
#[derive(Debug, Clone)]
pub(crate) struct Inbox {
    pub(crate) urgent: mpsc::Sender<Envelope>,
    bulk: mpsc::Sender<Envelope>,
    urgent_room: Arc<Semaphore>,
    bulk_room: Arc<Semaphore>,
}

/// Messages that may wait in either queue; the bytes are bounded by the lane's inbox limit.
const INBOX_MESSAGES_MAX: usize = 4096;

impl Inbox {
    pub(crate) fn new(consensus_bytes: usize, bulk_bytes: usize) -> (Self, Events) {
        let (urgent, urgent_receiver) = mpsc::channel(INBOX_MESSAGES_MAX);
        let (bulk, bulk_receiver) = mpsc::channel(INBOX_MESSAGES_MAX);
        let inbox = Self {
            urgent,
            bulk,
            urgent_room: Arc::new(Semaphore::new(consensus_bytes)),
            bulk_room: Arc::new(Semaphore::new(bulk_bytes)),
        };
        (inbox, Events { urgent: urgent_receiver, bulk: bulk_receiver, urgent_row: 0 })
    }

    /// Hands a message to the node, waiting for room. False once nobody listens any more.
    pub(crate) async fn deliver(&self, from: PublicKey, lane: Lane, bytes: Bytes) -> bool {
        let (queue, room) = match lane {
            Lane::Consensus => (&self.urgent, &self.urgent_room),
            Lane::Bulk => (&self.bulk, &self.bulk_room),
        };
        // Frame and inbox limits are checked at start: the length fits in a u32 and in the room.
        let Ok(room) = Arc::clone(room).acquire_many_owned(bytes.len() as u32).await else {
            return false;
        };
        let event = Event::Message { from, lane, bytes };
        queue.send(Envelope { event, _room: Some(room) }).await.is_ok()
    }
}
