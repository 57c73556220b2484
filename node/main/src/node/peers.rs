//! Between the network's bytes and the replica's inputs: decoding, verifying batches on worker
//! threads, answering peers' requests from pool and store, and asking them.

use std::collections::BTreeMap;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use chain_store::{ChainStore as _, Store};
use chain_types::{
    BatchError, BatchId, ChainId, Height, Node, PublicKey, SignedBatch, VerifiedBatch, codec,
};
use node_network::{Event, Events, Lane, Network, Reply};
use node_replica::{
    Input, NodeIndex, PEER_MESSAGE_BYTES_MAX, PeerMessage, PeerRequest, PeerResponse,
    REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX, SYNC_BLOCKS_MAX, SYNC_BYTES_MAX, SharedState, SyncBlock,
    WireBlock, read_state,
};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::hub::Hub;
use super::submissions::{SMALL_BYTES, TOGETHER_MAX};

/// Batches of peers that are verified at once.
const VERIFYING_MAX: usize = 4;
/// Requests to peers that are under way at once.
const ASKING_MAX: usize = 16;
/// Peers' requests that are being answered at once.
const ANSWERING_MAX: usize = 4;
/// Batches in one answer.
const ANSWER_BATCHES_MAX: usize = 8;

/// Which key is which node, as the registry last said.
#[derive(Debug)]
pub struct Directory {
    own: PublicKey,
    listing: RwLock<Arc<Listing>>,
}

#[derive(Debug)]
struct Listing {
    nodes: Vec<Node>,
    indexes: BTreeMap<PublicKey, NodeIndex>,
}

impl Listing {
    fn new(nodes: &[Node]) -> Self {
        let keys = nodes.iter().map(|node| node.network_key);
        let indexes = keys.zip((0..).map(NodeIndex)).collect();
        Self { nodes: nodes.to_vec(), indexes }
    }
}

impl Directory {
    /// The registry's nodes, as seen from the node whose network key is `own`.
    pub fn new(nodes: &[Node], own: PublicKey) -> Self {
        Self { own, listing: RwLock::new(Arc::new(Listing::new(nodes))) }
    }

    /// Takes over the nodes of a registry; gives whether they have changed.
    pub fn follow(&self, nodes: &[Node]) -> bool {
        let has_changed = self.listing().nodes != nodes;
        if has_changed {
            let listing = Arc::new(Listing::new(nodes));
            *self.listing.write().unwrap_or_else(PoisonError::into_inner) = listing;
        }
        has_changed
    }

