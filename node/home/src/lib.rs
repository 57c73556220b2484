//! Everything that can be read from one node's folder: the state rebuilt, orders, receipts, proofs,
//! statements, and the whole chain held against the independent auditor.

pub mod archive;
pub mod audit;
pub mod backup;
pub mod blocks;
pub mod close;
pub mod contract_reports;
pub mod decided;
pub mod difference;
pub mod keys;
pub mod known;
pub mod lineages;
pub mod opening;
pub mod orders;
#[cfg(test)]
mod proof_tests;
mod proofs;
mod receipts;
pub mod reports;
pub mod statement;
#[cfg(test)]
mod test_chain;
mod version;
