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
mod outlooks;
pub mod own_keys;
mod parts;
mod peers;
mod readiness;
mod rpc;
mod standing;
mod submissions;
mod timers;
mod vitals;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, anyhow};
use chain_store::StoreOptions;
use chain_types::ChainGenesis;
use consensus_mempool::Limits as PoolLimits;
use genesis::{AccessSection, NodeConfig, NodeIdentity};
use node_console::logs;
use node_home::opening::{self, Home};
use node_replica::{CheckpointInterval, Config, Input, NodeKeys, read_state};
use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::descriptors::Descriptors;
use self::driver::Driver;
use self::inbox::{InputReceiver, inbox};
use self::metrics::NodeMetrics;
use self::own_keys::Ended;
use self::parts::{Parts, Place};
use self::rpc::ServedNode;

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
/// `driver_begins` is called in the driver's thread before its work.
///
/// # Errors
/// When it cannot start, in one line that says why; when a write to its store fails.
pub async fn run(
    config: NodeConfig,
    attempt: Attempt,
    driver_begins: fn(),
    cancel: CancellationToken,
) -> anyhow::Result<Ended> {
    if let Some(access) = &config.rpc.access {
        access.check(&config.genesis)?;
        if *access == AccessSection::Open {
            warn!("everybody may call every method: rpc.access is open");
        }
    }
    let present = config.identity()?;
    let genesis = Arc::new(present.genesis.clone());
    // Before anything is opened, and again with the registry of the head.
    parts::descriptors_of(&config, genesis.nodes.len()).check()?;
    let home = open_home(&config, &genesis, present.validator_key.is_some()).await?;
    let pid_file = PidFile::write(&config.home)?;
    let mut registry = Registry::default();
    let metrics = Arc::new(NodeMetrics::new(&mut registry));
    logs::register(&mut registry);
    let rules = home.state.rules();
    let chosen = match own_keys::choose(&config, present, &rules.registry, attempt.tries_next)? {
        Ok(chosen) => chosen,
        Err(withdrawn) => return Ok(Ended::Withdrawn(withdrawn)),
    };
    let height = read_state(&home.state).height();
    let place = Place::find(&config, &chosen, (&rules, height), attempt.has_tried)?;
    let (network, events) = place.join(&config, &chosen.identity, &mut registry, &cancel).await?;

    let parts = Parts::new(&genesis, &home, &place, network, &mut registry);
    let (inputs, input_receiver) = inbox();
    let (requests, request_receiver) = tokio::sync::mpsc::channel(REQUESTS_MAX);
    let peers = parts.peers(inputs.clone());
    let submissions = parts.submissions(inputs);
    let replica_config = replica_config(&config, &chosen.identity, &genesis)?;
    let (descriptors, keys) = (place.descriptors, place.registration.keys());
    let beside = (rules, metrics, requests);
    let (driver, first) = parts.driver(home, place, replica_config, beside)?;
    let known = (driver.replica.waiting_batches(), driver.replica.shares());
    let served = Arc::new(parts.served(&config, (keys, &chosen.identity), known, submissions));
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
        height = %read_state(&parts.state).height(),
        descriptors = descriptors.limit,
        descriptors_needed = descriptors.needed(),
        "node started"
    );
    let listening = tokio::spawn(peers.clone().listen(events, cancel.clone()));
    let asking = tokio::spawn(peers.ask(request_receiver));
    let reporting = tokio::spawn(logs::report(cancel.clone()));
    let result = drive((driver, driver_begins), first, input_receiver, cancel.clone()).await;
    cancel.cancel();
    server.stopped().await;
    parts.network.wait_stopped().await;
    let _ = tokio::join!(listening, asking, reporting);
    drop(pid_file);
    info!("node stopped");
    result
}

/// Runs the driver on its own thread until it fails or `cancel`.
async fn drive(
    (driver, begins): (Driver, fn()),
    first: Input,
    inputs: InputReceiver,
    cancel: CancellationToken,
) -> anyhow::Result<Ended> {
    let stop = cancel.clone();
    let (done, ended) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name("driver".to_owned()).spawn(move || {
        begins();
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
        tls: rpc.tls.as_ref().map(tls_files),
        operator_tls: config.operator.tls.as_ref().map(tls_files),
        connections_per_address_max: rpc.connections_per_address_max,
        subscriptions_per_address_max: rpc.subscriptions_per_address_max,
        hosts: rpc.hosts.clone(),
        origins: rpc.origins.clone(),
        trusted_proxies: rpc.trusted_proxies.clone(),
        forwarded_header: match rpc.forwarded_header {
            genesis::ForwardedHeader::XForwardedFor => rpc_server::ForwardedHeader::XForwardedFor,
            genesis::ForwardedHeader::Forwarded => rpc_server::ForwardedHeader::Forwarded,
        },
        access: match &rpc.access {
            None => rpc_server::AccessRule::Public,
            Some(AccessSection::Open) => rpc_server::AccessRule::Open,
            Some(AccessSection::Tokens(path)) => rpc_server::AccessRule::Tokens(path.clone()),
        },
        files: if rpc.explorer { rpc_explorer::files() } else { Vec::new() },
        ..rpc_server::ServerConfig::default()
    }
}

fn tls_files(tls: &genesis::TlsSection) -> rpc_server::TlsFiles {
    rpc_server::TlsFiles {
        certificate: tls.certificate.clone(),
        key: tls.key.clone(),
        client_authorities: tls.client_authorities.clone(),
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
