//! `sluice start`: runs a node.

use std::path::PathBuf;

use clap::Args;
use genesis::NodeConfig;
use rustix::process::{Signal, getppid, set_parent_process_death_signal};

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

impl StartArgs {
    /// Reads the node's configuration.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn config(&self) -> anyhow::Result<NodeConfig> {
        NodeConfig::load(&self.config).exit(Exit::Usage)
    }
}

/// Runs the node until it is asked to stop or cannot go on.
pub async fn run(args: StartArgs, config: Option<NodeConfig>) -> anyhow::Result<Exit> {
    if let Some(parent) = args.parent {
        set_parent_process_death_signal(Some(Signal::TERM))?;
        // The parent may have ended before the line above took effect.
        if getppid().map(|pid| pid.as_raw_nonzero().get()) != Some(parent) {
            return Err(failure(Exit::Fault, format!("the parent process {parent} has ended")));
        }
    }
    let config = config.map_or_else(|| args.config(), Ok)?;
    let cancel = signals::cancel_on_signal()?;
    crate::node::run(config, cancel).await?;
    Ok(Exit::Done)
}
