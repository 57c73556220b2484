//! A node's home on disk: opening it, and rebuilding from it everything that is kept in memory.
//! What is durable is a prefix of the chain; state and indexes follow from it.

use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chain_state::{Retired, State};
use chain_store::{
    CONSENSUS_LOG_FILE, Cell, ChainStore as _, IfMissing, Log, Recovery, Store, StoreOptions,
    VOTE_GUARD_FILE,
};
use chain_types::{Block, ChainGenesis, Height, Outcome, SignedBatch, VerifiedBatch};
use consensus_core::Proposers;
use contracts::Executed;
use node_replica::{Checkpoint, SharedState, replay_block};
use tracing::info;

/// How often long work says how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(2);

/// An open home.
pub struct Home {
    /// Blocks and indexes.
    pub store: Arc<Store>,
    /// The state after the last committed block.
    pub state: SharedState,
    /// Which proposers are passed over.
    pub proposers: Proposers,
    /// The consensus log.
    pub log: Log,
    /// What the consensus log held of the next height.
    pub log_entries: Vec<Vec<u8>>,
    /// The vote guard's file.
    pub guard: Cell,
    /// What the vote guard's file held.
    pub guard_bytes: Option<Vec<u8>>,
    /// Blocks staged for the next height.
    pub staged: Vec<(Block, Vec<VerifiedBatch>)>,
}

/// Opens the home in `folder` and replays what the last checkpoint does not hold.
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
    let (store, recovery) = Store::open(folder, genesis.chain_id, options)?;
    // A validator that forgot what it signed must not sign; any other node has nothing to forget.
    let if_missing =
        if validates && !recovery.created { IfMissing::Refuse } else { IfMissing::Create };
    let next = recovery.head.unwrap_or_default().next();
    let log_file = folder.join(CONSENSUS_LOG_FILE);
    let (log, log_entries) = Log::open(&log_file, genesis.chain_id, next, if_missing)?;
    let guard = Cell::open(&folder.join(VOTE_GUARD_FILE), genesis.chain_id, if_missing)?;
    let guard_bytes = guard.read().map(<[u8]>::to_vec);
    let log_entries =
        log_entries.into_iter().filter(|entry| entry.height == next).map(|entry| entry.bytes);
    let store = Arc::new(store);
    let Recovery { head, checkpoint, staged, .. } = recovery;
    let rebuilt = rebuild(&store, genesis, head.unwrap_or_default(), checkpoint)?;
    let staged = staged
        .into_iter()
        .map(|staged| {
            let batches = verify_all(&rebuilt.state, genesis, staged.batches)?;
            Ok((staged.block, batches))
        })
        .collect::<anyhow::Result<_>>()?;
    Ok(Home {
        store,
        state: Arc::new(RwLock::new(rebuilt.state)),
        proposers: rebuilt.proposers,
        log,
        log_entries: log_entries.collect(),
        guard,
        guard_bytes,
        staged,
    })
}

struct Rebuilt {
    state: State,
    proposers: Proposers,
}

fn rebuild(
    store: &Store,
    genesis: &ChainGenesis,
    head: Height,
    checkpoint: Option<(Height, Vec<u8>)>,
) -> anyhow::Result<Rebuilt> {
    let started = Instant::now();
    let mut progress = Progress::new(head);
    if checkpoint.is_none() {
        store.reindex(Height(0), &State::genesis_records(genesis), Retired::default())?;
    }
    let mut rebuilt = match checkpoint {
        None => Rebuilt { state: State::genesis(genesis), proposers: Proposers::new() },
        Some((height, bytes)) => from_checkpoint(store, genesis, height, &bytes, &mut progress)?,
    };
    let first = rebuilt.state.height().next();
    for height in (first.0..=head.0).map(Height) {
        let (block, batches) = load(store, &rebuilt.state, genesis, height)?;
        let Executed { writes, .. } = replay_block(&rebuilt.state, &block, &batches)?;
        let penalty = rebuilt.state.parameters().proposer_penalty_heights;
        rebuilt.proposers.note(&block.header, rebuilt.state.validators(), penalty);
        let records = writes.records().to_vec();
        let departing = rebuilt.state.apply(writes);
        store.reindex(height, &records, departing.sorted())?;
        progress.tell("replaying blocks", height);
    }
    info!(
        height = %head,
        replayed = head.0 + 1 - first.0,
        seconds = started.elapsed().as_secs_f64(),
        "state rebuilt"
    );
    Ok(rebuilt)
}

fn from_checkpoint(
    store: &Store,
    genesis: &ChainGenesis,
    height: Height,
    bytes: &[u8],
    progress: &mut Progress,
) -> anyhow::Result<Rebuilt> {
    let checkpoint = Checkpoint::decode(bytes)
        .with_context(|| format!("the checkpoint of height {height} does not decode"))?;
    let mut restoring = State::restore(genesis, &checkpoint.state)?;
    let first = store.first_height_from(restoring.blocks_from())?.unwrap_or(height.next());
    let keys = State::genesis(genesis);
    for at in (first.0..=height.0).map(Height) {
        let (block, batches) = load(store, &keys, genesis, at)?;
        let outcomes = outcomes(store, at)?;
        restoring.remember(&block.header, &batches, &outcomes);
        progress.tell("reading recent orders", at);
    }
    Ok(Rebuilt { state: restoring.finish()?, proposers: checkpoint.proposers })
}

/// A committed block with its batches, signatures and roots checked anew.
///
/// # Errors
/// When the store does not hold it whole.
pub fn load(
    store: &Store,
    keys: &State,
    genesis: &ChainGenesis,
    height: Height,
) -> anyhow::Result<(Block, Vec<VerifiedBatch>)> {
    let committed =
        store.block(height)?.with_context(|| format!("block {height} is not in the store"))?;
    let payload = store
        .payload(height)?
        .with_context(|| format!("the batches of block {height} are not in the store"))?;
    Ok((committed.block, verify_all(keys, genesis, payload)?))
}

fn outcomes(store: &Store, height: Height) -> anyhow::Result<Vec<Vec<Outcome>>> {
    store
        .outcomes(height)?
        .with_context(|| format!("the outcomes of block {height} are not in the store"))
}

fn verify_all(
    keys: &State,
    genesis: &ChainGenesis,
    payload: Vec<bytes::Bytes>,
) -> anyhow::Result<Vec<VerifiedBatch>> {
    payload
        .into_iter()
        .map(|bytes| {
            let signed = SignedBatch::decode(bytes)?;
            let key_of = |id| keys.participant(id).map(|participant| participant.public_key);
            Ok(signed.verify(genesis.chain_id, key_of)?)
        })
        .collect()
}

/// Says now and then how far a replay is.
struct Progress {
    head: Height,
    told: Instant,
}

impl Progress {
    fn new(head: Height) -> Self {
        Self { head, told: Instant::now() }
    }

    fn tell(&mut self, what: &str, height: Height) {
        if self.told.elapsed() >= PROGRESS_EVERY {
            self.told = Instant::now();
            info!(%height, head = %self.head, "{what}");
        }
    }
}
