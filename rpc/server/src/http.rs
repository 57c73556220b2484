//! The routes of the port. `/` reads a request's body within its limits and only then lets
//! jsonrpsee parse it; WebSocket upgrades go to jsonrpsee at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use futures::StreamExt as _;
use jsonrpsee::core::BoxError;
use jsonrpsee::core::middleware::RpcServiceBuilder;
use jsonrpsee::server::{
    BatchRequestConfig, Methods, PingConfig, ServerConfig as TransportConfig, StopHandle,
    TowerServiceBuilder, ws,
};
use jsonrpsee::types::{ErrorObjectOwned, Id, ResponsePayload};
use prometheus_client::registry::Registry;
use rpc_api::error::api_error_after;
use rpc_api::{ApiError, api_error};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Service as _;
use tower::layer::util::{Identity, Stack};

use crate::backend::Backend;
use crate::config::ServerConfig;
use crate::connection::Connection;
use crate::depth::is_too_deep;
use crate::policy::{Policy, PolicyLayer, Prepaid, budget_error};

/// A body that is too large is read and thrown away up to this many times the limit, so that the
/// client gets the answer instead of a broken connection.
const DRAIN_FACTOR: u64 = 4;
/// When to try again when too many bodies are in memory.
const BUSY_RETRY_MS: u64 = 250;
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const BODY_PERMIT_BYTES: u32 = 1024;

/// What the routes share.
#[derive(Clone)]
pub(crate) struct Routes(Arc<Shared>);

struct Shared {
    transport: TowerServiceBuilder<Stack<PolicyLayer, Identity>, Identity>,
    methods: Methods,
    stop: StopHandle,
    policy: Arc<Policy>,
    backend: Arc<dyn Backend>,
    registry: Arc<Mutex<Registry>>,
    /// Kibibytes of request bodies that may still be taken into memory.
    bodies: Arc<Semaphore>,
    body_bytes_max: u32,
    body_timeout: Duration,
    cors: bool,
}

/// The port's routes.
pub(crate) fn router(
    config: &ServerConfig,
    methods: Methods,
    stop: StopHandle,
    policy: Arc<Policy>,
    backend: Arc<dyn Backend>,
    registry: Arc<Mutex<Registry>>,
) -> Router {
    let layer = RpcServiceBuilder::new().layer(PolicyLayer(policy.clone()));
    let transport = jsonrpsee::server::Server::builder()
        .set_config(transport_config(config))
        .set_rpc_middleware(layer)
        .to_service_builder();
    let permits = config.bodies_bytes_max.max(config.body_bytes_max) / BODY_PERMIT_BYTES + 1;
    let shared = Shared {
        transport,
        methods,
        stop,
        policy,
        backend,
        registry,
        bodies: Arc::new(Semaphore::new(permits as usize)),
        body_bytes_max: config.body_bytes_max,
        body_timeout: Duration::from_millis(config.body_timeout_ms),
        cors: config.cors,
    };
    Router::new()
        .route("/", any(serve_rpc))
        .route("/metrics", get(serve_metrics))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(serve_ready))
        .with_state(Routes(Arc::new(shared)))
}

fn transport_config(config: &ServerConfig) -> TransportConfig {
    let ping = PingConfig::new()
        .ping_interval(Duration::from_millis(config.ping_interval_ms.max(1)))
        .inactive_limit(Duration::from_millis(config.inactive_ms_max));
    TransportConfig::builder()
        .max_request_body_size(config.body_bytes_max)
        .max_response_body_size(config.response_bytes_max)
        // Connections are counted where they are accepted; HTTP requests must not count twice.
        .max_connections(config.connections_max.saturating_mul(2))
        .max_subscriptions_per_connection(config.subscriptions_per_connection_max)
        .set_batch_request_config(BatchRequestConfig::Limit(config.list_requests_max))
        .set_message_buffer_capacity(config.calls_per_connection_max.max(1))
        .enable_ws_ping(ping)
        .build()
}

async fn serve_rpc(State(routes): State<Routes>, request: Request) -> Response {
    let shared = routes.0;
    if ws::is_upgrade_request(&request) {
        return shared.forward(request).await;
    }
    let mut response = match *request.method() {
        Method::POST => shared.serve_post(request).await.unwrap_or_else(|refusal| refusal),
        Method::OPTIONS if shared.cors => StatusCode::NO_CONTENT.into_response(),
        _ => {
            let text = "This is a JSON-RPC 2.0 interface: POST requests here, or open a \
                        WebSocket. See also /healthz, /readyz and /metrics.\n";
            let allow = [(header::ALLOW, "POST, OPTIONS")];
            (StatusCode::METHOD_NOT_ALLOWED, allow, text).into_response()
        }
    };
    if shared.cors {
        allow_other_origins(response.headers_mut());
    }
    response
}

