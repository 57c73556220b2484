//! Schemas as the page shows them: a type's form in a cell, and a section a type.

use std::fmt::Write as _;

use serde_json::Value;

use super::page::{paragraphs, wrapped};
use super::shape::target;

fn link(name: &str) -> String {
    format!("[{name}](#{})", name.to_lowercase())
}

/// A schema in a few words, for a cell of a table.
pub fn form(schema: &Value) -> String {
    if let Some(name) = target(schema) {
        return link(name);
    }
    if let Some(fixed) = schema.get("const") {
        return format!("`{fixed}`");
    }
    let choices = schema["anyOf"].as_array().or(schema["oneOf"].as_array());
    if let Some(choices) = choices {
        return choices.iter().map(form).collect::<Vec<_>>().join(" or ");
    }
    match schema["type"].as_str().unwrap_or_default() {
        "array" => format!("list of {}", form(&schema["items"])),
        "integer" => integer(schema),
        "boolean" => "true or false".to_owned(),
        other => other.to_owned(),
    }
}

fn integer(schema: &Value) -> String {
    let (least, most) = (&schema["minimum"], &schema["maximum"]);
    if *most == u64::MAX && *least == 0 {
        return "whole number".to_owned();
    }
    match (least, most) {
        (Value::Null, _) | (_, Value::Null) => "whole number".to_owned(),
        (least, most) => format!("whole number, {least} to {most}"),
    }
}

/// A cell's text: no line breaks, no bars.
pub fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// The section of a type.
pub fn section(name: &str, schema: &Value) -> String {
    let mut page = format!("\n### {name}\n");
    for paragraph in paragraphs(schema["description"].as_str().unwrap_or_default()) {
        write!(page, "\n{}\n", wrapped(&paragraph)).unwrap();
    }
    if let Some(pattern) = schema["pattern"].as_str() {
        write!(page, "\n```text\n{pattern}\n```\n").unwrap();
    }
    if let Some(names) = schema["enum"].as_array() {
        let names: Vec<String> = names.iter().map(|name| format!("`{}`", plain(name))).collect();
        write!(page, "\n{}\n", wrapped(&format!("One of {}.", names.join(", ")))).unwrap();
    }
    page += &fields(schema);
    for choice in schema["oneOf"].as_array().or(schema["anyOf"].as_array()).into_iter().flatten() {
        page += &alternative(choice);
    }
    page
}

fn plain(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// One of the alternatives of a type: a name, a kind with its fields, or another type.
fn alternative(choice: &Value) -> String {
    let about = cell(choice["description"].as_str().unwrap_or_default());
    let kind = &choice["properties"]["kind"]["const"];
    let names = choice["const"].as_str().or(kind.as_str());
    let names = names.or(choice["enum"].get(0).and_then(Value::as_str));
    match names {
        Some(name) if kind.is_string() => {
            format!("\n{}\n{}", wrapped(&format!("Kind `{name}`: {about}")), fields(choice))
        }
        Some(name) => format!("\n{}\n", wrapped(&format!("- `{name}`: {about}"))),
        None => format!("\n{}\n", wrapped(&format!("- {}: {about}", form(choice)))),
    }
}

/// The table of an object's fields; nothing for what is no object.
fn fields(schema: &Value) -> String {
    let Some(members) = schema["properties"].as_object() else { return String::new() };
    let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
    let mut table = "\n| field | form | | meaning |\n|---|---|---|---|\n".to_owned();
    for (name, member) in members {
        let is_there = required.iter().any(|one| one == name);
        let presence = if is_there { "always" } else { "if known" };
        let about = cell(member["description"].as_str().unwrap_or_default());
        writeln!(table, "| `{name}` | {} | {presence} | {about} |", form(member)).unwrap();
    }
    table
}
