//! What a message must be answered with, worked out from JSON-RPC 2.0, docs/rpc.md and
//! docs/rejections.md by code that the node does not have.
//!
//! Where a message breaks several rules, each rule's code is allowed. What passes by itself (a
//! node that is busy, or not ready for a moment) is no answer here: the client sends again.

use std::collections::BTreeSet;

use rpc_api::signature::{Form, Parameter};
use rpc_api::{ApiError, method_of, methods};
use serde_json::{Value, json};

use crate::json::{Json, Read, read};
use crate::values::{self, Args};
use crate::world::World;

pub const PARSE_ERROR: i32 = -32700;
pub const INVALID_REQUEST: i32 = -32600;
pub const METHOD_UNKNOWN: i32 = -32601;
pub const PARAMETERS: i32 = -32602;
pub const NOT_HERE: i32 = -32603;
pub const LIST_TOO_LONG: i32 = -32010;

/// Levels of JSON, requests of a list, bytes of an id and of a message: docs/limits.md.
pub const LEVELS_MAX: usize = 64;
pub const LIST_MAX: usize = 32;
pub const ID_BYTES_MAX: usize = 256;
pub const MESSAGE_BYTES_MAX: usize = 2 << 20;

/// Returns true for a method that ends a subscription: it stands in the subscription's row.
fn is_end_of_subscription(name: &str) -> bool {
    methods().filter_map(|one| one.subscription).any(|events| events.unsubscribe == name)
}

/// The transport over which a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Http,
    Socket,
}

/// The answers that one request may get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    pub id: Value,
    pub result: bool,
    pub codes: BTreeSet<i32>,
    /// For -32602: what its data may be named.
    pub names: BTreeSet<&'static str>,
}

impl Allowed {
    fn new(id: Value) -> Self {
        Self { id, result: false, codes: BTreeSet::new(), names: BTreeSet::new() }
    }

    fn code(id: Value, code: i32) -> Self {
        Self { codes: BTreeSet::from([code]), ..Self::new(id) }
    }

    fn error(id: Value, error: ApiError) -> Self {
        Self::code(id, error.code())
    }

    pub fn or(mut self, code: i32) -> Self {
        self.codes.insert(code);
        self
    }
}

/// The reply that a message must get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Notifications are not answered.
    Nothing,
    One(Allowed),
    List(Vec<Allowed>),
    /// 1013, and the connection may close: HTTP 413, or 1009 over WebSocket.
    TooLarge,
}

/// Returns the reply that the bytes of a message must get.
pub fn judge(world: &World, bytes: &[u8], place: Place) -> Reply {
    if bytes.len() > MESSAGE_BYTES_MAX {
        return Reply::TooLarge;
    }
    let whole = |code| Reply::One(Allowed::code(Value::Null, code));
    let (value, levels) = match read(bytes) {
        Read::Value(value, levels) => (value, levels),
        Read::Broken(levels) if levels > LEVELS_MAX => {
            let deep = Allowed::error(Value::Null, ApiError::JsonTooDeep);
            return Reply::One(deep.or(PARSE_ERROR));
        }
        Read::Broken(_) => return whole(PARSE_ERROR),
    };
    let is_deep = levels > LEVELS_MAX;
    match value {
        Json::List(entries) if entries.is_empty() => whole(INVALID_REQUEST),
        Json::List(entries) if entries.len() > LIST_MAX => {
            let long = Allowed::code(Value::Null, LIST_TOO_LONG);
            Reply::One(if is_deep { long.or(ApiError::JsonTooDeep.code()) } else { long })
        }
        Json::List(_) if is_deep => whole(ApiError::JsonTooDeep.code()),
        Json::List(entries) => {
            let judged = entries.iter().filter_map(|entry| judge_entry(world, entry, place, true));
            let answers: Vec<Allowed> = judged.collect();
            if answers.is_empty() { Reply::Nothing } else { Reply::List(answers) }
        }
        one => match judge_entry(world, &one, place, false) {
            None => Reply::Nothing,
            Some(answer) if is_deep => {
                let mut deep = Allowed::error(answer.id, ApiError::JsonTooDeep);
                if answer.codes.contains(&INVALID_REQUEST) {
                    deep = deep.or(INVALID_REQUEST);
                }
                Reply::One(deep)
            }
            Some(answer) => Reply::One(answer),
        },
    }
}

