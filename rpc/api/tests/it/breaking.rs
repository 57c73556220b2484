//! Changes of the interface that break a client which was written by the document before.
//!
//! A client sends what the old document allowed, and reads what the old document promised. So a
//! parameter may take more and never less, and an answer may have more and never less. Names in a
//! closed list of an answer may be added: the page tells clients to accept those.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// The first number of a document's version.
pub fn major(document: &Value) -> u64 {
    let version = document["info"]["version"].as_str().unwrap();
    version.split('.').next().unwrap().parse().unwrap()
}

/// The side that writes the values of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writer {
    Client,
    Node,
}

/// The changes from one document to the next that break a client of stable methods.
pub fn breaking(old: &Value, new: &Value) -> Vec<String> {
    let mut changes = Changes { old, new, found: Vec::new(), seen: BTreeSet::new() };
    for method in list(&old["methods"]) {
        if method["x-stability"] == "stable" {
            changes.method(method);
        }
    }
    for (name, error) in object(&old["components"]["errors"]) {
        if new["components"]["errors"][name]["code"] != error["code"] {
            changes.found.push(format!("error {name}: its code changed, or it is gone"));
        }
    }
    changes.found
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn number(value: &Value) -> Option<i128> {
    value.as_u64().map(i128::from).or_else(|| value.as_i64().map(i128::from))
}

struct Changes<'a> {
    old: &'a Value,
    new: &'a Value,
    found: Vec<String>,
    /// The places and pairs of references that were compared, for a schema may contain itself.
    seen: BTreeSet<String>,
}

impl<'a> Changes<'a> {
    fn method(&mut self, old: &'a Value) {
        let name = old["name"].as_str().unwrap();
        let Some(new) = list(&self.new["methods"]).iter().find(|one| one["name"] == name) else {
            return self.found.push(format!("{name}: it is gone"));
        };
        if new["x-stability"] != "stable" {
            self.found.push(format!("{name}: it is stable no longer"));
        }
        let (before, after) = (list(&old["params"]), list(&new["params"]));
        for (place, parameter) in before.iter().enumerate() {
            let shown = format!("{name}({})", parameter["name"].as_str().unwrap());
            match after.get(place) {
                Some(next) if next["name"] == parameter["name"] => {
                    if next["required"] == true && parameter["required"] != true {
                        self.found.push(format!("{shown}: it must be given now"));
                    }
                    self.schema(&shown, &parameter["schema"], &next["schema"], Writer::Client);
                }
                _ => self.found.push(format!("{shown}: it has another name or place")),
            }
        }
        for added in after.iter().skip(before.len()).filter(|one| one["required"] == true) {
            self.found.push(format!("{name}({}): a new one must be given", added["name"]));
        }
        let (before, after) = (&old["result"]["schema"], &new["result"]["schema"]);
        self.schema(&format!("{name} ->"), before, after, Writer::Node);
        let (before, after) = (&old["x-subscription"], &new["x-subscription"]);
        for member in ["notification", "unsubscribe"] {
            if before[member] != after[member] {
                self.found.push(format!("{name}: another {member}"));
            }
        }
        self.schema(&format!("{name} =>"), &before["params"], &after["params"], Writer::Node);
    }

    /// A schema without the references that lead to it, and their names.
    fn resolved(document: &'a Value, mut schema: &'a Value) -> (&'a Value, String) {
        let mut names = String::new();
        loop {
            let only = list(&schema["allOf"]);
            let reference = schema.get("$ref").or_else(|| only.first()?.get("$ref"));
            let Some(target) = reference.and_then(Value::as_str) else { return (schema, names) };
            names.push_str(target);
            schema = document.pointer(target.trim_start_matches('#')).unwrap();
        }
    }

    fn schema(&mut self, at: &str, old: &'a Value, new: &'a Value, writer: Writer) {
        let (old, old_name) = Self::resolved(self.old, old);
        let (new, new_name) = Self::resolved(self.new, new);
        if !old_name.is_empty() && !self.seen.insert(format!("{writer:?} {old_name} {new_name}")) {
            return;
        }
        let at = if old_name.is_empty() {
            at.to_owned()
        } else {
            format!("{at} {}", old_name.rsplit('/').next().unwrap())
        };
        self.kind(&at, old, new, writer);
        self.bounds(&at, old, new, writer);
        self.members(&at, old, new, writer);
        if let (Some(before), Some(after)) = (old.get("items"), new.get("items")) {
            self.schema(&format!("{at}[]"), before, after, writer);
        }
        for word in ["oneOf", "anyOf"] {
            self.choices(&format!("{at} {word}"), list(&old[word]), list(&new[word]), writer);
        }
    }

