//! Measures a network through its public JSON-RPC, plays whole days of the platform, and measures a
//! home with a long past.

pub mod bench;
pub mod history;
pub mod scenario;
