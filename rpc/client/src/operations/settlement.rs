//! Instructions and windows.

use chain_types::{
    Amount, ArrivalItem, BounceItem, FailureItem, FailureReason, InstructionId, RecallItem,
    ReinstructItem, SettleWindowItem, SettlementDecisionItem, StepInItem,
};

use super::{Subject, fields};
use crate::order_file::{FileError, Row};

pub(super) const ARRIVAL: &[&str] = &["instruction", "amount", "reference", "attempt"];
pub(super) const FAILURE: &[&str] = &["instruction", "reason", "reference", "attempt"];
pub(super) const REINSTRUCT: &[&str] = &["instruction", "reference", "attempt"];
pub(super) const BOUNCE: &[&str] = FAILURE;
pub(super) const RECALL: &[&str] = REINSTRUCT;
pub(super) const STEP_IN: &[&str] = FAILURE;
pub(super) const SETTLE_WINDOW: &[&str] = &["window", "digest", "reference"];
pub(super) const SETTLEMENT_DECISION: &[&str] = &["window", "decision", "digest", "reference"];

fn instruction(row: &Row) -> Result<InstructionId, FileError> {
    row.parse("instruction", str::parse)
}

/// The attempt that is meant; the first, when it is left out.
fn attempt(row: &Row) -> Result<u16, FileError> {
    Ok(fields::optional_number(row, "attempt", u16::MAX)?.unwrap_or(1))
}

pub(super) fn arrival(row: &Row) -> Result<ArrivalItem, FileError> {
    let id = instruction(row)?;
    Ok(ArrivalItem::new(
        id,
        Amount::new(fields::amount(row, "amount", id.currency)?.get()),
        fields::reference(row)?,
        attempt(row)?,
    ))
}

pub(super) fn failure(row: &Row) -> Result<FailureItem, FileError> {
    let id = instruction(row)?;
    let known = FailureReason::ALL.iter().map(|reason| (reason.number(), reason.iso_code()));
    Ok(FailureItem::new(id, fields::reason(row, known)?, fields::reference(row)?, attempt(row)?))
}

/// The reason of a bounce or of stepping in, and all else of it, is said as of a failure.
pub(super) fn bounce(row: &Row) -> Result<BounceItem, FileError> {
    let FailureItem { window, merchant, currency, reason, reference, attempt, spare } =
        failure(row)?;
    Ok(BounceItem { window, merchant, currency, reason, reference, attempt, spare })
}

pub(super) fn step_in(row: &Row) -> Result<StepInItem, FileError> {
    let FailureItem { window, merchant, currency, reason, reference, attempt, spare } =
        failure(row)?;
    Ok(StepInItem { window, merchant, currency, reason, reference, attempt, spare })
}

pub(super) fn recall(row: &Row) -> Result<RecallItem, FileError> {
    let ReinstructItem { window, merchant, currency, reference, attempt, spare } = reinstruct(row)?;
    Ok(RecallItem { window, merchant, currency, reference, attempt, spare })
}

pub(super) fn reinstruct(row: &Row) -> Result<ReinstructItem, FileError> {
    let id = instruction(row)?;
    Ok(ReinstructItem::new(id, fields::reference(row)?, attempt(row)?))
}

pub(super) fn settle_window(row: &Row) -> Result<SettleWindowItem, FileError> {
    Ok(SettleWindowItem {
        window: fields::number(row, "window", u64::MAX)?.into(),
        digest: fields::digest(row, "digest")?.bytes(),
        reference: fields::reference(row)?,
        spare: [0; 24],
    })
}

pub(super) fn settlement_decision(row: &Row) -> Result<SettlementDecisionItem, FileError> {
    Ok(SettlementDecisionItem {
        window: fields::number(row, "window", u64::MAX)?.into(),
        decision: fields::decision(row)?.into(),
        digest: fields::digest(row, "digest")?.bytes(),
        reference: fields::reference(row)?,
        spare: [0; 22],
    })
}

impl Subject for SettleWindowItem {
    fn subject(&self) -> String {
        format!("window {}", self.window())
    }
}

impl Subject for SettlementDecisionItem {
    fn subject(&self) -> String {
        format!("window {}", self.window())
    }
}
