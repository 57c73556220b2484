//! camt.029: what became of a request to cancel. The lowest level wins here, too.

use std::io::BufRead;

use super::FileReader;
use super::field::{kept, original, reasons};
use crate::flaw::{FileFlaw, RecordFlaw};
use crate::words::{BankWord, PaymentName, RecallStatus, RecallWord};
use crate::xml::Element;

/// Cancellations of one message that are held until its own status is known.
const HELD_MAX: usize = 10_000;

/// Reads the message that has begun.
pub(super) fn read<R: BufRead>(file: &mut FileReader<'_, R>, name: &str) -> Result<(), FileFlaw> {
    let (mut confirmation, mut held, mut is_begun) = (None, Vec::new(), false);
    let mut transactions = 0_u64;
    while let Some(tag) = file.scanner.next_element()? {
        match tag.name.as_str() {
            "Assgnmt" => {
                let header = file.record(tag, "Assgnmt")?;
                file.message(name, header.as_ref(), "Id");
                is_begun = true;
            }
            "Sts" => {
                let record = file.record(tag, "Sts")?;
                confirmation = record.and_then(|record| kept(&record, &["Conf"]).ok().flatten());
            }
            "CxlDtls" => read_details(file, &mut transactions, &mut held)?,
            _ => file.scanner.skip()?,
        }
    }
    if !is_begun {
        file.message(name, None, "Id");
    }
    for (name, status, reasons) in held {
        let Some(code) = status.as_deref().or(confirmation.as_deref()) else {
            file.kept::<()>("CxlDtls", Err(RecordFlaw::Missing("TxCxlSts")));
            continue;
        };
        let status = RecallStatus::of_code(code);
        if let RecallStatus::Unknown(code) = &status {
            file.kept::<()>("CxlDtls", Err(RecordFlaw::Status(code.to_string())));
        }
        file.word(BankWord::Recall(RecallWord { name, status, reasons }));
    }
    Ok(())
}

/// A cancellation: what it is about, its own status, its reasons.
type Held = (PaymentName, Option<Box<str>>, Vec<Box<str>>);

fn read_details<R: BufRead>(
    file: &mut FileReader<'_, R>,
    transactions: &mut u64,
    held: &mut Vec<Held>,
) -> Result<(), FileFlaw> {
    let (mut group, mut group_status) = (None, None);
    let begin = held.len();
    let mut has_transactions = false;
    while let Some(tag) = file.scanner.next_element()? {
        match tag.name.as_str() {
            "TxInfAndSts" => {
                *transactions += 1;
                has_transactions = true;
                let place = format!("TxInfAndSts {transactions}");
                let record = file.record(tag, &place)?;
                let read = record.map(|record| read_transaction(&record));
                if let Some(read) = read.and_then(|read| file.kept(&place, read)) {
                    if held.len() < HELD_MAX {
                        held.push(read);
                    } else {
                        file.kept::<()>(&place, Err(RecordFlaw::TooManyDetails));
                    }
                }
            }
            "OrgnlGrpInfAndSts" => {
                if let Some(record) = file.record(tag, "OrgnlGrpInfAndSts")? {
                    group = kept(&record, &["OrgnlMsgId"]).ok().flatten();
                    group_status = kept(&record, &["GrpCxlSts"]).ok().flatten();
                }
            }
            _ => file.scanner.skip()?,
        }
    }
    for (name, status, _) in &mut held[begin..] {
        name.message = name.message.take().or_else(|| group.clone());
        *status = status.take().or_else(|| group_status.clone());
    }
    if !has_transactions && group.is_some() {
        let name = PaymentName { message: group, ..PaymentName::default() };
        held.push((name, group_status, Vec::new()));
    }
    Ok(())
}

fn read_transaction(record: &Element) -> Result<Held, RecordFlaw> {
    let name = original(record)?;
    if !name.is_of_transaction() {
        return Err(RecordFlaw::NamesNothing);
    }
    Ok((name, kept(record, &["TxCxlSts"])?, reasons(record, "CxlStsRsnInf")?))
}
