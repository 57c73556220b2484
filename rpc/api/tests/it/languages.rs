//! The interface's types in TypeScript and in Python, printed from the document:
//! `SLUICE_WRITE_PAGES=1` writes them anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::page::wrapped_to;
use super::shape::{Field, Shape};
use super::{document, keep};

const TYPESCRIPT: &str = "../../docs/sluice.d.ts";
const PYTHON: &str = "../../clients/python/sluice/interface.py";
const COLUMNS: usize = 100;

/// A type of the document.
struct Named<'a> {
    name: &'a str,
    about: &'a str,
    shape: Shape<'a>,
    /// True if clients send it: then its names are all that there are.
    is_sent: bool,
}

/// A method of the document, those that end a subscription among them.
struct Call<'a> {
    name: &'a str,
    about: &'a str,
    params: Vec<Field<'a>>,
    result: Shape<'a>,
    events: Option<(&'a str, &'a str, Shape<'a>)>,
}

fn rows(document: &Value) -> &[Value] {
    document["methods"].as_array().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The names of the schemas that a parameter reaches.
fn sent(document: &Value) -> BTreeSet<String> {
    fn walk(document: &Value, schema: &Value, found: &mut BTreeSet<String>) {
        match schema {
            Value::Array(all) => all.iter().for_each(|one| walk(document, one, found)),
            Value::Object(members) => {
                let target = members.get("$ref").and_then(Value::as_str);
                if let Some(name) = target.and_then(|target| target.rsplit('/').next())
                    && found.insert(name.to_owned())
                {
                    walk(document, &document["components"]["schemas"][name], found);
                }
                members.values().for_each(|one| walk(document, one, found));
            }
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    for row in rows(document) {
        walk(document, &row["params"], &mut found);
    }
    found
}

fn types(document: &Value) -> Vec<Named<'_>> {
    let sent = sent(document);
    let schemas = document["components"]["schemas"].as_object().unwrap().iter();
    let named = schemas.map(|(name, schema)| Named {
        name,
        about: text(&schema["description"]),
        shape: Shape::of(schema),
        is_sent: sent.contains(name),
    });
    named.collect()
}

fn parameter(row: &Value) -> Field<'_> {
    Field {
        name: text(&row["name"]),
        shape: Shape::of(&row["schema"]),
        is_required: row["required"] == true,
        about: text(&row["description"]),
    }
}

fn call(row: &Value) -> Call<'_> {
    let events = row.get("x-subscription").map(|events| {
        let event = Shape::of(&events["params"]["properties"]["result"]);
        (text(&events["notification"]), text(&events["unsubscribe"]), event)
    });
    Call {
        name: text(&row["name"]),
        about: text(&row["summary"]),
        params: row["params"].as_array().unwrap().iter().map(parameter).collect(),
        result: Shape::of(&row["result"]["schema"]),
        events,
    }
}

fn calls(document: &Value) -> Vec<Call<'_>> {
    rows(document).iter().map(call).collect()
}

/// A comment's lines, each begun with `margin`.
fn lines(text: &str, margin: &str) -> String {
    let paragraphs = super::page::paragraphs(text);
    let wrapped = paragraphs.iter().map(|one| wrapped_to(one, COLUMNS - margin.len() - 4));
    let whole = wrapped.collect::<Vec<_>>().join("\n\n");
    let line = |line: &str| format!("{margin}{line}").trim_end().to_owned();
    whole.lines().map(line).collect::<Vec<_>>().join("\n")
}

mod typescript {
    use super::*;

    fn form(shape: &Shape<'_>, is_sent: bool, margin: &str) -> String {
        match shape {
            Shape::Named(name) => (*name).to_owned(),
            Shape::Text => "string".to_owned(),
            Shape::Number => "number".to_owned(),
            Shape::Flag => "boolean".to_owned(),
            Shape::Names(names) => {
                let names = names.iter().map(|name| format!("\"{name}\""));
                let open = (!is_sent && names.len() > 1).then(|| "(string & {})".to_owned());
                names.chain(open).collect::<Vec<_>>().join(&format!("\n{margin}  | "))
            }
            Shape::List(of) => match **of {
                Shape::Named(_) | Shape::Text | Shape::Number | Shape::Flag => {
                    format!("{}[]", form(of, is_sent, margin))
                }
                _ => format!("Array<{}>", form(of, is_sent, margin)),
            },
            Shape::Fields(fields) => object(fields, margin),
            Shape::Extended(name, fields) => format!("{name} & {}", object(fields, margin)),
            Shape::OneOf(choices) => {
                let choices = choices.iter().map(|one| form(one, is_sent, margin));
                choices.collect::<Vec<_>>().join(&format!("\n{margin}  | "))
            }
            Shape::Anything => "unknown".to_owned(),
        }
    }

