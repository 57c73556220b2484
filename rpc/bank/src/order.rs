//! What a gateway's message asks for: pain.001 and pacs.008 pay, pacs.028 asks, camt.056 recalls.

use crate::decimal::units;
use crate::xml::{XmlFlaw, XmlNode};

/// The namespace of a message is this and its name.
const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:";

/// A payment, as a message orders it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OrderedPayment {
    pub(crate) id: String,
    pub(crate) uetr: String,
    /// The amount in major units, as a decimal text.
    pub(crate) amount: String,
    pub(crate) currency: String,
    pub(crate) gateway_account: String,
    pub(crate) merchant_account: String,
}

/// A message that pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PaymentMessageRead {
    pub(crate) message: String,
    /// The name and version, such as `pain.001.001.09`.
    pub(crate) name: String,
    pub(crate) payments: Vec<OrderedPayment>,
    /// ISO's code of the reason for which the bank refuses all of it, if it must.
    pub(crate) flaw: Option<&'static str>,
}

/// A message of a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum GatewayMessage {
    /// An order to pay.
    Pay(PaymentMessageRead),
    /// It asks what became of payments, by their end-to-end ids.
    Ask(Vec<String>),
    /// It asks for payments back, by their end-to-end ids.
    Recall(Vec<String>),
}

/// Reads a message.
///
/// # Errors
/// When it is not well-formed, of another kind, or lacks what every message has.
pub(crate) fn read_message(xml: &str) -> Result<GatewayMessage, XmlFlaw> {
    let document = XmlNode::parse(xml)?;
    let name = document.namespace().strip_prefix(NAMESPACE).unwrap_or_default();
    match name.get(..9).unwrap_or_default() {
        "pain.001." => customer(&document, name),
        "pacs.008." => interbank(&document, name),
        "pacs.028." => Ok(GatewayMessage::Ask(named(document.at("FIToFIPmtStsReq")))),
        "camt.056." => Ok(GatewayMessage::Recall(named(document.at("FIToFIPmtCxlReq/Undrlyg")))),
        _ => Err(XmlFlaw("it is no pain.001, pacs.008, pacs.028 or camt.056")),
    }
}

fn named(within: Option<&XmlNode>) -> Vec<String> {
    let transactions = within.into_iter().flat_map(|node| node.all("TxInf"));
    transactions.filter_map(|each| each.text_at("OrgnlEndToEndId").map(str::to_owned)).collect()
}

fn customer(document: &XmlNode, name: &str) -> Result<GatewayMessage, XmlFlaw> {
    let body = document.at("CstmrCdtTrfInitn").ok_or(XmlFlaw("it has no CstmrCdtTrfInitn"))?;
    let mut payments = Vec::new();
    for information in body.all("PmtInf") {
        let debtor = account(information, "DbtrAcct")?;
        for transaction in information.all("CdtTrfTxInf") {
            payments.push(payment(transaction, "Amt/InstdAmt", &debtor)?);
        }
    }
    message(body, name, payments)
}

fn interbank(document: &XmlNode, name: &str) -> Result<GatewayMessage, XmlFlaw> {
    let body = document.at("FIToFICstmrCdtTrf").ok_or(XmlFlaw("it has no FIToFICstmrCdtTrf"))?;
    let mut payments = Vec::new();
    for transaction in body.all("CdtTrfTxInf") {
        let debtor = account(transaction, "DbtrAcct")?;
        payments.push(payment(transaction, "IntrBkSttlmAmt", &debtor)?);
    }
    message(body, name, payments)
}

fn account(within: &XmlNode, element: &str) -> Result<String, XmlFlaw> {
    let node = within.at(element).ok_or(XmlFlaw("an account is missing"))?;
    let number = node.text_at("Id/IBAN").or_else(|| node.text_at("Id/Othr/Id"));
    number.map(str::to_owned).ok_or(XmlFlaw("an account has no number"))
}

fn payment(transaction: &XmlNode, path: &str, debtor: &str) -> Result<OrderedPayment, XmlFlaw> {
    let amount = transaction.at(path).ok_or(XmlFlaw("a payment has no amount"))?;
    let currency = amount.attribute("Ccy").ok_or(XmlFlaw("an amount has no currency"))?;
    let id = transaction.text_at("PmtId/EndToEndId");
    Ok(OrderedPayment {
        id: id.ok_or(XmlFlaw("a payment has no EndToEndId"))?.to_owned(),
        uetr: transaction.text_at("PmtId/UETR").unwrap_or_default().to_owned(),
        amount: amount.text.trim().to_owned(),
        currency: currency.to_owned(),
        gateway_account: debtor.to_owned(),
        merchant_account: account(transaction, "CdtrAcct")?,
    })
}

