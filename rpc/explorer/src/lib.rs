//! The explorer: pages for people with a browser, which a node serves at `/explorer/` if its
//! configuration says so. docs/explorer.md shows what is on them.
//!
//! This crate is a table of files that are part of the binary. Their scripts ask the public
//! JSON-RPC interface of the node that served them, and nobody else: the explorer knows no more
//! than any client, and what it shows as verified it has verified in the browser.

mod table;

use std::io::Write as _;

use bytes::Bytes;
use chain_types::hash::sha256_of;
use flate2::Compression;
use flate2::write::GzEncoder;
use rpc_server::StaticFile;

/// The most bytes in gzip that a browser loads before the first page shows.
pub const FIRST_LOAD_BYTES_MAX: usize = 120_000;

const INDEX: &str = include_str!("../static/index.html");

/// Returns all files, each with its tag, its policy and, if that is shorter, its form in gzip.
/// Packing them takes some tens of milliseconds: call it once.
pub fn files() -> Vec<StaticFile> {
    let content_policy = content_policy();
    let file = |&(path, content_type, bytes): &table::Row| StaticFile {
        path,
        content_type,
        tag: sha256_of(bytes).to_string(),
        content_policy: content_policy.clone(),
        bytes: Bytes::from_static(bytes),
        gzip: packed(bytes).filter(|packed| packed.len() < bytes.len()),
    };
    table::FILES.iter().map(file).collect()
}

/// The bytes in gzip; the same bytes give the same form.
fn packed(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// The policy by which a browser lets the pages run these scripts and call the node that served
/// them. No script comes from a text (Trusted Types), but that lit-html makes templates of its own
/// literals.
fn content_policy() -> String {
    let map = base64_simd::STANDARD.encode_to_string(sha256_of(import_map().as_bytes()).bytes());
    [
        "default-src 'none'",
        &format!("script-src 'self' 'sha256-{map}'"),
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types lit-html",
    ]
    .join("; ")
}

/// The one script that stands in the page itself: it says which file is meant by a package's name.
fn import_map() -> &'static str {
    let after = INDEX.split_once("<script type=\"importmap\">").map_or("", |(_, rest)| rest);
    after.split_once("</script>").map_or("", |(map, _)| map)
}
