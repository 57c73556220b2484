//! camt.052, camt.053 and camt.054: accounts, their balances and entries. Entries are handed on one
//! by one, so that a statement of any length is read in bounded memory.

use std::io::BufRead;

use super::field::{date, first, kept, money, quoted};
use super::{FileReader, ReadItem, entry};
use crate::amount::parse_currency;
use crate::flaw::{FileFlaw, RecordFinding, RecordFlaw};
use crate::words::{AccountMessage, AccountStatement, BankWord, MoneyDirection, StatedBalance};
use crate::xml::Element;

/// Balances of one statement.
const BALANCES_MAX: usize = 64;

/// Reads the message that has begun.
pub(super) fn read<R: BufRead>(
    file: &mut FileReader<'_, R>,
    kind: &str,
    name: &str,
) -> Result<(), FileFlaw> {
    let (message, element) = match kind {
        "camt.052" => (AccountMessage::Report, "Rpt"),
        "camt.053" => (AccountMessage::Statement, "Stmt"),
        _ => (AccountMessage::Notification, "Ntfctn"),
    };
    let mut is_begun = false;
    while let Some(tag) = file.scanner.next_element()? {
        match tag.name.as_str() {
            "GrpHdr" => {
                let header = file.record(tag, "GrpHdr")?;
                file.message(name, header.as_ref(), "MsgId");
                is_begun = true;
            }
            other if other == element => read_statement(file, message, element)?,
            _ => file.scanner.skip()?,
        }
    }
    if !is_begun {
        file.message(name, None, "MsgId");
    }
    Ok(())
}

fn read_statement<R: BufRead>(
    file: &mut FileReader<'_, R>,
    message: AccountMessage,
    element: &str,
) -> Result<(), FileFlaw> {
    let statement = file.statements;
    file.statements += 1;
    let place = format!("{element} {}", statement + 1);
    let (mut header, mut entries, mut balances) = (Element::default(), 0_u64, Vec::new());
    while let Some(tag) = file.scanner.next_element()? {
        match tag.name.as_str() {
            "Ntry" => {
                entries += 1;
                let place = format!("Ntry {entries} of {place}");
                if let Some(entry) = entry::read(file, message, statement, &place)? {
                    file.word(BankWord::Entry(entry));
                }
            }
            "Bal" if balances.len() < BALANCES_MAX => {
                let place = format!("Bal {} of {place}", balances.len() + 1);
                if let Some(record) = file.record(tag, &place)? {
                    let read = read_balance(&record);
                    balances.extend(file.kept(&place, read));
                }
            }
            "Id" | "ElctrncSeqNb" | "LglSeqNb" | "StmtPgntn" | "RptPgntn" | "NtfctnPgntn"
            | "CreDtTm" | "FrToDt" | "Acct" | "TxsSummry" => {
                // Each stands once, so that nothing grows with the file.
                if header.children.iter().any(|child| child.name == tag.name) {
                    file.scanner.skip()?;
                    continue;
                }
                header.children.extend(file.record(tag, &place)?);
            }
            _ => file.scanner.skip()?,
        }
    }
    let read = read_header(&header, message, statement);
    let Some(mut read) = file.kept(&place, read) else { return Ok(()) };
    (read.balances, read.entries) = (balances, entries);
    let stated = kept(&header, &["TxsSummry", "TtlNtries", "NbOfNtries"]).ok().flatten();
    if let Some(stated) = stated
        && stated.parse() != Ok(entries)
    {
        let flaw = RecordFlaw::EntryCount { stated: quoted(&stated), actual: entries };
        (file.sink)(ReadItem::Finding(RecordFinding { place, flaw }));
    }
    file.word(BankWord::Statement(read));
    Ok(())
}

fn read_header(
    header: &Element,
    message: AccountMessage,
    statement: usize,
) -> Result<AccountStatement, RecordFlaw> {
    let account = first(header, &[&["Acct", "Id", "IBAN"], &["Acct", "Id", "Othr", "Id"]])?;
    let currency = header.text_at(&["Acct", "Ccy"])?.map(parse_currency).transpose()?;
    let pages = [&["StmtPgntn", "PgNb"], &["RptPgntn", "PgNb"], &["NtfctnPgntn", "PgNb"]];
    let mut page = None;
    for path in pages {
        page = page.or(number(header, path)?);
    }
    let mut sequence = number(header, &["ElctrncSeqNb"])?;
    if sequence.is_none() {
        sequence = number(header, &["LglSeqNb"])?;
    }
    let mut day = date(header, &["FrToDt", "ToDtTm"])?;
    if day.is_none() {
        day = date(header, &["CreDtTm"])?;
    }
    Ok(AccountStatement {
        message,
        statement,
        id: kept(header, &["Id"])?.unwrap_or_default(),
        account: account.ok_or(RecordFlaw::Missing("Acct"))?,
        currency,
        number: sequence,
        page,
        day,
        balances: Vec::new(),
        entries: 0,
    })
}

fn number(element: &Element, path: &[&'static str]) -> Result<Option<u64>, RecordFlaw> {
    let Some(text) = element.text_at(path)? else { return Ok(None) };
    let element = path.last().copied().unwrap_or_default();
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = is_digits.then(|| text.parse().ok()).flatten();
    number.map(Some).ok_or_else(|| RecordFlaw::Code { element, text: quoted(text) })
}

fn read_balance(record: &Element) -> Result<StatedBalance, RecordFlaw> {
    let paths: [&[&str]; 2] = [&["Tp", "CdOrPrtry", "Cd"], &["Tp", "CdOrPrtry", "Prtry"]];
    let code = first(record, &paths)?.ok_or(RecordFlaw::Missing("Tp"))?;
    let money = money(record, &["Amt"])?.ok_or(RecordFlaw::Missing("Amt"))?;
    let minor = i128::from(money.amount.get());
    let minor = match entry::direction(record)?.ok_or(RecordFlaw::Missing("CdtDbtInd"))? {
        MoneyDirection::Credit => minor,
        MoneyDirection::Debit => -minor,
    };
    Ok(StatedBalance { code, minor, currency: money.currency })
}