/// An id as it must be echoed; `None` when it is none.
fn id_of(id: &Json) -> Option<Value> {
    match id {
        Json::Null => Some(Value::Null),
        Json::Text(Some(text)) if text.len() <= ID_BYTES_MAX => Some(json!(text)),
        Json::Number(text) => values::whole::<u64>(text).map(|number| json!(number)),
        _ => None,
    }
}

/// Returns the answers that an entry may get; `None` for a notification.
fn judge_entry(world: &World, entry: &Json, place: Place, in_list: bool) -> Option<Allowed> {
    let invalid = |id| Some(Allowed::code(id, INVALID_REQUEST));
    let Json::Object(members) = entry else { return invalid(Value::Null) };
    if members.iter().any(|(name, _)| name.is_none()) {
        return invalid(Value::Null);
    }
    let all = |name: &str| -> Vec<&Json> {
        let found = members.iter().filter(|(known, _)| known.as_deref() == Some(name));
        found.map(|(_, value)| value).collect()
    };
    let (ids, versions, methods, params) =
        (all("id"), all("jsonrpc"), all("method"), all("params"));
    let id = match ids.as_slice() {
        [] => None,
        [one] => match id_of(one) {
            Some(id) => Some(id),
            None => return invalid(Value::Null),
        },
        _ => return invalid(Value::Null),
    };
    let known_id = id.clone().unwrap_or(Value::Null);
    let is_version = matches!(versions.as_slice(), [Json::Text(Some(text))] if text == "2.0");
    let [Json::Text(Some(method))] = methods.as_slice() else { return invalid(known_id) };
    let params = match params.as_slice() {
        [] => Some(None),
        [one @ (Json::List(_) | Json::Object(_))] => Some(Some(*one)),
        _ => None,
    };
    let Some(params) = params.filter(|_| is_version) else { return invalid(known_id) };
    // A request without an id is a notification, whatever it asks for.
    Some(judge_call(world, id?, method, params, place, in_list))
}

fn judge_call(
    world: &World,
    id: Value,
    method: &str,
    params: Option<&Json>,
    place: Place,
    in_list: bool,
) -> Allowed {
    let is_end = is_end_of_subscription(method);
    let parameters: &[Parameter] = match method_of(method) {
        Some(signature) => signature.parameters,
        None if is_end => &[],
        None => return Allowed::code(id, METHOD_UNKNOWN),
    };
    let (args, problems) = match params {
        _ if is_end => (Args::default(), end_problems(params)),
        None => bind(parameters, &[], false),
        Some(Json::List(values)) => {
            let values: Vec<_> = values.iter().map(|value| (None, value)).collect();
            bind(parameters, &values, false)
        }
        Some(Json::Object(members)) => {
            let values: Vec<_> =
                members.iter().map(|(name, value)| (Some(name.as_deref()), value)).collect();
            bind(parameters, &values, true)
        }
        Some(_) => unreachable!("the caller looked"),
    };
    let is_subscribe = method.contains("_subscribe_");
    let is_misplaced = match place {
        Place::Http => is_subscribe || is_end,
        Place::Socket => is_subscribe && in_list,
    };
    let mut allowed = Allowed::new(id);
    if is_misplaced {
        allowed.codes.insert(NOT_HERE);
    }
    if !problems.is_empty() {
        allowed.codes.insert(PARAMETERS);
        allowed.names = problems;
    }
    if allowed.codes.is_empty() && is_end {
        allowed.result = true;
    } else if allowed.codes.is_empty() {
        let said = values::judge_values(world, method, &args);
        allowed.codes = said.codes;
        allowed.result = said.result;
    }
    allowed
}

/// Returns the problems of a call that ends a subscription: it takes the id alone.
fn end_problems(params: Option<&Json>) -> BTreeSet<&'static str> {
    let problem = match params {
        None => Some("parameter-missing"),
        Some(Json::List(values)) => match values.as_slice() {
            [] => Some("parameter-missing"),
            [one] => {
                is_subscription(one).then_some(()).map_or(Some("parameter-malformed"), |()| None)
            }
            _ => Some("parameter-unknown"),
        },
        // Its name is not said, so none is known.
        Some(_) => return BTreeSet::from(["parameter-unknown", "parameter-missing"]),
    };
    problem.into_iter().collect()
}

fn is_subscription(value: &Json) -> bool {
    match value {
        Json::Number(text) => values::whole::<u64>(text).is_some(),
        Json::Text(text) => text.is_some(),
        _ => false,
    }
}

