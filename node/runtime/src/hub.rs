//! The callers that wait: clients for a batch to become final, subscribers for the next block. The
//! store is the truth and this is the doorbell.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chain_types::{BatchId, Block, BlockHash, Height, Outcome, TimeMs, VerifiedBatch};
use node_replica::SubmitRefusal;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use tokio::sync::{oneshot, watch};

/// How a batch ended.
#[derive(Debug, Clone)]
pub enum Ended {
    /// It is in a decided block.
    Final(Arc<FinalBatch>),
    /// It left the pool uncommitted: its valid-until time passed.
    Dropped,
}

/// A batch in a decided block.
#[derive(Debug)]
pub struct FinalBatch {
    /// The height of the batch's block.
    pub height: Height,
    /// The hash of the batch's block.
    pub block: BlockHash,
    /// The batch's place in the block.
    pub index: u32,
    /// The time of the batch's block.
    pub time: TimeMs,
    /// The outcome of each item.
    pub outcomes: Vec<Outcome>,
}

/// The batches asked for that the pool holds, and the ids of those it does not.
pub type Found = (Vec<VerifiedBatch>, Vec<BatchId>);

/// The doorbell of the callers that wait.
#[derive(Debug)]
pub struct Hub {
    head: watch::Sender<Height>,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    batches: BTreeMap<BatchId, BTreeMap<u64, oneshot::Sender<Ended>>>,
    submissions: BTreeMap<u64, oneshot::Sender<Result<(), SubmitRefusal>>>,
    requests: BTreeMap<u64, oneshot::Sender<Found>>,
    number: u64,
}

impl Waiting {
    fn next_token(&mut self) -> u64 {
        self.number += 1;
        self.number
    }
}

/// The event that somebody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Batch(BatchId),
    Submission,
    Request,
}

/// A registration at the hub. Dropping it ends the registration, whatever its owner waited for
/// and however the wait ended: a client that leaves after a millisecond leaves nothing behind.
#[derive(Debug)]
pub struct Waiter<T> {
    hub: Arc<Hub>,
    subject: Subject,
    token: u64,
    receiver: oneshot::Receiver<T>,
}

impl<T> Waiter<T> {
    /// The token under which the answer comes back.
    pub fn token(&self) -> u64 {
        self.token
    }

    /// Waits for the answer; `None` when there will be none.
    pub async fn answer(mut self) -> Option<T> {
        (&mut self.receiver).await.ok()
    }
}

impl<T> Drop for Waiter<T> {
    fn drop(&mut self) {
        self.hub.forget(self.subject, self.token);
    }
}

impl Hub {
    /// A doorbell for a chain whose head is at `head`.
    pub fn new(head: Height) -> Self {
        Self { head: watch::Sender::new(head), waiting: Mutex::default() }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rings at every committed height.
    pub fn head(&self) -> watch::Receiver<Height> {
        self.head.subscribe()
    }

    /// Wakes those who wait for a height: the driver has failed, and none will come.
    pub fn failed(&self) {
        self.head.send_modify(|_| {});
    }

    /// How many registrations there are: at most one or two a call in hand.
    pub fn waiter_count(&self) -> usize {
        let waiting = self.waiting();
        let batches: usize = waiting.batches.values().map(BTreeMap::len).sum();
        batches + waiting.submissions.len() + waiting.requests.len()
    }

    /// Waits for a batch to end; to be called before it is submitted.
    pub fn wait_for(self: &Arc<Self>, id: BatchId) -> Waiter<Ended> {
        self.register(Subject::Batch(id), |waiting, token, sender| {
            waiting.batches.entry(id).or_default().insert(token, sender);
        })
    }

    /// Waits for the pool's answer to a submission, which comes back under the waiter's token.
    pub fn submission(self: &Arc<Self>) -> Waiter<Result<(), SubmitRefusal>> {
        self.register(Subject::Submission, |waiting, token, sender| {
            waiting.submissions.insert(token, sender);
        })
    }

    /// Waits for what the pool holds, which comes back under the waiter's token.
    pub fn request(self: &Arc<Self>) -> Waiter<Found> {
        self.register(Subject::Request, |waiting, token, sender| {
            waiting.requests.insert(token, sender);
        })
    }

    fn register<T>(
        self: &Arc<Self>,
        subject: Subject,
        put: impl FnOnce(&mut Waiting, u64, oneshot::Sender<T>),
    ) -> Waiter<T> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.waiting();
        let token = waiting.next_token();
        put(&mut waiting, token, sender);
        drop(waiting);
        Waiter { hub: self.clone(), subject, token, receiver }
    }

    fn forget(&self, subject: Subject, token: u64) {
        let mut waiting = self.waiting();
        match subject {
            Subject::Batch(id) => {
                if let Some(senders) = waiting.batches.get_mut(&id) {
                    senders.remove(&token);
                    if senders.is_empty() {
                        waiting.batches.remove(&id);
                    }
                }
            }
            Subject::Submission => drop(waiting.submissions.remove(&token)),
            Subject::Request => drop(waiting.requests.remove(&token)),
        }
    }

