//! Faults: at start, for the operator; at a request, for the asking code.

use std::io;

use chain_types::PublicKey;

/// Why the network could not start.
#[derive(Debug, thiserror::Error)]
pub enum NetworkFault {
    /// An address is not one.
    #[error("{field}: `{value}` is not an address: {problem}; write host:port or a multiaddr")]
    Address {
        /// The name of the setting.
        field: String,
        /// The value of the setting.
        value: String,
        /// The problem with the value.
        problem: String,
    },
    /// A key is 32 bytes that no key pair has.
    #[error("{field}: {key} is not a usable ed25519 public key")]
    Key {
        /// The name of the setting.
        field: String,
        /// The key that cannot be used.
        key: PublicKey,
    },
    /// A limit contradicts another or is out of range.
    #[error("network limit {name} {problem}")]
    Limit {
        /// The name of the limit.
        name: String,
        /// The condition that it breaks.
        problem: &'static str,
    },
    /// The listen address could not be bound.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: String,
        /// The operating system's answer.
        source: io::Error,
    },
    /// The encrypted transport could not be set up.
    #[error("cannot set up the encrypted transport: {0}")]
    Transport(String),
}

/// Why a request has no answer. None of them says that the peer did not see the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The key is not on the allow list.
    #[error("no such peer")]
    UnknownPeer,
    /// There is no link to the peer now.
    #[error("not connected to the peer")]
    NotConnected,
    /// Too many of our requests to this peer are under way.
    #[error("too many requests to this peer are under way")]
    Busy,
    /// The request has no bytes, or more than the limit.
    #[error("the request has {actual} bytes, but 1 to {limit} are allowed")]
    RequestSize {
        /// The size of the message, in bytes.
        actual: usize,
        /// The largest message, in bytes.
        limit: usize,
    },
    /// No answer within the timeout.
    #[error("no answer in time")]
    Timeout,
    /// The link broke before the answer came.
    #[error("the link broke before the answer came")]
    Disconnected,
    /// The peer closed the request without an answer: it is busy, or does not serve this.
    #[error("the peer gave no answer")]
    Refused,
    /// The peer's answer broke the framing or its size limit.
    #[error("the peer's answer is malformed: {0}")]
    Malformed(String),
    /// The network is shut down.
    #[error("the network is stopped")]
    Stopped,
}
