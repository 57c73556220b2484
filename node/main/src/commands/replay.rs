//! `sluice replay`: executes a home's blocks again from genesis and compares every result.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use anyhow::Context as _;
use chain_state::State;
use chain_store::{BlockRecords, ChainStore, Recovery, Store, StoreOptions};
use chain_types::{
    Block, BlockHeader, Certificate, ChainGenesis, Height, Outcome, SignedBatch, VerifiedBatch,
};
use clap::Args;
use contracts::{BlockContext, execute};
use node_replica::Past;
use serde::Serialize;

use node_console::exit::{Exit, WithExit as _, failure};
use node_console::output::Output;
use node_home::archive::StoreArchive;
use node_home::keys::KeyHistory;
use node_home::opening::{check_version, genesis_records};

/// Blocks that are read and verified ahead of execution.
const BLOCKS_AHEAD: usize = 8;

/// Arguments of `sluice replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The node's home folder; no node may have it open.
    #[arg(long, value_name = "FOLDER")]
    home: PathBuf,
    /// The chain's genesis file.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// The last height to execute; the home's head by default.
    #[arg(long, value_name = "HEIGHT")]
    to_height: Option<u64>,
}

/// The result of a replay.
#[derive(Debug, Serialize)]
struct ReplayReport {
    is_equal: bool,
    chain_id: String,
    /// The last height whose block was equal.
    height: u64,
    state_digest: String,
    blocks: u64,
    batches: u64,
    items: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<Difference>,
}

/// The first thing that is not as the home says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Difference {
    height: u64,
    what: String,
    stored: String,
    executed: String,
}

impl Difference {
    fn new(
        height: Height,
        what: impl Into<String>,
        stored: impl ToString,
        executed: impl ToString,
    ) -> Self {
        let (stored, executed) = (stored.to_string(), executed.to_string());
        Self { height: height.0, what: what.into(), stored, executed }
    }
}

/// A batch as the home holds it.
enum StoredBatch {
    /// Verified with keys that the index says held at its block. Execution looks at whether they
    /// did.
    Verified(VerifiedBatch),
    /// Still to be verified, with the keys that execution gives.
    Signed(SignedBatch),
}

/// A block as the home holds it.
struct StoredBlock {
    block: Block,
    certificate: Certificate,
    batches: Vec<StoredBatch>,
    outcomes: Vec<Vec<Outcome>>,
}

/// Replays; exit code 0 when everything is equal, 1 at the first difference.
pub fn run(args: ReplayArgs, output: Output) -> anyhow::Result<Exit> {
    let genesis = genesis::load_genesis(&args.genesis).exit(Exit::Usage)?;
    // Opening makes a home where there is none: that is not what was asked for.
    if !args.home.join("blocks").is_dir() {
        let message =
            format!("{} is not a home folder: it has no folder blocks/", args.home.display());
        return Err(failure(Exit::Usage, message));
    }
    let (store, recovery) = Store::open(&args.home, genesis.chain_id, StoreOptions::default())?;
    let store = Arc::new(store);
    let head = recovery.head.unwrap_or_default();
    let last = args.to_height.map_or(head, |height| Height(height.min(head.0)));
    let report = replay(&store, &recovery, &genesis, last, output)?;
    output.answer(&report, || report.text())?;
    Ok(if report.is_equal { Exit::Done } else { Exit::Negative })
}

fn replay(
    store: &Arc<Store>,
    recovery: &Recovery,
    genesis: &ChainGenesis,
    last: Height,
    output: Output,
) -> anyhow::Result<ReplayReport> {
    let mut state = State::genesis(genesis);
    let archive = StoreArchive::new(store.clone());
    // What a crash took from the index is made again, for contracts may ask for it.
    let indexed = recovery.checkpoint.as_ref().map(|(height, _)| *height);
    if indexed.is_none() {
        store.reindex(Height(0), genesis_records(genesis))?;
    }
    let (mut blocks, mut batches, mut items) = (0, 0, 0);
    let bar = output.progress(last.0, "blocks");
    let difference = std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(BLOCKS_AHEAD);
        scope.spawn(move || read_blocks(store, genesis, last, &sender));
        for read in receiver {
            let stored: StoredBlock = match read? {
                Ok(stored) => stored,
                Err(difference) => return anyhow::Ok(Some(difference)),
            };
            check_version(state.protocol_version())?;
            let executed = execute_one(&mut state, &stored, genesis, &archive);
            archive.check()?;
            match executed {
                Ok(learned) if indexed.is_none_or(|indexed| state.height() > indexed) => {
                    store.reindex(state.height(), learned)?;
                }
                Ok(_) => {}
                Err(difference) => return Ok(Some(difference)),
            }
            blocks += 1;
            batches += stored.batches.len() as u64;
            items += stored.outcomes.iter().map(|outcomes| outcomes.len() as u64).sum::<u64>();
            bar.inc(1);
        }
        Ok(None)
    })?;
    bar.finish_and_clear();
    Ok(ReplayReport {
        is_equal: difference.is_none(),
        chain_id: genesis.chain_id.to_string(),
        height: state.height().0,
        state_digest: state.digest().to_string(),
        blocks,
        batches,
        items,
        difference,
    })
}

