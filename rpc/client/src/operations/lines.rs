//! Lines: how much others may have reserved on the submitter's accounts.

use chain_types::{LineAccount, LineItem};

use super::{Subject, fields};
use crate::order_file::{FileError, Row};

pub(super) const LINE: &[&str] = &["account", "holder", "limit", "currency"];

pub(super) fn line(row: &Row) -> Result<LineItem, FileError> {
    let known = LineAccount::ALL.iter().map(|account| (account.number(), account.name()));
    let currency = fields::currency(row, "currency")?;
    Ok(LineItem {
        account: fields::choice(row, "account", known)?.into(),
        holder: fields::number(row, "holder", u32::MAX)?.into(),
        currency: currency.get().into(),
        limit: fields::amount(row, "limit", currency)?.get().into(),
        spare: [0; 48],
    })
}

impl Subject for LineItem {
    fn subject(&self) -> String {
        let account = LineAccount::from_number(self.account.get());
        let account = account.map_or("unknown", LineAccount::name);
        format!("line on {account} in {} to {}", self.currency(), self.holder())
    }
}
