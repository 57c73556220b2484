//! The typed RPC client over several nodes: round robin, and on to the next node when one does
//! not answer. Sending the same batch to another node is safe: it never settles twice.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jsonrpsee::core::client::Error as ClientError;
use jsonrpsee_http_client::HttpClientBuilder;
use rpc_api::{Base64Bytes, BatchReport, BatchRpcClient as _, BatchState, Wait};
use tokio::time::Instant;

use super::access::NodeAccess;
use super::answers::{AwaitedBatch, NoAnswer};
pub use super::call_error::CallError;
use super::call_error::{Next, PAUSE};
use super::node_client::{NodeClient, refusals_read};

/// How long one call may wait at the node; longer waits are several calls.
const WAIT_MS: u64 = 10_000;
/// How long a call may take beyond the wait it asks for.
const CALL_SLACK: Duration = Duration::from_secs(20);
/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The largest request: a batch in base64 and what goes around it.
const REQUEST_BYTES_MAX: u32 = 4 * 1024 * 1024;
/// The largest response that is read, in bytes: nearly three times what a node sends.
pub const RESPONSE_BYTES_MAX: u32 = 16 * 1024 * 1024;

/// A call under way.
pub type Call<'a, T> = BoxFuture<'a, Result<T, ClientError>>;

/// Returns true if nobody on the network can read what goes to a URL.
fn is_private(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return true };
    let place = rest.split('/').next().unwrap_or_default();
    let host = place.rsplit_once(':').map_or(place, |(host, _)| host);
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    host == "localhost" || address.is_some_and(|address| address.is_loopback())
}

/// The outcome of a submission, and the number of attempts that it took.
#[derive(Debug)]
pub struct Submitted {
    /// The report of the node that answered.
    pub report: BatchReport,
    /// Refusals for now and nodes out of reach on the way.
    pub retries: u32,
}

/// Clients to the nodes of one network.
#[derive(Debug)]
pub struct Client {
    nodes: Vec<(String, NodeClient)>,
    turn: AtomicUsize,
}

impl Client {
    /// Clients to the nodes at `urls`, which show no token.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn new(urls: &[String]) -> anyhow::Result<Self> {
        Self::open(urls, &NodeAccess::default())
    }

    /// Clients to the nodes at `urls`.
    ///
    /// # Errors
    /// When there are none, one is neither an `http://` nor an `https://` URL, or a token would go
    /// over the network in plain text.
    pub fn open(urls: &[String], access: &NodeAccess) -> anyhow::Result<Self> {
        anyhow::ensure!(!urls.is_empty(), "no node's RPC URL is given");
        if let Some(url) = urls.iter().find(|url| access.has_token() && !is_private(url)) {
            anyhow::bail!(
                "{url:?} would show the token to the network: use https://, or an address of this \
                 machine behind which a tunnel begins"
            );
        }
        let mut builder = HttpClientBuilder::default()
            .set_http_middleware(refusals_read())
            .set_headers(access.headers())
            .max_request_size(REQUEST_BYTES_MAX)
            .max_response_size(RESPONSE_BYTES_MAX)
            .connect_timeout(CONNECT_TIMEOUT)
            .request_timeout(Duration::from_millis(WAIT_MS) + CALL_SLACK);
        if let Some(tls) = access.tls() {
            builder = builder.with_custom_cert_store(tls);
        }
        let client = |url: &String| {
            let client = builder
                .clone()
                .build(url)
                .map_err(|error| anyhow::anyhow!("{url:?} is not a node's RPC URL: {error}"))?;
            Ok((url.clone(), client))
        };
        let nodes = urls.iter().map(client).collect::<anyhow::Result<_>>()?;
        Ok(Self { nodes, turn: AtomicUsize::new(0) })
    }

    /// How many nodes there are.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// The URL of node `at`.
    pub fn url(&self, at: usize) -> &str {
        &self.nodes[at % self.nodes.len()].0
    }

    /// Asks node `at` alone.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn ask_node<T>(
        &self,
        at: usize,
        call: impl for<'a> Fn(&'a NodeClient) -> Call<'a, T>,
    ) -> Result<T, CallError> {
        let (url, client) = &self.nodes[at % self.nodes.len()];
        call(client).await.map_err(|error| CallError::new(url, error))
    }

    /// Asks the nodes in turn until one answers.
    ///
    /// # Errors
    /// The first refusal that does not pass; when none answers, the last node's error.
    pub async fn ask<T>(
        &self,
        call: impl for<'a> Fn(&'a NodeClient) -> Call<'a, T>,
    ) -> Result<T, CallError> {
        self.ask_judged(call, Ok).await
    }

    /// Asks the nodes in turn until one gives an answer that `judge` takes for one.
    ///
    /// # Errors
    /// As [`Self::ask`]; what is no answer is [`CallError::Unreachable`].
    pub async fn ask_judged<T, U>(
        &self,
        call: impl for<'a> Fn(&'a NodeClient) -> Call<'a, T>,
        judge: impl Fn(T) -> Result<U, NoAnswer>,
    ) -> Result<U, CallError> {
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        let mut at = first;
        loop {
            let answer = self.ask_node(at, &call).await;
            match answer.and_then(|answer| judge(answer).map_err(|no| self.no_answer(at, &no))) {
                Err(error) if error.next() != Next::Stop && at - first + 1 < self.nodes.len() => {
                    tracing::debug!(%error, "asking the next node");
                    at += 1;
                }
                answer => return answer,
            }
        }
    }

    fn no_answer(&self, at: usize, no: &NoAnswer) -> CallError {
        CallError::Unreachable { url: self.url(at).to_owned(), problem: no.to_string() }
    }

    /// Submits a batch and waits as `wait` says, over several calls and nodes if need be, until
    /// `timeout` is over. It begins with node `first`.
    ///
    /// # Errors
    /// A refusal that does not pass, or [`CallError::Timeout`].
    pub async fn submit(
        &self,
        first: usize,
        bytes: Bytes,
        wait: Wait,
        timeout: Duration,
    ) -> Result<Submitted, CallError> {
        let nodes = self.nodes.len();
        let sent = AwaitedBatch::of(&bytes);
        persist(first, nodes, wait, timeout, |at, wait_ms| {
            let bytes = bytes.clone();
            async move {
                let answer = self.ask_node(at, |node| {
                    let bytes = Base64Bytes::new(bytes.clone());
                    node.submit(bytes, Some(wait), Some(wait_ms), None).boxed()
                });
                let report = answer.await?;
                let Some(sent) = sent else { return Ok(report) };
                sent.judge(report).map_err(|no| self.no_answer(at, &no))
            }
        })
        .await
    }
}

