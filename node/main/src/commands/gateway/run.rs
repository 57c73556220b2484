//! `sluice gateway run`: the gateway at work.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use node_console::exit::Exit;
use node_console::output::Output;
use node_console::signals::cancel_on_signal;
use rpc_client::operations::now;
use rpc_gateway::{BankGateway, CrashPlan, GatewaySigner, GatewayTurn, KillPlace, RpcChain};

use super::super::submission::open_signer;
use super::exit_of;

/// Arguments of `sluice gateway run`.
#[derive(Debug, Args)]
#[command(after_help = "\
One process works in a home at a time. It can be ended at any moment, also by kill -9: it goes on
from its journal, and repeats the same bytes. Profile and account book are read at the start. What a
person decides is written to the log, and `sluice gateway status` shows it.")]
pub struct RunArgs {
    /// The home folder, made by `sluice gateway new`.
    home: PathBuf,
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE")]
    participant: PathBuf,
    /// Nodes to talk to, instead of those that the configuration names.
    #[arg(long = "rpc", value_name = "URL", value_delimiter = ',')]
    rpc: Vec<String>,
    /// How long to pause between two turns, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 2_000,
          value_parser = clap::value_parser!(u64).range(10..=600_000))]
    pause_ms: u64,
    /// Do one turn and end; exit code 4 when the chain could not be asked.
    #[arg(long)]
    once: bool,
    /// For tests: end by SIGKILL when this place is reached for this time, such as message-out:2;
    /// any:40 is the fortieth place, whichever it is.
    #[arg(long, value_name = "PLACE:TIME")]
    kill_at: Option<KillPlace>,
}

/// Does turn after turn.
pub async fn run(args: RunArgs, output: Output) -> anyhow::Result<Exit> {
    let (party, _) = open_signer(&args.participant, &args.rpc, output).await?;
    let chain = RpcChain::new(party.client.clone(), party.id.get());
    let signer = GatewaySigner { chain: party.chain_id, gateway: party.id, key: party.key };
    let crash = args.kill_at.map(CrashPlan::kill_at).unwrap_or_default();
    let open = BankGateway::open(&args.home, signer, chain, crash);
    let mut gateway = exit_of(open)?;
    let stop = cancel_on_signal()?;
    loop {
        let turn = exit_of(gateway.turn(now()).await)?;
        let has_acted = turn.seen + turn.taken + turn.handed + turn.said > 0;
        if has_acted || args.once {
            output.note(&text(&turn));
        }
        if args.once {
            return Ok(if turn.is_chain_heard { Exit::Done } else { Exit::Unreachable });
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(Exit::Done),
            () = tokio::time::sleep(Duration::from_millis(args.pause_ms)) => {}
        }
    }
}

fn text(turn: &GatewayTurn) -> String {
    let GatewayTurn { seen, taken, handed, said, held, is_chain_heard } = turn;
    let chain = if *is_chain_heard { "" } else { "; the chain is silent, and nothing is paid" };
    format!(
        "{seen} instructions changed, {taken} files taken, {handed} messages put out, {said} \
         statements on the chain, {held} held{chain}"
    )
}
