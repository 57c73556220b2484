//! Figures of honesty over real processes: honest validators run the binary `sluice`, and one
//! hostile peer in this process holds a node's real keys. One file a row of the table in
//! SECURITY.md; each prints one line of figures and asserts only what holds at any pace.
//!
//! `SLUICE_LONG` lets the double signing tests run many more rounds; `SLUICE_ROUNDS=N` says how
//! many.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod conduct;
mod double_start;
mod figures;
mod flood;
mod other_list;
mod peer;
mod recorder;
mod restore;
mod slow_sync;
#[path = "../support/mod.rs"]
mod support;
mod unknown_batch;
mod wrong_round;

/// The validators that run as processes in most tests, by their place.
const HONEST: [usize; 3] = [0, 1, 2];
/// The validator whose keys the peer in this process holds.
const HOSTILE: usize = 3;

/// How many rounds to run: `usual` ones, or `long` ones on demand.
fn rounds(usual: usize, long: usize) -> usize {
    let asked = std::env::var("SLUICE_ROUNDS").ok().and_then(|text| text.parse().ok());
    let is_long = std::env::var_os("SLUICE_LONG").is_some();
    asked.unwrap_or(if is_long { long } else { usual })
}
