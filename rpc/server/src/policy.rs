//! What happens around every call, whichever transport brought it: budget, depth, time limit,
//! figures.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::future::{BoxFuture, ready};
use futures::{FutureExt as _, StreamExt as _, stream};
use jsonrpsee::core::middleware::{
    Batch, BatchEntry, BatchEntryErr, Notification, Request, RpcServiceT,
};
use jsonrpsee::core::server::{BatchResponseBuilder, MethodResponse, Methods};
use jsonrpsee::types::{ErrorObjectOwned, Extensions};
use rpc_api::error::api_error_after;
use rpc_api::{ApiError, api_error};
use tower::Layer;

use crate::budget::Budget;
use crate::config::ServerConfig;
use crate::connection::Connection;
use crate::depth::is_too_deep;
use crate::metrics::{METHOD_UNKNOWN, RpcMetrics};
use crate::reads::on_behalf_of;

/// Calls of one list that are answered at once.
const SIDE_BY_SIDE_MAX: usize = 32;

/// Marks calls of an HTTP request: its body's depth is checked, and one call is paid for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Prepaid(Arc<AtomicBool>);

impl Prepaid {
    fn spend(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

/// The rules that all calls share.
pub(crate) struct Policy {
    pub(crate) budget: Arc<Budget>,
    pub(crate) metrics: RpcMetrics,
    methods: Methods,
    call_timeout: Duration,
    response_bytes_max: usize,
}

impl Policy {
    pub(crate) fn new(
        config: &ServerConfig,
        budget: Arc<Budget>,
        metrics: RpcMetrics,
        methods: Methods,
    ) -> Self {
        let call_timeout = config.call_timeout_ms.saturating_add(config.wait_ms_max);
        Self {
            budget,
            metrics,
            methods,
            call_timeout: Duration::from_millis(call_timeout),
            response_bytes_max: config.response_bytes_max as usize,
        }
    }

    fn label(&self, method: &str) -> &'static str {
        self.methods.method_with_name(method).map_or(METHOD_UNKNOWN, |(name, _)| name)
    }

    /// Why a call is refused before it is looked at, if it is.
    fn refusal(&self, params: Option<&str>, extensions: &Extensions) -> Option<ErrorObjectOwned> {
        let prepaid = extensions.get::<Prepaid>();
        if !prepaid.is_some_and(Prepaid::spend)
            && let Some(connection) = extensions.get::<Arc<Connection>>()
            && let Err(wait) = self.budget.take(connection.address)
        {
            return Some(budget_error(wait));
        }
        let is_checked = prepaid.is_some();
        let too_deep = !is_checked && params.is_some_and(|params| is_too_deep(params.as_bytes()));
        too_deep.then(|| api_error(ApiError::JsonTooDeep, ""))
    }
}

/// The error of an address that has spent its budget.
pub(crate) fn budget_error(wait: Duration) -> ErrorObjectOwned {
    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
    api_error_after(ApiError::BudgetExceeded, "", Some(wait_ms))
}

/// Puts the policy around jsonrpsee's own service.
#[derive(Clone)]
pub(crate) struct PolicyLayer(pub(crate) Arc<Policy>);

impl<S> Layer<S> for PolicyLayer {
    type Service = Governed<S>;

    fn layer(&self, service: S) -> Governed<S> {
        Governed { service, policy: self.0.clone() }
    }
}

/// jsonrpsee's service under the policy.
#[derive(Clone)]
pub(crate) struct Governed<S> {
    service: S,
    policy: Arc<Policy>,
}

impl<S> Governed<S>
where
    Self: RpcServiceT<MethodResponse = MethodResponse>,
{
    /// The answer to one entry of a list; `None` for a notification, which has none.
    fn answer<'a>(
        &self,
        entry: Result<BatchEntry<'a>, BatchEntryErr<'a>>,
    ) -> BoxFuture<'a, Option<MethodResponse>> {
        match entry {
            Ok(BatchEntry::Call(request)) => self.call(request).map(Some).boxed(),
            Ok(BatchEntry::Notification(_)) => ready(None).boxed(),
            Err(error) => {
                let (error, id) = error.into_parts();
                ready(Some(MethodResponse::error(id, error))).boxed()
            }
        }
    }
}

impl<S> RpcServiceT for Governed<S>
where
    S: RpcServiceT<
            MethodResponse = MethodResponse,
            BatchResponse = MethodResponse,
            NotificationResponse = MethodResponse,
        > + Clone
        + Send
        + Sync
        + 'static,
{
    type MethodResponse = MethodResponse;
    type BatchResponse = MethodResponse;
    type NotificationResponse = MethodResponse;

    fn call<'a>(&self, request: Request<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let Self { service, policy } = self.clone();
        async move {
            let started = Instant::now();
            let method = policy.label(request.method_name());
            let connection = request.extensions().get::<Arc<Connection>>().cloned();
            let running = connection.as_ref().map(Connection::begin_call);
            let params = request.params.as_ref().map(|params| params.get());
            let response = match policy.refusal(params, request.extensions()) {
                Some(error) => MethodResponse::error(request.id, error),
                None => {
                    let id = request.id.clone();
                    let address = connection.as_ref().map(|connection| connection.address);
                    let call = on_behalf_of(address, service.call(request));
                    match tokio::time::timeout(policy.call_timeout, call).await {
                        Ok(response) => response,
                        Err(_) => MethodResponse::error(id, api_error(ApiError::CallTimeout, "")),
                    }
                }
            };
            drop(running);
            let code = response.as_error_code().unwrap_or_default();
            policy.metrics.called(method, code, started.elapsed());
            response
        }
    }

    fn batch<'a>(&self, batch: Batch<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let this = self.clone();
        async move {
            // Side by side: calls that wait for a block wait for the same one.
            let answers: Vec<_> = batch.into_iter().map(|entry| this.answer(entry)).collect();
            let answers = stream::iter(answers).buffered(SIDE_BY_SIDE_MAX);
            let mut answers = std::pin::pin!(answers);
            let mut had_notification = false;
            let mut responses =
                BatchResponseBuilder::new_with_limit(this.policy.response_bytes_max);
            while let Some(response) = answers.next().await {
                let Some(response) = response else {
                    had_notification = true;
                    continue;
                };
                if let Err(too_large) = responses.append(response) {
                    return too_large;
                }
            }
            if responses.is_empty() && had_notification {
                MethodResponse::notification()
            } else {
                MethodResponse::from_batch(responses.finish())
            }
        }
    }

    fn notification<'a>(
        &self,
        notification: Notification<'a>,
    ) -> impl Future<Output = MethodResponse> + Send + 'a {
        let service = self.service.clone();
        async move { service.notification(notification).await }
    }
}
