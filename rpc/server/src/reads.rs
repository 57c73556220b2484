//! The order of reads. A read has a cost by its method and parameters, and is of one of three
//! classes: cheap reads, questions after a batch, and dear reads (pages, proofs). Each class has a
//! fair queue and threads of its own, so a cheap read never waits behind a dear one; dear reads are
//! few at a time, so that submissions and consensus keep their cores. Within a class callers take
//! turns by what their reads cost: who asks for much waits for itself.

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use futures::FutureExt as _;

use crate::budget::subscriber;
use crate::config::ServerConfig;
use crate::cost::{Cost, ReadClass};
use crate::fair::{FairPlace, FairQueue};
use crate::metrics::RpcMetrics;

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
    queues: [FairQueue; ReadClass::ALL.len()],
    metrics: RpcMetrics,
}

impl Reads {
    /// The queues of a server.
    pub(crate) fn new(config: &ServerConfig, metrics: &RpcMetrics) -> Self {
        let waiting_max = config.reads_waiting_max as usize;
        let queue = |running_max: u32| FairQueue::new(running_max, waiting_max);
        let queues = [queue(config.reads_max), queue(QUESTIONS_MAX), queue(config.dear_reads_max)];
        Self(Arc::new(Shared { queues, metrics: metrics.clone() }))
    }

    /// Waits until a read of `caller` may run. Dropping the future gives up its place.
    ///
    /// # Errors
    /// When the queue is full and nobody has more waiting, or when somebody with fewer needs the
    /// place.
    pub(crate) async fn turn(&self, caller: IpAddr, cost: Cost) -> Result<Turn, PutOff> {
        // Who has a turn and waits for the next would wait for itself.
        keep_until_answered(None);
        let class = cost.class;
        let mut place = std::pin::pin!(self.0.queues[class as usize].place(caller, cost.units));
        let place = match place.as_mut().now_or_never() {
            Some(place) => place,
            None => {
                let _waits = self.0.metrics.read_waits(class);
                place.await
            }
        };
        let put_off = || {
            self.0.metrics.read_put_off(class);
            PutOff { class, retry_after_ms: RETRY_MS[class as usize] }
        };
        place.map(|place| Turn { _place: place, class }).ok_or_else(put_off)
    }

    /// The number of reads that wait in a class.
    #[cfg(test)]
    pub(crate) fn waiting(&self, class: ReadClass) -> usize {
        self.0.queues[class as usize].waiting()
    }
}

/// The right to read; the next read begins when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _place: FairPlace,
    class: ReadClass,
}

impl Turn {
    /// Returns what is left of the turn when the read is done: that of a dear read lasts until its
    /// answer is made.
    pub(crate) fn after_read(self) -> Option<Self> {
        (self.class == ReadClass::Dear).then_some(self)
    }
}

#[cfg(test)]
mod tests;
