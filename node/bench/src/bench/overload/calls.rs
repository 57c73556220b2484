//! The calls of one paced client over WebSockets: one connection to each node, made when it is
//! first needed and again when it has ended.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chain_types::ParticipantId;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jsonrpsee::core::client::Error as ClientError;
use jsonrpsee_ws_client::{WsClient, WsClientBuilder};
use rpc_api::{
    Base64Bytes, BatchReport, BatchRpcClient as _, NodeRpcClient as _, OutlookReport, Wait,
};
use rpc_client::client::CallError;
use rpc_client::paced::{DeclaredLoad, NodeCalls};
use tokio::sync::Mutex;

/// Calls under way on one connection; a node serves 64 of them at once.
const CALLS_MAX: usize = 512;
/// How long a call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// One connection to each node.
#[derive(Debug)]
pub struct LinkedCalls {
    nodes: Vec<(String, Mutex<Option<Arc<WsClient>>>)>,
}

impl LinkedCalls {
    /// Connections to the nodes at `urls`, which begin with `http://`.
    pub fn new(urls: &[String]) -> Self {
        let node = |url: &String| (url.replacen("http://", "ws://", 1), Mutex::new(None));
        Self { nodes: urls.iter().map(node).collect() }
    }

    /// Submits a batch to a node and waits until it is final.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn send(
        &self,
        node: usize,
        bytes: Bytes,
        wait_ms: u64,
    ) -> Result<BatchReport, CallError> {
        let bytes = Base64Bytes::new(bytes);
        let link = self.link(node).await?;
        let answer = link.submit(bytes, Some(Wait::Final), Some(wait_ms), None).await;
        answer.map_err(|error| self.error(node, error))
    }

    async fn link(&self, node: usize) -> Result<Arc<WsClient>, CallError> {
        let (url, kept) = &self.nodes[node % self.nodes.len()];
        let mut kept = kept.lock().await;
        if let Some(link) = kept.as_ref().filter(|link| link.is_connected()) {
            return Ok(Arc::clone(link));
        }
        let builder = WsClientBuilder::default()
            .max_concurrent_requests(CALLS_MAX)
            .request_timeout(CALL_TIMEOUT)
            .connection_timeout(CONNECT_TIMEOUT);
        let link = builder.build(url).await.map_err(|error| self.error(node, error))?;
        Ok(Arc::clone(kept.insert(Arc::new(link))))
    }

    fn error(&self, node: usize, error: ClientError) -> CallError {
        CallError::new(&self.nodes[node % self.nodes.len()].0, error)
    }
}

impl NodeCalls for LinkedCalls {
    fn node_count(&self) -> usize {
        self.nodes.len()
    }

    fn submit(
        self: Arc<Self>,
        node: usize,
        bytes: Bytes,
        _declared: DeclaredLoad,
        wait_ms: u64,
    ) -> BoxFuture<'static, Result<BatchReport, CallError>> {
        async move { self.send(node, bytes, wait_ms).await }.boxed()
    }

    fn outlook(
        self: Arc<Self>,
        node: usize,
        submitter: ParticipantId,
    ) -> BoxFuture<'static, Result<OutlookReport, CallError>> {
        let call = async move {
            let link = self.link(node).await?;
            let answer = link.outlook(Some(submitter.get())).await;
            answer.map_err(|error| self.error(node, error))
        };
        call.boxed()
    }
}
