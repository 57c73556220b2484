//! Proofs that a node gives about its books and anyone checks offline: an account's counters at a
//! height, and the report of a closed window.

mod account;
mod window;

pub use account::{ACCOUNT_PROOF_MAGIC, AccountProofError, ProvenAccount};
pub use window::{ProvenWindow, WindowProofError};
