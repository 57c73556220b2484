//! `sluice localnet`: a whole network on this machine, and `sluice localnet new`: only its folder.
//! Both are for demonstrations: everybody's secret keys lie in one folder, and gateways may owe
//! without end. A network with real money is made by `sluice network assemble`.

use std::path::PathBuf;
use std::time::Duration;

use chain_types::{Currency, Parameters};
use clap::{Args, Subcommand};
use genesis::{NetworkFolder, NetworkPlan, network_new};
use node_console::exit::{Exit, WithExit as _};
use node_console::output::Output;
use node_localnet::LocalnetOptions;
use serde_json::json;

use node_console::signals;

/// Arguments of `sluice localnet`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
For demonstrations and tests alone: everybody's secret keys lie in one folder, and gateways may owe
without end. A network with real money is made with `sluice network assemble`.

Starts the validators as processes of their own, a simulated recharge service and two simulated
gateways. Without --for it runs until Ctrl-C or SIGTERM. With --for SECONDS it stops new orders a
window and 15 s before the end (but submits for 10 s at least), waits until every collected order
has arrived, checks books, digests, orders and receipts, and exits with 0 only if all is well."
)]
pub struct LocalnetArgs {
    #[command(subcommand)]
    command: Option<LocalnetCommand>,
    /// The network's folder; a network is made there if there is none.
    #[arg(long, value_name = "FOLDER", default_value = "sluice-localnet")]
    home: PathBuf,
    #[command(flatten)]
    plan: PlanArgs,
    /// The rate of the simulated orders a second.
    #[arg(long, value_name = "ORDERS", default_value_t = 500,
        value_parser = clap::value_parser!(u64).range(1..=50_000))]
    rate: u64,
    /// End by itself after about this many seconds.
    #[arg(long = "for", value_name = "SECONDS")]
    run_for: Option<u64>,
}

#[derive(Debug, Subcommand)]
enum LocalnetCommand {
    /// Make a demonstration network's folder and start nothing: keys, configurations, genesis file.
    New(NewArgs),
}

#[derive(Debug, Args)]
struct NewArgs {
    /// The folder, new or empty.
    folder: PathBuf,
    #[command(flatten)]
    plan: PlanArgs,
    /// The chain's name in the genesis file.
    #[arg(long, default_value = "localnet")]
    name: String,
    /// The number of recharge services.
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    recharge_services: u32,
    /// The number of gateways.
    #[arg(long, value_name = "COUNT", default_value_t = 2)]
    gateways: u32,
    /// Merchants, paid by the gateways in turn.
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    merchants: u32,
    /// Currencies, by ISO 4217 code.
    #[arg(long, value_name = "CODES", value_delimiter = ',', value_parser = parse_currency)]
    currencies: Option<Vec<Currency>>,
    /// How far below zero each gateway may go in each currency, in minor units.
    #[arg(long, value_name = "MINOR_UNITS", default_value_t = NetworkPlan::default().net_debit_cap)]
    net_debit_cap: u64,
}

/// The options that `localnet new` and `localnet` share.
#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    /// The number of validators.
    #[arg(long, value_name = "COUNT", default_value_t = 4)]
    pub validators: u32,
    /// Edge nodes, which follow and serve and do not vote.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub edges: u32,
    /// The first node's network port; its RPC port is the next, the next node's ports follow.
    #[arg(long, value_name = "PORT", default_value_t = NetworkPlan::default().base_port)]
    pub base_port: u16,
    /// How long a settlement window stays open, in milliseconds.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = Parameters::default().window_ms)]
    pub window_ms: u64,
}

impl PlanArgs {
    /// The plan of a network with these and the defaults.
    pub fn plan(&self) -> NetworkPlan {
        let defaults = NetworkPlan::default();
        let parameters = Parameters { window_ms: self.window_ms, ..defaults.parameters };
        NetworkPlan {
            validators: self.validators,
            edges: self.edges,
            base_port: self.base_port,
            parameters,
            ..defaults
        }
    }
}

fn parse_currency(text: &str) -> Result<Currency, String> {
    Currency::from_code(text).ok_or_else(|| "not an ISO 4217 code such as CNY".to_owned())
}

/// Runs it; exit code 1 when not all is well.
pub async fn run(args: LocalnetArgs, output: Output) -> anyhow::Result<Exit> {
    if let Some(LocalnetCommand::New(args)) = args.command {
        return new(args, output);
    }
    let cancel = signals::cancel_on_signal()?;
    let options = LocalnetOptions {
        home: args.home,
        plan: args.plan.plan(),
        rate: args.rate,
        run_for: args.run_for.map(Duration::from_secs),
    };
    node_localnet::run(options, output, cancel).await
}

fn new(args: NewArgs, output: Output) -> anyhow::Result<Exit> {
    let defaults = args.plan.plan();
    let plan = NetworkPlan {
        name: args.name,
        recharge_services: args.recharge_services,
        gateways: args.gateways,
        merchants: args.merchants,
        currencies: args.currencies.unwrap_or_else(|| defaults.currencies.clone()),
        net_debit_cap: args.net_debit_cap,
        ..defaults
    };
    let network = network_new(&args.folder, &plan).exit(Exit::Usage)?;
    output.answer(&json(&network), || text(&network))?;
    Ok(Exit::Done)
}

fn json(network: &NetworkFolder) -> serde_json::Value {
    let nodes: Vec<_> = network
        .nodes
        .iter()
        .map(|node| {
            json!({
                "name": node.name,
                "config": node.config.display().to_string(),
                "home": node.home.display().to_string(),
                "network_address": node.network_address.to_string(),
                "rpc_url": node.rpc_url(),
                "is_validator": node.is_validator,
            })
        })
        .collect();
    let participants: Vec<_> = network
        .participants
        .iter()
        .map(|participant| {
            json!({
                "id": participant.id,
                "name": participant.name,
                "config": participant.config.display().to_string(),
            })
        })
        .collect();
    json!({
        "chain_id": network.chain_id.to_string(),
        "genesis": network.genesis.display().to_string(),
        "nodes": nodes,
        "participants": participants,
    })
}

fn text(network: &NetworkFolder) -> String {
    let mut lines = vec![
        format!("chain {}", network.chain_id),
        format!("genesis file {}", network.genesis.display()),
    ];
    for node in &network.nodes {
        let kind = if node.is_validator { "validator" } else { "edge node" };
        lines.push(format!(
            "{kind} {}: RPC {}, start with `sluice start --config {}`",
            node.name,
            node.rpc_url(),
            node.config.display()
        ));
    }
    for participant in &network.participants {
        lines.push(format!(
            "participant {} {}: {}",
            participant.id,
            participant.name,
            participant.config.display()
        ));
    }
    lines.join("\n")
}
