//! The index's tables: each is a name, a type of key and a type of value. Keys are big-endian, so
//! that their byte order is their own order, and pages are ranges.

use bincode::{Decode, Encode};
use chain_state::{
    AccountKey, BreachRecord, EvidenceRecord, InstructionRecord, PolicyKey, PolicyRecord,
    ProposalRecord, QuoteRecord, RateKey, RateRecord, RegistryRecord, ReturnRecord, TransferRecord,
    WindowRecord, WindowSettlement,
};
use chain_types::{
    BatchId, BlockHash, Digest, Height, InstructionId, OrderId, ParticipantId, ProposalId, QuoteId,
    RecordCursor, TimeMs, TransferId, WindowId,
};

use crate::block_files::Position;
use crate::entry_rows::EntryRow;
use crate::record_paths::{RecordName, RecordPath};

/// A table of the index.
pub(crate) trait Table {
    /// The name of its column family in RocksDB.
    const NAME: &'static str;
    /// The key by which its rows are found.
    type Key: TableKey;
    /// The value of its rows, in canonical form.
    type Value: Encode + Decode<()>;
}

/// A key with a form whose byte order is the key's own.
pub(crate) trait TableKey {
    /// The key's bytes, which sort as the keys do.
    type Bytes: AsRef<[u8]>;
    /// This key in it.
    fn to_bytes(&self) -> Self::Bytes;
}

macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident($name:literal): $key:ty => $value:ty;)*) => {
        $(
            $(#[$doc])*
            pub(crate) struct $table;

            impl Table for $table {
                const NAME: &'static str = $name;
                type Key = $key;
                type Value = $value;
            }
        )*

        /// The names of all tables.
        pub(crate) const TABLE_NAMES: &[&str] = &[$($name),*];
    };
}

tables! {
    /// Orders that left memory, many a row, by the last one's id: see [`crate::order_rows`].
    /// Filled by whole sorted runs only.
    Orders("orders"): OrderId => Vec<u8>;
    /// The place of each committed batch.
    Batches("batches"): BatchId => (Height, u32);
    /// The place of each committed block.
    Heights("heights"): Height => Place;
    /// The height of each committed block.
    Hashes("hashes"): BlockHash => Height;
    /// Windows, as last recorded.
    Windows("windows"): WindowId => WindowRecord;
    /// Windows that a settlement agent marked settled.
    WindowSettlements("window_settlements"): WindowId => WindowSettlement;
    /// Instructions, as last recorded.
    Instructions("instructions"): InstructionId => InstructionRecord;
    /// Instructions as each block left those that it ended: one that arrived may bounce and end
    /// again.
    InstructionsEnded("instructions_ended"): (InstructionId, Height) => InstructionRecord;
    /// Instructions that each gateway was ever given to pay.
    InstructionsByGateway("instructions_by_gateway"): (ParticipantId, InstructionId) => InstructionId;
    /// Entries of each account, a row a block: a block of many small batches has many.
    AccountEntries("account_entries"): (AccountKey, Height) => EntryRow;
    /// Nodes of the accounts' tree as each block left those that it changed, of the levels that are
    /// kept: [`chain_state::TreeNode`]. Leaves are not: accounts' entries say what they were.
    AccountNodes("account_nodes"): (NodeName, Height) => Digest;
    /// The deadlines that were missed.
    Breaches("breaches"): RecordCursor => BreachRecord;
    /// Validators caught at signing two values.
    Evidence("evidence"): RecordCursor => EvidenceRecord;
    /// Returns of each order, by sequence.
    Returns("returns"): (OrderId, u16) => ReturnRecord;
    /// Transfers, as last recorded.
    Transfers("transfers"): TransferId => TransferRecord;
    /// Rates of each pair and provider by the time of their observation, which ascends.
    Rates("rates"): (RateKey, TimeMs) => RateRecord;
    /// Quotes as issued; ids begin with their provider's.
    Quotes("quotes"): QuoteId => QuoteRecord;
    /// Risk policies, as last set.
    Policies("policies"): PolicyKey => PolicyRecord;
    /// Governance proposals, as last recorded.
    Proposals("proposals"): ProposalId => ProposalRecord;
    /// Registries that governance made, by the first height that executes under each.
    Registries("registries"): Height => RegistryRecord;
    /// Paths of the records that can be proven by themselves.
    RecordPaths("record_paths"): RecordName => RecordPath;
    /// The running digest of all writes but the accounts', after each block.
    WritesDigests("writes_digests"): Height => Digest;
    /// The index's own rows: see [`MetaKey`].
    Meta("meta"): MetaKey => Vec<u8>;
}

/// A place in the accounts' tree: levels above the leaves, and the place in the level.
pub(crate) type NodeName = (u8, u32);

/// The place of a committed block in the block files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Place {
    /// The position of the block's frame.
    pub block: Position,
    /// The position of its certificate's frame.
    pub certificate: Position,
}

/// The rows of [`Meta`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum MetaKey {
    /// The last height that was indexed, little-endian.
    Applied = 1,
    /// The place of the checkpoint: [`crate::checkpoint_file::CheckpointName`].
    Checkpoint = 2,
}

impl TableKey for MetaKey {
    type Bytes = [u8; 1];
    fn to_bytes(&self) -> [u8; 1] {
        [*self as u8]
    }
}

