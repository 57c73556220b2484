//! The bank's messages, read by the gateway's readers and held against ISO's schemas, and the
//! gateway's messages, read by the bank.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use rpc_bank::{BankAct, BankHabits, SimulatedBank};
use rpc_iso20022::{BankWord, Dialect, read_file};

/// A message of one payment, in the form that the gateway writes.
fn order(name: &str, number: u64) -> String {
    let id = format!("12-{number}-CNY-1");
    let uetr = format!("aa40c8a4-8ecc-4a21-b21b-{number:012x}");
    let ids = format!("<InstrId>{id}</InstrId><EndToEndId>{id}</EndToEndId>");
    let header = format!(
        "<GrpHdr><MsgId>M{number}</MsgId><NbOfTxs>1</NbOfTxs><CtrlSum>12.50</CtrlSum></GrpHdr>"
    );
    let own = "<DbtrAcct><Id><Othr><Id>1001244100000000001</Id></Othr></Id></DbtrAcct>";
    let merchant = "<CdtrAcct><Id><IBAN>KW81CBKU0000000000001234560101</IBAN></Id></CdtrAcct>";
    let inside = match name {
        "pain.001.001.09" => format!(
            "<CstmrCdtTrfInitn>{header}<PmtInf>{own}<CdtTrfTxInf><PmtId>{ids}<UETR>{uetr}</UETR>\
             </PmtId><Amt><InstdAmt Ccy=\"CNY\">12.50</InstdAmt></Amt>{merchant}</CdtTrfTxInf>\
             </PmtInf></CstmrCdtTrfInitn>"
        ),
        _ => format!(
            "<FIToFICstmrCdtTrf>{header}<CdtTrfTxInf><PmtId>{ids}<TxId>{id}</TxId><UETR>{uetr}\
             </UETR></PmtId><IntrBkSttlmAmt Ccy=\"CNY\">12.50</IntrBkSttlmAmt>{own}{merchant}\
             </CdtTrfTxInf></FIToFICstmrCdtTrf>"
        ),
    };
    format!("<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:{name}\">{inside}</Document>")
}

fn question(name: &str, number: u64) -> String {
    let transaction =
        format!("<TxInf><OrgnlEndToEndId>12-{number}-CNY-1</OrgnlEndToEndId></TxInf>");
    let inside = match name {
        "pacs.028.001.03" => format!("<FIToFIPmtStsReq>{transaction}</FIToFIPmtStsReq>"),
        _ => format!("<FIToFIPmtCxlReq><Undrlyg>{transaction}</Undrlyg></FIToFIPmtCxlReq>"),
    };
    format!("<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:{name}\">{inside}</Document>")
}

/// All that a bank with every fault says about 600 messages, without halves of files.
fn said() -> Vec<String> {
    let habits = BankHabits { torn: 0, lost: 0, ..BankHabits::ALL };
    let mut bank = SimulatedBank::new(5, habits);
    let mut said = Vec::new();
    let mut take = |bank: &mut SimulatedBank, decision: rpc_bank::BankDecision| {
        said.extend(decision.answers.iter().map(|answer| answer.xml.clone()));
        bank.apply(&BankAct::Decided(Box::new(decision)));
    };
    for number in 1..=300 {
        let now_ms = 1_795_996_800_000 + number * 60_000;
        let name = if number % 2 == 0 { "pain.001.001.09" } else { "pacs.008.001.08" };
        let asked = if number % 4 < 2 { "pacs.028.001.03" } else { "camt.056.001.08" };
        for xml in [order(name, number), question(asked, number)] {
            let decision = bank.receive("a.xml", &xml, now_ms);
            take(&mut bank, decision);
        }
        while let Some(decision) = bank.next_return(now_ms) {
            take(&mut bank, decision);
        }
        if number % 100 == 0 {
            let decision = bank.close(now_ms);
            take(&mut bank, decision);
        }
    }
    assert_eq!(bank.ledger().unreadable, 0);
    said
}

#[test]
fn the_gateway_s_readers_find_nothing_wrong_with_the_bank_s_messages() {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for xml in said() {
        let file = read_file(xml.as_bytes(), &Dialect::default());
        let file = file.unwrap_or_else(|flaw| panic!("{flaw}: {xml}"));
        assert!(file.findings.is_empty(), "{:?}: {xml}", file.findings);
        for word in file.words {
            let kind = match word {
                BankWord::Status(_) => "status",
                BankWord::Return(_) => "return",
                BankWord::Recall(_) => "recall",
                BankWord::Entry(_) => "entry",
                BankWord::Statement(_) => "statement",
            };
            *counts.entry(kind).or_default() += 1;
        }
    }
    assert_eq!(counts.len(), 5, "{counts:?}");
}

/// The folder of the schemas: `SLUICE_SCHEMAS`, or `shared/xsd` beside the clone or above it.
fn schemas() -> Option<PathBuf> {
    let named = std::env::var_os("SLUICE_SCHEMAS").map(PathBuf::from);
    let here = std::env::current_dir().unwrap();
    let above = here.ancestors().map(|folder| folder.join("shared/xsd"));
    named.into_iter().chain(above).find(|folder| folder.join("pain.001.001.09.xsd").exists())
}

#[test]
fn the_bank_s_messages_are_valid_against_the_schemas() {
    let Some(folder) = schemas() else {
        println!("not checked, no schemas: set SLUICE_SCHEMAS to a folder of them");
        return;
    };
    if Command::new("xmllint").arg("--version").output().is_err() {
        println!("not checked, no xmllint: install libxml2-utils");
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    let mut files: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for (number, xml) in said().iter().enumerate() {
        // A wrapper is the bank's own, and has no schema.
        let Some(at) = xml.find("tech:xsd:").filter(|_| !xml.contains("<Envelope")) else {
            continue;
        };
        let message = xml[at + 9..at + 24].to_owned();
        let path = temporary.path().join(format!("{number}.xml"));
        std::fs::write(&path, xml).unwrap();
        files.entry(message).or_default().push(path);
    }
    assert_eq!(files.len(), 7, "{:?}", files.keys());
    for (message, paths) in files {
        let mut command = Command::new("xmllint");
        command.args(["--noout", "--nonet", "--schema"]).arg(folder.join(format!("{message}.xsd")));
        let output = command.args(&paths).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let wrong: Vec<&str> = said.lines().filter(|line| !line.ends_with(" validates")).collect();
        assert!(output.status.success(), "{}", wrong[..wrong.len().min(10)].join("\n"));
        println!("{message}: {} files are valid against the schema", paths.len());
    }
}
