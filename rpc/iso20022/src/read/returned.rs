//! pacs.004: payments that come back.

use std::io::BufRead;

use super::FileReader;
use super::field::{kept, money, original, reasons};
use crate::flaw::{FileFlaw, RecordFlaw};
use crate::words::{BankWord, ReturnWord};
use crate::xml::Element;

/// Reads the message that has begun.
pub(super) fn read<R: BufRead>(file: &mut FileReader<'_, R>, name: &str) -> Result<(), FileFlaw> {
    let (mut transactions, mut group, mut is_begun) = (0_u64, None, false);
    while let Some(tag) = file.scanner.next_element()? {
        match tag.name.as_str() {
            "GrpHdr" => {
                let header = file.record(tag, "GrpHdr")?;
                file.message(name, header.as_ref(), "MsgId");
                is_begun = true;
            }
            "OrgnlGrpInf" => {
                let record = file.record(tag, "OrgnlGrpInf")?;
                group = record.and_then(|record| kept(&record, &["OrgnlMsgId"]).ok().flatten());
            }
            "TxInf" => {
                transactions += 1;
                let place = format!("TxInf {transactions}");
                if let Some(record) = file.record(tag, &place)? {
                    let read = read_return(&record, group.as_deref());
                    if let Some(word) = file.kept(&place, read) {
                        file.word(BankWord::Return(word));
                    }
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

fn read_return(record: &Element, group: Option<&str>) -> Result<ReturnWord, RecordFlaw> {
    let mut name = original(record)?;
    name.message = name.message.or_else(|| group.map(Into::into));
    if !name.is_of_transaction() {
        return Err(RecordFlaw::NamesNothing);
    }
    let returned = money(record, &["RtrdIntrBkSttlmAmt"])?;
    Ok(ReturnWord {
        name,
        returned: returned.ok_or(RecordFlaw::Missing("RtrdIntrBkSttlmAmt"))?,
        original: money(record, &["OrgnlIntrBkSttlmAmt"])?,
        reasons: reasons(record, "RtrRsnInf")?,
        reference: kept(record, &["RtrId"])?,
    })
}
