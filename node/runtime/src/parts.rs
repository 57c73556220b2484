//! The parts of a running node: its place in the network, and what its tasks share.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chain_store::Store;
use chain_types::registry::network_keys;
use chain_types::{ChainGenesis, Height, Node, PublicKey};
use genesis::{NodeConfig, NodeIdentity};
use node_home::archive::StoreArchive;
use node_home::opening::Home;
use node_home::orders::Orders;
use node_network::{Events, Limits as NetworkLimits, Network, NetworkConfig, Peer, Throttle};
use node_replica::{Config, Input, Replica, Rules, SharedScheduler, SharedState, WaitingBatches};
use prometheus_client::registry::Registry;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::checkpoints::Checkpoints;
use crate::descriptors::{self, Descriptors};
use crate::driver::{Driver, wall_clock};
use crate::hub::{self, Hub};
use crate::inbox::InputSender;
use crate::metrics::NodeMetrics;
use crate::observer::{self, Observer};
use crate::outlooks::Outlooks;
use crate::own_keys::{self, Chosen};
use crate::peers::{Directory, PeerWork, Peers};
use crate::rpc::ServedNode;
use crate::standing::Registration;
use crate::submissions::{Desk, Submissions};
use crate::vitals::Vitals;
use crate::watch::Watch;

/// Returns the descriptors that a node takes in a network of `nodes` nodes.
pub fn descriptors_of(config: &NodeConfig, nodes: usize) -> Descriptors {
    Descriptors::of(config, nodes, &NetworkLimits::default(), descriptors::raise_limit())
}

/// A node's place in the network, by the registry of its head.
pub struct Place {
    /// The registry's nodes as this node knows them.
    nodes: Vec<Node>,
    /// Network keys that were withdrawn lately and may still fetch blocks.
    leaving: Vec<PublicKey>,
    /// The nodes' addresses, and of this node's own configuration.
    peers: Vec<Peer>,
    directory: Arc<Directory>,
    /// This node's entry in the registry, which its keys lead to, and how it changes.
    pub registration: Registration,
    /// The file descriptors that this node needs when all nodes are connected.
    pub descriptors: Descriptors,
}

impl Place {
    /// # Errors
    /// When the process may not have the descriptors that it needs, or the keys fit no node.
    pub fn find(
        config: &NodeConfig,
        chosen: &Chosen,
        (rules, height): (&Rules, Height),
        has_tried: bool,
    ) -> anyhow::Result<Self> {
        let registry = &rules.registry;
        let nodes = own_keys::nodes_known(config, registry);
        let descriptors = descriptors_of(config, network_keys(&nodes).count());
        descriptors.check()?;
        Ok(Self {
            registration: Registration::new(config.clone(), chosen, registry, has_tried)?,
            directory: Arc::new(Directory::new(height, &nodes, chosen.identity.public_key())),
            peers: own_keys::peers(config, registry, &nodes),
            leaving: own_keys::leaving(registry, height),
            nodes,
            descriptors,
        })
    }

    /// Starts the network with the nodes of the registry, and those that left it lately.
    ///
    /// # Errors
    /// When the address cannot be listened at, or the configuration cannot work.
    pub async fn join(
        &self,
        config: &NodeConfig,
        identity: &NodeIdentity,
        registry: &mut Registry,
        cancel: &CancellationToken,
    ) -> anyhow::Result<(Network, Events)> {
        let connections_max = self.descriptors.links as u32;
        let network_config = NetworkConfig {
            chain_id: identity.genesis.chain_id,
            key: identity.network_key.clone(),
            listen: config.network.listen.to_string(),
            peers: self.peers.clone(),
            allowed: network_keys(&self.nodes).chain(self.leaving.iter().copied()).collect(),
            limits: NetworkLimits { connections_max, ..NetworkLimits::default() },
        };
        Ok(Network::start(network_config, registry, cancel.clone()).await?)
    }
}

/// The parts of a node that its tasks share.
pub struct Parts {
    genesis: Arc<ChainGenesis>,
    /// The state of the last committed block.
    pub state: SharedState,
    store: Arc<Store>,
    /// The way to the peers.
    pub network: Network,
    directory: Arc<Directory>,
    hub: Arc<Hub>,
    vitals: Arc<Vitals>,
    observer: Arc<Observer>,
}

