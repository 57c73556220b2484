//! `sluice network assemble` makes a network's files from public keys and a plan, `sluice network
//! join` the folder of one more node.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use genesis::{Assembled, AssembledPart, JoinPlan, JoinedNode, network_assemble, network_join};
use serde_json::json;

use node_console::exit::{Exit, WithExit as _};
use node_console::output::Output;

/// Arguments of `sluice network`.
#[derive(Debug, Args)]
pub struct NetworkArgs {
    #[command(subcommand)]
    command: NetworkCommand,
}

#[derive(Debug, Subcommand)]
enum NetworkCommand {
    /// Make the genesis file and everybody's configurations from a plan with their public keys.
    Assemble(AssembleArgs),
    /// Make the folder of a node that joins a network which runs: keys, configuration, and what the
    /// operators need to add it.
    Join(JoinArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
The plan is a genesis file whose nodes also say `address` and `rpc`; docs/key-ceremony.md has one.
No secret key is read or made: each holder makes its own with `sluice key new` and puts it where the
answer says. The same plan gives the same chain id everywhere: assemble it yourself, and compare.")]
struct AssembleArgs {
    /// The plan: a TOML file.
    plan: PathBuf,
    /// The network's folder, new or empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
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
    /// The address at which it listens for other nodes.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// The address at which it serves RPC.
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

/// Makes the network's files, or the node's folder, and says what was made.
pub fn run(args: NetworkArgs, output: Output) -> anyhow::Result<Exit> {
    match args.command {
        NetworkCommand::Assemble(args) => assemble(&args, output),
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

fn assemble(args: &AssembleArgs, output: Output) -> anyhow::Result<Exit> {
    let network = network_assemble(&args.out, &args.plan).exit(Exit::Usage)?;
    let part = |part: &AssembledPart| {
        let keys: Vec<_> = part.key_files.iter().map(|path| path.display().to_string()).collect();
        json!({
            "name": part.name,
            "holder": part.holder.get(),
            "config": part.config.display().to_string(),
            "key_files": keys,
        })
    };
    let answer = json!({
        "chain_id": network.chain_id.to_string(),
        "genesis": network.genesis.display().to_string(),
        "nodes": network.nodes.iter().map(part).collect::<Vec<_>>(),
        "participants": network.participants.iter().map(part).collect::<Vec<_>>(),
    });
    output.answer(&answer, || assembled_text(&network))?;
    Ok(Exit::Done)
}

fn assembled_text(network: &Assembled) -> String {
    let mut lines = vec![
        format!("chain {}", network.chain_id),
        "everybody assembles the same plan and compares this id before a node starts".to_owned(),
        format!("genesis file {}", network.genesis.display()),
    ];
    let kinds = [("node", &network.nodes), ("participant", &network.participants)];
    for (kind, parts) in kinds {
        for AssembledPart { name, holder, config, key_files } in parts {
            let keys: Vec<_> = key_files.iter().map(|path| path.display().to_string()).collect();
            lines.push(format!(
                "{kind} {name}: {}; participant {holder} puts its key in {}",
                config.display(),
                keys.join(" and ")
            ));
        }
    }
    lines.join("\n")
}
