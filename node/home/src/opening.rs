//! A node's home on disk: opening it, and rebuilding from it everything that is kept in memory.
//! What is durable is a prefix of the chain; state and indexes follow from it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chain_state::{HashSeeds, Retired, State};
use chain_store::{
    BlockRecords, CONSENSUS_LOG_FILE, Cell, ChainStore as _, IfMissing, Log, Recovery, Store,
    StoreOptions, VOTE_GUARD_FILE,
};
use chain_types::{
    Block, Certificate, ChainGenesis, ChainId, Height, ParticipantId, ReadyKeys, SignedBatch,
    VerifiedBatch,
};
use consensus_core::Proposers;
use node_replica::{Checkpoint, SharedState, SinceCheckpoint};
use tracing::{info, warn};

use crate::archive::StoreArchive;
use crate::blocks::{DecidedBlock, blocks, outcomes};
use crate::decided::{BlockTrust, apply_decided};
pub use crate::version::{Outdated, check_version};

/// How often long work says how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(2);

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
    let source = Source { store: &store, archive: &archive, genesis, trust: BlockTrust::Own };
    let mut progress = Progress::new(head.unwrap_or_default(), &|_| {});
    let rebuilt = rebuild(&source, checkpoint, &mut progress)?;
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
    let source = Source { store: &store, archive: &archive, genesis, trust: BlockTrust::Own };
    let mut progress = Progress::new(recovery.head.unwrap_or_default(), &|_| {});
    let rebuilt = rebuild(&source, recovery.checkpoint, &mut progress)?;
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
    let source = Source { store: &store, archive: &archive, genesis, trust: BlockTrust::Nobody };
    let mut progress = Progress::new(recovery.head.unwrap_or_default(), watch);
    let Rebuilt { state, proposers, .. } = rebuild(&source, None, &mut progress)?;
    let mut pieces = Checkpoint::pieces_of(state.checkpoint_pieces(), &proposers);
    store.checkpoint_of(state.height(), &mut pieces)?;
    drop(pieces);
    Ok(state)
}

struct Rebuilt {
    state: State,
    proposers: Proposers,
    opening: Opening,
}

/// Blocks to rebuild from, and how far they are trusted.
struct Source<'a> {
    store: &'a Store,
    archive: &'a StoreArchive,
    genesis: &'a ChainGenesis,
    trust: BlockTrust,
}

fn rebuild(
    source: &Source<'_>,
    checkpoint: Option<(Height, Vec<u8>)>,
    progress: &mut Progress<'_>,
) -> anyhow::Result<Rebuilt> {
    let started = Instant::now();
    let Source { store, archive, genesis, trust } = *source;
    let head = progress.head;
    if checkpoint.is_none() {
        store.reindex(Height::new(0), genesis_records(genesis))?;
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
    std::thread::scope(|scope| {
        for decided in blocks(scope, store, genesis.chain_id, first..=head, Ok) {
            let decided = decided?;
            let state = &mut rebuilt.state;
            let (height, penalty) =
                (decided.block.header.height, state.parameters().proposer_penalty_heights);
            rebuilt.proposers.note(&decided.block, state.validators(), penalty);
            let applied = apply_decided(state, decided, archive, trust)?;
            rebuilt.opening.replayed_orders += SinceCheckpoint::orders_of(&applied.outcomes);
            store.reindex(height, applied.records)?;
            progress.tell("replaying blocks", height);
        }
        anyhow::Ok(())
    })?;
    rebuilt.opening.replayed_blocks = head.get() + 1 - first.get();
    rebuilt.opening.replaying = replaying.elapsed();
    info!(
        height = %head,
        replayed = rebuilt.opening.replayed_blocks,
        seconds = started.elapsed().as_secs_f64(),
        "state rebuilt"
    );
    Ok(rebuilt)
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
    let with_outcomes = |decided: DecidedBlock| {
        let outcomes = outcomes(store, decided.block.header.height)?;
        Ok((decided, outcomes))
    };
    std::thread::scope(|scope| {
        for read in blocks(scope, store, genesis.chain_id, first..=height, with_outcomes) {
            let (DecidedBlock { block, batches, .. }, outcomes) = read?;
            restoring.remember(&block.header, &batches, &outcomes);
            progress.tell("reading recent orders", block.header.height);
        }
        anyhow::Ok(())
    })?;
    let state = restoring.finish()?;
    opening.remembered_blocks = (height.get() + 1).saturating_sub(first.get());
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
