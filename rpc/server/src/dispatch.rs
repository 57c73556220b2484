//! From a message's text to its answer: what happens to every call, whichever transport brought
//! it. Budget, depth, form, time limit, figures, and the bound of what an address leaves unread.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{FutureExt as _, StreamExt as _, stream};
use jsonrpsee::core::id_providers::RandomIntegerIdProvider;
use jsonrpsee::core::server::{
    ConnectionId, MethodCallback, MethodResponse, MethodSink, Methods, SubscriptionState,
};
use jsonrpsee::types::error::{
    ErrorCode, reject_too_big_batch_response, reject_too_many_subscriptions,
};
use jsonrpsee::types::{ErrorObjectOwned, Extensions, Id, Params, ResponsePayload};
use rpc_api::error::api_error_after;
use rpc_api::ownership::{ORDER_FIELDS, parameter};
use rpc_api::{ApiError, OwnParties, Ownership, api_error, check_subscription_id};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::access::{Gatekeeper, Sight};
use crate::answer::Answer;
use crate::aside::LongReads;
use crate::budget::{Budget, subscriber};
use crate::config::ServerConfig;
use crate::connection::Caller;
use crate::depth::is_too_deep;
use crate::fair::{FairPlace, FairQueue};
use crate::metrics::{METHOD_UNKNOWN, RpcMetrics};
use crate::reads::on_behalf_of;
use crate::request::{self, Call, Entry, Message};

/// Bytes of a message that take about as long to read as a short message takes in all.
const BYTES_PER_UNIT: usize = 8 * 1024;
/// Calls of one list that are answered at once.
const SIDE_BY_SIDE_MAX: usize = 32;
/// The code of an answer that would be too large, as jsonrpsee has it.
const OVERSIZED_RESPONSE_CODE: i32 = -32008;
/// When to try again when an address has too many calls in hand or answers unread.
const BUSY_RETRY_MS: u64 = 1_000;

/// How often, and after what pause, a subscription is looked for that is to be ended.
const FOUND_LATER_MAX: u32 = 10;
const FOUND_LATER: Duration = Duration::from_millis(10);

/// A WebSocket connection, as subscriptions see it.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: ConnectionId,
    pub(crate) events: MethodSink,
    pub(crate) subscriptions_max: u32,
}

/// Messages that are read at once: enough to keep every thread of the server at work, and few, so
/// that the next in turn is soon read.
fn messages_at_once() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(cores.saturating_mul(2)).unwrap_or(u32::MAX)
}

/// The rules that all calls share.
pub(crate) struct Dispatcher {
    pub(crate) budget: Arc<Budget>,
    pub(crate) metrics: RpcMetrics,
    pub(crate) gatekeeper: Arc<Gatekeeper>,
    methods: Methods,
    /// The turns in which messages are read.
    messages: FairQueue,
    long: LongReads,
    call_timeout: Duration,
    response_bytes_max: usize,
    list_requests_max: u32,
}

/// The place of a call in its message.
#[derive(Clone, Copy)]
struct Place<'a> {
    caller: &'a Arc<Caller>,
    session: Option<&'a Session>,
    in_list: bool,
}

impl Dispatcher {
    pub(crate) fn new(
        config: &ServerConfig,
        budget: Arc<Budget>,
        metrics: RpcMetrics,
        gatekeeper: Arc<Gatekeeper>,
        methods: Methods,
    ) -> Self {
        let call_timeout = config.call_timeout_ms.saturating_add(config.wait_ms_max);
        Self {
            budget,
            metrics,
            gatekeeper,
            methods,
            // What waits is bounded as what is in hand.
            messages: FairQueue::new(messages_at_once(), usize::MAX),
            long: LongReads::new(),
            call_timeout: Duration::from_millis(call_timeout),
            response_bytes_max: config.response_bytes_max as usize,
            list_requests_max: config.list_requests_max,
        }
    }

