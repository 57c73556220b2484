//! `sluice replay`: executes a home's blocks again from genesis and compares every result.

use std::path::PathBuf;
use std::sync::Arc;

use chain_state::State;
use chain_store::{ChainStore, Recovery, Store, StoreOptions};
use chain_types::{ChainGenesis, Height};
use clap::Args;
use serde::Serialize;

use node_console::exit::{Exit, WithExit as _, failure};
use node_console::output::Output;
use node_home::archive::StoreArchive;
use node_home::decided::{BlockTrust, apply_decided};
use node_home::difference::BlockDifference;
use node_home::opening::genesis_records;

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
    difference: Option<BlockDifference>,
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
    let last = args.to_height.map_or(head, |height| Height::new(height.min(head.get())));
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
        store.reindex(Height::new(0), genesis_records(genesis))?;
    }
    let (mut blocks, mut batches, mut items) = (0, 0, 0);
    let bar = output.progress(last.get(), "blocks");
    let replayed = std::thread::scope(|scope| {
        let heights = Height::new(1)..=last;
        for decided in node_home::blocks::blocks(scope, store, genesis.chain_id, heights, Ok) {
            let applied = apply_decided(&mut state, decided?, &archive, BlockTrust::Nobody)?;
            blocks += 1;
            batches += applied.outcomes.len() as u64;
            items += applied.outcomes.iter().map(|outcomes| outcomes.len() as u64).sum::<u64>();
            if indexed.is_none_or(|indexed| state.height() > indexed) {
                store.reindex(state.height(), applied.records)?;
            }
            bar.inc(1);
        }
        anyhow::Ok(())
    });
    bar.finish_and_clear();
    let difference = match replayed {
        Ok(()) => None,
        Err(error) => Some(error.downcast::<BlockDifference>()?),
    };
    Ok(ReplayReport {
        is_equal: difference.is_none(),
        chain_id: genesis.chain_id.to_string(),
        height: state.height().get(),
        state_digest: state.digest().to_string(),
        blocks,
        batches,
        items,
        difference,
    })
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
