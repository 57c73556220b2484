//! One node's deciding half: consensus, pool, contracts and state composed into a machine that
//! takes an [`Input`] and answers with an ordered list of [`Effect`]s.
//!
//! It names no socket, clock, file or task, so the same replica runs under tokio (`node/runtime`)
//! and under the seeded simulator (`node/sim`). Who drives it carries the effects out in order:
//! an effect that makes something durable is durable before the next one begins.

mod candidates;
mod checkpoint;
mod commit;
mod committed;
mod effect;
mod evidence;
mod identity;
mod input;
mod message;
mod newcomer;
mod pace;
mod past;
mod progress;
mod proposals;
mod propose;
mod recover;
mod replica;
mod shares;
mod silence;
mod sync;
mod waiting;

pub use checkpoint::{Checkpoint, CheckpointInterval, SinceCheckpoint};
pub use committed::{Rules, SharedState, Snapshot, read_state};
pub use effect::{Effect, Target, Timer};
pub use identity::{NodeIndex, NodeKeys, Role};
pub use input::{Input, SyncBlock};
pub use message::{
    PEER_MESSAGE_BYTES_MAX, PeerMessage, PeerRequest, PeerResponse, REQUEST_BATCHES_MAX,
    REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX, SYNC_BLOCKS_MAX, SYNC_BYTES_MAX, WireBlock,
};
pub use past::{Archive, ArchivedOrder, Past, SharedArchive};
pub use progress::{PassedOver, PassedOverReason, ReplicaProgress, WaitsFor};
pub use recover::{ReplayError, Replayed, replay_block};
pub use replica::{Config, Replica};
pub use shares::{ShareQuestion, SharedScheduler, SubmitRefusal};
pub use waiting::WaitingBatches;
