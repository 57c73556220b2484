//! `sluice bench`: load on a network over its public RPC, and what it took.

mod overload;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use genesis::NetworkPlan;
use node_bench::bench::compare::{Comparison, Earlier};
use node_bench::bench::crowd::Skew;
use node_bench::bench::draw::ZIPF_EXPONENT_MAX;
use node_bench::bench::gauge::MachinePrice;
use node_bench::bench::links::{CALLS_MAX, LIST_MAX};
use node_bench::bench::mix::Shares;
use node_bench::bench::report::{BenchReport, RunsReport};
use node_bench::bench::shape::{
    LoadShape, PLATFORM_GATEWAYS, PLATFORM_MERCHANTS, PLATFORM_PROGRAMMES, PLATFORM_USERS,
    PLATFORM_ZIPF, UNIFORM_BATCH_ITEMS, UNIFORM_USERS,
};
use node_bench::bench::sizes::{BatchSizes, PLATFORM_SIZES};
use node_bench::bench::{self, BenchOptions, Ground, Pace, plan_with};
use node_console::exit::{Exit, WithExit as _};
use node_console::output::Output;
use node_console::signals;
use serde::Serialize;

/// Arguments of `sluice bench`.
#[derive(Debug, Args)]
#[command(after_help = "\
Gateways submit orders that are collected in one step, in signed batches, over public JSON-RPC, and
wait until each batch is final. Before the load, merchants get cashback programmes and every user a
limit a day, so that all contracts are at work.

Without --network each run makes a network of four validators of its own and removes it afterwards;
--runs repeats it and gives median, least and most of each figure.

The load has the platform's shape: merchants and users by Zipf's law, 18 currencies by share,
batches of 1 to 8,192 orders, 8 gateways. docs/performance.md defines it. --uniform-merchants 10
gives the shape of figures until 2026-11-30: two gateways, few merchants, all alike, batches of
8,192 orders. The report states its shape.

  sluice --json bench > before.json         a report to compare with
  sluice bench --compare before.json        figures and ratios; another shape or pace is refused

With --rate 0 the loop is closed: --in-flight batches at each node, as fast as they become final.
With a rate it is open: every batch has its time, latency counts from that time whatever held it up,
and the report says what was sent late or not at all.

  single orders      --batch-items 1: a signature an order, many calls on few WebSocket connections
  mixed operations   --mix 80/12/5/3: in one step, reserved and then collected or voided, paid out
                     in another currency at providers' quotes, returned; in percent
  reads beside       --reads 500: status of final orders, recent and old, at random nodes
  new merchants      --onboard 100000: added by merchant registrars while the load goes on
  one validator down --stop-one: killed after a third of the time, started again after two thirds
  too much           --overload 2,5,10 --rogue 0,2 --seconds 5: by clients that pace themselves,
                     beside calm ones and rogues; exit code 1 above 0.05 % of failures