impl TableKey for OrderId {
    type Bytes = [u8; 16];
    fn to_bytes(&self) -> [u8; 16] {
        self.bytes()
    }
}

impl TableKey for BatchId {
    type Bytes = [u8; 32];
    fn to_bytes(&self) -> [u8; 32] {
        self.digest().bytes()
    }
}

impl TableKey for BlockHash {
    type Bytes = [u8; 32];
    fn to_bytes(&self) -> [u8; 32] {
        self.digest().bytes()
    }
}

impl TableKey for Height {
    type Bytes = [u8; 8];
    fn to_bytes(&self) -> [u8; 8] {
        self.get().to_be_bytes()
    }
}

impl TableKey for WindowId {
    type Bytes = [u8; 8];
    fn to_bytes(&self) -> [u8; 8] {
        self.get().to_be_bytes()
    }
}

impl TableKey for RecordName {
    type Bytes = [u8; 9];
    fn to_bytes(&self) -> [u8; 9] {
        let (kind, window) = match self {
            Self::Window(window) => (1, window),
            Self::WindowSettlement(window) => (2, window),
        };
        joined(&[&[kind], &window.get().to_be_bytes()])
    }
}

impl TableKey for InstructionId {
    type Bytes = [u8; 18];
    fn to_bytes(&self) -> [u8; 18] {
        joined(&[
            &self.window.get().to_be_bytes(),
            &self.merchant.get().to_be_bytes(),
            &self.currency.get().to_be_bytes(),
        ])
    }
}

impl TableKey for (InstructionId, Height) {
    type Bytes = [u8; 26];
    fn to_bytes(&self) -> [u8; 26] {
        joined(&[&self.0.to_bytes(), &self.1.to_bytes()])
    }
}

impl TableKey for (ParticipantId, InstructionId) {
    type Bytes = [u8; 22];
    fn to_bytes(&self) -> [u8; 22] {
        joined(&[&gateway_prefix(self.0), &self.1.to_bytes()])
    }
}

impl TableKey for (AccountKey, Height) {
    type Bytes = [u8; 19];
    fn to_bytes(&self) -> [u8; 19] {
        joined(&[&account_prefix(&self.0), &self.1.to_bytes()])
    }
}

impl TableKey for (NodeName, Height) {
    type Bytes = [u8; 13];
    fn to_bytes(&self) -> [u8; 13] {
        joined(&[&node_prefix(self.0), &self.1.to_bytes()])
    }
}

impl TableKey for (OrderId, u16) {
    type Bytes = [u8; 18];
    fn to_bytes(&self) -> [u8; 18] {
        joined(&[&self.0.bytes(), &self.1.to_be_bytes()])
    }
}

impl TableKey for TransferId {
    type Bytes = [u8; 16];
    fn to_bytes(&self) -> [u8; 16] {
        self.bytes()
    }
}

impl TableKey for ProposalId {
    type Bytes = [u8; 16];
    fn to_bytes(&self) -> [u8; 16] {
        self.bytes()
    }
}

impl TableKey for QuoteId {
    type Bytes = [u8; 8];
    fn to_bytes(&self) -> [u8; 8] {
        self.get().to_be_bytes()
    }
}

impl TableKey for (RateKey, TimeMs) {
    type Bytes = [u8; 16];
    fn to_bytes(&self) -> [u8; 16] {
        joined(&[&rate_prefix(&self.0), &self.1.get().to_be_bytes()])
    }
}

impl TableKey for PolicyKey {
    type Bytes = [u8; 12];
    fn to_bytes(&self) -> [u8; 12] {
        let (scope, subject, currency) = self;
        joined(&[
            &scope.number().to_be_bytes(),
            &subject.to_be_bytes(),
            &currency.get().to_be_bytes(),
        ])
    }
}

impl TableKey for RecordCursor {
    type Bytes = [u8; 12];
    fn to_bytes(&self) -> [u8; 12] {
        joined(&[&self.height.to_bytes(), &self.sequence.to_be_bytes()])
    }
}

/// Returns the bytes with which the keys of one gateway's instructions begin.
pub(crate) fn gateway_prefix(gateway: ParticipantId) -> [u8; 4] {
    gateway.get().to_be_bytes()
}

/// Returns the bytes with which the keys of one provider's rates of a pair begin.
pub(crate) fn rate_prefix((currency, payout_currency, provider): &RateKey) -> [u8; 8] {
    joined(&[
        &currency.get().to_be_bytes(),
        &payout_currency.get().to_be_bytes(),
        &provider.get().to_be_bytes(),
    ])
}

/// Returns the bytes with which the keys of one account's entries begin.
pub(crate) fn account_prefix(account: &AccountKey) -> [u8; 11] {
    joined(&[
        &[account.kind.number()],
        &account.owner.to_be_bytes(),
        &account.currency.get().to_be_bytes(),
    ])
}

/// Returns the bytes with which the keys of all versions of one node of the accounts' tree begin.
pub(crate) fn node_prefix((level, index): NodeName) -> [u8; 5] {
    joined(&[&[level], &index.to_be_bytes()])
}

fn joined<const SIZE: usize>(parts: &[&[u8]]) -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    let mut rest = bytes.as_mut_slice();
    for part in parts {
        let (head, tail) = rest.split_at_mut(part.len());
        head.copy_from_slice(part);
        rest = tail;
    }
    assert!(rest.is_empty(), "the parts fill the key");
    bytes
}

#[cfg(test)]
mod tests;
