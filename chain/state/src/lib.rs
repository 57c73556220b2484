//! The books and records in memory: accounts, orders, reservations, windows and instructions,
//! what a block changes of them, and the digest that every validator must get.
//!
//! Nothing here decides: rules are `contracts`'. Nothing here opens a file or a socket, reads a
//! clock, starts a thread or draws randomness; hash maps are looked up in, never walked.
#![warn(clippy::iter_over_hash_type)]

pub mod account;
pub mod accounts_tree;
pub mod fault;
mod numbered;
pub mod order_window;
pub mod records;

pub use account::{Account, AccountKey, AccountKind, CounterOverflow, SCHEME_OWNER};
pub use accounts_tree::AccountProof;
pub use fault::StateFault;
pub use order_window::{BLOCK_BATCHES_LIMIT, Departing, Retired, SLICE_MS, check_timely};
pub use records::{
    AccountEntry, BreachRecord, BreachSubject, EntryCause, GatewayPosition, InstructionRecord,
    InstructionStatus, Location, OrderRecord, OrderStatus, Record, Reservation, Stage,
    WindowRecord,
};
