//! The driver's inputs: a bounded queue for each source, from which the driver takes in turn, so
//! that no source delays another by more than its share.
//!
//! Messages of consensus come first, those of one peer after those of another; after a few of them
//! in a row the others have their turn: clients' submissions, batches, and what peers and readers
//! ask. A peer that says more than the driver handles loses its own oldest messages.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::executor::block_on;
use node_replica::{Input, NodeIndex, PeerMessage};
use tokio::sync::{Semaphore, TryAcquireError};

/// Messages of one peer that wait: several heights' words of a validator.
const MESSAGES_MAX: usize = 64;
/// Bytes of one peer's messages that wait, beside the newest one.
const MESSAGES_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Messages taken in a row while something else waits.
const MESSAGES_ROW_MAX: u32 = 16;

/// The sources of inputs that are no messages of peers; each has a queue of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Batches that clients submitted.
    Submissions,
    /// Batches that peers sent.
    Batches,
    /// Peers' blocks, and questions of peers and readers.
    Questions,
}

impl Source {
    const ALL: [Self; 3] = [Self::Submissions, Self::Batches, Self::Questions];

    /// Inputs that wait; more are refused or waited for.
    const fn inputs_max(self) -> usize {
        match self {
            Self::Submissions | Self::Batches => 1_024,
            Self::Questions => 256,
        }
    }
}

/// Why an input was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// As many as may wait do.
    Full,
    /// The driver has ended.
    Closed,
}

/// The way to the driver; cheap to clone. The driver ends when all are dropped.
#[derive(Debug)]
pub struct InputSender {
    shared: Arc<Shared>,
}

/// The receiving end, which the driver holds.
#[derive(Debug)]
pub struct InputReceiver {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    waiting: Mutex<Waiting>,
    filled: Condvar,
    /// The free places of each source, in the order of [`Source::ALL`].
    room: [Semaphore; Source::ALL.len()],
}

#[derive(Debug, Default)]
struct Waiting {
    links: BTreeMap<NodeIndex, bool>,
    messages: BTreeMap<NodeIndex, Messages>,
    /// The peers that have messages, in the order of their turns.
    turns: VecDeque<NodeIndex>,
    row: u32,
    others: [VecDeque<Input>; Source::ALL.len()],
    next_source: usize,
    senders: usize,
    is_closed: bool,
    is_awaited: bool,
}

/// The waiting messages of one peer, each with its bytes.
#[derive(Debug, Default)]
struct Messages {
    waiting: VecDeque<(PeerMessage, usize)>,
    bytes: usize,
}

/// The two ends of an empty inbox.
pub fn inbox() -> (InputSender, InputReceiver) {
    let waiting = Waiting { senders: 1, ..Waiting::default() };
    let shared = Arc::new(Shared {
        waiting: Mutex::new(waiting),
        filled: Condvar::new(),
        room: Source::ALL.map(|source| Semaphore::new(source.inputs_max())),
    });
    (InputSender { shared: Arc::clone(&shared) }, InputReceiver { shared })
}

impl Shared {
    // Every change under the lock is complete before anything can panic, so poison means nothing.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what waits, unless the driver has ended, and wakes it if it waits.
    fn add<T>(&self, change: impl FnOnce(&mut Waiting) -> T) -> Result<T, Refused> {
        let mut waiting = self.waiting();
        if waiting.is_closed {
            return Err(Refused::Closed);
        }
        let changed = change(&mut waiting);
        let is_awaited = std::mem::take(&mut waiting.is_awaited);
        drop(waiting);
        if is_awaited {
            self.filled.notify_one();
        }
        Ok(changed)
    }
}

impl InputSender {
    /// A peer's message of `bytes`. Never waits: when too many of that peer wait, the new one takes
    /// the place of the oldest. Returns the number of messages dropped so.
    pub fn message(&self, from: NodeIndex, message: PeerMessage, bytes: usize) -> u64 {
        self.shared.add(|waiting| waiting.add_message(from, message, bytes)).unwrap_or_default()
    }

    /// Reports that a peer connected or left; only the newest report on each is kept. Never waits.
    pub fn link(&self, node: NodeIndex, is_connected: bool) {
        // Fails only once the driver has ended.
        let _ = self.shared.add(|waiting| waiting.links.insert(node, is_connected));
    }

    /// Adds an input if there is room for one of its source.
    ///
    /// # Errors
    /// [`Refused`]; the input is dropped.
    pub fn try_send(&self, source: Source, input: Input) -> Result<(), Refused> {
        let place = self.shared.room[source as usize].try_acquire().map_err(|none| match none {
            TryAcquireError::NoPermits => Refused::Full,
            TryAcquireError::Closed => Refused::Closed,
        })?;
        // Given back when the driver takes the input.
        place.forget();
        self.shared.add(|waiting| waiting.others[source as usize].push_back(input))
    }

