//! The load: batches signed just ahead on their own threads, sent in a closed loop (so many in
//! flight at each node) or an open one (so many orders a second, come what may).
//!
//! An open loop measures from the time a batch was meant to be sent, also when the network holds
//! the sender up, so that a stall is not hidden by the requests it delayed.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chain_types::{ChainId, ParticipantId, SecretKey, SignedBatch};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use rpc_api::{BatchReport, Wait};
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::participant::client::{CallError, Client};
use crate::participant::operations::now;
use crate::participant::orders::{Entropy, Profile};

/// Batches that lie signed and ready, for each signing thread.
const READY_BATCHES: usize = 2;
/// How long a batch's outcome is waited for.
pub const OUTCOME_TIMEOUT: Duration = Duration::from_secs(60);
/// How long after it is made a batch may commit, in milliseconds.
const VALID_MS: u64 = 120_000;

/// A gateway that puts load on the network with its own users' orders.
#[derive(Debug, Clone)]
pub struct Loader {
    /// Who signs.
    pub id: ParticipantId,
    /// With what.
    pub key: SecretKey,
    /// What its orders look like.
    pub profile: Profile,
}

/// What a submission gives: the node's report, and how often it was tried again.
pub type Answer = Result<(BatchReport, u32), CallError>;
/// Submits a batch, beginning with the node of a number, and waits until it is final.
pub type Submit = Arc<dyn Fn(usize, Bytes) -> BoxFuture<'static, Answer> + Send + Sync>;

/// Submits over `client`.
pub fn over(client: Arc<Client>) -> Submit {
    Arc::new(move |first, bytes| {
        let client = Arc::clone(&client);
        let answer = async move {
            let submitted = client.submit(first, bytes, Wait::Final, OUTCOME_TIMEOUT).await?;
            Ok((submitted.report, submitted.retries))
        };
        answer.boxed()
    })
}

/// How batches are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// So many batches in flight; the next is sent when one is final.
    Closed {
        /// Batches in flight at all nodes.
        in_flight: usize,
    },
    /// So many orders a second, whatever the network does.
    Open {
        /// Orders a second.
        rate: u64,
        /// Batches in flight at all nodes, beyond which sending waits (and latency counts on).
        in_flight_max: usize,
    },
}

/// A batch ready to be sent.
#[derive(Debug)]
struct Prepared {
    bytes: Bytes,
    items: u32,
}

/// What became of one batch.
#[derive(Debug)]
pub struct Sent {
    /// Its items.
    pub items: u32,
    /// From the time it was to be sent to its answer.
    pub latency: Duration,
    /// When the answer came.
    pub answered: Instant,
    /// The answer.
    pub result: Answer,
}

/// Threads that sign batches ahead; they end when the queue is dropped.
#[derive(Debug)]
pub struct Signers {
    ready: mpsc::Receiver<Prepared>,
}

impl Signers {
    /// Starts `threads` threads that make batches of `items` orders, of each loader in turn.
    ///
    /// # Errors
    /// When a thread cannot be started or there is no entropy.
    pub fn start(
        chain_id: ChainId,
        loaders: &[Loader],
        items: usize,
        threads: usize,
    ) -> anyhow::Result<Self> {
        anyhow::ensure!(!loaders.is_empty(), "no gateway to load the network with");
        let (sender, ready) = mpsc::channel(READY_BATCHES * threads.max(1));
        for thread in 0..threads.max(1) {
            let mut entropy = Entropy::fresh()?;
            let (loaders, sender) = (loaders.to_vec(), sender.clone());
            let work = move || {
                for loader in loaders.iter().cycle().skip(thread) {
                    let batch = loader.batch(chain_id, &mut entropy, items);
                    if sender.blocking_send(batch).is_err() {
                        return;
                    }
                }
            };
            std::thread::Builder::new().name(format!("signer-{thread}")).spawn(work)?;
        }
        Ok(Self { ready })
    }
}

impl Loader {
    fn batch(&self, chain_id: ChainId, entropy: &mut Entropy, items: usize) -> Prepared {
        let made = now();
        let orders = self.profile.orders(entropy, made, items);
        let valid_until = made.plus(VALID_MS);
        let bytes = SignedBatch::sign(chain_id, self.id, &self.key, valid_until, &orders);
        Prepared { bytes: bytes.into(), items: u32::try_from(items).unwrap_or(u32::MAX) }
    }
}

/// Sends for `period` or until `cancel`, waits for what is in flight, and gives what became of
/// each batch to `results`, which closes at the end.
pub async fn run(
    submit: Submit,
    signers: Signers,
    pace: Pace,
    items: u32,
    period: Duration,
    cancel: CancellationToken,
    results: mpsc::Sender<Sent>,
) {
    let end = Instant::now() + period;
    match pace {
        Pace::Closed { in_flight } => {
            closed(submit, signers, in_flight, end, cancel, results).await;
        }
        Pace::Open { rate, in_flight_max } => {
            let interval = Duration::from_secs(1).mul_f64(f64::from(items) / rate.max(1) as f64);
            open(submit, signers, interval, in_flight_max, end, cancel, results).await;
        }
    }
}

