//! A schema of the document as other languages see it.

use serde_json::Value;

/// The kinds of type that a schema can be.
#[derive(Debug)]
pub enum Shape<'a> {
    /// A schema of the components, by its name.
    Named(&'a str),
    Text,
    Number,
    Flag,
    /// One of these texts.
    Names(Vec<&'a str>),
    List(Box<Self>),
    Fields(Vec<Field<'a>>),
    /// The fields, and those of a named schema.
    Extended(&'a str, Vec<Field<'a>>),
    OneOf(Vec<Self>),
    Anything,
}

/// A member of an object.
#[derive(Debug)]
pub struct Field<'a> {
    pub name: &'a str,
    pub shape: Shape<'a>,
    pub is_required: bool,
    pub about: &'a str,
}

/// The name that a reference ends in.
pub fn target(schema: &Value) -> Option<&str> {
    let only = schema["allOf"].as_array().and_then(|all| all.first());
    let reference = schema.get("$ref").or_else(|| only?.get("$ref"))?;
    reference.as_str()?.rsplit('/').next()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The texts of a schema that is a closed list of them.
fn names(schema: &Value) -> Option<Vec<&str>> {
    if let Some(only) = schema["const"].as_str() {
        return Some(vec![only]);
    }
    if let Some(all) = schema["enum"].as_array() {
        return all.iter().map(Value::as_str).collect();
    }
    let choices = schema["oneOf"].as_array()?;
    let names: Option<Vec<Vec<&str>>> = choices.iter().map(names).collect();
    names.map(|names| names.concat())
}

fn fields(schema: &Value) -> Vec<Field<'_>> {
    let required = list(&schema["required"]);
    let members = schema["properties"].as_object().into_iter().flatten();
    members
        .map(|(name, member)| Field {
            name,
            shape: Shape::of(member),
            is_required: required.iter().any(|one| one == name),
            about: member["description"].as_str().unwrap_or_default(),
        })
        .collect()
}

impl<'a> Shape<'a> {
    pub fn of(schema: &'a Value) -> Self {
        let own = fields(schema);
        match target(schema) {
            Some(name) if own.is_empty() => return Self::Named(name),
            Some(name) => return Self::Extended(name, own),
            None => {}
        }
        if let Some(names) = names(schema) {
            return Self::Names(names);
        }
        if let Some(choices) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
            return Self::OneOf(choices.iter().map(Self::of).collect());
        }
        match schema["type"].as_str() {
            Some("string") => Self::Text,
            Some("integer") => Self::Number,
            Some("boolean") => Self::Flag,
            Some("array") if schema.get("items").is_some() => {
                Self::List(Box::new(Self::of(&schema["items"])))
            }
            Some("object") if !own.is_empty() => Self::Fields(own),
            _ => Self::Anything,
        }
    }
}