/// Submits with `call` (which node of how many, how long it may wait in milliseconds) again and
/// again, over several calls and nodes if need be, until there is an answer or `timeout` is over.
///
/// # Errors
/// A refusal that does not pass, or [`CallError::Timeout`].
pub async fn persist<C, F>(
    first: usize,
    nodes: usize,
    wait: Wait,
    timeout: Duration,
    call: C,
) -> Result<Submitted, CallError>
where
    C: Fn(usize, u64) -> F,
    F: Future<Output = Result<BatchReport, CallError>>,
{
    let started = Instant::now();
    let mut at = first;
    let mut retries = 0;
    loop {
        let asked = Instant::now();
        let left = timeout.saturating_sub(started.elapsed());
        let wait_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX).clamp(1, WAIT_MS);
        let error = match call(at, wait_ms).await {
            Ok(report) if wait == Wait::Final && report.state != BatchState::Final => {
                // Admitted though asked to wait on: ask again.
                let (waited_ms, last) = (wait_ms, format!("{:?}", report.state));
                CallError::Timeout { waited_ms, last }
            }
            Ok(report) => return Ok(Submitted { report, retries }),
            Err(error) => error,
        };
        let pause = match error.next() {
            Next::Stop if !matches!(error, CallError::Timeout { .. }) => return Err(error),
            Next::Stop => PAUSE,
            Next::SameNode { after } => {
                retries += u32::from(!after.is_zero());
                // A node that says at once that it waited does not keep its clients busy.
                after.max(PAUSE.saturating_sub(asked.elapsed()))
            }
            Next::OtherNode { after } => {
                at += 1;
                retries += 1;
                let all_were_tried = (at - first).is_multiple_of(nodes);
                if all_were_tried { after } else { Duration::ZERO }
            }
        };
        if started.elapsed() + pause >= timeout {
            let waited_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
            return Err(CallError::Timeout { waited_ms, last: error.to_string() });
        }
        tracing::debug!(%error, "submitting again");
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[tokio::test]
    async fn nodes_out_of_reach_are_named() {
        // Port 9 of this machine: nothing listens there.
        let client = Client::new(&["http://127.0.0.1:9".to_owned()]).unwrap();
        let timeout = Duration::from_millis(1);
        let error = client.submit(0, Bytes::new(), Wait::Final, timeout).await.unwrap_err();
        assert!(error.to_string().contains("http://127.0.0.1:9 does not answer"), "{error}");
        assert!(!error.is_refusal());
    }

    #[test]
    fn a_token_goes_over_no_network_in_plain_text() {
        for (url, expected) in [
            ("http://127.0.0.1:26001", true),
            ("http://[::1]:26001/", true),
            ("http://localhost:26001", true),
            ("https://node.example:26001", true),
            ("http://node.example:26001", false),
            ("http://127.0.0.1.example", false),
            ("http://localhost.example:1/127.0.0.1", false),
            ("http://10.0.0.1:26001", false),
        ] {
            assert_eq!(is_private(url), expected, "{url}");
        }
    }

    #[test]
    fn urls_are_checked() {
        assert!(Client::new(&[]).is_err());
        let error = Client::new(&["ftp://x".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("\"ftp://x\" is not a node's RPC URL"), "{error}");
    }
}