    /// The pool's answer to a submission. A client that is gone is no error.
    pub fn submitted(&self, token: u64, result: Result<(), SubmitRefusal>) {
        if let Some(sender) = self.waiting().submissions.remove(&token) {
            let _ = sender.send(result);
        }
    }

    /// The pool's answer to a question of what it holds. Who is gone is no error.
    pub fn found(&self, token: u64, batches: Vec<VerifiedBatch>, missing: Vec<BatchId>) {
        if let Some(sender) = self.waiting().requests.remove(&token) {
            let _ = sender.send((batches, missing));
        }
    }

    /// A block is final: tells those who wait for its batches, then rings.
    pub fn committed(&self, block: &Block, all: &[Vec<Outcome>]) {
        let (height, time, hash) = (block.header.height, block.header.time, block.hash());
        {
            let mut waiting = self.waiting();
            for ((index, id), outcomes) in (0..).zip(&block.batches).zip(all) {
                let Some(senders) = waiting.batches.remove(id) else { continue };
                let outcomes = outcomes.clone();
                let done = Arc::new(FinalBatch { height, block: hash, index, time, outcomes });
                for sender in senders.into_values() {
                    let _ = sender.send(Ended::Final(done.clone()));
                }
            }
        }
        self.head.send_replace(height);
    }

    /// Batches left the pool uncommitted.
    pub fn dropped(&self, ids: &[BatchId]) {
        let mut waiting = self.waiting();
        for id in ids {
            for sender in waiting.batches.remove(id).into_iter().flat_map(BTreeMap::into_values) {
                let _ = sender.send(Ended::Dropped);
            }
        }
    }
}

/// The number of registrations, counted when it is asked for.
#[derive(Debug)]
struct Figures(Arc<Hub>);

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let count = ConstGauge::new(u64::try_from(self.0.waiter_count()).unwrap_or(u64::MAX));
        let help = "Registrations of calls and peers that wait for the driver or for a block";
        count.encode(encoder.encode_descriptor("waiters", help, None, count.metric_type())?)
    }
}

/// Registers the figure of a hub under `sluice_`.
pub fn register(hub: &Arc<Hub>, registry: &mut Registry) {
    let sluice = registry.sub_registry_with_prefix("sluice");
    sluice.register_collector(Box::new(Figures(hub.clone())));
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use chain_state::State;
    use chain_types::{ChainGenesis, Digest, Rejection};

    use super::*;

    fn block(batches: Vec<BatchId>) -> Block {
        let mut block = State::genesis_block(&ChainGenesis::default());
        block.header.height = Height::new(7);
        block.batches = batches;
        block
    }

    #[tokio::test]
    async fn everyone_who_waits_for_a_batch_hears_its_end_and_the_bell_rings_after() {
        let hub = Arc::new(Hub::new(Height::new(6)));
        let [one, two, other] = [1, 2, 3].map(|byte| BatchId::new(Digest::from_bytes([byte; 32])));
        let waiting = [hub.wait_for(one), hub.wait_for(one), hub.wait_for(two)];
        let dropped = hub.wait_for(other);
        let refused = Outcome::from(Rejection::AmountZero);
        hub.committed(&block(vec![one, two]), &[vec![Outcome::APPLIED], vec![refused]]);
        hub.dropped(&[other]);
        let mut ends = Vec::new();
        for receiver in waiting {
            let Ended::Final(done) = receiver.answer().await.unwrap() else { unreachable!() };
            ends.push((done.height, done.index, done.outcomes.clone()));
        }
        let first = (Height::new(7), 0, vec![Outcome::APPLIED]);
        assert_eq!(ends, [first.clone(), first, (Height::new(7), 1, vec![refused])]);
        assert!(matches!(dropped.answer().await.unwrap(), Ended::Dropped));
        assert_eq!(*hub.head().borrow(), Height::new(7));
    }

    #[test]
    fn who_no_longer_waits_is_forgotten_whatever_it_waited_for() {
        let hub = Arc::new(Hub::new(Height::new(0)));
        let id = BatchId::new(Digest::from_bytes([1; 32]));
        let staying = hub.wait_for(id);
        for _ in 0..1_000 {
            drop((hub.wait_for(id), hub.submission(), hub.request()));
        }
        assert_eq!(hub.waiter_count(), 1);
        drop(staying);
        assert_eq!(hub.waiter_count(), 0);
        assert!(hub.waiting().batches.is_empty(), "no batch is kept without a waiter");
    }

    #[tokio::test]
    async fn an_answer_reaches_its_waiter_and_no_other() {
        let hub = Arc::new(Hub::new(Height::new(0)));
        let [one, two] = [hub.submission(), hub.submission()];
        let question = hub.request();
        hub.submitted(two.token(), Ok(()));
        hub.found(question.token(), Vec::new(), vec![BatchId::new(Digest::from_bytes([1; 32]))]);
        assert!(two.answer().await.unwrap().is_ok());
        assert_eq!(question.answer().await.unwrap().1.len(), 1);
        assert_eq!(hub.waiter_count(), 1, "only the first still waits");
        let token = one.token();
        drop(one);
        hub.submitted(token, Ok(()));
        assert_eq!(hub.waiter_count(), 0);
    }
}
