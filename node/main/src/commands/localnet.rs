//! `sluice localnet`: a whole network on this machine.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::exit::Exit;
use super::network::PlanArgs;
use super::output::Output;
use super::signals;
use crate::localnet::{self, Options};

/// Arguments of `sluice localnet`.
#[derive(Debug, Args)]
#[command(after_help = "\
Starts the validators as processes of their own, a simulated recharge service and two simulated
gateways. Without --for it runs until Ctrl-C or SIGTERM. With --for SECONDS it stops new orders a
window and 15 s before the end (but submits for 10 s at least), waits until every collected order
has arrived, checks books, digests, orders and receipts, and exits with 0 only if all is well.")]
pub struct LocalnetArgs {
    /// The network's folder; a network is made there if there is none.
    #[arg(long, value_name = "FOLDER", default_value = "sluice-localnet")]
    home: PathBuf,
    #[command(flatten)]
    plan: PlanArgs,
    /// Orders a second.
    #[arg(long, value_name = "ORDERS", default_value_t = 500,
        value_parser = clap::value_parser!(u64).range(1..=50_000))]
    rate: u64,
    /// End by itself after about this many seconds.
    #[arg(long = "for", value_name = "SECONDS")]
    run_for: Option<u64>,
}

/// Runs it; exit code 1 when not all is well.
pub async fn run(args: LocalnetArgs, output: Output) -> anyhow::Result<Exit> {
    let cancel = signals::cancel_on_signal()?;
    let options = Options {
        home: args.home,
        plan: args.plan.plan(),
        rate: args.rate,
        run_for: args.run_for.map(Duration::from_secs),
    };
    localnet::run(options, output, cancel).await
}
