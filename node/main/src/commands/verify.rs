//! `sluice verify`: checks a receipt against the genesis file alone. No node, no network.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chain_types::receipt::{Proven, RECEIPT_BYTES_MAX};
use chain_types::{ChainId, Receipt};
use clap::Args;
use rpc_api::Money;
use rpc_api::batch::outcome_name;
use serde::Serialize;

use super::exit::{Exit, WithExit as _};
use super::output::{Output, time_text};

/// Arguments of `sluice verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The receipt's file.
    receipt: PathBuf,
    /// The chain's genesis file: whose hash is the chain id you trust.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
}

/// What is said of a receipt.
#[derive(Debug, Serialize)]
struct Verdict {
    valid: bool,
    chain_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    proven: Option<ProvenReport>,
}

#[derive(Debug, Serialize)]
struct ProvenReport {
    order_id: String,
    outcome_code: u16,
    outcome: &'static str,
    merchant: String,
    collecting_gateway: u32,
    amount: Money,
    external_reference: String,
    accepted_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    collected_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arrived_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instruction_id: Option<String>,
}

impl From<&Proven> for ProvenReport {
    fn from(proven: &Proven) -> Self {
        let item = &proven.item;
        Self {
            order_id: proven.order_id.to_string(),
            outcome_code: proven.outcome.0,
            outcome: outcome_name(proven.outcome),
            merchant: item.merchant().to_string(),
            collecting_gateway: item.collecting_gateway().0,
            amount: Money::new(item.amount(), item.currency()),
            external_reference: hex::encode(item.external_reference),
            accepted_ms: proven.accepted.0,
            collected_ms: proven.collected.map(|time| time.0),
            arrived_ms: proven.arrived.map(|(_, time)| time.0),
            instruction_id: proven.arrived.map(|(id, _)| id.to_string()),
        }
    }
}

/// Verifies; exit code 0 when valid, 1 when not, 2 when a file cannot be used.
pub fn run(args: VerifyArgs, output: Output) -> anyhow::Result<Exit> {
    let genesis = genesis::load_genesis(&args.genesis).exit(Exit::Usage)?;
    let bytes = read_at_most(&args.receipt, RECEIPT_BYTES_MAX)
        .with_context(|| format!("cannot read {}", args.receipt.display()))
        .exit(Exit::Usage)?;
    let result = Receipt::decode(&bytes).and_then(|receipt| receipt.verify(&genesis));
    let verdict = verdict(genesis.chain_id, result.map_err(|error| error.to_string()).as_ref());
    output.answer(&verdict, || text(&verdict))?;
    Ok(if verdict.valid { Exit::Done } else { Exit::Negative })
}

/// A file's bytes, at most one more than `limit`: enough for the decoder to refuse it by size.
fn read_at_most(path: &Path, limit: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn verdict(chain_id: ChainId, result: Result<&Proven, &String>) -> Verdict {
    Verdict {
        valid: result.is_ok(),
        chain_id: chain_id.to_string(),
        reason: result.err().cloned(),
        proven: result.ok().map(ProvenReport::from),
    }
}

fn text(verdict: &Verdict) -> String {
    let Some(proven) = &verdict.proven else {
        return format!("INVALID: {}", verdict.reason.as_deref().unwrap_or_default());
    };
    let mut text = format!(
        "valid on chain {}\n  order {}: {} to merchant {}, collected by gateway {}",
        verdict.chain_id,
        proven.order_id,
        proven.amount,
        proven.merchant,
        proven.collecting_gateway
    );
    // Writing into a string does not fail.
    let _ = write!(text, "\n  outcome    {} (code {})", proven.outcome, proven.outcome_code);
    let times = [
        ("accepted", Some(proven.accepted_ms)),
        ("collected", proven.collected_ms),
        ("arrived", proven.arrived_ms),
    ];
    for (stage, time_ms) in times {
        if let Some(time_ms) = time_ms {
            let _ = write!(text, "\n  {stage:<11}{}", time_text(time_ms));
        }
    }
    if let Some(instruction) = &proven.instruction_id {
        let _ = write!(text, " by instruction {instruction}");
    }
    text
}
