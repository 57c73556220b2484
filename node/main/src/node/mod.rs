//! The node's runtime. Stands in until the real one is here.

use tokio_util::sync::CancellationToken;

/// Runs a node until `cancel`.
pub async fn run(config: genesis::NodeConfig, cancel: CancellationToken) -> anyhow::Result<()> {
    let _ = (config, cancel);
    anyhow::bail!("the node runtime is not part of this build")
}