CPU time, memory, disk and traffic are those of the nodes' processes and homes on this machine. Exit
code 0 when every order that was to be sent became final, else 1.")]
pub struct BenchArgs {
    /// A network's folder, as `sluice localnet new` or `sluice localnet` made it.
    #[arg(long, value_name = "FOLDER")]
    network: Option<PathBuf>,
    /// Start that folder's nodes first and stop them at the end.
    #[arg(long, requires = "network")]
    start: bool,
    /// The folder in which new networks are made, without --network; not in memory: the disk is
    /// measured too.
    #[arg(long, value_name = "FOLDER", default_value = ".", conflicts_with = "network")]
    folder: PathBuf,
    /// Runs, one after another, each on a new network.
    #[arg(long, value_name = "RUNS", default_value_t = 1, conflicts_with = "network",
        value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// A parameter of the new networks, such as window_ms=2000; may be given again.
    #[arg(long, value_name = "NAME=VALUE", conflicts_with = "network")]
    parameter: Vec<String>,
    /// How long to send, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Orders a second; 0 for as many as the network takes.
    #[arg(long, value_name = "ORDERS", default_value_t = 0)]
    rate: u64,
    /// Orders in every batch; by default the platform's mix of 1 to 8,192, or 8,192 with
    /// --uniform-merchants.
    #[arg(long, value_name = "ORDERS", value_parser = clap::value_parser!(u32).range(1..=8_192))]
    batch_items: Option<u32>,
    /// Batches in flight: at each node in a closed loop (by default 16,384 orders in 2 to 48
    /// batches; 2 with --uniform-merchants), at most at all nodes in an open one (256); over
    /// WebSockets, half of the calls that they bear, or all.
    #[arg(long, value_name = "BATCHES",
        value_parser = clap::value_parser!(u32).range(1..=65_536))]
    in_flight: Option<u32>,
    /// WebSocket connections to each node, 64 calls each; 0 for HTTP. By default 16 with fewer than
    /// 64 orders in a batch, else 0.
    #[arg(long, value_name = "CONNECTIONS",
        value_parser = clap::value_parser!(u32).range(0..=512))]
    websockets: Option<u32>,
    /// Calls in a message over WebSockets, as a JSON-RPC list; the first waits 2 ms for others.
    #[arg(long, value_name = "CALLS", default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(LIST_MAX)))]
    list: u32,
    /// Threads that make and sign batches of one step; a mixed load signs on its own.
    #[arg(long, value_name = "THREADS", default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=64))]
    signers: u32,
    /// A mixed load: percent of orders in one step, in two, across currencies, and of returns.
    #[arg(long, value_name = "SHARES", num_args = 0..=1, default_missing_value = "80/12/5/3",
        require_equals = false)]
    mix: Option<Shares>,
    /// Reads a second beside the load.
    #[arg(long, value_name = "READS", default_value_t = 0,
        value_parser = clap::value_parser!(u64).range(0..=1_000_000))]
    reads: u64,
    /// Merchants that registrars add beside the load, in batches of 500, one after another.
    #[arg(long, value_name = "MERCHANTS", default_value_t = 0,
        value_parser = clap::value_parser!(u64).range(0..=900_000))]
    onboard: u64,
    /// Kill one validator after a third of the time and start it again after two thirds.
    #[arg(long)]
    stop_one: bool,
    /// Merchants of the new networks, 10,000 by default.
    #[arg(long, value_name = "MERCHANTS", conflicts_with_all = ["network", "uniform_merchants"],
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    merchants: Option<u32>,
    /// The exponent of Zipf's law over merchants; 0 makes them all alike.
    #[arg(long, value_name = "EXPONENT", default_value_t = PLATFORM_ZIPF,
        conflicts_with = "uniform_merchants", value_parser = exponent)]
    zipf: f64,
    /// The exponent of Zipf's law over the users of a gateway; by default that of the merchants.
    #[arg(long, value_name = "EXPONENT", conflicts_with = "uniform_merchants",
        value_parser = exponent)]
    users_zipf: Option<f64>,
    /// Users of each gateway; 2,500,000 by default, or 500,000 with --uniform-merchants.
    #[arg(long, value_name = "USERS", value_parser = clap::value_parser!(u64).range(1..))]
    users: Option<u64>,
    /// Gateways of the new networks; 8 by default, or 2 with --uniform-merchants.
    #[arg(long, value_name = "GATEWAYS", conflicts_with = "network",
        value_parser = clap::value_parser!(u32).range(1..=99))]
    gateways: Option<u32>,
    /// The first currencies of the new networks, yuan before others; 18 by default.
    #[arg(long, value_name = "CURRENCIES", conflicts_with = "network",
        value_parser = clap::value_parser!(u32).range(1..=18))]
    currencies: Option<u32>,
    /// Cashback programmes: those of the merchants and currencies that most orders are of.
    #[arg(long, value_name = "PROGRAMMES", default_value_t = PLATFORM_PROGRAMMES,
        conflicts_with_all = ["uniform_merchants", "without_contracts"],
        value_parser = clap::value_parser!(u32).range(0..=100_000))]
    programmes: u32,
    /// The shape of figures until 2026-11-30, with so many merchants: all alike, a programme for
    /// each in each currency, two gateways, batches of 8,192 orders. Of more than two merchants of
    /// a new network the last two get no orders.
    #[arg(long, value_name = "MERCHANTS",
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    uniform_merchants: Option<u32>,
    /// The seed of what the load chooses; order ids are new in every run.
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Leave cashback and users' limits off, to see what they cost.
    #[arg(long)]
    without_contracts: bool,
    /// Put an earlier run's JSON report beside this run: figures and ratios. A run of another shape
    /// or pace is refused before it begins.
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// Compare runs that are unlike too, and name each difference.
    #[arg(long, requires = "compare")]
    compare_unlike: bool,
    /// The nodes' process ids, when their homes on this machine do not tell them.
    #[arg(long, value_name = "PIDS", value_delimiter = ',')]
    pids: Vec<u32>,
    /// Cores of the machine that costs are reckoned with.
    #[arg(long, value_name = "CORES", default_value_t = 2.0, value_parser = above_zero)]
    machine_cores: f64,
    /// The price of the machine, in yuan an hour.
    #[arg(long, value_name = "YUAN", default_value_t = 0.35, value_parser = above_zero)]
    machine_price: f64,
    #[command(flatten)]
    overload: overload::OverloadArgs,
}

