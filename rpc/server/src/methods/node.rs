//! `node_*`.

use jsonrpsee::core::{RpcResult, async_trait};
use rpc_api::{HealthReport, NodeRpcServer, StatusReport};

use super::Api;

#[async_trait]
impl NodeRpcServer for Api {
    async fn status(&self) -> RpcResult<StatusReport> {
        self.read(|node| node.status()).await
    }

    async fn health(&self) -> RpcResult<HealthReport> {
        Ok(self.backend.health())
    }
}
