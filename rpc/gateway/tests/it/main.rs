//! A gateway between a chain of the test and the simulated bank of `rpc/bank`. The bank misbehaves,
//! and keeps a journal of money that really moved: it says what was paid, not the chain and not the
//! gateway.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(clippy::disallowed_methods)] // a seed is in the environment

mod chain;
mod files;
mod paid_once;
mod reconciled;
mod situations;
mod words;
mod world;
