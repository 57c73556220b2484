//! The id of a subscription, which its events carry and its end names.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// The id of a subscription: the result of the call that began it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscriptionId(pub u64);

impl JsonSchema for SubscriptionId {
    fn schema_name() -> Cow<'static, str> {
        "SubscriptionId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer",
            "minimum": 0,
            "maximum": u64::MAX,
            "description": "A subscription's id, unique to its connection.",
        })
    }
}
