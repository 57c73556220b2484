//! Many calls under way over few connections: WebSockets to each node, each with as many calls at
//! once as a node serves.
//!
//! For batches of few orders: over HTTP every call under way needs a connection of its own. The
//! answers of a JSON-RPC list come together, one call after the other, so that a list of calls that
//! wait for finality would wait as many times.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use jsonrpsee_ws_client::{WsClient, WsClientBuilder};
use rpc_api::{Base64Bytes, BatchReport, BatchRpcClient as _, Wait};
use tokio::sync::Mutex;

use super::load::{OUTCOME_TIMEOUT, Submit};
use crate::participant::client::{CallError, persist};

/// Calls under way on one connection: as many as a node serves at once.
pub const CALLS_MAX: usize = 64;
/// How long a call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Connections to all nodes, made when they are first needed and again when they have ended.
#[derive(Debug)]
pub struct Links {
    /// For each node its URL and its connections.
    nodes: Vec<(String, Vec<Link>)>,
}

type Link = Mutex<Option<Arc<WsClient>>>;

impl Links {
    /// `connections` to each of the nodes at `urls`, which begin with `http://`.
    pub fn new(urls: &[String], connections: usize) -> Self {
        let links = || (0..connections.max(1)).map(|_| Link::default()).collect();
        let node = |url: &String| (url.replacen("http://", "ws://", 1), links());
        Self { nodes: urls.iter().map(node).collect() }
    }

    /// Submits over them.
    pub fn submit(self) -> Submit {
        let links = Arc::new(self);
        Arc::new(move |first, bytes: Bytes| {
            let links = Arc::clone(&links);
            let answer = async move {
                let nodes = links.nodes.len();
                let call = |at, wait_ms| links.call(at, first / nodes, bytes.clone(), wait_ms);
                let submitted = persist(first, nodes, Wait::Final, OUTCOME_TIMEOUT, call).await?;
                Ok((submitted.report, submitted.retries))
            };
            answer.boxed()
        })
    }

    async fn call(
        &self,
        node: usize,
        link: usize,
        bytes: Bytes,
        wait_ms: u64,
    ) -> Result<BatchReport, CallError> {
        let (url, links) = &self.nodes[node % self.nodes.len()];
        let client = connected(url, &links[link % links.len()]).await?;
        let answer = client.submit(Base64Bytes::new(bytes), Some(Wait::Final), Some(wait_ms), None);
        answer.await.map_err(|error| CallError::new(url, error))
    }
}

async fn connected(url: &str, link: &Link) -> Result<Arc<WsClient>, CallError> {
    let mut link = link.lock().await;
    if let Some(client) = link.as_ref().filter(|client| client.is_connected()) {
        return Ok(Arc::clone(client));
    }
    let builder = WsClientBuilder::default()
        .max_concurrent_requests(CALLS_MAX)
        .request_timeout(CALL_TIMEOUT)
        .connection_timeout(CONNECT_TIMEOUT);
    let client = builder.build(url).await.map_err(|error| CallError::new(url, error))?;
    let client = Arc::new(client);
    *link = Some(Arc::clone(&client));
    Ok(client)
}
