//! `sluice network new` makes a network folder, `sluice network join` the folder of one more node.

use std::net::SocketAddr;
use std::path::PathBuf;

use chain_types::{Currency, Parameters};
use clap::{Args, Subcommand};
use genesis::{JoinPlan, JoinedNode, NetworkFolder, NetworkPlan, network_join, network_new};
use serde_json::json;

use super::exit::{Exit, WithExit as _};
use super::output::Output;

/// Arguments of `sluice network`.
#[derive(Debug, Args)]
pub struct NetworkArgs {
    #[command(subcommand)]
    command: NetworkCommand,
}

#[derive(Debug, Subcommand)]
enum NetworkCommand {
    /// Make a network in a new folder: keys, configurations and the genesis file.
    New(NewArgs),
    /// Make the folder of a node that joins a network which runs: keys, configuration, and what the
    /// operators need to add it.
    Join(JoinArgs),
}

#[derive(Debug, Args)]
struct JoinArgs {
    /// The network's genesis file; the folder gets a copy.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// The node's folder, new or empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The node's name: small letters, digits and hyphens.
    #[arg(long)]
    name: String,
    /// The id of the settlement operator that runs it.
    #[arg(long, value_name = "ID")]
    operator: u32,
    /// Where it listens for other nodes.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// Where it serves RPC.
    #[arg(long, value_name = "ADDRESS:PORT")]
    rpc: SocketAddr,
    /// Nodes to connect to: each by its name in the genesis file or by its network key.
    #[arg(long = "peer", value_name = "NAME=ADDRESS:PORT", value_delimiter = ',', required = true,
        value_parser = parse_peer)]
    peers: Vec<(String, SocketAddr)>,
    /// Follow and serve only: no key for votes.
    #[arg(long)]
    edge: bool,
}

fn parse_peer(text: &str) -> Result<(String, SocketAddr), String> {
    let (name, address) = text.rsplit_once('=').ok_or("write it as NAME=ADDRESS:PORT")?;
    let address = address.parse().map_err(|error| format!("{address:?}: {error}"))?;
    Ok((name.to_owned(), address))
}

#[derive(Debug, Args)]
struct NewArgs {
    /// The folder, new or empty.
    folder: PathBuf,
    #[command(flatten)]
    plan: PlanArgs,
    /// The chain's name.
    #[arg(long, default_value = "localnet")]
    name: String,
    /// Recharge services.
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    recharge_services: u32,
    /// Gateways.
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

/// What `network new` and `localnet` have in common.
#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    /// Validators.
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

/// Makes the network, or the node's folder, and says what was made.
pub fn run(args: NetworkArgs, output: Output) -> anyhow::Result<Exit> {
    match args.command {
        NetworkCommand::New(args) => new(args, output),
        NetworkCommand::Join(args) => join(args, output),
    }
}

fn join(args: JoinArgs, output: Output) -> anyhow::Result<Exit> {
    let JoinArgs { genesis, out, name, operator, listen, rpc, peers, edge } = args;
    let plan = JoinPlan { name, votes: !edge, listen, rpc, peers };
    let node = network_join(&out, &genesis, &plan).exit(Exit::Usage)?;
    let config = node.folder.config.display().to_string();
    let proposal = proposal_of(&node, operator);
    let answer = json!({
        "name": node.folder.name,
        "config": config,
        "home": node.folder.home.display().to_string(),
        "network_address": node.folder.network_address.to_string(),
        "rpc_url": node.folder.rpc_url(),
        "operator": operator,
        "network_key": node.network_key.to_string(),
        "validator_key": node.validator_key.to_string(),
        "proposal": proposal,
    });
    let lines = [
        format!("node {}: listens at {}, {config}", node.folder.name, node.folder.network_address),
        "one operator proposes it, with a height that leaves the others time to approve:"
            .to_owned(),
        format!("  {proposal}"),
        "others approve: `sluice decide proposal ID approve --participant participant.toml`"
            .to_owned(),
        format!("start it any time with `sluice start --config {config}`"),
    ];
    output.answer(&answer, || lines.join("\n"))?;
    Ok(Exit::Done)
}

/// The command that proposes the node. A validator begins with the least power, so that the chain
/// does not need it before it has caught up.
fn proposal_of(node: &JoinedNode, operator: u32) -> String {
    let power = u8::from(node.folder.is_validator);
    format!(
        "sluice submit --participant participant.toml --kind proposal --set change=node \
         --set activation_height=HEIGHT --set name={} --set operator={operator} \
         --set network_key={} --set validator_key={} --set power={power}",
        node.folder.name, node.network_key, node.validator_key
    )
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