    fn listing(&self) -> Arc<Listing> {
        self.listing.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The network key of a node.
    pub fn key(&self, node: NodeIndex) -> Option<PublicKey> {
        self.listing().nodes.get(node.0 as usize).map(|node| node.network_key)
    }

    /// The name of a node.
    pub fn name(&self, node: NodeIndex) -> String {
        let listing = self.listing();
        listing.nodes.get(node.0 as usize).map_or("unknown", |node| &node.name).to_owned()
    }

    /// The node of a network key.
    pub fn index(&self, key: &PublicKey) -> Option<NodeIndex> {
        self.listing().indexes.get(key).copied()
    }

    /// Whether other nodes are registered.
    pub fn has_others(&self) -> bool {
        self.listing().nodes.iter().any(|node| node.network_key != self.own)
    }

    /// The network keys of the other validators.
    pub fn validators(&self) -> Vec<PublicKey> {
        let listing = self.listing();
        let others = listing.nodes.iter().filter(|node| node.power > 0);
        others.map(|node| node.network_key).filter(|key| *key != self.own).collect()
    }
}

/// A question to a peer, to be carried out beside the driver.
#[derive(Debug)]
pub enum PeerWork {
    /// Batches that a proposal names.
    Batches {
        /// Whom to ask.
        from: NodeIndex,
        /// Which.
        ids: Vec<BatchId>,
    },
    /// Committed blocks.
    Blocks {
        /// Whom to ask.
        from: NodeIndex,
        /// The first height wanted.
        height: Height,
    },
}

/// What the tasks of this room share.
#[derive(Clone)]
pub struct Peers {
    /// The chain.
    pub chain_id: ChainId,
    /// To the peers.
    pub network: Network,
    /// Which key is which node.
    pub directory: Arc<Directory>,
    /// To the driver. A full queue is waited for on a worker thread.
    pub inputs: SyncSender<Input>,
    /// For keys of submitters.
    pub state: SharedState,
    /// For peers' requests.
    pub store: Arc<Store>,
    /// For answers of the pool.
    pub hub: Arc<Hub>,
}

impl Peers {
    /// Turns network events into inputs until the network ends.
    pub async fn listen(self, mut events: Events, cancel: CancellationToken) {
        let verifying = Arc::new(Semaphore::new(VERIFYING_MAX));
        let answering = Arc::new(Semaphore::new(ANSWERING_MAX));
        loop {
            let event = tokio::select! {
                () = cancel.cancelled() => return,
                event = events.recv() => event,
            };
            let Some(event) = event else { return };
            let waiting = std::iter::from_fn(|| events.try_recv()).take(TOGETHER_MAX - 1);
            let mut small = Vec::new();
            for event in std::iter::once(event).chain(waiting) {
                match event {
                    Event::Connected(key) => {
                        if let Some(node) = self.directory.index(&key) {
                            self.input(Input::Connected(node)).await;
                        }
                    }
                    Event::Disconnected(key) => {
                        if let Some(node) = self.directory.index(&key) {
                            self.input(Input::Disconnected(node)).await;
                        }
                    }
                    Event::Message { from, lane: Lane::Consensus, bytes } => {
                        self.message(from, &bytes).await;
                    }
                    Event::Message { from, lane: Lane::Bulk, bytes } => {
                        if bytes.len() <= SMALL_BYTES {
                            small.push((from, bytes));
                            continue;
                        }
                        let Ok(permit) = verifying.clone().acquire_owned().await else { return };
                        let peers = self.clone();
                        tokio::task::spawn_blocking(move || {
                            peers.take(vec![(from, bytes)]);
                            drop(permit);
                        });
                    }
                    Event::Request { from, bytes, reply } => {
                        let Ok(permit) = answering.clone().acquire_owned().await else { return };
                        let peers = self.clone();
                        tokio::spawn(async move {
                            peers.answer(from, &bytes, reply).await;
                            drop(permit);
                        });
                    }
                }
            }
            for batch in self.verified(small) {
                self.input(Input::Batch(batch)).await;
            }
        }
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

    /// Hands an input to the driver; waits on a worker thread if its queue is full.
    async fn input(&self, input: Input) {
        use std::sync::mpsc::TrySendError;
        if let Err(TrySendError::Full(input)) = self.inputs.try_send(input) {
            let inputs = self.inputs.clone();
            // Fails only once the driver has ended.
            let _ = tokio::task::spawn_blocking(move || drop(inputs.send(input))).await;
        }
    }

    async fn message(&self, from: PublicKey, bytes: &[u8]) {
        let Some(node) = self.directory.index(&from) else { return };
        match codec::decode::<PeerMessage>(bytes, PEER_MESSAGE_BYTES_MAX) {
            Ok(message) => self.input(Input::Message { from: node, message }).await,
            Err(error) => {
                warn!(peer = self.directory.name(node), %error, "a message does not decode");
            }
        }
    }

    /// Those of the batches that hold. Who sent another is told to the operator.
    fn verified(&self, sent: Vec<(PublicKey, Bytes)>) -> Vec<VerifiedBatch> {
        let told = |from: &PublicKey, error: &BatchError| {
            let node = self.directory.index(from).unwrap_or(NodeIndex(u32::MAX));
            warn!(peer = self.directory.name(node), %error, "a batch does not hold");
        };
        let decode = |(from, bytes)| {
            let decoded = SignedBatch::decode(bytes).inspect_err(|error| told(&from, error));
            Some((from, decoded.ok()?))
        };
        let (senders, batches): (Vec<_>, Vec<_>) = sent.into_iter().filter_map(decode).unzip();
        let verified = senders.iter().zip(self.verify_all(batches));
        verified.filter_map(|(from, it)| it.inspect_err(|error| told(from, error)).ok()).collect()
    }

    fn verify_all(&self, batches: Vec<SignedBatch>) -> Vec<Result<VerifiedBatch, BatchError>> {
        let keys_of = |id| read_state(&self.state).ready_keys(id);
        SignedBatch::verify_all(batches, self.chain_id, keys_of)
    }

    /// Verifies batches and hands them to the driver; waits while its queue is full.
    fn take(&self, sent: Vec<(PublicKey, Bytes)>) {
        for batch in self.verified(sent) {
            // Fails only once the driver has ended.
            drop(self.inputs.send(Input::Batch(batch)));
        }
    }

    async fn answer(&self, from: PublicKey, bytes: &[u8], reply: Reply) {
        let response = match codec::decode(bytes, REQUEST_BYTES_MAX) {
            Ok(PeerRequest::Batches(ids)) => self.answer_batches(ids).await,
            Ok(PeerRequest::Blocks { from, count }) => {
                let store = self.store.clone();
                let read = move || read_blocks(&store, from, count.min(SYNC_BLOCKS_MAX));
                match tokio::task::spawn_blocking(read).await {
                    Ok(Ok(blocks)) => PeerResponse::Blocks(blocks),
                    Ok(Err(fault)) => {
                        warn!(%fault, "blocks for a peer could not be read");
                        return;
                    }
                    Err(_) => return,
                }
            }
            Err(error) => {
                let node = self.directory.index(&from).unwrap_or(NodeIndex(u32::MAX));
                warn!(peer = self.directory.name(node), %error, "a request does not decode");
                return;
            }
        };
        reply.send(Bytes::from(codec::encode(&response)));
    }

    async fn answer_batches(&self, mut ids: Vec<BatchId>) -> PeerResponse {
        ids.truncate(ANSWER_BATCHES_MAX);
        let (token, answer) = self.hub.request();
        self.input(Input::BatchesWanted { ids, token }).await;
        let Ok((found, missing)) = answer.await else {
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
        let Some(PeerResponse::Batches(batches)) =
            self.request(from, &PeerRequest::Batches(ids)).await
        else {
            return;
        };
        let Some(key) = self.directory.key(from) else { return };
        let peers = self.clone();
        let sent = batches.into_iter().map(|bytes| (key, Bytes::from(bytes))).collect();
        // Fails only when the runtime ends.
        let _ = tokio::task::spawn_blocking(move || peers.take(sent)).await;
    }

    async fn fetch_blocks(&self, from: NodeIndex, height: Height) {
        let request = PeerRequest::Blocks { from: height, count: SYNC_BLOCKS_MAX };
        let wire = match self.request(from, &request).await {
            Some(PeerResponse::Blocks(blocks)) => blocks,
            _ => Vec::new(),
        };
        let peers = self.clone();
        let verify = move || wire.into_iter().map_while(|block| peers.sync_block(block)).collect();
        let blocks: Vec<SyncBlock> = tokio::task::spawn_blocking(verify).await.unwrap_or_default();
        self.input(Input::Blocks { from, blocks }).await;
    }

    /// A block whose batches are verified with the keys of now: those that the next block executes
    /// under. A later block may hold a batch of a key that is not known yet: it and those after it
    /// are asked for again once the blocks before it are committed.
    fn sync_block(&self, wire: WireBlock) -> Option<SyncBlock> {
        let WireBlock { block, certificate, batches } = wire;
        let decode = |bytes| SignedBatch::decode(Bytes::from(bytes));
        let decoded: Result<Vec<_>, _> = batches.into_iter().map(decode).collect();
        let batches = decoded
            .and_then(|batches| self.verify_all(batches).into_iter().collect())
            .inspect_err(|error| debug!(%error, "a synced batch does not hold now"))
            .ok()?;
        Some(SyncBlock { block, certificate, batches })
    }

    async fn request(&self, from: NodeIndex, request: &PeerRequest) -> Option<PeerResponse> {
        let key = self.directory.key(from)?;
        let name = self.directory.name(from);
        match self.network.request(key, Bytes::from(codec::encode(request))).await {
            Ok(bytes) => codec::decode(&bytes, RESPONSE_BYTES_MAX)
                .inspect_err(|error| warn!(peer = name, %error, "an answer does not decode"))
                .ok(),
            Err(error) => {
                debug!(peer = name, %error, "a request was not answered");
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
    for height in (from.0..from.0.saturating_add(u64::from(count))).map(Height) {
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
