//! A running node: the replica's driver on a thread of its own, network and RPC on the tokio
//! runtime, and the bounded queue between them.
//!
//! What governance changes holds at once: who may connect, who votes, and whether this node does.

mod checkpoints;
pub mod descriptors;
mod driver;
mod hub;
mod inbox;
mod metrics;
mod notices;
mod observer;
pub mod own_keys;
mod peers;
mod readiness;
mod rpc;
mod standing;
mod submissions;
mod timers;
mod vitals;
mod watch;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, anyhow};
use chain_store::StoreOptions;
use chain_types::registry::network_keys;
use chain_types::{ChainGenesis, PublicKey};
use consensus_mempool::Limits as PoolLimits;
use genesis::{NodeConfig, NodeIdentity};
use node_console::logs;
use node_home::archive::StoreArchive;
use node_home::opening::{self, Home};
use node_home::orders::Orders;
use node_network::{Limits as NetworkLimits, Network, NetworkConfig, Peer, Throttle};
use node_replica::{CheckpointInterval, Config, Input, NodeKeys, Replica, SharedState, read_state};
use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;
use tracing::info;

use self::checkpoints::Checkpoints;
use self::descriptors::Descriptors;
use self::driver::{Driver, wall_clock};
use self::hub::Hub;
use self::inbox::{InputReceiver, inbox};
use self::metrics::NodeMetrics;
use self::observer::Observer;
use self::own_keys::Ended;
use self::peers::{Directory, Peers};
use self::rpc::ServedNode;
use self::standing::Registration;
use self::submissions::{Desk, Submissions};
use self::vitals::Vitals;
use self::watch::Watch;

/// Requests to peers that wait to be carried out; the replica's timers ask again.
const REQUESTS_MAX: usize = 256;
/// The file that holds the node's process id while it runs.
const PID_FILE: &str = "sluice.pid";

/// How a start came about, when it is one for other keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attempt {
    /// The next keys are tried although the home's registry names the present ones.
    pub tries_next: bool,
    /// The node ended before to try other keys.
    pub has_tried: bool,
}

