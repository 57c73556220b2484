//! Serves a node's public interface: JSON-RPC 2.0 over HTTP and WebSocket at `/` of one port. On
//! an address of its own it serves the operator's paths: `/healthz` (the process lives), `/readyz`
//! (it serves) and Prometheus figures at `/metrics`.
//!
//! The server knows the interface and its limits; what it answers comes from a [`Backend`]. Every
//! limit is in [`ServerConfig`] and in the table [`LIMITS`]: nothing that a client does makes
//! memory grow without bound, and nothing panics. Transport, framing and accounting are our own
//! (docs/adr/0031-a-message-is-in-hand-until-its-answer-is-written.md); jsonrpsee's part is the
//! table of methods.

mod answer;
mod backend;
mod budget;
mod config;
mod connection;
mod contract_reads;
mod depth;
mod dispatch;
mod feed;
mod gate;
mod http;
mod limits;
mod methods;
mod metrics;
mod operator;
mod reads;
mod request;
mod seldom;
mod server;
mod shares;
mod subscriptions;
mod turns;
mod websocket;

pub use backend::{Backend, BackendError, BlockName, InstructionsOf, Place};
pub use config::{ForwardedHeader, ServerConfig};
pub use contract_reads::{ContractReads, Pair, Read, User};
pub use depth::JSON_DEPTH_MAX;
pub use limits::{LIMITS, Limit};
pub use server::{Server, ServerFault};
pub use turns::ask_for_short_turns;
