//! Everything shared between tasks about one allowed peer, and the table of them.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chain_types::PublicKey;
use libp2p::PeerId;
use tokio::sync::{Semaphore, watch};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use crate::budget::Budget;
use crate::config::Limits;
use crate::lane::Lane;
use crate::queue::Queue;
use crate::strikes::Record;

/// One allowed peer, linked or not.
#[derive(Debug)]
pub(crate) struct Remote {
    pub(crate) key: PublicKey,
    pub(crate) id: PeerId,
    lanes: [RemoteLane; 2],
    /// True if a connection stands; the writers wait for it.
    linked: watch::Sender<bool>,
    /// True if the consensus lane was opened over the link: the peer accepts us.
    ready: AtomicBool,
    /// Places for our requests to this peer.
    pub(crate) requests: Arc<Semaphore>,
    /// Ends what reads from and writes to the peer: it is allowed no more, or the network stops.
    pub(crate) cancel: CancellationToken,
    /// The strikes that it got lately.
    record: Mutex<Record>,
    /// Nothing of it is read any more, until its ban is over.
    pub(crate) is_banned: AtomicBool,
    started: Instant,
    moved_ms: AtomicU64,
}

#[derive(Debug)]
pub(crate) struct RemoteLane {
    pub(crate) queue: Queue,
    budget: Mutex<Budget>,
    /// For received messages that the node has not handled, in bytes.
    room: Arc<Semaphore>,
    room_bytes_max: usize,
    reader: Mutex<Option<AbortHandle>>,
}

impl Remote {
    pub(crate) fn new(
        key: PublicKey,
        id: PeerId,
        limits: &Limits,
        cancel: CancellationToken,
    ) -> Self {
        let now = Instant::now();
        let lanes = Lane::ALL.map(|lane| {
            let bounds = limits.lane(lane);
            let age_max = (lane == Lane::Consensus).then_some(limits.consensus_age_max);
            let budget =
                Budget::new(bounds.budget_bytes_per_second, bounds.budget_messages_per_second, now);
            RemoteLane {
                queue: Queue::new(lane, bounds, age_max),
                budget: Mutex::new(budget),
                room: Arc::new(Semaphore::new(bounds.inbox_bytes_max)),
                room_bytes_max: bounds.inbox_bytes_max,
                reader: Mutex::default(),
            }
        });
        Self {
            key,
            id,
            lanes,
            linked: watch::Sender::new(false),
            ready: AtomicBool::new(false),
            requests: Arc::new(Semaphore::new(limits.requests_out_max)),
            cancel,
            record: Mutex::default(),
            is_banned: AtomicBool::new(false),
            started: now,
            moved_ms: AtomicU64::new(0),
        }
    }

    pub(crate) fn lane(&self, lane: Lane) -> &RemoteLane {
        match lane {
            Lane::Consensus => &self.lanes[0],
            Lane::Bulk => &self.lanes[1],
        }
    }

    // Every change under the lock is complete before anything can panic, so poison means nothing.
    pub(crate) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_banned(&self) -> bool {
        self.is_banned.load(Ordering::Acquire)
    }

    pub(crate) fn is_linked(&self) -> bool {
        *self.linked.borrow()
    }

    pub(crate) fn set_linked(&self, linked: bool) {
        self.linked.send_replace(linked);
    }

    pub(crate) fn watch_linked(&self) -> watch::Receiver<bool> {
        self.linked.subscribe()
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    pub(crate) fn set_ready(&self, ready: bool) -> bool {
        self.ready.swap(ready, Ordering::AcqRel)
    }

    /// Notes that bytes went either way: the link is alive, however slow.
    pub(crate) fn moved(&self) {
        self.moved_ms.store(self.started.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// How long ago bytes went either way.
    pub(crate) fn still_for(&self) -> Duration {
        let moved = Duration::from_millis(self.moved_ms.load(Ordering::Relaxed));
        self.started.elapsed().saturating_sub(moved)
    }
}

impl RemoteLane {
    /// Returns true if the peer may send a message of `bytes` now.
    pub(crate) fn afford(&self, bytes: usize) -> bool {
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        budget.take(bytes, Instant::now())
    }

    /// The room for received messages, and its size in bytes.
    pub(crate) fn room(&self) -> (Arc<Semaphore>, usize) {
        (Arc::clone(&self.room), self.room_bytes_max)
    }

    /// Puts `reader` in the place of the lane's reader, which is stopped: one stream a lane.
    pub(crate) fn replace_reader(&self, reader: AbortHandle) {
        let mut place = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = place.replace(reader) {
            old.abort();
        }
    }
}

/// The allowed peers, by both names. Only the driver changes it.
#[derive(Debug, Default)]
pub(crate) struct Remotes {
    table: RwLock<Table>,
}

#[derive(Debug, Default)]
struct Table {
    by_key: BTreeMap<PublicKey, Arc<Remote>>,
    by_id: HashMap<PeerId, Arc<Remote>>,
}

impl Remotes {
    fn read<T>(&self, read: impl FnOnce(&Table) -> T) -> T {
        read(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn insert(&self, remote: &Arc<Remote>) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        table.by_key.insert(remote.key, Arc::clone(remote));
        table.by_id.insert(remote.id, Arc::clone(remote));
    }

    pub(crate) fn remove(&self, remote: &Remote) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        table.by_key.remove(&remote.key);
        table.by_id.remove(&remote.id);
    }

    pub(crate) fn get(&self, key: &PublicKey) -> Option<Arc<Remote>> {
        self.read(|table| table.by_key.get(key).cloned())
    }

    pub(crate) fn by_id(&self, id: &PeerId) -> Option<Arc<Remote>> {
        self.read(|table| table.by_id.get(id).cloned())
    }

    /// All of them, ascending by key.
    pub(crate) fn all(&self) -> Vec<Arc<Remote>> {
        self.read(|table| table.by_key.values().cloned().collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.read(|table| table.by_key.len())
    }
}

/// The first 16 hexadecimal digits of a key: enough to tell peers apart in a log.
pub(crate) struct Short(pub(crate) PublicKey);

impl fmt::Display for Short {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.bytes()[..8].iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}
