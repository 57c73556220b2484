//! `sluice proof`: fetches the proof of an account's counters, or of a closed window's report.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context as _;
use chain_state::proof::ProvenAccount;
use chain_state::proof::ProvenWindow;
use chain_types::{AccountKey, RecordProof};
use clap::Args;
use futures::FutureExt as _;
use node_console::exit::{Exit, failure};
use node_console::output::{Output, time_text};
use rpc_api::{ApiError, LedgerRpcClient as _, SettlementRpcClient as _, decode_base64};
use rpc_client::client::{CallError, Client};
use serde_json::json;

use super::nodes::NodeUrls;

/// Arguments of `sluice proof`.
#[derive(Debug, Args)]
pub struct ProofArgs {
    /// The account: kind:owner:CURRENCY, such as gateway-liquidity:201:CNY. Or the word `window`.
    #[arg(value_name = "ACCOUNT|window")]
    of: Subject,
    /// After `window`: the number of a closed settlement window.
    #[arg(required_if_eq("of", "window"))]
    number: Option<u64>,
    /// The height after whose block an account's counters are wanted, instead of the node's head.
    #[arg(long)]
    height: Option<u64>,
    #[command(flatten)]
    nodes: NodeUrls,
    /// The file of the proof; an existing file is replaced.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Leave the changes of validators out: `sluice verify --lineage` then needs the file of
    /// `sluice lineage`.
    #[arg(long)]
    lineage_apart: bool,
}

/// The subject of the proof, by its first argument.
#[derive(Debug, Clone)]
enum Subject {
    Window,
    Account(AccountKey),
}

impl FromStr for Subject {
    type Err = <AccountKey as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "window" { Ok(Self::Window) } else { text.parse().map(Self::Account) }
    }
}

/// Fetches, checks that it is a proof, and writes it; exit code 1 when there is no such account or
/// closed window, or the node keeps no proof of it.
pub async fn run(args: ProofArgs, output: Output) -> anyhow::Result<Exit> {
    let client = args.nodes.client()?;
    match (&args.of, args.number, args.height) {
        (Subject::Window, Some(number), None) => window(&client, number, &args, output).await,
        (Subject::Account(name), None, _) => account(&client, name, &args, output).await,
        (Subject::Window, ..) => {
            Err(failure(Exit::Usage, "--height is for accounts, not for windows"))
        }
        (Subject::Account(_), ..) => {
            Err(failure(Exit::Usage, "only `window` is followed by a number"))
        }
    }
}

async fn account(
    client: &Client,
    account: &AccountKey,
    args: &ProofArgs,
    output: Output,
) -> anyhow::Result<Exit> {
    let name = account.to_string();
    let (out, apart) = (&args.out, args.lineage_apart.then_some(true));
    let report = client.ask(|node| node.account_proof(name.clone(), args.height, apart).boxed());
    let report = report.await.map_err(refused)?;
    let is_proof = |bytes: &[u8]| ProvenAccount::decode(bytes).is_ok();
    let bytes = write(&report.proof_base64, is_proof, out)?;
    let answer = json!({
        "account": report.account,
        "height": report.height,
        "file": out.display().to_string(),
        "bytes": bytes,
    });
    output.answer(&answer, || {
        let (file, balance) = (out.display(), &report.account.balance);
        format!("{file}: {bytes} bytes, {name} holds {balance} at height {}", report.height)
    })?;
    Ok(Exit::Done)
}

async fn window(
    client: &Client,
    number: u64,
    args: &ProofArgs,
    output: Output,
) -> anyhow::Result<Exit> {
    let (out, apart) = (&args.out, args.lineage_apart.then_some(true));
    let report = client.ask(|node| node.window_proof(number, apart).boxed());
    let report = report.await.map_err(refused)?;
    let is_proof = |bytes: &[u8]| {
        let proven =
            RecordProof::decode(bytes).ok().and_then(|read| ProvenWindow::read(&read).ok());
        proven.is_some_and(|proven| proven.window.id.get() == number)
    };
    let bytes = write(&report.proof_base64, is_proof, out)?;
    let answer = json!({
        "window": number,
        "height": report.height,
        "closed_ms": report.time_ms,
        "settled_height": report.settled_height,
        "file": out.display().to_string(),
        "bytes": bytes,
    });
    output.answer(&answer, || {
        let (file, closed) = (out.display(), time_text(report.time_ms));
        let settled = match report.settled_height {
            Some(height) => format!("settled in block {height}"),
            None => "not settled yet".to_owned(),
        };
        format!("{file}: {bytes} bytes, window {number} closed at {closed}, {settled}")
    })?;
    Ok(Exit::Done)
}

/// A node's word that there is no such proof is an answer; anything else is a failure.
fn refused(error: CallError) -> anyhow::Error {
    const NONE: [ApiError; 3] = [ApiError::NotFound, ApiError::WindowOpen, ApiError::ProofNotKept];
    match error {
        CallError::Refused { code, message, .. } if NONE.iter().any(|none| none.code() == code) => {
            failure(Exit::Negative, message)
        }
        error => error.into(),
    }
}

/// Writes a proof once it is one; gives its length in bytes.
fn write(base64: &str, is_proof: impl Fn(&[u8]) -> bool, out: &Path) -> anyhow::Result<usize> {
    let bytes = decode_base64(base64).filter(|bytes| is_proof(bytes));
    let bytes = bytes.ok_or_else(|| failure(Exit::Fault, "the node's answer is not a proof"))?;
    std::fs::write(out, &bytes).with_context(|| format!("cannot write {}", out.display()))?;
    Ok(bytes.len())
}