    fn kind(&mut self, at: &str, old: &Value, new: &Value, writer: Writer) {
        for word in ["type", "pattern", "const"] {
            if old.get(word).is_some() && old[word] != new[word] {
                let (before, after) = (&old[word], &new[word]);
                self.found.push(format!("{at}: {word} was {before}, and is {after}"));
            }
            let is_narrowed = writer == Writer::Client && old.get(word).is_none();
            if is_narrowed && new.get(word).is_some() {
                self.found.push(format!("{at}: {word} {} is asked for now", new[word]));
            }
        }
        let (before, after) = (list(&old["enum"]), list(&new["enum"]));
        let is_shorter = before.iter().any(|name| !after.contains(name));
        let is_first = before.is_empty() && !after.is_empty();
        if writer == Writer::Client && new.get("enum").is_some() && (is_shorter || is_first) {
            self.found.push(format!("{at}: a name is taken no longer"));
        }
    }

    /// Bounds of numbers and lengths: a client's may widen, a node's may narrow.
    fn bounds(&mut self, at: &str, old: &Value, new: &Value, writer: Writer) {
        for (word, is_upper) in
            [("minimum", false), ("maximum", true), ("minLength", false), ("maxLength", true)]
        {
            let (before, after) = (number(&old[word]), number(&new[word]));
            let (wide, narrow) =
                if writer == Writer::Client { (after, before) } else { (before, after) };
            let is_within = match (wide, narrow) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(wide), Some(narrow)) if is_upper => narrow <= wide,
                (Some(wide), Some(narrow)) => narrow >= wide,
            };
            if !is_within {
                self.found.push(format!("{at}: {word} was {before:?}, and is {after:?}"));
            }
        }
    }

    fn members(&mut self, at: &str, old: &'a Value, new: &'a Value, writer: Writer) {
        for (name, before) in object(&old["properties"]) {
            match new["properties"].get(name) {
                Some(after) => self.schema(&format!("{at}.{name}"), before, after, writer),
                None => self.found.push(format!("{at}.{name}: it is gone")),
            }
        }
        let (before, after) = (list(&old["required"]), list(&new["required"]));
        let (needed, given) =
            if writer == Writer::Client { (after, before) } else { (before, after) };
        for name in needed.iter().filter(|name| !given.contains(name)) {
            let is_gone =
                writer == Writer::Node && new["properties"].get(name.as_str().unwrap()).is_none();
            if !is_gone {
                let problem = match writer {
                    Writer::Client => "it must be given now",
                    Writer::Node => "it may be absent now",
                };
                self.found.push(format!("{at}.{}: {problem}", name.as_str().unwrap()));
            }
        }
    }

    /// Alternatives, told apart by the constant of their `kind`, else by their place.
    fn choices(&mut self, at: &str, old: &'a [Value], new: &'a [Value], writer: Writer) {
        let kind_of = |one: &Value| one["properties"]["kind"]["const"].clone();
        for (place, before) in old.iter().enumerate() {
            let kind = kind_of(before);
            let after = match &kind {
                Value::Null => new.get(place),
                kind => new.iter().find(|one| kind_of(one) == *kind),
            };
            match after {
                Some(after) => self.schema(&format!("{at} {kind}"), before, after, writer),
                None if writer == Writer::Client => {
                    self.found.push(format!("{at} {kind}: it is taken no longer"));
                }
                None => {}
            }
        }
    }
}

