//! camt.056.001.08: asks a bank to cancel payments, because a settlement agent recalled them.

use chain_types::{Amount, TimeMs};
use jiff::civil::Date;

use super::document::{date_text, message, time_text};
use super::order::{SentPayment, WriteError, WrittenMessage, check_code, check_count};
use crate::account::BankAgent;

/// A payment that is recalled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecalledPayment {
    /// The payment as it was handed.
    pub sent: SentPayment,
    /// Its amount, in minor units of the instruction's currency.
    pub amount: Amount,
    /// The day on which the bank was to pay.
    pub execution: Date,
}

/// A request to cancel payments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecallRequest {
    /// The time at which the request was planned. It is part of the content.
    pub created: TimeMs,
    /// The bank that asks.
    pub assigner: BankAgent,
    /// The bank that is asked.
    pub assignee: BankAgent,
    /// ISO's code of the reason: `CUST` when a settlement agent recalled the instruction.
    pub reason: String,
    /// The payments that are recalled, at least one.
    pub payments: Vec<RecalledPayment>,
}

/// Writes a `camt.056.001.08`.
///
/// # Errors
/// [`WriteError`]: nothing or too much is recalled, or a field cannot be written.
pub fn write_camt056(request: &RecallRequest) -> Result<WrittenMessage, WriteError> {
    check_count(request.payments.len())?;
    check_code(&request.reason)?;
    let created = time_text(request.created)?;
    message("camt.056.001.08", |body, id| {
        body.element("FIToFIPmtCxlReq", |body| {
            body.element("Assgnmt", |body| {
                body.leaf("Id", id);
                body.element("Assgnr", |body| {
                    body.agent("Agt", &request.assigner);
                    Ok(())
                })?;
                body.element("Assgne", |body| {
                    body.agent("Agt", &request.assignee);
                    Ok(())
                })?;
                body.leaf("CreDtTm", &created);
                Ok(())
            })?;
            body.path("CtrlData/NbOfTxs", request.payments.len().to_string());
            body.element("Undrlyg", |body| {
                for recalled in &request.payments {
                    body.element("TxInf", |body| write_recalled(body, recalled, request))?;
                }
                Ok(())
            })
        })
    })
}

fn write_recalled(
    body: &mut super::document::Body,
    recalled: &RecalledPayment,
    request: &RecallRequest,
) -> Result<(), WriteError> {
    let sent = &recalled.sent;
    let name = sent.obligation.end_to_end_id().to_string();
    let currency = sent.obligation.instruction.currency;
    body.leaf("CxlId", &name);
    body.element("OrgnlGrpInf", |body| {
        body.leaf("OrgnlMsgId", sent.message.as_str());
        body.leaf("OrgnlMsgNmId", sent.message_name);
        Ok(())
    })?;
    body.leaf("OrgnlInstrId", &name);
    body.leaf("OrgnlEndToEndId", &name);
    body.leaf("OrgnlTxId", &name);
    body.leaf("OrgnlUETR", sent.uetr().to_string());
    body.amount("OrgnlIntrBkSttlmAmt", recalled.amount, currency)?;
    body.leaf("OrgnlIntrBkSttlmDt", date_text(recalled.execution)?);
    body.path("CxlRsnInf/Rsn/Cd", &request.reason);
    Ok(())
}
