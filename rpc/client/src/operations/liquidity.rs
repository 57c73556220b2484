//! Deposits, withdrawals and net debit caps: proposed by one settlement agent, decided by another.

use chain_types::{AccountKey, OrderId, TransferAction, TransferDecisionItem, TransferItem};

use super::{RowContext, fields};
use crate::order_file::{FileError, Row};

pub(super) const TRANSFER: &[&str] = &["action", "account", "amount", "reference", "transfer_id"];
pub(super) const TRANSFER_DECISION: &[&str] =
    &["transfer_id", "decision", "action", "amount", "currency", "reference"];

fn action(row: &Row) -> Result<u16, FileError> {
    let known = TransferAction::ALL.iter().map(|action| (action.number(), action.name()));
    fields::choice(row, "action", known)
}

pub(super) fn transfer(
    row: &Row,
    making: &mut RowContext<impl FnMut() -> OrderId>,
) -> Result<TransferItem, FileError> {
    let account: AccountKey = row.parse("account", str::parse)?;
    Ok(TransferItem {
        transfer_id: making.id(row, "transfer_id")?,
        action: action(row)?.into(),
        account_kind: u16::from(account.kind.number()).into(),
        owner: account.owner.into(),
        currency: account.currency.get().into(),
        amount: fields::amount(row, "amount", account.currency)?.get().into(),
        reference: fields::reference(row)?,
        spare: [0; 26],
    })
}

pub(super) fn decision(row: &Row) -> Result<TransferDecisionItem, FileError> {
    let currency = fields::currency(row, "currency")?;
    Ok(TransferDecisionItem {
        transfer_id: fields::id(row, "transfer_id")?,
        decision: fields::decision(row)?.into(),
        action: action(row)?.into(),
        amount: fields::amount(row, "amount", currency)?.get().into(),
        reference: fields::reference(row)?,
        spare: [0; 4],
    })
}
