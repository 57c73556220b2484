//! The answer of `rpc.discover`: the interface's description of itself, as ready text.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// This interface as an OpenRPC document.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OpenRpcDocument(pub Box<RawValue>);

impl JsonSchema for OpenRpcDocument {
    fn schema_name() -> Cow<'static, str> {
        "OpenRpcDocument".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "required": ["openrpc", "info", "methods", "components"],
            "properties": {
                "openrpc": { "type": "string", "description": "The version of OpenRPC." },
                "info": { "type": "object", "description": "The name and the version." },
                "methods": { "type": "array", "description": "Every method." },
                "components": { "type": "object", "description": "Schemas and errors by name." },
            },
            "description": "An OpenRPC 1.3 document: https://spec.open-rpc.org.",
        })
    }
}
