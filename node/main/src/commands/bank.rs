//! `sluice bank`: a simulated bank that misbehaves as it is told, for tests of a gateway.

mod run;
mod statement;
mod status;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use node_console::exit::{Exit, WithExit as _};
use node_console::output::Output;
use rpc_bank::{BankFault, bank_folder};

/// The name of the journal in the folder that gateway and bank share.
const JOURNAL: &str = "bank.journal";

/// Arguments of `sluice bank`.
#[derive(Debug, Args)]
pub struct BankArgs {
    #[command(subcommand)]
    command: BankCommand,
}

#[derive(Debug, Subcommand)]
enum BankCommand {
    /// Take a gateway's messages, move money in a journal, and answer, until SIGTERM or SIGINT.
    Run(run::BankRunArgs),
    /// Count what the bank did.
    Status(status::BankStatusArgs),
    /// Print the money that really moved, a line a movement.
    Statement(statement::BankStatementArgs),
}

/// The journal of a bank, as options name it.
#[derive(Debug, Clone, Args)]
struct JournalArgs {
    /// A gateway's home, or the folder that it shares with its bank.
    folder: PathBuf,
    /// The bank's journal, instead of bank.journal in the shared folder.
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
}

impl JournalArgs {
    /// Returns the shared folder and the journal.
    fn paths(&self) -> anyhow::Result<(PathBuf, PathBuf)> {
        let folder = exit_of(bank_folder(&self.folder))?;
        let journal = self.journal.clone().unwrap_or_else(|| in_folder(&folder));
        Ok((folder, journal))
    }
}

fn in_folder(folder: &Path) -> PathBuf {
    folder.join(JOURNAL)
}

/// Runs the subcommand that was given, and says how it ended.
pub async fn run(args: BankArgs, output: Output) -> anyhow::Result<Exit> {
    match args.command {
        BankCommand::Run(args) => run::run(args, output).await,
        BankCommand::Status(args) => status::run(&args, output),
        BankCommand::Statement(args) => statement::run(&args, output),
    }
}

/// Gives a fault its exit code: what a person wrote, or what is broken on this side.
fn exit_of<T>(result: Result<T, BankFault>) -> anyhow::Result<T> {
    let exit = match &result {
        Err(BankFault::NoFolder(_) | BankFault::OtherSeed { .. }) => Exit::Usage,
        _ => Exit::Fault,
    };
    result.exit(exit)
}