fn allow_other_origins(headers: &mut HeaderMap) {
    let rows: [(HeaderName, &str); 4] = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST, OPTIONS"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    for (name, value) in rows {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

impl Shared {
    /// Hands a request to jsonrpsee.
    async fn forward(&self, request: Request) -> Response {
        let mut service = self.transport.clone().build(self.methods.clone(), self.stop.clone());
        let answered: Result<_, BoxError> = service.call(request).await;
        match answered {
            Ok(response) => response.map(Body::new),
            Err(error) => {
                tracing::debug!(error, "a request could not be served");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }

    /// Reads the body within its limits and serves it; or says why not.
    async fn serve_post(&self, request: Request) -> Result<Response, Response> {
        let (mut parts, body) = request.into_parts();
        let (bytes, permit) = self.read_body(&parts.headers, body).await?;
        if let Some(connection) = parts.extensions.get::<Arc<Connection>>()
            && let Err(wait) = self.policy.budget.take(connection.address)
        {
            return Err(error_response(StatusCode::OK, budget_error(wait)));
        }
        if is_too_deep(&bytes) {
            let error = api_error(ApiError::JsonTooDeep, "");
            return Err(error_response(StatusCode::OK, error));
        }
        parts.extensions.insert(Prepaid::default());
        let response = self.forward(Request::from_parts(parts, Body::from(bytes))).await;
        drop(permit);
        Ok(response)
    }

    async fn read_body(
        &self,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<(Bytes, OwnedSemaphorePermit), Response> {
        let limit = u64::from(self.body_bytes_max);
        let hint = body.size_hint();
        let expected = hint.exact().unwrap_or(limit);
        let read = async {
            if expected > limit {
                drain(body, limit * DRAIN_FACTOR).await;
                return Err(self.too_large(expected));
            }
            let kibibytes = u32::try_from(expected).unwrap_or(u32::MAX) / BODY_PERMIT_BYTES + 1;
            let Ok(permit) = self.bodies.clone().try_acquire_many_owned(kibibytes) else {
                drain(body, limit).await;
                let error = api_error_after(ApiError::NodeBusy, "", Some(BUSY_RETRY_MS));
                return Err(error_response(StatusCode::OK, error));
            };
            Ok((self.collect(headers, body, expected).await?, permit))
        };
        match tokio::time::timeout(self.body_timeout, read).await {
            Ok(result) => result,
            Err(_) => {
                let detail = format!("(within {} ms)", self.body_timeout.as_millis());
                let error = api_error(ApiError::BodyTimeout, detail);
                let mut response = error_response(StatusCode::REQUEST_TIMEOUT, error);
                // The rest of the body may still come; it must not pass for a request.
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
                Err(response)
            }
        }
    }

    async fn collect(
        &self,
        headers: &HeaderMap,
        body: Body,
        expected: u64,
    ) -> Result<Bytes, Response> {
        let limit = self.body_bytes_max as usize;
        // A chunked body says no length; it grows as it comes.
        let known = headers.contains_key(header::CONTENT_LENGTH);
        let capacity = if known { usize::try_from(expected).unwrap_or(limit) } else { 0 };
        let mut bytes = Vec::with_capacity(capacity.min(limit));
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| StatusCode::BAD_REQUEST.into_response())?;
            if bytes.len() + chunk.len() > limit {
                let seen = (bytes.len() + chunk.len()) as u64;
                drain(Body::from_stream(chunks), limit as u64 * DRAIN_FACTOR).await;
                return Err(self.too_large(seen));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.into())
    }

    fn too_large(&self, seen: u64) -> Response {
        let detail = format!("({seen} bytes or more; at most {})", self.body_bytes_max);
        error_response(StatusCode::PAYLOAD_TOO_LARGE, api_error(ApiError::BodyTooLarge, detail))
    }
}

/// Reads and throws away at most `bytes_max`.
async fn drain(body: Body, bytes_max: u64) {
    let mut chunks = body.into_data_stream();
    let mut seen = 0_u64;
    while let Some(Ok(chunk)) = chunks.next().await {
        seen += chunk.len() as u64;
        if seen > bytes_max {
            return;
        }
    }
}

/// A JSON-RPC error to a request whose id is not known.
fn error_response(status: StatusCode, error: ErrorObjectOwned) -> Response {
    let response = jsonrpsee::types::Response::<()>::new(ResponsePayload::error(error), Id::Null);
    let json = serde_json::to_string(&response).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], json).into_response()
}

async fn serve_metrics(State(routes): State<Routes>) -> Response {
    let mut text = String::new();
    let encoded = {
        let registry = routes.0.registry.lock().unwrap_or_else(PoisonError::into_inner);
        prometheus_client::encoding::text::encode(&mut text, &registry)
    };
    match encoded {
        Ok(()) => ([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn serve_ready(State(routes): State<Routes>) -> Response {
    let health = routes.0.backend.health();
    let status = if health.is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut json = serde_json::to_string(&health).unwrap_or_default();
    json.push('\n');
    (status, [(header::CONTENT_TYPE, "application/json")], json).into_response()
}
