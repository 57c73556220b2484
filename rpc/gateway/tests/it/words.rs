//! The messages of a bank, as XML.

/// A document of a message.
pub fn document(message: &str, inside: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document \
         xmlns=\"urn:iso:std:iso:20022:tech:xsd:{message}\">{inside}</Document>"
    )
}

/// A pain.002 about a message: a group's status or none, and transactions.
pub fn pain002(id: &str, original: &str, group: &str, transactions: &str) -> String {
    let inside = format!(
        "<CstmrPmtStsRpt><GrpHdr><MsgId>{id}</MsgId><CreDtTm>2026-11-30T08:00:00</CreDtTm></GrpHdr>\
         <OrgnlGrpInfAndSts><OrgnlMsgId>{original}</OrgnlMsgId>\
         <OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{group}</OrgnlGrpInfAndSts>\
         <OrgnlPmtInfAndSts><OrgnlPmtInfId>{original}</OrgnlPmtInfId>{transactions}\
         </OrgnlPmtInfAndSts></CstmrPmtStsRpt>"
    );
    document("pain.002.001.10", &inside)
}

/// A reason, or nothing.
fn reason(code: &str) -> String {
    match code {
        "" => String::new(),
        code => format!("<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>"),
    }
}

/// A status of a whole message.
pub fn group(code: &str, cause: &str) -> String {
    format!("<GrpSts>{code}</GrpSts>{}", reason(cause))
}

/// A transaction's status, with the bank's reference if it has one.
pub fn status(id: &str, uetr: &str, code: &str, cause: &str, reference: &str) -> String {
    let reference = match reference {
        "" => String::new(),
        reference => format!("<AcctSvcrRef>{reference}</AcctSvcrRef>"),
    };
    format!(
        "<TxInfAndSts><OrgnlEndToEndId>{id}</OrgnlEndToEndId><OrgnlUETR>{uetr}</OrgnlUETR>\
         <TxSts>{code}</TxSts>{}{reference}</TxInfAndSts>",
        reason(cause)
    )
}

/// A booked entry of one payment.
pub fn entry(id: &str, amount: &str, currency: &str, direction: &str, reference: &str) -> String {
    format!(
        "<Ntry><Amt Ccy=\"{currency}\">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd>\
         <Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-11-30</Dt></BookgDt>\
         <AcctSvcrRef>{reference}</AcctSvcrRef><NtryDtls><TxDtls><Refs>\
         <EndToEndId>{id}</EndToEndId></Refs><Amt Ccy=\"{currency}\">{amount}</Amt></TxDtls>\
         </NtryDtls></Ntry>"
    )
}

/// A camt.053 of one day of an account in CNY, with its opening and closing balance.
pub fn camt053(
    account: &str,
    number: u64,
    day: &str,
    (opening, closing): (&str, &str),
    entries: &str,
) -> String {
    let balance = |code: &str, amount: &str| {
        format!(
            "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"CNY\">{amount}</Amt>\
             <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
        )
    };
    let inside = format!(
        "<BkToCstmrStmt><GrpHdr><MsgId>S{number}</MsgId><CreDtTm>{day}T20:00:00</CreDtTm>\
         </GrpHdr><Stmt><Id>S{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb>\
         <CreDtTm>{day}T20:00:00</CreDtTm><Acct><Id><Othr><Id>{account}</Id></Othr></Id>\
         <Ccy>CNY</Ccy></Acct>{}{}{entries}</Stmt></BkToCstmrStmt>",
        balance("OPBD", opening),
        balance("CLBD", closing),
    );
    document("camt.053.001.08", &inside)
}
