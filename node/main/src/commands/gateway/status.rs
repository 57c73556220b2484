//! `sluice gateway status`: where payments stand.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use node_console::exit::Exit;
use node_console::output::Output;
use rpc_client::operations::now;
use rpc_gateway::{AttemptStanding, GatewayHome, GatewayRules, read_books, standing};
use serde::Serialize;

use super::exit_of;

/// Arguments of `sluice gateway status`.
#[derive(Debug, Args)]
#[command(after_help = "\
It reads the home and changes nothing; the gateway may be at work. docs/gateway.md says what to do
about each reason for which a payment is held. Exit code 1 when something is held.")]
pub struct StatusArgs {
    /// The folder that `sluice gateway new` made.
    home: PathBuf,
}

#[derive(Debug, Serialize)]
struct HeldPayment {
    end_to_end_id: String,
    reason: String,
}

#[derive(Debug, Serialize)]
struct HeldBankFile {
    name: String,
    verdict: String,
}

/// How many attempts stand where, and what is held.
#[derive(Debug, Default, Serialize)]
struct GatewayStatus {
    attempts: BTreeMap<&'static str, u64>,
    held: Vec<HeldPayment>,
    held_files: Vec<HeldBankFile>,
}

/// How many payments stand where, and what a person decides.
pub fn run(args: &StatusArgs, output: Output) -> anyhow::Result<Exit> {
    let home = GatewayHome::new(&args.home);
    let (profile, accounts) = exit_of(home.load())?;
    let books = exit_of(read_books(&home, &profile))?;
    let rules = GatewayRules { profile: &profile, accounts: &accounts, now: now() };
    let mut status = GatewayStatus::default();
    for (id, _) in books.attempts() {
        let word = match standing(&books, id, &rules) {
            AttemptStanding::Pay => "to be paid",
            AttemptStanding::Wait => "waiting",
            AttemptStanding::Ask => "to be asked about",
            AttemptStanding::Recall => "to be recalled",
            AttemptStanding::Say(_) => "to be told to the chain",
            AttemptStanding::Done => "done",
            AttemptStanding::Held(reason) => {
                let (end_to_end_id, reason) = (id.to_string(), reason.to_string());
                status.held.push(HeldPayment { end_to_end_id, reason });
                "held"
            }
        };
        *status.attempts.entry(word).or_default() += 1;
    }
    let files = books.held_files().iter();
    status.held_files = files
        .map(|file| HeldBankFile { name: file.name.to_string(), verdict: file.verdict.to_string() })
        .collect();
    output.answer(&status, || status.text())?;
    Ok(if status.held.is_empty() { Exit::Done } else { Exit::Negative })
}

impl GatewayStatus {
    fn text(&self) -> String {
        let counts: Vec<String> =
            self.attempts.iter().map(|(word, count)| format!("{count} {word}")).collect();
        let mut lines = vec![match counts.is_empty() {
            true => "no payments yet".to_owned(),
            false => format!("payments: {}", counts.join(", ")),
        }];
        let held = self.held.iter().map(|held| format!("{}: {}", held.end_to_end_id, held.reason));
        lines.extend(held);
        let files = self.held_files.iter();
        lines.extend(files.map(|file| format!("file {}: {}", file.name, file.verdict)));
        lines.join("\n")
    }
}