async fn closed(
    submit: Submit,
    signers: Signers,
    in_flight: usize,
    end: Instant,
    cancel: CancellationToken,
    results: mpsc::Sender<Sent>,
) {
    let ready = Arc::new(Mutex::new(signers.ready));
    let mut tasks = JoinSet::new();
    for worker in 0..in_flight.max(1) {
        let (submit, ready) = (Arc::clone(&submit), Arc::clone(&ready));
        let (cancel, results) = (cancel.clone(), results.clone());
        tasks.spawn(async move {
            while Instant::now() < end && !cancel.is_cancelled() {
                let Some(batch) = ready.lock().await.recv().await else { return };
                let sent = send(&submit, worker, batch, Instant::now()).await;
                if results.send(sent).await.is_err() {
                    return;
                }
            }
        });
    }
    while tasks.join_next().await.is_some() {}
}

async fn open(
    submit: Submit,
    mut signers: Signers,
    interval: Duration,
    in_flight_max: usize,
    end: Instant,
    cancel: CancellationToken,
    results: mpsc::Sender<Sent>,
) {
    let slots = Arc::new(Semaphore::new(in_flight_max.max(1)));
    let mut tasks = JoinSet::new();
    let mut intended = Instant::now();
    for turn in 0.. {
        if intended >= end || cancel.is_cancelled() {
            break;
        }
        tokio::time::sleep_until(intended).await;
        let Some(batch) = signers.ready.recv().await else { break };
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { break };
        let (submit, results) = (Arc::clone(&submit), results.clone());
        tasks.spawn(async move {
            let sent = send(&submit, turn, batch, intended).await;
            drop(slot);
            // A reader that has gone has stopped measuring.
            let _ = results.send(sent).await;
        });
        while tasks.try_join_next().is_some() {}
        intended += interval;
    }
    while tasks.join_next().await.is_some() {}
}

async fn send(submit: &Submit, first: usize, batch: Prepared, intended: Instant) -> Sent {
    let Prepared { bytes, items } = batch;
    let result = submit(first, bytes).await;
    let answered = Instant::now();
    Sent { items, latency: answered - intended, answered, result }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::sync::atomic::{AtomicUsize, Ordering};

    use chain_types::{BatchId, Currency, MerchantId, PartyKeys};
    use rpc_api::BatchState;

    use super::*;

    fn loader() -> Loader {
        let id = ParticipantId(201);
        let payees = vec![(MerchantId(1), Currency(156))];
        let profile = Profile { gateway: id, collected: true, payees, amount_max: 1_000, users: 0 };
        Loader { id, key: SecretKey::from_seed(&[7; 32]), profile }
    }

    #[tokio::test]
    async fn signed_batches_verify_and_stop_with_their_queue() {
        let chain_id = ChainId::default();
        let loader = loader();
        let mut signers = Signers::start(chain_id, std::slice::from_ref(&loader), 100, 2).unwrap();
        for _ in 0..5 {
            let prepared = signers.ready.recv().await.unwrap();
            assert_eq!(prepared.items, 100);
            let batch = SignedBatch::decode(prepared.bytes).unwrap();
            let (participant, current) = (loader.id, loader.key.public_key());
            let keys = PartyKeys { participant, current, previous: None };
            let verified = batch.verify(chain_id, |_| Some(keys)).unwrap();
            assert_eq!(verified.count(), 100);
        }
    }

    /// A network that takes `takes` for a batch, and the most batches it was ever given at once.
    fn slow(takes: Duration) -> (Submit, Arc<AtomicUsize>) {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let seen = Arc::clone(&most);
        let submit: Submit = Arc::new(move |_, _| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            let answer = async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(takes).await;
                now.fetch_sub(1, Ordering::SeqCst);
                Ok((BatchReport::pending(BatchId::default(), BatchState::Final), 0))
            };
            answer.boxed()
        });
        (submit, seen)
    }

    async fn load(submit: Submit, pace: Pace, period: Duration) -> Vec<Sent> {
        let signers = Signers::start(ChainId::default(), &[loader()], 10, 1).unwrap();
        let (results, mut received) = mpsc::channel(1_000);
        run(submit, signers, pace, 10, period, CancellationToken::new(), results).await;
        let mut sent = Vec::new();
        while let Some(one) = received.recv().await {
            sent.push(one);
        }
        sent
    }

    #[tokio::test]
    async fn an_open_loop_sends_all_and_counts_from_the_intended_time() {
        let takes = Duration::from_millis(5);
        let (submit, most) = slow(takes);
        // Ten batches, one a millisecond, into a network that takes one at a time.
        let pace = Pace::Open { rate: 10_000, in_flight_max: 1 };
        let mut sent = load(submit, pace, Duration::from_millis(10)).await;
        assert_eq!(sent.len(), 10);
        assert_eq!(most.load(Ordering::SeqCst), 1);
        sent.sort_by_key(|one| one.answered);
        for (place, one) in (1_u32..).zip(&sent) {
            // Those before it took their time, one after the other: the wait is not hidden.
            let least = takes * place - Duration::from_millis(1) * (place - 1);
            assert!(one.latency >= least, "batch {place}: {:?} below {least:?}", one.latency);
        }
    }

    #[tokio::test]
    async fn a_closed_loop_has_so_many_in_flight_and_no_more() {
        let (submit, most) = slow(Duration::from_millis(20));
        let pace = Pace::Closed { in_flight: 3 };
        let sent = load(submit, pace, Duration::from_millis(100)).await;
        assert_eq!(most.load(Ordering::SeqCst), 3);
        assert!(sent.len() >= 3 && sent.iter().all(|one| one.items == 10));
    }

    #[test]
    fn no_gateway_is_an_error() {
        assert!(Signers::start(ChainId::default(), &[], 1, 1).is_err());
    }
}
