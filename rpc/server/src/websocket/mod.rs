//! WebSocket connections: a loop of our own before jsonrpsee's methods.
//!
//! A message is in hand from its bytes to its written answer, and a connection has so many in
//! hand at most: at the bound nothing more is read, and the peer's own buffers fill. Whatever
//! comes is charged, pings and fragments too. What a connection holds counts for its address.

mod frames;
mod session;

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode, Version, header};
use hyper_util::rt::TokioIo;
use soketto::handshake::http::Server as Handshake;
pub(crate) use soketto::handshake::http::is_upgrade_request;

use crate::access::SUB_PROTOCOL;
use crate::answer::Answer;
use crate::connection::{Caller, Connection};
use crate::port::{Shared, set, text};

/// Checks what RFC 6455, section 4.2.1, asks of a handshake beyond what soketto looks at.
fn is_handshake(request: &Request<Incoming>) -> bool {
    let key = request.headers().get("sec-websocket-key").and_then(|key| key.to_str().ok());
    let key_bytes = key.and_then(rpc_api::decode_base64).map(|bytes| bytes.len());
    request.method() == Method::GET
        && request.version() >= Version::HTTP_11
        && key_bytes == Some(16)
}

/// Returns true if a client offers the sub-protocol beside which it may show a token.
fn names_protocol(request: &Request<Incoming>) -> bool {
    let offers = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let texts = offers.iter().filter_map(|offer| offer.to_str().ok());
    texts.flat_map(|text| text.split(',')).any(|one| one.trim() == SUB_PROTOCOL)
}

/// Answers a request for an upgrade, and serves the WebSocket once it is one.
pub(crate) fn upgrade(
    shared: &Arc<Shared>,
    connection: Arc<Connection>,
    caller: Arc<Caller>,
    request: Request<Incoming>,
) -> Response<Answer> {
    if let Some(error) = shared.dispatcher.gatekeeper.refusal(&caller.credential) {
        shared.metrics.access_refused(error);
        let mut response = text(StatusCode::UNAUTHORIZED, error.cause());
        set(&mut response, header::WWW_AUTHENTICATE, "Bearer");
        return response;
    }
    let names_protocol = names_protocol(&request);
    let accepted = Handshake::new().receive_request(&request).ok();
    let Some(accepted) = accepted.filter(|_| is_handshake(&request)) else {
        return text(
            StatusCode::BAD_REQUEST,
            "This is no WebSocket handshake of version 13 (RFC 6455).\n",
        );
    };
    if connection.move_to(caller.address, &shared.pools).is_err() {
        shared.metrics.refused("connections");
        return text(
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many connections from this address; retry, or another node.\n",
        );
    }
    // The connection has no credential yet: it is upgraded once.
    let _ = connection.credential.set(caller.credential.clone());
    let upgraded = hyper::upgrade::on(request);
    let served = shared.clone();
    let abort = shared.abort.clone();
    shared.tasks.spawn(async move {
        let Ok(socket) = upgraded.await else { return };
        let serving = session::serve(served, connection, caller, TokioIo::new(socket));
        abort.run_until_cancelled(serving).await;
    });
    let mut response = accepted.map(|()| Answer::default());
    if names_protocol {
        set(&mut response, header::SEC_WEBSOCKET_PROTOCOL, SUB_PROTOCOL);
    }
    response
}
