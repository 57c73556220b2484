//! `sluice bank statement`: the money that really moved.

use clap::Args;
use node_console::exit::Exit;
use node_console::output::Output;
use rpc_bank::{BankJournal, MovedMoney};

use super::{JournalArgs, exit_of};

/// The columns of the text.
const COLUMNS: &str = "time_ms,day,id,uetr,message,amount,currency,from,to,is_back,reference";

/// Arguments of `sluice bank statement`.
#[derive(Debug, Args)]
#[command(after_help = "\
CSV, or a list under --json. It is what was really paid, whatever the bank said of it. It reads the
journal and changes nothing; the bank may be at work.")]
pub struct BankStatementArgs {
    #[command(flatten)]
    journal: JournalArgs,
}

/// Prints the movements in their order.
pub fn run(args: &BankStatementArgs, output: Output) -> anyhow::Result<Exit> {
    let (_, journal) = args.journal.paths()?;
    let ledger = exit_of(BankJournal::read(&journal))?;
    output.answer(&ledger.moved, || {
        let lines = ledger.moved.iter().map(line);
        std::iter::once(COLUMNS.to_owned()).chain(lines).collect::<Vec<_>>().join("\n")
    })?;
    Ok(Exit::Done)
}

fn line(moved: &MovedMoney) -> String {
    let fields = [
        moved.time_ms.to_string(),
        field(&moved.day),
        field(&moved.id),
        field(&moved.uetr),
        field(&moved.message),
        field(&moved.amount),
        field(&moved.currency),
        field(&moved.from),
        field(&moved.to),
        moved.is_back.to_string(),
        field(&moved.reference),
    ];
    fields.join(",")
}

/// A field in quotes if it needs them.
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
