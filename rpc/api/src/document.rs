//! The interface as an OpenRPC 1.3 document, made from the table of methods: `rpc.discover` gives
//! it, docs/openrpc.json keeps it, and docs/rpc.md is printed from it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chain_types::Rejection;
use jsonrpsee::types::ErrorObjectOwned;
use jsonrpsee::types::error::INVALID_PARAMS_CODE;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::discovery::OpenRpcDocument;
use crate::error::{ApiError, ErrorData, PROTOCOL_ERRORS, api_error};
use crate::method::{Method, Rows, SchemaOf, Scope, TokenScope};
use crate::methods::methods;
use crate::signature::Parameter;
use crate::subscription::SubscriptionId;
use crate::terms::Term;

/// The version of OpenRPC that the document follows.
pub const OPENRPC_VERSION: &str = "1.3.2";
/// The version of the interface, by the rules of semantic versions: a change that breaks a client
/// raises the first number. A test compares the interface with docs/openrpc.json.
pub const INTERFACE_VERSION: &str = "1.0.0";

/// The first rejections of a batch as a whole, and the last one.
const BATCH_REJECTIONS: std::ops::RangeInclusive<u16> = 100..=116;
/// The calls and their answers as a live node gave them, by method. A test of node-runtime records
/// them: `SLUICE_WRITE_PAGES=1`.
pub const RECORDED: &str = include_str!("../examples.json");

const DESCRIPTION: &str = include_str!("description.md");

/// The document as ready text. It is made once.
///
/// # Errors
/// `internal-fault` if it could not be made: a defect that a test would have seen.
pub fn document() -> Result<OpenRpcDocument, ErrorObjectOwned> {
    static TEXT: LazyLock<Option<Box<RawValue>>> =
        LazyLock::new(|| serde_json::value::to_raw_value(&document_value().ok()?).ok());
    let text = TEXT.clone().ok_or_else(|| api_error(ApiError::InternalFault, ""))?;
    Ok(OpenRpcDocument(text))
}

/// A call with its answer, as a live node gave it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordedCall {
    /// The parameters by name.
    pub params: Map<String, Value>,
    /// The result as JSON; of a subscription, its id.
    pub result: Value,
    /// The first notification of a subscription, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification: Option<Value>,
}

/// The document as a value.
///
/// # Errors
/// When the recorded calls are no JSON.
pub fn document_value() -> serde_json::Result<Value> {
    let recorded: BTreeMap<String, RecordedCall> = serde_json::from_str(RECORDED)?;
    let settings = SchemaSettings::draft07().for_serialize().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut maker = Maker { generator: settings.into_generator(), recorded };
    let methods: Vec<Value> = methods().flat_map(|method| maker.methods(method)).collect();
    // No method's result has it: it is the `data` of errors.
    let _ = maker.schema(SchemaGenerator::subschema_for::<ErrorData>);
    let mut document = json!({
        "openrpc": OPENRPC_VERSION,
        "info": {
            "title": "Sluice",
            "version": INTERFACE_VERSION,
            "description": DESCRIPTION.trim_end(),
            "license": { "name": "Apache-2.0" },
        },
        "methods": methods,
        "x-errors-of-any-method": errors_of_any_method(),
        "x-scopes": scopes(),
        "components": {
            "schemas": maker.generator.take_definitions(true),
            "errors": errors(),
        },
    });
    without_nulls(&mut document);
    Ok(document)
}

struct Maker {
    generator: SchemaGenerator,
    recorded: BTreeMap<String, RecordedCall>,
}

impl Maker {
    fn schema(&mut self, schema: SchemaOf) -> Value {
        schema(&mut self.generator).to_value()
    }

    /// The method of a row, and for a subscription also the one that ends it.
    fn methods(&mut self, method: &Method) -> Vec<Value> {
        let parameters = method.parameters.iter().map(|one| self.parameter(one));
        let parameters: Vec<Value> = parameters.collect();
        let mut shown = json!({
            "name": method.name,
            "tags": [{ "name": method.namespace() }],
            "summary": method.summary(),
            "paramStructure": "either",
            "params": parameters,
            "result": { "name": "result", "schema": self.schema(method.result) },
            "errors": references(method),
            "examples": self.example(method),
            "x-scope": method.scope.name(),
            "x-rows": rows(method.scope),
            "x-stability": method.stability.name(),
        });
        if !method.description().is_empty() {
            shown["description"] = json!(method.description());
        }
        let Some(events) = method.subscription else { return vec![shown] };
        let event = self.schema(events.event);
        shown["x-subscription"] = json!({
            "notification": events.notification,
            "unsubscribe": events.unsubscribe,
            "params": {
                "type": "object",
                "required": ["subscription", "result"],
                "properties": { "subscription": shown["result"]["schema"], "result": event },
            },
            "ended": {
                "type": "object",
                "required": ["subscription", "error"],
                "properties": {
                    "subscription": shown["result"]["schema"],
                    "error": { "type": "string", "description": "Why the node ended it." },
                },
            },
            "delivery": "in order, without a gap, at least once",
            "place": method.place().map(|place| place.name),
            "withoutPlace": events.without_place,
            "resume": events.resume,
            "example": self.recorded.get(method.name).map(|call| &call.notification),
        });
        vec![shown, self.end(method, events.unsubscribe)]
    }

