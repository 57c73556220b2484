//! A node's home on disk: opening it, and rebuilding from it everything that is kept in memory.
//! What is durable is a prefix of the chain; state and indexes follow from it.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use chain_state::{HashSeeds, Retired, State};
use chain_store::{
    BlockRecords, CONSENSUS_LOG_FILE, Cell, ChainStore as _, CommittedBlock, IfMissing, Log,
    Recovery, Store, StoreOptions, VOTE_GUARD_FILE,
};
use chain_types::parameters::PROTOCOL_VERSION;
use chain_types::{
    Block, Certificate, ChainGenesis, ChainId, HashedBatch, Height, Outcome, ParticipantId,
    ReadyKeys, SignedBatch, VerifiedBatch,
};
use consensus_core::Proposers;
use contracts::Executed;
use node_replica::{Checkpoint, SharedState, SinceCheckpoint, replay_block};
use tracing::{info, warn};

use crate::archive::StoreArchive;

/// How often long work says how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(2);
/// Threads that read and hash blocks, beside the one that takes them.
const READERS: usize = 2;
/// Blocks that each of them holds ready.
const BLOCKS_AHEAD: usize = 4;

/// A home that this process has opened.
pub struct Home {
    /// The store of blocks and indexes.
    pub store: Arc<Store>,
    /// The port through which contracts read the past.
    pub archive: Arc<StoreArchive>,
    /// The state after the last committed block.
    pub state: SharedState,
    /// The proposers, with those that are passed over.
    pub proposers: Proposers,
    /// The consensus log, open for writing.
    pub log: Log,
    /// The entries of the consensus log from the next height on.
    pub log_entries: Vec<(Height, Vec<u8>)>,
    /// The vote guard's file.
    pub guard: Cell,
    /// The bytes of the vote guard's file, if it was there.
    pub guard_bytes: Option<Vec<u8>>,
    /// True if that file is a copy, which may be older than what this key signed last: the
    /// validator stays silent until it cannot have voted.
    pub guard_is_copied: bool,
    /// The certificate of the last committed block; `None` before the first.
    pub head: Option<Certificate>,
    /// Blocks staged for the next height.
    pub staged: Vec<(Block, Vec<VerifiedBatch>)>,
    /// The time that the opening took.
    pub opening: Opening,
}

/// The time that each step of an opening took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Opening {
    /// Finding the end of the block files, and opening the index.
    pub recovering: Duration,
    /// Reading the checkpoint: accounts, tables, users.
    pub restoring: Duration,
    /// Blocks whose orders were remembered without executing them again.
    pub remembered_blocks: u64,
    /// The time that remembering them took.
    pub remembering: Duration,
    /// Blocks since the checkpoint, executed again.
    pub replayed_blocks: u64,
    /// How many orders they count as.
    pub replayed_orders: u64,
    /// The time that replaying them took.
    pub replaying: Duration,
}

/// Opens the home in `folder` and replays what the last checkpoint does not hold. A vote guard that
/// is not there is made: without its memory a validator is a newcomer, as with a copy's.
///
/// # Errors
/// When the folder is another chain's or in use, or when what it holds is damaged: each says
/// which file and what to do.
pub fn open(
    folder: &Path,
    genesis: &ChainGenesis,
    options: StoreOptions,
    validates: bool,
) -> anyhow::Result<Home> {
    let started = Instant::now();
    let (store, recovery) = Store::open(folder, genesis.chain_id, options)?;
    let recovering = started.elapsed();
    let next = recovery.head.unwrap_or_default().next();
    let Memory { log, log_entries, guard } = open_memory(folder, genesis.chain_id, next)?;
    let guard_bytes = guard.read().map(<[u8]>::to_vec);
    let guard_is_copied = guard.is_copied();
    if validates {
        warn_of_forgotten(&guard, &recovery);
    }
    let store = Arc::new(store);
    let Recovery { head, checkpoint, staged, .. } = recovery;
    let archive = Arc::new(StoreArchive::new(store.clone()));
    let blocks = Blocks { store: &store, archive: &archive, genesis, trust: Trust::Own };
    let mut progress = Progress::new(head.unwrap_or_default(), &|_| {});
    let rebuilt = rebuild(&blocks, checkpoint, &mut progress)?;
    check_version(rebuilt.state.protocol_version())?;
    let keys = |id| rebuilt.state.ready_keys(id);
    let staged = staged
        .into_iter()
        .map(|staged| Ok((staged.block, verify_all(keys, genesis, staged.batches)?)))
        .collect::<anyhow::Result<_>>()?;
    let head = head.map(|height| store.block(height)).transpose()?.flatten();
    Ok(Home {
        store,
        archive,
        state: SharedState::new(rebuilt.state),
        proposers: rebuilt.proposers,
        log,
        log_entries,
        guard,
        guard_bytes,
        guard_is_copied,
        head: head.map(|committed| committed.certificate),
        staged,
        opening: Opening { recovering, ..rebuilt.opening },
    })
}

