//! pain.001.001.09: a customer asks its bank to pay. One payment information of one account.

use super::document::{Body, date_text, message, time_text};
use super::order::{OutgoingPayment, PaymentOrder, WriteError, WrittenMessage};
use crate::text::name_text;

/// Writes a `pain.001.001.09`.
///
/// # Errors
/// [`WriteError`]: the order is empty, too long, mixed or not to be written.
pub fn write_pain001(order: &PaymentOrder) -> Result<WrittenMessage, WriteError> {
    order.check()?;
    let (created, execution) = (time_text(order.created)?, date_text(order.execution)?);
    let (count, sum) = (order.payments.len().to_string(), order.sum()?);
    message("pain.001.001.09", |body, id| {
        body.element("CstmrCdtTrfInitn", |body| {
            body.element("GrpHdr", |body| {
                body.leaf("MsgId", id);
                body.leaf("CreDtTm", &created);
                body.leaf("NbOfTxs", &count);
                body.leaf("CtrlSum", &sum);
                body.party("InitgPty", &order.debtor, "GATEWAY", order)
            })?;
            body.element("PmtInf", |body| {
                // One payment information a message, so that both have one id.
                body.leaf("PmtInfId", id);
                body.leaf("PmtMtd", "TRF");
                body.leaf("BtchBookg", "false");
                body.leaf("NbOfTxs", &count);
                body.leaf("CtrlSum", &sum);
                if let Some(level) = &order.service_level {
                    body.path("PmtTpInf/SvcLvl/Cd", level);
                }
                body.path("ReqdExctnDt/Dt", &execution);
                body.party("Dbtr", &order.debtor, "GATEWAY", order)?;
                body.element("DbtrAcct", |body| {
                    body.account_id(&order.debtor.account);
                    body.leaf("Ccy", order.currency.code_or_number());
                    Ok(())
                })?;
                body.agent("DbtrAgt", &order.debtor.agent);
                body.leaf("ChrgBr", order.charges.code());
                order.payments.iter().try_for_each(|payment| write_payment(body, payment, order))
            })
        })
    })
}

fn write_payment(
    body: &mut Body,
    payment: &OutgoingPayment,
    order: &PaymentOrder,
) -> Result<(), WriteError> {
    let id = payment.obligation.end_to_end_id();
    let otherwise = format!("MERCHANT {}", id.instruction.merchant);
    body.element("CdtTrfTxInf", |body| {
        body.element("PmtId", |body| {
            body.leaf("InstrId", id.to_string());
            body.leaf("EndToEndId", id.to_string());
            body.leaf("UETR", payment.obligation.uetr(payment.resend).to_string());
            Ok(())
        })?;
        body.element("Amt", |body| body.amount("InstdAmt", payment.amount, order.currency))?;
        body.agent("CdtrAgt", &payment.creditor.agent);
        body.party("Cdtr", &payment.creditor, &otherwise, order)?;
        body.account("CdtrAcct", &payment.creditor.account);
        write_remittance(body, payment, order);
        Ok(())
    })
}

/// Writes the text for the merchant, if there is one.
pub(super) fn write_remittance(body: &mut Body, payment: &OutgoingPayment, order: &PaymentOrder) {
    if !payment.remittance.trim().is_empty() {
        let id = payment.obligation.end_to_end_id().to_string();
        body.path("RmtInf/Ustrd", name_text(&payment.remittance, &id, order.characters, 140));
    }
}