/// A document of one method, with everything that can change.
fn small() -> Value {
    json!({
        "info": { "version": "1.0.0" },
        "methods": [{
            "name": "a_read",
            "x-stability": "stable",
            "params": [
                { "name": "id", "required": true, "schema": { "type": "string", "pattern": "^a$" } },
                { "name": "limit", "required": false, "schema": { "$ref": "#/components/schemas/Limit" } },
                { "name": "wait", "required": false, "schema": { "type": "string", "enum": ["a", "b"] } },
            ],
            "result": { "schema": { "$ref": "#/components/schemas/Report" } },
            "x-subscription": { "notification": "a_event", "unsubscribe": "a_end", "params": {} },
        }],
        "components": {
            "schemas": {
                "Limit": { "type": "integer", "minimum": 1, "maximum": 100 },
                "Report": {
                    "type": "object",
                    "required": ["height"],
                    "properties": {
                        "height": { "type": "integer", "minimum": 0, "maximum": 100 },
                        "state": { "type": "string", "enum": ["a"] },
                        "items": { "type": "array", "items": { "type": "string", "pattern": "^x$" } },
                        "change": { "oneOf": [
                            { "properties": { "kind": { "const": "k" }, "node": { "type": "integer" } } },
                        ] },
                        "self": { "$ref": "#/components/schemas/Report" },
                    },
                },
            },
            "errors": { "not-found": { "code": 1003 } },
        },
    })
}

#[test]
fn what_breaks_a_client_is_named_and_what_does_not_is_not() {
    const METHOD: &str = "/methods/0";
    const REPORT: &str = "/components/schemas/Report";
    type Row = (&'static str, &'static str, Value, &'static str);
    let rows: [Row; 25] = [
        // What is asked of clients.
        (METHOD, "/name", json!("b_read"), "a_read: it is gone"),
        (METHOD, "/x-stability", json!("experimental"), "stable no longer"),
        (METHOD, "/params/0/name", json!("ident"), "another name or place"),
        (METHOD, "/params/1/required", json!(true), "must be given now"),
        (METHOD, "/params/0/schema/pattern", json!("^b$"), "pattern was"),
        (METHOD, "/params/0/schema/maxLength", json!(3), "maxLength"),
        (METHOD, "/params/2/schema/enum", json!(["a"]), "a name is taken no longer"),
        (METHOD, "/params/2/schema/enum", json!(["a", "b", "c"]), ""),
        (METHOD, "/params/3", json!({"name": "new", "required": true, "schema": {}}), "a new one"),
        (METHOD, "/params/3", json!({"name": "new", "required": false, "schema": {}}), ""),
        ("/components/schemas/Limit", "/maximum", json!(50), "maximum"),
        ("/components/schemas/Limit", "/maximum", json!(500), ""),
        // What is promised to them.
        (METHOD, "/x-subscription/notification", json!("b_event"), "another notification"),
        (METHOD, "/x-subscription/unsubscribe", json!("b_end"), "another unsubscribe"),
        (METHOD, "/result/schema", json!({"type": "string"}), "it is gone"),
        (REPORT, "/properties/height", json!({"type": "string"}), "type was"),
        (REPORT, "/properties/height/maximum", json!(200), "maximum"),
        (REPORT, "/properties/height/maximum", json!(50), ""),
        (REPORT, "/properties/items/items/pattern", json!("^y$"), "pattern was"),
        (REPORT, "/properties/change/oneOf/0/properties/node/type", json!("string"), "type was"),
        (REPORT, "/properties/state/enum", json!(["a", "b"]), ""),
        (REPORT, "/properties/new", json!({"type": "string"}), ""),
        (REPORT, "/required", json!([]), "may be absent now"),
        (REPORT, "/required", json!(["height", "state"]), ""),
        ("/components/errors", "/not-found/code", json!(1004), "its code changed"),
    ];
    assert_eq!(breaking(&small(), &small()), Vec::<String>::new());
    for (place, within, value, expected) in rows {
        let mut changed = small();
        let (parent, member) = within.rsplit_once('/').unwrap();
        let parent = changed.pointer_mut(&format!("{place}{parent}")).unwrap();
        match parent {
            Value::Array(values) => values.insert(member.parse().unwrap(), value.clone()),
            other => other[member] = value.clone(),
        }
        let found = breaking(&small(), &changed);
        let is_named = found.iter().any(|one| one.contains(expected));
        assert_eq!(is_named, !expected.is_empty(), "{place}{within} {value}: {found:?}");
        assert!(!expected.is_empty() || found.is_empty(), "{place}{within} {value}: {found:?}");
    }
    let mut gone = small();
    gone["components"]["schemas"]["Report"]["properties"] = json!({});
    assert!(breaking(&small(), &gone).len() >= 5, "each member that is gone is named");
    assert!(major(&small()) == 1);
}
