//! pacs.028.001.03: asks a bank what became of payments. Asking is the only answer to doubt.

use chain_types::TimeMs;

use super::document::{message, time_text};
use super::order::{SentPayment, WriteError, WrittenMessage, check_count};
use crate::account::BankAgent;

/// Payments whose status is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRequest {
    /// The time at which the question was planned. It is part of the content.
    pub created: TimeMs,
    /// The bank that asks.
    pub instructing: BankAgent,
    /// The bank that is asked.
    pub instructed: BankAgent,
    /// The payments that are asked about, at least one.
    pub payments: Vec<SentPayment>,
}

/// Writes a `pacs.028.001.03`.
///
/// # Errors
/// [`WriteError`]: nothing or too much is asked for, or the time cannot be written.
pub fn write_pacs028(request: &StatusRequest) -> Result<WrittenMessage, WriteError> {
    check_count(request.payments.len())?;
    let created = time_text(request.created)?;
    message("pacs.028.001.03", |body, id| {
        body.element("FIToFIPmtStsReq", |body| {
            body.element("GrpHdr", |body| {
                body.leaf("MsgId", id);
                body.leaf("CreDtTm", &created);
                body.agent("InstgAgt", &request.instructing);
                body.agent("InstdAgt", &request.instructed);
                Ok(())
            })?;
            for payment in &request.payments {
                let name = payment.obligation.end_to_end_id().to_string();
                body.element("TxInf", |body| {
                    body.element("OrgnlGrpInf", |body| {
                        body.leaf("OrgnlMsgId", payment.message.as_str());
                        body.leaf("OrgnlMsgNmId", payment.message_name);
                        Ok(())
                    })?;
                    body.leaf("OrgnlInstrId", &name);
                    body.leaf("OrgnlEndToEndId", &name);
                    body.leaf("OrgnlTxId", &name);
                    body.leaf("OrgnlUETR", payment.uetr().to_string());
                    Ok(())
                })?;
            }
            Ok(())
        })
    })
}
