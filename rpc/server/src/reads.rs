//! The order of reads. A read has a cost by its method and parameters, and is of one of three
//! classes: cheap reads, questions after a batch, and dear reads (pages, proofs). Each class has a
//! queue and threads of its own, so a cheap read never waits behind a dear one; dear reads are few
//! at a time, so that submissions and consensus keep their cores. Within a class callers take turns
//! by what their reads cost: who asks for much waits for itself. A full queue puts off a read of
//! whoever has the most waiting.
//!
//! The order is start-time fair queueing (Goyal, Vin, Cheng, 1996): a read's tag is the later of
//! the queue's present tag and the tag at which its caller's reads before it would be done.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::budget::subscriber;
use crate::config::ServerConfig;
use crate::cost::{Cost, ReadClass};
use crate::metrics::RpcMetrics;

/// Callers without a waiting read whose tags a queue remembers.
const IDLE_CALLERS_MAX: usize = 4_096;
/// The most questions after a batch at a time: each reads a whole block with its outcomes.
const QUESTIONS_MAX: u32 = 8;
/// When a caller should try again that was put off, by class, in milliseconds.
const RETRY_MS: [u64; ReadClass::ALL.len()] = [100, 250, 500];

tokio::task_local! {
    /// On whose behalf the present call runs.
    static CALLER: IpAddr;
    /// The turn of the dear read whose answer the present call makes.
    static KEPT: RefCell<Option<Turn>>;
}

/// The caller of what the node reads for itself.
pub(crate) const OWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Runs a call on behalf of an address: its reads are that caller's.
pub(crate) async fn on_behalf_of<F: Future>(address: IpAddr, call: F) -> F::Output {
    KEPT.scope(RefCell::default(), CALLER.scope(subscriber(address), call)).await
}

/// Keeps a turn until the answer of the present call is made: what dear reads have found is not
/// piled up faster than it becomes answers.
pub(crate) fn keep_until_answered(turn: Option<Turn>) {
    let keep = |kept: &RefCell<Option<Turn>>| drop(kept.replace(turn));
    // What runs after its call, such as a subscription, keeps none.
    let _ = KEPT.try_with(keep);
}

/// On whose behalf the present call runs.
pub(crate) fn caller() -> IpAddr {
    CALLER.try_with(|caller| *caller).unwrap_or(OWN)
}

/// A read was put off: the queue of its class holds as many as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PutOff {
    pub(crate) class: ReadClass,
    pub(crate) retry_after_ms: u64,
}

/// The queues of all classes; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Reads(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    queues: [Mutex<Queue>; ReadClass::ALL.len()],
    metrics: RpcMetrics,
}

/// The waiting reads of one class, and the order in which they run.
#[derive(Debug, Default)]
struct Queue {
    running: u32,
    running_max: u32,
    waiting_max: usize,
    /// By tag, and by arrival where tags are equal.
    waiting: BTreeMap<Key, Waiting>,
    callers: BTreeMap<IpAddr, Caller>,
    /// The tag of the read that began last.
    tag: u64,
    number: u64,
}

type Key = (u64, u64);

#[derive(Debug)]
struct Waiting {
    caller: IpAddr,
    units: u32,
    begin: oneshot::Sender<()>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Caller {
    /// The tag at which its reads so far would be done.
    done: u64,
    waiting: usize,
}

impl Queue {
    /// The tag of a read that arrives now; its caller's next one comes after it.
    fn arrive(&mut self, caller: IpAddr, units: u32) -> u64 {
        let present = self.tag;
        let entry = self.callers.entry(caller).or_default();
        let tag = entry.done.max(present);
        entry.done = tag.saturating_add(u64::from(units.max(1)));
        tag
    }

    fn is_free(&self) -> bool {
        self.running < self.running_max && self.waiting.is_empty()
    }

    fn begin(&mut self, tag: u64) {
        self.running += 1;
        self.tag = self.tag.max(tag);
    }

    /// Makes room for one more read of `caller`: of the caller that has the most waiting, the last
    /// one goes. `false` when that would be `caller` itself.
    fn make_room(&mut self, caller: IpAddr) -> bool {
        if self.waiting.len() < self.waiting_max {
            return true;
        }
        let own = self.callers.get(&caller).map_or(0, |entry| entry.waiting);
        let most = self.callers.iter().max_by_key(|(_, entry)| entry.waiting);
        let Some((most, _)) = most.filter(|(_, entry)| entry.waiting > own + 1) else {
            return false;
        };
        let most = *most;
        let last = self.waiting.iter().rev().find(|(_, read)| read.caller == most);
        let Some(key) = last.map(|(key, _)| *key) else { return false };
        // Dropping its sender tells who waits.
        self.remove(&key);
        if let Some(entry) = self.callers.get_mut(&most) {
            entry.done = key.0;
        }
        true
    }

    fn remove(&mut self, key: &Key) -> Option<Waiting> {
        let read = self.waiting.remove(key)?;
        if let Some(entry) = self.callers.get_mut(&read.caller) {
            entry.waiting -= 1;
        }
        Some(read)
    }

