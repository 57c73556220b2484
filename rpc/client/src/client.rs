//! The typed RPC client over several nodes: round robin, and on to the next node when one does
//! not answer. Sending the same batch to another node is safe: it never settles twice.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use chain_types::Rejection;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use jsonrpsee::core::client::Error as ClientError;
use jsonrpsee_http_client::transport::Error as TransportError;
use jsonrpsee_http_client::{HttpClient, HttpClientBuilder};
use rpc_api::error::api_error_after;
use rpc_api::{
    ApiError, Base64Bytes, BatchReport, BatchRpcClient as _, BatchState, ErrorData, Wait,
};
use tokio::time::Instant;

use super::answers::{AwaitedBatch, NoAnswer};

/// How long one call may wait at the node; longer waits are several calls.
const WAIT_MS: u64 = 10_000;
/// How long a call may take beyond the wait it asks for.
const CALL_SLACK: Duration = Duration::from_secs(20);
/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long to pause before a node that refused for now, or all that were out of reach, are
/// tried again, unless a node says otherwise.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest pause that a node may ask for.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// The largest request: a batch in base64 and what goes around it.
const REQUEST_BYTES_MAX: u32 = 4 * 1024 * 1024;
/// The largest response that is read, in bytes: nearly three times what a node sends.
pub const RESPONSE_BYTES_MAX: u32 = 16 * 1024 * 1024;

/// Errors that say nothing of what was asked: nobody who knows could be reached, or it may be done
/// all the same. The last two are JSON-RPC's, of a server that failed and of too large an answer.
const FATE_OPEN: [i32; 10] = [
    ApiError::WaitTimeout.code(),
    ApiError::NodeStarting.code(),
    ApiError::InternalFault.code(),
    ApiError::BudgetExceeded.code(),
    ApiError::BodyTimeout.code(),
    ApiError::NodeBusy.code(),
    ApiError::CallTimeout.code(),
    ApiError::NodeBehind.code(),
    -32603,
    -32008,
];
/// When to try again after a refusal by status, whose answer the client does not show.
const STATUS_RETRY_MS: u64 = 1_000;
/// The problem of an answer that is not of the interface's form.
const NOT_UNDERSTOOD: &str = "what came is not an answer of a node of this version; check the URL \
                              and the node's version";

/// A call under way.
pub type Call<'a, T> = BoxFuture<'a, Result<T, ClientError>>;

/// A call that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The node, or the chain through it, refused.
    #[error("{message} (code {code}){remedy}")]
    Refused {
        /// A rejection's or the interface's own code.
        code: i32,
        /// The stable name of the code; empty if the node sent none.
        name: String,
        /// The cause, as the node states it.
        message: String,
        /// The remedy, after a colon; empty when none is known.
        remedy: String,
        /// True if the same call may succeed later.
        transient: bool,
        /// When to try again, if the node can tell.
        retry_after_ms: Option<u64>,
    },
    /// The node could not be reached, or its answer not be read.
    #[error("{url} does not answer: {problem}")]
    Unreachable {
        /// The URL of the node.
        url: String,
        /// The failure of the connection or the answer.
        problem: String,
    },
    /// The time was over; what became of the call is not known.
    #[error("no final answer within {waited_ms} ms; last: {last}")]
    Timeout {
        /// How long it was tried.
        waited_ms: u64,
        /// The problem of the last attempt.
        last: String,
    },
}

