//! The rules as short stories: what parties send, block by block, and the outcome of each item as
//! somebody works it out from `docs/settlement-rules.md` with a pencil.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cashback;
mod evidence;
mod findings;
mod fx;
mod governance;
mod kit;
mod liquidity;
mod orders;
mod returns;
mod risk;
mod windows;
