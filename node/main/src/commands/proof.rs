//! `sluice proof`: fetches the proof of an account's counters.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use futures::FutureExt as _;
use rpc_api::{AccountName, ApiError, LedgerRpcClient as _, decode_base64};
use serde_json::json;

use super::exit::{Exit, failure};
use super::order::NodeUrls;
use super::output::Output;
use crate::account_proof::ProvenAccount;
use crate::participant::client::{CallError, Client};

/// Arguments of `sluice proof`.
#[derive(Debug, Args)]
pub struct ProofArgs {
    /// The account: kind:owner:CURRENCY, such as gateway-liquidity:201:CNY.
    account: AccountName,
    /// The height after whose block the counters are wanted, instead of the node's head.
    #[arg(long)]
    height: Option<u64>,
    #[command(flatten)]
    nodes: NodeUrls,
    /// Where to write the proof; an existing file is replaced.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Fetches, checks that it is a proof, and writes it; exit code 1 when there is no such account.
pub async fn run(args: ProofArgs, output: Output) -> anyhow::Result<Exit> {
    let client = Client::new(&args.nodes.urls)?;
    let name = args.account.to_string();
    let report = client.ask(|node| node.account_proof(name.clone(), args.height).boxed());
    let report = match report.await {
        Ok(report) => report,
        Err(CallError::Refused { code, message, .. }) if code == ApiError::NotFound.code() => {
            return Err(failure(Exit::Negative, message));
        }
        Err(error) => return Err(error.into_failure()),
    };
    let bytes = decode_base64(&report.proof_base64);
    let bytes = bytes.filter(|bytes| ProvenAccount::decode(bytes).is_ok());
    let bytes = bytes.ok_or_else(|| failure(Exit::Fault, "the node's answer is no proof"))?;
    std::fs::write(&args.out, &bytes)
        .with_context(|| format!("cannot write {}", args.out.display()))?;
    let answer = json!({
        "account": report.account,
        "height": report.height,
        "file": args.out.display().to_string(),
        "bytes": bytes.len(),
    });
    output.answer(&answer, || {
        let (file, balance) = (args.out.display(), &report.account.balance);
        format!("{file}: {} bytes, {name} holds {balance} at height {}", bytes.len(), report.height)
    })?;
    Ok(Exit::Done)
}