/// The result of the reading thread: a block, a difference found in reading it, or a fault.
type Read = anyhow::Result<Result<StoredBlock, Difference>>;

fn read_blocks(store: &Store, genesis: &ChainGenesis, last: Height, sender: &SyncSender<Read>) {
    let keys = match KeyHistory::read(store, genesis) {
        Ok(keys) => keys,
        // A send fails only once the other side has ended.
        Err(fault) => return drop(sender.send(Err(fault.into()))),
    };
    for height in (1..=last.0).map(Height) {
        let read = read_block(store, genesis, &keys, height);
        let goes_on = matches!(read, Ok(Ok(_)));
        if sender.send(read).is_err() || !goes_on {
            return;
        }
    }
}

fn read_block(store: &Store, genesis: &ChainGenesis, keys: &KeyHistory, height: Height) -> Read {
    let missing = || format!("height {height} is missing from the home");
    let committed = store.block(height)?.with_context(missing)?;
    let payload = store.payload(height)?.with_context(missing)?;
    let outcomes = store.outcomes(height)?.with_context(missing)?;
    let mut batches = Vec::with_capacity(payload.len());
    for (index, bytes) in payload.into_iter().enumerate() {
        let signed = match SignedBatch::decode(bytes) {
            Ok(signed) => signed,
            Err(error) => return Ok(Err(batch_difference(height, index, error))),
        };
        let verified = signed.clone().verify(genesis.chain_id, |id| keys.keys(height, id));
        batches.push(match verified {
            Ok(batch) => StoredBatch::Verified(batch),
            Err(_) => StoredBatch::Signed(signed),
        });
    }
    let (block, certificate) = (committed.block, committed.certificate);
    Ok(Ok(StoredBlock { block, certificate, batches, outcomes }))
}

fn batch_difference(height: Height, index: usize, error: impl ToString) -> Difference {
    Difference::new(height, format!("batch {index}"), "decided", error)
}

/// A block's batches, each verified with keys that held at its block.
fn verify(
    state: &State,
    batches: &[StoredBatch],
    height: Height,
) -> Result<Vec<VerifiedBatch>, Difference> {
    let keys = |id| state.party_keys(id).copied();
    let verify = |(index, batch): (usize, &StoredBatch)| match batch {
        StoredBatch::Verified(batch) => Ok(batch.clone()),
        StoredBatch::Signed(signed) => (signed.clone().verify(state.chain_id(), keys))
            .map_err(|error| batch_difference(height, index, error)),
    };
    batches.iter().enumerate().map(verify).collect()
}

/// Executes a block and applies it if everything is equal. Gives what the index learns of it.
fn execute_one(
    state: &mut State,
    stored: &StoredBlock,
    genesis: &ChainGenesis,
    archive: &StoreArchive,
) -> Result<BlockRecords, Difference> {
    let header = &stored.block.header;
    let height = state.height().next();
    if header.height != height {
        return Err(Difference::new(height, "height", header.height, height));
    }
    let (block, decided) = (stored.block.hash(), stored.certificate.block);
    if decided != block {
        return Err(Difference::new(height, "certificate", decided, block));
    }
    if let Err(error) = stored.certificate.verify(genesis.chain_id, state.validators()) {
        return Err(Difference::new(height, "certificate", error, "a quorum"));
    }
    let context = BlockContext {
        height: header.height,
        round: header.round,
        parent_round: header.parent_round,
        proposer: header.proposer,
        time: header.time,
    };
    let batches = verify(state, &stored.batches, height)?;
    let executed =
        execute(state, &context, &batches, &stored.block.evidence, &Past { state, archive })
            .map_err(|error| Difference::new(height, "validity", "decided", error))?;
    let difference = header_difference(header, &executed.block.header)
        .or_else(|| outcome_difference(height, &stored.outcomes, &executed.outcomes));
    if let Some(difference) = difference {
        return Err(difference);
    }
    if executed.block != stored.block {
        return Err(Difference::new(height, "batches", block, executed.block.hash()));
    }
    let learned = BlockRecords::of(&executed.writes);
    let retired = state.apply(executed.writes);
    Ok(BlockRecords { retired, ..learned })
}

