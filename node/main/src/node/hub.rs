//! Who waits for what: clients for a batch to become final, subscribers for the next block. The
//! store is the truth and this is the doorbell.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chain_types::{BatchError, BatchId, Block, BlockHash, Height, Outcome, TimeMs, VerifiedBatch};
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
    /// The block's height.
    pub height: Height,
    /// The block's hash.
    pub block: BlockHash,
    /// The batch's place in the block.
    pub index: u32,
    /// The block's time.
    pub time: TimeMs,
    /// What became of each item.
    pub outcomes: Vec<Outcome>,
}

/// What the pool holds of the batches asked for, and the ids of those it does not.
pub type Found = (Vec<VerifiedBatch>, Vec<BatchId>);

/// The doorbell.
#[derive(Debug)]
pub struct Hub {
    head: watch::Sender<Height>,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    batches: BTreeMap<BatchId, Vec<oneshot::Sender<Ended>>>,
    submissions: BTreeMap<u64, oneshot::Sender<Result<(), BatchError>>>,
    requests: BTreeMap<u64, oneshot::Sender<Found>>,
    number: u64,
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

    /// Waits for a batch to end; to be called before it is submitted.
    pub fn wait_for(&self, id: BatchId) -> oneshot::Receiver<Ended> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.waiting();
        let senders = waiting.batches.entry(id).or_default();
        senders.retain(|sender| !sender.is_closed());
        senders.push(sender);
        receiver
    }

    /// Forgets those who no longer wait for a batch.
    pub fn forget(&self, id: &BatchId) {
        let mut waiting = self.waiting();
        if let Some(senders) = waiting.batches.get_mut(id) {
            senders.retain(|sender| !sender.is_closed());
            if senders.is_empty() {
                waiting.batches.remove(id);
            }
        }
    }

    /// A token under which the pool's answer to a submission comes back.
    pub fn submission(&self) -> (u64, oneshot::Receiver<Result<(), BatchError>>) {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.waiting();
        waiting.number += 1;
        let token = waiting.number;
        waiting.submissions.insert(token, sender);
        (token, receiver)
    }

    /// The pool's answer to a submission. A client that is gone is no error.
    pub fn submitted(&self, token: u64, result: Result<(), BatchError>) {
        if let Some(sender) = self.waiting().submissions.remove(&token) {
            let _ = sender.send(result);
        }
    }

    /// A token under which the pool's answer to a peer's request comes back.
    pub fn request(&self) -> (u64, oneshot::Receiver<Found>) {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.waiting();
        waiting.number += 1;
        let token = waiting.number;
        waiting.requests.insert(token, sender);
        (token, receiver)
    }

    /// The pool's answer to a peer's request.
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
                for sender in senders {
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
            for sender in waiting.batches.remove(id).into_iter().flatten() {
                let _ = sender.send(Ended::Dropped);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use chain_state::State;
    use chain_types::{ChainGenesis, ChainId, Digest, Parameters, Rejection};

    use super::*;

    fn block(batches: Vec<BatchId>) -> Block {
        let genesis = ChainGenesis {
            chain_id: ChainId::default(),
            name: String::new(),
            time: TimeMs(0),
            parameters: Parameters::default(),
            currencies: Vec::new(),
            participants: Vec::new(),
            merchants: Vec::new(),
            liquidity: Vec::new(),
            nodes: Vec::new(),
        };
        let mut block = State::genesis_block(&genesis);
        block.header.height = Height(7);
        block.batches = batches;
        block
    }

    #[tokio::test]
    async fn everyone_who_waits_for_a_batch_hears_its_end_and_the_bell_rings_after() {
        let hub = Hub::new(Height(6));
        let [one, two, other] = [1, 2, 3].map(|byte| BatchId(Digest([byte; 32])));
        let waiting = [hub.wait_for(one), hub.wait_for(one), hub.wait_for(two)];
        let dropped = hub.wait_for(other);
        let refused = Outcome::from(Rejection::AmountZero);
        hub.committed(&block(vec![one, two]), &[vec![Outcome::APPLIED], vec![refused]]);
        hub.dropped(&[other]);
        let mut ends = Vec::new();
        for receiver in waiting {
            let Ended::Final(done) = receiver.await.unwrap() else { unreachable!() };
            ends.push((done.height, done.index, done.outcomes.clone()));
        }
        let first = (Height(7), 0, vec![Outcome::APPLIED]);
        assert_eq!(ends, [first.clone(), first, (Height(7), 1, vec![refused])]);
        assert!(matches!(dropped.await.unwrap(), Ended::Dropped));
        assert_eq!(*hub.head().borrow(), Height(7));
    }

    #[tokio::test]
    async fn who_no_longer_waits_is_forgotten() {
        let hub = Hub::new(Height(0));
        let id = BatchId(Digest([1; 32]));
        drop(hub.wait_for(id));
        let staying = hub.wait_for(id);
        hub.forget(&id);
        assert_eq!(hub.waiting().batches.get(&id).map(Vec::len), Some(1));
        drop(staying);
        hub.forget(&id);
        assert!(hub.waiting().batches.is_empty());
    }
}