impl CallError {
    /// The node or the chain said no, and nothing was done. Of every other error nobody knows yet
    /// what became of the call.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if !FATE_OPEN.contains(code))
    }

    /// The error of a call to the node at `url`.
    pub fn new(url: &str, error: ClientError) -> Self {
        match refusal_by_status(error) {
            ClientError::Call(object) => {
                let data = ErrorData::of(&object);
                let transient = data.as_ref().is_some_and(|data| data.transient);
                Self::Refused {
                    code: object.code(),
                    name: data.as_ref().map_or_else(String::new, |data| data.name.clone()),
                    message: object.message().to_owned(),
                    remedy: data
                        .as_ref()
                        .map_or_else(String::new, |data| format!(": {}", data.remedy)),
                    transient,
                    retry_after_ms: data.and_then(|data| data.retry_after_ms),
                }
            }
            ClientError::ParseError(error) => {
                tracing::debug!(url, %error, "answer not understood");
                Self::Unreachable { url: url.to_owned(), problem: NOT_UNDERSTOOD.to_owned() }
            }
            other => Self::Unreachable { url: url.to_owned(), problem: in_one_line(&other) },
        }
    }

    /// Decides how a submission goes on after this error.
    fn next(&self) -> Next {
        match self {
            Self::Unreachable { .. } => Next::OtherNode { after: PAUSE },
            Self::Refused { code, .. } if *code == ApiError::WaitTimeout.code() => {
                Next::SameNode { after: Duration::ZERO }
            }
            // All nodes enforce one share: another would say the same, and have the work of it.
            Self::Refused { code, transient: true, retry_after_ms, .. }
                if *code == i32::from(Rejection::PoolFull.code()) =>
            {
                Next::SameNode { after: pause(*retry_after_ms) }
            }
            Self::Refused { transient: true, retry_after_ms, .. } => {
                Next::OtherNode { after: pause(*retry_after_ms) }
            }
            Self::Refused { .. } | Self::Timeout { .. } => Next::Stop,
        }
    }
}

/// The pause that a node asks for, within bounds.
fn pause(retry_after_ms: Option<u64>) -> Duration {
    retry_after_ms.map_or(PAUSE, Duration::from_millis).min(PAUSE_MAX)
}

/// An error and its causes. Some repeat their source in their own words; it is said once.
fn in_one_line(error: &ClientError) -> String {
    let mut line = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    line
}

/// A node refuses some requests by HTTP's own status; here they are errors like any other.
fn refusal_by_status(error: ClientError) -> ClientError {
    let refusal = match rejected_status(&error) {
        Some(429) => ApiError::BudgetExceeded,
        Some(503) => ApiError::NodeBusy,
        _ => return error,
    };
    ClientError::Call(api_error_after(refusal, "", Some(STATUS_RETRY_MS)))
}

fn rejected_status(error: &ClientError) -> Option<u16> {
    let ClientError::Transport(inner) = error else { return None };
    if let Some(nested) = inner.downcast_ref::<ClientError>() {
        return rejected_status(nested);
    }
    match inner.downcast_ref::<TransportError>()? {
        TransportError::Rejected { status_code } => Some(*status_code),
        _ => None,
    }
}

/// The next step of a submission that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Ask the same node on: at once when it waits and has not said anything yet, after a pause
    /// when it takes the batch later.
    SameNode { after: Duration },
    /// Try another; once all were tried, after a pause.
    OtherNode { after: Duration },
    /// Stop: the answer stands.
    Stop,
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
    nodes: Vec<(String, HttpClient)>,
    turn: AtomicUsize,
}