/// Runs a node until `cancel`, until governance takes its keys away, or until it cannot go on.
///
/// # Errors
/// When it cannot start, in one line that says why; when a write to its store fails.
pub async fn run(
    config: NodeConfig,
    attempt: Attempt,
    cancel: CancellationToken,
) -> anyhow::Result<Ended> {
    let present = config.identity()?;
    let genesis = Arc::new(present.genesis.clone());
    let limits = NetworkLimits::default();
    let limit = descriptors::raise_limit();
    let needs = |nodes| Descriptors::of(&config, nodes, &limits, limit);
    // Before anything is opened, and again with the registry of the head.
    needs(genesis.nodes.len()).check()?;
    let home = open_home(&config, &genesis, present.validator_key.is_some()).await?;
    let pid_file = PidFile::write(&config.home)?;
    let mut registry = Registry::default();
    let metrics = Arc::new(NodeMetrics::new(&mut registry));
    logs::register(&mut registry);
    let (height, rules) = (read_state(&home.state).height(), home.state.rules());
    let chosen = match own_keys::choose(&config, present, &rules.registry, attempt.tries_next)? {
        Ok(chosen) => chosen,
        Err(withdrawn) => return Ok(Ended::Withdrawn(withdrawn)),
    };
    let identity = chosen.identity.clone();
    let own_key = identity.public_key();
    let nodes = own_keys::nodes_known(&config, &rules.registry);
    let descriptors = needs(network_keys(&nodes).count());
    descriptors.check()?;
    let has_tried = attempt.has_tried;
    let registration = Registration::new(config.clone(), &chosen, &rules.registry, has_tried)?;
    let directory = Arc::new(Directory::new(height, &nodes, own_key));
    let limits = NetworkLimits { connections_max: descriptors.links as u32, ..limits };
    let peers = own_keys::peers(&config, &rules.registry, &nodes);
    let leaving = own_keys::leaving(&rules.registry, height);
    let allowed = network_keys(&nodes).chain(leaving.iter().copied()).collect();
    let network_config = network_config(&config, &identity, allowed, peers, limits);
    let (network, events) = Network::start(network_config, &mut registry, cancel.clone()).await?;

    let hub = Arc::new(Hub::new(height));
    hub::register(&hub, &mut registry);
    let vitals = vitals_at_start(&home.state);
    let observer = Observer::new(vitals.clone(), home.state.clone(), network.clone(), own_key);
    let observer = Arc::new(observer);
    observer::register(&observer, &mut registry);
    let (inputs, input_receiver) = inbox();
    let (requests, request_receiver) = tokio::sync::mpsc::channel(REQUESTS_MAX);
    let peers = Peers {
        chain_id: genesis.chain_id,
        network: network.clone(),
        directory: directory.clone(),
        inputs: inputs.clone(),
        state: home.state.clone(),
        store: home.store.clone(),
        hub: hub.clone(),
        vitals: vitals.clone(),
        read_faults: Arc::new(Mutex::new(Throttle::default())),
    };
    let submissions = Submissions::start(Desk {
        chain_id: genesis.chain_id,
        state: home.state.clone(),
        hub: hub.clone(),
        inputs,
    });

    let Home { store, archive, state, proposers, log, log_entries, staged, .. } = home;
    let replica_config = Config {
        head: home.head,
        guard_is_copied: home.guard_is_copied,
        replayed_orders: home.opening.replayed_orders,
        ..replica_config(&config, &identity, &genesis)?
    };
    let (guard, guard_bytes) = (home.guard, home.guard_bytes.as_deref());
    let replica = new_replica(replica_config, &state, archive.clone(), proposers, guard_bytes)?;
    let served = Arc::new(ServedNode {
        name: config.name.clone(),
        keys: registration.keys(),
        wait_ms_max: config.rpc.wait_ms_max,
        genesis: genesis.clone(),
        orders: Orders {
            genesis: genesis.clone(),
            state: state.clone(),
            store: store.clone(),
            lineages: Arc::default(),
        },
        hub: hub.clone(),
        vitals: vitals.clone(),
        observer,
        waiting: replica.waiting_batches(),
        submissions,
        started: std::time::Instant::now(),
    });
    let first = Input::Recover { staged, wal: log_entries };
    let checkpoints = Checkpoints::start(store.clone())?;
    let driver = Driver {
        role: replica.role(),
        watch: Watch::new(std::time::Instant::now(), replica.passed_over()),
        registration,
        leaving,
        rules,
        nodes,
        replica,
        state: state.clone(),
        archive,
        store,
        log,
        unwritten: Vec::new(),
        checkpoints,
        guard,
        network: network.clone(),
        directory,
        requests,
        hub,
        vitals,
        metrics,
    };
    let server = rpc_server::Server::start(
        rpc_config(&config, &descriptors),
        |reader| rpc::methods(&served, reader),
        health_of(&served),
        Arc::new(Mutex::new(registry)),
        cancel.clone(),
    )?;
    info!(
        name = config.name,
        chain = %genesis.chain_id,
        rpc = %server.local_address(),
        operator = ?server.operator_address(),
        height = %read_state(&state).height(),
        descriptors = descriptors.limit,
        descriptors_needed = descriptors.needed(),
        "node started"
    );
    let listening = tokio::spawn(peers.clone().listen(events, cancel.clone()));
    let asking = tokio::spawn(peers.ask(request_receiver));
    let reporting = tokio::spawn(logs::report(cancel.clone()));
    let result = drive(driver, first, input_receiver, cancel.clone()).await;
    cancel.cancel();
    server.stopped().await;
    network.wait_stopped().await;
    let _ = tokio::join!(listening, asking, reporting);
    drop(pid_file);
    info!("node stopped");
    result
}

/// The head's height, and its age by the wall clock: the monotonic one was not running.
fn vitals_at_start(state: &SharedState) -> Arc<Vitals> {
    let (height, time) = state.head();
    let age_ms = wall_clock().0.saturating_sub(time.0);
    Arc::new(Vitals::new(height, std::time::Duration::from_millis(age_ms)))
}

/// Runs the driver on its own thread until it fails or `cancel`.
async fn drive(
    driver: Driver,
    first: Input,
    inputs: InputReceiver,
    cancel: CancellationToken,
) -> anyhow::Result<Ended> {
    let stop = cancel.clone();
    let (done, ended) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name("driver".to_owned()).spawn(move || {
        // A panic drops `done`, which ends the node as well.
        let result = driver.run(first, &inputs, &stop);
        let _ = done.send(result);
    })?;
    let outcome = ended.await;
    cancel.cancel();
    match (outcome, thread.join()) {
        (Ok(Ok(ended)), Ok(())) => Ok(ended),
        (Ok(Err(fault)), _) => Err(fault.into()),
        _ => Err(anyhow!("an internal invariant broke; the log has the assertion")),
    }
}

