//! Between the network's bytes and the replica's inputs: decoding and verifying in tasks of each
//! peer, answering peers' requests from pool and store, and asking them. What a peer does wrong is
//! told to the network, which counts it and bans the peer; nothing here logs a line a message.

mod batches;
mod checks;
mod context;
mod directory;
mod messages;
mod recent;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use chain_store::{ChainStore as _, Store};
use chain_types::{BatchId, Height, PublicKey, SignedBatch, codec};
use node_network::{Event, Events, Ignored, Lane, Reply, Strike};
use node_replica::{
    Input, NodeIndex, PeerRequest, PeerResponse, REQUEST_BATCHES_MAX, REQUEST_BYTES_MAX,
    RESPONSE_BYTES_MAX, SYNC_BLOCKS_MAX, SYNC_BYTES_MAX, SyncBlock, WireBlock,
};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use self::batches::BatchListener;
use self::checks::Verifier;
pub use self::context::Peers;
use self::context::strike_of;
pub use self::directory::Directory;
use self::messages::{Arrived, MessageListener};
use super::inbox::Source;

/// Large batches of peers that are verified at once.
const VERIFYING_MAX: usize = 4;
/// Messages of a peer and lane that wait for its tasks. Its room in the network's inbox holds
/// fewer, each of which takes 256 bytes at least.
const ARRIVED_MAX: usize = 32 * 1024;
/// Requests to peers that are under way at once.
const ASKING_MAX: usize = 16;
/// Peers' requests that are being answered at once.
const ANSWERING_MAX: usize = 8;
/// Those of one peer: another always finds a place soon.
const ANSWERING_A_PEER_MAX: usize = 4;

/// A question to a peer, to be carried out beside the driver.
#[derive(Debug)]
pub enum PeerWork {
    /// Batches that a proposal names.
    Batches {
        /// The node to ask.
        from: NodeIndex,
        /// The ids of the batches.
        ids: Vec<BatchId>,
    },
    /// Committed blocks from a height on.
    Blocks {
        /// The node to ask.
        from: NodeIndex,
        /// The first height wanted.
        height: Height,
    },
}

/// The places that the tasks of all peers share.
struct Places {
    verifier: Verifier,
    verifying: Arc<Semaphore>,
    answering: Arc<Semaphore>,
}

/// The way to one peer's tasks.
struct Line {
    messages: mpsc::Sender<Arrived>,
    batches: mpsc::Sender<Arrived>,
    answering: Arc<Semaphore>,
}

impl Line {
    const fn of(&self, lane: Lane) -> &mpsc::Sender<Arrived> {
        match lane {
            Lane::Consensus => &self.messages,
            Lane::Bulk => &self.batches,
        }
    }
}

impl Peers {
    /// Turns network events into inputs until the network ends. Never waits for one peer: each has
    /// tasks of its own, and its room bounds what waits for them.
    pub async fn listen(self, mut events: Events, cancel: CancellationToken) {
        let shared = Places {
            verifier: Verifier::new(self.chain_id, self.directory.clone()),
            verifying: Arc::new(Semaphore::new(VERIFYING_MAX)),
            answering: Arc::new(Semaphore::new(ANSWERING_MAX)),
        };
        let (mut lines, mut tasks) = (BTreeMap::new(), JoinSet::new());
        while let Some(Some(event)) = cancel.run_until_cancelled(events.recv()).await {
            match event {
                Event::Connected(key) => self.link(&key, true),
                Event::Disconnected(key) => {
                    self.link(&key, false);
                    if self.directory.index(&key).is_none() {
                        // It left the registry: its tasks end once they have nothing left.
                        lines.remove(&key);
                    }
                }
                Event::Message { from, lane, bytes, room } => {
                    let start = || self.line(from, &shared, &mut tasks);
                    let line = lines.entry(from).or_insert_with(start);
                    if line.of(lane).try_send(Arrived { bytes, room }).is_err() {
                        self.network.ignored(from, Ignored::OverBudget, 1);
                    }
                }
                Event::Request { from, bytes, reply } => {
                    let start = || self.line(from, &shared, &mut tasks);
                    let line = lines.entry(from).or_insert_with(start);
                    self.answer_beside(from, bytes, reply, [&line.answering, &shared.answering]);
                }
            }
        }
        tasks.shutdown().await;
    }

