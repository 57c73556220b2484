//! One entry of an account, and its details. A batch entry and its details are one money.

use std::io::BufRead;

use chain_types::Currency;

use super::FileReader;
use super::field::{date, first, indicator, kept, money, provided, quoted};
use crate::amount::BankMoney;
use crate::bounds::DETAILS_MAX;
use crate::flaw::{FileFlaw, RecordFlaw};
use crate::words::{
    AccountMessage, BankEntry, EntryDetail, EntryState, MoneyDirection, PaymentName,
};
use crate::xml::Element;

/// Elements of an entry besides its details.
const FIELDS_MAX: usize = 64;
/// Sub-families of bank transaction codes: the money of a payment comes back.
const RETURNS: [&str; 2] = ["RRTN", "RPCR"];
/// Sub-families of bank transaction codes: charges, commissions, fees.
const CHARGES: [&str; 3] = ["CHRG", "COMM", "FEES"];

/// Bytes of an id that is kept.
const ID_BYTES_MAX: usize = 140;

/// A detail as it stands alone: what depends on its entry is decided once the entry is read.
struct Alone {
    number: usize,
    detail: EntryDetail,
    direction: Option<MoneyDirection>,
    charges: Vec<BankMoney>,
}

/// The details of an entry, as far as they were read.
#[derive(Default)]
struct Details {
    /// The number of them, unreadable ones among them.
    count: usize,
    readable: Vec<Alone>,
}

/// Reads the entry that has begun.
pub(super) fn read<R: BufRead>(
    file: &mut FileReader<'_, R>,
    message: AccountMessage,
    statement: usize,
    place: &str,
) -> Result<Option<BankEntry>, FileFlaw> {
    let (mut fields, mut details, mut flaw) = (Element::default(), Details::default(), None);
    while let Some(tag) = file.scanner.next_element()? {
        match tag.name.as_str() {
            "NtryDtls" => read_details(file, place, &mut details)?,
            "Amt" | "CdtDbtInd" | "RvslInd" | "Sts" | "BookgDt" | "AcctSvcrRef" | "BkTxCd"
            | "Chrgs"
                if fields.children.len() < FIELDS_MAX =>
            {
                match file.scanner.record(tag)? {
                    Ok(field) => fields.children.push(field),
                    Err(found) => flaw = flaw.or(Some(found)),
                }
            }
            _ => file.scanner.skip()?,
        }
    }
    let read = flaw.map_or_else(|| read_fields(&fields, message, statement), Err);
    let Some(mut entry) = file.kept(place, read) else { return Ok(None) };
    if details.count > DETAILS_MAX {
        file.kept::<()>(place, Err(RecordFlaw::TooManyDetails));
        return Ok(Some(entry));
    }
    for alone in details.readable {
        let number = alone.number;
        match of_entry(alone, &entry) {
            Ok(detail) => entry.details.push(detail),
            Err(flaw) => drop(file.kept::<()>(&detail_place(number, place), Err(flaw))),
        }
    }
    if entry.details.len() == details.count {
        let read = check_sum(&mut entry);
        file.kept(place, read);
    }
    Ok(Some(entry))
}

fn detail_place(number: usize, place: &str) -> String {
    format!("TxDtls {number} of {place}")
}

fn read_details<R: BufRead>(
    file: &mut FileReader<'_, R>,
    place: &str,
    details: &mut Details,
) -> Result<(), FileFlaw> {
    while let Some(tag) = file.scanner.next_element()? {
        if tag.name == "TxDtls" {
            details.count += 1;
        }
        if tag.name != "TxDtls" || details.count > DETAILS_MAX {
            file.scanner.skip()?;
            continue;
        }
        let number = details.count;
        let read = file.scanner.record(tag)?.and_then(|record| read_detail(&record, number));
        match read {
            Ok(alone) => details.readable.push(alone),
            Err(flaw) => drop(file.kept::<()>(&detail_place(number, place), Err(flaw))),
        }
    }
    Ok(())
}

/// Returns the direction of an entry, a detail or a balance.
pub(super) fn direction(element: &Element) -> Result<Option<MoneyDirection>, RecordFlaw> {
    match element.text_at(&["CdtDbtInd"])? {
        None => Ok(None),
        Some("CRDT") => Ok(Some(MoneyDirection::Credit)),
        Some("DBIT") => Ok(Some(MoneyDirection::Debit)),
        Some(text) => Err(RecordFlaw::Code { element: "CdtDbtInd", text: quoted(text) }),
    }
}

