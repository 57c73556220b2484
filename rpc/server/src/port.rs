//! The handles that all connections of the public port share, and the answers that are no JSON.

use std::sync::Arc;
use std::time::Duration;

use hyper::http::{HeaderName, HeaderValue};
use hyper::{Response, StatusCode, header};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::answer::Answer;
use crate::config::ServerConfig;
use crate::connection::Pools;
use crate::dispatch::Dispatcher;
use crate::gate::Gate;
use crate::metrics::RpcMetrics;
use crate::tls::Tls;

/// The handles that all connections share.
pub(crate) struct Shared {
    pub(crate) config: ServerConfig,
    pub(crate) dispatcher: Dispatcher,
    pub(crate) pools: Pools,
    pub(crate) gate: Gate,
    pub(crate) metrics: RpcMetrics,
    /// Without it, the port speaks plain HTTP.
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) tasks: TaskTracker,
    /// Asks connections to finish.
    pub(crate) stop: CancellationToken,
    /// Ends those that did not.
    pub(crate) abort: CancellationToken,
}

/// A page of plain text.
pub(crate) fn text(status: StatusCode, text: &'static str) -> Response<Answer> {
    let mut response = Response::new(Answer::fixed(text));
    *response.status_mut() = status;
    set(&mut response, header::CONTENT_TYPE, "text/plain; charset=utf-8");
    response
}

/// Says when the same request may be sent again: whole seconds, one at least.
pub(crate) fn retry_after(response: &mut Response<Answer>, after: Duration) {
    let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
}

/// Sets a header of a response.
pub(crate) fn set(response: &mut Response<Answer>, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}
