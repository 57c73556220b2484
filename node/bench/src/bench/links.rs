//! Many calls under way over few connections: WebSockets to each node, each with as many calls at
//! once as a node serves, one a message or several in a JSON-RPC list.
//!
//! For batches of few orders: over HTTP every call under way needs a connection of its own.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use jsonrpsee::core::client::{ClientT as _, Error as ClientError};
use jsonrpsee::core::params::BatchRequestBuilder;
use jsonrpsee::rpc_params;
use jsonrpsee_ws_client::{WsClient, WsClientBuilder};
use rpc_api::{Base64Bytes, BatchReport, BatchRpcClient as _, Wait};
use rpc_client::client::{CallError, persist};
use tokio::sync::{Mutex, mpsc, oneshot};

use super::load::{OUTCOME_TIMEOUT, Submit};

/// Calls under way on one connection: as many as a node serves at once.
pub const CALLS_MAX: usize = 64;
/// The most calls of one list: as many as a node takes.
pub const LIST_MAX: u32 = 32;
/// How long the first call of a list waits for others.
const LINGER: Duration = Duration::from_millis(2);
/// How long a call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Connections to all nodes, made when they are first needed and again when they have ended.
#[derive(Debug)]
pub struct Links {
    /// For each node its connections.
    nodes: Vec<Vec<mpsc::Sender<Call>>>,
}

/// A submission that waits for its turn on a connection.
#[derive(Debug)]
struct Call {
    bytes: Bytes,
    wait_ms: u64,
    answer: oneshot::Sender<Result<BatchReport, CallError>>,
}

impl Links {
    /// `connections` to each of the nodes at `urls`, which begin with `http://`; up to `list` calls
    /// in a message.
    pub fn new(urls: &[String], connections: usize, list: usize) -> Self {
        let link = |url: &str| Link { url: url.to_owned(), client: Mutex::default() }.start(list);
        let node = |url: &String| {
            let url = url.replacen("http://", "ws://", 1);
            (0..connections.max(1)).map(|_| link(&url)).collect()
        };
        Self { nodes: urls.iter().map(node).collect() }
    }

    /// Returns a function that submits over these connections.
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
        let links = &self.nodes[node % self.nodes.len()];
        let (answer, answered) = oneshot::channel();
        let ended = || CallError::Timeout { waited_ms: 0, last: "the connection ended".to_owned() };
        let call = Call { bytes, wait_ms, answer };
        links[link % links.len()].send(call).await.map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

/// One WebSocket connection to a node.
#[derive(Debug)]
struct Link {
    url: String,
    client: Mutex<Option<Arc<WsClient>>>,
}

impl Link {
    /// Takes calls until the last sender is dropped.
    fn start(self, list: usize) -> mpsc::Sender<Call> {
        let (sender, mut waiting) = mpsc::channel(CALLS_MAX);
        let link = Arc::new(self);
        tokio::spawn(async move {
            let mut calls = Vec::with_capacity(list);
            while waiting.recv_many(&mut calls, list).await > 0 {
                if list > 1 && calls.len() < list {
                    tokio::time::sleep(LINGER).await;
                    while calls.len() < list
                        && let Ok(call) = waiting.try_recv()
                    {
                        calls.push(call);
                    }
                }
                tokio::spawn(Arc::clone(&link).send(std::mem::take(&mut calls)));
            }
        });
        sender
    }

    /// Sends calls in one message and hands out what they gave.
    async fn send(self: Arc<Self>, calls: Vec<Call>) {
        let (answers, submissions): (Vec<_>, Vec<_>) =
            calls.into_iter().map(|call| (call.answer, (call.bytes, call.wait_ms))).unzip();
        let results = self.submit(submissions).await.unwrap_or_else(|error| {
            let error = CallError::new(&self.url, error);
            answers.iter().map(|_| Err(error.clone())).collect()
        });
        for (answer, result) in answers.into_iter().zip(results) {
            // Who has stopped measuring does not wait.
            let _ = answer.send(result);
        }
    }

    async fn submit(
        &self,
        mut submissions: Vec<(Bytes, u64)>,
    ) -> Result<Vec<Result<BatchReport, CallError>>, ClientError> {
        let client = self.connected().await?;
        let of = |result: Result<BatchReport, ClientError>| {
            result.map_err(|error| CallError::new(&self.url, error))
        };
        if submissions.len() == 1
            && let Some((bytes, wait_ms)) = submissions.pop()
        {
            let bytes = Base64Bytes::new(bytes);
            let submitted = client.submit(bytes, Some(Wait::Final), Some(wait_ms), None).await;
            return Ok(vec![of(submitted)]);
        }
        let mut list = BatchRequestBuilder::new();
        for (bytes, wait_ms) in submissions {
            list.insert("batch_submit", rpc_params![Base64Bytes::new(bytes), Wait::Final, wait_ms])
                .map_err(ClientError::ParseError)?;
        }
        let answers = client.batch_request::<BatchReport>(list).await?;
        let call = |error: jsonrpsee::types::ErrorObjectOwned| ClientError::Call(error);
        Ok(answers
            .into_iter()
            .map(|answer| of(answer.map_err(|error| call(error.into_owned()))))
            .collect())
    }

    async fn connected(&self) -> Result<Arc<WsClient>, ClientError> {
        let mut link = self.client.lock().await;
        if let Some(client) = link.as_ref().filter(|client| client.is_connected()) {
            return Ok(Arc::clone(client));
        }
        let builder = WsClientBuilder::default()
            .max_concurrent_requests(CALLS_MAX)
            .request_timeout(CALL_TIMEOUT)
            .connection_timeout(CONNECT_TIMEOUT);
        let client = Arc::new(builder.build(&self.url).await?);
        *link = Some(Arc::clone(&client));
        Ok(client)
    }
}