/// The validator's record of its own votes.
struct Memory {
    log: Log,
    /// From the height `next` on.
    log_entries: Vec<(Height, Vec<u8>)>,
    guard: Cell,
}

/// Opens guard and log. A log counts only together with the guard beside which it was written: one
/// that was copied, or stands beside no guard, is made anew. A log alone that is missing is made
/// too: if the guard knows of a lock at the next height, consensus is silent there.
fn open_memory(folder: &Path, chain_id: ChainId, next: Height) -> anyhow::Result<Memory> {
    let guard = Cell::open(&folder.join(VOTE_GUARD_FILE), chain_id, IfMissing::Create)?;
    let log_file = folder.join(CONSENSUS_LOG_FILE);
    if guard.is_copied() || guard.read().is_none() {
        let log = Log::make_anew(&log_file, chain_id, next)?;
        return Ok(Memory { log, log_entries: Vec::new(), guard });
    }
    let (log, entries) = Log::open(&log_file, chain_id, next, IfMissing::Create)?;
    let log_entries = entries.into_iter().map(|entry| (entry.height, entry.bytes)).collect();
    Ok(Memory { log, log_entries, guard })
}

/// Says in a line why a validator will be silent at first, and that nothing need be done.
fn warn_of_forgotten(guard: &Cell, recovery: &Recovery) {
    if guard.is_copied() {
        warn!(
            "the vote guard was copied: this validator stays silent until it cannot have voted; \
             never run two nodes with one key"
        );
    } else if guard.read().is_none() && !recovery.created {
        warn!(
            "the vote guard is new and the home is not: this validator stays silent until it \
             cannot have voted; never put a copy of a guard in its place"
        );
    }
}

/// Opens the home in `folder` to read it: the blocks, and the state after the last of them. What a
/// crash took from the index is made again.
///
/// # Errors
/// As [`open`].
pub fn open_to_read(
    folder: &Path,
    genesis: &ChainGenesis,
    options: StoreOptions,
) -> anyhow::Result<(Arc<Store>, State)> {
    let (store, recovery) = Store::open(folder, genesis.chain_id, options)?;
    let store = Arc::new(store);
    let archive = StoreArchive::new(store.clone());
    let blocks = Blocks { store: &store, archive: &archive, genesis, trust: Trust::Own };
    let mut progress = Progress::new(recovery.head.unwrap_or_default(), &|_| {});
    let rebuilt = rebuild(&blocks, recovery.checkpoint, &mut progress)?;
    Ok((store, rebuilt.state))
}

/// Makes a whole home of one that holds block files only: verifies every block from genesis on,
/// executes it, writes the index and a checkpoint of the last height, and gives the state there.
/// `watch` learns of each height.
///
/// # Errors
/// When a block's certificate is not one of its validators, or executing it gives something else
/// than it says: each with the height.
pub fn index_verified(
    folder: &Path,
    genesis: &ChainGenesis,
    options: StoreOptions,
    watch: &dyn Fn(Height),
) -> anyhow::Result<State> {
    let (store, recovery) = Store::open(folder, genesis.chain_id, options)?;
    let store = Arc::new(store);
    // Nothing else waits for this disk.
    store.hurry();
    let archive = StoreArchive::new(store.clone());
    let blocks = Blocks { store: &store, archive: &archive, genesis, trust: Trust::Nobody };
    let mut progress = Progress::new(recovery.head.unwrap_or_default(), watch);
    let Rebuilt { state, proposers, .. } = rebuild(&blocks, None, &mut progress)?;
    let mut pieces = Checkpoint::pieces_of(state.checkpoint_pieces(), &proposers);
    store.checkpoint_of(state.height(), &mut pieces)?;
    drop(pieces);
    Ok(state)
}

