//! `sluice gateway new`: makes a gateway's home.

use std::path::PathBuf;

use clap::Args;
use genesis::ParticipantConfig;
use node_console::exit::{Exit, WithExit as _};
use node_console::output::Output;
use rpc_gateway::GatewayHome;
use serde_json::json;

use super::exit_of;

/// Arguments of `sluice gateway new`.
#[derive(Debug, Args)]
#[command(after_help = "\
The home has profile.toml (how gateway and bank work together), accounts.toml (where merchants are
paid), the journal, and bank/ with in/, out/, taken/ and held/. A profile or an account book that is
there already stays as it is; a journal is never made again. docs/gateway.md goes on from here.")]
pub struct NewArgs {
    /// The folder of the gateway's journal and settings; it must not exist.
    home: PathBuf,
    /// The gateway's configuration file.
    #[arg(long, value_name = "FILE")]
    participant: PathBuf,
}

/// Makes a gateway's home, with a profile to fill in.
pub fn run(args: &NewArgs, output: Output) -> anyhow::Result<Exit> {
    let config = ParticipantConfig::load(&args.participant).exit(Exit::Usage)?;
    let (genesis, _) = config.open().exit(Exit::Usage)?;
    let home = exit_of(GatewayHome::create(&args.home, genesis.chain_id, config.participant()))?;
    let report = json!({
        "home": args.home.display().to_string(),
        "gateway": config.id,
        "chain_id": genesis.chain_id.to_string(),
        "profile": home.profile().display().to_string(),
        "accounts": home.accounts().display().to_string(),
        "bank": home.bank().display().to_string(),
    });
    output.answer(&report, || {
        format!(
            "home of gateway {} in {}: fill in {} and {}, and share {} with the bank",
            config.id,
            args.home.display(),
            home.profile().display(),
            home.accounts().display(),
            home.bank().display()
        )
    })?;
    Ok(Exit::Done)
}
