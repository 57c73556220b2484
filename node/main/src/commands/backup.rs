//! `sluice backup`: copies a home's blocks into a folder while its node runs.

use std::path::{Path, PathBuf};
use std::time::Instant;

use chain_store::{BackupBlocks, BackupFile, StoreFault, back_up_blocks, chain_of_home};
use chain_types::ChainId;
use clap::Args;
use genesis::NodeConfig;
use node_console::exit::{Exit, WithExit as _, failure};
use node_console::output::Output;
use serde::Serialize;

use node_home::backup::{CONFIG_FILE, GENESIS_FILE, Manifest, copy_file, discard};

const AFTER_HELP: &str = "\
The node may run meanwhile. The backup holds the chain up to a certified block, nothing else: never
keys, never the vote guard, never the consensus log. Only a restore proves a backup: try
it with `sluice restore` into a folder of its own. docs/backup-and-restore.md says the rest.";

/// Arguments of `sluice backup`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct BackupArgs {
    #[command(flatten)]
    home: HomeArgs,
    /// The folder of the backup, new or empty, on another disk than the home.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// The home, and the chain that it belongs to.
#[derive(Debug, Args)]
pub struct HomeArgs {
    /// The node's configuration file, which names home and genesis file.
    #[arg(long, value_name = "FILE", required_unless_present = "home")]
    pub config: Option<PathBuf>,
    /// The home folder, instead of the configuration's.
    #[arg(long, value_name = "DIR")]
    pub home: Option<PathBuf>,
    /// The chain's genesis file, instead of the configuration's.
    #[arg(long, value_name = "FILE")]
    pub genesis: Option<PathBuf>,
}

/// The home that the arguments and the configuration name together.
pub struct NamedHome {
    /// The configuration, if it was given.
    pub config: Option<NodeConfig>,
    /// The folder of the home.
    pub home: PathBuf,
    /// The genesis file, if anything names it.
    pub genesis: Option<PathBuf>,
}

impl HomeArgs {
    /// Reads the configuration, if there is one.
    ///
    /// # Errors
    /// When it cannot be used, or nothing names a home.
    pub fn resolve(&self) -> anyhow::Result<NamedHome> {
        let config = self.config.as_deref().map(NodeConfig::load).transpose().exit(Exit::Usage)?;
        let of_config = |field: fn(&NodeConfig) -> &Path| {
            config.as_ref().map(|config| field(config).to_path_buf())
        };
        let home = self.home.clone().or_else(|| of_config(|config| &config.home));
        let home = home
            .ok_or_else(|| failure(Exit::Usage, "name the home with --home, or a configuration"))?;
        let genesis = self.genesis.clone().or_else(|| of_config(|config| &config.genesis));
        Ok(NamedHome { config, home, genesis })
    }
}

/// The report of what was copied.
#[derive(Debug, Serialize)]
struct BackupReport {
    out: String,
    chain_id: String,
    height: u64,
    block_hash: String,
    block_files: usize,
    block_bytes: u64,
    seconds: f64,
}

/// Takes the backup and verifies what it copied.
pub fn run(args: BackupArgs, output: Output) -> anyhow::Result<Exit> {
    let started = Instant::now();
    let named = args.home.resolve()?;
    if !named.home.join("blocks").is_dir() {
        let message =
            format!("{} is not a home folder: it has no folder blocks/", named.home.display());
        return Err(failure(Exit::Usage, message));
    }
    let chain_id = chain_of(&named)?;
    let mut progress = |number: usize, file: &BackupFile| {
        output.note(&format!("copied block file {number}, {} bytes", file.bytes));
    };
    let blocks = back_up_blocks(&named.home, chain_id, &args.out, &mut progress);
    let Some(blocks) = blocks.map_err(of_target)? else {
        let message = format!("{} holds no decided block yet", named.home.display());
        return Err(failure(Exit::Usage, message));
    };
    if let Err(error) = describe(&args, &named, chain_id, &blocks) {
        // What is left of it is of no use, and the disk may be full.
        discard(&args.out);
        return Err(error);
    }
    let report = BackupReport {
        out: args.out.display().to_string(),
        chain_id: chain_id.to_string(),
        height: blocks.head.get(),
        block_hash: blocks.block.to_string(),
        block_files: blocks.files.len(),
        block_bytes: blocks.files.iter().map(|file| file.bytes).sum(),
        seconds: started.elapsed().as_secs_f64(),
    };
    output.answer(&report, || report.text())?;
    Ok(Exit::Done)
}

/// Writes what stands beside the blocks, the manifest last.
fn describe(
    args: &BackupArgs,
    named: &NamedHome,
    chain_id: ChainId,
    blocks: &BackupBlocks,
) -> anyhow::Result<()> {
    let mut others = Vec::new();
    let copied = [(&named.genesis, GENESIS_FILE), (&args.home.config, CONFIG_FILE)];
    for (from, name) in copied {
        if let Some(from) = from {
            copy_file(from, &args.out.join(name))?;
            others.push(name);
        }
    }
    Manifest::new(&args.out, chain_id, blocks, &others)?.write(&args.out)
}

/// A target that cannot be used is the command line's mistake.
pub fn of_target(fault: StoreFault) -> anyhow::Error {
    let is_usage = matches!(fault, StoreFault::Occupied { .. } | StoreFault::Locked { .. });
    let exit = if is_usage { Exit::Usage } else { Exit::Fault };
    anyhow::Error::from(fault).context(exit)
}

/// The home's chain, which is that of the genesis file if one is named.
fn chain_of(named: &NamedHome) -> anyhow::Result<ChainId> {
    let found = chain_of_home(&named.home)?;
    if let Some(path) = &named.genesis {
        let expected = genesis::load_genesis(path).exit(Exit::Usage)?.chain_id;
        if found != expected {
            let (home, file) = (named.home.display(), path.display());
            let message = format!("{home} belongs to chain {found}, and {file} to {expected}");
            return Err(failure(Exit::Usage, message));
        }
    }
    Ok(found)
}

impl BackupReport {
    fn text(&self) -> String {
        let Self { out, chain_id, height, block_files, block_bytes, seconds, .. } = self;
        format!(
            "backup of chain {chain_id} up to height {height} in {out}: {block_files} block files, \
             {block_bytes} bytes, {seconds:.1} s\n\
             it holds neither keys nor the vote guard: keep keys elsewhere, copy a guard never\n\
             try it: sluice restore --from {out} --home SCRATCH --genesis GENESIS"
        )
    }
}
