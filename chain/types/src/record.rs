//! Parts that the records of blocks share: the cause of an account's entry, and the places of
//! operations and records.

use bincode::{Decode, Encode};

use crate::ids::{InstructionId, OrderId, TransferId, WindowId};
use crate::numbered;
use crate::units::Height;

/// The operation that changed an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum EntryCause {
    /// Opening liquidity of the genesis file.
    Genesis,
    /// Orders of the batch at this place in the block.
    Batch(u32),
    /// Reservations that nobody collected in time.
    Expiry,
    /// The arrival of an instruction's money.
    Instruction(InstructionId),
    /// The close of a window: cashback owed is settled.
    WindowClose(WindowId),
    /// A return of an order, or an order that a risk desk released.
    Order(OrderId),
    /// A deposit, a withdrawal or a cap.
    Transfer(TransferId),
    /// The settlement of a window by the banks.
    Settlement(WindowId),
}

numbered! {
    /// The kind of operation that changed an account: an [`EntryCause`] without its id. The numbers
    /// are those under which causes are encoded.
    CauseKind: u32, name {
        /// Opening liquidity of the genesis file.
        Genesis = 0, "genesis";
        /// Orders of one batch.
        Batch = 1, "batch";
        /// Reservations that nobody collected in time.
        Expiry = 2, "expiry";
        /// The arrival of an instruction's money.
        Instruction = 3, "instruction";
        /// The close of a window: cashback owed is settled.
        WindowClose = 4, "window-close";
        /// A return of an order, or an order that a risk desk released.
        Order = 5, "order";
        /// A deposit, a withdrawal or a net debit cap.
        Transfer = 6, "transfer";
        /// The settlement of a window by the banks.
        Settlement = 7, "settlement";
    }
}

impl EntryCause {
    /// Returns the kind of the cause.
    pub const fn kind(self) -> CauseKind {
        match self {
            Self::Genesis => CauseKind::Genesis,
            Self::Batch(_) => CauseKind::Batch,
            Self::Expiry => CauseKind::Expiry,
            Self::Instruction(_) => CauseKind::Instruction,
            Self::WindowClose(_) => CauseKind::WindowClose,
            Self::Order(_) => CauseKind::Order,
            Self::Transfer(_) => CauseKind::Transfer,
            Self::Settlement(_) => CauseKind::Settlement,
        }
    }

    /// Returns the text of the id that the cause names; of a batch, its place in the block. `None`
    /// for genesis and expiry.
    pub fn subject(self) -> Option<String> {
        match self {
            Self::Genesis | Self::Expiry => None,
            Self::Batch(place) => Some(place.to_string()),
            Self::Instruction(id) => Some(id.to_string()),
            Self::WindowClose(id) | Self::Settlement(id) => Some(id.to_string()),
            Self::Order(id) => Some(id.to_string()),
            Self::Transfer(id) => Some(id.to_string()),
        }
    }
}

/// The place of an operation in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
pub struct Location {
    /// The height of the block.
    pub height: Height,
    /// The batch's place in the block.
    pub batch: u32,
    /// The item's place in the batch.
    pub item: u32,
}

/// The place of a record among those of its table: a page goes on after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordCursor {
    /// The height of the block that left the record.
    pub height: Height,
    /// The record's `sequence` within that block.
    pub sequence: u32,
}

impl RecordCursor {
    /// Returns the place of a block's first record.
    pub const fn first_of(height: Height) -> Self {
        Self { height, sequence: 0 }
    }

    /// Returns the place at or after a block's last record.
    pub const fn last_of(height: Height) -> Self {
        Self { height, sequence: u32::MAX }
    }
}
