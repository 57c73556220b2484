//! Several instances in one process on a small seeded network, and villains against single ones.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod agreement;
mod bytes;
mod checker;
mod crashes;
mod forgery;
mod liars;
mod lone;
mod relay;
mod restarts;
mod single;
mod turns;
mod world;
