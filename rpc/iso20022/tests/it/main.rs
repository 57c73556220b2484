//! The crate from outside: what it writes is held against the schemas of ISO 20022, what it reads
//! against files that a bank might send, and the pages against the code.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;
mod vectors;
mod written;
