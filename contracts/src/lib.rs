//! The rules: pure functions from a state, an operation and a block's context to an outcome.
//!
//! One module a contract, each of the same shape: its operations, its rules in the order in which
//! they are checked, its rejections, what it records, and what always holds afterwards. Admission
//! is advice; execution is law and checks everything again.
//!
//! Nothing here opens a file or a socket, reads a clock, starts a thread or draws randomness.
#![warn(clippy::iter_over_hash_type)]

mod absence;
mod admission;
mod block;
mod booked_order;
mod booking;
mod bounces;
pub mod calendar;
pub mod cashback;
mod changes;
mod collected;
mod consents;
mod evidence;
pub mod fx;
mod governance;
mod holds;
mod instructions;
mod lane;
mod lines;
mod liquidity;
pub mod lists;
mod orders;
mod periods;
mod policies;
mod promises;
pub mod reference;
mod registrars;
mod reservations;
mod returns;
mod risk;
mod separation;
mod settlement;
mod sla;
pub mod stayed;
mod stepping_in;
pub mod users;
mod windows;

pub use admission::admit;
pub use block::{BlockContext, BlockError, Executed, execute};
pub use evidence::{EvidenceError, check_evidence};
