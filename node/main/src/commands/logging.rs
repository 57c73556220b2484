//! Logs go to standard error, filtered by `--log` or RUST_LOG.

use std::io::IsTerminal as _;

use clap::Args;
use tracing_subscriber::EnvFilter;

use super::exit::{Exit, WithExit as _};

/// The consensus engine's name in logs.
const ENGINE: &str = "arc_malachitebft_core_consensus";

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
    // The consensus engine tells every vote at `info`; a filter that names it still gets them.
    let filter = format!("{ENGINE}=warn,{text}");
    let filter = EnvFilter::try_new(filter).exit(Exit::Usage)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if options.json || json {
        builder.json().init();
    } else {
        builder.with_ansi(std::io::stderr().is_terminal()).init();
    }
    Ok(())
}
