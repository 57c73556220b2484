//! pain.002 and pacs.002: a status a level.

use std::io::BufRead;

use super::FileReader;
use super::field::{first, kept, money, original, reasons};
use crate::flaw::{FileFlaw, RecordFlaw};
use crate::words::{BankWord, PaymentName, StatusCode, StatusLevel, StatusWord};
use crate::xml::Element;

/// Amounts that a bank repeats of a payment.
const AMOUNTS: [&[&str]; 4] = [
    &["OrgnlTxRef", "Amt", "InstdAmt"],
    &["OrgnlTxRef", "IntrBkSttlmAmt"],
    &["OrgnlIntrBkSttlmAmt"],
    &["OrgnlInstdAmt"],
];

/// Transactions that wait for the id of their payment information.
const HELD_MAX: usize = 1_000;

/// Reads the report that has begun.
pub(super) fn read<R: BufRead>(file: &mut FileReader<'_, R>, name: &str) -> Result<(), FileFlaw> {
    let (mut transactions, mut group, mut is_begun) = (0_u64, None, false);
    while let Some(tag) = file.scanner.next_element()? {
        match tag.name.as_str() {
            "GrpHdr" => {
                let header = file.record(tag, "GrpHdr")?;
                file.message(name, header.as_ref(), "MsgId");
                is_begun = true;
            }
            "OrgnlGrpInfAndSts" => {
                let record = file.record(tag, "OrgnlGrpInfAndSts")?;
                let message = record.and_then(|record| read_group(file, &record));
                // With several groups in one report, transactions name their own.
                group = if group.is_none() { Some(message) } else { Some(None) };
            }
            "OrgnlPmtInfAndSts" => {
                let message = group.clone().flatten();
                read_payment_information(file, message, &mut transactions)?;
            }
            "TxInfAndSts" => {
                transactions += 1;
                let place = format!("TxInfAndSts {transactions}");
                let within =
                    PaymentName { message: group.clone().flatten(), ..PaymentName::default() };
                if let Some(record) = file.record(tag, &place)? {
                    read_transaction(file, &record, &within, &place);
                }
            }
            _ => file.scanner.skip()?,
        }
    }
    if !is_begun {
        file.message(name, None, "MsgId");
    }
    Ok(())
}

/// Reads a group, and returns the message that it is about.
fn read_group<R: BufRead>(file: &mut FileReader<'_, R>, record: &Element) -> Option<Box<str>> {
    let read = || -> Result<_, RecordFlaw> {
        let message = super::field::provided(kept(record, &["OrgnlMsgId"])?);
        let name = PaymentName { message: message.clone(), ..PaymentName::default() };
        let status = status(record, "GrpSts", StatusLevel::Group, name)?;
        Ok((message, status))
    };
    let read = read();
    let (message, status) = file.kept("OrgnlGrpInfAndSts", read)?;
    say(file, status, "OrgnlGrpInfAndSts");
    message
}

fn read_payment_information<R: BufRead>(
    file: &mut FileReader<'_, R>,
    message: Option<Box<str>>,
    transactions: &mut u64,
) -> Result<(), FileFlaw> {
    // Transactions may stand before the id in a tolerated order, so they wait for it.
    let (mut header, mut held) = (Element::default(), Vec::new());
    while let Some(tag) = file.scanner.next_element()? {
        if tag.name == "TxInfAndSts" {
            *transactions += 1;
            let place = format!("TxInfAndSts {transactions}");
            if let Some(record) = file.record(tag, &place)? {
                held.push((place, record));
            }
        } else {
            header.children.extend(file.record(tag, "OrgnlPmtInfAndSts")?);
        }
        let has_id = header.children.iter().any(|child| child.name == "OrgnlPmtInfId");
        if has_id || held.len() >= HELD_MAX {
            let within = within(&header, message.clone());
            held.drain(..).for_each(|(place, record)| {
                read_transaction(file, &record, &within, &place);
            });
        }
    }
    let within = within(&header, message);
    held.into_iter().for_each(|(place, record)| read_transaction(file, &record, &within, &place));
    let read = status(&header, "PmtInfSts", StatusLevel::PaymentInformation, within);
    if let Some(status) = file.kept("OrgnlPmtInfAndSts", read) {
        say(file, status, "OrgnlPmtInfAndSts");
    }
    Ok(())
}

fn within(header: &Element, message: Option<Box<str>>) -> PaymentName {
    let payment_information = kept(header, &["OrgnlPmtInfId"]).ok().flatten();
    let payment_information = super::field::provided(payment_information);
    PaymentName { message, payment_information, ..PaymentName::default() }
}

fn read_transaction<R: BufRead>(
    file: &mut FileReader<'_, R>,
    record: &Element,
    within: &PaymentName,
    place: &str,
) {
    let read = || -> Result<_, RecordFlaw> {
        let mut name = original(record)?;
        name.message = name.message.or_else(|| within.message.clone());
        name.payment_information = within.payment_information.clone();
        if !name.is_of_transaction() {
            return Err(RecordFlaw::NamesNothing);
        }
        let status = status(record, "TxSts", StatusLevel::Transaction, name)?;
        status.map(Some).ok_or(RecordFlaw::Missing("TxSts"))
    };
    let read = read();
    if let Some(status) = file.kept(place, read) {
        say(file, status, place);
    }
}

/// Returns the status of a level, or `None` if the bank gives it none.
fn status(
    record: &Element,
    element: &'static str,
    level: StatusLevel,
    name: PaymentName,
) -> Result<Option<StatusWord>, RecordFlaw> {
    let Some(code) = record.text_at(&[element])? else { return Ok(None) };
    let mut repeated = None;
    for path in AMOUNTS {
        repeated = repeated.or(money(record, path)?);
    }
    Ok(Some(StatusWord {
        level,
        name,
        status: StatusCode::of_code(code),
        reasons: reasons(record, "StsRsnInf")?,
        money: repeated,
        reference: first(record, &[&["AcctSvcrRef"], &["ClrSysRef"], &["StsId"]])?,
    }))
}

fn say<R: BufRead>(file: &mut FileReader<'_, R>, status: Option<StatusWord>, place: &str) {
    let Some(word) = status else { return };
    if let StatusCode::Unknown(code) = &word.status {
        let flaw = RecordFlaw::Status(code.to_string());
        file.kept::<()>(place, Err(flaw));
    }
    if word.name.is_empty() {
        file.kept::<()>(place, Err(RecordFlaw::NamesNothing));
    } else {
        file.word(BankWord::Status(word));
    }
}