fn message(
    body: &XmlNode,
    name: &str,
    payments: Vec<OrderedPayment>,
) -> Result<GatewayMessage, XmlFlaw> {
    let message = body.text_at("GrpHdr/MsgId").ok_or(XmlFlaw("it has no MsgId"))?.to_owned();
    let count = body.text_at("GrpHdr/NbOfTxs").and_then(|text| text.parse::<usize>().ok());
    let sum = body.text_at("GrpHdr/CtrlSum").and_then(units);
    let amounts: Option<Vec<i128>> = payments.iter().map(|each| units(&each.amount)).collect();
    let actual = amounts.map(|amounts| amounts.iter().sum::<i128>());
    let flaw = match (count == Some(payments.len()), actual) {
        (false, _) => Some("AM18"),
        (true, None) => Some("AM12"),
        (true, actual) if sum != actual => Some("AM10"),
        _ => None,
    };
    let name = name.to_owned();
    Ok(GatewayMessage::Pay(PaymentMessageRead { message, name, payments, flaw }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    const PAIN001: &str = "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\">\
        <CstmrCdtTrfInitn><GrpHdr><MsgId>M1</MsgId><NbOfTxs>2</NbOfTxs><CtrlSum>3.50</CtrlSum>\
        </GrpHdr><PmtInf><DbtrAcct><Id><Othr><Id>100</Id></Othr></Id></DbtrAcct>\
        <CdtTrfTxInf><PmtId><EndToEndId>1-1-CNY-1</EndToEndId><UETR>u</UETR></PmtId><Amt>\
        <InstdAmt Ccy=\"CNY\">1.25</InstdAmt></Amt><CdtrAcct><Id><IBAN>DE89</IBAN></Id></CdtrAcct>\
        </CdtTrfTxInf><CdtTrfTxInf><PmtId><EndToEndId>1-2-CNY-1</EndToEndId></PmtId><Amt>\
        <InstdAmt Ccy=\"CNY\">2.25</InstdAmt></Amt><CdtrAcct><Id><Othr><Id>300</Id></Othr></Id>\
        </CdtrAcct></CdtTrfTxInf></PmtInf></CstmrCdtTrfInitn></Document>";

    fn read(xml: &str) -> PaymentMessageRead {
        match read_message(xml).unwrap() {
            GatewayMessage::Pay(message) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_message_that_pays_is_read() {
        let message = read(PAIN001);
        assert_eq!((message.message.as_str(), message.flaw), ("M1", None));
        assert_eq!(message.name, "pain.001.001.09");
        let [first, second] = message.payments.as_slice() else { panic!("{message:?}") };
        assert_eq!((first.id.as_str(), first.uetr.as_str()), ("1-1-CNY-1", "u"));
        assert_eq!((first.amount.as_str(), first.currency.as_str()), ("1.25", "CNY"));
        assert_eq!(first.gateway_account, "100");
        assert_eq!((&*first.merchant_account, &*second.merchant_account), ("DE89", "300"));
    }

    /// The bank adds up by itself.
    #[test]
    fn a_message_that_does_not_add_up_is_refused() {
        let rows = [
            (">2</NbOfTxs>", ">3</NbOfTxs>", "AM18"),
            ("<NbOfTxs>2</NbOfTxs>", "", "AM18"),
            ("3.50", "3.51", "AM10"),
            ("<CtrlSum>3.50</CtrlSum>", "", "AM10"),
            (">2.25<", ">2,25<", "AM12"),
        ];
        for (from, to, code) in rows {
            assert_eq!(read(&PAIN001.replace(from, to)).flaw, Some(code), "{from}");
        }
        let wrong = ["<MsgId>M1</MsgId>", "<EndToEndId>1-1-CNY-1</EndToEndId>", " Ccy=\"CNY\""];
        for missing in wrong {
            assert!(read_message(&PAIN001.replace(missing, "")).is_err(), "{missing}");
        }
        assert!(read_message(&PAIN001.replace("pain.001", "pain.008")).is_err());
    }
}
