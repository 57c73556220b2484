//! `sluice bench --overload`: more than the network can take, by clients that pace themselves.

use clap::Args;
use node_bench::bench::overload::{self, OverloadOptions};
use node_console::exit::Exit;
use node_console::output::Output;
use node_console::signals;

use super::BenchArgs;

/// Arguments of an overload.
#[derive(Debug, Args)]
pub struct OverloadArgs {
    /// Measure the closed loop first; then let a crowd of clients that keep to their shares offer
    /// so many times as much, one factor after another, on one new network.
    #[arg(long, value_name = "FACTORS", value_delimiter = ',',
        value_parser = clap::value_parser!(u64).range(1..=1_000),
        conflicts_with_all = ["network", "runs", "rate", "in_flight", "websockets", "mix", "reads",
            "onboard", "stop_one", "gateways", "compare"])]
    overload: Vec<u64>,
    /// Clients that offer too much together: the first single orders, the second batches of 8,192,
    /// the others 64 to 4,096; in steps, ramps, saw teeth and flashes.
    #[arg(long, value_name = "CLIENTS", default_value_t = 12, requires = "overload",
        value_parser = clap::value_parser!(u32).range(1..=64))]
    crowd: u32,
    /// Clients that offer a quarter of an even part each, before, during and after.
    #[arg(long, value_name = "CLIENTS", default_value_t = 4, requires = "overload",
        value_parser = clap::value_parser!(u32).range(0..=16))]
    calm: u32,
    /// Clients that send what is refused again each 20 ms, whatever they are told; a run for each
    /// number.
    #[arg(long, value_name = "CLIENTS", default_value = "0", value_delimiter = ',',
        requires = "overload", value_parser = clap::value_parser!(u32).range(0..=16))]
    rogue: Vec<u32>,
    /// How long each order of an overload is valid, in milliseconds: what cannot be final in that
    /// time is refused.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 3_000, requires = "overload",
        value_parser = clap::value_parser!(u64).range(1_000..=60_000))]
    valid_ms: u64,
}

impl OverloadArgs {
    /// Returns true if an overload is asked for.
    pub const fn is_asked(&self) -> bool {
        !self.overload.is_empty()
    }

    /// Returns what the overload is made of.
    pub fn options(&self) -> OverloadOptions {
        OverloadOptions {
            factors: self.overload.clone(),
            rogues: self.rogue.iter().map(|rogues| *rogues as usize).collect(),
            crowd: self.crowd as usize,
            calm: self.calm as usize,
            valid_ms: self.valid_ms,
        }
    }
}

/// Runs it; exit code 1 when more orders failed than the platform allows.
pub async fn run(mut args: BenchArgs, output: Output) -> anyhow::Result<Exit> {
    let overload = args.overload.options();
    // Each client is a submitter of its own: shares are theirs.
    args.gateways = Some(u32::try_from(overload.submitters()).unwrap_or(u32::MAX));
    let options = args.options()?;
    let cancel = signals::cancel_on_signal()?;
    let report = overload::run(options, overload, output, cancel).await?;
    let exit = if report.is_clean() { Exit::Done } else { Exit::Negative };
    output.answer(&report, || report.text())?;
    Ok(exit)
}
