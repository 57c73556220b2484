//! Load on a network, from a process of its own, over nothing but the public RPC; and what it
//! took.

mod contracts;
pub mod load;
pub mod processes;
pub mod report;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chain_types::{ChainGenesis, Roles};
use genesis::NetworkFolder;
use indicatif::ProgressBar;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use self::load::{Loader, Pace, Signers};
use self::report::{BenchReport, Costs, Setting, Tally};
use crate::commands::exit::{Exit, failure};
use crate::commands::output::Output;
use crate::localnet::nodes::Nodes;
use crate::localnet::{open_network, parties_of, profile};
use crate::participant::client::Client;
use crate::participant::orders::Profile;
use crate::participant::scheme::Scheme;

/// Results that may wait to be counted.
const RESULTS_MAX: usize = 1_024;

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The network's folder: its nodes, and its gateways' keys.
    pub network: PathBuf,
    /// Start the nodes first and stop them at the end.
    pub start: bool,
    /// How long to send.
    pub period: Duration,
    /// How to send; a closed loop's batches in flight are those at each node.
    pub pace: Pace,
    /// Orders in a batch.
    pub batch_items: usize,
    /// Threads that sign.
    pub signers: usize,
    /// The nodes' process ids, when their homes do not tell them.
    pub pids: Vec<u32>,
    /// The load's users; an order is one of theirs.
    pub users: u64,
    /// Leave cashback and limits off, to see what they cost.
    pub without_contracts: bool,
}

/// Runs the load and gives the result.
///
/// # Errors
/// When the network cannot be used or started.
pub async fn run(
    options: Options,
    output: Output,
    cancel: CancellationToken,
) -> anyhow::Result<BenchReport> {
    let (network, genesis) = open_network(&options.network)?;
    if !options.start {
        return measure(&options, &network, &genesis, output, &cancel).await;
    }
    let mut nodes = Nodes::start(&network.nodes)?;
    let outcome = match nodes.wait_ready(&cancel).await {
        Ok(()) => measure(&options, &network, &genesis, output, &cancel).await,
        Err(error) => Err(error),
    };
    for problem in nodes.stop().await {
        tracing::warn!(problem, "a node did not end cleanly");
    }
    outcome
}

async fn measure(
    options: &Options,
    network: &NetworkFolder,
    genesis: &ChainGenesis,
    output: Output,
    cancel: &CancellationToken,
) -> anyhow::Result<BenchReport> {
    let urls: Vec<String> = network.nodes.iter().map(genesis::NodeFolder::rpc_url).collect();
    let client = Arc::new(Client::new(&urls)?);
    let loaders = loaders(network, genesis, &client, options.users)?;
    if !options.without_contracts {
        turn_contracts_on(network, genesis, &client, &loaders, output).await?;
    }
    let gauge = Gauge::start(network, &options.pids);
    let setting = setting(options, loaders.len(), urls.len());
    let signers = Signers::start(genesis.chain_id, &loaders, options.batch_items, options.signers)?;
    let (results, mut received) = mpsc::channel(RESULTS_MAX);
    let started = Instant::now();
    let items = u32::try_from(options.batch_items).context("too many orders in a batch")?;
    let pace = match options.pace {
        Pace::Closed { in_flight } => Pace::Closed { in_flight: in_flight * client.len() },
        open @ Pace::Open { .. } => open,
    };
    let sending = tokio::spawn(load::run(
        load::over(client),
        signers,
        pace,
        items,
        options.period,
        cancel.clone(),
        results,
    ));
    let mut tally = Tally::new(started + options.period);
    let bar = output.progress(options.period.as_secs(), "s");
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            sent = received.recv() => match sent {
                Some(sent) => tally.add(sent),
                None => break,
            },
            _ = ticks.tick() => show(&bar, started, &tally),
        }
    }
    sending.await?;
    bar.finish_and_clear();
    // A run that was cut short is measured over the time that it had.
    let period = options.period.min(started.elapsed());
    Ok(tally.report(period, setting, gauge.stop()))
}