    fn link(&self, key: &PublicKey, is_connected: bool) {
        if let Some(node) = self.directory.index(key) {
            self.inputs.link(node, is_connected);
        }
    }

    /// Starts the tasks of one peer.
    fn line(&self, from: PublicKey, shared: &Places, tasks: &mut JoinSet<()>) -> Line {
        let (messages, arriving_messages) = mpsc::channel(ARRIVED_MAX);
        let (batches, arriving_batches) = mpsc::channel(ARRIVED_MAX);
        let messages_of = MessageListener {
            from,
            network: self.network.clone(),
            directory: self.directory.clone(),
            inputs: self.inputs.clone(),
            verifier: shared.verifier.clone(),
        };
        tasks.spawn(messages_of.run(arriving_messages));
        let batches_of =
            BatchListener { from, peers: self.clone(), verifying: shared.verifying.clone() };
        tasks.spawn(batches_of.run(arriving_batches));
        Line { messages, batches, answering: Arc::new(Semaphore::new(ANSWERING_A_PEER_MAX)) }
    }

    /// Answers a request once the peer has a place, and then one of all peers' is free. The
    /// network bounds the requests that wait.
    fn answer_beside(
        &self,
        from: PublicKey,
        bytes: Bytes,
        reply: Reply,
        places: [&Arc<Semaphore>; 2],
    ) {
        let (peers, [own, all]) = (self.clone(), places.map(Arc::clone));
        tokio::spawn(async move {
            let (Ok(_own), Ok(_place)) = (own.acquire().await, all.acquire().await) else { return };
            if !peers.network.is_banned(&from) {
                peers.answer(from, &bytes, reply).await;
            }
        });
    }

    /// Carries out the replica's requests until the driver ends.
    pub async fn ask(self, mut work: mpsc::Receiver<PeerWork>) {
        let asking = Arc::new(Semaphore::new(ASKING_MAX));
        while let Some(work) = work.recv().await {
            let Ok(permit) = asking.clone().acquire_owned().await else { return };
            let peers = self.clone();
            tokio::spawn(async move {
                match work {
                    PeerWork::Batches { from, ids } => peers.fetch_batches(from, ids).await,
                    PeerWork::Blocks { from, height } => peers.fetch_blocks(from, height).await,
                }
                drop(permit);
            });
        }
    }

    async fn answer(&self, from: PublicKey, bytes: &[u8], reply: Reply) {
        let response = match codec::decode(bytes, REQUEST_BYTES_MAX) {
            Ok(PeerRequest::Batches(ids)) if ids.len() > REQUEST_BATCHES_MAX => {
                self.network.strike(from, Strike::Invalid);
                return;
            }
            Ok(PeerRequest::Batches(ids)) => self.answer_batches(ids).await,
            Ok(PeerRequest::Blocks { from, count }) => {
                let store = self.store.clone();
                let read = move || read_blocks(&store, from, count.min(SYNC_BLOCKS_MAX));
                match tokio::task::spawn_blocking(read).await {
                    Ok(Ok(blocks)) => PeerResponse::Blocks(blocks),
                    Ok(Err(fault)) => {
                        let mut faults =
                            self.read_faults.lock().unwrap_or_else(PoisonError::into_inner);
                        if let Some(times) = faults.due(Instant::now()) {
                            warn!(%fault, times, "blocks for a peer could not be read");
                        }
                        return;
                    }
                    Err(_) => return,
                }
            }
            Err(_) => {
                self.network.strike(from, Strike::Undecodable);
                return;
            }
        };
        reply.send(Bytes::from(codec::encode(&response)));
    }

    async fn answer_batches(&self, ids: Vec<BatchId>) -> PeerResponse {
        let answer = self.hub.request();
        let question = Input::BatchesWanted { ids, token: answer.token() };
        // Fails only once the driver has ended, and then there will be no answer.
        if self.inputs.send(Source::Questions, question).await.is_err() {
            return PeerResponse::Batches(Vec::new());
        }
        let Some((found, missing)) = answer.answer().await else {
            return PeerResponse::Batches(Vec::new());
        };
        let mut batches: Vec<Vec<u8>> = found.iter().map(|batch| batch.bytes().to_vec()).collect();
        for id in missing {
            let location = self.store.batch_location(&id).ok().flatten();
            let bytes = location
                .and_then(|(height, index)| self.store.batch_bytes(height, index).ok().flatten());
            batches.extend(bytes.map(|bytes| bytes.to_vec()));
        }
        PeerResponse::Batches(batches)
    }

