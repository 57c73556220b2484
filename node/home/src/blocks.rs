//! The committed blocks of a home in order, read and hashed ahead of whoever takes them.

use std::ops::RangeInclusive;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

use anyhow::Context as _;
use chain_store::{ChainStore as _, Store};
use chain_types::{Block, Certificate, ChainId, HashedBatch, Height, Outcome, SignedBatch};

use crate::difference::BlockDifference;

/// Threads that read and hash blocks, beside the one that takes them.
const READERS: usize = 2;
/// Blocks that each of them holds ready.
const BLOCKS_AHEAD: usize = 4;

/// A committed block as the home holds it. Neither its certificate nor a signature is verified.
#[derive(Debug)]
pub struct DecidedBlock {
    /// The block that was decided.
    pub block: Block,
    /// A quorum's precommits for it.
    pub certificate: Certificate,
    /// Its batches, with their roots checked anew.
    pub batches: Vec<HashedBatch>,
}

/// Returns the blocks of these heights in order. Threads of `scope` read and hash them and call
/// `prepare`, at most 8 blocks ahead. They end when the iterator is dropped.
///
/// # Errors
/// Each item: when the block cannot be read, a batch does not decode or has another root, or
/// `prepare` fails.
pub fn blocks<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    store: &'scope Store,
    chain_id: ChainId,
    heights: RangeInclusive<Height>,
    prepare: impl Fn(DecidedBlock) -> anyhow::Result<T> + Copy + Send + 'scope,
) -> impl Iterator<Item = anyhow::Result<T>> {
    let (first, last) = (heights.start().get(), heights.end().get());
    let readers: [Receiver<anyhow::Result<T>>; READERS] = std::array::from_fn(|reader| {
        let (give, given) = sync_channel(BLOCKS_AHEAD);
        let mut heights = (first..=last).skip(reader).step_by(READERS).map(Height::new);
        let read = move |height| prepare(read_block(store, chain_id, height)?);
        // A send fails once nobody takes blocks any more.
        scope.spawn(move || heights.all(|height| give.send(read(height)).is_ok()));
        given
    });
    let mut taken = 0;
    (first..=last).map(move |_| {
        let block = readers.get(taken % READERS).and_then(|reader| reader.recv().ok());
        taken += 1;
        block.context("the thread that reads blocks ended early")?
    })
}

fn read_block(store: &Store, chain_id: ChainId, height: Height) -> anyhow::Result<DecidedBlock> {
    let missing = |what| format!("{what} of height {height} is missing from the home");
    let committed = store.block(height)?.with_context(|| missing("the block"))?;
    let payload = store.payload(height)?.with_context(|| missing("the payload"))?;
    let hash = |(index, bytes)| {
        let hashed = SignedBatch::decode(bytes).and_then(|signed| signed.hash(chain_id));
        hashed.map_err(|error| {
            BlockDifference::new(height, format!("batch {index}"), "decided", error)
        })
    };
    let batches = payload.into_iter().enumerate().map(hash).collect::<Result<_, _>>()?;
    Ok(DecidedBlock { block: committed.block, certificate: committed.certificate, batches })
}

/// Returns the outcomes that the home holds of a committed block's items, a list a batch.
///
/// # Errors
/// When they cannot be read, or are missing.
pub fn outcomes(store: &Store, height: Height) -> anyhow::Result<Vec<Vec<Outcome>>> {
    store
        .outcomes(height)?
        .with_context(|| format!("the outcomes of height {height} are missing from the home"))
}