/// Orders in flight at each node of a closed loop, on average: enough to keep a block full while
/// the next is agreed on.
const IN_FLIGHT_ORDERS: f64 = 16_384.0;
/// Batches in flight at each node of a closed loop, at least.
const IN_FLIGHT_CLOSED_MIN: usize = 2;
/// The same at most: a node bears 256 connections from one address, and submissions move on to
/// another node when one is slow.
const IN_FLIGHT_CLOSED_MAX: usize = 48;
/// Batches in flight at all nodes of an open loop, at most.
const IN_FLIGHT_OPEN: usize = 256;
/// Batches of fewer orders go over WebSockets: so many calls would need as many HTTP connections.
const FEW_ORDERS: u32 = 64;
/// WebSocket connections to each node for them.
const WEBSOCKETS: usize = 16;
/// Nodes of a new network.
const NODES: usize = 4;

fn above_zero(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "not a number above zero".to_owned())
}

/// Reads an exponent of Zipf's law.
pub(super) fn exponent(text: &str) -> Result<f64, String> {
    let bounds = 0.0..=ZIPF_EXPONENT_MAX;
    let number = text.parse::<f64>().ok().filter(|number| bounds.contains(number));
    number.ok_or_else(|| format!("not a number from 0 to {ZIPF_EXPONENT_MAX}"))
}

impl BenchArgs {
    fn shape(&self) -> LoadShape {
        match self.uniform_merchants {
            Some(merchants) => LoadShape::Uniform { merchants_max: merchants as usize },
            None => LoadShape::Platform {
                skew: Skew { merchants: self.zipf, users: self.users_zipf.unwrap_or(self.zipf) },
                programmes: self.programmes as usize,
            },
        }
    }

    fn sizes(&self) -> BatchSizes {
        match (self.batch_items, self.uniform_merchants) {
            (Some(items), _) => BatchSizes::fixed(items),
            (None, Some(_)) => BatchSizes::fixed(UNIFORM_BATCH_ITEMS),
            (None, None) => BatchSizes::mixed(&PLATFORM_SIZES),
        }
    }

    fn users(&self) -> u64 {
        let usual = if self.uniform_merchants.is_some() { UNIFORM_USERS } else { PLATFORM_USERS };
        self.users.unwrap_or(usual)
    }

    /// The plan of new networks; of the uniform shape, the plan of every local network.
    fn plan(&self) -> anyhow::Result<NetworkPlan> {
        let mut plan = plan_with(&self.parameter).exit(Exit::Usage)?;
        match self.uniform_merchants {
            Some(merchants) => plan.merchants = merchants,
            None => {
                plan.merchants = self.merchants.unwrap_or(PLATFORM_MERCHANTS);
                plan.gateways = PLATFORM_GATEWAYS;
            }
        }
        plan.gateways = self.gateways.unwrap_or(plan.gateways);
        if let Some(currencies) = self.currencies {
            plan.currencies.truncate(currencies as usize);
        }
        Ok(plan)
    }

