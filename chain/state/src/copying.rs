//! A checkpoint is copied out of a state that goes on: piece by piece, between blocks and beside
//! whoever reads. What a block changes ahead of the copy is kept as it was, so that all pieces
//! together are the state at the height where the copy began (copy on write, at the grain of an
//! entry). No block waits longer for a larger state.

use std::sync::Arc;

use bincode::{Decode, Encode};
use chain_types::hash::Sha256Pieces;
use chain_types::{BlockHash, ChainId, Digest, Height, InstructionId, OrderId, TimeMs};

use crate::accounts::AccountsCopy;
use crate::map_copy::MapCopy;
use crate::records::{InstructionRecord, Reservation};
use crate::registry::Registry;
use crate::tables::TableCopies;
use crate::user_book::UsersCopy;
use crate::window::{WindowCopy, WindowOpening};

/// Opens a checkpoint: what it is of.
#[derive(Debug, Encode, Decode)]
pub(crate) struct Head {
    pub(crate) chain_id: ChainId,
    pub(crate) height: Height,
    pub(crate) time: TimeMs,
    pub(crate) block_hash: BlockHash,
    pub(crate) writes: Digest,
    pub(crate) digest: Digest,
    pub(crate) window: WindowOpening,
    /// True if a registry follows: one that governance changed.
    pub(crate) has_registry: bool,
}

/// How far the copy of a state has come: see [`crate::State::copying`]. Whoever holds one shows it
/// every block that the state takes meanwhile.
#[derive(Debug)]
pub struct Copying {
    pub(crate) head: Head,
    pub(crate) registry: Arc<Registry>,
    pub(crate) accounts: AccountsCopy,
    pub(crate) reservations: MapCopy<OrderId, Reservation>,
    pub(crate) window: WindowCopy,
    pub(crate) instructions: MapCopy<InstructionId, InstructionRecord>,
    pub(crate) tables: TableCopies,
    pub(crate) users: UsersCopy,
    /// The hash of all bytes so far; `None` once the checksum was given.
    pub(crate) hash: Option<Sha256Pieces>,
    /// The list that is being copied.
    pub(crate) list: usize,
}