impl Parts {
    /// The parts of a node that has opened its home and joined the network.
    pub fn new(
        genesis: &Arc<ChainGenesis>,
        home: &Home,
        place: &Place,
        network: Network,
        registry: &mut Registry,
    ) -> Self {
        let state = home.state.clone();
        let (height, time) = state.head();
        let hub = Arc::new(Hub::new(height));
        hub::register(&hub, registry);
        // By the wall clock: the monotonic one was not running.
        let age_ms = wall_clock().get().saturating_sub(time.get());
        let vitals = Arc::new(Vitals::new(height, Duration::from_millis(age_ms)));
        let own_key = place.registration.network_key();
        let observer = Observer::new(vitals.clone(), state.clone(), network.clone(), own_key);
        let observer = Arc::new(observer);
        observer::register(&observer, registry);
        let (genesis, store) = (genesis.clone(), home.store.clone());
        let directory = place.directory.clone();
        Self { genesis, state, store, network, directory, hub, vitals, observer }
    }

    /// Returns the parts that the tasks of the peers work with.
    pub fn peers(&self, inputs: InputSender) -> Peers {
        Peers {
            chain_id: self.genesis.chain_id,
            network: self.network.clone(),
            directory: self.directory.clone(),
            inputs,
            state: self.state.clone(),
            store: self.store.clone(),
            hub: self.hub.clone(),
            vitals: self.vitals.clone(),
            read_faults: Arc::new(Mutex::new(Throttle::default())),
        }
    }

    /// Starts the threads that verify what clients submit.
    pub fn submissions(&self, inputs: InputSender) -> Submissions {
        Submissions::start(Desk {
            chain_id: self.genesis.chain_id,
            state: self.state.clone(),
            hub: self.hub.clone(),
            inputs,
        })
    }

    /// The driver with its replica, and the replica's first input.
    ///
    /// # Errors
    /// When the vote guard cannot be used, or a thread cannot be started.
    pub fn driver(
        &self,
        home: Home,
        place: Place,
        config: Config,
        (rules, metrics, requests): (Arc<Rules>, Arc<NodeMetrics>, mpsc::Sender<PeerWork>),
    ) -> anyhow::Result<(Driver, Input)> {
        let config = Config {
            head: home.head,
            guard_is_copied: home.guard_is_copied,
            replayed_orders: home.opening.replayed_orders,
            ..config
        };
        let guard_bytes = home.guard_bytes.as_deref();
        let archive = home.archive.clone();
        let replica = new_replica(config, &self.state, archive, home.proposers, guard_bytes)?;
        let driver = Driver {
            role: replica.role(),
            watch: Watch::new(Instant::now(), replica.passed_over()),
            registration: place.registration,
            leaving: place.leaving,
            rules,
            nodes: place.nodes,
            replica,
            state: self.state.clone(),
            archive: home.archive,
            store: home.store,
            log: home.log,
            unwritten: Vec::new(),
            checkpoints: Checkpoints::start(self.store.clone())?,
            guard: home.guard,
            network: self.network.clone(),
            directory: self.directory.clone(),
            requests,
            hub: self.hub.clone(),
            vitals: self.vitals.clone(),
            metrics,
        };
        Ok((driver, Input::Recover { staged: home.staged, wal: home.log_entries }))
    }

    /// Returns the parts that the methods of the RPC work with.
    pub fn served(
        &self,
        config: &NodeConfig,
        (keys, identity): (Option<(PublicKey, PublicKey)>, &NodeIdentity),
        (waiting, shares): (WaitingBatches, SharedScheduler),
        submissions: Submissions,
    ) -> ServedNode {
        ServedNode {
            name: config.name.clone(),
            keys,
            wait_ms_max: config.rpc.wait_ms_max,
            genesis: self.genesis.clone(),
            orders: Orders {
                genesis: self.genesis.clone(),
                state: self.state.clone(),
                store: self.store.clone(),
                lineages: Arc::default(),
            },
            hub: self.hub.clone(),
            vitals: self.vitals.clone(),
            observer: self.observer.clone(),
            waiting,
            outlooks: Outlooks {
                chain_id: self.genesis.chain_id,
                network_key: identity.public_key(),
                // A node without a vote is registered with its network key alone.
                key: identity.validator_key.as_ref().unwrap_or(&identity.network_key).clone(),
                state: self.state.clone(),
                shares: shares.clone(),
                vitals: self.vitals.clone(),
                last: Mutex::default(),
            },
            shares,
            submissions,
            started: Instant::now(),
        }
    }
}

fn new_replica(
    config: Config,
    state: &SharedState,
    archive: Arc<StoreArchive>,
    proposers: consensus_core::Proposers,
    guard: Option<&[u8]>,
) -> anyhow::Result<Replica> {
    Replica::new(config, state.clone(), archive, proposers, guard).context(
        "vote.guard cannot be used; move it away and start: the validator stays silent until \
             it cannot have voted before (never put a copy of a guard in its place)",
    )
}
