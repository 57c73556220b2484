//! The interface's own description: the OpenRPC document, the page that is printed from it, and
//! the rule of changes that break clients. `SLUICE_WRITE_PAGES=1` writes both anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod breaking;
mod document;
mod page;
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