    /// Adds an input, waiting for room; sources wait for themselves only.
    ///
    /// # Errors
    /// [`Refused::Closed`] once the driver has ended.
    pub async fn send(&self, source: Source, input: Input) -> Result<(), Refused> {
        let place = self.shared.room[source as usize].acquire().await;
        place.map_err(|_| Refused::Closed)?.forget();
        self.shared.add(|waiting| waiting.others[source as usize].push_back(input))
    }

    /// [`Self::send`] on a thread that may block.
    ///
    /// # Errors
    /// [`Refused::Closed`] once the driver has ended.
    pub fn send_blocking(&self, source: Source, input: Input) -> Result<(), Refused> {
        block_on(self.send(source, input))
    }
}

impl Clone for InputSender {
    fn clone(&self) -> Self {
        self.shared.waiting().senders += 1;
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl Drop for InputSender {
    fn drop(&mut self) {
        let mut waiting = self.shared.waiting();
        waiting.senders -= 1;
        if waiting.senders == 0 {
            drop(waiting);
            self.shared.filled.notify_one();
        }
    }
}

impl InputReceiver {
    /// The next input, waiting for it at most `timeout`.
    ///
    /// # Errors
    /// `Timeout` when none came; `Disconnected` once all senders are dropped and all is taken.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Input, RecvTimeoutError> {
        let mut waiting = self.shared.waiting();
        let mut deadline = None;
        loop {
            if let Some((input, source)) = waiting.take() {
                drop(waiting);
                if let Some(source) = source {
                    self.shared.room[source].add_permits(1);
                }
                return Ok(input);
            }
            if waiting.senders == 0 {
                return Err(RecvTimeoutError::Disconnected);
            }
            let now = Instant::now();
            let left = deadline.get_or_insert(now + timeout).saturating_duration_since(now);
            if left.is_zero() {
                return Err(RecvTimeoutError::Timeout);
            }
            waiting.is_awaited = true;
            let woken = self.shared.filled.wait_timeout(waiting, left);
            waiting = woken.unwrap_or_else(PoisonError::into_inner).0;
            waiting.is_awaited = false;
        }
    }
}

impl Drop for InputReceiver {
    fn drop(&mut self) {
        {
            let mut waiting = self.shared.waiting();
            let senders = waiting.senders;
            *waiting = Waiting { senders, is_closed: true, ..Waiting::default() };
        }
        // Whoever waits for room learns that there is none any more.
        self.shared.room.iter().for_each(Semaphore::close);
    }
}

impl Waiting {
    fn add_message(&mut self, from: NodeIndex, message: PeerMessage, bytes: usize) -> u64 {
        let peer = self.messages.entry(from).or_default();
        if peer.waiting.is_empty() {
            self.turns.push_back(from);
        }
        let mut dropped = 0;
        while peer.waiting.len() >= MESSAGES_MAX || peer.bytes + bytes > MESSAGES_BYTES_MAX {
            let Some((_, freed)) = peer.waiting.pop_front() else { break };
            peer.bytes -= freed;
            dropped += 1;
        }
        peer.bytes += bytes;
        peer.waiting.push_back((message, bytes));
        dropped
    }

    /// The next input, and the source whose place it frees.
    fn take(&mut self) -> Option<(Input, Option<usize>)> {
        if let Some((node, is_connected)) = self.links.pop_first() {
            let input =
                if is_connected { Input::Connected(node) } else { Input::Disconnected(node) };
            return Some((input, None));
        }
        if self.row < MESSAGES_ROW_MAX
            && let Some(message) = self.take_message()
        {
            self.row += 1;
            return Some((message, None));
        }
        self.row = 0;
        for _ in Source::ALL {
            let source = self.next_source;
            self.next_source = (source + 1) % Source::ALL.len();
            if let Some(input) = self.others[source].pop_front() {
                return Some((input, Some(source)));
            }
        }
        self.take_message().map(|message| (message, None))
    }

    /// The oldest message of the peer whose turn it is.
    fn take_message(&mut self) -> Option<Input> {
        let from = self.turns.pop_front()?;
        let peer = self.messages.get_mut(&from)?;
        let (message, bytes) = peer.waiting.pop_front()?;
        peer.bytes -= bytes;
        if peer.waiting.is_empty() {
            self.messages.remove(&from);
        } else {
            self.turns.push_back(from);
        }
        Some(Input::Message { from, message })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;
