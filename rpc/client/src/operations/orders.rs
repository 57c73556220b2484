//! Recharge orders, and what becomes of them: collections, voids, returns.

use chain_types::{
    Amount, CollectItem, ConsentItem, Currency, DebitingItem, Flags, OrderId, RechargeItem,
    ReturnItem, ReturnReason, VoidItem, VoidReason,
};

use super::{RowContext, fields};
use crate::order_file::{FileError, Row};

pub(super) const RECHARGE: &[&str] = &[
    "merchant",
    "gateway",
    "amount",
    "currency",
    "reference",
    "user",
    "device",
    "network",
    "order_id",
    "payout_currency",
    "quote_id",
    "payout_minimum",
];
pub(super) const COLLECT: &[&str] = &["order_id", "reference"];
pub(super) const CONSENT: &[&str] = &["order_id", "amount", "currency", "reference"];
pub(super) const VOID: &[&str] = &["order_id", "reason", "reference"];
pub(super) const RETURN: &[&str] =
    &["order_id", "amount", "currency", "reason", "sequence", "reference", "rested_max"];

/// A recharge order with `flags`. A gateway's own orders are collected by itself, unless they say
/// otherwise.
pub(super) fn recharge(
    row: &Row,
    flags: u16,
    making: &mut RowContext<impl FnMut() -> OrderId>,
) -> Result<RechargeItem, FileError> {
    let currency = fields::currency(row, "currency")?;
    let amount = fields::amount(row, "amount", currency)?;
    let gateway = match row.optional("gateway") {
        None if flags & Flags::COLLECTED != 0 => making.submitter.get(),
        _ => fields::number(row, "gateway", u32::MAX)?,
    };
    let payout_currency = match row.optional("payout_currency") {
        None => currency,
        Some(_) => fields::currency(row, "payout_currency")?,
    };
    let keyed = |field| Ok(fields::optional_number(row, field, u64::MAX)?.unwrap_or_default());
    let user = match row.optional("user") {
        None => [0; 16],
        Some(_) => row.parse("user", pseudonym)?,
    };
    Ok(RechargeItem {
        order_id: making.id(row, "order_id")?,
        user,
        merchant: fields::number(row, "merchant", u64::MAX)?.into(),
        collecting_gateway: gateway.into(),
        amount: amount.get().into(),
        currency: currency.get().into(),
        payout_currency: payout_currency.get().into(),
        flags: flags.into(),
        fx_quote: keyed("quote_id")?.into(),
        payout_minimum: fields::optional_amount(row, "payout_minimum", payout_currency)?
            .get()
            .into(),
        device: keyed("device")?.into(),
        network: keyed("network")?.into(),
        external_reference: fields::reference(row)?,
        spare: [0; 6],
    })
}

fn pseudonym(text: &str) -> Result<[u8; 16], String> {
    let mut bytes = [0; 16];
    hex::decode_to_slice(text, &mut bytes)
        .map_err(|_| format!("{text:?} is not a pseudonym: 32 hexadecimal digits"))?;
    Ok(bytes)
}

pub(super) fn collect(row: &Row) -> Result<CollectItem, FileError> {
    let order_id = fields::id(row, "order_id")?;
    Ok(CollectItem { order_id, reference: fields::reference(row)?, spare: [0; 16] })
}

pub(super) fn debiting(row: &Row) -> Result<DebitingItem, FileError> {
    let order_id = fields::id(row, "order_id")?;
    Ok(DebitingItem { order_id, reference: fields::reference(row)?, spare: [0; 16] })
}

pub(super) fn consent(row: &Row) -> Result<ConsentItem, FileError> {
    let currency = fields::currency(row, "currency")?;
    Ok(ConsentItem {
        order_id: fields::id(row, "order_id")?,
        amount: fields::amount(row, "amount", currency)?.get().into(),
        reference: fields::reference(row)?,
        spare: [0; 8],
    })
}

pub(super) fn void(row: &Row) -> Result<VoidItem, FileError> {
    let known = VoidReason::ALL.iter().map(|reason| (reason.number(), reason.iso_code()));
    Ok(VoidItem {
        order_id: fields::id(row, "order_id")?,
        reason: fields::reason(row, known)?.into(),
        reference: fields::reference(row)?,
        spare: [0; 14],
    })
}

/// The most that a return may cost; `any` for whatever it is, and nothing when it is left out.
fn rested_max(row: &Row, currency: Currency) -> Result<Amount, FileError> {
    match row.optional("rested_max") {
        Some("any") => Ok(Amount::new(u64::MAX)),
        _ => fields::optional_amount(row, "rested_max", currency),
    }
}

pub(super) fn give_back(row: &Row) -> Result<ReturnItem, FileError> {
    let known = ReturnReason::ALL.iter().map(|reason| (reason.number(), reason.iso_code()));
    let currency = fields::currency(row, "currency")?;
    Ok(ReturnItem {
        order_id: fields::id(row, "order_id")?,
        amount: fields::amount(row, "amount", currency)?.get().into(),
        rested_max: rested_max(row, currency)?.get().into(),
        reason: fields::reason(row, known)?.into(),
        sequence: fields::number(row, "sequence", u16::MAX)?.into(),
        reference: fields::reference(row)?,
        spare: [0; 4],
    })
}
