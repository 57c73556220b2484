//! The public port's path for calls, `/`: reads a request's body within its limits and answers it,
//! or hands an upgrade over to the WebSocket loop. Other paths are those of files.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::future::poll_fn;
use hyper::body::{Body as _, Incoming};
use hyper::http::HeaderValue;
use hyper::{HeaderMap, Method, Request, Response, StatusCode, header};
use jsonrpsee::types::{ErrorObjectOwned, Id};
use rpc_api::error::api_error_after;
use rpc_api::{ApiError, api_error};

use crate::access::{self, Credential};
use crate::answer::{Answer, SendAgain};
use crate::connection::{Caller, Connection, HeldBytes};
use crate::files;
use crate::port::{Shared, retry_after, set, text};
use crate::websocket;

/// A body that is too large is read and thrown away up to this many times the limit, so that the
/// client gets the answer instead of a broken connection.
const DRAIN_FACTOR: u64 = 4;
/// When to try again when too many bodies are in memory.
const BUSY_RETRY_MS: u64 = 250;
/// The most bytes reserved before a body comes, whatever it announces.
const RESERVE_BYTES_MAX: usize = 64 * 1024;

/// A response that refuses; rare, and large beside what it stands in for.
type Refusal = Box<Response<Answer>>;

/// Answers one request. The answer counts as being written, with a deadline, until its last byte
/// is.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Response<Answer> {
    let in_hand = connection.begin_message(&shared.metrics);
    let response = route(&shared, &connection, request).await;
    drop(in_hand);
    response.map(|answer| {
        let writing = connection.begin_write(answer.len());
        answer.written_by(writing)
    })
}

async fn route(
    shared: &Arc<Shared>,
    connection: &Arc<Connection>,
    request: Request<Incoming>,
) -> Response<Answer> {
    let allowed_origin = match shared.gate.check(request.uri(), request.headers()) {
        Ok(origin) => origin.cloned(),
        Err(denied) => {
            shared.metrics.refused(denied.limit());
            let status = match denied.is_malformed() {
                true => StatusCode::BAD_REQUEST,
                false => StatusCode::FORBIDDEN,
            };
            return text(status, denied.text());
        }
    };
    let address = shared.gate.client(connection.peer, request.headers());
    if access::has_token(request.uri()) {
        return token_in_url(shared, &connection.caller(address, Credential::None, &shared.pools));
    }
    if request.uri().path() != "/" {
        return files::serve(shared, address, &request);
    }
    let credential = access::credential(request.headers());
    let account = shared.dispatcher.gatekeeper.account(&credential, address);
    let caller = connection.caller(account, credential, &shared.pools);
    if websocket::is_upgrade_request(&request) {
        return websocket::upgrade(shared, connection.clone(), caller, request);
    }
    let mut response = match *request.method() {
        Method::POST => {
            shared.serve_post(&caller, request).await.unwrap_or_else(|refusal| *refusal)
        }
        Method::OPTIONS if allowed_origin.is_some() => {
            let mut response = Response::new(Answer::default());
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
        _ => {
            let mut response = text(
                StatusCode::METHOD_NOT_ALLOWED,
                "This is a JSON-RPC 2.0 interface: POST requests here, or open a WebSocket.\n",
            );
            set(&mut response, header::ALLOW, "POST, OPTIONS");
            response
        }
    };
    if let Some(origin) = allowed_origin {
        allow_origin(&mut response, origin);
    }
    response
}

fn allow_origin(response: &mut Response<Answer>, origin: HeaderValue) {
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    set(response, header::VARY, "origin");
    set(response, header::ACCESS_CONTROL_ALLOW_METHODS, "POST, OPTIONS");
    set(response, header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type, authorization");
    set(response, header::ACCESS_CONTROL_MAX_AGE, "86400");
}

/// Returns true if a body says that it is JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    essence.is_some_and(|kind| {
        ["application/json", "application/json-rpc", "application/jsonrequest"]
            .iter()
            .any(|json| kind.eq_ignore_ascii_case(json))
    })
}

/// Returns true if a body is packed in a way that would have to be undone first.
fn is_encoded(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::CONTENT_ENCODING).iter();
    codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

impl Shared {
    /// Reads the body within its limits and answers it; or says why not.
    pub(crate) async fn serve_post(
        &self,
        caller: &Arc<Caller>,
        request: Request<Incoming>,
    ) -> Result<Response<Answer>, Refusal> {
        let (parts, body) = request.into_parts();
        if !is_json(&parts.headers) {
            return Err(Box::new(text(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body's content-type must be application/json.\n",
            )));
        }
        if is_encoded(&parts.headers) {
            return Err(Box::new(text(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body must be sent as it is, without a content-encoding.\n",
            )));
        }
        let (bytes, held) = self.read_body(caller, body).await?;
        let charged = self.dispatcher.budget.take(caller.address);
        let turn = self.dispatcher.turn(caller.address, bytes.len()).await;
        let answer = self.dispatcher.answer(&bytes, charged, caller, None, turn).await;
        drop((bytes, held));
        Ok(answer.map_or_else(no_content, json_response))
    }

