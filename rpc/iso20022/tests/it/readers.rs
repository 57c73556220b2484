//! What each message says, as words.

use rpc_iso20022::*;

use crate::support::*;

#[test]
fn a_status_is_of_its_level() {
    let group = "<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>DUPL</Cd></Rsn></StsRsnInf>";
    let inside =
        "<PmtInfSts>PART</PmtInfSts>".to_owned() + &status("12-1001-CNY-1", "RJCT", "AC04");
    let file = read(&pain002(group, &inside));
    assert_eq!(file.messages, [("pain.002.001.10".into(), "R1".into())]);
    let words: Vec<_> = file
        .words
        .iter()
        .map(|word| match word {
            BankWord::Status(word) => (word.level, word.status.clone(), word.reasons.join(" ")),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        words,
        [
            (StatusLevel::Group, StatusCode::Rejected, "DUPL".to_owned()),
            (StatusLevel::Transaction, StatusCode::Rejected, "AC04".to_owned()),
            (StatusLevel::PaymentInformation, StatusCode::Partial, String::new()),
        ]
    );
    let BankWord::Status(word) = &file.words[1] else { panic!() };
    assert_eq!(word.name.message.as_deref(), Some("M1"));
    assert_eq!(word.name.payment_information.as_deref(), Some("M1"));
    assert_eq!(word.name.end_to_end.as_deref(), Some("12-1001-CNY-1"));
}

#[test]
fn both_versions_of_pacs_002_are_read() {
    for version in ["10", "12"] {
        let inside = "<FIToFIPmtStsRpt><GrpHdr><MsgId>R</MsgId><CreDtTm>2026-11-30T08:00:00</CreDtTm></GrpHdr>\
            <TxInfAndSts><OrgnlGrpInf><OrgnlMsgId>M7</OrgnlMsgId>\
            <OrgnlMsgNmId>pacs.008.001.08</OrgnlMsgNmId></OrgnlGrpInf>\
            <OrgnlEndToEndId>12-1001-CNY-1</OrgnlEndToEndId>\
            <OrgnlUETR>0b1392ab-c8af-4067-a385-1da4976f67a8</OrgnlUETR>\
            <TxSts>ACSC</TxSts><AcctSvcrRef>F1</AcctSvcrRef></TxInfAndSts></FIToFIPmtStsRpt>";
        let name = format!("pacs.002.001.{version}");
        let xml = document(&name, inside);
        hold_against_schema(&name, std::slice::from_ref(&xml));
        let file = read(&xml);
        let BankWord::Status(word) = &file.words[0] else { panic!() };
        assert_eq!(word.status, StatusCode::Settled);
        assert_eq!(word.name.message.as_deref(), Some("M7"));
        assert_eq!(word.reference.as_deref(), Some("F1"));
        assert!(word.name.uetr.is_some() && file.findings.is_empty());
    }
}

#[test]
fn the_three_versions_of_pacs_004_are_read() {
    for version in ["09", "10", "11"] {
        let inside = "<PmtRtr><GrpHdr><MsgId>R</MsgId><CreDtTm>2026-11-30T08:00:00</CreDtTm><NbOfTxs>1</NbOfTxs>\
            <SttlmInf><SttlmMtd>INDA</SttlmMtd></SttlmInf></GrpHdr>\
            <OrgnlGrpInf><OrgnlMsgId>M1</OrgnlMsgId>\
            <OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId></OrgnlGrpInf>\
            <TxInf><RtrId>RTR-1</RtrId><OrgnlEndToEndId>12-1001-CNY-1</OrgnlEndToEndId>\
            <OrgnlIntrBkSttlmAmt Ccy=\"CNY\">100.00</OrgnlIntrBkSttlmAmt>\
            <RtrdIntrBkSttlmAmt Ccy=\"CNY\">100.00</RtrdIntrBkSttlmAmt><IntrBkSttlmDt>2026-11-30</IntrBkSttlmDt>\
            <RtrRsnInf><Rsn><Cd>AC04</Cd></Rsn></RtrRsnInf></TxInf></PmtRtr>";
        let name = format!("pacs.004.001.{version}");
        let xml = document(&name, inside);
        hold_against_schema(&name, std::slice::from_ref(&xml));
        let file = read(&xml);
        let BankWord::Return(word) = &file.words[0] else { panic!() };
        assert_eq!(word.returned.amount.get(), 10_000);
        assert_eq!(&*word.reasons[0], "AC04");
        assert_eq!(word.name.message.as_deref(), Some("M1"));
    }
}

#[test]
fn an_answer_to_a_recall_is_of_its_lowest_level() {
    let xml = |confirmation: &str, own: &str| {
        let inside = format!(
            "<RsltnOfInvstgtn><Assgnmt><Id>A</Id><Assgnr><Agt><FinInstnId/></Agt></Assgnr><Assgne><Agt><FinInstnId/></Agt>\
            </Assgne><CreDtTm>2026-11-30T08:00:00</CreDtTm></Assgnmt>\
            <Sts><Conf>{confirmation}</Conf></Sts>\
            <CxlDtls><TxInfAndSts><OrgnlEndToEndId>12-1001-CNY-1</OrgnlEndToEndId>\
            {own}</TxInfAndSts></CxlDtls>\
            </RsltnOfInvstgtn>"
        );
        document("camt.029.001.09", &inside)
    };
    let said = |xml: &str| match &read(xml).words[0] {
        BankWord::Recall(word) => word.status.clone(),
        other => panic!("{other:?}"),
    };
    let pending = xml("CNCL", "<TxCxlSts>PDCR</TxCxlSts>");
    hold_against_schema("camt.029.001.09", &[pending.clone(), xml("CNCL", "")]);
    assert_eq!(said(&xml("CNCL", "")), RecallStatus::Cancelled);
    assert_eq!(said(&xml("RJCR", "")), RecallStatus::Refused);
    assert_eq!(said(&pending), RecallStatus::Pending);
    assert_eq!(said(&xml("CNCL", "<TxCxlSts>RJCR</TxCxlSts>")), RecallStatus::Refused);
}

#[test]
fn an_entry_has_its_details_in_any_order() {
    let details = detail("12-1001-CNY-1", "30.00", "") + &detail("12-1002-CNY-1", "70.00", "");
    let good = camt053(GATEWAY, 7, "100.00", "0.00", &entry("100.00", "DBIT", "A", &details));
    hold_against_schema("camt.053.001.08", std::slice::from_ref(&good));
    let moved = good
        .replace(&format!("<NtryDtls>{details}</NtryDtls>"), "")
        .replace("<Ntry>", &format!("<Ntry><NtryDtls>{details}</NtryDtls>"));
    assert_eq!(read(&good), read(&moved));
    let file = read(&good);
    let [BankWord::Entry(entry), BankWord::Statement(statement)] = file.words.as_slice() else {
        panic!("{:?}", file.words)
    };
    assert_eq!(entry.details.len(), 2);
    assert_eq!((statement.number, statement.entries), (Some(7), 1));
    assert_eq!(statement.balances[0].minor, 10_000);
    let wrong = good.replace("70.00", "60.00");
    assert_eq!(read(&wrong).findings[0].flaw.name(), "details-sum");
}

#[test]
fn a_report_and_a_notification_are_read_like_a_statement() {
    let one = entry("100.00", "CRDT", "A", &detail("12-1001-CNY-1", "100.00", ""));
    let statement = camt053(MERCHANT, 1, "0.00", "100.00", &one);
    for (kind, root, element) in
        [("052", "BkToCstmrAcctRpt", "Rpt"), ("054", "BkToCstmrDbtCdtNtfctn", "Ntfctn")]
    {
        let name = format!("camt.{kind}.001.08");
        let mut xml = statement
            .replace("camt.053.001.08", &name)
            .replace("BkToCstmrStmt", root)
            .replace("Stmt>", &format!("{element}>"));
        if kind == "054" {
            let (start, end) = (xml.find("<Bal>").unwrap(), xml.rfind("</Bal>").unwrap() + 6);
            xml.replace_range(start..end, "");
        }
        hold_against_schema(&name, std::slice::from_ref(&xml));
        let file = read(&xml);
        assert_eq!(file.words.len(), 2, "{name}");
        let BankWord::Entry(entry) = &file.words[0] else { panic!() };
        assert_eq!(entry.money.amount.get(), 10_000);
    }
}
