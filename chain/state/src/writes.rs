//! Everything that one block changes, and the digest it leads to.

use std::collections::BTreeMap;
use std::sync::Arc;

use chain_types::hash::{Domain, hash};
use chain_types::hash_many::HashMany;
use chain_types::{
    BatchId, BlockHash, BlockHeader, Change, Currency, Digest, Height, InstructionId, Merchant,
    MerchantId, OrderId, TimeMs, codec, merkle,
};

use crate::accounts::AccountWrite;
use crate::accounts_tree::{TreeChange, TreeNode};
use crate::records::{InstructionRecord, OrderRecord, ProgrammeRecord, Record, Reservation};
use crate::registry::Registry;
use crate::tables::TableChanges;
use crate::user_book::UserChanges;
use crate::window::WindowChange;

/// Bytes of a new order in the digest: id, fingerprint, batch, item, outcome, status.
const ORDER_BYTES: usize = 16 + 16 + 4 + 4 + 2 + 1;

/// A batch that may not commit again.
#[derive(Debug, Clone, Copy, bincode::Encode)]
pub(crate) struct BatchWrite {
    pub(crate) id: BatchId,
    pub(crate) valid_until: TimeMs,
    pub(crate) index: u32,
}

/// The changes of one block, before its header is known. Only [`crate::Overlay::finish`] makes one.
#[derive(Debug)]
pub struct Changes {
    pub(crate) height: Height,
    pub(crate) time: TimeMs,
    pub(crate) parent: BlockHash,
    pub(crate) accounts: Vec<AccountWrite>,
    pub(crate) tree: TreeChange,
    /// Orders new in this block, each as its submission left it.
    pub(crate) orders: Vec<(OrderId, OrderRecord)>,
    /// Orders that a later step changed, as it left them.
    pub(crate) steps: BTreeMap<OrderId, OrderRecord>,
    pub(crate) reservations: BTreeMap<OrderId, Option<Reservation>>,
    pub(crate) window: WindowChange,
    pub(crate) instructions: BTreeMap<InstructionId, InstructionRecord>,
    pub(crate) batches: Vec<BatchWrite>,
    pub(crate) tables: TableChanges,
    pub(crate) users: UserChanges,
    /// The registry that the next block executes under, when it changed.
    pub(crate) registry: Option<Arc<Registry>>,
    /// The changes that made it, in their order: it follows from them and from the one before.
    pub(crate) registry_changes: Vec<Change>,
    pub(crate) records: Vec<Record>,
    /// The running digest of all writes but accounts, after this block.
    pub(crate) writes: Digest,
    /// The digest of the whole state after this block.
    pub(crate) digest: Digest,
}

impl Changes {
    /// The digest of the whole state after the block: what its header must say.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The Merkle root over the records, and how many they are: what its header must say.
    pub fn records_root(&self) -> (u32, Digest) {
        let mut leaves = HashMany::default();
        for record in &self.records {
            leaves.push(|message| {
                message.push(merkle::LEAF_PREFIX);
                codec::append(message, record);
            });
        }
        let leaves = leaves.finish();
        let Ok(count) = u32::try_from(leaves.len()) else {
            panic!("more than 2^32 records in a block")
        };
        (count, merkle::root(&leaves))
    }

    /// The changes, bound to the block that causes them.
    pub fn seal(self, header: &BlockHeader) -> WriteSet {
        assert_eq!(header.height, self.height, "the header is of another height");
        assert_eq!(header.time, self.time, "the header is of another time");
        assert_eq!(header.parent, self.parent, "the header has another parent");
        assert_eq!(header.state_digest, self.digest, "the header has another state digest");
        WriteSet { block: header.hash(), changes: self }
    }

    /// The running digest after these changes: the one before, then all of them in canonical
    /// form. What the store indexes is in the header's records root instead.
    pub(crate) fn running_digest(&self, previous: Digest) -> Digest {
        let mut bytes = Vec::with_capacity(self.orders.len() * ORDER_BYTES + 4_096);
        bytes.extend_from_slice(&codec::encode(&(
            self.height,
            self.time,
            self.orders.len() as u64,
        )));
        for (id, record) in &self.orders {
            bytes.extend_from_slice(&id.bytes());
            bytes.extend_from_slice(&record.fingerprint);
            bytes.extend_from_slice(&record.location.batch.to_le_bytes());
            bytes.extend_from_slice(&record.location.item.to_le_bytes());
            bytes.extend_from_slice(&record.outcome.0.to_le_bytes());
            bytes.push(record.status.number());
        }
        codec::append(&mut bytes, &self.steps);
        codec::append(&mut bytes, &self.reservations);
        codec::append(&mut bytes, &self.window);
        codec::append(&mut bytes, &self.instructions);
        codec::append(&mut bytes, &self.batches);
        codec::append(&mut bytes, &self.tables);
        codec::append(&mut bytes, &self.registry_changes);
        self.users.digest_bytes(&mut bytes);
        hash(Domain::Writes, &[&previous.bytes(), &bytes])
    }
}

/// Everything that a block changes. Opaque: [`crate::State::apply`] takes it.
#[derive(Debug)]
pub struct WriteSet {
    pub(crate) block: BlockHash,
    pub(crate) changes: Changes,
}

impl WriteSet {
    /// Returns the height of the block.
    pub fn height(&self) -> Height {
        self.changes.height
    }

    /// Returns true if it changes the registry.
    pub fn changes_registry(&self) -> bool {
        self.changes.registry.is_some()
    }

    /// The merchants that it adds or changes, as they are then.
    pub fn merchants(&self) -> impl Iterator<Item = &Merchant> {
        let changed = self.changes.tables.merchants.values().flatten();
        changed.map(|record| &record.merchant)
    }

    /// The programmes that it adds or changes, as they are then.
    pub fn programmes(&self) -> impl Iterator<Item = (&(MerchantId, Currency), &ProgrammeRecord)> {
        let changed = self.changes.tables.programmes.iter();
        changed.filter_map(|(key, record)| Some((key, record.as_ref()?)))
    }

    /// Returns the hash of the block.
    pub fn block(&self) -> BlockHash {
        self.block
    }

    /// Returns the records of the block that the store indexes.
    pub fn records(&self) -> &[Record] {
        &self.changes.records
    }

    /// Takes the records, so that they are not copied: they are no part of the state.
    pub fn take_records(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.changes.records)
    }

    /// The nodes of the accounts' tree that the block changed and that proofs of its accounts need
    /// once it is past.
    pub fn account_nodes(&self) -> Vec<TreeNode> {
        self.changes.tree.kept().collect()
    }

    /// The digest of the whole state after the block.
    pub fn digest(&self) -> Digest {
        self.changes.digest
    }

    /// The running digest of all writes but the accounts', after the block: proofs of an account
    /// hold it.
    pub fn running_writes(&self) -> Digest {
        self.changes.writes
    }
}
