//! The plain load: batches of orders in one step, signed just ahead on their own threads.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chain_types::{ChainId, OrderId, ParticipantId, RechargeItem, SecretKey, SignedBatch, TimeMs};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use rpc_api::Wait;
use rpc_client::client::Client;
use rpc_client::operations::now;
use rpc_client::orders::Profile;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::crowd::Crowd;
use super::draw::Draws;
use super::pace::{Job, JobSource, Turn};
use super::sizes::BatchSizes;
use super::tally::{Answer, LoadKind, SentBatch};

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
    /// The pattern of its orders; with a crowd, but for whom they pay.
    pub profile: Profile,
    /// The crowd that says who pays whom; `None` when the profile does.
    pub crowd: Option<Arc<Crowd>>,
}

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
    /// Starts `threads` threads that make batches of `sizes`, of each loader in turn. What they
    /// choose follows from the seed and the thread's number.
    ///
    /// # Errors
    /// When a thread cannot be started or there is no entropy.
    fn start(
        chain_id: ChainId,
        loaders: &[Loader],
        sizes: &BatchSizes,
        threads: usize,
        seed: u64,
    ) -> anyhow::Result<Self> {
        anyhow::ensure!(!loaders.is_empty(), "no gateway to load the network with");
        // A float is cast to the nearest number within bounds.
        let mean = (sizes.mean() as usize).max(1);
        let ahead = (READY_ORDERS / mean).clamp(2, READY_BATCHES_MAX);
        let (sender, ready) = mpsc::channel(ahead * threads.max(1));
        for thread in 0..threads.max(1) {
            let mut draws = Draws::new(seed, thread as u64)?;
            let (loaders, sizes, sender) = (loaders.to_vec(), sizes.clone(), sender.clone());
            let work = move || {
                for loader in loaders.iter().cycle().skip(thread) {
                    let items = sizes.draw(&mut draws.choices);
                    let batch = loader.batch(chain_id, &mut draws, items);
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
    /// Makes `count` orders with ids of `time`.
    pub fn orders(&self, draws: &mut Draws, time: TimeMs, count: usize) -> Vec<RechargeItem> {
        let order = |_| {
            let purchase = match &self.crowd {
                Some(crowd) => crowd.purchase(self.id, &mut draws.choices),
                None => self.profile.purchase(&mut draws.choices),
            };
            self.profile.item(&purchase, &mut draws.ids, time)
        };
        (0..count).map(order).collect()
    }

    /// Signs a batch of `items` orders made at a time, which may commit until another; gives its
    /// bytes and one of its orders.
    pub fn sign(
        &self,
        chain_id: ChainId,
        draws: &mut Draws,
        (made, valid_until): (TimeMs, TimeMs),
        items: usize,
    ) -> (Bytes, OrderId) {
        let orders = self.orders(draws, made, items);
        let bytes = SignedBatch::sign(chain_id, self.id, &self.key, valid_until, &orders);
        (bytes.into(), orders.first().map(|order| order.order_id()).unwrap_or_default())
    }

    fn batch(&self, chain_id: ChainId, draws: &mut Draws, items: usize) -> Prepared {
        let made = now();
        let times = (made, made.plus(VALID_MS));
        let (bytes, sample) = self.sign(chain_id, draws, times, items);
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
    /// Starts `threads` threads that sign batches of `sizes`, of each loader in turn, to be sent
    /// with `submit`; what becomes of them goes to `results`.
    ///
    /// # Errors
    /// When a thread cannot be started or there is no entropy.
    pub fn start(
        chain_id: ChainId,
        loaders: &[Loader],
        sizes: &BatchSizes,
        (threads, seed): (usize, u64),
        submit: Submit,
        results: mpsc::Sender<SentBatch>,
    ) -> anyhow::Result<Self> {
        let signers = Signers::start(chain_id, loaders, sizes, threads, seed)?;
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
        let id = ParticipantId::new(201);
        let payees = vec![(MerchantId::new(1), Currency::new(156))];
        let profile = Profile { gateway: id, collected: true, payees, amount_max: 1_000, users: 0 };
        Loader { id, key: SecretKey::from_seed(&[7; 32]), profile, crowd: None }
    }

    #[tokio::test]
    async fn signed_batches_verify_and_stop_with_their_queue() {
        let chain_id = ChainId::default();
        let loader = loader();
        let loaders = std::slice::from_ref(&loader);
        let sizes = BatchSizes::fixed(100);
        let mut signers = Signers::start(chain_id, loaders, &sizes, 2, 1).unwrap();
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
    fn a_seed_makes_the_same_purchases_under_other_ids() {
        let loader = Loader { profile: Profile { users: 1_000, ..loader().profile }, ..loader() };
        let orders = |seed| {
            let mut draws = Draws::new(seed, 0).unwrap();
            loader.orders(&mut draws, TimeMs::new(1_790_000_000_000), 100)
        };
        let chosen = |orders: &[RechargeItem]| -> Vec<_> {
            orders.iter().map(|order| (order.user, order.amount())).collect()
        };
        let (one, other) = (orders(1), orders(1));
        assert_eq!(chosen(&one), chosen(&other));
        assert_ne!(chosen(&one), chosen(&orders(2)));
        assert!(one.iter().zip(&other).all(|(one, other)| one.order_id != other.order_id));
    }

    #[test]
    fn no_gateway_is_an_error() {
        let sizes = BatchSizes::fixed(1);
        assert!(Signers::start(ChainId::default(), &[], &sizes, 1, 1).is_err());
    }
}
