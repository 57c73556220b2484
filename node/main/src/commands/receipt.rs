//! `sluice receipt`: fetches an order's receipt.

use std::path::PathBuf;

use anyhow::Context as _;
use chain_types::{OrderId, Receipt};
use clap::Args;
use futures::FutureExt as _;
use node_console::exit::{Exit, failure};
use node_console::output::Output;
use rpc_api::{ApiError, ReceiptReport, RechargeRpcClient as _, decode_base64};
use rpc_client::client::CallError;
use serde_json::json;

use super::nodes::NodeUrls;

/// Arguments of `sluice receipt`.
#[derive(Debug, Args)]
#[command(after_help = "\
A receipt proves the stages that it was made after: fetch it again once the order has come further.
It is written unverified; `sluice verify` checks it with nothing but the genesis file. Exit code 1
when the node finds no such order.")]
pub struct ReceiptArgs {
    /// The order's id, a UUID.
    order_id: OrderId,
    #[command(flatten)]
    nodes: NodeUrls,
    /// The file of the receipt; a file of this name is replaced.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Leave the changes of validators out: `sluice verify --lineage` then needs the file of
    /// `sluice lineage`.
    #[arg(long)]
    lineage_apart: bool,
}

/// Fetches, checks that it is a receipt, and writes it; exit code 1 when the order is not found.
pub async fn run(args: ReceiptArgs, output: Output) -> anyhow::Result<Exit> {
    let client = args.nodes.client()?;
    let id = args.order_id.to_string();
    let apart = args.lineage_apart.then_some(true);
    let report = match client.ask(|node| node.receipt(id.clone(), apart).boxed()).await {
        Ok(report) => report,
        Err(CallError::Refused { code, message, .. }) if code == ApiError::NotFound.code() => {
            return Err(failure(Exit::Negative, message));
        }
        Err(error) => return Err(error.into()),
    };
    let bytes = decode_base64(&report.receipt_base64);
    let bytes = bytes.filter(|bytes| Receipt::decode(bytes).is_ok());
    let bytes = bytes.ok_or_else(|| failure(Exit::Fault, "the node's answer is not a receipt"))?;
    std::fs::write(&args.out, &bytes)
        .with_context(|| format!("cannot write {}", args.out.display()))?;
    let answer = json!({
        "order_id": id,
        "file": args.out.display().to_string(),
        "bytes": bytes.len(),
        "proves_collection": report.proves_collection,
        "proves_arrival": report.proves_arrival,
        "return_count": report.return_count,
    });
    output.answer(&answer, || {
        format!("{}: {} bytes, {}", args.out.display(), bytes.len(), claim_text(&report))
    })?;
    Ok(Exit::Done)
}

/// Describes what the receipt proves, as the node states it: nothing is verified until `sluice
/// verify` has run.
fn claim_text(report: &ReceiptReport) -> String {
    let stages = match (report.proves_collection, report.proves_arrival) {
        (_, true) => "the submission, the collection and the arrival",
        (true, false) => "the submission and the collection",
        (false, false) => "the submission and its outcome, no collection",
    };
    let returns = match report.return_count {
        0 => String::new(),
        1 => ", and 1 return".to_owned(),
        count => format!(", and {count} returns"),
    };
    format!("said to prove {stages}{returns}; check it with `sluice verify`")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use chain_types::TimeMs;

    use super::*;

    #[test]
    fn a_receipt_is_said_to_prove_what_it_proves() {
        let claim = |proves_collection, proves_arrival, return_count| {
            claim_text(&ReceiptReport {
                order_id: OrderId::new(TimeMs::new(1_790_000_000_000), [1; 10]),
                receipt_base64: String::new(),
                proves_collection,
                proves_arrival,
                return_count,
            })
        };
        assert!(claim(false, false, 0).contains("its outcome, no collection;"));
        assert!(claim(true, false, 0).contains("and the collection;"));
        assert!(claim(true, true, 1).contains("and the arrival, and 1 return;"));
        assert!(claim(true, true, 2).contains("and 2 returns; check it"));
    }
}
