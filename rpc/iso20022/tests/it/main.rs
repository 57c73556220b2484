//! The crate from outside: what it writes is held against the schemas of ISO 20022, what it reads
//! against files that a bank might send, and the pages against the code.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(clippy::disallowed_methods)] // seeds and the folder of schemas are in the environment

mod evidence;
mod hostile;
mod readers;
mod reconcile;
mod support;
mod vectors;
mod written;
