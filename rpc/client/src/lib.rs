//! The tools of a party outside the network, and nothing that a node has: keys and nodes to talk
//! to, orders, batches, the typed RPC client.

pub mod access;
pub mod amounts;
pub mod answers;
mod asking;
mod call_error;
pub mod client;
pub mod lineage_file;
pub mod node_client;
pub mod operations;
pub mod order_file;
pub mod orders;
pub mod outlook;
pub mod paced;
pub mod party;
pub mod registered;
pub mod scheme;

#[cfg(test)]
mod tests;
