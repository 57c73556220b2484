//! Byzantine fault tolerant agreement on one block a height, as a pure machine: [`Input`] in,
//! ordered [`Effect`]s out.
//!
//! Inside runs Malachite's sans-io Tendermint core; no name of it leaves this crate. Around it
//! stand what it leaves to its host: every message's sender and signature are checked before it
//! counts, future messages are bounded a validator, what a decision depends on is made durable
//! before anything leaves ([`Effect::Persist`]), and a vote guard ([`Effect::Guard`]) refuses to
//! sign a second value for one height, round and step, whatever the log says.
//!
//! This crate names no clock, socket, file, thread or source of randomness.

mod certificates;
mod consensus;
mod context;
mod convert;
mod desk;
mod fault;
mod guard;
mod hearing;
mod identity;
mod interface;
mod log;
mod machine;
mod messages;
mod progress;
mod proposers;
mod relay;
mod standing;
mod timeouts;

pub use certificates::{
    CertificateFlaw, PolkaCertificate, RoundCertificate, RoundCertificateKind, RoundVote,
};
pub use consensus::{Consensus, POWER_TOTAL_MAX};
pub use fault::ConsensusFault;
pub use interface::{Effect, Equivocation, Input, Timeout, TimeoutKind};
pub use messages::{
    MESSAGE_BYTES_MAX, MESSAGE_VERSION, Message, Proposal, SignedProposal, SignedVote,
};
pub use progress::{Progress, RoundStep};
pub use proposers::Proposers;
pub use relay::RELAYED_VOTES_MAX;
pub use standing::{MuteReason, Standing};
pub use timeouts::Timeouts;
