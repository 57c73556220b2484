//! docs/rpc.md says what the code says: every error as it is, every method by its name.
#![allow(clippy::unwrap_used)]

use rpc_api::ApiError;
use rpc_api::error::PROTOCOL_ERRORS;
use rpc_api::signature::{Form, Parameter, SIGNATURES};

const PAGE: &str = include_str!("../../../docs/rpc.md");
const NAMESPACES: &[(&str, &str)] = &[
    ("batch", include_str!("../src/batch.rs")),
    ("recharge", include_str!("../src/recharge.rs")),
    ("settlement", include_str!("../src/settlement.rs")),
    ("ledger", include_str!("../src/ledger.rs")),
    ("fx", include_str!("../src/fx.rs")),
    ("cashback", include_str!("../src/cashback.rs")),
    ("risk", include_str!("../src/risk.rs")),
    ("governance", include_str!("../src/governance.rs")),
    ("chain", include_str!("../src/chain.rs")),
    ("node", include_str!("../src/node.rs")),
];

fn rows(start: &str) -> Vec<&'static str> {
    PAGE.lines().filter(|line| line.starts_with(start)).collect()
}

#[test]
fn every_error_has_its_row_and_no_row_is_left_over() {
    let mut expected: Vec<String> = ApiError::ALL
        .iter()
        .map(|error| {
            let transient = if error.is_transient() { "yes" } else { "no" };
            let (code, name) = (error.code(), error.name());
            format!("| {code} | `{name}` | {transient} | {} | {} |", error.cause(), error.remedy())
        })
        .collect();
    let protocol = PROTOCOL_ERRORS.iter();
    expected.extend(
        protocol
            .map(|error| format!("| {} | | | {} | {} |", error.code, error.cause, error.remedy)),
    );
    let actual: Vec<&str> = rows("| 1").into_iter().chain(rows("| -")).collect();
    assert_eq!(actual, expected);
}

#[test]
fn every_method_has_its_row_and_no_row_is_left_over() {
    let mut expected = Vec::new();
    for (namespace, source) in NAMESPACES {
        let traits = source.split("#[rpc(").nth(1).unwrap().split("\n}\n").next().unwrap();
        for line in traits.lines().map(str::trim) {
            let name = line.strip_prefix("#[method(name = \"").or(line.strip_prefix("name = \""));
            if let Some(name) = name.and_then(|rest| rest.split('"').next()) {
                expected.push(format!("| `{namespace}_{name}` |"));
            }
        }
    }
    let methods = rows("| `");
    assert!(expected.len() > 15);
    assert_eq!(methods.len(), expected.len());
    for (row, start) in methods.iter().zip(&expected) {
        assert!(row.starts_with(start), "{start} is not where {row} stands");
    }
}

/// The Rust type of a parameter's form.
const fn type_of(form: Form) -> &'static str {
    match form {
        Form::Text => "String",
        Form::U32 => "u32",
        Form::U64 => "u64",
        Form::Flag => "bool",
        Form::Base64 => "Base64Bytes",
        Form::Wait => "Wait",
        Form::Block => "BlockSelector",
        Form::Filter => "InstructionSelector",
    }
}

/// A trait's methods, each with its parameters as they are written: `cursor: Option<String>`.
fn methods_of(namespace: &str, source: &str) -> Vec<(String, Vec<String>)> {
    let traits = source.split("#[rpc(").nth(1).unwrap().split("\n}\n").next().unwrap();
    let starts = traits.split("#[method(").skip(1).chain(traits.split("#[subscription(").skip(1));
    starts
        .map(|text| {
            let name = text.split("name = \"").nth(1).unwrap().split('"').next().unwrap();
            let parameters = text.split(" fn ").nth(1).unwrap_or(text.split("fn ").nth(1).unwrap());
            let parameters = parameters.split_once('(').unwrap().1;
            let parameters = parameters.split(") ->").next().unwrap();
            let parameters = parameters.split(',').map(str::trim);
            let parameters = parameters.filter(|each| !each.is_empty() && *each != "&self");
            (format!("{namespace}_{name}"), parameters.map(str::to_owned).collect())
        })
        .collect()
}

#[test]
fn the_signatures_are_those_of_the_traits_and_of_the_page() {
    let mut count = 0;
    for (namespace, source) in NAMESPACES {
        for (method, parameters) in methods_of(namespace, source) {
            let signature = SIGNATURES.iter().find(|signature| signature.method == method);
            let signature = signature.unwrap_or_else(|| panic!("no signature of {method}"));
            let written = |parameter: &Parameter| match parameter.is_optional {
                true => format!("{}: Option<{}>", parameter.name, type_of(parameter.form)),
                false => format!("{}: {}", parameter.name, type_of(parameter.form)),
            };
            let expected: Vec<String> = signature.parameters.iter().map(written).collect();
            assert_eq!(expected, parameters, "{method}");
            count += 1;
        }
    }
    assert_eq!(SIGNATURES.len(), count, "a signature of no method");
    for (row, signature) in rows("| `").iter().zip(SIGNATURES) {
        let shown: Vec<String> =
            signature.parameters.iter().map(|parameter| format!("`{parameter}`")).collect();
        let start = format!("| `{}` | {} |", signature.method, shown.join(", "));
        assert!(row.starts_with(&start), "{start} is not where {row} stands");
    }
}
