//! The interface's own description: the OpenRPC document, the page that is printed from it, and
//! the rule of changes that break clients. `SLUICE_WRITE_PAGES=1` writes both anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod breaking;
mod document;
mod languages;
mod page;
mod shape;
mod table;
mod types;

use serde_json::Value;

/// The last document that was checked in.
const DOCUMENT: &str = "../../docs/openrpc.json";

fn writes_pages() -> bool {
    std::env::var_os("SLUICE_WRITE_PAGES").is_some()
}

fn document() -> Value {
    rpc_api::document::document_value().unwrap()
}

/// Compares a page with the one that is checked in; writes it first if asked for.
fn keep(path: &str, expected: &str) {
    if writes_pages() {
        std::fs::write(path, expected).unwrap();
    }
    let actual = std::fs::read_to_string(path).unwrap();
    for (number, (is, ought)) in actual.lines().zip(expected.lines()).enumerate() {
        assert_eq!(is, ought, "{path}, line {}: SLUICE_WRITE_PAGES=1 writes it", number + 1);
    }
    assert_eq!(actual, expected, "{path}");
}
