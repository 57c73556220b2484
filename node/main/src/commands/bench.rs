//! `sluice bench`: load on a network over its public RPC, and what it took.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::exit::Exit;
use super::output::Output;
use super::signals;
use crate::bench::load::Pace;
use crate::bench::{self, Options};

/// Arguments of `sluice bench`.
#[derive(Debug, Args)]
#[command(after_help = "\
The folder's gateways submit orders that are collected in one step, in signed batches, over public
JSON-RPC, and wait until each batch is final. Before the load, every merchant gets a cashback
programme and every user a limit a day, so that all contracts are at work. With --rate 0 the loop
is closed: --in-flight batches at each node. With a rate it is open, and latency counts from the
time at which a batch was to be sent. CPU time, memory and disk are those of the nodes' processes
and homes on this machine. Exit code 0 when every order sent became final, else 1.")]
pub struct BenchArgs {
    /// The network's folder, as `sluice network new` or `sluice localnet` made it.
    #[arg(long, value_name = "FOLDER")]
    network: PathBuf,
    /// Start the folder's nodes first and stop them at the end.
    #[arg(long)]
    start: bool,
    /// How long to send, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Orders a second; 0 for as many as the network takes.
    #[arg(long, value_name = "ORDERS", default_value_t = 0)]
    rate: u64,
    /// Orders in a batch.
    #[arg(long, value_name = "ORDERS", default_value_t = 8_192,
        value_parser = clap::value_parser!(u32).range(1..=8_192))]
    batch_items: u32,
    /// Batches in flight: at each node in a closed loop; at most at all nodes in an open one,
    /// where it defaults to 256.
    #[arg(long, value_name = "BATCHES",
        value_parser = clap::value_parser!(u32).range(1..=4_096))]
    in_flight: Option<u32>,
    /// Threads that make and sign batches.
    #[arg(long, value_name = "THREADS", default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=64))]
    signers: u32,
    /// How many users the orders are spread over, at each gateway.
    #[arg(long, value_name = "USERS", default_value_t = 500_000,
        value_parser = clap::value_parser!(u64).range(1..))]
    users: u64,
    /// Leave cashback and users' limits off, to see what they cost.
    #[arg(long)]
    without_contracts: bool,
    /// The nodes' process ids, when their homes on this machine do not tell them.
    #[arg(long, value_name = "PIDS", value_delimiter = ',')]
    pids: Vec<u32>,
}

/// Batches in flight at each node of a closed loop: enough to keep a block full while the next
/// is agreed on.
const IN_FLIGHT_CLOSED: u32 = 2;
/// Batches in flight at all nodes of an open loop, at most.
const IN_FLIGHT_OPEN: u32 = 256;

impl BenchArgs {
    fn pace(&self) -> Pace {
        if self.rate == 0 {
            Pace::Closed { in_flight: self.in_flight.unwrap_or(IN_FLIGHT_CLOSED) as usize }
        } else {
            let in_flight_max = self.in_flight.unwrap_or(IN_FLIGHT_OPEN) as usize;
            Pace::Open { rate: self.rate, in_flight_max }
        }
    }
}

/// Runs it; exit code 1 when an order did not become final.
pub async fn run(args: BenchArgs, output: Output) -> anyhow::Result<Exit> {
    let cancel = signals::cancel_on_signal()?;
    let options = Options {
        pace: args.pace(),
        network: args.network,
        start: args.start,
        period: Duration::from_secs(args.seconds),
        batch_items: args.batch_items as usize,
        signers: args.signers as usize,
        pids: args.pids,
        users: args.users,
        without_contracts: args.without_contracts,
    };
    let report = bench::run(options, output, cancel).await?;
    output.answer(&report, || report.text())?;
    Ok(if report.is_clean() { Exit::Done } else { Exit::Negative })
}
