//! Load on a network, from a process of its own, over nothing but the public RPC; and what it
//! took.

pub mod compare;
pub mod contracts;
pub mod crowd;
pub mod draw;
pub mod figures;
pub mod gauge;
pub mod links;
pub mod load;
pub mod market;
pub mod mix;
pub mod onboarding;
mod options;
mod outage;
pub mod overload;
pub mod pace;
pub mod processes;
pub mod reads;
pub mod report;
pub mod run;
pub mod shape;
pub mod sizes;
pub mod tally;

use chain_types::ChainGenesis;
use genesis::NetworkFolder;
use node_console::exit::{Exit, WithExit as _};
use node_console::output::Output;
use node_localnet::fresh::FreshNetwork;
use node_localnet::nodes::Nodes;
use node_localnet::open_network;
use tokio_util::sync::CancellationToken;

pub use self::options::{BenchOptions, Ground, Pace, plan_with};
use self::report::{BenchReport, RunsReport};
use self::run::Bench;

/// Runs the load, as often as asked for, and gives the results.
///
/// # Errors
/// When a network cannot be made, used or started.
pub async fn run(
    options: BenchOptions,
    output: Output,
    cancel: CancellationToken,
) -> anyhow::Result<RunsReport> {
    let mut reports = Vec::new();
    match &options.ground {
        Ground::Network { folder, start } => {
            let (network, genesis) = open_network(folder)?;
            let on = (&network, &genesis);
            let report = if *start {
                started(&options, on, output, &cancel).await?
            } else {
                let bench = Bench::new(&options, on, output, &cancel);
                bench.measure(None).await?
            };
            reports.push(report);
        }
        Ground::Fresh { below, plan, runs } => {
            for number in 1..=*runs {
                output.note(&format!("run {number} of {runs}: a new network"));
                let fresh = FreshNetwork::below(below, plan)?;
                let genesis = genesis::load_genesis(&fresh.network.genesis).exit(Exit::Usage)?;
                let on = (&fresh.network, &genesis);
                reports.push(started(&options, on, output, &cancel).await?);
                if cancel.is_cancelled() {
                    break;
                }
            }
        }
    }
    Ok(RunsReport::new(reports))
}

/// Starts the nodes, measures, stops them.
async fn started(
    options: &BenchOptions,
    on: (&NetworkFolder, &ChainGenesis),
    output: Output,
    cancel: &CancellationToken,
) -> anyhow::Result<BenchReport> {
    let mut nodes = Nodes::start(&on.0.nodes)?;
    let outcome = match nodes.wait_ready(cancel).await {
        Ok(()) => Bench::new(options, on, output, cancel).measure(Some(&mut nodes)).await,
        Err(error) => Err(error),
    };
    for problem in nodes.stop().await {
        tracing::warn!(problem, "a node did not end cleanly");
    }
    outcome
}