    /// Lets waiting reads begin while there is room.
    fn dispatch(&mut self) {
        while self.running < self.running_max {
            let Some(key) = self.waiting.keys().next().copied() else { break };
            let Some(read) = self.remove(&key) else { break };
            if read.begin.send(()).is_ok() {
                self.begin(key.0);
            }
        }
        self.forget_idle();
    }

    /// A caller that waits for nothing, and whose reads are done by the queue's tag, is like a
    /// stranger.
    fn forget_idle(&mut self) {
        if self.running == 0 && self.waiting.is_empty() {
            self.callers.clear();
            self.tag = 0;
        } else if self.callers.len() > self.waiting.len() + IDLE_CALLERS_MAX {
            self.callers.retain(|_, entry| entry.waiting > 0);
        }
    }
}

impl Reads {
    /// The queues of a server.
    pub(crate) fn new(config: &ServerConfig, metrics: &RpcMetrics) -> Self {
        let waiting_max = config.reads_waiting_max.max(1) as usize;
        let queue = |running_max: u32| {
            let running_max = running_max.max(1);
            Mutex::new(Queue { running_max, waiting_max, ..Queue::default() })
        };
        let queues = [queue(config.reads_max), queue(QUESTIONS_MAX), queue(config.dear_reads_max)];
        Self(Arc::new(Shared { queues, metrics: metrics.clone() }))
    }

    fn queue(&self, class: ReadClass) -> MutexGuard<'_, Queue> {
        self.0.queues[class as usize].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a read of `caller` may run. Dropping the future gives up its place.
    ///
    /// # Errors
    /// When the queue is full and nobody has more waiting, or when somebody with fewer needs the
    /// place.
    pub(crate) async fn turn(&self, caller: IpAddr, cost: Cost) -> Result<Turn, PutOff> {
        let put_off = || {
            self.0.metrics.read_put_off(cost.class);
            let retry_after_ms = RETRY_MS[cost.class as usize];
            PutOff { class: cost.class, retry_after_ms }
        };
        // Who has a turn and waits for the next would wait for itself.
        keep_until_answered(None);
        let mut waiter = match self.enter(caller, cost).ok_or_else(put_off)? {
            Entered::Begun(turn) => return Ok(turn),
            Entered::Waits(waiter) => waiter,
        };
        match (&mut waiter.begun).await {
            Ok(()) => {
                waiter.is_taken = true;
                Ok(Turn { reads: self.clone(), class: cost.class })
            }
            Err(_) => Err(put_off()),
        }
    }

    fn enter(&self, caller: IpAddr, cost: Cost) -> Option<Entered> {
        let mut queue = self.queue(cost.class);
        if queue.is_free() {
            let tag = queue.arrive(caller, cost.units);
            queue.begin(tag);
            return Some(Entered::Begun(Turn { reads: self.clone(), class: cost.class }));
        }
        if !queue.make_room(caller) {
            return None;
        }
        let (begin, begun) = oneshot::channel();
        let tag = queue.arrive(caller, cost.units);
        queue.number += 1;
        let key = (tag, queue.number);
        queue.waiting.insert(key, Waiting { caller, units: cost.units, begin });
        queue.callers.entry(caller).or_default().waiting += 1;
        self.0.metrics.reads_waiting(cost.class, queue.waiting.len());
        let reads = self.clone();
        Some(Entered::Waits(Waiter { reads, class: cost.class, key, begun, is_taken: false }))
    }

    /// How many reads wait in a class.
    #[cfg(test)]
    pub(crate) fn waiting(&self, class: ReadClass) -> usize {
        self.queue(class).waiting.len()
    }
}

enum Entered {
    Begun(Turn),
    Waits(Waiter),
}

/// A place in a class; leaving it gives it up.
struct Waiter {
    reads: Reads,
    class: ReadClass,
    key: Key,
    begun: oneshot::Receiver<()>,
    is_taken: bool,
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut queue = self.reads.queue(self.class);
        let left = queue.remove(&self.key);
        if let Some(read) = left {
            // Its caller's next read comes as if this one had not been asked for.
            if let Some(entry) = queue.callers.get_mut(&read.caller)
                && entry.waiting == 0
            {
                entry.done = entry.done.saturating_sub(u64::from(read.units));
            }
        } else if !self.is_taken && self.begun.try_recv().is_ok() {
            // It was to begin just now, and will not.
            queue.running -= 1;
            queue.dispatch();
        }
        self.reads.0.metrics.reads_waiting(self.class, queue.waiting.len());
    }
}

/// The right to read; the next read begins when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    reads: Reads,
    class: ReadClass,
}

impl Turn {
    /// Returns what is left of the turn when the read is done: that of a dear read lasts until its
    /// answer is made.
    pub(crate) fn after_read(self) -> Option<Self> {
        (self.class == ReadClass::Dear).then_some(self)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut queue = self.reads.queue(self.class);
        queue.running -= 1;
        queue.dispatch();
    }
}

#[cfg(test)]
mod tests;
