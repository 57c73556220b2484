//! The nodes that a command asks, and what it shows them.

use std::path::PathBuf;

use clap::Args;

use node_console::exit::{Exit, WithExit as _};
use rpc_client::access::NodeAccess;
use rpc_client::client::Client;

/// The nodes that a command asks.
#[derive(Debug, Clone, Args)]
pub struct NodeUrls {
    /// A node's RPC URL, such as http://127.0.0.1:26001; several are asked in turn until one
    /// answers.
    #[arg(long = "rpc", value_name = "URL", required = true, value_delimiter = ',')]
    pub urls: Vec<String>,
    #[command(flatten)]
    pub access: AccessFiles,
}

impl NodeUrls {
    /// The client to these nodes.
    ///
    /// # Errors
    /// When a URL or a file cannot be used.
    pub fn client(&self) -> anyhow::Result<Client> {
        self.access.client(&self.urls)
    }
}

/// The files that guarded nodes and private authorities need.
#[derive(Debug, Clone, Default, Args)]
pub struct AccessFiles {
    /// The file of the token that the nodes ask for: one line, of mode 0600 (docs/access.md).
    #[arg(long = "token-file", value_name = "FILE", env = "SLUICE_TOKEN_FILE")]
    pub token: Option<PathBuf>,
    /// The file of the authorities whose certificates are believed, in PEM; without it, those that
    /// the system believes.
    #[arg(long, value_name = "FILE", env = "SLUICE_AUTHORITIES")]
    pub authorities: Option<PathBuf>,
}

impl AccessFiles {
    /// The client to the nodes at `urls`.
    ///
    /// # Errors
    /// When a URL or a file cannot be used.
    pub fn client(&self, urls: &[String]) -> anyhow::Result<Client> {
        let access = NodeAccess::load(self.token.as_deref(), self.authorities.as_deref());
        Client::open(urls, &access.exit(Exit::Usage)?).exit(Exit::Usage)
    }
}
