//! docs/rpc.md, printed from the table of methods: `SLUICE_WRITE_PAGES=1` writes it anew. What is
//! not about one method stands in `page_begin.md` and `page_end.md` beside this file.

use std::fmt::Write as _;

use rpc_api::document::{RECORDED, RecordedCall};
use rpc_api::error::PROTOCOL_ERRORS;
use rpc_api::terms::Term;
use rpc_api::{ApiError, Method, Scope, TokenScope, methods};
use serde_json::{Value, json};

use super::types::{cell, form, section};
use super::{document, keep};

const PAGE: &str = "../../docs/rpc.md";
const BEGIN: &str = include_str!("page_begin.md");
const END: &str = include_str!("page_end.md");
/// Calls that are refused, with their whole answers, as a live node gave them.
const REFUSALS: &str = include_str!("../../refusals.json");
const COLUMNS: usize = 100;

/// The paragraphs of a text.
pub fn paragraphs(text: &str) -> Vec<String> {
    let joined = text.split("\n\n").map(|one| one.split_whitespace().collect::<Vec<_>>().join(" "));
    joined.filter(|one| !one.is_empty()).collect()
}

/// A paragraph in lines that fit the screen.
pub fn wrapped(paragraph: &str) -> String {
    wrapped_to(paragraph, COLUMNS)
}

/// A paragraph in lines of at most `columns` letters.
pub fn wrapped_to(paragraph: &str, columns: usize) -> String {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in paragraph.split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > columns {
            lines.push(std::mem::take(&mut line));
            if paragraph.starts_with("- ") {
                line.push(' ');
            }
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += word;
    }
    lines.push(line);
    lines.join("\n")
}

fn anchor(name: &str) -> String {
    name.replace('.', "")
}

/// All methods at a glance.
fn overview() -> String {
    let mut table =
        "| method | parameters | what it gives | scope |\n|---|---|---|---|\n".to_owned();
    for method in methods() {
        let (name, summary) = (method.name, cell(&method.summary()));
        let parameters: Vec<String> =
            method.parameters.iter().map(|one| format!("`{one}`")).collect();
        let (parameters, scope) = (parameters.join(", "), method.scope.name());
        let link = anchor(name);
        writeln!(table, "| [`{name}`](#{link}) | {parameters} | {summary} | {scope} |").unwrap();
    }
    table
}

fn rows() -> String {
    let of: Vec<&str> = TokenScope::ALL.iter().map(|of| of.name()).collect();
    let mut table = format!("| scope | {} |\n|---{}|\n", of.join(" | "), "|---".repeat(of.len()));
    for scope in Scope::ALL {
        let rows: Vec<&str> = TokenScope::ALL.iter().map(|of| scope.rows(*of).name()).collect();
        writeln!(table, "| {} | {} |", scope.name(), rows.join(" | ")).unwrap();
    }
    table
}

fn scopes() -> String {
    let mut table = "| scope | who may call | methods |\n|---|---|---|\n".to_owned();
    for scope in Scope::ALL {
        let of = methods().filter(|method| method.scope == *scope);
        let names: Vec<String> = of.map(|method| format!("`{}`", method.name)).collect();
        let (name, readers, names) = (scope.name(), scope.readers(), names.join(", "));
        writeln!(table, "| `{name}` | {readers} | {names} |").unwrap();
    }
    table
}

fn errors_of(method: &Method) -> String {
    let own = method.errors.iter().map(|error| format!("`{}` ({})", error.name(), error.code()));
    let mut all: Vec<String> = own.collect();
    if method.rejects_batches {
        all.insert(0, "rejections 100 to 116 ([rejections.md](rejections.md))".to_owned());
    }
    if all.is_empty() { "none of its own".to_owned() } else { all.join(", ") }
}

fn code(value: &Value) -> String {
    format!("```json\n{}\n```\n", serde_json::to_string_pretty(value).unwrap())
}

