//! `sluice order`: what became of an order.

use std::fmt::Write as _;

use chain_types::OrderId;
use clap::Args;
use futures::FutureExt as _;
use rpc_api::{
    CashbackRefusal, CashbackReport, ConversionReport, OrderReport, OrderState,
    RechargeRpcClient as _,
};

use super::exit::Exit;
use super::output::{Output, time_text};
use crate::participant::client::{CallError, Client};

/// Arguments of `sluice order`.
#[derive(Debug, Args)]
pub struct OrderArgs {
    /// The order's id, a UUID.
    order_id: OrderId,
    #[command(flatten)]
    nodes: NodeUrls,
}

/// Which nodes to ask.
#[derive(Debug, Clone, Args)]
pub struct NodeUrls {
    /// A node's RPC URL, such as http://127.0.0.1:26001; several are asked in turn until one
    /// answers.
    #[arg(long = "rpc", value_name = "URL", required = true, value_delimiter = ',')]
    pub urls: Vec<String>,
}

/// Asks and prints; exit code 1 when the order is not found.
pub async fn run(args: OrderArgs, output: Output) -> anyhow::Result<Exit> {
    let client = Client::new(&args.nodes.urls)?;
    let id = args.order_id.to_string();
    let report =
        client.ask(|node| node.order(id.clone()).boxed()).await.map_err(CallError::into_failure)?;
    output.answer(&report, || text(&report))?;
    Ok(if report.status == OrderState::NotFound { Exit::Negative } else { Exit::Done })
}

fn cashback_text(cashback: &CashbackReport) -> String {
    match (&cashback.amount, cashback.refused) {
        (Some(amount), _) => {
            format!("\n  cashback {amount} of tier {}", cashback.tier.unwrap_or_default())
        }
        (None, Some(CashbackRefusal::OverMonth)) => {
            "\n  no cashback: above what the user may get in a month".to_owned()
        }
        (None, Some(CashbackRefusal::OverBudget)) => {
            "\n  no cashback: the programme's budget does not hold it".to_owned()
        }
        (None, None) => String::new(),
    }
}

/// How the collecting gateway stands to an order of a status.
const fn collection_text(status: OrderState) -> &'static str {
    match status {
        OrderState::Collected
        | OrderState::Instructed
        | OrderState::Arrived
        | OrderState::Failed
        | OrderState::Returned => "collected by",
        OrderState::Reserved => "reserved and not yet collected by",
        OrderState::Held => "held and not yet collected by",
        OrderState::Voided | OrderState::Expired | OrderState::Refused => "never collected by",
        OrderState::Rejected | OrderState::NotFound => "not collected by",
    }
}

fn text(report: &OrderReport) -> String {
    let mut text = format!("order {} is {}", report.order_id, report.status.name());
    // Writing into a string does not fail.
    if let Some(order) = &report.order {
        let _ = write!(
            text,
            "\n  {} to merchant {}, {} gateway {}",
            order.amount,
            order.merchant,
            collection_text(report.status),
            order.collecting_gateway
        );
    }
    if let Some(conversion) = &report.conversion {
        let ConversionReport { rate, payout, quote_id, .. } = conversion;
        let _ = write!(text, "\n  converted at {rate} to {payout} by quote {quote_id}");
    }
    if let Some(cashback) = &report.cashback {
        text.push_str(&cashback_text(cashback));
    }
    if let Some(returned) = &report.returned {
        let _ = write!(text, "\n  returned {}, left {}", returned.amount, returned.left);
    }
    if let Some(rejection) = &report.rejection {
        let _ = write!(
            text,
            "\n  refused: {} (code {}): {} {}",
            rejection.name, rejection.code, rejection.cause, rejection.remedy
        );
    }
    let stages = &report.stages;
    let times = [
        ("accepted", stages.accepted_ms),
        ("collected", stages.collected_ms),
        ("ended", stages.ended_ms),
        ("instructed", stages.instructed_ms),
        ("arrived", stages.arrived_ms),
        ("deadline", stages.deadline_ms),
    ];
    for (stage, time_ms) in times {
        if let Some(time_ms) = time_ms {
            let _ = write!(text, "\n  {stage:<11}{}", time_text(time_ms));
        }
    }
    if let Some(location) = &report.location {
        let _ = write!(
            text,
            "\n  height {}, batch {} ({}), item {}",
            location.height, location.batch_index, location.batch_id, location.item_index
        );
    }
    if let Some(instruction) = &report.instruction_id {
        let _ = write!(text, "\n  instruction {instruction}");
    }
    let searched = &report.searched;
    if report.status == OrderState::NotFound {
        let _ = write!(
            text,
            "\n  searched heights {} to {}; ",
            searched.from_height, searched.to_height
        );
        let until = time_text(searched.may_commit_until_ms);
        let _ = if searched.may_still_commit {
            write!(text, "it may still commit until {until}")
        } else {
            write!(text, "it can never commit: its time ended at {until}")
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An order's text never says "collected" of money that nobody collected.
    #[test]
    fn the_text_says_what_the_collecting_gateway_did() {
        let rows = [
            (OrderState::Rejected, "not collected by"),
            (OrderState::Reserved, "reserved and not yet collected by"),
            (OrderState::Held, "held and not yet collected by"),
            (OrderState::Voided, "never collected by"),
            (OrderState::Expired, "never collected by"),
            (OrderState::Refused, "never collected by"),
            (OrderState::Collected, "collected by"),
            (OrderState::Instructed, "collected by"),
            (OrderState::Arrived, "collected by"),
            (OrderState::Failed, "collected by"),
            (OrderState::Returned, "collected by"),
        ];
        for (status, expected) in rows {
            assert_eq!(collection_text(status), expected, "{status:?}");
        }
    }
}
