//! The types of the interface in TypeScript, printed from the document for clients in that
//! language. `SLUICE_WRITE_PAGES=1` writes them anew.

use std::fmt::Write as _;

use serde_json::Value;

use super::{document, writes_pages};

const TYPES: &str = "../clients/typescript/types.ts";

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A comment of one line before a type or a member.
fn comment(indent: &str, schema: &Value) -> String {
    let about = text(&schema["description"]).split_whitespace().collect::<Vec<_>>().join(" ");
    if about.is_empty() { String::new() } else { format!("{indent}/** {about} */\n") }
}

/// A schema as a type expression.
fn expression(schema: &Value, indent: &str) -> String {
    let only = list(&schema["allOf"]).first();
    let reference = schema.get("$ref").or_else(|| only?.get("$ref"));
    if let Some(target) = reference.map(text) {
        return target.rsplit('/').next().unwrap().to_owned();
    }
    if let Some(fixed) = schema.get("const") {
        return fixed.to_string();
    }
    if let Some(names) = schema["enum"].as_array() {
        return names.iter().map(Value::to_string).collect::<Vec<_>>().join(" | ");
    }
    let choices = list(&schema["oneOf"]).iter().chain(list(&schema["anyOf"]));
    let choices: Vec<String> = choices.map(|one| expression(one, indent)).collect();
    if !choices.is_empty() {
        return choices.join(" | ");
    }
    match text(&schema["type"]) {
        "integer" => "number".to_owned(),
        "array" => format!("Array<{}>", expression(&schema["items"], indent)),
        "object" => object(schema, indent),
        other => other.to_owned(),
    }
}

fn object(schema: &Value, indent: &str) -> String {
    let inner = format!("{indent}  ");
    let mut shown = "{\n".to_owned();
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let is_there = list(&schema["required"]).iter().any(|one| one == name);
        let mark = if is_there { "" } else { "?" };
        shown += &comment(&inner, member);
        writeln!(shown, "{inner}{name}{mark}: {};", expression(member, &inner)).unwrap();
    }
    shown + indent + "}"
}

/// A method's parameters by name, its result, and the notification of its events.
fn method(row: &Value) -> String {
    let mut params = Vec::new();
    for parameter in list(&row["params"]) {
        let mark = if parameter["required"] == true { "" } else { "?" };
        let form = expression(&parameter["schema"], "    ");
        params.push(format!("{}{mark}: {form}", text(&parameter["name"])));
    }
    let summary = comment("  ", &serde_json::json!({ "description": row["summary"] }));
    let result = expression(&row["result"]["schema"], "    ");
    let params = if params.is_empty() {
        "Record<string, never>".to_owned()
    } else {
        format!("{{ {} }}", params.join("; "))
    };
    format!("{summary}  {}: {{ params: {params}; result: {result} }};\n", row["name"])
}

fn types() -> String {
    let document = document();
    let version = text(&document["info"]["version"]);
    let mut page = format!(
        "// The interface of Sluice, version {version}, as types: printed from docs/openrpc.json.\n\
         // A test of rpc-api writes this file; do not edit it.\n"
    );
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let about = comment("", schema);
        write!(page, "\n{about}export type {name} = {};\n", expression(schema, "")).unwrap();
    }
    page += "\n/** The methods by name, each with its parameters by name and its result. */\n";
    page += "export interface Methods {\n";
    let rows = list(&document["methods"]);
    for row in rows {
        page += &method(row);
    }
    page += "}\n\n/** The events of subscriptions, by the name of their notification. */\n";
    page += "export interface Events {\n";
    for events in rows.iter().map(|row| &row["x-subscription"]).filter(|one| one.is_object()) {
        let event = expression(&events["params"]["properties"]["result"], "  ");
        writeln!(page, "  {}: {event};", events["notification"]).unwrap();
    }
    page + "}\n"
}

#[test]
fn the_page_of_types_in_typescript_is_printed_from_the_document() {
    let expected = types();
    if writes_pages() {
        std::fs::write(TYPES, &expected).unwrap();
    }
    let actual = std::fs::read_to_string(TYPES).unwrap();
    assert!(actual == expected, "{TYPES} is not what the document says: SLUICE_WRITE_PAGES=1");
}
