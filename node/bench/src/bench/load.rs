//! The plain load: batches of orders in one step, signed just ahead on their own threads.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chain_types::{ChainId, OrderId, ParticipantId, SecretKey, SignedBatch, TimeMs};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use rpc_api::{BatchReport, Wait};
use rpc_client::client::{CallError, Client};
use rpc_client::operations::now;
use rpc_client::orders::{Entropy, Profile};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::pace::{Job, JobSource, Turn};
use super::tally::{LoadKind, SentBatch};

/// Orders that lie signed and ready, for each signing thread, and the most batches of them.
const READY_ORDERS: usize = 16_384;
const READY_BATCHES_MAX: usize = 1_024;
/// How long a batch's outcome is waited for.
pub const OUTCOME_TIMEOUT: Duration = Duration::from_secs(60);
/// How long after it is made a batch may commit, in milliseconds.
const VALID_MS: u64 = 120_000;

/// A gateway that puts load on the network with its own users' orders.
#[derive(Debug, Clone)]
pub struct Loader {
    /// The participant that signs.
    pub id: ParticipantId,
    /// The key that signs its batches.
    pub key: SecretKey,
    /// The pattern of its orders.
    pub profile: Profile,
}

/// The result of a submission: the node's report, and the number of retries.
pub type Answer = Result<(BatchReport, u32), CallError>;
/// Submits a batch, beginning with the node of a number, and waits until it is final.
pub type Submit = Arc<dyn Fn(usize, Bytes) -> BoxFuture<'static, Answer> + Send + Sync>;

/// Returns a function that submits over `client`.
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

/// A batch ready to be sent.
#[derive(Debug)]
struct Prepared {
    bytes: Bytes,
    items: u32,
    sample: OrderId,
}

/// Threads that sign batches ahead; they end when the queue is dropped.
#[derive(Debug)]
struct Signers {
    ready: mpsc::Receiver<Prepared>,
}

impl Signers {
    /// Starts `threads` threads that make batches of `items` orders, of each loader in turn.
    ///
    /// # Errors
    /// When a thread cannot be started or there is no entropy.
    fn start(
        chain_id: ChainId,
        loaders: &[Loader],
        items: usize,
        threads: usize,
    ) -> anyhow::Result<Self> {
        anyhow::ensure!(!loaders.is_empty(), "no gateway to load the network with");
        let ahead = (READY_ORDERS / items.max(1)).clamp(2, READY_BATCHES_MAX);
        let (sender, ready) = mpsc::channel(ahead * threads.max(1));
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
    /// Signs a batch of `items` orders made at a time, which may commit until another; gives its
    /// bytes and one of its orders.
    pub fn sign(
        &self,
        chain_id: ChainId,
        entropy: &mut Entropy,
        (made, valid_until): (TimeMs, TimeMs),
        items: usize,
    ) -> (Bytes, OrderId) {
        let orders = self.profile.orders(entropy, made, items);
        let bytes = SignedBatch::sign(chain_id, self.id, &self.key, valid_until, &orders);
        (bytes.into(), orders.first().map(|order| order.order_id()).unwrap_or_default())
    }

    fn batch(&self, chain_id: ChainId, entropy: &mut Entropy, items: usize) -> Prepared {
        let made = now();
        let times = (made, made.plus(VALID_MS));
        let (bytes, sample) = self.sign(chain_id, entropy, times, items);
        let items = u32::try_from(items).unwrap_or(u32::MAX);
        Prepared { bytes, items, sample }
    }
}

/// Sends what the signers have ready.
pub struct Plain {
    signers: Signers,
    submit: Submit,
    results: mpsc::Sender<SentBatch>,
}

impl Plain {
    /// Starts `threads` threads that sign batches of `items` orders, of each loader in turn, to be
    /// sent with `submit`; what becomes of them goes to `results`.
    ///
    /// # Errors
    /// When a thread cannot be started or there is no entropy.
    pub fn start(
        chain_id: ChainId,
        loaders: &[Loader],
        items: usize,
        threads: usize,
        submit: Submit,
        results: mpsc::Sender<SentBatch>,
    ) -> anyhow::Result<Self> {
        let signers = Signers::start(chain_id, loaders, items, threads)?;
        Ok(Self { signers, submit, results })
    }
}

impl JobSource for Plain {
    fn next(&mut self) -> BoxFuture<'_, Option<Job>> {
        async {
            let Prepared { bytes, items, sample } = self.signers.ready.recv().await?;
            let (submit, results) = (Arc::clone(&self.submit), self.results.clone());
            let work = move |turn: Turn| {
                async move {
                    let result = submit(turn.number, bytes).await;
                    let sent = SentBatch {
                        kind: LoadKind::OneStep,
                        items,
                        latency: turn.intended.elapsed(),
                        answered: Instant::now(),
                        result,
                        sample: Some(sample),
                    };
                    // A reader that has gone has stopped measuring.
                    let _ = results.send(sent).await;
                }
                .boxed()
            };
            Some(Job { orders: items, work: Box::new(work) })
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use chain_types::{Currency, MerchantId, PartyKeys};

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

    #[test]
    fn no_gateway_is_an_error() {
        assert!(Signers::start(ChainId::default(), &[], 1, 1).is_err());
    }
}