    /// A comment of one line, or of several.
    fn comment(about: &str, margin: &str) -> String {
        let inner = lines(about, &format!("{margin} * "));
        match inner.lines().count() {
            0 => String::new(),
            1 => format!("{margin}/** {} */\n", inner.trim_start_matches(&format!("{margin} * "))),
            _ => format!("{margin}/**\n{inner}\n{margin} */\n"),
        }
    }

    fn object(fields: &[Field<'_>], margin: &str) -> String {
        if fields.is_empty() {
            return "Record<string, never>".to_owned();
        }
        let mut page = "{\n".to_owned();
        let deeper = format!("{margin}  ");
        for field in fields {
            let mark = if field.is_required { "" } else { "?" };
            let form = form(&field.shape, false, &deeper);
            page += &comment(field.about, &deeper);
            writeln!(page, "{deeper}{}{mark}: {form};", field.name).unwrap();
        }
        page + margin + "}"
    }

    pub fn page(document: &Value) -> String {
        let version = text(&document["info"]["version"]);
        let mut page = comment(
            &format!(
                "The types of Sluice's JSON-RPC interface, version {version}. They are made from \
                 openrpc.json beside this file; docs/rpc.md explains them.\n\n\
                 Amounts and ids that may pass 2^53 are texts. A name in an answer that a client \
                 does not know is a text, for names may be added."
            ),
            "",
        );
        for one in types(document) {
            page += "\n";
            page += &comment(one.about, "");
            let form = form(&one.shape, one.is_sent, "");
            match one.shape {
                Shape::Fields(_) => writeln!(page, "export interface {} {form}", one.name).unwrap(),
                _ => writeln!(page, "export type {} = {form};", one.name).unwrap(),
            }
        }
        let calls = calls(document);
        page += "\n/** Every method, with the parameters by name and the result. */\n";
        page += "export interface Methods {\n";
        for call in &calls {
            page += &comment(call.about, "  ");
            writeln!(page, "  \"{}\": {{", call.name).unwrap();
            writeln!(page, "    params: {};", object(&call.params, "    ")).unwrap();
            writeln!(page, "    result: {};\n  }};", form(&call.result, false, "    ")).unwrap();
        }
        page += "}\n\n/** The events of each method that subscribes. */\n";
        page += "export interface Subscriptions {\n";
        for call in &calls {
            let Some((notification, unsubscribe, event)) = &call.events else { continue };
            writeln!(page, "  \"{}\": {{", call.name).unwrap();
            writeln!(page, "    notification: \"{notification}\";").unwrap();
            writeln!(page, "    unsubscribe: \"{unsubscribe}\";").unwrap();
            writeln!(page, "    event: {};\n  }};", form(event, false, "    ")).unwrap();
        }
        page + "}\n"
    }
}

mod python {
    use super::*;

    /// The form of a type in an expression; what has fields has a class of its own.
    fn form(shape: &Shape<'_>, is_sent: bool) -> String {
        match shape {
            Shape::Named(name) => (*name).to_owned(),
            Shape::Text => "str".to_owned(),
            Shape::Number => "int".to_owned(),
            Shape::Flag => "bool".to_owned(),
            Shape::Names(names) => {
                let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
                let is_open = !is_sent && names.len() > 1;
                let (open, end) = if is_open { ("Union[", ", str]") } else { ("", "") };
                let flat = format!("{open}Literal[{}]{end}", names.join(", "));
                if flat.len() < COLUMNS - 40 {
                    return flat;
                }
                format!("{open}Literal[\n    {},\n]{end}", names.join(",\n    "))
            }
            Shape::List(of) => format!("list[{}]", form(of, is_sent)),
            Shape::OneOf(choices) => {
                let choices = choices.iter().map(|one| form(one, is_sent));
                format!("Union[{}]", choices.collect::<Vec<_>>().join(", "))
            }
            Shape::Fields(_) | Shape::Extended(..) | Shape::Anything => "Any".to_owned(),
        }
    }

    fn class(name: &str, base: &str, about: &str, fields: &[Field<'_>]) -> String {
        let mut page = format!("\n\nclass {name}({base}):\n");
        if !about.is_empty() {
            let about = lines(about, "    ");
            let is_long = about.contains('\n');
            let end = if is_long { "\n    " } else { "" };
            writeln!(page, "    \"\"\"{}{end}\"\"\"\n", about.trim_start()).unwrap();
        }
        if fields.is_empty() {
            page += "    pass\n";
        }
        for field in fields {
            let form = form(&field.shape, false);
            let form = if field.is_required { form } else { format!("NotRequired[{form}]") };
            if !field.about.is_empty() {
                writeln!(page, "{}", lines(field.about, "    # ")).unwrap();
            }
            writeln!(page, "    {}: {form}", field.name).unwrap();
        }
        page
    }

    /// The name of a method in the form of a class: `batch_submit` is `BatchSubmit`.
    fn class_name(method: &str) -> String {
        let words = method.split(['_', '.']).map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        });
        words.collect()
    }

