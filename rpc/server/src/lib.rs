//! Serves a node's public interface: JSON-RPC 2.0 over HTTP and WebSocket at `/` of one port. On
//! an address of its own it serves the operator's paths: `/healthz` (the process lives), `/readyz`
//! (it serves) and Prometheus figures at `/metrics`.
//!
//! The server is transport: it serves a table of methods that whoever starts it has made, holds
//! every call against its method's signature, and gives the methods a [`Reader`] to read with and
//! [`Feeds`] for what clients subscribe to. Every limit is in [`ServerConfig`] and in the table
//! [`LIMITS`]: nothing that a client does makes memory grow without bound, and nothing panics.
//! Beside JSON-RPC it serves the files that it was given, each a [`StaticFile`] at one path.
//! Transport, framing and accounting are our own
//! (docs/adr/0031-a-message-is-in-hand-until-its-answer-is-written.md); jsonrpsee's part is the
//! table of methods.

mod access;
mod answer;
mod aside;
mod budget;
mod config;
mod connection;
mod cost;
mod depth;
mod dispatch;
mod fair;
mod feed;
mod files;
mod gate;
mod http;
mod limits;
mod metrics;
mod operator;
mod parameters;
mod port;
mod reader;
mod reads;
mod request;
mod seldom;
mod server;
mod shares;
mod static_file;
mod subscriptions;
mod tls;
mod tokens;
mod turns;
mod websocket;

pub use access::AccessRule;
pub use config::{ForwardedHeader, ServerConfig};
pub use cost::Cost;
pub use depth::JSON_DEPTH_MAX;
pub use feed::{Feed, FeedEvent, Feeds, Topic};
pub use limits::{LIMITS, Limit};
pub use operator::Health;
pub use reader::Reader;
pub use seldom::Seldom;
pub use server::{Server, ServerFault};
pub use static_file::StaticFile;
pub use subscriptions::Subscriber;
pub use tls::{TlsFault, TlsFiles};
pub use tokens::{TOKEN_PREFIX, TOKENS_MAX, Token, TokenRecord, TokensFault, TokensFile};
pub use turns::ask_for_short_turns;