/// The chain executes by a protocol version that this program does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the chain goes on by protocol version {needed}; this program knows versions up to {known}: \
     install a newer version of sluice and start again"
)]
pub struct Outdated {
    /// The protocol version by which the next block executes.
    pub needed: u16,
    /// The newest that this program executes.
    pub known: u16,
}

/// Checks that this program executes the next block.
///
/// # Errors
/// [`Outdated`] when it does not.
pub fn check_version(needed: u16) -> Result<(), Outdated> {
    let known = PROTOCOL_VERSION;
    if needed <= known { Ok(()) } else { Err(Outdated { needed, known }) }
}

struct Rebuilt {
    state: State,
    proposers: Proposers,
    opening: Opening,
}

/// Blocks to rebuild from, and how far they are trusted.
struct Blocks<'a> {
    store: &'a Store,
    archive: &'a StoreArchive,
    genesis: &'a ChainGenesis,
    trust: Trust,
}

/// The trust in the blocks of a home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// This node wrote them, and saw each certificate.
    Own,
    /// They came from somewhere: every certificate and every outcome is verified.
    Nobody,
}

fn rebuild(
    blocks: &Blocks<'_>,
    checkpoint: Option<(Height, Vec<u8>)>,
    progress: &mut Progress<'_>,
) -> anyhow::Result<Rebuilt> {
    let started = Instant::now();
    let Blocks { store, archive, genesis, trust } = *blocks;
    let head = progress.head;
    if checkpoint.is_none() {
        store.reindex(Height(0), genesis_records(genesis))?;
    }
    let mut rebuilt = match checkpoint {
        None => Rebuilt {
            state: State::genesis_hashed(genesis, fresh_seeds()?),
            proposers: Proposers::new(),
            opening: Opening::default(),
        },
        Some((height, bytes)) => from_checkpoint(store, genesis, height, &bytes, progress)?,
    };
    let replaying = Instant::now();
    let first = rebuilt.state.height().next();
    let read = |height| load(store, genesis, height);
    read_ahead(first, head, read, |height, (CommittedBlock { block, certificate }, batches)| {
        check_version(rebuilt.state.protocol_version())?;
        if trust == Trust::Nobody {
            verify_decided(&block, &certificate, &rebuilt.state)?;
        }
        let keys = |id| rebuilt.state.ready_keys(id);
        let batches = HashedBatch::verify_all(batches, keys)?;
        let replayed = replay_block(&rebuilt.state, &block, &batches, archive);
        archive.check()?;
        let Executed { writes, outcomes, .. } = replayed?;
        if trust == Trust::Nobody && outcomes != self::outcomes(store, height)? {
            bail!("the outcomes stored for block {height} are not those of its execution");
        }
        rebuilt.opening.replayed_orders += SinceCheckpoint::orders_of(&outcomes);
        let penalty = rebuilt.state.parameters().proposer_penalty_heights;
        rebuilt.proposers.note(&block, rebuilt.state.validators(), penalty);
        let learned = BlockRecords::of(&writes);
        let retired = rebuilt.state.apply(writes);
        store.reindex(height, BlockRecords { retired, ..learned })?;
        progress.tell("replaying blocks", height);
        Ok(())
    })?;
    rebuilt.opening.replayed_blocks = head.0 + 1 - first.0;
    rebuilt.opening.replaying = replaying.elapsed();
    info!(
        height = %head,
        replayed = rebuilt.opening.replayed_blocks,
        seconds = started.elapsed().as_secs_f64(),
        "state rebuilt"
    );
    Ok(rebuilt)
}

/// Checks that a quorum of the validators of its height decided this block.
fn verify_decided(block: &Block, certificate: &Certificate, state: &State) -> anyhow::Result<()> {
    let height = block.header.height;
    let hash = block.hash();
    ensure!(
        (certificate.height, certificate.block) == (height, hash),
        "the certificate of height {height} is of block {}, not of {hash}",
        certificate.block
    );
    let verified = certificate.verify(state.chain_id(), state.validators());
    verified.with_context(|| format!("the certificate of height {height} is not valid"))
}

/// Seeds that no submitter of ids knows.
fn fresh_seeds() -> anyhow::Result<HashSeeds> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("the operating system gives no entropy: {error}"))?;
    Ok(HashSeeds::of_bytes(bytes))
}