fn read_fields(
    fields: &Element,
    message: AccountMessage,
    statement: usize,
) -> Result<BankEntry, RecordFlaw> {
    let money = money(fields, &["Amt"])?.ok_or(RecordFlaw::Missing("Amt"))?;
    let state = first(fields, &[&["Sts", "Cd"], &["Sts", "Prtry"], &["Sts"]])?;
    let state = match state.as_deref() {
        Some("BOOK") => EntryState::Booked,
        Some("PDNG" | "FUTR") => EntryState::Pending,
        Some("INFO") => EntryState::Information,
        Some(text) => return Err(RecordFlaw::Code { element: "Sts", text: quoted(text) }),
        None => return Err(RecordFlaw::Missing("Sts")),
    };
    let family = fields.text_at(&["BkTxCd", "Domn", "Fmly", "SubFmlyCd"])?.unwrap_or_default();
    Ok(BankEntry {
        message,
        statement,
        reference: id(kept(fields, &["AcctSvcrRef"])?)?,
        money,
        direction: direction(fields)?.ok_or(RecordFlaw::Missing("CdtDbtInd"))?,
        is_reversal: indicator(fields, "RvslInd")?,
        is_return: RETURNS.contains(&family),
        is_charge: CHARGES.contains(&family),
        state,
        booked: date(fields, &["BookgDt"])?,
        charges: in_currency(&charges(fields)?, money.currency),
        details: Vec::new(),
    })
}

/// An id that is longer than any message allows is not kept: many would fill the memory.
fn id(text: Option<Box<str>>) -> Result<Option<Box<str>>, RecordFlaw> {
    match text {
        Some(text) if text.len() > ID_BYTES_MAX => Err(RecordFlaw::TextTooLong),
        other => Ok(provided(other)),
    }
}

fn read_detail(record: &Element, number: usize) -> Result<Alone, RecordFlaw> {
    let refs = |name: &'static str| id(kept(record, &["Refs", name])?);
    let transaction = refs("TxId")?;
    let name = PaymentName {
        message: refs("MsgId")?,
        payment_information: refs("PmtInfId")?,
        end_to_end: refs("EndToEndId")?,
        transaction: if transaction.is_some() { transaction } else { refs("InstrId")? },
        uetr: refs("UETR")?,
    };
    let mut amount = money(record, &["Amt"])?;
    if amount.is_none() {
        amount = money(record, &["AmtDtls", "TxAmt", "Amt"])?;
    }
    let returned = match record.only("RtrInf")? {
        None => None,
        Some(info) => {
            let reason = first(info, &[&["Rsn", "Cd"], &["Rsn", "Prtry"]])?;
            Some(id(reason)?.unwrap_or_default())
        }
    };
    let detail = EntryDetail {
        name,
        reference: refs("AcctSvcrRef")?,
        money: amount,
        instructed: money(record, &["AmtDtls", "InstdAmt", "Amt"])?,
        charges: 0,
        returned,
    };
    Ok(Alone { number, detail, direction: direction(record)?, charges: charges(record)? })
}

/// Returns a detail as one of its entry.
fn of_entry(alone: Alone, entry: &BankEntry) -> Result<EntryDetail, RecordFlaw> {
    let mut detail = alone.detail;
    if alone.direction.is_some_and(|direction| direction != entry.direction) {
        let text = "the other direction than the entry's".to_owned();
        return Err(RecordFlaw::Code { element: "CdtDbtInd", text });
    }
    detail.charges = in_currency(&alone.charges, entry.money.currency);
    Ok(detail)
}

fn charges(element: &Element) -> Result<Vec<BankMoney>, RecordFlaw> {
    let mut found = Vec::new();
    for charges in element.all("Chrgs") {
        let records: Vec<&Element> = charges.all("Rcrd").collect();
        for record in &records {
            found.extend(money(record, &["Amt"])?);
        }
        if records.is_empty() {
            found.extend(money(charges, &["TtlChrgsAndTaxAmt"])?);
        }
    }
    Ok(found)
}

fn in_currency(charges: &[BankMoney], currency: Currency) -> u128 {
    let own = charges.iter().filter(|charge| charge.currency == currency);
    own.map(|charge| u128::from(charge.amount.get())).sum()
}

/// Compares an entry with its details. A single detail has the entry's amount; what it states of
/// its own is kept as the amount that was instructed.
fn check_sum(entry: &mut BankEntry) -> Result<(), RecordFlaw> {
    let money = entry.money;
    if let [detail] = entry.details.as_mut_slice() {
        let own = detail.money.filter(|own| *own != money);
        detail.instructed = detail.instructed.or(own);
        detail.money = Some(money);
        return Ok(());
    }
    let mut sum = 0_u128;
    for detail in &entry.details {
        match detail.money {
            Some(own) if own.currency == money.currency => sum += u128::from(own.amount.get()),
            _ => return Err(RecordFlaw::Missing("Amt of TxDtls in the entry's currency")),
        }
    }
    if entry.details.is_empty() || sum == u128::from(money.amount.get()) {
        Ok(())
    } else {
        Err(RecordFlaw::DetailsSum { details: sum, entry: money.amount.get() })
    }
}
