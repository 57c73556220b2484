//! `sluice statement`: a merchant's month or a gateway's window, from a home's blocks.

use std::path::PathBuf;

use anyhow::Context as _;
use chain_store::StoreOptions;
use chain_types::{MerchantId, ParticipantId, WindowId};
use clap::{Args, Subcommand, ValueEnum};
use node_console::exit::{Exit, WithExit as _, failure};
use node_console::output::Output;
use node_home::statement::period::StatementMonth;
use node_home::statement::{StatementFault, gateway, merchant};
use serde::Serialize;

use node_home::opening;

/// Arguments of `sluice statement`.
#[derive(Debug, Args)]
#[command(after_help = "\
The home is that of a node that does not run, or a copy. Every statement is held against the ledger
before it is given: its lines add up to the accounts and to the window's report to the unit.")]
pub struct StatementArgs {
    #[command(subcommand)]
    whose: Whose,
}

#[derive(Debug, Subcommand)]
enum Whose {
    /// A merchant's month: orders, payouts, arrivals, returns, cashback, and what is owed.
    Merchant {
        /// The id of the merchant.
        merchant: u64,
        /// The month, such as 2026-11.
        #[arg(long)]
        month: StatementMonth,
        /// The month's time zone: minutes east of UTC.
        #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
        #[arg(value_parser = clap::value_parser!(i16).range(-720..=840))]
        offset_min: i16,
        #[command(flatten)]
        from: From,
    },
    /// A gateway's closed settlement window: what it owes and is owed.
    Gateway {
        /// The gateway's participant id.
        gateway: u32,
        /// The number of the window.
        #[arg(long)]
        window: u64,
        #[command(flatten)]
        from: From,
    },
}

/// The home that is read, and the form of the statement.
#[derive(Debug, Args)]
struct From {
    /// The folder of the node's home.
    #[arg(long, value_name = "FOLDER")]
    home: PathBuf,
    /// The chain's genesis file.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// How it is written.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One document, amounts in minor units.
    Json,
    /// Comma-separated lines, amounts in major units.
    Csv,
}

/// Reads, checks and prints.
pub fn run(args: StatementArgs) -> anyhow::Result<Exit> {
    let (Whose::Merchant { from, .. } | Whose::Gateway { from, .. }) = &args.whose;
    let genesis = genesis::load_genesis(&from.genesis).exit(Exit::Usage)?;
    // Opening makes a home where there is none: that is not what was asked for.
    if !from.home.join("blocks").is_dir() {
        let message =
            format!("{} is not a home folder: it has no folder blocks/", from.home.display());
        return Err(failure(Exit::Usage, message));
    }
    let (store, state) = opening::open_to_read(&from.home, &genesis, StoreOptions::default())?;
    match &args.whose {
        Whose::Merchant { merchant, month, offset_min, from } => {
            let id = MerchantId::new(*merchant);
            if state.merchant(id).is_none() {
                return Err(failure(Exit::Usage, format!("merchant {id} is not registered")));
            }
            let made = merchant::statement(store.as_ref(), &state, id, *month, *offset_min);
            let made = made.context("no statement")?;
            print(&made, || made.csv(), from.format)
        }
        Whose::Gateway { gateway, window, from } => {
            let (id, window) = (ParticipantId::new(*gateway), WindowId::new(*window));
            let made = gateway::statement(store.as_ref(), &state, &genesis, id, window);
            match made {
                Err(fault @ StatementFault::WindowOpen(_)) => {
                    Err(failure(Exit::Negative, fault.to_string()))
                }
                made => {
                    let made = made.context("no statement")?;
                    print(&made, || made.csv(), from.format)
                }
            }
        }
    }
}

fn print(
    made: &impl Serialize,
    csv: impl FnOnce() -> String,
    format: Format,
) -> anyhow::Result<Exit> {
    match format {
        Format::Json => Output { json: true }.answer(made, String::new)?,
        Format::Csv => Output { json: false }.answer(made, || csv().trim_end().to_owned())?,
    }
    Ok(Exit::Done)
}
