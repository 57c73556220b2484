//! Proofs of accounts and windows of a small chain on disk.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod account;
mod window;
