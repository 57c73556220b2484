//! `sluice order`: what became of an order.

use std::fmt::Write as _;

use chain_types::OrderId;
use clap::Args;
use futures::FutureExt as _;
use rpc_api::{
    CashbackRefusal, CashbackReport, ConversionReport, ItemLocation, OrderReport, OrderState,
    RechargeRpcClient as _, Searched,
};

use node_console::exit::Exit;
use node_console::output::{Output, time_text};

use super::nodes::NodeUrls;

/// Arguments of `sluice order`.
#[derive(Debug, Args)]
#[command(after_help = "\
A node is asked, and believed: `sluice receipt` and `sluice verify` prove what it says. Exit code 0
when the order was found, whatever became of it; 1 when it was not.")]
pub struct OrderArgs {
    /// The order's id, a UUID.
    order_id: OrderId,
    #[command(flatten)]
    nodes: NodeUrls,
}

/// Asks and prints; exit code 1 when the order is not found.
pub async fn run(args: OrderArgs, output: Output) -> anyhow::Result<Exit> {
    let client = args.nodes.client()?;
    let id = args.order_id.to_string();
    let report = client.ask(|node| node.order(id.clone()).boxed()).await?;
    output.answer(&report, || text(&report))?;
    Ok(if report.status == OrderState::NotFound { Exit::Negative } else { Exit::Done })
}

/// Describes what the order's gateway has done about the user's money, or is yet to do.
fn collection_text(report: &OrderReport, gateway: u32) -> String {
    if report.stages.collected_ms.is_some() {
        return format!("collected by gateway {gateway}");
    }
    match report.status {
        OrderState::Rejected => format!("not collected: it named gateway {gateway}"),
        OrderState::Voided | OrderState::Expired | OrderState::Refused => {
            format!("not collected: gateway {gateway} was to collect it")
        }
        OrderState::Held => {
            format!("not collected yet: it waits for a risk desk, then for gateway {gateway}")
        }
        OrderState::Debiting => {
            format!("not collected yet: gateway {gateway} is debiting the user, and alone may void")
        }
        _ => format!("not collected yet: gateway {gateway} is to collect it"),
    }
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
            "\n  no cashback: the programme's budget is too small for it".to_owned()
        }
        (None, None) => String::new(),
    }
}

/// The quote's conversion, which takes place when the order is collected.
fn conversion_text(conversion: &ConversionReport, status: OrderState) -> String {
    let ConversionReport { rate, payout, quote_id, .. } = conversion;
    let word = match status {
        OrderState::Reserved | OrderState::Debiting => "to be converted",
        OrderState::Voided | OrderState::Expired => "not converted: it was to be",
        _ => "converted",
    };
    format!("\n  {word} at {rate} to {payout} by quote {quote_id}")
}

/// When each stage happened, each under the word of what happened.
fn stages_text(report: &OrderReport) -> String {
    let (stages, status) = (&report.stages, report.status);
    let first = match status {
        OrderState::Rejected => "rejected",
        _ => "accepted",
    };
    let settled = match status {
        OrderState::Failed => "failed",
        _ => "arrived",
    };
    let times = [
        (first, stages.accepted_ms),
        ("debiting", stages.debiting_ms),
        ("collected", stages.collected_ms),
        (status.name(), stages.ended_ms),
        ("instructed", stages.instructed_ms),
        (settled, stages.arrived_ms),
    ];
    let mut text = String::new();
    for (stage, time_ms) in times {
        if let Some(time_ms) = time_ms {
            // Writing into a string does not fail.
            let _ = write!(text, "\n  {stage:<11}{}", time_text(time_ms));
        }
    }
    if let Some(time_ms) = stages.reversible_until_ms {
        let until = time_text(time_ms);
        let _ = write!(text, "\n  reversible by its gateway alone until {until}, in this window");
    }
    // Who never gets the money waits for no deadline.
    let is_due = matches!(
        status,
        OrderState::Held
            | OrderState::Reserved
            | OrderState::Debiting
            | OrderState::Collected
            | OrderState::Instructed
            | OrderState::Arrived
            | OrderState::Failed
    );
    if let Some(time_ms) = stages.deadline_ms.filter(|_| is_due) {
        let _ = write!(text, "\n  due by     {}", time_text(time_ms));
    }
    text
}

/// Describes the range in which the order was looked for, when it was not found.
fn search_text(searched: &Searched) -> String {
    let Searched { from_height, to_height, may_commit_until_ms, may_still_commit, .. } = searched;
    let until = time_text(*may_commit_until_ms);
    let fate = if *may_still_commit {
        format!("it may still commit until {until}: ask again after that")
    } else {
        format!("it can never commit: its time ended at {until}")
    };
    format!("\n  searched heights {from_height} to {to_height}; {fate}")
}

fn text(report: &OrderReport) -> String {
    if report.status == OrderState::NotFound {
        let start = format!("order {} was not found", report.order_id);
        return start + &search_text(&report.searched);
    }
    let mut text = format!("order {} is {}", report.order_id, report.status.name());
    // Writing into a string does not fail.
    if let Some(order) = &report.order {
        let collection = collection_text(report, order.collecting_gateway);
        let _ = write!(text, "\n  {} to merchant {}", order.amount, order.merchant);
        let _ = write!(text, "\n  {collection}");
    }
    if let Some(conversion) = &report.conversion {
        text.push_str(&conversion_text(conversion, report.status));
    }
    if let Some(cashback) = &report.cashback {
        text.push_str(&cashback_text(cashback));
    }
    if let Some(returned) = &report.returned {
        let _ = write!(text, "\n  sent back {}, left {}", returned.amount, returned.left);
    }
    if let Some(rejection) = &report.rejection {
        let _ = write!(
            text,
            "\n  rejected: {} (code {}): {} {}",
            rejection.name, rejection.code, rejection.cause, rejection.remedy
        );
    }
    text.push_str(&stages_text(report));
    let places = [("submitted", &report.location), (report.status.name(), &report.status_location)];
    for (word, location) in places {
        if let Some(ItemLocation { height, batch_index, batch_id, item_index }) = location {
            let _ = write!(
                text,
                "\n  {word} in block {height}, batch {batch_index} ({batch_id}), item {item_index}"
            );
        }
    }
    if let Some(instruction) = &report.instruction_id {
        let _ = write!(text, "\n  instruction {instruction}");
    }
    text
}

#[cfg(test)]
mod tests;
