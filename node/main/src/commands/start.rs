//! `sluice start`: runs a node.

use std::path::PathBuf;

use clap::Args;
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

use super::exit::{Exit, WithExit as _, failure};
use super::signals;

/// Arguments of `sluice start`.
#[derive(Debug, Args)]
pub struct StartArgs {
    /// The node's configuration file.
    #[arg(long, value_name = "FILE", default_value = "node.toml")]
    config: PathBuf,
    /// End when the process with this id, the one that started this node, ends.
    #[arg(long, value_name = "PID", hide = true)]
    parent: Option<i32>,
}

/// Runs the node until it is asked to stop or cannot go on.
pub async fn run(args: StartArgs) -> anyhow::Result<Exit> {
    if let Some(parent) = args.parent {
        set_parent_process_death_signal(Some(Signal::TERM))?;
        // The parent may have ended before the line above took effect.
        if getppid().map(Pid::as_raw_nonzero).map(std::num::NonZero::get) != Some(parent) {
            return Err(failure(Exit::Fault, format!("the parent process {parent} has ended")));
        }
    }
    let config = genesis::NodeConfig::load(&args.config).exit(Exit::Usage)?;
    let cancel = signals::cancel_on_signal()?;
    crate::node::run(config, cancel).await?;
    Ok(Exit::Done)
}
