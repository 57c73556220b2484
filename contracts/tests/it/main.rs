//! The rules as a finance person reads them: tables of operations and what becomes of them, and
//! random histories against an independent model of the books.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod kit;

mod batches;
mod blocks;
mod evidence;
mod examples;
mod frozen;
mod histories;
mod model;
mod orders;
mod past;
mod reservations;
mod restore;
mod settlement;
mod sla;
mod states;
