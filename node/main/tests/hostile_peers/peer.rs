//! A node of the chain in this process: the real replica over the real network, with the real keys
//! of its folder and its disk in memory. Its [`Conduct`] says what it does otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chain_state::{InstructionRecord, Location, OrderRecord, QuoteRecord, State, WindowRecord};
use chain_types::{
    BatchId, BlockHeader, Height, InstructionId, Node, OrderId, Outcome, PublicKey, QuoteId,
    SignedBatch, VerifiedBatch, WindowId, codec,
};
use consensus_core::Proposers;
use genesis::{NodeConfig, NodeIdentity};
use node_network::{Event, Events, Lane, LaneLimits, Limits, NetworkConfig, Reply};
use node_replica::{
    Archive, ArchivedOrder, CheckpointInterval, Config, Effect, Input, NodeIndex, NodeKeys,
    PEER_MESSAGE_BYTES_MAX, PeerMessage, PeerRequest, PeerResponse, REQUEST_BYTES_MAX,
    RESPONSE_BYTES_MAX, Replica, SYNC_BLOCKS_MAX, SharedState, SyncBlock, Target, Timer, WireBlock,
    read_state,
};
use prometheus_client::registry::Registry;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::conduct::{Conduct, Own};
use crate::support::{Network, entropy, now};

/// Answers to requests that wait for the replica.
const INPUTS_MAX: usize = 1_024;

/// A node's configuration and keys, read from its folder.
pub fn identity(network: &Network, node: usize) -> (NodeConfig, NodeIdentity) {
    let config = NodeConfig::load(&network.config(node)).expect("a configuration");
    let identity = config.identity().expect("keys");
    (config, identity)
}

/// Connects with the keys of a node's folder, and does not spare the others.
pub async fn connect(
    config: &NodeConfig,
    identity: &NodeIdentity,
    cancel: CancellationToken,
) -> (node_network::Network, Events) {
    let peers = config.network.peers.iter().map(|peer| node_network::Peer {
        key: peer.public_key().expect("a key"),
        address: peer.address.to_string(),
    });
    let lane = |lane: LaneLimits| LaneLimits { queue_messages_max: 1 << 16, ..lane };
    let limits = Limits::default();
    let config = NetworkConfig {
        chain_id: identity.genesis.chain_id,
        key: identity.network_key.clone(),
        listen: config.network.listen.to_string(),
        peers: peers.collect(),
        allowed: identity.genesis.nodes.iter().map(|node| node.network_key).collect(),
        limits: Limits { consensus: lane(limits.consensus), bulk: lane(limits.bulk), ..limits },
    };
    let mut registry = Registry::default();
    node_network::Network::start(config, &mut registry, cancel).await.expect("a network")
}

/// A running peer; it ends when dropped.
pub struct Peer {
    cancel: CancellationToken,
}

