//! The HTTP client to one node. A node says its refusals twice, by HTTP's status and by the error
//! of JSON-RPC; this client reads the second, which has code, remedy and time.

use std::task::{Context, Poll};

use futures::TryFutureExt as _;
use futures::future::MapOk;
use jsonrpsee_http_client::{
    HttpBackend, HttpClient, HttpRequest, HttpResponse, RpcLogger, RpcService,
};
use tower::layer::util::{Identity, Stack};
use tower::{Layer, Service, ServiceBuilder};

/// A client to one node.
pub type NodeClient = HttpClient<RpcLogger<RpcService<RefusalsRead<HttpBackend>>>>;

/// An HTTP service whose refusals in JSON are read like other answers.
#[derive(Debug, Clone)]
pub struct RefusalsRead<S>(S);

/// Makes a service one whose refusals are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadRefusals;

/// The layer for a client's builder.
pub(crate) fn refusals_read() -> ServiceBuilder<Stack<ReadRefusals, Identity>> {
    ServiceBuilder::new().layer(ReadRefusals)
}

impl<S> Layer<S> for ReadRefusals {
    type Service = RefusalsRead<S>;

    fn layer(&self, inner: S) -> RefusalsRead<S> {
        RefusalsRead(inner)
    }
}

impl<S, B> Service<HttpRequest> for RefusalsRead<S>
where
    S: Service<HttpRequest, Response = HttpResponse<B>>,
{
    type Response = HttpResponse<B>;
    type Error = S::Error;
    type Future = MapOk<S::Future, fn(HttpResponse<B>) -> HttpResponse<B>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: HttpRequest) -> Self::Future {
        self.0.call(request).map_ok(read)
    }
}

/// Takes a document in JSON for an answer, whatever its status. Pages of proxies keep theirs.
fn read<B>(mut response: HttpResponse<B>) -> HttpResponse<B> {
    let kind = response.headers().get("content-type");
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json")) {
        // 200, OK.
        *response.status_mut() = Default::default();
    }
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn json_is_read_and_pages_of_proxies_are_not() {
        for (kind, status, expected) in [
            ("application/json; charset=utf-8", 429, 200),
            ("application/json", 401, 200),
            ("text/html", 429, 429),
            ("text/html", 200, 200),
        ] {
            let mut response = HttpResponse::new(());
            *response.status_mut() = status.try_into().unwrap();
            response.headers_mut().insert("content-type", kind.try_into().unwrap());
            assert_eq!(read(response).status(), expected, "{kind} {status}");
        }
    }
}
