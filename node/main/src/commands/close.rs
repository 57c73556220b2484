//! `sluice close`: a day's close of a home, for an auditor.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chain_store::StoreOptions;
use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};

use node_console::exit::{Exit, WithExit as _, failure};
use node_console::output::Output;
use node_home::close::check::check;
use node_home::close::{CloseFault, Closed, Day, close};
use node_home::opening::open_to_read;

const ABOUT: &str = "\
Writes what the ledger held, moved and owed on one day: accounts with opening, turnover and closing,
the trial balance, every entry, windows and nets with the banks' references, instructions, orders,
conversions, breaches, refusals, the range of blocks and who signed them. Each is a CSV file with
control sums at its end, and all of them are one JSON document as well. Then it works out from the
files alone that they add up. The day begins as days of limits do (parameter day_offset_min).

The home is that of a node that does not run, or a copy. A folder can be checked without this
program, by clients/python/sluice_close.py.";

/// Arguments of `sluice close`.
#[derive(Debug, Args)]
#[command(long_about = ABOUT)]
pub struct CloseArgs {
    /// The node's home folder; no node may have it open.
    #[arg(long, value_name = "FOLDER")]
    home: PathBuf,
    /// The chain's genesis file.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// The day, such as 2026-11-29. A block of a later day must be in the home.
    #[arg(long)]
    day: Day,
    /// The folder that the files are written into; new, or empty.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// The close of the day before: what it closed with must be what this day opens with.
    #[arg(long, value_name = "FOLDER")]
    previous: Option<PathBuf>,
}

/// The report of what was written.
#[derive(Debug, Serialize)]
struct CloseReport {
    day: String,
    first_height: u64,
    last_height: u64,
    folder: String,
    files: Vec<&'static str>,
    /// True if the files add up; a close that does not is an error.
    adds_up: bool,
    /// True if the day before was compared.
    follows_previous: bool,
}

/// Writes, checks and says where.
pub fn run(args: CloseArgs, output: Output) -> anyhow::Result<Exit> {
    let genesis = genesis::load_genesis(&args.genesis).exit(Exit::Usage)?;
    if !args.home.join("blocks").is_dir() {
        let message =
            format!("{} is not a home folder: it has no folder blocks/", args.home.display());
        return Err(failure(Exit::Usage, message));
    }
    if !is_free(&args.out)? {
        let message = format!("{} is not empty", args.out.display());
        return Err(failure(Exit::Usage, message));
    }
    let (store, state) = open_to_read(&args.home, &genesis, StoreOptions::default())?;
    let mut chain = Map::new();
    chain.insert("chain_id".to_owned(), Value::from(genesis.chain_id.to_string()));
    chain.insert("chain_name".to_owned(), Value::from(genesis.name.clone()));
    let made = close(store.as_ref(), &state, &chain, args.day, &args.out);
    let Closed { first, last, sheets } = match made {
        Err(error) if error.is::<CloseFault>() => return Err(error).exit(Exit::Negative),
        made => made.context("no close")?,
    };
    check(&args.out, args.previous.as_deref()).context("the close does not add up")?;
    let report = CloseReport {
        day: args.day.to_string(),
        first_height: first.get(),
        last_height: last.get(),
        folder: args.out.display().to_string(),
        files: sheets,
        adds_up: true,
        follows_previous: args.previous.is_some(),
    };
    output.answer(&report, || report.text())?;
    Ok(Exit::Done)
}

/// Returns true if nothing stands in a folder, or there is none.
fn is_free(folder: &Path) -> anyhow::Result<bool> {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error).with_context(|| folder.display().to_string()).exit(Exit::Usage),
    }
}

impl CloseReport {
    fn text(&self) -> String {
        let Self { day, first_height, last_height, folder, files, .. } = self;
        let blocks = if first_height > last_height {
            "no blocks".to_owned()
        } else {
            format!("blocks {first_height} to {last_height}")
        };
        let previous = if self.follows_previous { ", and follow the day before" } else { "" };
        let count = files.len();
        format!("day {day}, {blocks}: {count} files and close.json in {folder} add up{previous}")
    }
}
