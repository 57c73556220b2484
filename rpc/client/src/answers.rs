//! Judges if an answer is about what was asked. A report about another batch or order, or of a node
//! that knows less than its reader, is no answer, however well it is formed: the next node is
//! asked. A node's word is no proof of what it says; that is what a receipt is for.
//!
//! It decides and does nothing. clients/hostile.json holds every client to the same verdicts.

use bytes::Bytes;
use chain_types::receipt::Proven;
use chain_types::{BatchId, ChainGenesis, Height, OrderId, Outcome, Receipt, SignedBatch};
use rpc_api::{
    BatchReport, BatchState, OrderReport, OrderState, Outcomes, ReceiptReport, decode_base64,
};

/// Why what came from a node is no answer to what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The report is of another batch.
    #[error("the report is of another batch")]
    OtherBatch,
    /// The batch is called final, and its outcomes are missing or are not those of its items.
    #[error("the outcomes are not those of the batch's items")]
    Outcomes,
    /// The report is of another order.
    #[error("the report is of another order")]
    OtherOrder,
    /// The node has not reached the height that its reader knows of.
    #[error("the node is at height {0}, and its reader knows of a higher one")]
    Behind(Height),
    /// The receipt is not valid against the reader's genesis file.
    #[error("the receipt is not valid: {0}")]
    Receipt(String),
}

/// A batch that was sent: what a report must be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AwaitedBatch {
    id: BatchId,
    count: u32,
}

impl AwaitedBatch {
    /// Returns the batch that `bytes` are; `None` for bytes that every node refuses.
    pub fn of(bytes: &Bytes) -> Option<Self> {
        let batch = SignedBatch::decode(bytes.clone()).ok()?;
        Some(Self { id: batch.header().id(), count: batch.header().count })
    }

    /// Returns the report if it is of this batch.
    ///
    /// # Errors
    /// When it is of another, or when it is final without outcomes that add up.
    pub fn judge(&self, report: BatchReport) -> Result<BatchReport, NoAnswer> {
        if report.batch_id != self.id {
            return Err(NoAnswer::OtherBatch);
        }
        let is_whole = match (report.state, &report.outcomes) {
            (BatchState::Final, Some(outcomes)) => {
                report.height.is_some() && self.is_of_items(outcomes)
            }
            (BatchState::Final, None) => false,
            _ => true,
        };
        is_whole.then_some(report).ok_or(NoAnswer::Outcomes)
    }

    fn is_of_items(&self, outcomes: &Outcomes) -> bool {
        let (mut sum, mut others) = (0_u64, 0_u64);
        for count in &outcomes.counts {
            sum += u64::from(count.item_count);
            if !Outcome(count.code).is_applied() {
                others += u64::from(count.item_count);
            }
        }
        outcomes.item_count == self.count
            && sum == u64::from(self.count)
            && others == outcomes.not_applied.len() as u64
            && outcomes.not_applied.iter().all(|item| item.item_index < self.count)
    }
}

/// The meaning of an answer about an order: docs/client-recovery.md, step 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderFate {
    /// The user's money is booked.
    Settled,
    /// It may still be booked: the order is reserved, debiting or held.
    Waiting,
    /// The user's money was given back, or was never taken.
    Ended,
    /// The chain refused it, and nothing was booked.
    Rejected,
    /// It is in no block and never will be.
    Never,
    /// It is in no block, and may still come.
    Open,
}

impl OrderFate {
    /// Returns the fate that a report tells.
    pub const fn of(report: &OrderReport) -> Self {
        match report.status {
            OrderState::Collected | OrderState::Instructed | OrderState::Arrived => Self::Settled,
            OrderState::Reserved | OrderState::Debiting | OrderState::Held => Self::Waiting,
            OrderState::Voided
            | OrderState::Expired
            | OrderState::Refused
            | OrderState::Failed
            | OrderState::Returned => Self::Ended,
            OrderState::Rejected => Self::Rejected,
            OrderState::NotFound if report.searched.may_still_commit => Self::Open,
            OrderState::NotFound => Self::Never,
        }
    }

    /// Returns true if a new order with a new id cannot charge the user twice. Of every other fate
    /// the order keeps its id.
    pub const fn is_new_id_safe(self) -> bool {
        matches!(self, Self::Never | Self::Rejected)
    }
}

/// Returns the report if it is of `order`, by a node that has reached `height_min`.
///
/// # Errors
/// [`NoAnswer::OtherOrder`] and [`NoAnswer::Behind`].
pub fn judge_order(
    report: OrderReport,
    order: OrderId,
    height_min: Height,
) -> Result<OrderReport, NoAnswer> {
    if report.order_id != order {
        return Err(NoAnswer::OtherOrder);
    }
    let height = Height::new(report.searched.to_height);
    if height < height_min {
        return Err(NoAnswer::Behind(height));
    }
    Ok(report)
}

/// Returns the receipt's bytes and what they prove, if they are valid against the reader's own
/// genesis file and of `order`.
///
/// # Errors
/// [`NoAnswer::OtherOrder`] and [`NoAnswer::Receipt`].
pub fn judge_receipt(
    report: &ReceiptReport,
    order: OrderId,
    genesis: &ChainGenesis,
) -> Result<(Vec<u8>, Proven), NoAnswer> {
    let invalid = |error: &dyn std::fmt::Display| NoAnswer::Receipt(error.to_string());
    let bytes = decode_base64(&report.receipt_base64).ok_or_else(|| invalid(&"not base64"))?;
    let receipt = Receipt::decode(&bytes).map_err(|error| invalid(&error))?;
    let proven = receipt.verify(genesis).map_err(|error| invalid(&error))?;
    if proven.order_id != order {
        return Err(NoAnswer::OtherOrder);
    }
    Ok((bytes, proven))
}
