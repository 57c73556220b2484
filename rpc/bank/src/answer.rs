//! The bank's statuses, returns and answers to recalls, valid against ISO's schemas.

use jiff::Timestamp;
use jiff::tz::Offset;

use crate::act::BankPayment;
use crate::xml::escaped;

/// The first line of a document.
const PROLOG: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// Returns a time as messages write it, in UTC and without a zone.
pub(crate) fn time_text(time_ms: u64) -> String {
    civil(time_ms).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Returns the day of a time, in UTC.
pub(crate) fn day_text(time_ms: u64) -> String {
    civil(time_ms).strftime("%Y-%m-%d").to_string()
}

fn civil(time_ms: u64) -> jiff::civil::DateTime {
    let time = i64::try_from(time_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    Offset::UTC.to_datetime(time.unwrap_or(Timestamp::UNIX_EPOCH))
}

/// Returns a document of a message.
pub(crate) fn document(name: &str, inside: &str) -> String {
    format!(
        "{PROLOG}<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:{name}\">{inside}</Document>\n"
    )
}

/// Returns one file of several documents, in a wrapper of the bank's own.
pub(crate) fn merged(documents: &[String]) -> String {
    let bare = documents.iter().map(|each| each.strip_prefix(PROLOG).unwrap_or(each).trim_end());
    let inside: String = bare.collect();
    format!("{PROLOG}<Envelope xmlns=\"urn:simulated-bank:envelope\">{inside}</Envelope>\n")
}

pub(crate) fn leaf(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escaped(text))
}

/// Returns an element with a text, or nothing for an empty text.
fn optional(name: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { leaf(name, text) }
}

/// Returns a reason, or nothing.
fn reason(element: &str, code: &str) -> String {
    match code {
        "" => String::new(),
        code => format!("<{element}><Rsn>{}</Rsn></{element}>", leaf("Cd", code)),
    }
}

/// A status of one payment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StatusLine<'a> {
    pub(crate) payment: &'a BankPayment,
    /// Status or reason, by its ISO 20022 code.
    pub(crate) code: &'a str,
    /// ISO's code of the reason, or nothing.
    pub(crate) cause: &'a str,
    /// True if it states the bank's reference.
    pub(crate) has_reference: bool,
}

/// The message that a report is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OriginalMessage<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
}

/// Returns a pain.002 about a pain.001, or a pacs.002 about a pacs.008: the status and reason of
/// the group, or none, and those of payments.
pub(crate) fn status_report(
    id: &str,
    time_ms: u64,
    original: OriginalMessage<'_>,
    (group, cause): (&str, &str),
    lines: &[StatusLine<'_>],
) -> String {
    let is_of_customer = original.name.starts_with("pain.");
    let status = |line: &StatusLine<'_>| {
        let StatusLine { payment, code, cause, has_reference } = line;
        let transaction = if is_of_customer { "" } else { payment.id.as_str() };
        let reference = if *has_reference { payment.reference.as_str() } else { "" };
        format!(
            "<TxInfAndSts>{}{}{}{}{}{}{}</TxInfAndSts>",
            leaf("OrgnlInstrId", &payment.id),
            leaf("OrgnlEndToEndId", &payment.id),
            optional("OrgnlTxId", transaction),
            optional("OrgnlUETR", &payment.uetr),
            leaf("TxSts", code),
            reason("StsRsnInf", cause),
            optional("AcctSvcrRef", reference),
        )
    };
    let statuses: String = lines.iter().map(status).collect();
    let header = format!(
        "<GrpHdr>{}{}</GrpHdr><OrgnlGrpInfAndSts>{}{}{}{}</OrgnlGrpInfAndSts>",
        leaf("MsgId", id),
        leaf("CreDtTm", &time_text(time_ms)),
        leaf("OrgnlMsgId", original.id),
        leaf("OrgnlMsgNmId", original.name),
        optional("GrpSts", group),
        reason("StsRsnInf", cause),
    );
    if !is_of_customer {
        let inside = format!("<FIToFIPmtStsRpt>{header}{statuses}</FIToFIPmtStsRpt>");
        return document("pacs.002.001.10", &inside);
    }
    let within = match statuses.as_str() {
        "" => String::new(),
        statuses => format!(
            "<OrgnlPmtInfAndSts>{}{statuses}</OrgnlPmtInfAndSts>",
            leaf("OrgnlPmtInfId", original.id)
        ),
    };
    document("pain.002.001.10", &format!("<CstmrPmtStsRpt>{header}{within}</CstmrPmtStsRpt>"))
}

/// Returns a pacs.004 of one payment that comes back whole.
pub(crate) fn return_message(
    id: &str,
    time_ms: u64,
    payment: &BankPayment,
    (amount, cause): (&str, &str),
) -> String {
    let money = |element: &str, text: &str| {
        format!("<{element} Ccy=\"{}\">{text}</{element}>", escaped(&payment.currency))
    };
    let inside = format!(
        "<PmtRtr><GrpHdr>{}{}<NbOfTxs>1</NbOfTxs><SttlmInf><SttlmMtd>INDA</SttlmMtd></SttlmInf>\
         </GrpHdr><TxInf>{}<OrgnlGrpInf>{}{}</OrgnlGrpInf>{}{}{}{}{}{}</TxInf></PmtRtr>",
        leaf("MsgId", id),
        leaf("CreDtTm", &time_text(time_ms)),
        leaf("RtrId", &format!("R{id}")),
        leaf("OrgnlMsgId", &payment.message),
        leaf("OrgnlMsgNmId", &payment.message_name),
        leaf("OrgnlInstrId", &payment.id),
        leaf("OrgnlEndToEndId", &payment.id),
        optional("OrgnlUETR", &payment.uetr),
        money("OrgnlIntrBkSttlmAmt", amount),
        money("RtrdIntrBkSttlmAmt", amount),
        reason("RtrRsnInf", cause),
    );
    document("pacs.004.001.11", &inside)
}

/// Returns a camt.029 about one payment: CNCL or RJCR.
pub(crate) fn recall_answer(id: &str, time_ms: u64, payment: &BankPayment, code: &str) -> String {
    let party = |element: &str, name: &str| {
        format!("<{element}><Pty>{}</Pty></{element}>", leaf("Nm", name))
    };
    let status = if code == "CNCL" { "ACCR" } else { code };
    let inside = format!(
        "<RsltnOfInvstgtn><Assgnmt>{}{}{}{}</Assgnmt><Sts>{}</Sts><CxlDtls><TxInfAndSts>\
         <OrgnlGrpInf>{}{}</OrgnlGrpInf>{}{}{}{}</TxInfAndSts></CxlDtls></RsltnOfInvstgtn>",
        leaf("Id", id),
        party("Assgnr", "Simulated bank"),
        party("Assgne", "Gateway"),
        leaf("CreDtTm", &time_text(time_ms)),
        leaf("Conf", code),
        leaf("OrgnlMsgId", &payment.message),
        leaf("OrgnlMsgNmId", &payment.message_name),
        leaf("OrgnlInstrId", &payment.id),
        leaf("OrgnlEndToEndId", &payment.id),
        optional("OrgnlUETR", &payment.uetr),
        leaf("TxCxlSts", status),
    );
    document("camt.029.001.09", &inside)
}
