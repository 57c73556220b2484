//! A state as bytes: everything but recent orders and recent batches, which the block files
//! hold and [`crate::Restoring`] takes from there.
//!
//! Layout: magic, then sections (length 4, canonical bytes), then SHA-256 of all before. Long
//! lists are cut into sections of [`SECTION_ITEMS`], so that no section nears the codec's limit.

use std::collections::BTreeMap;
use std::sync::Arc;

use bincode::{Decode, Encode};
use chain_types::hash::{Sha256Pieces, sha256};
use chain_types::registry::RegistryBounds;
use chain_types::{
    BlockHash, ChainGenesis, ChainId, Currency, Digest, Height, MerchantId, OrderId, TimeMs,
};

use crate::account::{Account, AccountKey};
use crate::accounts::AccountBook;
use crate::counts::{CountKey, Counts, CountsCopy};
use crate::fault::StateFault;
use crate::instructions::InstructionBook;
use crate::order_window::OrderWindow;
use crate::positions::HashSeeds;
use crate::recent_batches::RecentBatches;
use crate::records::{InstructionRecord, Reservation, WindowParty};
use crate::registry::{Registry, RegistryContent};
use crate::reservations::ReservationBook;
use crate::restoring::Restoring;
use crate::sections::{Reader, SECTION_BYTES_MAX, SECTION_ITEMS, put_list, put_map, put_section};
use crate::state::State;
use crate::tables::Tables;
use crate::users::{UserBook, UserDayKey, UserId, UserMonthKey};
use crate::window::{Collected, Due, DueKey, Gross, OpenWindow, WindowOpening};

const MAGIC: [u8; 8] = *b"SLUICES8";
const CHECKSUM_BYTES: usize = 32;

/// Opens a checkpoint: what it is of.
#[derive(Debug, Encode, Decode)]
struct Head {
    chain_id: ChainId,
    height: Height,
    time: TimeMs,
    block_hash: BlockHash,
    writes: Digest,
    digest: Digest,
    window: WindowOpening,
    /// Whether a registry follows: one that governance changed.
    has_registry: bool,
}

/// The content of a checkpoint, copied out of a state that then goes on. Taking it copies what is
/// counted for users as it lies in memory; making bytes of it and writing them takes many times as
/// long, and is for a thread that holds nobody up.
#[derive(Debug)]
pub struct Snapshot {
    /// Everything but the users, as bytes already.
    others: Vec<u8>,
    lines: CountsCopy<UserId>,
    months: CountsCopy<UserMonthKey>,
    days: CountsCopy<UserDayKey>,
}

impl Snapshot {
    /// The checkpoint's bytes, in pieces of at most a section of what is counted; what has been
    /// given is let go.
    pub fn into_pieces(self) -> impl Iterator<Item = Vec<u8>> {
        let Self { others, lines, months, days } = self;
        let counted = pieces(lines).chain(pieces(months)).chain(pieces(days));
        let mut content = std::iter::once(others).chain(counted);
        // Taken with the last piece, the checksum.
        let mut hash = Some(Sha256Pieces::default());
        std::iter::from_fn(move || {
            let Some(piece) = content.next() else {
                return hash.take().map(|hash| hash.finish().0.to_vec());
            };
            hash.as_mut()?.update(&piece);
            Some(piece)
        })
    }
}

impl State {
    /// The state as bytes, but for recent orders and recent batches.
    pub fn checkpoint(&self) -> Vec<u8> {
        self.snapshot().into_pieces().flatten().collect()
    }

    /// Copies the content that [`Self::checkpoint`] turns into bytes.
    pub fn snapshot(&self) -> Snapshot {
        let head = Head {
            chain_id: self.chain_id(),
            height: self.height,
            time: self.time,
            block_hash: self.block_hash,
            writes: self.writes,
            digest: self.digest(),
            window: self.window.opening,
            has_registry: !self.registry.is_of_genesis,
        };
        let mut bytes = MAGIC.to_vec();
        put_section(&mut bytes, &head);
        if head.has_registry {
            put_registry(&mut bytes, &self.registry.content);
        }
        let accounts = self.accounts.created();
        put_list(&mut bytes, accounts.len(), accounts.iter().copied());
        put_map(&mut bytes, self.reservations.all());
        put_map(&mut bytes, &self.window.collected);
        put_map(&mut bytes, &self.window.dues);
        put_map(&mut bytes, &self.window.legs);
        put_list(&mut bytes, self.instructions.len(), self.instructions.records().cloned());
        self.tables.put(&mut bytes);
        let UserBook { lines, months, days } = &self.users;
        let (lines, months, days) = (lines.copied(), months.copied(), days.copied());
        Snapshot { others: bytes, lines, months, days }
    }

    /// Reads a checkpoint of the chain of `genesis`. Blocks have to complete it.
    ///
    /// # Errors
    /// When the bytes are no checkpoint, are damaged, of another chain, or do not have the digest
    /// that they say.
    pub fn restore(genesis: &ChainGenesis, checkpoint: &[u8]) -> Result<Restoring, StateFault> {
        Self::restore_hashed(genesis, checkpoint, HashSeeds::of_chain(genesis.chain_id))
    }

