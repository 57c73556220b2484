//! Instructions and windows.

use chain_types::{
    ArrivalItem, FailureItem, FailureReason, InstructionId, ReinstructItem, SettleWindowItem,
    SettlementDecisionItem,
};

use super::{Subject, fields};
use crate::participant::order_file::{FileError, Row};

pub(super) const ARRIVAL: &[&str] = &["instruction", "amount", "reference"];
pub(super) const FAILURE: &[&str] = &["instruction", "reason", "reference"];
pub(super) const REINSTRUCT: &[&str] = &["instruction", "reference"];
pub(super) const SETTLE_WINDOW: &[&str] = &["window", "digest", "reference"];
pub(super) const SETTLEMENT_DECISION: &[&str] = &["window", "decision", "digest", "reference"];

fn instruction(row: &Row) -> Result<InstructionId, FileError> {
    row.parse("instruction", str::parse)
}

pub(super) fn arrival(row: &Row) -> Result<ArrivalItem, FileError> {
    let id = instruction(row)?;
    Ok(ArrivalItem {
        window: id.window.0.into(),
        merchant: id.merchant.0.into(),
        amount: fields::amount(row, "amount", id.currency)?.0.into(),
        currency: id.currency.0.into(),
        reference: fields::reference(row)?,
        spare: [0; 6],
    })
}

pub(super) fn failure(row: &Row) -> Result<FailureItem, FileError> {
    let id = instruction(row)?;
    let known = FailureReason::ALL.iter().map(|reason| (reason.number(), reason.iso_code()));
    Ok(FailureItem {
        window: id.window.0.into(),
        merchant: id.merchant.0.into(),
        currency: id.currency.0.into(),
        reason: fields::reason(row, known)?.into(),
        reference: fields::reference(row)?,
        spare: [0; 12],
    })
}

pub(super) fn reinstruct(row: &Row) -> Result<ReinstructItem, FileError> {
    let id = instruction(row)?;
    Ok(ReinstructItem {
        window: id.window.0.into(),
        merchant: id.merchant.0.into(),
        currency: id.currency.0.into(),
        reference: fields::reference(row)?,
        spare: [0; 14],
    })
}

pub(super) fn settle_window(row: &Row) -> Result<SettleWindowItem, FileError> {
    Ok(SettleWindowItem {
        window: fields::number(row, "window", u64::MAX)?.into(),
        digest: fields::digest(row, "digest")?.0,
        reference: fields::reference(row)?,
        spare: [0; 24],
    })
}

pub(super) fn settlement_decision(row: &Row) -> Result<SettlementDecisionItem, FileError> {
    Ok(SettlementDecisionItem {
        window: fields::number(row, "window", u64::MAX)?.into(),
        decision: fields::decision(row)?.into(),
        digest: fields::digest(row, "digest")?.0,
        reference: fields::reference(row)?,
        spare: [0; 22],
    })
}

impl Subject for ArrivalItem {
    fn subject(&self) -> String {
        self.instruction().to_string()
    }
}

impl Subject for FailureItem {
    fn subject(&self) -> String {
        self.instruction().to_string()
    }
}

impl Subject for ReinstructItem {
    fn subject(&self) -> String {
        self.instruction().to_string()
    }
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
