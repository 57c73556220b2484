//! Logs go to standard error, filtered by `--log` or RUST_LOG.

use std::io::IsTerminal as _;

use clap::Args;
use tracing_subscriber::EnvFilter;

use node_console::exit::{Exit, WithExit as _};
use node_console::logs;

/// The levels of other people's code unless a filter names it. The consensus engine tells every
/// vote at `info`. The others write a line for what a client or a stranger does, which this node
/// counts and answers itself.
const OTHERS: &str = "arc_malachitebft_core_consensus=warn,jsonrpsee=off,hyper=off,soketto=off,\
    yamux=off,multistream_select=off,libp2p=error,libp2p_identify=off,libp2p_request_response=off,\
    libp2p_yamux=off";

/// How much to log, and in which form.
#[derive(Debug, Clone, Args)]
pub struct LogOptions {
    /// Log filter, such as `info` or `warn,node_network=debug`.
    #[arg(long = "log", value_name = "FILTER", env = "RUST_LOG", global = true)]
    pub filter: Option<String>,
    /// Log as JSON, one object a line.
    #[arg(id = "log_json", long = "log-json", global = true)]
    pub json: bool,
}

/// Starts logging. `default_filter` holds when none is given; `json` or the option makes JSON.
///
/// # Errors
/// When the filter does not parse.
pub fn start(options: &LogOptions, default_filter: &str, json: bool) -> anyhow::Result<()> {
    let text = options.filter.as_deref().unwrap_or(default_filter);
    let filter = EnvFilter::try_new(format!("{OTHERS},{text}")).exit(Exit::Usage)?;
    logs::start(filter, options.json || json, std::io::stderr().is_terminal())?;
    Ok(())
}
