//! `sluice receipt`: fetches an order's receipt.

use std::path::PathBuf;

use anyhow::Context as _;
use chain_types::{OrderId, Receipt};
use clap::Args;
use futures::FutureExt as _;
use rpc_api::{ApiError, RechargeRpcClient as _, decode_base64};
use serde_json::json;

use super::exit::{Exit, failure};
use super::order::NodeUrls;
use super::output::Output;
use crate::participant::client::{CallError, Client};

/// Arguments of `sluice receipt`.
#[derive(Debug, Args)]
pub struct ReceiptArgs {
    /// The order's id, a UUID.
    order_id: OrderId,
    #[command(flatten)]
    nodes: NodeUrls,
    /// Where to write the receipt; an existing file is replaced.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Leave the changes of validators out: `sluice verify --lineage` then wants the file of
    /// `sluice lineage`.
    #[arg(long)]
    lineage_apart: bool,
}

/// Fetches, checks that it is a receipt, and writes it; exit code 1 when the order is not found.
pub async fn run(args: ReceiptArgs, output: Output) -> anyhow::Result<Exit> {
    let client = Client::new(&args.nodes.urls)?;
    let id = args.order_id.to_string();
    let apart = args.lineage_apart.then_some(true);
    let report = match client.ask(|node| node.receipt(id.clone(), apart).boxed()).await {
        Ok(report) => report,
        Err(CallError::Refused { code, message, .. }) if code == ApiError::NotFound.code() => {
            return Err(failure(Exit::Negative, message));
        }
        Err(error) => return Err(error.into_failure()),
    };
    let bytes = decode_base64(&report.receipt_base64);
    let bytes = bytes.filter(|bytes| Receipt::decode(bytes).is_ok());
    let bytes = bytes.ok_or_else(|| failure(Exit::Fault, "the node's answer is no receipt"))?;
    std::fs::write(&args.out, &bytes)
        .with_context(|| format!("cannot write {}", args.out.display()))?;
    let answer = json!({
        "order_id": id,
        "file": args.out.display().to_string(),
        "bytes": bytes.len(),
        "proves_collection": report.proves_collection,
        "proves_arrival": report.proves_arrival,
    });
    output.answer(&answer, || {
        let proves = match (report.proves_collection, report.proves_arrival) {
            (_, true) => "submission, collection and arrival",
            (true, false) => "submission and collection",
            (false, false) => "submission",
        };
        format!("{}: {} bytes, proves {proves}", args.out.display(), bytes.len())
    })?;
    Ok(Exit::Done)
}
