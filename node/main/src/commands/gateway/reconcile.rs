//! `sluice gateway reconcile`: a day's statements against the chain.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use node_console::exit::Exit;
use node_console::output::Output;
use rpc_gateway::{GatewayHome, ReconciledDay, Reconciliation, parse_day, reconcile_day};
use serde_json::json;

use super::exit_of;

/// Arguments of `sluice gateway reconcile`.
#[derive(Debug, Args)]
#[command(after_help = "\
Statements, reports and notifications (camt.053, camt.052, camt.054) that the gateway has taken and
that are of the day are held against its payments. The report is written to days/DAY.json and
days/DAY.csv in the home. SHA-256 of the JSON is the digest to name when a window is settled. A day
is reconciled once, and days in their order. Exit code 1 when breaks are open.")]
pub struct ReconcileArgs {
    /// The home folder; the gateway may be at work in it.
    home: PathBuf,
    /// The day, such as 2026-11-30.
    #[arg(long, value_name = "DAY")]
    day: String,
    /// Ids of breaks that people have explained: they are open no longer.
    #[arg(long = "explained", value_name = "ID", value_delimiter = ',')]
    explained: Vec<String>,
}

/// Reconciles and says what is open.
pub fn run(args: ReconcileArgs, output: Output) -> anyhow::Result<Exit> {
    let home = GatewayHome::new(&args.home);
    let (profile, _) = exit_of(home.load())?;
    let day = exit_of(parse_day(&args.day))?;
    let explained: BTreeSet<Box<str>> = args.explained.into_iter().map(Into::into).collect();
    let done = exit_of(reconcile_day(&home, &profile, day, explained))?;
    let ReconciledDay { reconciliation, report } = &done;
    let answer = json!({
        "digest": reconciliation.digest().to_string(),
        "file": report.display().to_string(),
        "report": reconciliation.report,
    });
    output.answer(&answer, || text(reconciliation, &report.display().to_string()))?;
    Ok(if reconciliation.breaks.is_empty() { Exit::Done } else { Exit::Negative })
}

fn text(reconciliation: &Reconciliation, file: &str) -> String {
    let report = &reconciliation.report;
    let mut lines = vec![format!(
        "{}: {} payments, {} movements, {} in transit, {} breaks, {} faults of statements",
        report.day,
        report.payments,
        report.movements,
        report.in_transit,
        report.breaks.len(),
        report.faults.len()
    )];
    lines.extend(report.breaks.iter().map(|each| {
        let name = match each.end_to_end_id.as_str() {
            "" => &each.reference,
            name => name,
        };
        let age_days = each.age_days;
        format!(
            "{} {}: {name} {} {}, {age_days} days",
            each.id, each.kind, each.amount, each.currency
        )
    }));
    let faults = report.faults.iter();
    lines.extend(faults.map(|each| format!("statement of {}: {}", each.account, each.text)));
    lines.push(format!("{file}: digest {}", reconciliation.digest()));
    lines.join("\n")
}
