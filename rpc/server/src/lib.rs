//! Serves a node's public interface on one port: JSON-RPC over HTTP and WebSocket at `/`,
//! Prometheus figures at `/metrics`, `/healthz` (the process lives) and `/readyz` (it serves).
//!
//! The server knows the interface and its limits; what it answers comes from a [`Backend`]. Every
//! limit is in [`ServerConfig`]: nothing that a client does makes memory grow without bound, and
//! nothing panics.

mod backend;
mod budget;
mod config;
mod connection;
mod contract_reads;
mod depth;
mod feed;
mod http;
mod methods;
mod metrics;
mod policy;
mod reads;
mod server;
mod subscriptions;
mod turns;

pub use backend::{Backend, BackendError, BlockName, InstructionsOf, Place};
pub use config::ServerConfig;
pub use contract_reads::{ContractReads, Pair, Read, User};
pub use depth::JSON_DEPTH_MAX;
pub use server::{Server, ServerFault};
pub use turns::ask_for_short_turns;
