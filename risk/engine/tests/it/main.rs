//! What a desk promises: features that a replay gives again, models in one form, scores that their
//! reasons add up to, and verdicts that name their desk.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod features;
mod hostile;
mod models;
mod page;
mod replay;
mod scores;
mod support;
mod verdicts;