    fn websockets(&self) -> usize {
        match self.websockets {
            Some(connections) => connections as usize,
            None if self.batch_items.is_some_and(|items| items < FEW_ORDERS) => WEBSOCKETS,
            None => 0,
        }
    }

    fn pace(&self) -> Pace {
        let given = self.in_flight.map(|batches| batches as usize);
        let calls = self.websockets() * CALLS_MAX;
        if self.rate == 0 {
            let batches = match self.uniform_merchants {
                Some(_) => IN_FLIGHT_CLOSED_MIN,
                // A float is cast to the nearest number within bounds.
                None => ((IN_FLIGHT_ORDERS / self.sizes().mean()) as usize)
                    .clamp(IN_FLIGHT_CLOSED_MIN, IN_FLIGHT_CLOSED_MAX),
            };
            let default = if calls > 0 { calls / 2 } else { batches };
            Pace::Closed { in_flight: given.unwrap_or(default) }
        } else {
            let default = if calls > 0 { calls * NODES } else { IN_FLIGHT_OPEN };
            Pace::Open { rate: self.rate, in_flight_max: given.unwrap_or(default) }
        }
    }

    fn ground(&self) -> anyhow::Result<Ground> {
        Ok(match &self.network {
            Some(folder) => Ground::Network { folder: folder.clone(), start: self.start },
            None => Ground::Fresh {
                below: self.folder.clone(),
                plan: Box::new(self.plan()?),
                runs: self.runs as usize,
            },
        })
    }

    fn options(self) -> anyhow::Result<BenchOptions> {
        let ground = self.ground()?;
        let starts = !matches!(ground, Ground::Network { start: false, .. });
        if self.stop_one && !starts {
            let message = "--stop-one needs nodes that it started: give --start, or no --network";
            return Err(node_console::exit::failure(Exit::Usage, message));
        }
        let earlier = self.compare.as_ref().map(|path| Earlier::read(path, self.compare_unlike));
        Ok(BenchOptions {
            ground,
            period: Duration::from_secs(self.seconds),
            pace: self.pace(),
            shape: self.shape(),
            sizes: self.sizes(),
            seed: self.seed,
            signers: self.signers as usize,
            websockets: self.websockets(),
            list: self.list as usize,
            users: self.users(),
            pids: self.pids,
            without_contracts: self.without_contracts,
            mix: self.mix,
            reads: self.reads,
            onboard: self.onboard,
            stop_one: self.stop_one,
            machine: MachinePrice { cores: self.machine_cores, yuan_per_hour: self.machine_price },
            earlier: earlier.transpose()?,
        })
    }
}

/// A report with its comparison, which may be compared with again.
#[derive(Debug, Serialize)]
struct Answer<T> {
    #[serde(flatten)]
    report: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<Comparison>,
}

impl<T: Serialize> Answer<T> {
    fn say(&self, output: Output, text: impl FnOnce(&T) -> String) -> anyhow::Result<()> {
        let comparison = self.comparison.as_ref().map(|comparison| comparison.text());
        output.answer(self, || {
            let parts = [Some(text(&self.report)), comparison];
            parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
        })
    }
}

/// Runs it; exit code 1 when an order did not become final.
pub async fn run(args: BenchArgs, output: Output) -> anyhow::Result<Exit> {
    if args.overload.is_asked() {
        return overload::run(args, output).await;
    }
    let options = args.options()?;
    let (earlier, seconds) = (options.earlier.clone(), options.period.as_secs());
    let cancel = signals::cancel_on_signal()?;
    let mut report = bench::run(options, output, cancel).await?;
    let exit = if report.is_clean() { Exit::Done } else { Exit::Negative };
    let comparison = earlier.map(|earlier| earlier.compare(&report, seconds));
    match report.runs.len() {
        1 => {
            let answer = Answer { report: report.runs.remove(0), comparison };
            answer.say(output, BenchReport::text)?;
        }
        _ => Answer { report, comparison }.say(output, RunsReport::text)?,
    }
    Ok(exit)
}

#[cfg(test)]
mod tests;
