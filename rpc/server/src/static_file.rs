//! A file that the public port is given to serve, and what a browser is told of it.

use bytes::Bytes;

/// A file with what a browser is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticFile {
    /// The path at which it is served, whole: `/explorer/style.css`.
    pub path: &'static str,
    /// Its media type, as the header `content-type` has it.
    pub content_type: &'static str,
    /// The hash of its bytes in visible ASCII without quotes; the entity tag is made of it.
    pub tag: String,
    /// The value of the header `content-security-policy`, in visible ASCII.
    pub content_policy: String,
    /// The bytes as they are.
    pub bytes: Bytes,
    /// The same in gzip, for clients that accept it; `None` where it would not be shorter.
    pub gzip: Option<Bytes>,
}
