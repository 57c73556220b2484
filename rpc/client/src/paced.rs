//! A client that paces itself: over several nodes it sends no faster than its submitter's share,
//! sends the same bytes again at the time that a refusal states, and tells for each batch that it
//! is final, refused for certain with a signed reason and a time, or unresolved.
//!
//! [`desk`] decides; this file does it, in one task for each client.

pub mod desk;
pub mod fate;
pub mod heard;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chain_types::{ChainId, ParticipantId, TimeMs};
pub use consensus_scheduler::DeclaredLoad;
use consensus_scheduler::Ticket;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use rpc_api::{
    Base64Bytes, BatchReport, BatchRpcClient as _, NodeRpcClient as _, OutlookReport, Wait,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use self::desk::{DeskAct, PaceDesk, PaceSettings};
use self::fate::{BatchFate, BatchTold, BatchTrail};
use self::heard::OutlookKeys;
use super::answers::AwaitedBatch;
use super::client::{CallError, Client};
use super::operations::now;

/// Batches that may be handed over before they are taken.
const OFFERS_MAX: usize = 256;
/// Batches whose fate is not told yet, beyond which no more are taken.
const BATCHES_MAX: usize = 65_536;
/// How long one call waits at a node for a batch to be final, in milliseconds.
const CALL_WAIT_MS: u64 = 10_000;
/// How long nothing is done when nothing is due: until an answer or a batch comes.
const IDLE_US: u64 = 60_000_000;

/// The calls that a paced client makes, each to the node of an index.
pub trait NodeCalls: Send + Sync + 'static {
    /// Returns the number of nodes.
    fn node_count(&self) -> usize;

    /// Submits a signed batch and waits until it is final, or for about `wait_ms`. What the client
    /// declares beside it is left out where the interface has no room for it.
    fn submit(
        self: Arc<Self>,
        node: usize,
        bytes: Bytes,
        declared: DeclaredLoad,
        wait_ms: u64,
    ) -> BoxFuture<'static, Result<BatchReport, CallError>>;

    /// Asks for a node's outlook with a submitter's line.
    fn outlook(
        self: Arc<Self>,
        node: usize,
        submitter: ParticipantId,
    ) -> BoxFuture<'static, Result<OutlookReport, CallError>>;
}

impl NodeCalls for Client {
    fn node_count(&self) -> usize {
        Client::node_count(self)
    }

    fn submit(
        self: Arc<Self>,
        node: usize,
        bytes: Bytes,
        _declared: DeclaredLoad,
        wait_ms: u64,
    ) -> BoxFuture<'static, Result<BatchReport, CallError>> {
        let call = async move {
            let call = self.ask_node(node, |node| {
                let bytes = Base64Bytes::new(bytes.clone());
                node.submit(bytes, Some(Wait::Final), Some(wait_ms), None).boxed()
            });
            call.await
        };
        call.boxed()
    }

    fn outlook(
        self: Arc<Self>,
        node: usize,
        submitter: ParticipantId,
    ) -> BoxFuture<'static, Result<OutlookReport, CallError>> {
        let submitter = Some(submitter.get());
        async move { self.ask_node(node, |node| node.outlook(submitter).boxed()).await }.boxed()
    }
}

/// The bytes of a batch, which are the same each time that it is sent.
pub enum BatchContent {
    /// They are signed already.
    Signed(Bytes),
    /// They are signed when the batch is sent for the first time: what is refused before costs no
    /// signature. It is done on a thread for such work.
    Later(Box<dyn FnOnce() -> Bytes + Send>),
}

/// A batch that is handed to a paced client.
pub struct PacedBatch {
    /// The number of its items.
    pub items: u32,
    /// Its valid-until time, as its bytes say it.
    pub valid_until: TimeMs,
    /// Its bytes, signed or to be signed.
    pub content: BatchContent,
}

struct Offered {
    batch: PacedBatch,
    told: oneshot::Sender<BatchTold>,
}

/// A paced client of one submitter; cheap to clone. It ends when the last clone is dropped and
/// every batch is told.
#[derive(Debug, Clone)]
pub struct PacedClient {
    offers: mpsc::Sender<Offered>,
}

impl PacedClient {
    /// Starts a client of `submitter` over the nodes of `calls`, in a task of the present runtime.
    /// `keys` says which key signs each node's outlooks.
    pub fn start(
        calls: Arc<dyn NodeCalls>,
        (chain_id, submitter): (ChainId, ParticipantId),
        keys: OutlookKeys,
        settings: PaceSettings,
    ) -> Self {
        let (offers, offered) = mpsc::channel(OFFERS_MAX);
        let desk = PaceDesk::new(chain_id, submitter, keys, calls.node_count(), settings);
        let work = Work {
            desk,
            calls,
            submitter,
            clock: PaceClock::start(),
            batches: BTreeMap::new(),
            under_way: FuturesUnordered::new(),
        };
        tokio::spawn(work.run(offered));
        Self { offers }
    }

    /// Hands a batch over, and waits while too many are. The receiver is told its fate once.
    pub async fn offer(&self, batch: PacedBatch) -> oneshot::Receiver<BatchTold> {
        let (told, fate) = oneshot::channel();
        // A task that has ended drops the sender, and the receiver says so.
        let _ = self.offers.send(Offered { batch, told }).await;
        fate
    }

