//! Risk policies, and decisions about held orders.

use chain_types::{HoldDecisionItem, HoldReason, PolicyItem, PolicyScope};

use super::{Subject, fields};
use crate::order_file::{FileError, Row};

pub(super) const HOLD_DECISION: &[&str] = &["order_id", "decision", "reason", "reference"];
pub(super) const POLICY: &[&str] =
    &["scope", "currency", "subject", "order_max", "user_day_max", "day_max", "hold_above"];

pub(super) fn decision(row: &Row) -> Result<HoldDecisionItem, FileError> {
    let known = HoldReason::ALL.iter().map(|reason| (reason.number(), reason.iso_code()));
    Ok(HoldDecisionItem {
        order_id: fields::id(row, "order_id")?,
        decision: fields::decision(row)?.into(),
        reason: fields::reason(row, known)?.into(),
        reference: fields::reference(row)?,
        spare: [0; 12],
    })
}

/// Limits that are left out bound nothing.
pub(super) fn policy(row: &Row) -> Result<PolicyItem, FileError> {
    let currency = fields::currency(row, "currency")?;
    let known = PolicyScope::ALL.iter().map(|scope| (scope.number(), scope.name()));
    let scope = fields::choice(row, "scope", known)?;
    let subject = match row.optional("subject") {
        None if scope == PolicyScope::Scheme.number() => 0,
        _ => fields::number(row, "subject", u64::MAX)?,
    };
    let limit = |field| fields::optional_amount(row, field, currency);
    Ok(PolicyItem {
        scope: scope.into(),
        subject: subject.into(),
        currency: currency.get().into(),
        order_max: limit("order_max")?.get().into(),
        user_day_max: limit("user_day_max")?.get().into(),
        day_max: limit("day_max")?.get().into(),
        hold_above: limit("hold_above")?.get().into(),
        spare: [0; 20],
    })
}

impl Subject for PolicyItem {
    fn subject(&self) -> String {
        let scope = PolicyScope::from_number(self.scope.get()).map_or("unknown", PolicyScope::name);
        format!("policy of {scope} {} in {}", self.subject, self.currency())
    }
}
