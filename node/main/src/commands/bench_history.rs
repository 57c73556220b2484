//! `sluice bench-history`: whether an order costs the same however long the history is.

use std::path::PathBuf;

use chain_state::SLICE_MS;
use clap::Args;
use node_bench::bench::crowd::Skew;
use node_bench::bench::plan_with;
use node_bench::bench::shape::{PLATFORM_GATEWAYS, PLATFORM_ZIPF};
use node_bench::history::{self, HistoryOptions};
use node_console::exit::{Exit, WithExit as _};
use node_console::output::Output;

use node_console::signals;

use super::bench::exponent;

/// Runs of orders that leave memory while a size is measured, once any leave it.
const SLICES_MEASURED: u64 = 2;

/// Arguments of `sluice bench-history`.
#[derive(Debug, Args)]
#[command(after_help = "\
Writes real blocks into the home of one validator, as a node does: batches signed by gateways and
verified, executed, staged with a sync, committed with a certificate of all validators, whose keys
are here; with checkpoints, and with orders that leave the duplicate window put into the index.
Gateways pay what they are instructed to, unless --merchants is given. Only agreement and network
are left out. The chain's time goes by --rate, not by the clock.

At each size it takes a checkpoint, measures the next --measure orders and reads of old ones, then
closes the home, has the system forget its files, and opens it again. The state must be what it was.

Until a run is longer than the duplicate window (order_validity_ms and one slice of 10 s, at the
rate), memory and restart grow with it: at 120,000 orders a second up to 23 million orders. A home
takes about 180 bytes an order. Exit code 0 when every order was applied and every restart gave the
same state.")]
pub struct BenchHistoryArgs {
    /// After how many orders to measure.
    #[arg(long, value_name = "ORDERS", value_delimiter = ',',
        default_value = "1000000,10000000,100000000",
        value_parser = clap::value_parser!(u64).range(1..=10_000_000_000))]
    orders: Vec<u64>,
    /// How many further orders are measured each time. By default those of 20 seconds of the
    /// chain's time: ten seconds of orders leave memory at once, and every window has its share.
    #[arg(long, value_name = "ORDERS",
        value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    measure: Option<u64>,
    /// Orders a second of the chain's time.
    #[arg(long, value_name = "ORDERS", default_value_t = 120_000,
        value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    rate: u64,
    /// Orders in a batch.
    #[arg(long, value_name = "ORDERS", default_value_t = 8_192,
        value_parser = clap::value_parser!(u32).range(1..=8_192))]
    batch_items: u32,
    /// Batches in a block.
    #[arg(long, value_name = "BATCHES", default_value_t = 2,
        value_parser = clap::value_parser!(u32).range(1..=256))]
    block_batches: u32,
    /// Blocks between two checkpoints; by default as a new node is configured.
    #[arg(long, value_name = "BLOCKS",
        value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    checkpoint_blocks: Option<u64>,
    /// How many users the orders are spread over, at each gateway.
    #[arg(long, value_name = "USERS", default_value_t = 500_000,
        value_parser = clap::value_parser!(u64).range(1..))]
    users: u64,
    /// Merchants in the genesis file, over all of which the orders go in the platform's shape, in
    /// 18 currencies; by default a few that are all alike.
    #[arg(long, value_name = "MERCHANTS",
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    merchants: Option<u32>,
    /// The exponent of Zipf's law over merchants and users; 0 makes them all alike.
    #[arg(long, value_name = "EXPONENT", default_value_t = PLATFORM_ZIPF, requires = "merchants",
        value_parser = exponent)]
    zipf: f64,
    /// Leave cashback and users' limits off, to see what they cost.
    #[arg(long)]
    without_contracts: bool,
    /// A parameter of the chain, such as order_validity_ms=20000; may be given again.
    #[arg(long, value_name = "NAME=VALUE")]
    parameter: Vec<String>,
    /// Make the network here, in a new or empty folder, and leave it; otherwise it is temporary.
    #[arg(long, value_name = "FOLDER")]
    home: Option<PathBuf>,
    /// The folder in which a temporary network is made; not in memory: the disk is measured too.
    #[arg(long, value_name = "FOLDER", default_value = ".", conflicts_with = "home")]
    folder: PathBuf,
}

/// Runs the measurement and prints its report.
pub fn run(args: BenchHistoryArgs, output: Output) -> anyhow::Result<Exit> {
    let mut plan = plan_with(&args.parameter).exit(Exit::Usage)?;
    if let Some(merchants) = args.merchants {
        (plan.merchants, plan.gateways) = (merchants, PLATFORM_GATEWAYS);
    }
    let options = HistoryOptions {
        plan,
        home: args.home,
        folder: args.folder,
        sizes: args.orders,
        measured: args.measure.unwrap_or(args.rate * SLICES_MEASURED * SLICE_MS / 1_000),
        rate: args.rate,
        batch_items: args.batch_items as usize,
        block_batches: args.block_batches as usize,
        checkpoint_blocks: args.checkpoint_blocks,
        users: args.users,
        skew: args.merchants.map(|_| Skew { merchants: args.zipf, users: args.zipf }),
        without_contracts: args.without_contracts,
    };
    let cancel = signals::cancel_on_signal()?;
    let report = history::run(options, output, &cancel)?;
    output.answer(&report, || report.text())?;
    Ok(Exit::Done)
}
