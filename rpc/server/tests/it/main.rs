//! The server over real sockets, with a few methods of the tests' own.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod files;
mod hostile;
mod json_rpc;
mod limits;
mod names;
mod raw;
mod reads;
mod served;
mod shares;
mod start_stop;
mod subscriptions;
mod tls;
mod websocket;
