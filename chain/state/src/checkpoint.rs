//! A state as bytes: everything but recent orders and recent batches, which the block files
//! hold and [`crate::Restoring`] takes from there.
//!
//! Layout: magic, then sections (length 4, canonical bytes), then SHA-256 of all before. Long
//! lists are cut into sections of [`SECTION_ITEMS`], so that no section nears the codec's limit,
//! and end with an empty one.

use std::collections::BTreeMap;
use std::sync::Arc;

use chain_types::hash::{Sha256Pieces, sha256};
use chain_types::registry::RegistryBounds;
use chain_types::{ChainGenesis, InstructionId, OrderId, Participant};

use crate::account::{Account, AccountKey};
use crate::accounts::{AccountBook, AccountsCopy};
use crate::copying::{Copying, Head};
use crate::counts::{Counts, read_counts};
use crate::fault::StateFault;
use crate::instructions::InstructionBook;
use crate::map_copy::MapCopy;
use crate::merchant_sums::{MerchantSums, SumsBook};
use crate::order_window::OrderWindow;
use crate::positions::HashSeeds;
use crate::recent_batches::RecentBatches;
use crate::records::{InstructionRecord, Reservation, WindowParty};
use crate::registry::{Registry, RegistryContent};
use crate::reservations::ReservationBook;
use crate::restoring::Restoring;
use crate::sections::{Reader, SECTION_ITEMS, put_section};
use crate::state::State;
use crate::tables::{TableCopies, Tables};
use crate::user_book::UserBook;
use crate::window::{Gross, OpenWindow, WindowCopy};

const MAGIC: [u8; 8] = *b"SLUICESA";
const CHECKSUM_BYTES: usize = 32;

impl State {
    /// The state as bytes, but for recent orders and recent batches.
    pub fn checkpoint(&self) -> Vec<u8> {
        self.checkpoint_pieces().flatten().collect()
    }

    /// [`Self::checkpoint`] in pieces, of a state that no block changes meanwhile.
    pub fn checkpoint_pieces(&self) -> impl Iterator<Item = Vec<u8>> {
        let mut copying = self.copying();
        std::iter::from_fn(move || self.copy_piece(&mut copying))
    }

    /// Begins to copy what [`Self::checkpoint`] turns into bytes, as it is now. The state may go on
    /// meanwhile by [`Self::apply_beside`]: each block costs a little more until the copy is done.
    pub fn copying(&self) -> Copying {
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
        Copying {
            head,
            registry: self.registry.clone(),
            accounts: AccountsCopy::of(self.accounts.created().len()),
            reservations: MapCopy::default(),
            window: WindowCopy::of(&self.window),
            instructions: MapCopy::default(),
            tables: TableCopies::default(),
            users: self.users.to_copy(),
            hash: Some(Sha256Pieces::default()),
            list: 0,
        }
    }

    /// The next piece of a copy of this state: at most a section of a list, or what is counted in
    /// one table of users. `None` after the last one, the checksum.
    pub fn copy_piece(&self, copying: &mut Copying) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let is_list_done = match copying.list {
            0 => {
                bytes.extend_from_slice(&MAGIC);
                put_section(&mut bytes, &copying.head);
                if copying.head.has_registry {
                    put_registry(&mut bytes, &copying.registry.content);
                }
                true
            }
            1 => copying.accounts.put(self.accounts.created(), &mut bytes),
            2 => copying.reservations.put(self.reservations.all(), &mut bytes),
            3 => copying.window.sums.put(&self.window.sums, &mut bytes),
            4 => copying.window.legs.put(&self.window.legs, &mut bytes),
            5 => self.instructions.copy(&mut copying.instructions, &mut bytes),
            6 => copying.tables.put(&self.tables, &mut bytes),
            7 => self.users.lines.put_copy(&mut copying.users.lines, &mut bytes),
            8 => self.users.months.put_copy(&mut copying.users.months, &mut bytes),
            9 => self.users.days.put_copy(&mut copying.users.days, &mut bytes),
            _ => return copying.hash.take().map(|hash| hash.finish().bytes().to_vec()),
        };
        copying.list += usize::from(is_list_done);
        copying.hash.as_mut()?.update(&bytes);
        Some(bytes)
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
        if sha256(&[&checkpoint[..covered]]).bytes() != *checksum {
            return Err(StateFault::Damaged("its checksum is another"));
        }
        let mut reader = Reader::new(sections);
        let head: Head = reader.section()?;
        if head.chain_id != genesis.chain_id {
            return Err(StateFault::Chain { actual: head.chain_id, expected: genesis.chain_id });
        }
        let registry = if head.has_registry {
            Registry::restored(genesis.chain_id, read_registry(&mut reader)?)
        } else {
            Registry::genesis(genesis)
        };
        let accounts: Vec<(AccountKey, Account)> = reader.list()?;
        let reservations: Vec<(OrderId, Reservation)> = reader.list()?;
        let sums: Vec<MerchantSums> = reader.list()?;
        let legs: Vec<(WindowParty, Gross)> = reader.list()?;
        let instructions: Vec<(InstructionId, InstructionRecord)> = reader.list()?;
        let instructions = instructions.into_iter().map(|(_, record)| record).collect();
        let hashing = seeds.hashing();
        let tables = Tables::read(&mut reader, &hashing)?;
        let users = UserBook {
            lines: Counts::new(hashing.clone(), read_counts(&mut reader)?),
            months: Counts::new(hashing.clone(), read_counts(&mut reader)?),
            days: Counts::new(hashing.clone(), read_counts(&mut reader)?),
        };
        if !reader.is_done() {
            return Err(StateFault::Damaged("it goes on after its end"));
        }
        let accounts = AccountBook::new(accounts, hashing.clone());
        let account_of = |sums: &MerchantSums| {
            let key = AccountKey::payable(sums.merchant, sums.currency);
            accounts.find(&key).map(|(account, _)| account)
        };
        let sums = SumsBook::restored(sums, account_of);
        let sums = sums.ok_or(StateFault::Damaged("a window's sums are of no account"))?;
        let legs = BTreeMap::from_iter(legs);
        let window = OpenWindow { opening: head.window, sums, legs };
        let state = State {
            registry: Arc::new(registry),
            bounds: RegistryBounds::CHAIN,
            height: head.height,
            time: head.time,
            block_hash: head.block_hash,
            accounts,
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

fn put_registry(bytes: &mut Vec<u8>, content: &RegistryContent) {
    // The list that may be long goes by itself.
    for part in content.participants.chunks(SECTION_ITEMS) {
        put_section(bytes, &part.to_vec());
    }
    put_section(bytes, &Vec::<Participant>::new());
    put_section(bytes, &content.parameters);
    put_section(bytes, &*content.currencies);
    put_section(bytes, &*content.previous_keys);
    put_section(bytes, &*content.nodes);
    put_section(bytes, &*content.withdrawn_keys);
    put_section(bytes, &content.protocol_version);
}

fn read_registry(reader: &mut Reader<'_>) -> Result<RegistryContent, StateFault> {
    Ok(RegistryContent {
        participants: Arc::new(reader.list()?),
        parameters: reader.section()?,
        currencies: Arc::new(reader.section()?),
        previous_keys: Arc::new(reader.section()?),
        nodes: Arc::new(reader.section()?),
        withdrawn_keys: Arc::new(reader.section()?),
        protocol_version: reader.section()?,
    })
}