    async fn fetch_batches(&self, from: NodeIndex, ids: Vec<BatchId>) {
        let Some(key) = self.directory.key(from) else { return };
        let asked = ids.len();
        let batches = match self.request(key, &PeerRequest::Batches(ids)).await {
            Some(PeerResponse::Batches(batches)) if batches.len() <= asked => batches,
            Some(_) => {
                self.network.strike(key, Strike::Invalid);
                return;
            }
            None => return,
        };
        let peers = self.clone();
        let take = move || {
            let decoded = batches.into_iter().map(|bytes| SignedBatch::decode(Bytes::from(bytes)));
            let sound = decoded.filter_map(|result| peers.sound(key, result)).collect();
            peers.take(key, sound)
        };
        // Fails only when the runtime ends.
        let _ = tokio::task::spawn_blocking(take).await;
    }

    async fn fetch_blocks(&self, from: NodeIndex, height: Height) {
        let Some(key) = self.directory.key(from) else { return };
        let request = PeerRequest::Blocks { from: height, count: SYNC_BLOCKS_MAX };
        let wire = match self.request(key, &request).await {
            Some(PeerResponse::Blocks(blocks)) => blocks,
            Some(PeerResponse::Batches(_)) => {
                self.network.strike(key, Strike::Invalid);
                Vec::new()
            }
            None => Vec::new(),
        };
        let peers = self.clone();
        let verify =
            move || wire.into_iter().map_while(|block| peers.sync_block(key, block)).collect();
        let blocks: Vec<SyncBlock> = tokio::task::spawn_blocking(verify).await.unwrap_or_default();
        // Fails only once the driver has ended.
        let _ = self.inputs.send(Source::Questions, Input::Blocks { from, blocks }).await;
    }

    /// A block whose batches are verified with the keys of now: those that the next block executes
    /// under. A later block may hold a batch of a key that is not known yet: it and those after it
    /// are asked for again once the blocks before it are committed.
    fn sync_block(&self, from: PublicKey, wire: WireBlock) -> Option<SyncBlock> {
        let WireBlock { block, certificate, batches } = wire;
        let decode = |bytes| SignedBatch::decode(Bytes::from(bytes));
        let decoded: Result<Vec<_>, _> = batches.into_iter().map(decode).collect();
        let verified = decoded.and_then(|batches| self.verify_all(batches).into_iter().collect());
        match verified {
            Ok(batches) => Some(SyncBlock { block, certificate, batches }),
            Err(error) if strike_of(error.rejection) == Strike::Unverifiable => {
                debug!(%error, "a synced batch does not hold now");
                None
            }
            Err(_) => {
                self.network.strike(from, Strike::Invalid);
                None
            }
        }
    }

    async fn request(&self, of: PublicKey, request: &PeerRequest) -> Option<PeerResponse> {
        match self.network.request(of, Bytes::from(codec::encode(request))).await {
            Ok(bytes) => {
                let decoded = codec::decode(&bytes, RESPONSE_BYTES_MAX);
                if decoded.is_err() {
                    self.network.strike(of, Strike::Undecodable);
                }
                decoded.ok()
            }
            Err(error) => {
                debug!(peer = %of, %error, "a request was not answered");
                None
            }
        }
    }
}

/// Committed blocks from `from` on: at most `count`, and not much more than [`SYNC_BYTES_MAX`].
fn read_blocks(
    store: &Store,
    from: Height,
    count: u32,
) -> Result<Vec<WireBlock>, chain_store::StoreFault> {
    let mut blocks = Vec::new();
    let mut bytes = 0;
    for height in (from.get()..from.get().saturating_add(u64::from(count))).map(Height::new) {
        let (Some(committed), Some(payload)) = (store.block(height)?, store.payload(height)?)
        else {
            break;
        };
        let batches: Vec<Vec<u8>> = payload.iter().map(|batch| batch.to_vec()).collect();
        bytes += batches.iter().map(Vec::len).sum::<usize>();
        if bytes > SYNC_BYTES_MAX && !blocks.is_empty() {
            break;
        }
        let (block, certificate) = (committed.block, committed.certificate);
        blocks.push(WireBlock { block, certificate, batches });
    }
    Ok(blocks)
}
