//! The operator's listener: `/healthz` (the process lives), `/readyz` (it serves) and `/metrics`
//! (Prometheus), on an address and a thread of their own. What the public does at the public port
//! reaches it not.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Ready, ready};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::http::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::registry::Registry;
use rpc_api::HealthReport;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use crate::tls::Tls;

/// Connections at once; the oldest makes way for one more.
pub(crate) const OPERATOR_CONNECTIONS_MAX: usize = 16;
/// The longest that a connection lives: each serves one request.
pub(crate) const OPERATOR_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait when the system gives no connection.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";

/// Says whether a node serves; it must answer at once.
pub type Health = Arc<dyn Fn() -> HealthReport + Send + Sync>;

/// The sources of the operator's paths.
pub(crate) struct Operator {
    pub(crate) health: Health,
    pub(crate) registry: Arc<Mutex<Registry>>,
    /// Without it, the listener speaks plain HTTP.
    pub(crate) tls: Option<Arc<Tls>>,
}

impl Operator {
    /// Serves the paths until `cancel`.
    pub(crate) async fn serve(self, listener: TcpListener, cancel: CancellationToken) {
        let this = Arc::new(self);
        let mut open: VecDeque<AbortHandle> = VecDeque::new();
        loop {
            let accepted = tokio::select! {
                () = cancel.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, _)): Result<(TcpStream, SocketAddr), _> = accepted else {
                tokio::time::sleep(ACCEPT_RETRY).await;
                continue;
            };
            open.retain(|connection| !connection.is_finished());
            if open.len() >= OPERATOR_CONNECTIONS_MAX
                && let Some(oldest) = open.pop_front()
            {
                oldest.abort();
            }
            let serving = secure_one(this.clone(), stream);
            let task = tokio::spawn(tokio::time::timeout(OPERATOR_TIMEOUT, serving));
            open.push_back(task.abort_handle());
        }
        open.iter().for_each(AbortHandle::abort);
    }

    fn respond(&self, request: &Request<Incoming>) -> Response<Page> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return page(StatusCode::METHOD_NOT_ALLOWED, PLAIN, "Use GET.\n".to_owned());
        }
        match request.uri().path() {
            "/healthz" => page(StatusCode::OK, PLAIN, "ok\n".to_owned()),
            "/readyz" => self.readiness(),
            "/metrics" => self.metrics(),
            _ => {
                let text = "There are /healthz, /readyz and /metrics here.\n";
                page(StatusCode::NOT_FOUND, PLAIN, text.to_owned())
            }
        }
    }

    fn readiness(&self) -> Response<Page> {
        let health = (self.health)();
        let status = if health.is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let mut json = serde_json::to_string(&health).unwrap_or_default();
        json.push('\n');
        page(status, "application/json", json)
    }

    fn metrics(&self) -> Response<Page> {
        let mut text = String::new();
        let encoded = {
            let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
            prometheus_client::encoding::text::encode(&mut text, &registry)
        };
        match encoded {
            Ok(()) => page(StatusCode::OK, OPENMETRICS, text),
            Err(_) => page(StatusCode::INTERNAL_SERVER_ERROR, PLAIN, String::new()),
        }
    }
}

async fn secure_one(operator: Arc<Operator>, stream: TcpStream) {
    match operator.tls.clone() {
        None => serve_one(operator, stream).await,
        Some(tls) => {
            if let Some(stream) = tls.accept(stream).await {
                serve_one(operator, stream).await;
            }
        }
    }
}

async fn serve_one<S>(operator: Arc<Operator>, stream: S)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| -> Ready<Result<_, Infallible>> {
        ready(Ok(operator.respond(&request)))
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = serving.await {
        tracing::debug!(%error, "a connection of the operator's ended early");
    }
}

fn page(status: StatusCode, kind: &'static str, text: String) -> Response<Page> {
    let mut response = Response::new(Page(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// A body of one piece.
struct Page(Bytes);

impl Body for Page {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = std::mem::take(&mut self.0);
        std::task::Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}
