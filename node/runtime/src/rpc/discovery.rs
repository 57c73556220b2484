//! `rpc.*`: the interface's description of itself.

use jsonrpsee::core::{RpcResult, async_trait};
use rpc_api::{DiscoveryRpcServer, OpenRpcDocument, document};
use rpc_server::Cost;

use super::Api;
use super::fault::AnswerFault;

#[async_trait]
impl DiscoveryRpcServer for Api {
    async fn discover(&self) -> RpcResult<OpenRpcDocument> {
        // It stands in memory; its length is what it costs.
        self.read(Cost::WHOLE, |_| document().map_err(AnswerFault::Told)).await
    }
}