fn show(bar: &ProgressBar, started: Instant, tally: &Tally) {
    let seconds = started.elapsed().as_secs();
    bar.set_position(seconds);
    let rate = tally.final_orders() / seconds.max(1);
    bar.set_message(format!("{} orders final, {rate}/s", tally.final_orders()));
}

fn setting(options: &Options, gateways: usize, nodes: usize) -> Setting {
    let (pace, rate, in_flight) = match options.pace {
        Pace::Closed { in_flight } => ("closed", 0, in_flight),
        Pace::Open { rate, in_flight_max } => ("open", rate, in_flight_max),
    };
    Setting { pace, rate, in_flight, batch_items: options.batch_items, gateways, nodes }
}

async fn turn_contracts_on(
    network: &NetworkFolder,
    genesis: &ChainGenesis,
    client: &Arc<Client>,
    loaders: &[Loader],
    output: Output,
) -> anyhow::Result<()> {
    let of = |role| parties_of(network, genesis, client, role);
    let scheme = Scheme {
        operators: of(Roles::SETTLEMENT_OPERATOR)?,
        agents: of(Roles::SETTLEMENT_AGENT)?,
        client: Arc::clone(client),
    };
    let desks = of(Roles::RISK_DESK)?;
    let desk = desks.first().context("the folder holds no risk desk's key: it sets the limits")?;
    let profiles: Vec<_> = loaders.iter().map(|loader| loader.profile.clone()).collect();
    output.note("turning cashback and limits on");
    contracts::turn_on(&scheme, desk, &profiles).await
}

fn loaders(
    network: &NetworkFolder,
    genesis: &ChainGenesis,
    client: &Arc<Client>,
    users: u64,
) -> anyhow::Result<Vec<Loader>> {
    let mut loaders = Vec::new();
    for party in parties_of(network, genesis, client, Roles::GATEWAY)? {
        let profile = Profile { users, ..profile(genesis, party.id, true)? };
        loaders.push(Loader { id: party.id, key: party.key, profile });
    }
    if loaders.is_empty() {
        let message = "the folder holds no gateway's key: the load is signed by gateways";
        return Err(failure(Exit::Usage, message));
    }
    Ok(loaders)
}

/// Measures nodes' processes and homes from outside, from start to stop.
struct Gauge {
    homes: Vec<(PathBuf, u64)>,
    processes: Vec<(u32, f64)>,
    own_cpu_seconds: f64,
}

impl Gauge {
    fn start(network: &NetworkFolder, pids: &[u32]) -> Self {
        let homes = network.nodes.iter().map(|node| node.home.clone());
        let homes: Vec<PathBuf> = homes.filter(|home| home.exists()).collect();
        let pids: Vec<u32> = if pids.is_empty() {
            homes.iter().filter_map(|home| processes::node_pid(home)).collect()
        } else {
            pids.to_vec()
        };
        let process = |pid| Some((pid, processes::cpu_seconds(pid)?));
        Self {
            processes: pids.into_iter().filter_map(process).collect(),
            homes: homes
                .into_iter()
                .map(|home| {
                    let bytes = processes::data_bytes(&home);
                    (home, bytes)
                })
                .collect(),
            own_cpu_seconds: processes::cpu_seconds(std::process::id()).unwrap_or(0.0),
        }
    }

    fn stop(self) -> Costs {
        let own = processes::cpu_seconds(std::process::id()).unwrap_or(0.0);
        let mut costs = Costs { bench_cpu_seconds: own - self.own_cpu_seconds, ..Costs::default() };
        for (pid, before) in self.processes {
            // A process that has ended cannot be measured any more.
            if let Some(after) = processes::cpu_seconds(pid) {
                costs.cpu_seconds.push(after - before);
                costs.memory_peak_bytes.extend(processes::memory_peak_bytes(pid));
            }
        }
        for (home, before) in self.homes {
            let signed = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
            let grown = signed(processes::data_bytes(&home)) - signed(before);
            costs.disk_bytes.push(grown);
        }
        costs
    }
}