impl Client {
    /// Clients to the nodes at `urls`.
    ///
    /// # Errors
    /// When there are none, or one is not an `http://` URL.
    pub fn new(urls: &[String]) -> anyhow::Result<Self> {
        anyhow::ensure!(!urls.is_empty(), "no node's RPC URL is given");
        let builder = HttpClientBuilder::default()
            .max_request_size(REQUEST_BYTES_MAX)
            .max_response_size(RESPONSE_BYTES_MAX)
            .connect_timeout(CONNECT_TIMEOUT)
            .request_timeout(Duration::from_millis(WAIT_MS) + CALL_SLACK);
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
        call: impl for<'a> Fn(&'a HttpClient) -> Call<'a, T>,
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
        call: impl for<'a> Fn(&'a HttpClient) -> Call<'a, T>,
    ) -> Result<T, CallError> {
        self.ask_judged(call, Ok).await
    }

    /// Asks the nodes in turn until one gives an answer that `judge` takes for one.
    ///
    /// # Errors
    /// As [`Self::ask`]; what is no answer is [`CallError::Unreachable`].
    pub async fn ask_judged<T, U>(
        &self,
        call: impl for<'a> Fn(&'a HttpClient) -> Call<'a, T>,
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
    use chain_types::BatchError;

    use super::*;

    fn refused(rejection: Rejection, retry_after_ms: Option<u64>) -> CallError {
        let error = BatchError::new(rejection, "(detail)");
        CallError::new(
            "http://a",
            ClientError::Call(rpc_api::rejection_error(&error, retry_after_ms)),
        )
    }

    #[test]
    fn an_answer_of_another_form_is_said_in_words_of_the_interface() {
        let error = serde_json::from_str::<BatchReport>("5").unwrap_err();
        let error = CallError::new("http://a", ClientError::ParseError(error)).to_string();
        let start = "http://a does not answer: what came is not an answer of a node";
        assert!(error.starts_with(start) && !error.contains("struct"), "{error}");
    }

    #[test]
    fn what_follows_from_an_error() {
        let other = |milliseconds| Next::OtherNode { after: Duration::from_millis(milliseconds) };
        assert_eq!(refused(Rejection::SignatureInvalid, None).next(), Next::Stop);
        assert_eq!(refused(Rejection::NotReady, Some(700)).next(), other(700));
        // A node does not make its clients sleep for ever.
        assert_eq!(refused(Rejection::NotReady, Some(86_400_000)).next(), other(5_000));
        let error = ClientError::Call(rpc_api::api_error(ApiError::WaitTimeout, ""));
        let at_once = Next::SameNode { after: Duration::ZERO };
        assert_eq!(CallError::new("http://a", error).next(), at_once);
        // A share is the same at every node.
        let later = Next::SameNode { after: Duration::from_millis(700) };
        assert_eq!(refused(Rejection::PoolFull, Some(700)).next(), later);
        // Without a time these bytes are never taken.
        assert_eq!(refused(Rejection::PoolFull, None).next(), Next::Stop);
        assert_eq!(CallError::new("http://a", ClientError::RequestTimeout).next(), other(200));
        let behind = ClientError::Call(rpc_api::api_error(ApiError::NodeBehind, ""));
        assert_eq!(CallError::new("http://a", behind).next(), other(200));
    }

    #[test]
    fn refusals_are_told_from_silence() {
        assert!(refused(Rejection::SignatureInvalid, None).is_refusal());
        let behind = ClientError::Call(rpc_api::api_error(ApiError::NodeBehind, ""));
        for silence in [ClientError::RequestTimeout, behind] {
            assert!(!CallError::new("http://a", silence).is_refusal());
        }
        // What was asked may be done all the same: it is not refused.
        for code in [-32603, -32008] {
            let error = jsonrpsee::types::ErrorObjectOwned::owned::<()>(code, "failed", None);
            assert!(!CallError::new("http://a", ClientError::Call(error)).is_refusal(), "{code}");
        }
    }

    #[test]
    fn a_refusal_says_code_cause_and_remedy() {
        let text = refused(Rejection::SignatureInvalid, None).to_string();
        let code = format!("(code {})", Rejection::SignatureInvalid.code());
        assert!(text.contains(&code), "{text}");
        assert!(text.contains(Rejection::SignatureInvalid.cause()), "{text}");
        assert!(text.contains(Rejection::SignatureInvalid.remedy()), "{text}");
        assert!(text.contains("(detail)"), "{text}");
    }

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
    fn urls_are_checked() {
        assert!(Client::new(&[]).is_err());
        let error = Client::new(&["ftp://x".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("\"ftp://x\" is not a node's RPC URL"), "{error}");
    }
}