/// The arguments of a call, and what is wrong with their number, names and forms.
fn bind(
    parameters: &[Parameter],
    given: &[(Option<Option<&str>>, &Json)],
    is_named: bool,
) -> (Args, BTreeSet<&'static str>) {
    let (mut args, mut problems) = (Args::default(), BTreeSet::new());
    if !is_named && given.len() > parameters.len() {
        problems.insert("parameter-unknown");
    }
    for (name, _) in given.iter().filter(|_| is_named) {
        let is_known = parameters.iter().any(|one| *name == Some(Some(one.name)));
        if !is_known {
            problems.insert("parameter-unknown");
        }
    }
    for (index, parameter) in parameters.iter().enumerate() {
        let mut values = given.iter().enumerate().filter(|(place, (name, _))| match name {
            Some(name) => *name == Some(parameter.name),
            None => *place == index,
        });
        let value = values.next().map(|(_, (_, value))| *value);
        if values.next().is_some() {
            problems.insert("parameter-repeated");
        }
        match value {
            None | Some(Json::Null) if parameter.is_optional => {}
            None => _ = problems.insert("parameter-missing"),
            Some(value) if has_form(parameter.form, value) => {
                args.0.insert(parameter.name, value.clone());
            }
            Some(_) => _ = problems.insert("parameter-malformed"),
        }
    }
    (args, problems)
}

fn has_form(form: Form, value: &Json) -> bool {
    match (form, value) {
        (Form::Text | Form::Base64 | Form::Block, Json::Text(text)) => text.is_some(),
        (Form::U32, Json::Number(text)) => values::whole::<u32>(text).is_some(),
        (Form::U64 | Form::Block, Json::Number(text)) => values::whole::<u64>(text).is_some(),
        (Form::Flag, Json::Flag(_)) => true,
        (Form::Wait, Json::Text(Some(text))) => text == "admitted" || text == "final",
        (Form::Filter, Json::Object(members)) => has_filter_form(members),
        _ => false,
    }
}

fn has_filter_form(members: &[(Option<String>, Json)]) -> bool {
    let mut names = BTreeSet::new();
    members.iter().all(|(name, value)| {
        let Some(name) = name.as_deref() else { return false };
        let is_value = match (name, value) {
            ("window" | "gateway", Json::Null) => true,
            ("window", Json::Number(text)) => values::whole::<u64>(text).is_some(),
            ("gateway", Json::Number(text)) => values::whole::<u32>(text).is_some(),
            _ => false,
        };
        is_value && names.insert(name)
    })
}

/// Checks that an answer is one that is allowed; says what is wrong with it.
pub fn check(answer: &Value, allowed: &Allowed) -> Result<(), String> {
    let members = answer.as_object().ok_or("it is no object")?;
    let names: BTreeSet<&str> = members.keys().map(String::as_str).collect();
    let is_result = names == BTreeSet::from(["id", "jsonrpc", "result"]);
    let is_error = names == BTreeSet::from(["error", "id", "jsonrpc"]);
    if answer["jsonrpc"] != "2.0" || !(is_result || is_error) {
        return Err("it is no answer of JSON-RPC 2.0".to_owned());
    }
    if answer["id"] != allowed.id {
        return Err(format!("its id is not {}", allowed.id));
    }
    if is_result {
        return if allowed.result { Ok(()) } else { Err("it is a result".to_owned()) };
    }
    let error = &answer["error"];
    let code = error["code"].as_i64().and_then(|code| i32::try_from(code).ok());
    let code = code.filter(|_| error["message"].is_string()).ok_or("it has no code or message")?;
    if !allowed.codes.contains(&code) {
        return Err(format!("its code is {code}"));
    }
    check_data(code, &error["data"], allowed)
}

fn check_data(code: i32, data: &Value, allowed: &Allowed) -> Result<(), String> {
    if code < 0 && code != PARAMETERS {
        return Ok(());
    }
    let data: rpc_api::ErrorData = serde_json::from_value(data.clone())
        .map_err(|error| format!("the data of {code} is not as documented: {error}"))?;
    let is_name = match (code, ApiError::from_code(code)) {
        (PARAMETERS, _) => allowed.names.contains(data.name.as_str()),
        (_, Some(error)) => data.name == error.name(),
        _ => chain_types::Rejection::ALL
            .iter()
            .any(|known| i32::from(known.code()) == code && known.name() == data.name),
    };
    if is_name { Ok(()) } else { Err(format!("the data of {code} is named {}", data.name)) }
}
