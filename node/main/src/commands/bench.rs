//! `sluice bench`: load on a network over its public RPC, and what it took.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use node_bench::bench::gauge::MachinePrice;
use node_bench::bench::links::{CALLS_MAX, LIST_MAX};
use node_bench::bench::mix::Shares;
use node_bench::bench::{self, BenchOptions, Ground, Pace, plan_with};
use node_console::exit::{Exit, WithExit as _};
use node_console::output::Output;

use node_console::signals;

/// Arguments of `sluice bench`.
#[derive(Debug, Args)]
#[command(after_help = "\
Gateways submit orders that are collected in one step, in signed batches, over public JSON-RPC, and
wait until each batch is final. Before the load, every merchant gets a cashback programme and every
user a limit a day, so that all contracts are at work.

Without --network each run makes a network of four validators of its own and removes it afterwards;
--runs repeats it and gives median, least and most of each figure.

With --rate 0 the loop is closed: --in-flight batches at each node, as fast as they become final.
With a rate it is open: every batch has its time, latency counts from that time whatever held it up,
and the report says what was sent late or not at all.

  single orders      --batch-items 1: a signature an order, many calls on few WebSocket connections
  mixed operations   --mix 80/12/5/3: in one step, reserved and then collected or voided, paid out
                     in another currency at providers' quotes, returned; in percent
  reads beside       --reads 500: status of final orders, recent and old, at random nodes
  one validator down --stop-one: killed after a third of the time, started again after two thirds

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
    /// Orders in a batch.
    #[arg(long, value_name = "ORDERS", default_value_t = 8_192,
        value_parser = clap::value_parser!(u32).range(1..=8_192))]
    batch_items: u32,
    /// Batches in flight: at each node in a closed loop (2 by default), at most at all nodes in an
    /// open one (256); over WebSockets, half of the calls that they bear, or all.
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
    /// Kill one validator after a third of the time and start it again after two thirds.
    #[arg(long)]
    stop_one: bool,
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
    /// Cores of the machine that costs are reckoned with.
    #[arg(long, value_name = "CORES", default_value_t = 2.0, value_parser = above_zero)]
    machine_cores: f64,
    /// The price of the machine, in yuan an hour.
    #[arg(long, value_name = "YUAN", default_value_t = 0.35, value_parser = above_zero)]
    machine_price: f64,
}

/// Batches in flight at each node of a closed loop: enough to keep a block full while the next
/// is agreed on.
const IN_FLIGHT_CLOSED: usize = 2;
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

impl BenchArgs {
    fn websockets(&self) -> usize {
        match self.websockets {
            Some(connections) => connections as usize,
            None if self.batch_items < FEW_ORDERS => WEBSOCKETS,
            None => 0,
        }
    }

    fn pace(&self) -> Pace {
        let given = self.in_flight.map(|batches| batches as usize);
        let calls = self.websockets() * CALLS_MAX;
        if self.rate == 0 {
            let default = if calls > 0 { calls / 2 } else { IN_FLIGHT_CLOSED };
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
                plan: Box::new(plan_with(&self.parameter).exit(Exit::Usage)?),
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
        Ok(BenchOptions {
            ground,
            period: Duration::from_secs(self.seconds),
            pace: self.pace(),
            batch_items: self.batch_items as usize,
            signers: self.signers as usize,
            websockets: self.websockets(),
            list: self.list as usize,
            pids: self.pids,
            users: self.users,
            without_contracts: self.without_contracts,
            mix: self.mix,
            reads: self.reads,
            stop_one: self.stop_one,
            machine: MachinePrice { cores: self.machine_cores, yuan_per_hour: self.machine_price },
        })
    }
}

/// Runs it; exit code 1 when an order did not become final.
pub async fn run(args: BenchArgs, output: Output) -> anyhow::Result<Exit> {
    let options = args.options()?;
    let cancel = signals::cancel_on_signal()?;
    let mut report = bench::run(options, output, cancel).await?;
    let exit = if report.is_clean() { Exit::Done } else { Exit::Negative };
    match report.runs.len() {
        1 => {
            let one = report.runs.remove(0);
            output.answer(&one, || one.text())?;
        }
        _ => output.answer(&report, || report.text())?,
    }
    Ok(exit)
}
