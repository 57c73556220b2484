//! The OpenRPC document: valid by OpenRPC's own meta-schema, with examples that are valid by their
//! own schemas, and compatible with the last one that was checked in.

use serde_json::{Value, json};

use super::breaking::{breaking, major};
use super::{DOCUMENT, document, keep};

/// OpenRPC's meta-schema: `@open-rpc/meta-schema` 1.14.9 (Apache-2.0), unchanged.
const META_SCHEMA: &str = include_str!("openrpc-meta-schema.json");

/// The complaints of a validator about a value.
fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let validator = jsonschema::draft7::new(schema).unwrap();
    let faults = validator.iter_errors(value);
    faults.map(|fault| format!("{}: {fault}", fault.instance_path)).collect()
}

#[test]
fn the_document_is_valid_by_the_meta_schema() {
    let mut meta: Value = serde_json::from_str(META_SCHEMA).unwrap();
    // Its two references to other places: JSON Schema of draft 7, and a text.
    meta["definitions"]["JSONSchema"] =
        json!({ "$ref": "http://json-schema.org/draft-07/schema#" });
    meta["definitions"]["referenceObject"]["properties"]["$ref"] = json!({ "type": "string" });
    meta["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    assert_eq!(faults(&meta, &document()), Vec::<String>::new());
    let mut broken = document();
    broken["methods"][0]["params"] = json!("none");
    assert!(!faults(&meta, &broken).is_empty(), "the meta-schema judges");
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    fn walk(document: &Value, value: &Value) {
        match value {
            Value::Array(values) => values.iter().for_each(|one| walk(document, one)),
            Value::Object(members) => {
                if let Some(Value::String(target)) = members.get("$ref") {
                    let found = target.strip_prefix('#').and_then(|path| document.pointer(path));
                    assert!(found.is_some(), "{target} leads nowhere");
                }
                members.values().for_each(|one| walk(document, one));
            }
            _ => {}
        }
    }
    let document = document();
    walk(&document, &document);
}

#[test]
fn every_example_is_valid_by_its_own_schemas() {
    let document = document();
    let judge = |schema: &Value, value: &Value, what: &str| {
        let whole = json!({ "allOf": [schema], "components": document["components"] });
        assert_eq!(faults(&whole, value), Vec::<String>::new(), "{what}: {value:#}");
    };
    for method in rpc_api::methods() {
        let rows = document["methods"].as_array().unwrap();
        let row = rows.iter().find(|row| row["name"] == method.name).unwrap();
        let [example] = row["examples"].as_array().unwrap().as_slice() else {
            panic!(
                "{} has no recorded answer: SLUICE_WRITE_PAGES=1 cargo nextest run --release \
                 -p node-runtime -E 'test(every_example_runs_live)'",
                method.name
            );
        };
        judge(&row["result"]["schema"], &example["result"]["value"], method.name);
        for given in example["params"].as_array().unwrap() {
            let params = row["params"].as_array().unwrap();
            let known = params.iter().find(|one| one["name"] == given["name"]).unwrap();
            judge(&known["schema"], &given["value"], method.name);
        }
        // The table has the call, the record its answer: both are of one row.
        let table: Value = serde_json::from_str(method.example).unwrap();
        let given = example["params"].as_array().unwrap().iter();
        let given: serde_json::Map<String, Value> = given
            .map(|one| (one["name"].as_str().unwrap().to_owned(), one["value"].clone()))
            .collect();
        assert_eq!(table, Value::Object(given), "{}: record the example anew", method.name);
    }
}

/// Every member of every schema says what it is.
#[test]
fn every_schema_is_described() {
    let document = document();
    let mut complaints = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if schema["description"].as_str().is_none_or(str::is_empty) {
            complaints.push(name.clone());
        }
        let members = schema["properties"].as_object();
        for (member, described) in members.into_iter().flatten() {
            let is_described = described["description"].as_str().is_some();
            if !is_described && described.get("const").is_none() && described.get("$ref").is_none()
            {
                complaints.push(format!("{name}.{member}"));
            }
        }
        let text = schema.to_string();
        for word in ["[`", "crate::", "chain_types", "::new"] {
            assert!(!text.contains(word), "{name} speaks Rust: {word}");
        }
    }
    assert!(complaints.is_empty(), "without a description: {complaints:?}");
}

/// A change that breaks clients needs a higher first number of `INTERFACE_VERSION`; then, and for
/// any other change, the page is written anew.
#[test]
fn the_page_of_openrpc_is_the_one_that_is_checked_in_and_breaks_no_client() {
    let made = document();
    let text = serde_json::to_string_pretty(&made).unwrap() + "\n";
    let kept = std::fs::read_to_string(DOCUMENT).unwrap_or_else(|_| text.clone());
    let last: Value = serde_json::from_str(&kept).unwrap();
    let broken = breaking(&last, &made);
    assert!(
        broken.is_empty() || major(&made) > major(&last),
        "these changes break clients; undo them, or raise the first number of INTERFACE_VERSION \
         (rpc/api/src/document.rs):\n{}",
        broken.join("\n")
    );
    keep(DOCUMENT, &text);
}