fn header_difference(stored: &BlockHeader, executed: &BlockHeader) -> Option<Difference> {
    let height = stored.height;
    let fields = [
        ("chain id", stored.chain_id.0, executed.chain_id.0),
        ("parent", stored.parent.0, executed.parent.0),
        ("batches root", stored.batches_root, executed.batches_root),
        ("evidence root", stored.evidence_root, executed.evidence_root),
        ("results root", stored.results_root, executed.results_root),
        ("state digest", stored.state_digest, executed.state_digest),
        ("records root", stored.records_root, executed.records_root),
        ("parties root", stored.parties_root, executed.parties_root),
        ("validators hash", stored.validators_hash, executed.validators_hash),
        ("next validators hash", stored.next_validators_hash, executed.next_validators_hash),
        ("parameters hash", stored.parameters_hash, executed.parameters_hash),
    ];
    for (what, stored, executed) in fields {
        if stored != executed {
            return Some(Difference::new(height, what, stored, executed));
        }
    }
    // Whatever else a header says.
    let (stored_text, executed_text) = (format!("{stored:?}"), format!("{executed:?}"));
    (stored != executed).then(|| Difference::new(height, "header", stored_text, executed_text))
}

fn outcome_difference(
    height: Height,
    stored: &[Vec<Outcome>],
    executed: &[Vec<Outcome>],
) -> Option<Difference> {
    for (batch, (stored, executed)) in stored.iter().zip(executed).enumerate() {
        for (item, (stored, executed)) in stored.iter().zip(executed).enumerate() {
            if stored != executed {
                let what = format!("outcome of batch {batch}, item {item}");
                return Some(Difference::new(height, what, stored.0, executed.0));
            }
        }
        if stored.len() != executed.len() {
            let what = format!("outcome count of batch {batch}");
            return Some(Difference::new(height, what, stored.len(), executed.len()));
        }
    }
    (stored.len() != executed.len())
        .then(|| Difference::new(height, "outcome lists", stored.len(), executed.len()))
}

impl ReplayReport {
    fn text(&self) -> String {
        let Self { blocks, batches, items, height, .. } = self;
        match &self.difference {
            None => format!(
                "equal: {blocks} blocks, {batches} batches, {items} items up to height {height}\n\
                 state digest {}",
                self.state_digest
            ),
            Some(difference) => format!(
                "DIFFERENT at height {}: {}\n  stored   {}\n  executed {}\n\
                 {blocks} blocks before it are equal",
                difference.height, difference.what, difference.stored, difference.executed
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use chain_types::parameters::PROTOCOL_VERSION;
    use chain_types::{BlockHash, ChainId, Digest, Round, TimeMs, ValidatorId, WindowId};

    use super::*;

    fn header() -> BlockHeader {
        BlockHeader {
            protocol_version: PROTOCOL_VERSION,
            chain_id: ChainId::default(),
            height: Height(7),
            round: Round(0),
            parent_round: Round(0),
            proposer: ValidatorId(0),
            time: TimeMs(1),
            window: WindowId(0),
            parent: BlockHash::default(),
            batch_count: 0,
            batches_root: Digest::ZERO,
            evidence_count: 0,
            evidence_root: Digest::ZERO,
            results_root: Digest::ZERO,
            state_digest: Digest::ZERO,
            validators_hash: Digest::ZERO,
            next_validators_hash: Digest::ZERO,
            parameters_hash: Digest::ZERO,
            party_count: 0,
            parties_root: Digest::ZERO,
            record_count: 0,
            records_root: Digest::ZERO,
        }
    }

    #[test]
    fn a_header_s_difference_is_named_and_none_is_overlooked() {
        let other = Digest([1; 32]);
        let stored = header();
        let rows = [
            ("state digest", BlockHeader { state_digest: other, ..header() }),
            ("results root", BlockHeader { results_root: other, ..header() }),
            ("parent", BlockHeader { parent: BlockHash(other), ..header() }),
            ("header", BlockHeader { window: WindowId(1), ..header() }),
            ("header", BlockHeader { protocol_version: 2, ..header() }),
        ];
        for (what, executed) in rows {
            let difference = header_difference(&stored, &executed);
            let named = difference.map(|difference| (difference.height, difference.what));
            assert_eq!(named, Some((7, what.to_owned())));
        }
        assert_eq!(header_difference(&stored, &stored), None);
    }

    #[test]
    fn an_outcome_s_difference_is_located() {
        let of = |codes: &[&[u16]]| -> Vec<Vec<Outcome>> {
            codes.iter().map(|batch| batch.iter().map(|code| Outcome(*code)).collect()).collect()
        };
        let stored = of(&[&[0, 0], &[0, 215]]);
        let rows = [
            (of(&[&[0, 0], &[0, 0]]), "outcome of batch 1, item 1"),
            (of(&[&[0], &[0, 215]]), "outcome count of batch 0"),
            (of(&[&[0, 0]]), "outcome lists"),
        ];
        for (executed, what) in rows {
            let difference = outcome_difference(Height(7), &stored, &executed);
            assert_eq!(difference.map(|difference| difference.what), Some(what.to_owned()));
        }
        assert_eq!(outcome_difference(Height(7), &stored, &stored), None);
    }
}
