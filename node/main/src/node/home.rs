//! A node's home on disk: opening it, and rebuilding from it everything that is kept in memory.
//! What is durable is a prefix of the chain; state and indexes follow from it.

use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use chain_state::State;
use chain_store::{Cell, ChainStore as _, Log, Recovery, Store, StoreOptions};
use chain_types::{
    Block, ChainGenesis, Height, Outcome, SignedBatch, TimeMs, VerifiedBatch,
};
use consensus_core::Proposers;
use node_replica::{Checkpoint, Executed, SharedState, replay_block};
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
    /// The consensus log and what it held.
    pub log: Log,
    /// What the consensus log held.
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
    let (log, log_entries) = Log::open(&folder.join("consensus.wal"))?;
    let guard = Cell::new(folder.join("vote.guard"));
    if recovery.created {
        // From now on its absence means that it was lost.
        guard.write(&[])?;
    }
    let guard_bytes = guard.read()?;
    if validates && guard_bytes.is_none() {
        bail!(
            "{} is missing, but this home has been used: without it this validator could sign \
             two values for one round. Restore it, or remove the home to start as a new node.",
            folder.join("vote.guard").display()
        );
    }
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
        log_entries,
        guard,
        guard_bytes: guard_bytes.filter(|bytes| !bytes.is_empty()),
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
    let first = first_block_from(store, height, restoring.blocks_from())?;
    let keys = State::genesis(genesis);
    for at in (first.0..=height.0).map(Height) {
        let (block, batches) = load(store, &keys, genesis, at)?;
        let outcomes = outcomes(store, at)?;
        restoring.remember(&block.header, &batches, &outcomes);
        progress.tell("reading recent orders", at);
    }
    Ok(Rebuilt { state: restoring.finish()?, proposers: checkpoint.proposers })
}

/// The first height, from one to `head`, whose block time is at least `time`.
fn first_block_from(store: &Store, head: Height, time: TimeMs) -> anyhow::Result<Height> {
    let (mut low, mut high) = (1, head.0 + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let committed = store
            .block(Height(middle))?
            .with_context(|| format!("block {middle} is not in the store"))?;
        if committed.block.header.time < time {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(Height(low))
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
