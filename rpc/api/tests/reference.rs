//! docs/rpc.md says what the code says: every error as it is, every method by its name.
#![allow(clippy::unwrap_used)]

use rpc_api::ApiError;
use rpc_api::error::PROTOCOL_ERRORS;

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