impl Peer {
    /// Starts the validator at this place of the network, with the keys of its folder.
    pub async fn start(network: &Network, node: usize, conduct: impl Conduct) -> Self {
        let (config, identity) = identity(network, node);
        let cancel = CancellationToken::new();
        let (network, events) = connect(&config, &identity, cancel.clone()).await;
        let genesis = Arc::new(identity.genesis);
        let key = identity.validator_key.expect("a validator's folder");
        let state = SharedState::new(State::genesis(&genesis));
        let nodes = genesis.nodes.clone();
        let keys = NodeKeys { network: identity.network_key.public_key(), vote: key.clone() };
        let replica = Replica::new(
            Config {
                genesis: genesis.clone(),
                keys: Some(keys),
                pool: consensus_mempool::Limits::default(),
                checkpoints: CheckpointInterval { blocks: u64::MAX, orders: u64::MAX },
                replayed_orders: 0,
                head: None,
                guard_is_copied: false,
                instance: u64::from_le_bytes(entropy()[..8].try_into().unwrap()),
            },
            state.clone(),
            Arc::new(NoPast),
            Proposers::new(),
            None,
        );
        let own_index = nodes.iter().position(|it| it.validator_key == key.public_key()).unwrap();
        let (inputs, received) = mpsc::channel(INPUTS_MAX);
        let driver = Driver {
            replica: replica.expect("a replica"),
            own: Own {
                chain_id: genesis.chain_id,
                id: chain_types::ValidatorId::new(u32::try_from(own_index).unwrap()),
                key,
                state,
                validators: genesis.validators(),
                proposers: Proposers::new(),
            },
            nodes,
            network,
            conduct: Box::new(conduct),
            timers: BTreeMap::new(),
            blocks: BTreeMap::new(),
            replies: BTreeMap::new(),
            token: 0,
            fetching: false,
            inputs,
        };
        tokio::spawn(driver.run(events, received, cancel.clone()));
        Self { cancel }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// The tests submit nothing that asks for the past.
struct NoPast;

impl Archive for NoPast {
    fn order(&self, _: &OrderId) -> Option<OrderRecord> {
        None
    }

    fn submission(&self, _: &OrderRecord) -> Option<ArchivedOrder> {
        None
    }

    fn header(&self, _: Height) -> Option<BlockHeader> {
        None
    }

    fn outcome(&self, _: Location) -> Option<Outcome> {
        None
    }

    fn instruction(&self, _: &InstructionId, _: Height) -> Option<InstructionRecord> {
        None
    }

    fn quote(&self, _: QuoteId) -> Option<QuoteRecord> {
        None
    }

    fn window(&self, _: WindowId) -> Option<WindowRecord> {
        None
    }
}

struct Driver {
    replica: Replica,
    own: Own,
    nodes: Vec<Node>,
    network: node_network::Network,
    conduct: Box<dyn Conduct>,
    timers: BTreeMap<Timer, Instant>,
    /// The committed blocks, by height.
    blocks: BTreeMap<Height, WireBlock>,
    /// Peers that wait for batches.
    replies: BTreeMap<u64, Reply>,
    token: u64,
    /// A block is being fetched without the replica having asked.
    fetching: bool,
    inputs: mpsc::Sender<Input>,
}

impl Driver {
    async fn run(
        mut self,
        mut events: Events,
        mut inputs: mpsc::Receiver<Input>,
        cancel: CancellationToken,
    ) {
        self.step(Input::Recover { staged: Vec::new(), wal: Vec::new() });
        loop {
            let due = self.timers.iter().map(|(timer, at)| (*at, *timer)).min();
            let (at, timer) = due.unwrap_or((Instant::now(), Timer::Status));
            tokio::select! {
                () = cancel.cancelled() => return,
                event = events.recv() => match event {
                    Some(event) => self.event(event),
                    None => return,
                },
                Some(input) = inputs.recv() => self.step(input),
                () = tokio::time::sleep_until(at) => {
                    self.timers.remove(&timer);
                    self.step(Input::Timer(timer));
                }
            }
        }
    }

    fn index(&self, key: &PublicKey) -> Option<NodeIndex> {
        let place = self.nodes.iter().position(|node| node.network_key == *key)?;
        Some(NodeIndex::new(u32::try_from(place).unwrap()))
    }

    /// The other validators, each with its place.
    fn others(&self) -> Vec<u32> {
        let places = (0..).zip(&self.nodes);
        let others = places.filter(|(place, node)| node.power > 0 && *place != self.own.id.get());
        others.map(|(place, _)| place).collect()
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Connected(key) => {
                if let Some(node) = self.index(&key) {
                    self.step(Input::Connected(node));
                }
            }
            Event::Disconnected(key) => {
                if let Some(node) = self.index(&key) {
                    self.step(Input::Disconnected(node));
                }
            }
            Event::Message { lane: Lane::Bulk, bytes, .. } => {
                for batch in Verifier::of(&self.own).verified(vec![bytes.to_vec()]) {
                    self.step(Input::Batch(batch));
                }
            }
            Event::Message { from, lane: Lane::Consensus, bytes, .. } => {
                let Some(from) = self.index(&from) else { return };
                if let Ok(message) = codec::decode(&bytes, PEER_MESSAGE_BYTES_MAX) {
                    self.message(from, message);
                }
            }
            Event::Request { bytes, reply, .. } => self.request(&bytes, reply),
        }
    }

    fn message(&mut self, from: NodeIndex, message: PeerMessage) {
        for answer in self.conduct.hears(&self.own, from.get(), &message) {
            self.send(from.get(), &answer);
        }
        if let PeerMessage::Status { height } = message
            && height >= self.replica.height()
            && self.conduct.syncs_at_once()
            && !std::mem::replace(&mut self.fetching, true)
        {
            self.fetch_blocks(from, self.replica.height());
        }
        self.step(Input::Message { from, message });
    }

    fn request(&mut self, bytes: &[u8], reply: Reply) {
        match codec::decode(bytes, REQUEST_BYTES_MAX) {
            Ok(PeerRequest::Batches(ids)) => {
                self.token += 1;
                self.replies.insert(self.token, reply);
                self.step(Input::BatchesWanted { ids, token: self.token });
            }
            Ok(PeerRequest::Blocks { from, count }) => {
                let count = count.min(SYNC_BLOCKS_MAX) as usize;
                let up_to = self.conduct.serves_up_to();
                let blocks = self.blocks.range(from..).take(count);
                let blocks = blocks.take_while(|(height, _)| **height <= up_to);
                let blocks = blocks.map(|(_, block)| block.clone()).collect();
                reply.send(codec::encode(&PeerResponse::Blocks(blocks)).into());
            }
            Err(_) => {}
        }
    }

    fn step(&mut self, input: Input) {
        if matches!(input, Input::Blocks { .. }) {
            self.fetching = false;
        }
        for effect in self.replica.handle(now(), input) {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Send { to, message } => {
                let to = match to {
                    Target::Validators => self.others(),
                    Target::All => (0..self.nodes.len() as u32).collect(),
                    Target::Node(node) => vec![node.get()],
                };
                for node in to.into_iter().filter(|node| *node != self.own.id.get()) {
                    for said in self.conduct.says(&self.own, node, &message) {
                        self.send(node, &said);
                    }
                }
            }
            Effect::SendBatch(batch) => {
                for node in self.others() {
                    let key = self.nodes[node as usize].network_key;
                    self.network.send(key, Lane::Bulk, batch.bytes().clone());
                }
            }
            Effect::Schedule { timer, after_ms } => {
                self.timers.insert(timer, Instant::now() + Duration::from_millis(after_ms));
            }
            Effect::Cancel(timer) => {
                self.timers.remove(&timer);
            }
            Effect::CancelConsensusTimers => {
                self.timers.retain(|timer, _| !matches!(timer, Timer::Consensus(_)));
            }
            Effect::RequestBatches { from, ids } => self.fetch_batches(from, ids),
            Effect::RequestBlocks { from, height } => self.fetch_blocks(from, height),
            Effect::Batches { token, batches, missing } => {
                self.answer_batches(token, &batches, &missing);
            }
            Effect::Commit { certificate, staged, .. } => {
                let batches = staged.batches.iter().map(|batch| batch.bytes().to_vec()).collect();
                self.committed(WireBlock { block: staged.block, certificate, batches });
            }
            Effect::Trouble(trouble) => println!("peer {}: {trouble}", self.own.id),
            // Its disk is the memory of this process, and nobody submits to it.
            _ => {}
        }
    }

    fn committed(&mut self, block: WireBlock) {
        let (validators, penalty) = {
            let state = read_state(&self.own.state);
            (state.validators().clone(), state.parameters().proposer_penalty_heights)
        };
        self.own.proposers.note(&block.block, &self.own.validators, penalty);
        self.own.validators = validators;
        for message in self.conduct.committed(&self.own, &block) {
            for node in self.others() {
                self.send(node, &message);
            }
        }
        self.blocks.insert(block.block.header.height, block);
    }

    fn send(&self, to: u32, message: &PeerMessage) {
        if let Some(node) = self.nodes.get(to as usize) {
            let bytes = Bytes::from(codec::encode(message));
            self.network.send(node.network_key, Lane::Consensus, bytes);
        }
    }

    fn answer_batches(&mut self, token: u64, found: &[VerifiedBatch], missing: &[BatchId]) {
        let Some(reply) = self.replies.remove(&token) else { return };
        let mut bytes: Vec<Vec<u8>> = found.iter().map(|batch| batch.bytes().to_vec()).collect();
        for block in self.blocks.values().rev().take(64) {
            let named = block.block.batches.iter().zip(&block.batches);
            bytes.extend(named.filter(|(id, _)| missing.contains(id)).map(|(_, it)| it.clone()));
        }
        reply.send(codec::encode(&PeerResponse::Batches(bytes)).into());
    }

    fn fetch_batches(&self, from: NodeIndex, ids: Vec<BatchId>) {
        let asked = self.ask(from, &PeerRequest::Batches(ids));
        let (inputs, own) = (self.inputs.clone(), Verifier::of(&self.own));
        tokio::spawn(async move {
            if let Some(PeerResponse::Batches(batches)) = asked.await {
                for batch in own.verified(batches) {
                    let _ = inputs.send(Input::Batch(batch)).await;
                }
            }
        });
    }

    fn fetch_blocks(&self, from: NodeIndex, height: Height) {
        let asked = self.ask(from, &PeerRequest::Blocks { from: height, count: SYNC_BLOCKS_MAX });
        let (inputs, own) = (self.inputs.clone(), Verifier::of(&self.own));
        tokio::spawn(async move {
            let blocks = match asked.await {
                Some(PeerResponse::Blocks(blocks)) => blocks,
                _ => Vec::new(),
            };
            let blocks = blocks.into_iter().map(|wire| SyncBlock {
                block: wire.block,
                certificate: wire.certificate,
                batches: own.verified(wire.batches),
            });
            let _ = inputs.send(Input::Blocks { from, blocks: blocks.collect() }).await;
        });
    }

    fn ask(
        &self,
        from: NodeIndex,
        request: &PeerRequest,
    ) -> impl Future<Output = Option<PeerResponse>> + use<> {
        let key = self.nodes[from.get() as usize].network_key;
        let (network, bytes) = (self.network.clone(), Bytes::from(codec::encode(request)));
        async move {
            let answer = network.request(key, bytes).await.ok()?;
            codec::decode(&answer, RESPONSE_BYTES_MAX).ok()
        }
    }
}

/// Checks the signatures of batches.
struct Verifier {
    chain_id: chain_types::ChainId,
    state: SharedState,
}

impl Verifier {
    fn of(own: &Own) -> Self {
        Self { chain_id: own.chain_id, state: own.state.clone() }
    }

    fn verified(&self, batches: Vec<Vec<u8>>) -> Vec<VerifiedBatch> {
        let decode = |bytes: Vec<u8>| SignedBatch::decode(Bytes::from(bytes)).ok();
        let decoded = batches.into_iter().filter_map(decode).collect();
        let keys_of = |id| read_state(&self.state).ready_keys(id);
        let verified = SignedBatch::verify_all(decoded, self.chain_id, keys_of);
        verified.into_iter().filter_map(Result::ok).collect()
    }
}
