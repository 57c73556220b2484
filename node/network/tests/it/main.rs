//! The network over real sockets of this machine.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod faults;
mod handshakes;
mod hostile;
mod membership;
mod node;
mod proxy;
mod restart;
mod slow;
mod strangers;
mod strikes;
mod talk;
mod throughput;
mod villain;
