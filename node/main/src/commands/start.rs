//! `sluice start`: runs a node.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, ValueEnum};
use genesis::{ConfigFault, NodeConfig};
use node_console::exit::{Exit, WithExit as _, failure};
use node_runtime::Attempt;
use node_runtime::own_keys::Ended;
use rustix::process::{Signal, getppid, set_parent_process_death_signal};

use node_console::signals;

use crate::allocator::keep_memory_of_driver;

/// Arguments of `sluice start`.
#[derive(Debug, Args)]
pub struct StartArgs {
    /// The node's configuration file.
    #[arg(long, value_name = "FILE", default_value = "node.toml")]
    config: PathBuf,
    /// End when the process with this id, the one that started this node, ends.
    #[arg(long, value_name = "PID", hide = true)]
    parent: Option<i32>,
    /// How this start came about, when the node itself made it.
    #[arg(long, value_enum, value_name = "KEYS", hide = true)]
    again: Option<Again>,
}

/// Why a node starts itself again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Again {
    /// With the keys that the registry names.
    Named,
    /// With the next keys, which the home's registry may not name yet.
    Next,
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
    if let Some(access) = &config.rpc.access {
        access
            .check(&config.genesis)
            .map_err(|fault| in_file(fault, &args.config))
            .exit(Exit::Usage)?;
    }
    let cancel = signals::cancel_on_signal()?;
    let has_tried = args.again.is_some();
    let attempt = Attempt { tries_next: args.again == Some(Again::Next), has_tried };
    match node_runtime::run(config, attempt, keep_memory_of_driver, cancel).await? {
        Ended::Asked => Ok(Exit::Done),
        Ended::Withdrawn(withdrawn) => Err(failure(Exit::Withdrawn, withdrawn.to_string())),
        Ended::OtherKeys { tries_next } => Err(start_again(tries_next)),
    }
}

/// A fault of a field, with the file that has the field.
fn in_file(fault: ConfigFault, file: &Path) -> ConfigFault {
    match fault {
        ConfigFault::Plan(error) => ConfigFault::Field { path: file.to_owned(), error },
        other => other,
    }
}

/// Puts this program in this process's place once more, from its first line: nothing of what ran
/// before is left, and whoever watches the process sees the same one. Gives what kept it from that.
fn start_again(tries_next: bool) -> anyhow::Error {
    let again = if tries_next { "--again=next" } else { "--again=named" };
    let own = std::env::args_os().skip(1);
    let arguments = own.filter(|argument| !argument.to_string_lossy().starts_with("--again="));
    let failed = match std::env::current_exe() {
        Ok(program) => Command::new(program).args(arguments).arg(again).exec(),
        Err(error) => error,
    };
    let message = format!(
        "the node has to start again with its other keys, and cannot do it by itself ({failed}): \
         start it again"
    );
    failure(Exit::Fault, message)
}