async fn open_home(
    config: &NodeConfig,
    genesis: &Arc<ChainGenesis>,
    validates: bool,
) -> anyhow::Result<Home> {
    let options = store_options(config);
    let folder = config.home.clone();
    let genesis = genesis.clone();
    tokio::task::spawn_blocking(move || opening::open(&folder, &genesis, options, validates))
        .await?
}

/// The store's options by a node's configuration.
pub fn store_options(config: &NodeConfig) -> StoreOptions {
    StoreOptions {
        block_files_open_max: descriptors::BLOCK_FILES as usize,
        index_files_open_max: descriptors::index_files(descriptors::raise_limit()),
        block_file_bytes: config.store.block_file_bytes,
        block_files_cached: config.store.block_files_cached,
        index_cache_bytes: usize::try_from(config.store.cache_bytes).unwrap_or(usize::MAX),
        ..StoreOptions::default()
    }
}

fn network_config(
    config: &NodeConfig,
    identity: &NodeIdentity,
    allowed: BTreeSet<PublicKey>,
    peers: Vec<Peer>,
    limits: NetworkLimits,
) -> NetworkConfig {
    NetworkConfig {
        chain_id: identity.genesis.chain_id,
        key: identity.network_key.clone(),
        listen: config.network.listen.to_string(),
        peers,
        allowed,
        limits,
    }
}

fn replica_config(
    config: &NodeConfig,
    identity: &NodeIdentity,
    genesis: &Arc<ChainGenesis>,
) -> anyhow::Result<Config> {
    let bytes_max = usize::try_from(config.store.pool_bytes_max).unwrap_or(usize::MAX);
    Ok(Config {
        genesis: genesis.clone(),
        keys: identity
            .validator_key
            .clone()
            .map(|vote| NodeKeys { network: identity.network_key.public_key(), vote }),
        pool: PoolLimits { bytes_max, ..PoolLimits::default() },
        checkpoints: checkpoint_interval(config),
        replayed_orders: 0,
        head: None,
        guard_is_copied: false,
        instance: random_instance()?,
    })
}

/// A number that no other process draws.
fn random_instance() -> anyhow::Result<u64> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow!("the operating system gives no entropy: {error}"))?;
    Ok(u64::from_le_bytes(bytes))
}

/// How far the node's checkpoints may lie apart.
pub fn checkpoint_interval(config: &NodeConfig) -> CheckpointInterval {
    let store = &config.store;
    CheckpointInterval { blocks: store.checkpoint_blocks, orders: store.checkpoint_orders }
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

fn rpc_config(config: &NodeConfig, descriptors: &Descriptors) -> rpc_server::ServerConfig {
    let rpc = &config.rpc;
    rpc_server::ServerConfig {
        descriptor_ceiling: i32::try_from(descriptors.public_ceiling()).unwrap_or(i32::MAX),
        listen: rpc.listen,
        connections_max: rpc.connections_max,
        subscriptions_max: rpc.subscriptions_max,
        calls_per_second_max: rpc.calls_per_second_max,
        wait_ms_max: rpc.wait_ms_max,
        operator_listen: Some(config.operator_address()),
        connections_per_address_max: rpc.connections_per_address_max,
        subscriptions_per_address_max: rpc.subscriptions_per_address_max,
        hosts: rpc.hosts.clone(),
        origins: rpc.origins.clone(),
        trusted_proxies: rpc.trusted_proxies.clone(),
        forwarded_header: match rpc.forwarded_header {
            genesis::ForwardedHeader::XForwardedFor => rpc_server::ForwardedHeader::XForwardedFor,
            genesis::ForwardedHeader::Forwarded => rpc_server::ForwardedHeader::Forwarded,
        },
        ..rpc_server::ServerConfig::default()
    }
}

fn health_of(node: &Arc<ServedNode>) -> rpc_server::Health {
    let node = node.clone();
    Arc::new(move || node.health())
}

/// Tells other programs of this machine which process the node is; gone when the node stops.
struct PidFile(PathBuf);

impl PidFile {
    fn write(home: &Path) -> anyhow::Result<Self> {
        let path = home.join(PID_FILE);
        std::fs::write(&path, format!("{}\n", std::process::id()))
            .with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // Should it stay behind, the next start overwrites it.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests;