fn from_checkpoint(
    store: &Store,
    genesis: &ChainGenesis,
    height: Height,
    bytes: &[u8],
    progress: &mut Progress<'_>,
) -> anyhow::Result<Rebuilt> {
    let started = Instant::now();
    let checkpoint = Checkpoint::decode(bytes)
        .with_context(|| format!("the checkpoint of height {height} does not decode"))?;
    let mut restoring = State::restore_hashed(genesis, &checkpoint.state, fresh_seeds()?)?;
    let mut opening = Opening { restoring: started.elapsed(), ..Opening::default() };
    let started = Instant::now();
    let first = store.first_height_from(restoring.blocks_from())?.unwrap_or(height.next());
    let read = |at| Ok((load(store, genesis, at)?, outcomes(store, at)?));
    read_ahead(first, height, read, |at, ((committed, batches), outcomes)| {
        restoring.remember(&committed.block.header, &batches, &outcomes);
        progress.tell("reading recent orders", at);
        Ok(())
    })?;
    let state = restoring.finish()?;
    opening.remembered_blocks = (height.0 + 1).saturating_sub(first.0);
    opening.remembering = started.elapsed();
    Ok(Rebuilt { state, proposers: checkpoint.proposers, opening })
}

/// Returns the records that block zero leaves for the index.
pub fn genesis_records(genesis: &ChainGenesis) -> BlockRecords {
    let state = State::genesis(genesis);
    BlockRecords {
        records: State::genesis_records(genesis),
        writes: state.running_writes(),
        account_nodes: state.account_nodes(),
        retired: Retired::default(),
    }
}

/// Reads what belongs to each height from `first` to `last` on threads of its own, some blocks
/// ahead of `take`, which gets them in order.
fn read_ahead<T: Send>(
    first: Height,
    last: Height,
    read: impl Fn(Height) -> anyhow::Result<T> + Sync,
    mut take: impl FnMut(Height, T) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let read = &read;
    std::thread::scope(|scope| {
        let readers: [Receiver<anyhow::Result<T>>; READERS] = std::array::from_fn(|reader| {
            let (give, given) = sync_channel(BLOCKS_AHEAD);
            let mut heights = (first.0..=last.0).skip(reader).step_by(READERS).map(Height);
            // Until nobody takes any more.
            scope.spawn(move || heights.all(|height| give.send(read(height)).is_ok()));
            given
        });
        for (height, reader) in (first.0..=last.0).map(Height).zip(readers.iter().cycle()) {
            let read = reader.recv().context("the thread that reads blocks ended early")?;
            take(height, read?)?;
        }
        Ok(())
    })
}

/// A committed block with its batches, roots checked anew.
fn load(
    store: &Store,
    genesis: &ChainGenesis,
    height: Height,
) -> anyhow::Result<(CommittedBlock, Vec<HashedBatch>)> {
    let committed =
        store.block(height)?.with_context(|| format!("block {height} is not in the store"))?;
    let payload = store
        .payload(height)?
        .with_context(|| format!("the batches of block {height} are not in the store"))?;
    let hash = |bytes| Ok(SignedBatch::decode(bytes)?.hash(genesis.chain_id)?);
    let batches = payload.into_iter().map(hash).collect::<anyhow::Result<_>>()?;
    Ok((committed, batches))
}

fn outcomes(store: &Store, height: Height) -> anyhow::Result<Vec<Vec<Outcome>>> {
    store
        .outcomes(height)?
        .with_context(|| format!("the outcomes of block {height} are not in the store"))
}

fn verify_all(
    keys: impl Fn(ParticipantId) -> Option<ReadyKeys>,
    genesis: &ChainGenesis,
    payload: Vec<bytes::Bytes>,
) -> anyhow::Result<Vec<VerifiedBatch>> {
    let signed = payload.into_iter().map(SignedBatch::decode).collect::<Result<_, _>>()?;
    let verified = SignedBatch::verify_all(signed, genesis.chain_id, keys);
    Ok(verified.into_iter().collect::<Result<_, _>>()?)
}

/// Says now and then how far a replay is, and to `watch` each height.
struct Progress<'a> {
    head: Height,
    told: Instant,
    watch: &'a dyn Fn(Height),
}

impl<'a> Progress<'a> {
    fn new(head: Height, watch: &'a dyn Fn(Height)) -> Self {
        Self { head, told: Instant::now(), watch }
    }

    fn tell(&mut self, what: &str, height: Height) {
        (self.watch)(height);
        if self.told.elapsed() >= PROGRESS_EVERY {
            self.told = Instant::now();
            info!(%height, head = %self.head, "{what}");
        }
    }
}