/// The section of a method, as the document has it.
fn described(method: &Method, row: &Value, call: &RecordedCall) -> String {
    let mut page = format!("\n#### {}\n\n{}\n", method.name, wrapped(&method.summary()));
    for paragraph in paragraphs(&method.description()) {
        write!(page, "\n{}\n", wrapped(&paragraph)).unwrap();
    }
    if !method.parameters.is_empty() {
        page += "\n| parameter | form | | meaning |\n|---|---|---|---|\n";
    }
    for (parameter, described) in method.parameters.iter().zip(row["params"].as_array().unwrap()) {
        let presence = if parameter.is_optional { "optional" } else { "needed" };
        let meaning = cell(Term::of(parameter.name).unwrap().meaning);
        let form = form(&described["schema"]);
        writeln!(page, "| `{}` | {form} | {presence} | {meaning} |", parameter.name).unwrap();
    }
    let facts = [
        format!("- Answer: {}.", form(&row["result"]["schema"])),
        format!("- Errors: {}.", errors_of(method)),
        format!("- Readers: {} (`{}`).", method.scope.readers(), method.scope.name()),
        format!("- Stability: {}.", method.stability.name()),
    ];
    page.push('\n');
    for fact in facts {
        writeln!(page, "{}", wrapped(&fact)).unwrap();
    }
    if let Some(events) = method.subscription {
        let event = form(&row["x-subscription"]["params"]["properties"]["result"]);
        let place = method.place().unwrap().name;
        for fact in [
            format!(
                "- Events: {event}, as `result` of the notification `{}`.",
                events.notification
            ),
            format!("- Without `{place}`: {}", events.without_place),
            format!("- To resume: {}", events.resume),
            format!("- To end it: `{}` with a list of the id.", events.unsubscribe),
        ] {
            writeln!(page, "{}", wrapped(&fact)).unwrap();
        }
    }
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": method.name, "params": call.params});
    let answer = json!({"jsonrpc": "2.0", "id": 1, "result": call.result});
    write!(page, "\n{}\n{}", code(&request), code(&answer)).unwrap();
    if let Some(notification) = &call.notification {
        write!(page, "\n{}", code(notification)).unwrap();
    }
    page
}

/// The errors that every method may give, and an answer of each kind.
fn errors_of_any_method() -> String {
    let own = ApiError::OF_ANY_METHOD.iter();
    let own = own.map(|error| format!("`{}` ({})", error.name(), error.code()));
    let protocol = PROTOCOL_ERRORS.iter().map(|error| error.code.to_string());
    let all: Vec<String> = own.chain(protocol).collect();
    let sentence = format!("Every method may give these beside its own: {}.", all.join(", "));
    let mut page = format!("{}\n", wrapped(&sentence));
    let refusals: Value = serde_json::from_str(REFUSALS).unwrap();
    for (method, call) in refusals.as_object().unwrap() {
        let params = &call["params"];
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        write!(page, "\n{}\n{}", code(&request), code(&call["answer"])).unwrap();
    }
    page
}

fn errors() -> String {
    let mut table =
        "| code | name | transient | cause | remedy |\n|---|---|---|---|---|\n".to_owned();
    for error in ApiError::ALL {
        let transient = if error.is_transient() { "yes" } else { "no" };
        let (code, name) = (error.code(), error.name());
        let (cause, remedy) = (error.cause(), error.remedy());
        writeln!(table, "| {code} | `{name}` | {transient} | {cause} | {remedy} |").unwrap();
    }
    for error in PROTOCOL_ERRORS {
        let (code, cause, remedy) = (error.code, error.cause, error.remedy);
        writeln!(table, "| {code} | | | {cause} | {remedy} |").unwrap();
    }
    table
}

fn page() -> String {
    let document = document();
    let calls: std::collections::BTreeMap<String, RecordedCall> =
        serde_json::from_str(RECORDED).unwrap();
    let mut page = format!("{BEGIN}\n## Methods\n\n{}", overview());
    page += "\n## Who may read what\n\n";
    page +=
        "A node enforces this table by tokens ([access.md](access.md)). The second table says\n";
    page += "which rows a token's scope reads: `own` are rows that name one of its parties.\n\n";
    page += &scopes();
    page += "\n";
    page += &rows();
    page += "\n## Each method\n";
    let mut namespace = "";
    for method in methods() {
        if namespace != method.namespace() {
            namespace = method.namespace();
            write!(page, "\n### Methods of {namespace}\n").unwrap();
        }
        let rows = document["methods"].as_array().unwrap();
        let row = rows.iter().find(|row| row["name"] == method.name).unwrap();
        let call = calls.get(method.name).unwrap_or_else(|| {
            panic!("{} has no recorded answer: see CONTRIBUTING.md", method.name)
        });
        page += &described(method, row, call);
    }
    page += "\n## Types\n";
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        page += &section(name, schema);
    }
    write!(page, "\n{END}\n{}\n{}", errors_of_any_method(), errors()).unwrap();
    page
}

#[test]
fn the_page_is_printed_from_the_table() {
    keep(PAGE, &page());
}