    async fn read_body(
        &self,
        caller: &Arc<Caller>,
        body: Incoming,
    ) -> Result<(Bytes, HeldBytes), Refusal> {
        match tokio::time::timeout(self.body_timeout(), self.collect(caller, body)).await {
            Ok(result) => result,
            Err(_) => {
                self.metrics.refused("body-time");
                let detail = format!("(within {} ms)", self.body_timeout().as_millis());
                let error = api_error(ApiError::BodyTimeout, detail);
                let mut response = refusal(StatusCode::REQUEST_TIMEOUT, error, caller);
                // The rest of the body may still come; it must not pass for a request.
                set(&mut response, header::CONNECTION, "close");
                Err(response)
            }
        }
    }

    fn body_timeout(&self) -> Duration {
        Duration::from_millis(self.config.body_timeout_ms)
    }

    /// Takes what comes; what is only announced takes nothing from others.
    async fn collect(
        &self,
        caller: &Arc<Caller>,
        mut body: Incoming,
    ) -> Result<(Bytes, HeldBytes), Refusal> {
        let limit = u64::from(self.config.body_bytes_max);
        let announced = body.size_hint().exact().unwrap_or(0);
        if announced > limit {
            drain(body, limit * DRAIN_FACTOR).await;
            return Err(self.too_large(announced, caller));
        }
        let reserved = usize::try_from(announced).unwrap_or(0).min(RESERVE_BYTES_MAX);
        let mut held = caller.body();
        let mut bytes = BytesMut::with_capacity(reserved);
        while let Some(chunk) = next_chunk(&mut body).await {
            let Ok(chunk) = chunk else {
                return Err(Box::new(text(StatusCode::BAD_REQUEST, "The body broke off.\n")));
            };
            let seen = bytes.len() as u64 + chunk.len() as u64;
            if seen > limit {
                drop((bytes, held));
                drain(body, limit * DRAIN_FACTOR).await;
                return Err(self.too_large(seen, caller));
            }
            if held.grow(chunk.len() as u64).is_err() {
                drop((bytes, held));
                drain(body, limit).await;
                self.metrics.refused("bodies");
                let error = api_error_after(ApiError::NodeBusy, "", Some(BUSY_RETRY_MS));
                return Err(Box::new(json_response(Answer::error(Id::Null, error, caller))));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok((bytes.freeze(), held))
    }

    fn too_large(&self, seen: u64, caller: &Arc<Caller>) -> Refusal {
        self.metrics.refused("body");
        let limit = self.config.body_bytes_max;
        let detail = format!("({seen} bytes or more; at most {limit})");
        let error = api_error(ApiError::BodyTooLarge, detail);
        refusal(StatusCode::PAYLOAD_TOO_LARGE, error, caller)
    }
}

/// The next bytes of a body; trailers are passed over.
async fn next_chunk(body: &mut Incoming) -> Option<Result<Bytes, hyper::Error>> {
    loop {
        let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await?;
        match frame.map(hyper::body::Frame::into_data) {
            Ok(Ok(bytes)) => return Some(Ok(bytes)),
            Ok(Err(_)) => {}
            Err(error) => return Some(Err(error)),
        }
    }
}

/// Reads and throws away at most `bytes_max`.
async fn drain(mut body: Incoming, bytes_max: u64) {
    let mut seen = 0_u64;
    while let Some(Ok(chunk)) = next_chunk(&mut body).await {
        seen += chunk.len() as u64;
        if seen > bytes_max {
            return;
        }
    }
}

/// The refusal of a URL that has a token, whatever it asks for.
fn token_in_url(shared: &Shared, caller: &Arc<Caller>) -> Response<Answer> {
    shared.metrics.access_refused(ApiError::TokenInUrl);
    let error = api_error(ApiError::TokenInUrl, "");
    *refusal(StatusCode::BAD_REQUEST, error, caller)
}

/// Nothing to say to notifications.
fn no_content() -> Response<Answer> {
    let mut response = Response::new(Answer::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

fn json_response(answer: Answer) -> Response<Answer> {
    let send_again = answer.send_again;
    let mut response = Response::new(answer);
    set(&mut response, header::CONTENT_TYPE, "application/json; charset=utf-8");
    if let Some(SendAgain { status, after }) = send_again {
        *response.status_mut() = status;
        if let Some(after) = after {
            retry_after(&mut response, after);
        }
        if status == StatusCode::UNAUTHORIZED {
            set(&mut response, header::WWW_AUTHENTICATE, "Bearer");
        }
    }
    response
}

/// A JSON-RPC error to a request whose id is not known.
fn refusal(status: StatusCode, error: ErrorObjectOwned, caller: &Arc<Caller>) -> Refusal {
    let mut response = json_response(Answer::error(Id::Null, error, caller));
    *response.status_mut() = status;
    Box::new(response)
}