    /// The method that ends a subscription.
    fn end(&mut self, method: &Method, unsubscribe: &str) -> Value {
        let id = self.schema(SchemaGenerator::subschema_for::<SubscriptionId>);
        json!({
            "name": unsubscribe,
            "tags": [{ "name": method.namespace() }],
            "summary": format!("Ends a subscription of `{}`.", method.name),
            "paramStructure": "by-position",
            "params": [{
                "name": "subscription",
                "description": "The id that the subscription's call gave.",
                "required": true,
                "schema": id,
            }],
            "result": {
                "name": "result",
                "description": "True if the connection had this subscription.",
                "schema": { "type": "boolean" },
            },
            "x-scope": method.scope.name(),
            "x-stability": method.stability.name(),
        })
    }

    fn parameter(&mut self, parameter: &Parameter) -> Value {
        let term = Term::of(parameter.name);
        json!({
            "name": parameter.name,
            "description": term.map_or("", |term| term.meaning),
            "required": !parameter.is_optional,
            "schema": term.map_or(json!(true), |term| self.schema(term.schema)),
        })
    }

    fn example(&self, method: &Method) -> Value {
        let Some(call) = self.recorded.get(method.name) else { return json!([]) };
        // In the order in which they are declared.
        let given = method.parameters.iter().filter_map(|parameter| {
            let value = call.params.get(parameter.name)?;
            Some(json!({ "name": parameter.name, "value": value }))
        });
        json!([{
            "name": method.name,
            "params": given.collect::<Vec<_>>(),
            "result": { "name": "result", "value": call.result },
        }])
    }
}

/// A reference to an error of the components.
fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/errors/{name}") })
}

/// The errors of a method, as references to the components.
fn references(method: &Method) -> Value {
    let batch = Rejection::ALL.iter().filter(|one| BATCH_REJECTIONS.contains(&one.code()));
    let batch = batch.filter(|_| method.rejects_batches).map(|one| one.name());
    let own = method.errors.iter().map(|one| one.name());
    batch.chain(own).map(reference).collect()
}

/// The errors that every method may give beside its own, as references likewise.
fn errors_of_any_method() -> Value {
    let own = ApiError::OF_ANY_METHOD.iter().map(|one| reference(one.name()));
    let protocol = PROTOCOL_ERRORS.iter().map(|one| reference(&one.code.to_string()));
    own.chain(protocol).collect()
}

/// Returns the readers of each scope, by its name.
fn scopes() -> Value {
    let rows = Scope::ALL.iter().map(|scope| (scope.name().to_owned(), json!(scope.readers())));
    Value::Object(rows.collect())
}

/// Returns the rows that each scope of tokens reads of a method, without those that read none.
fn rows(scope: Scope) -> Value {
    let all = TokenScope::ALL.iter().map(|of| (of.name(), scope.rows(*of)));
    let read = all.filter(|(_, rows)| *rows != Rows::None);
    Value::Object(read.map(|(name, rows)| (name.to_owned(), json!(rows.name()))).collect())
}

/// Every error: those with a positive code by name, those of JSON-RPC by code.
fn errors() -> Value {
    let rejections = Rejection::ALL.iter();
    let rejections = rejections.map(|one| (i32::from(one.code()), ErrorData::of_rejection(*one)));
    let own = ApiError::ALL.iter().map(|one| (one.code(), ErrorData::of_api(*one)));
    let coded = rejections.chain(own).map(|(code, data)| {
        (data.name.clone(), json!({ "code": code, "message": data.message(), "data": data }))
    });
    let protocol = PROTOCOL_ERRORS.iter().map(|one| {
        let mut shown = json!({ "code": one.code, "message": one.cause });
        if one.code == INVALID_PARAMS_CODE {
            let data = ErrorData::of_parameters("parameter-malformed");
            shown["message"] = json!(data.message());
            shown["data"] = json!(data);
        }
        (one.code.to_string(), shown)
    });
    Value::Object(coded.chain(protocol).collect())
}

/// Takes `null` out of schemas: the interface leaves out what is absent, and never writes null.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(without_nulls),
        Value::Object(members) => {
            members.values_mut().for_each(without_nulls);
            if let Some(Value::Array(types)) = members.get_mut("type") {
                types.retain(|one| one != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    members.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = members.get_mut("anyOf") {
                choices.retain(|one| *one != json!({ "type": "null" }));
                if choices.len() == 1
                    && let Some(Value::Object(only)) = choices.pop()
                {
                    members.remove("anyOf");
                    members.extend(only);
                }
            }
        }
        _ => {}
    }
}
