//! The books and records in memory: accounts, orders, reservations, windows and instructions,
//! what a block changes of them, and the digest that every validator must get.
//!
//! Nothing here decides: rules are `contracts`'. Nothing here opens a file or a socket, reads a
//! clock, starts a thread or draws randomness; hash maps are looked up in, never walked.
#![warn(clippy::iter_over_hash_type)]

pub mod account;
mod accounts;
pub mod accounts_tree;
mod checkpoint;
pub mod fault;
mod genesis;
mod hot_accounts;
pub mod instructions;
mod numbered;
pub mod order_window;
pub mod overlay;
pub mod recent_batches;
pub mod records;
mod registry;
mod restoring;
mod state;
pub mod window;
mod writes;

#[cfg(test)]
mod tests;

pub use account::{Account, AccountKey, AccountKind, CounterOverflow, SCHEME_OWNER};
pub use accounts::TrialBalance;
pub use accounts_tree::AccountProof;
pub use fault::StateFault;
pub use hot_accounts::{Movement, Slot};
pub use order_window::{BLOCK_BATCHES_LIMIT, Departing, Retired, SLICE_MS, check_timely};
pub use overlay::{Breach, InstructionOverflow, Overlay};
pub use recent_batches::check_batch_timely;
pub use records::{
    AccountEntry, BreachRecord, BreachSubject, EntryCause, GatewayPosition, InstructionRecord,
    InstructionStatus, Location, OrderRecord, OrderStatus, Record, Reservation, Stage,
    WindowRecord,
};
pub use restoring::Restoring;
pub use state::State;
pub use window::{Collected, CollectedOrder, OpenWindow, WindowOpening};
pub use writes::{Changes, WriteSet};