    /// Waits until a message of so many bytes is the next that its address may have read. Until
    /// then it is its bytes and nothing else.
    pub(crate) async fn turn(&self, address: IpAddr, bytes: usize) -> Option<FairPlace> {
        let units = u32::try_from(1 + bytes / BYTES_PER_UNIT).unwrap_or(u32::MAX);
        self.messages.place(subscriber(address), units).await
    }

    /// The answer to a message; `None` when it asks for none. `charged` says whether the message
    /// itself, whatever it says, was within its address's budget; a list's further entries are
    /// charged here. Its turn ends when it waits for something.
    pub(crate) async fn answer(
        &self,
        text: &[u8],
        charged: Result<(), Duration>,
        caller: &Arc<Caller>,
        session: Option<&Session>,
        turn: Option<FairPlace>,
    ) -> Option<Answer> {
        let answer = self.answer_message(text, charged, caller, session);
        match turn {
            Some(turn) => turn.begin(answer).await,
            None => answer.await,
        }
    }

    async fn answer_message(
        &self,
        text: &[u8],
        charged: Result<(), Duration>,
        caller: &Arc<Caller>,
        session: Option<&Session>,
    ) -> Option<Answer> {
        // Reading a message only finds where its members end, however deep they are.
        let read = || {
            let is_too_deep = charged.is_ok() && is_too_deep(text);
            (request::read(text, self.list_requests_max), is_too_deep)
        };
        let (message, is_too_deep) = self.long.read(text.len(), read).await;
        if let Err(wait) = charged {
            return self.over_budget(message, wait, caller);
        }
        if is_too_deep {
            let id = match &message {
                Ok(Message::One(Ok(call))) => call.id.clone()?,
                Ok(Message::One(Err(refused))) => refused.id.clone(),
                _ => Id::Null,
            };
            return Some(self.refuse(id, api_error(ApiError::JsonTooDeep, ""), caller));
        }
        let message = match message {
            Ok(message) => message,
            Err(error) => return Some(self.refuse(Id::Null, error, caller)),
        };
        let calls = match &message {
            Message::One(_) => 1,
            Message::List(entries) => entries.len(),
        };
        let Ok(_in_hand) = caller.hold_calls(calls) else {
            let id = match message {
                Message::One(Ok(call)) => call.id?,
                Message::One(Err(refused)) => refused.id,
                Message::List(_) => Id::Null,
            };
            self.metrics.refused("bodies");
            let detail = "(this address has as many calls in hand as one may)";
            let error = api_error_after(ApiError::NodeBusy, detail, Some(BUSY_RETRY_MS));
            return Some(self.refuse(id, error, caller));
        };
        let place = Place { caller, session, in_list: false };
        match message {
            Message::One(entry) => self.answer_entry(entry, place).await,
            Message::List(entries) => self.answer_list(entries, place).await,
        }
    }

    /// The refusal of a message whose address has spent its budget, with the message's own id.
    fn over_budget(
        &self,
        message: Result<Message<'_>, ErrorObjectOwned>,
        wait: Duration,
        caller: &Arc<Caller>,
    ) -> Option<Answer> {
        let (id, method) = match &message {
            Ok(Message::One(Ok(call))) => (call.id.clone(), self.label(&call.method)),
            Ok(Message::One(Err(refused))) => (Some(refused.id.clone()), METHOD_UNKNOWN),
            Ok(Message::List(_)) | Err(_) => (Some(Id::Null), METHOD_UNKNOWN),
        };
        let error = budget_error(wait);
        self.metrics.refused("calls");
        self.metrics.called(method, error.code(), Duration::ZERO);
        Some(Answer::error(id?, error, caller))
    }

    fn refuse(&self, id: Id<'_>, error: ErrorObjectOwned, caller: &Arc<Caller>) -> Answer {
        self.metrics.called(METHOD_UNKNOWN, error.code(), Duration::ZERO);
        Answer::error(id, error, caller)
    }