    /// [`Self::restore`], its tables hashed by seeds of the node's own.
    ///
    /// # Errors
    /// As [`Self::restore`].
    pub fn restore_hashed(
        genesis: &ChainGenesis,
        checkpoint: &[u8],
        seeds: HashSeeds,
    ) -> Result<Restoring, StateFault> {
        let sections = checkpoint.strip_prefix(&MAGIC).ok_or(StateFault::Version)?;
        let Some((sections, checksum)) = sections.split_last_chunk::<CHECKSUM_BYTES>() else {
            return Err(StateFault::Damaged("it ends early"));
        };
        let covered = checkpoint.len() - CHECKSUM_BYTES;
        if sha256(&[&checkpoint[..covered]]).0 != *checksum {
            return Err(StateFault::Damaged("its checksum is another"));
        }
        let mut reader = Reader::new(sections);
        let head: Head = reader.section()?;
        if head.chain_id != genesis.chain_id {
            return Err(StateFault::Chain { actual: head.chain_id, expected: genesis.chain_id });
        }
        let registry = if head.has_registry {
            Registry::changed(genesis.chain_id, read_registry(&mut reader)?)
        } else {
            Registry::genesis(genesis)
        };
        let accounts: Vec<(AccountKey, Account)> = reader.list()?;
        let reservations: Vec<(OrderId, Reservation)> = reader.list()?;
        let collected: Vec<((MerchantId, Currency), Collected)> = reader.list()?;
        let dues: Vec<(DueKey, Due)> = reader.list()?;
        let legs: Vec<(WindowParty, Gross)> = reader.list()?;
        let instructions: Vec<InstructionRecord> = reader.list()?;
        let tables = Tables::read(&mut reader)?;
        let hashing = seeds.hashing();
        let users = UserBook {
            lines: Counts::new(hashing.clone(), reader.counts()?),
            months: Counts::new(hashing.clone(), reader.counts()?),
            days: Counts::new(hashing.clone(), reader.counts()?),
        };
        if !reader.is_done() {
            return Err(StateFault::Damaged("it goes on after its end"));
        }
        let window = OpenWindow {
            opening: head.window,
            collected: BTreeMap::from_iter(collected),
            dues: BTreeMap::from_iter(dues),
            legs: BTreeMap::from_iter(legs),
        };
        let state = State {
            registry: Arc::new(registry),
            bounds: RegistryBounds::CHAIN,
            height: head.height,
            time: head.time,
            block_hash: head.block_hash,
            accounts: AccountBook::new(accounts),
            writes: head.writes,
            orders: OrderWindow::new(hashing.clone()),
            reservations: ReservationBook::new(reservations),
            window,
            instructions: InstructionBook::new(instructions, head.time),
            batches: RecentBatches::new(hashing.clone()),
            hashing,
            tables,
            users,
        };
        if state.digest() != head.digest {
            return Err(StateFault::DigestMismatch {
                actual: state.digest(),
                expected: head.digest,
            });
        }
        Ok(Restoring::new(state))
    }
}

/// A list of counts, as [`put_list`] puts one, but the entries' bytes are their own: its length,
/// then its sections.
fn pieces<K: CountKey>(counts: CountsCopy<K>) -> impl Iterator<Item = Vec<u8>> {
    const { assert!(SECTION_ITEMS * K::BYTES <= SECTION_BYTES_MAX) };
    let mut length = Vec::new();
    put_section(&mut length, &(counts.len() as u64));
    let mut entries = counts.into_entries();
    let sections = std::iter::from_fn(move || {
        let mut section = Vec::with_capacity(4 + SECTION_ITEMS * K::BYTES);
        section.extend_from_slice(&[0; 4]);
        for (key, count) in entries.by_ref().take(SECTION_ITEMS) {
            key.put(&count, &mut section);
        }
        let length = u32::try_from(section.len() - 4).unwrap_or(u32::MAX);
        section[..4].copy_from_slice(&length.to_le_bytes());
        (length > 0).then_some(section)
    });
    std::iter::once(length).chain(sections)
}

fn put_registry(bytes: &mut Vec<u8>, content: &RegistryContent) {
    // The two lists that may be long go by themselves.
    put_list(bytes, content.participants.len(), content.participants.iter().cloned());
    put_list(bytes, content.merchants.len(), content.merchants.iter().cloned());
    let (participants, merchants) = (Vec::new(), Vec::new());
    put_section(bytes, &RegistryContent { participants, merchants, ..content.clone() });
}

fn read_registry(reader: &mut Reader<'_>) -> Result<RegistryContent, StateFault> {
    let (participants, merchants) = (reader.list()?, reader.list()?);
    let rest: RegistryContent = reader.section()?;
    Ok(RegistryContent { participants, merchants, ..rest })
}
