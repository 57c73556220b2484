//! A fair queue: a bounded number of places at a time, and callers that take turns by what they
//! ask for. Who asks for much waits for itself; a full queue puts off the last of whoever has the
//! most waiting.
//!
//! The order is start-time fair queueing (Goyal, Vin, Cheng, 1996): a tag is the later of the
//! queue's present tag and the tag at which its caller would be done with all before it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The most callers without a waiting call whose tags a queue remembers.
const IDLE_CALLERS_MAX: usize = 4_096;

/// A queue that many tasks share; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct FairQueue(Arc<Mutex<Queue>>);

/// The calls that wait, and the order in which they begin.
#[derive(Debug)]
struct Queue {
    running: u32,
    running_max: u32,
    waiting_max: usize,
    /// The waiting calls by tag, and by arrival where tags are equal.
    waiting: BTreeMap<Key, Waiting>,
    callers: BTreeMap<IpAddr, Caller>,
    /// The tag of what began last.
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
    /// The tag at which all that it asked for would be done.
    done: u64,
    waiting: usize,
}

impl Queue {
    /// The tag of what arrives now; its caller's next one comes after it.
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

    /// Makes room for one more of `caller`: of the caller that has the most waiting, the last one
    /// goes. `false` when that would be `caller` itself.
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
        let last = self.waiting.iter().rev().find(|(_, waiting)| waiting.caller == most);
        let Some(key) = last.map(|(key, _)| *key) else { return false };
        // Dropping its sender tells who waits.
        self.remove(&key);
        if let Some(entry) = self.callers.get_mut(&most) {
            entry.done = key.0;
        }
        true
    }

    fn remove(&mut self, key: &Key) -> Option<Waiting> {
        let waiting = self.waiting.remove(key)?;
        if let Some(entry) = self.callers.get_mut(&waiting.caller) {
            entry.waiting -= 1;
        }
        Some(waiting)
    }

    /// Lets what waits begin while there is room.
    fn dispatch(&mut self) {
        while self.running < self.running_max {
            let Some(key) = self.waiting.keys().next().copied() else { break };
            let Some(next) = self.remove(&key) else { break };
            if next.begin.send(()).is_ok() {
                self.begin(key.0);
            }
        }
        self.forget_idle();
    }

    /// Forgets callers without a waiting call. The queue treats them like new callers.
    fn forget_idle(&mut self) {
        if self.running == 0 && self.waiting.is_empty() {
            self.callers.clear();
            self.tag = 0;
        } else if self.callers.len() > self.waiting.len() + IDLE_CALLERS_MAX {
            self.callers.retain(|_, entry| entry.waiting > 0);
        }
    }
}

impl FairQueue {
    /// A queue with `running_max` places, at least one, in which at most `waiting_max` wait.
    pub(crate) fn new(running_max: u32, waiting_max: usize) -> Self {
        Self(Arc::new(Mutex::new(Queue {
            running: 0,
            running_max: running_max.max(1),
            waiting_max: waiting_max.max(1),
            waiting: BTreeMap::new(),
            callers: BTreeMap::new(),
            tag: 0,
            number: 0,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place for what counts `units`. Dropping the future gives it up. `None` when the
    /// queue is full and nobody has more waiting, or when somebody with fewer needs the room; never
    /// in a queue without a bound.
    pub(crate) async fn place(&self, caller: IpAddr, units: u32) -> Option<FairPlace> {
        let mut waiter = match self.enter(caller, units)? {
            Entered::Begun(place) => return Some(place),
            Entered::Waits(waiter) => waiter,
        };
        (&mut waiter.begun).await.ok()?;
        waiter.is_taken = true;
        Some(FairPlace(self.clone()))
    }

    fn enter(&self, caller: IpAddr, units: u32) -> Option<Entered> {
        let mut queue = self.lock();
        if queue.is_free() {
            let tag = queue.arrive(caller, units);
            queue.begin(tag);
            return Some(Entered::Begun(FairPlace(self.clone())));
        }
        if !queue.make_room(caller) {
            return None;
        }
        let (begin, begun) = oneshot::channel();
        let tag = queue.arrive(caller, units);
        queue.number += 1;
        let key = (tag, queue.number);
        queue.waiting.insert(key, Waiting { caller, units, begin });
        queue.callers.entry(caller).or_default().waiting += 1;
        Some(Entered::Waits(Waiter { queue: self.clone(), key, begun, is_taken: false }))
    }

    /// The number of those who wait.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }
}

enum Entered {
    Begun(FairPlace),
    Waits(Waiter),
}

/// A position in the queue; leaving it gives it up.
struct Waiter {
    queue: FairQueue,
    key: Key,
    begun: oneshot::Receiver<()>,
    is_taken: bool,
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut queue = self.queue.lock();
        if let Some(left) = queue.remove(&self.key) {
            // Its caller's next one comes as if this had not been asked for.
            if let Some(entry) = queue.callers.get_mut(&left.caller)
                && entry.waiting == 0
            {
                entry.done = entry.done.saturating_sub(u64::from(left.units));
            }
        } else if !self.is_taken && self.begun.try_recv().is_ok() {
            // It was to begin just now, and will not.
            queue.running -= 1;
            queue.dispatch();
        }
    }
}

/// One of the running places. The next waiting call gets it when it is dropped.
#[derive(Debug)]
pub(crate) struct FairPlace(FairQueue);

impl FairPlace {
    /// Runs a call, in this place up to its first wait and freely from then on: a call that waits
    /// for something keeps nobody from beginning.
    pub(crate) async fn begin<F: Future>(self, call: F) -> F::Output {
        let mut place = Some(self);
        let mut call = std::pin::pin!(call);
        std::future::poll_fn(|context| {
            let _until_it_waits = place.take();
            call.as_mut().poll(context)
        })
        .await
    }
}

impl Drop for FairPlace {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.running -= 1;
        queue.dispatch();
    }
}

#[cfg(test)]
mod tests;