    /// The classes of a choice, each named after its kind, and the choice.
    fn choice(one: &Named<'_>, choices: &[Shape<'_>]) -> String {
        let (mut page, mut names) = (String::new(), Vec::new());
        for choice in choices {
            let (base, fields) = match choice {
                Shape::Fields(fields) => ("TypedDict", fields),
                Shape::Extended(base, fields) => (*base, fields),
                other => {
                    names.push(form(other, one.is_sent));
                    continue;
                }
            };
            let kind = fields.iter().find_map(|field| match &field.shape {
                Shape::Names(names) if field.name == "kind" => names.first(),
                _ => None,
            });
            let kind = kind.unwrap().replace('-', "_");
            let name = format!("{}{}", one.name, class_name(&kind));
            page += &class(&name, base, "", fields);
            names.push(name);
        }
        let all = names.join(",\n    ");
        write!(page, "\n\n{}{} = Union[\n    {all},\n]\n", comment(one.about), one.name).unwrap();
        page
    }

    fn comment(about: &str) -> String {
        lines(about, "# ") + "\n"
    }

    pub fn page(document: &Value) -> String {
        let version = text(&document["info"]["version"]);
        let mut page = format!(
            "\"\"\"The types of Sluice's JSON-RPC interface, version {version}.\n\n\
             They are made from docs/openrpc.json; docs/rpc.md explains them. A name in an answer \
             that a\nclient does not know is a text, for names may be added.\n\"\"\"\n\n\
             from __future__ import annotations\n\n\
             from typing import Any, Literal, NotRequired, TypedDict, Union\n"
        );
        let types = types(document);
        for one in &types {
            if !matches!(one.shape, Shape::Fields(_) | Shape::Extended(..) | Shape::OneOf(_)) {
                let form = form(&one.shape, one.is_sent);
                write!(page, "\n{}{} = {form}\n", comment(one.about), one.name).unwrap();
            }
        }
        for one in &types {
            if let Shape::Fields(fields) = &one.shape {
                page += &class(one.name, "TypedDict", one.about, fields);
            }
        }
        for one in &types {
            match &one.shape {
                Shape::Extended(base, fields) => page += &class(one.name, base, one.about, fields),
                Shape::OneOf(choices) => page += &choice(one, choices),
                _ => {}
            }
        }
        let calls = calls(document);
        for call in &calls {
            let name = format!("{}Params", class_name(call.name));
            page += &class(&name, "TypedDict", call.about, &call.params);
        }
        page += "\n\n# Every method with the types of its parameters and of its result.\n";
        page += "METHODS: dict[str, tuple[type, Any]] = {\n";
        for call in &calls {
            let (name, result) = (class_name(call.name), form(&call.result, false));
            writeln!(page, "    \"{}\": ({name}Params, {result}),", call.name).unwrap();
        }
        page += "}\n\n# The method that subscribes, with the name of its notifications, the method \
                 that ends it, and\n# the type of an event.\n";
        page += "SUBSCRIPTIONS: dict[str, tuple[str, str, Any]] = {\n";
        for call in &calls {
            let Some((notification, unsubscribe, event)) = &call.events else { continue };
            let event = form(event, false);
            let name = call.name;
            writeln!(
                page,
                "    \"{name}\": (\n        \"{notification}\", \"{unsubscribe}\", {event}),"
            )
            .unwrap();
        }
        page + "}\n"
    }
}

#[test]
fn the_page_of_typescript_is_printed_from_the_document() {
    keep(TYPESCRIPT, &typescript::page(&document()));
}

#[test]
fn the_page_of_python_is_printed_from_the_document() {
    keep(PYTHON, &python::page(&document()));
}

/// Both languages name every type and every method of the document.
#[test]
fn both_languages_have_every_type_and_every_method() {
    let document = document();
    for page in [typescript::page(&document), python::page(&document)] {
        for one in types(&document) {
            let name = one.name;
            let forms = [
                format!("interface {name} "),
                format!("type {name} ="),
                format!("class {name}("),
                format!("\n{name} = "),
            ];
            assert!(forms.iter().any(|form| page.contains(form)), "{name}");
        }
        for call in calls(&document) {
            assert!(page.contains(&format!("\"{}\":", call.name)), "{}", call.name);
        }
    }
}
