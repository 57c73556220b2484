//! `sluice bank status`: the counts of a simulated bank.

use std::collections::BTreeMap;

use clap::Args;
use node_console::exit::Exit;
use node_console::output::Output;
use rpc_bank::{BankJournal, BankLedger};
use serde::Serialize;

use super::{JournalArgs, exit_of};

/// Arguments of `sluice bank status`.
#[derive(Debug, Args)]
#[command(after_help = "\
It reads the journal and changes nothing; the bank may be at work.")]
pub struct BankStatusArgs {
    #[command(flatten)]
    journal: JournalArgs,
}

/// The counts of a bank.
#[derive(Debug, Serialize)]
struct BankStatus {
    seed: u64,
    /// Payments by their fates.
    payments: BTreeMap<&'static str, u64>,
    paid: usize,
    returned: usize,
    duplicates: u64,
    refused: u64,
    questions: u64,
    unreadable: u64,
    /// Files that are not in the folder yet.
    waiting: usize,
}

impl BankStatus {
    fn of(ledger: &BankLedger) -> Self {
        let mut payments: BTreeMap<&'static str, u64> = BTreeMap::new();
        for payment in ledger.payments() {
            *payments.entry(payment.fate.name()).or_default() += 1;
        }
        let returned = ledger.moved.iter().filter(|moved| moved.is_back).count();
        Self {
            seed: ledger.seed,
            payments,
            paid: ledger.moved.len() - returned,
            returned,
            duplicates: ledger.duplicates,
            refused: ledger.refused,
            questions: ledger.questions,
            unreadable: ledger.unreadable,
            waiting: ledger.answers().count(),
        }
    }

    fn text(&self) -> String {
        let fates = self.payments.iter().map(|(fate, count)| format!("{count} {fate}"));
        let fates: Vec<String> = fates.collect();
        let fates = if fates.is_empty() { "none".to_owned() } else { fates.join(", ") };
        format!(
            "seed {}; payments: {fates}\nmoney moved {} times to merchants, {} times back\n\
             messages: {} came again, {} refused, {} questions, {} unreadable; {} files wait",
            self.seed,
            self.paid,
            self.returned,
            self.duplicates,
            self.refused,
            self.questions,
            self.unreadable,
            self.waiting
        )
    }
}

/// Prints what the bank was asked, what it paid and what it still has to answer.
pub fn run(args: &BankStatusArgs, output: Output) -> anyhow::Result<Exit> {
    let (_, journal) = args.journal.paths()?;
    let status = BankStatus::of(&exit_of(BankJournal::read(&journal))?);
    output.answer(&status, || status.text())?;
    Ok(Exit::Done)
}
