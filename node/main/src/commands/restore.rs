//! `sluice restore`: makes a new home from a backup, with every block verified from genesis.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::ensure;
use chain_state::State;
use chain_store::{BackupFile, NewHome, StoreFault, StoreOptions};
use chain_types::{ChainGenesis, Height};
use clap::Args;
use node_console::exit::{Exit, WithExit as _, failure};
use node_console::output::Output;
use node_home::backup::Manifest;
use node_home::opening;
use node_runtime::store_options;
use serde::Serialize;

use super::backup::{HomeArgs, NamedHome, of_target};

const AFTER_HELP: &str = "\
Every block is executed again from genesis: its certificate, its batches' signatures, outcomes and
digests are verified, and the index is made anew. The home appears only when all of it holds.

The genesis file is your own, not the backup's: `sha256sum` of it is the chain id on which all
operators agree. The new home has no keys and no vote guard. A validator that starts on it follows,
and stays silent until it cannot have voted before. Exit code 1: the backup is not valid.";

/// Arguments of `sluice restore`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct RestoreArgs {
    /// The folder of the backup.
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    #[command(flatten)]
    home: HomeArgs,
}

/// The report of what was restored.
#[derive(Debug, Serialize)]
struct RestoreReport {
    home: String,
    chain_id: String,
    height: u64,
    block_hash: String,
    state_digest: String,
    /// How deep it was verified: the heights whose blocks were executed again.
    verified_from: u64,
    verified_to: u64,
    seconds: f64,
    what_follows: [&'static str; 3],
}

const WHAT_FOLLOWS: [&str; 3] = [
    "this home is silent until it cannot have voted: its validator follows first, and votes by \
     itself once the others are far enough ahead",
    "put the keys in place by hand, in one place only, and never a vote.guard",
    "if more than a third of the voting power is restored at once, read \
     docs/backup-and-restore.md before any of it starts",
];

/// Restores a home and verifies every block of it.
pub fn run(args: RestoreArgs, output: Output) -> anyhow::Result<Exit> {
    let started = Instant::now();
    let named = args.home.resolve()?;
    let Some(genesis_file) = &named.genesis else {
        return Err(failure(Exit::Usage, "name the chain's genesis file: --genesis FILE"));
    };
    let genesis = genesis::load_genesis(genesis_file).exit(Exit::Usage)?;
    let manifest = Manifest::read(&args.from)?;
    let found = manifest.chain_id()?;
    if found != genesis.chain_id {
        let (from, file) = (args.from.display(), genesis_file.display());
        let message =
            format!("{from} belongs to chain {found}, and {file} to {}", genesis.chain_id);
        return Err(failure(Exit::Usage, message));
    }
    let files = manifest.block_files(&args.from)?;
    let state = restore(&args.from, &files, &manifest, &named, &genesis, output)?;
    let report = RestoreReport {
        home: named.home.display().to_string(),
        chain_id: genesis.chain_id.to_string(),
        height: manifest.height,
        block_hash: manifest.block_hash.clone(),
        state_digest: state.digest().to_string(),
        verified_from: 1,
        verified_to: state.height().get(),
        seconds: started.elapsed().as_secs_f64(),
        what_follows: WHAT_FOLLOWS,
    };
    output.answer(&report, || report.text())?;
    Ok(Exit::Done)
}

fn restore(
    from: &std::path::Path,
    files: &[BackupFile],
    manifest: &Manifest,
    named: &NamedHome,
    genesis: &ChainGenesis,
    output: Output,
) -> anyhow::Result<State> {
    let new = NewHome::begin(&named.home, genesis.chain_id).map_err(of_target)?;
    let mut progress = |number: usize, file: &BackupFile| {
        let all = files.len();
        output.note(&format!("copied block file {number} of {all}, {} bytes", file.bytes));
    };
    new.copy_blocks(from, files, &mut progress).map_err(of_backup)?;
    let options = named.config.as_ref().map_or_else(StoreOptions::default, store_options);
    let bar = output.progress(manifest.height, "blocks");
    let watch = |height: Height| bar.set_position(height.get());
    output.note(&format!("verifying {} blocks from genesis", manifest.height));
    let state = opening::index_verified(&new.folder(), genesis, options, &watch);
    bar.finish_and_clear();
    let state = state.map_err(|error| {
        let exit = exit_of(&error);
        error.context(format!("the backup {} is not valid", from.display())).context(exit)
    })?;
    let is_equal = state.height() == manifest.height()
        && state.block_hash().to_string() == manifest.block_hash;
    let compared = || {
        ensure!(
            is_equal,
            "the blocks of {} end at height {}, block {}, and its manifest says {}, {}",
            from.display(),
            state.height(),
            state.block_hash(),
            manifest.height,
            manifest.block_hash
        );
        Ok(())
    };
    compared().exit(Exit::Negative)?;
    new.finish()?;
    Ok(state)
}

/// A disk that refuses is a fault; whatever else is found in the blocks is an answer.
fn exit_of(error: &anyhow::Error) -> Exit {
    match error.downcast_ref::<StoreFault>() {
        Some(StoreFault::Io { .. } | StoreFault::Index { .. } | StoreFault::Poisoned { .. }) => {
            Exit::Fault
        }
        _ => Exit::Negative,
    }
}

/// A file that differs is an answer, a disk that refuses is a fault.
fn of_backup(fault: StoreFault) -> anyhow::Error {
    let exit =
        if matches!(fault, StoreFault::Backup { .. }) { Exit::Negative } else { Exit::Fault };
    anyhow::Error::from(fault).context(exit)
}

impl RestoreReport {
    fn text(&self) -> String {
        let Self { home, chain_id, height, state_digest, seconds, .. } = self;
        format!(
            "restored chain {chain_id} up to height {height} into {home} in {seconds:.1} s: every \
             certificate,\nsignature, outcome and digest is verified from genesis\n\
             state digest {state_digest}\n{}",
            self.what_follows.join("\n")
        )
    }
}
