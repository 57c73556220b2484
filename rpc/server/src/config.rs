//! The server's limits. Every one of them has a bound, and the defaults suit a public node.

use std::net::{Ipv4Addr, SocketAddr};

/// Where to listen, and how much to bear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// Where it listens; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The most connections at once; further ones are told so and closed.
    pub connections_max: u32,
    /// The first descriptor number that no connection may take: from there on they are kept for
    /// the rest of the process. The system gives the lowest free number, so all below are taken.
    pub descriptor_ceiling: i32,
    /// Calls in hand for one connection; while it has as many, nothing more is read from it.
    pub calls_per_connection_max: u32,
    /// The most calls a second from one address, with as many at once.
    pub calls_per_second_max: u32,
    /// The most subscriptions at once, over all connections.
    pub subscriptions_max: u32,
    /// The most subscriptions of one connection.
    pub subscriptions_per_connection_max: u32,
    /// Bytes of the largest request body or WebSocket message; a full batch in base64 has 1.4 MB.
    pub body_bytes_max: u32,
    /// Bytes of request bodies in memory over all connections; further ones are put off.
    pub bodies_bytes_max: u32,
    /// Bytes of the largest response.
    pub response_bytes_max: u32,
    /// Requests of the longest JSON-RPC list of requests.
    pub list_requests_max: u32,
    /// Reads from disk at once.
    pub reads_max: u32,
    /// By when a request's header must be complete, from the connection or the last response on.
    pub header_timeout_ms: u64,
    /// By when a request's body must be complete, from its header on.
    pub body_timeout_ms: u64,
    /// By when a call must be answered, the wait of `batch_submit` not counted.
    pub call_timeout_ms: u64,
    /// The longest `timeout_ms` of `batch_submit`.
    pub wait_ms_max: u64,
    /// The time between two pings of a WebSocket connection.
    pub ping_interval_ms: u64,
    /// How long a WebSocket connection may leave pings unanswered.
    pub inactive_ms_max: u64,
    /// How long connections may finish what they have in hand when the server stops.
    pub stop_timeout_ms: u64,
    /// Whether browsers may call from pages of other origins.
    pub cors: bool,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            connections_max: 1_024,
            descriptor_ceiling: i32::MAX,
            calls_per_connection_max: 64,
            calls_per_second_max: 10_000,
            subscriptions_max: 4_096,
            subscriptions_per_connection_max: 16,
            body_bytes_max: 2 * 1024 * 1024,
            bodies_bytes_max: 256 * 1024 * 1024,
            response_bytes_max: 16 * 1024 * 1024,
            list_requests_max: 32,
            reads_max: 8,
            header_timeout_ms: 10_000,
            body_timeout_ms: 10_000,
            call_timeout_ms: 30_000,
            wait_ms_max: 60_000,
            ping_interval_ms: 20_000,
            inactive_ms_max: 60_000,
            stop_timeout_ms: 3_000,
            cors: true,
        }
    }
}
