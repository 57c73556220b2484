//! The operator's listener: `/healthz` (the process lives), `/readyz` (it serves) and `/metrics`
//! (Prometheus), on an address and a thread of their own. What the public does at the public port
//! reaches them not. JSON-RPC at `/` answers every method without a token: who reaches this address
//! is the operator. Those calls take their turns among the others, as one caller.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
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

use crate::access::{Credential, OPERATOR_ACCOUNT};
use crate::answer::Answer;
use crate::connection::Caller;
use crate::port::Shared;
use crate::shares::Activity;
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
    /// The methods and their limits, which are those of the public port.
    pub(crate) shared: Arc<Shared>,
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

    async fn respond(&self, request: Request<Incoming>) -> Response<Answer> {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        match request.uri().path() {
            "/" if *request.method() == Method::POST => self.call(request).await,
            "/healthz" if is_read => page(StatusCode::OK, PLAIN, "ok\n".to_owned()),
            "/readyz" if is_read => self.readiness(),
            "/metrics" if is_read => self.metrics(),
            "/healthz" | "/readyz" | "/metrics" => {
                page(StatusCode::METHOD_NOT_ALLOWED, PLAIN, "Use GET.\n".to_owned())
            }
            "/" => page(StatusCode::METHOD_NOT_ALLOWED, PLAIN, "POST JSON-RPC here.\n".to_owned()),
            _ => {
                let text = "There are /healthz, /readyz, /metrics and JSON-RPC at / here.\n";
                page(StatusCode::NOT_FOUND, PLAIN, text.to_owned())
            }
        }
    }

    /// Answers a call, whatever its method's scope. A page of the web must not be the operator.
    async fn call(&self, request: Request<Incoming>) -> Response<Answer> {
        let shared = &self.shared;
        if request.headers().contains_key(header::ORIGIN) {
            shared.metrics.refused("origin");
            let text = "Pages of browsers may not call the operator's listener.\n";
            return page(StatusCode::FORBIDDEN, PLAIN, text.to_owned());
        }
        if let Err(denied) = shared.gate.check(request.uri(), request.headers()) {
            shared.metrics.refused(denied.limit());
            return page(StatusCode::FORBIDDEN, PLAIN, denied.text().to_owned());
        }
        let activity = Activity::new(0);
        let caller =
            Caller::new(OPERATOR_ACCOUNT, Credential::OwnListener, &activity, &shared.pools);
        shared.serve_post(&caller, request).await.unwrap_or_else(|refusal| *refusal)
    }

    fn readiness(&self) -> Response<Answer> {
        let health = (self.health)();
        let status = if health.is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let mut json = serde_json::to_string(&health).unwrap_or_default();
        json.push('\n');
        page(status, "application/json", json)
    }

    fn metrics(&self) -> Response<Answer> {
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
    let service = service_fn(move |request: Request<Incoming>| {
        let operator = operator.clone();
        async move { Ok::<_, Infallible>(operator.respond(request).await) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = serving.await {
        tracing::debug!(%error, "a connection of the operator's ended early");
    }
}

fn page(status: StatusCode, kind: &'static str, text: String) -> Response<Answer> {
    let mut response = Response::new(Answer::new(text.into_boxed_str(), None));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