    async fn answer_list(&self, entries: Vec<Entry<'_>>, place: Place<'_>) -> Option<Answer> {
        let place = Place { in_list: true, ..place };
        // Side by side: calls that wait for a block wait for the same one. The first entry is paid
        // for by the message.
        let answer = |(at, entry)| self.answer_in_list(at, entry, place).boxed();
        let answers: Vec<_> = entries.into_iter().enumerate().map(answer).collect();
        let mut running = std::pin::pin!(stream::iter(answers).buffered(SIDE_BY_SIDE_MAX));
        let (mut answers, mut len) = (Vec::new(), 1);
        while let Some(answer) = running.next().await {
            let Some(answer) = answer else { continue };
            len += answer.len() + 1;
            if len > self.response_bytes_max {
                let error = reject_too_big_batch_response(self.response_bytes_max);
                drop(answers);
                return Some(self.refuse(Id::Null, error, place.caller));
            }
            answers.push(answer);
        }
        (!answers.is_empty()).then(|| Answer::list(answers))
    }

    async fn answer_in_list(
        &self,
        at: usize,
        entry: Entry<'_>,
        place: Place<'_>,
    ) -> Option<Answer> {
        match self.budget_of_entry(at, &entry, place.caller) {
            Some((id, error)) => id.map(|id| Answer::error(id, error, place.caller)),
            None => self.answer_entry(entry, place).await,
        }
    }