    /// Hands a batch over and waits until its fate is told.
    pub async fn submit(&self, batch: PacedBatch) -> BatchTold {
        self.offer(batch).await.await.unwrap_or_else(|_| BatchTold {
            fate: BatchFate::Unresolved { last: "the client has ended".to_owned() },
            trail: BatchTrail::default(),
        })
    }
}

/// A time that only runs forwards, from the wall clock's at its start.
#[derive(Debug, Clone, Copy)]
struct PaceClock {
    begun: Instant,
    begun_us: u64,
}

impl PaceClock {
    fn start() -> Self {
        Self { begun: Instant::now(), begun_us: now().get().saturating_mul(1_000) }
    }

    fn now_us(&self) -> u64 {
        let since_us = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.begun_us.saturating_add(since_us)
    }

    async fn sleep_until(&self, until_us: u64) {
        let left_us = until_us.saturating_sub(self.now_us()).min(IDLE_US);
        tokio::time::sleep(Duration::from_micros(left_us)).await;
    }
}

/// A batch whose fate is not told yet.
struct OwnBatch {
    /// `None` while it is being sent for the first time.
    content: Option<BatchContent>,
    told: oneshot::Sender<BatchTold>,
}

/// A call that has ended, with its answer.
enum CallDone {
    Answer { ticket: Ticket, node: usize, bytes: Bytes, answer: Result<BatchReport, CallError> },
    Outlook { node: usize, answer: Result<OutlookReport, CallError> },
}

struct Work {
    desk: PaceDesk,
    calls: Arc<dyn NodeCalls>,
    submitter: ParticipantId,
    clock: PaceClock,
    batches: BTreeMap<Ticket, OwnBatch>,
    under_way: FuturesUnordered<BoxFuture<'static, CallDone>>,
}

impl Work {
    async fn run(mut self, mut offered: mpsc::Receiver<Offered>) {
        let mut is_open = true;
        while is_open || !self.batches.is_empty() {
            let until_us = self.act();
            let has_room = is_open && self.batches.len() < BATCHES_MAX;
            tokio::select! {
                Some(done) = self.under_way.next(), if !self.under_way.is_empty() => {
                    self.record(done);
                }
                offer = offered.recv(), if has_room => match offer {
                    Some(offer) => self.take(offer),
                    None => is_open = false,
                },
                () = self.clock.sleep_until(until_us) => {}
            }
        }
    }

    fn take(&mut self, Offered { batch, told }: Offered) {
        let PacedBatch { items, valid_until, content } = batch;
        let ticket = self.desk.offer(items.into(), valid_until, self.clock.now_us());
        self.batches.insert(ticket, OwnBatch { content: Some(content), told });
    }

    /// Does all that is to be done now. Returns when there may be more to do.
    fn act(&mut self) -> u64 {
        loop {
            match self.desk.next(self.clock.now_us()) {
                DeskAct::Send { ticket, node, declared } => self.send(ticket, node, declared),
                DeskAct::Ask { node } => {
                    let answer = Arc::clone(&self.calls).outlook(node, self.submitter);
                    let done = answer.map(move |answer| CallDone::Outlook { node, answer });
                    self.under_way.push(done.boxed());
                }
                DeskAct::Tell { ticket, told } => {
                    if let Some(batch) = self.batches.remove(&ticket) {
                        // Whoever has dropped the receiver does not wait for it.
                        let _ = batch.told.send(told);
                    }
                }
                DeskAct::Wait { until_us } => return until_us,
            }
        }
    }

    fn send(&mut self, ticket: Ticket, node: usize, declared: DeclaredLoad) {
        let content = self.batches.get_mut(&ticket).and_then(|batch| batch.content.take());
        let Some(content) = content else { return };
        let calls = Arc::clone(&self.calls);
        let call = async move {
            let bytes = match content {
                BatchContent::Signed(bytes) => bytes,
                BatchContent::Later(sign) => {
                    tokio::task::spawn_blocking(sign).await.unwrap_or_default()
                }
            };
            let answer = calls.submit(node, bytes.clone(), declared, CALL_WAIT_MS).await;
            let answer = answer.and_then(|report| judged(node, &bytes, report));
            CallDone::Answer { ticket, node, bytes, answer }
        };
        self.under_way.push(call.boxed());
    }

    fn record(&mut self, done: CallDone) {
        let now_us = self.clock.now_us();
        match done {
            CallDone::Outlook { node, answer } => self.desk.record_outlook(node, answer, now_us),
            CallDone::Answer { ticket, node, bytes, answer } => {
                if let Some(batch) = self.batches.get_mut(&ticket) {
                    batch.content = Some(BatchContent::Signed(bytes));
                }
                self.desk.record_answer(ticket, node, answer, now_us);
            }
        }
    }
}

/// Takes a report of another batch, or of other items, for no answer.
fn judged(node: usize, bytes: &Bytes, report: BatchReport) -> Result<BatchReport, CallError> {
    // Bytes that are no batch are refused by every node.
    let Some(sent) = AwaitedBatch::of(bytes) else { return Ok(report) };
    sent.judge(report).map_err(|no| CallError::Unreachable {
        url: format!("node {node}"),
        problem: no.to_string(),
    })
}

#[cfg(test)]
mod tests;
