//! What the scheduler promises: shares, order, decisions by a header, a table that can be checked,
//! pacing, a forecast, and all of them together before a simulated crowd.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../crowd/mod.rs"]
mod crowd;

mod attacks;
mod block_time;
mod capacity;
mod closed_loop;
mod crowds;
mod decisions;
mod forecast;
mod long_blocks;
mod outlook;
mod paced;
mod pacing;
mod queues;
mod shares;
mod steady;
mod support;
