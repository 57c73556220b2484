//! `sluice audit`: a home's blocks through the settlement rules' second implementation.

use std::path::PathBuf;

use chain_store::StoreOptions;
use clap::Args;
use serde::Serialize;

use node_console::exit::{Exit, WithExit as _, failure};
use node_console::output::Output;
use node_home::audit::{
    Audited, account_differences, audit_home, breach_differences, instruction_differences,
    sla_differences, window_differences,
};
use node_home::opening::open_to_read;

const ABOUT: &str = "\
Works out every outcome, account, window report, instruction, breach and SLA figure of a home again,
by the settlement rules' second implementation, which shares no code with the first. It reads the
genesis file and the blocks, with the signatures of batches and certificates, and holds what the
node keeps against its own books. `sluice replay` compares the digest of the state and the root of
the records as well, by the node's own implementation.";

/// Arguments of `sluice audit`.
#[derive(Debug, Args)]
#[command(long_about = ABOUT)]
pub struct AuditArgs {
    /// The node's home folder; no node may have it open.
    #[arg(long, value_name = "FOLDER")]
    home: PathBuf,
    /// The chain's genesis file.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
}

/// The result of an audit.
#[derive(Debug, Serialize)]
struct AuditReport {
    is_well: bool,
    chain_id: String,
    /// The last height that is as the rules say.
    height: u64,
    items: u64,
    accounts: usize,
    windows: usize,
    instructions: usize,
    breaches: usize,
    /// The first thing in a block that is not as the rules say.
    #[serde(skip_serializing_if = "Option::is_none")]
    finding: Option<String>,
    /// The differences from what the node keeps: of each kind the first ten, and the number of the
    /// others.
    differences: Vec<String>,
}

/// Audits; exit code 0 when all is as the rules say, 1 otherwise.
pub fn run(args: AuditArgs, output: Output) -> anyhow::Result<Exit> {
    let genesis = genesis::load_genesis(&args.genesis).exit(Exit::Usage)?;
    if !args.home.join("blocks").is_dir() {
        let message =
            format!("{} is not a home folder: it has no folder blocks/", args.home.display());
        return Err(failure(Exit::Usage, message));
    }
    let (store, state) = open_to_read(&args.home, &genesis, StoreOptions::default())?;
    let bar = output.progress(state.height().get(), "blocks");
    let Audited { auditor, blocks, items, finding } =
        audit_home(&store, &genesis, state.height(), &|height| bar.set_position(height.get()))?;
    bar.finish_and_clear();
    let mut differences = Vec::new();
    // After a finding the auditor's books are those of an earlier height.
    if finding.is_none() {
        differences = account_differences(&auditor, &state);
        differences.extend(window_differences(&auditor, &store)?);
        differences.extend(instruction_differences(&auditor, &store)?);
        differences.extend(breach_differences(&auditor, &store)?);
        differences.extend(sla_differences(&auditor, &state));
    }
    let report = AuditReport {
        is_well: finding.is_none() && differences.is_empty(),
        chain_id: genesis.chain_id.to_string(),
        height: blocks,
        items,
        accounts: auditor.balances().len(),
        windows: auditor.windows().len(),
        instructions: auditor.instructions().len(),
        breaches: auditor.breaches().len(),
        finding,
        differences,
    };
    output.answer(&report, || report.text())?;
    Ok(if report.is_well { Exit::Done } else { Exit::Negative })
}

impl AuditReport {
    fn text(&self) -> String {
        let Self { height, items, accounts, windows, instructions, breaches, .. } = self;
        let mut lines = vec![match &self.finding {
            None => format!(
                "{height} blocks with {items} outcomes are as the rules say: {accounts} accounts, \
                 {windows} closed windows, {instructions} instructions, {breaches} breaches"
            ),
            Some(finding) => {
                format!("NOT as the rules say: {finding}\n{height} blocks before it are")
            }
        }];
        if !self.differences.is_empty() {
            lines.push("the node keeps otherwise:".to_owned());
        }
        lines.extend(self.differences.iter().map(|difference| format!("  {difference}")));
        lines.join("\n")
    }
}
