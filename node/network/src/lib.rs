//! Encrypted links between the nodes of one chain: bytes in, bytes out.
//!
//! This is the only room that names libp2p, and it knows nothing of consensus. A node gives it its
//! key, an address to listen on, the peers to dial and the keys that may talk to it; it gives back
//! a cheap [`Network`] handle to send with and [`Events`] to receive from.
//!
//! What travels how:
//! - **Lanes.** Each connected peer has two long-lived streams in each direction,
//!   [`Lane::Consensus`] (small, urgent; the newest wins) and [`Lane::Bulk`] (batches; loss is
//!   repaired by asking). A message is a frame: length as u32 little-endian, then the bytes.
//! - **Requests.** One stream a question, for missing batches and block sync.
//!
//! Delivery is at most once in the usual case, at least never corrupted: a message may be lost
//! when a link breaks or a queue is full, and may rarely arrive twice after a stream was reopened.
//! Messages of one peer and lane arrive in the order of sending, except across a reopened stream.
//!
//! Who may talk: the allow list holds the registry's keys and nothing else, and the chain id is
//! part of the encrypted handshake (the noise prologue), so that a node of another chain, or a
//! stranger, never gets as far as a stream. What an allowed peer sends is bounded in frame size,
//! bytes and messages a second, and what of it waits for the node is bounded a peer, so that one
//! that floods waits for itself. One that breaks the rules, by the network's judgment or the node's
//! ([`Network::strike`]), is banned for a while.

mod address;
mod allowed;
mod budget;
mod command;
mod config;
mod dialer;
mod driver;
mod event;
mod exchange;
mod fault;
mod frame;
mod garbage;
mod gate;
mod handshakes;
mod lane;
mod lanes;
mod metrics;
mod muxer;
mod network;
mod queue;
mod reader;
mod referee;
mod remote;
mod requests;
mod strikes;
mod swarm;
mod throttle;
mod watchdog;
mod writer;

pub use budget::Budget;
pub use config::{LaneLimits, Limits, NetworkConfig, Peer};
pub use event::{Event, Events, Reply, Room};
pub use fault::{NetworkFault, RequestError};
pub use lane::Lane;
pub use network::{Network, peer_id};
pub use strikes::{Ignored, Strike};
pub use throttle::Throttle;
