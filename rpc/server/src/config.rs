//! The server's limits. Every one of them has a bound, and the defaults suit a public node.

use std::net::{Ipv4Addr, SocketAddr};

use ipnet::IpNet;

use crate::access::AccessRule;
use crate::static_file::StaticFile;
use crate::tls::TlsFiles;

/// The addresses of the server, and its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// The address of JSON-RPC; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The address of the operator's paths (`/healthz`, `/readyz`, `/metrics`); `None` for
    /// nowhere.
    pub operator_listen: Option<SocketAddr>,
    /// The files of TLS at the address of JSON-RPC; `None` for plain HTTP.
    pub tls: Option<TlsFiles>,
    /// The files of TLS at the address of the operator's paths; `None` for plain HTTP.
    pub operator_tls: Option<TlsFiles>,
    /// The most connections at once; further ones are told so and closed.
    pub connections_max: u32,
    /// The first descriptor number that no connection may take: from there on they are kept for
    /// the rest of the process. The system gives the lowest free number, so all below are taken.
    pub descriptor_ceiling: i32,
    /// The most connections of one address at once.
    pub connections_per_address_max: u32,
    /// Messages in hand for one WebSocket connection, from their bytes to their written answers;
    /// while it has as many, nothing more is read from it.
    pub calls_per_connection_max: u32,
    /// The most calls, and frames that are no calls, a second from one address, with as many at
    /// once.
    pub calls_per_second_max: u32,
    /// The most subscriptions at once, over all connections.
    pub subscriptions_max: u32,
    /// The most subscriptions of one address.
    pub subscriptions_per_address_max: u32,
    /// The most subscriptions of one connection.
    pub subscriptions_per_connection_max: u32,
    /// Bytes of the largest request body or WebSocket message; a full batch in base64 has 1.4 MB.
    pub body_bytes_max: u32,
    /// Bytes of request bodies in memory over all connections; further ones are put off.
    pub bodies_bytes_max: u32,
    /// Bytes of request bodies in memory from one address; further ones are put off.
    pub bodies_bytes_per_address_max: u32,
    /// Bytes of the largest response.
    pub response_bytes_max: u32,
    /// Bytes of answers that are made and not yet written, over all connections.
    pub answers_bytes_max: u32,
    /// Bytes of answers to one address that are made and not yet written. Further answers are
    /// replaced by a refusal.
    pub answers_bytes_per_address_max: u32,
    /// Requests of the longest JSON-RPC list of requests.
    pub list_requests_max: u32,
    /// Cheap reads at once: a row of the index, or a few.
    pub reads_max: u32,
    /// Dear reads at once: pages and proofs.
    pub dear_reads_max: u32,
    /// Reads that wait, of each of three kinds: cheap ones, questions after a batch, dear ones.
    pub reads_waiting_max: u32,
    /// The time until a request's header must be complete, from the connection or the last response
    /// on.
    pub header_timeout_ms: u64,
    /// The time until a request's body must be complete, or a WebSocket message from its first byte
    /// on.
    pub body_timeout_ms: u64,
    /// The time until a call must be answered. The wait of `batch_submit` is not counted.
    pub call_timeout_ms: u64,
    /// The time until a client must have taken an answer, with `write_bytes_per_second_min` on top.
    pub write_timeout_ms: u64,
    /// The slowest rate at which a client may take a large answer.
    pub write_bytes_per_second_min: u32,
    /// The longest `timeout_ms` of `batch_submit`.
    pub wait_ms_max: u64,
    /// The time between two pings of a WebSocket connection.
    pub ping_interval_ms: u64,
    /// The time that a WebSocket connection may leave pings unanswered.
    pub inactive_ms_max: u64,
    /// The time that connections have to finish their calls when the server stops.
    pub stop_timeout_ms: u64,
    /// Names under which clients may address the node; `localhost` and IP addresses always may.
    pub hosts: Vec<String>,
    /// Origins whose pages browsers may call from, such as `https://example.com`; `*` for any.
    pub origins: Vec<String>,
    /// Networks of proxies that name the client in `forwarded_header`.
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which trusted proxies name the client.
    pub forwarded_header: ForwardedHeader,
    /// The callers that are answered.
    pub access: AccessRule,
    /// Files that are served beside JSON-RPC. Where there are any, their own pages may call.
    pub files: Vec<StaticFile>,
}

/// The header that proxies write the client's address to. One only: the other would be the
/// client's own word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// A list of addresses, the client's first: `X-Forwarded-For: client, proxy`.
    #[default]
    XForwardedFor,
    /// A list of pairs, the client's first: `Forwarded: for=client, for=proxy` (RFC 7239).
    Forwarded,
}

const MIB: u32 = 1024 * 1024;

/// A fourth of the cores, one at least: the others are for consensus and submissions.
fn dear_reads_of(cores: std::io::Result<std::num::NonZeroUsize>) -> u32 {
    let cores = cores.map_or(1, std::num::NonZeroUsize::get);
    u32::try_from(cores / 4).unwrap_or(u32::MAX).max(1)
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            operator_listen: None,
            tls: None,
            operator_tls: None,
            connections_max: 1_024,
            connections_per_address_max: 256,
            descriptor_ceiling: i32::MAX,
            calls_per_connection_max: 64,
            calls_per_second_max: 10_000,
            subscriptions_max: 2_048,
            subscriptions_per_address_max: 512,
            subscriptions_per_connection_max: 16,
            body_bytes_max: 2 * MIB,
            // A body costs two to three times its bytes while it is read, parsed and copied: so
            // these two keep what strangers send and leave unread below 64 MiB of memory.
            bodies_bytes_max: 16 * MIB,
            bodies_bytes_per_address_max: 12 * MIB,
            response_bytes_max: 6 * MIB,
            answers_bytes_max: 8 * MIB,
            answers_bytes_per_address_max: 6 * MIB,
            list_requests_max: 32,
            reads_max: 8,
            dear_reads_max: dear_reads_of(std::thread::available_parallelism()),
            reads_waiting_max: 512,
            header_timeout_ms: 10_000,
            body_timeout_ms: 10_000,
            call_timeout_ms: 30_000,
            write_timeout_ms: 10_000,
            write_bytes_per_second_min: 256 * 1024,
            wait_ms_max: 60_000,
            ping_interval_ms: 20_000,
            inactive_ms_max: 60_000,
            stop_timeout_ms: 3_000,
            hosts: Vec::new(),
            origins: Vec::new(),
            trusted_proxies: Vec::new(),
            forwarded_header: ForwardedHeader::default(),
            access: AccessRule::default(),
            files: Vec::new(),
        }
    }
}