    fn budget_of_entry<'a>(
        &self,
        at: usize,
        entry: &Entry<'a>,
        caller: &Caller,
    ) -> Option<(Option<Id<'a>>, ErrorObjectOwned)> {
        if at == 0 {
            return None;
        }
        let wait = self.budget.take(caller.address).err()?;
        let (id, method) = match entry {
            Ok(call) => (call.id.clone(), self.label(&call.method)),
            Err(refused) => (Some(refused.id.clone()), METHOD_UNKNOWN),
        };
        let error = budget_error(wait);
        self.metrics.refused("calls");
        self.metrics.called(method, error.code(), Duration::ZERO);
        Some((id, error))
    }

    async fn answer_entry(&self, entry: Entry<'_>, place: Place<'_>) -> Option<Answer> {
        let call = match entry {
            Ok(call) => call,
            Err(refused) => return Some(self.refuse(refused.id, refused.error, place.caller)),
        };
        // A notification asks for nothing that a node could tell: it is not run.
        let id = call.id.clone()?;
        let started = Instant::now();
        let method = self.label(&call.method);
        let running = on_behalf_of(place.caller.address, self.run(call, id.clone(), place));
        let response = match tokio::time::timeout(self.call_timeout, running).await {
            Ok(response) => response,
            Err(_) => MethodResponse::error(id.clone(), api_error(ApiError::CallTimeout, "")),
        };
        let code = response.as_error_code().unwrap_or_default();
        let (answer, code) = self.hold(response, code, id, place);
        self.metrics.called(method, code, started.elapsed());
        answer
    }

    /// The answer if it may be held until it is written, else a refusal.
    fn hold(
        &self,
        response: MethodResponse,
        code: i32,
        id: Id<'_>,
        place: Place<'_>,
    ) -> (Option<Answer>, i32) {
        // A subscription's answer went ahead of its events, the same way.
        if response.is_subscription() {
            return (None, code);
        }
        let text: Box<str> = response.into_json().into();
        let error = if text.len() > self.response_bytes_max {
            let message = format!("Response is too big: at most {} bytes", self.response_bytes_max);
            ErrorObjectOwned::owned(OVERSIZED_RESPONSE_CODE, message, None::<()>)
        } else {
            match place.caller.hold_answer(text.len()) {
                Ok(held) => return (Some(Answer::response(text, code, Some(held))), code),
                Err(_) => {
                    self.metrics.refused("answers");
                    let detail = "(this address leaves as many answers unread as one may)";
                    api_error_after(ApiError::NodeBusy, detail, Some(BUSY_RETRY_MS))
                }
            }
        };
        drop(text);
        let code = error.code();
        (Some(Answer::error(id, error, place.caller)), code)
    }

    async fn run(&self, call: Call<'_>, id: Id<'_>, place: Place<'_>) -> MethodResponse {
        let sight = match self.admit(&call, place) {
            Ok(sight) => sight,
            Err(error) => return MethodResponse::error(id, error),
        };
        match sight {
            Sight::All => self.run_admitted(call, id, place).await,
            Sight::Own(parties) => self.run_confined(call, id, place, &parties).await,
        }
    }

    /// Decides who may make a call, before anything of it is done.
    fn admit(&self, call: &Call<'_>, place: Place<'_>) -> Result<Sight, ErrorObjectOwned> {
        let decided = self.gatekeeper.decide(&place.caller.credential, &call.method);
        decided.map_err(|(reason, error)| {
            self.metrics.access_refused(reason);
            error
        })
    }

    /// Makes a call whose caller sees rows of its own parties only.
    async fn run_confined(
        &self,
        call: Call<'_>,
        id: Id<'_>,
        place: Place<'_>,
        parties: &OwnParties,
    ) -> MethodResponse {
        let (method, params) = (call.method.clone(), call.params.map(RawValue::get));
        let ownership = Ownership::of(&method);
        let is_own = match ownership {
            Ownership::Unnamed => false,
            Ownership::Batch => parties.has_batch(params),
            Ownership::Parameter(name) => parties.has_parameter(&method, params, name),
            Ownership::Order => {
                parties.has_order(&method, params) || self.has_part(&call, place, parties).await
            }
            Ownership::Answer(_) | Ownership::Items(_) | Ownership::Within(..) => true,
        };
        if !is_own {
            return self.foreign(id);
        }
        let response = self.run_admitted(call, id.clone(), place).await;
        let is_whole =
            matches!(ownership, Ownership::Batch | Ownership::Order | Ownership::Parameter(_));
        if is_whole || response.is_error() {
            return response;
        }
        let answer = result_of(response.as_json().get());
        match answer.and_then(|answer| parties.confine(ownership, answer)) {
            Some(answer) => {
                MethodResponse::response(id, ResponsePayload::success(answer).into(), usize::MAX)
            }
            None => self.foreign(id),
        }
    }

    /// Returns true if one of the parties has a part in the order that a call names.
    async fn has_part(&self, call: &Call<'_>, place: Place<'_>, parties: &OwnParties) -> bool {
        let params = call.params.map(RawValue::get);
        let Some(order) = parameter(&call.method, params, "order_id") else { return false };
        let Ok(params) = serde_json::value::to_raw_value(&[order]) else { return false };
        let question = Call { id: None, method: "recharge_order".into(), params: Some(&params) };
        let response = self.run_admitted(question, Id::Null, place).await;
        let answer = result_of(response.as_json().get());
        answer.is_some_and(|answer| parties.has_row(&answer, ORDER_FIELDS))
    }

    fn foreign(&self, id: Id<'_>) -> MethodResponse {
        self.metrics.access_refused(ApiError::RowForeign);
        MethodResponse::error(id, api_error(ApiError::RowForeign, ""))
    }

    async fn run_admitted(&self, call: Call<'_>, id: Id<'_>, place: Place<'_>) -> MethodResponse {
        let bytes = call.params.map_or(0, |params| params.get().len());
        let params = Params::new(call.params.map(|params| params.get()));
        let connection = place.session.map_or(ConnectionId(0), |session| session.id);
        let mut extensions = Extensions::new();
        // Subscriptions run on after the call: their reads are the caller's as well.
        extensions.insert(place.caller.clone());
        // Answers are measured when they are made: jsonrpsee would log those that are too large.
        let unbounded = usize::MAX;
        match self.methods.method(&call.method) {
            None => MethodResponse::error(id, ErrorObjectOwned::from(ErrorCode::MethodNotFound)),
            Some(MethodCallback::Async(callback)) => {
                let make = || {
                    let (id, params) = (id.into_owned(), params.into_owned());
                    callback(id, params, connection, unbounded, extensions)
                };
                self.long.call(bytes, make).await
            }
            Some(MethodCallback::Sync(callback)) => {
                let answer = || callback(id, params, unbounded, extensions);
                self.long.read(bytes, answer).await
            }
            Some(MethodCallback::Subscription(callback)) => {
                let (session, permit) = match self.may_subscribe(&call.method, place) {
                    Ok(granted) => granted,
                    Err(error) => return MethodResponse::error(id, error),
                };
                let state = SubscriptionState {
                    conn_id: session.id,
                    id_provider: &RandomIntegerIdProvider,
                    subscription_permit: permit,
                };
                let make = || callback(id, params, session.events.clone(), state, extensions);
                self.long.call(bytes, make).await
            }
            Some(MethodCallback::Unsubscription(callback)) => {
                if place.session.is_none() {
                    return MethodResponse::error(id, not_here(&call.method));
                }
                // jsonrpsee would log parameters that it cannot read.
                let check = || check_subscription_id(params.as_str());
                if let Err(error) = self.long.read(bytes, check).await {
                    return MethodResponse::error(id, error);
                }
                let end = || {
                    let (id, params) = (id.clone(), params.clone());
                    callback(id, params, connection, unbounded, extensions.clone())
                };
                let mut ended = end();
                // jsonrpsee tells the client of a subscription before it can be ended: one that is
                // not found may be about to be there.
                for _ in 0..FOUND_LATER_MAX {
                    let stands = place.caller.activity.subscribed() > 0;
                    if !stands || !ended.as_json().get().contains("\"result\":false") {
                        break;
                    }
                    tokio::time::sleep(FOUND_LATER).await;
                    ended = end();
                }
                ended
            }
        }
    }

    fn may_subscribe<'a>(
        &self,
        method: &str,
        place: Place<'a>,
    ) -> Result<(&'a Session, tokio::sync::OwnedSemaphorePermit), ErrorObjectOwned> {
        // In a list its answer would come twice: within the list, and ahead of its events.
        let session = place.session.filter(|_| !place.in_list).ok_or_else(|| not_here(method))?;
        let activity = &place.caller.activity;
        let Ok(permit) = activity.subscriptions.clone().try_acquire_owned() else {
            self.metrics.refused("subscriptions");
            return Err(reject_too_many_subscriptions(session.subscriptions_max));
        };
        let shared = &place.caller.subscriptions;
        let is_full = shared.set(activity.subscribed()).is_err() && {
            shared.settle_subscriptions();
            shared.set(activity.subscribed()).is_err()
        };
        if is_full {
            self.metrics.refused("subscriptions");
            return Err(api_error(ApiError::TooManySubscriptions, ""));
        }
        Ok((session, permit))
    }

    fn label(&self, method: &str) -> &'static str {
        self.methods.method_with_name(method).map_or(METHOD_UNKNOWN, |(name, _)| name)
    }
}

/// The result of a response's text.
fn result_of(text: &str) -> Option<Value> {
    let mut response: Value = serde_json::from_str(text).ok()?;
    response.get_mut("result").map(Value::take)
}

/// A subscription that is asked for where there can be none.
fn not_here(method: &str) -> ErrorObjectOwned {
    let shown: String = method.chars().take(80).collect();
    let message = format!(
        "{}: call `{shown}` over a WebSocket connection, by itself and not in a list",
        ErrorCode::InternalError.message()
    );
    ErrorObjectOwned::owned(ErrorCode::InternalError.code(), message, None::<()>)
}

/// The error of an address that has spent its budget.
pub(crate) fn budget_error(wait: Duration) -> ErrorObjectOwned {
    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
    api_error_after(ApiError::BudgetExceeded, "", Some(wait_ms))
}
