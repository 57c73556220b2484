//! The sources that the methods of a running node read: its state and its store, one whole block
//! after the other.
//!
//! The state moves a moment before the store does. A read takes the state's height first and waits
//! until the store has come as far, so that nothing falls between the two.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use chain_state::{OrderRecord, State};
use chain_store::{ChainStore as _, Store};
use chain_types::{ChainGenesis, Height, OrderId, PublicKey};
use node_home::orders::Orders;
use node_replica::{SharedScheduler, WaitingBatches, read_state};
use rpc_api::HealthReport;

use super::fault::{AnswerFault, Read};
use crate::hub::Hub;
use crate::observer::Observer;
use crate::outlooks::Outlooks;
use crate::submissions::Submissions;
use crate::vitals::Vitals;

/// The longest time that a read waits for the store to come as far as the state.
const STORE_LAG_MAX: Duration = Duration::from_secs(10);

/// A node as its methods see it. What reads from disk or waits is called on threads that may block.
pub struct ServedNode {
    /// The name of the node.
    pub name: String,
    /// The public halves of its keys of connections and of votes; `None` without one for votes.
    pub keys: Option<(PublicKey, PublicKey)>,
    /// The longest wait that a client may ask for, in milliseconds.
    pub wait_ms_max: u64,
    /// The content of the genesis file.
    pub genesis: Arc<ChainGenesis>,
    /// The state and the store, for reads of orders.
    pub orders: Orders,
    /// The callers that wait for a batch or a block.
    pub hub: Arc<Hub>,
    /// The figures that the driver publishes, such as the pool's counts.
    pub vitals: Arc<Vitals>,
    /// How the node stands.
    pub observer: Arc<Observer>,
    /// The batches that wait for a block.
    pub waiting: WaitingBatches,
    /// The shares of submitters.
    pub shares: SharedScheduler,
    /// The tables of shares and queues that the node signs.
    pub outlooks: Outlooks,
    /// The way to the driver for clients' batches.
    pub submissions: Submissions,
    /// The time at which the process started.
    pub started: Instant,
}

impl ServedNode {
    /// Says whether the node serves, at once.
    pub fn health(&self) -> HealthReport {
        let reason = self.observer.reason_not_ready();
        HealthReport { is_ready: reason.is_none(), reason }
    }

    pub(super) fn store(&self) -> &Store {
        &self.orders.store
    }

    /// Reads the state alone.
    pub(super) fn now<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&read_state(&self.orders.state))
    }

    /// Reads the state, then waits until the store has come as far.
    pub(super) fn settled<T>(&self, read: impl FnOnce(&State) -> T) -> Read<T> {
        let (value, height) = self.now(|state| (read(state), state.height()));
        self.wait_for_store(height)?;
        Ok(value)
    }

    /// The store, once it has come as far as the state is now.
    pub(super) fn settled_store(&self) -> Read<&Store> {
        self.settled(|_| ())?;
        Ok(self.store())
    }

    /// Returns an order's record, once the store can read the rest of it. For an order that no
    /// block has changed since, that needs no wait. A node may execute its next block before the
    /// present one is in the store.
    pub(super) fn order_record(&self, id: &OrderId) -> Read<Option<OrderRecord>> {
        let (record, height) = self.orders.record(id)?;
        self.wait_for_store(height)?;
        match record {
            Some(record) => Ok(Some(record)),
            // It may have arrived there meanwhile.
            None => Ok(self.store().archived_order(id)?),
        }
    }

    /// Waits until the store has come to a height, or the driver has failed.
    pub(super) fn wait_for_store(&self, height: Height) -> Read<()> {
        let mut head = self.hub.head();
        if *head.borrow() >= height {
            return Ok(());
        }
        let has_failed = || self.vitals.failed.load(Ordering::Relaxed);
        let moved = head.wait_for(|head| *head >= height || has_failed());
        match block_at_most(STORE_LAG_MAX, moved) {
            Some(Ok(head)) if *head >= height => Ok(()),
            _ => Err(AnswerFault::StoreBehind(height)),
        }
    }
}

/// Wakes a thread that waits in [`block_at_most`].
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits on this thread, which may block, until a future is ready; `None` after `longest`. A timer
/// of the runtime would panic here while the node stops: timers end before the threads that may
/// block.
fn block_at_most<F: Future>(longest: Duration, future: F) -> Option<F::Output> {
    let started = Instant::now();
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(output);
        }
        let left = longest.checked_sub(started.elapsed())?;
        std::thread::park_timeout(left);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::mpsc;

    use tokio::runtime::Runtime;
    use tokio::sync::watch;

    use super::*;

    #[test]
    fn who_waits_while_the_node_stops_hears_of_it() {
        let (head, mut watched) = watch::channel(0);
        let (say, said) = mpsc::sync_channel(2);
        let runtime = Runtime::new().unwrap();
        runtime.spawn_blocking(move || {
            say.send(None).unwrap();
            say.send(Some(block_at_most(STORE_LAG_MAX, watched.changed()))).unwrap();
        });
        assert_eq!(said.recv().unwrap().map(|_| ()), None);
        runtime.shutdown_background();
        head.send(1).unwrap();
        assert!(said.recv().unwrap().unwrap().unwrap().is_ok());
        let never = std::future::pending::<()>();
        assert!(block_at_most(Duration::ZERO, never).is_none());
    }
}
