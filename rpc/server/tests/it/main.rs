//! The server over real sockets, with a table for a node.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod calls;
mod fake_contracts;
mod fake_node;
mod hostile;
mod json_rpc;
mod limits;
mod names;
mod parameters;
mod raw;
mod reads;
mod shares;
mod start_stop;
mod subscriptions;
mod websocket;
