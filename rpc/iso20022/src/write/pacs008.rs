//! pacs.008.001.08: a bank, which the gateway is itself, pays another bank's customer.

use super::document::{Body, date_text, message, time_text};
use super::order::{OutgoingPayment, PaymentOrder, WriteError, WrittenMessage, check_code};
use super::pain001::write_remittance;
use crate::account::BankAgent;

/// The way in which the banks settle a payment with each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettlementMethod {
    /// Over an account that the instructed bank keeps (`INDA`).
    InstructedAgent,
    /// Over an account that the instructing bank keeps (`INGA`).
    InstructingAgent,
    /// Through a clearing system (`CLRG`), by its code, such as `TGT`.
    Clearing(String),
}

/// The banks of a message and how they settle with each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterbankSettlement {
    /// The way in which the banks settle.
    pub method: SettlementMethod,
    /// The bank that sends the message.
    pub instructing: BankAgent,
    /// The bank that receives it.
    pub instructed: BankAgent,
}

/// Writes a `pacs.008.001.08`.
///
/// # Errors
/// [`WriteError`]: the order is empty, too long, mixed or not to be written.
pub fn write_pacs008(
    order: &PaymentOrder,
    settlement: &InterbankSettlement,
) -> Result<WrittenMessage, WriteError> {
    order.check()?;
    if let SettlementMethod::Clearing(system) = &settlement.method {
        check_code(system)?;
    }
    let created = time_text(order.created)?;
    let (count, sum) = (order.payments.len().to_string(), order.sum()?);
    message("pacs.008.001.08", |body, id| {
        body.element("FIToFICstmrCdtTrf", |body| {
            body.element("GrpHdr", |body| {
                body.leaf("MsgId", id);
                body.leaf("CreDtTm", &created);
                body.leaf("NbOfTxs", &count);
                body.leaf("CtrlSum", &sum);
                write_method(body, &settlement.method)
            })?;
            order.payments.iter().try_for_each(|each| write_payment(body, each, order, settlement))
        })
    })
}

fn write_method(body: &mut Body, method: &SettlementMethod) -> Result<(), WriteError> {
    body.element("SttlmInf", |body| {
        match method {
            SettlementMethod::InstructedAgent => body.leaf("SttlmMtd", "INDA"),
            SettlementMethod::InstructingAgent => body.leaf("SttlmMtd", "INGA"),
            SettlementMethod::Clearing(system) => {
                body.leaf("SttlmMtd", "CLRG");
                // ISO's codes of systems have at most three characters.
                let element = if system.len() <= 3 { "ClrSys/Cd" } else { "ClrSys/Prtry" };
                body.path(element, system);
            }
        }
        Ok(())
    })
}

fn write_payment(
    body: &mut Body,
    payment: &OutgoingPayment,
    order: &PaymentOrder,
    settlement: &InterbankSettlement,
) -> Result<(), WriteError> {
    let id = payment.obligation.end_to_end_id();
    let otherwise = format!("MERCHANT {}", id.instruction.merchant);
    body.element("CdtTrfTxInf", |body| {
        body.element("PmtId", |body| {
            body.leaf("InstrId", id.to_string());
            body.leaf("EndToEndId", id.to_string());
            body.leaf("TxId", id.to_string());
            body.leaf("UETR", payment.obligation.uetr(payment.resend).to_string());
            Ok(())
        })?;
        if let Some(level) = &order.service_level {
            body.path("PmtTpInf/SvcLvl/Cd", level);
        }
        body.amount("IntrBkSttlmAmt", payment.amount, order.currency)?;
        body.leaf("IntrBkSttlmDt", date_text(order.execution)?);
        body.leaf("ChrgBr", order.charges.code());
        body.agent("InstgAgt", &settlement.instructing);
        body.agent("InstdAgt", &settlement.instructed);
        body.party("Dbtr", &order.debtor, "GATEWAY", order)?;
        body.account("DbtrAcct", &order.debtor.account);
        body.agent("DbtrAgt", &order.debtor.agent);
        body.agent("CdtrAgt", &payment.creditor.agent);
        body.party("Cdtr", &payment.creditor, &otherwise, order)?;
        body.account("CdtrAcct", &payment.creditor.account);
        write_remittance(body, payment, order);
        Ok(())
    })
}
