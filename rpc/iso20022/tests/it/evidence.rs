//! What words mean, row by row; and the table over every set of facts against an oracle of its own.

use rpc_iso20022::*;

use crate::support::*;

const ID: &str = "12-1001-CNY-1";

fn payment(sendings: u16) -> HandedPayment {
    let obligation = obligation(12, 1_001, "CNY", 1);
    let sendings = (0..sendings).map(|resend| PaymentSending {
        message: format!("M{}", resend + 1).into(),
        uetr: obligation.uetr(resend),
    });
    HandedPayment {
        obligation,
        amount: chain_types::Amount::new(10_000),
        sendings: sendings.collect(),
        gateway_account: GATEWAY.into(),
        merchant_account: MERCHANT.into(),
    }
}

/// Judges the words of several files.
fn judged(sendings: u16, files: &[String], proof: ArrivalProof) -> Judgement {
    let files: Vec<BankFile> = files.iter().map(|xml| read(xml)).collect();
    let mut words = Vec::new();
    for file in &files {
        assert!(file.findings.iter().all(|finding| finding.flaw.name() == "status"), "{file:?}");
        for word in &file.words {
            match word {
                BankWord::Status(status) => words.push(EvidenceWord::Status(status)),
                BankWord::Return(returned) => words.push(EvidenceWord::Return(returned)),
                BankWord::Recall(recall) => words.push(EvidenceWord::Recall(recall)),
                BankWord::Entry(entry) => {
                    let account = file.words.iter().find_map(|word| match word {
                        BankWord::Statement(each) if each.statement == entry.statement => {
                            Some(&*each.account)
                        }
                        _ => None,
                    });
                    words.push(EvidenceWord::Entry { entry, account: account.unwrap() });
                }
                BankWord::Statement(_) => {}
            }
        }
    }
    let payment = payment(sendings);
    let judgement = judge(&payment, &words, proof);
    words.reverse();
    assert_eq!(judge(&payment, &words, proof).meaning, judgement.meaning, "order means nothing");
    let twice = [words.clone(), words].concat();
    assert_eq!(judge(&payment, &twice, proof).facts, judgement.facts, "repetition means nothing");
    judgement
}

fn meaning(files: &[String]) -> String {
    judged(1, files, ArrivalProof::Credited).meaning.to_string()
}

fn said(code: &str, reason: &str) -> String {
    pain002("", &status(ID, code, reason))
}

fn group(code: &str, reason: &str) -> String {
    let reason = match reason {
        "" => String::new(),
        reason => format!("<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf>"),
    };
    pain002(&format!("<GrpSts>{code}</GrpSts>{reason}"), "")
}

fn booked(account: &str, direction: &str, amount: &str, rest: &str) -> String {
    let one = entry(amount, direction, "A", &detail(ID, amount, rest));
    camt053(account, 1, "0.00", "0.00", &one)
}

fn returned(amount: &str) -> String {
    document(
        "pacs.004.001.09",
        &format!(
            "<PmtRtr><TxInf><RtrId>R</RtrId><OrgnlEndToEndId>{ID}</OrgnlEndToEndId>\
         <RtrdIntrBkSttlmAmt Ccy=\"CNY\">{amount}</RtrdIntrBkSttlmAmt>\
         <RtrRsnInf><Rsn><Cd>AC04</Cd></Rsn></RtrRsnInf></TxInf></PmtRtr>"
        ),
    )
}

fn answered(code: &str) -> String {
    document(
        "camt.029.001.09",
        &format!(
            "<RsltnOfInvstgtn><Sts><Conf>{code}</Conf></Sts><CxlDtls><TxInfAndSts>\
         <OrgnlEndToEndId>{ID}</OrgnlEndToEndId></TxInfAndSts></CxlDtls></RsltnOfInvstgtn>"
        ),
    )
}

#[test]
fn each_word_means_what_the_page_says() {
    let reason = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>";
    let credit = || booked(MERCHANT, "CRDT", "100.00", "");
    let debit = || booked(GATEWAY, "DBIT", "100.00", "");
    let charged = || {
        let charges = "<Chrgs><Rcrd><Amt Ccy=\"CNY\">5.00</Amt></Rcrd></Chrgs>";
        booked(MERCHANT, "CRDT", "95.00", charges)
    };
    let other = pain002(
        "",
        &status(ID, "ACCC", "").replace(
            "<TxSts>",
            "<OrgnlUETR>0b1392ab-c8af-4067-a385-1da4976f67a8</OrgnlUETR><TxSts>",
        ),
    );
    let table: Vec<(&str, Vec<String>)> = vec![
        ("wait", vec![]),
        ("wait", vec![said("ACSP", "")]),
        ("wait", vec![group("PART", "")]),
        ("wait", vec![pain002("", &status("12-1002-CNY-1", "RJCT", "AC04"))]),
        ("settled", vec![said("ACSC", "")]),
        ("settled", vec![debit()]),
        ("arrived", vec![said("ACCC", "")]),
        ("arrived", vec![credit()]),
        ("arrived", vec![said("ACSP", ""), debit(), credit(), said("ACCC", "")]),
        ("failed", vec![said("RJCT", "AC04")]),
        ("failed", vec![said("ACSP", ""), said("RJCT", "AC04")]),
        ("failed", vec![group("RJCT", "FF01")]),
        ("ask", vec![group("RJCT", "DUPL")]),
        ("ask", vec![said("RJCT", "AM05")]),
        ("ask", vec![said("RJCT", "")]),
        ("ask", vec![said("RJCT", "AB05")]),
        ("ask", vec![said("WHAT", "")]),
        ("wait", vec![group("RJCT", "DUPL"), said("ACSP", "")]),
        ("settled", vec![group("RJCT", "DUPL"), said("ACSC", "")]),
        ("settled", vec![group("RJCT", "FF01"), said("ACSC", "")]),
        ("held: unknown reason", vec![said("RJCT", "ZZ99")]),
        ("held: unknown reason", vec![said("RJCT", "NARR")]),
        ("held: both words", vec![said("RJCT", "AC04"), credit()]),
        ("held: both words", vec![said("RJCT", "AC04"), said("ACSC", "")]),
        ("held: ids disagree", vec![other]),
        ("held: amount", vec![booked(MERCHANT, "CRDT", "99.00", "")]),
        ("held: currency", vec![credit().replace("CNY\">100", "USD\">100")]),
        ("held: charges", vec![charged()]),
        ("held: account", vec![booked("GB82WEST12345698765432", "CRDT", "100.00", "")]),
        ("held: account", vec![booked(GATEWAY, "CRDT", "100.00", "")]),
        ("wait", vec![credit().replace("BOOK", "PDNG")]),
        ("failed", vec![debit(), booked(GATEWAY, "CRDT", "100.00", reason)]),
        ("failed", vec![said("ACSC", ""), returned("100.00")]),
        ("bounced", vec![credit(), returned("100.00")]),
        ("bounced", vec![said("ACCC", ""), booked(GATEWAY, "CRDT", "100.00", reason)]),
        ("held: return amount", vec![credit(), returned("60.00")]),
        ("recalled", vec![answered("CNCL")]),
        ("recalled", vec![said("ACSP", ""), answered("CNCL")]),
        ("recalled", vec![answered("CNCL"), returned("100.00")]),
        ("wait", vec![answered("RJCR")]),
        ("wait", vec![answered("PDCR"), said("ACSP", "")]),
        ("arrived", vec![answered("CNCL"), said("ACCC", "")]),
    ];
    for (number, (expected, files)) in table.iter().enumerate() {
        assert_eq!(&meaning(files), expected, "row {number}: {files:#?}");
    }
}

#[test]
fn the_profile_says_what_an_arrival_is() {
    for word in [said("ACSC", ""), booked(GATEWAY, "DBIT", "100.00", "")] {
        let settled = judged(1, std::slice::from_ref(&word), ArrivalProof::Settled);
        assert_eq!(settled.meaning, Meaning::Arrived);
    }
}

#[test]
fn a_rejected_sending_says_nothing_of_the_other_one() {
    let second = |xml: String| {
        xml.replace("<OrgnlMsgId>M1", "<OrgnlMsgId>M2").replace("InfId>M1", "InfId>M2")
    };
    let rejected = || said("RJCT", "AC04");
    let meaning = |files: &[String]| judged(2, files, ArrivalProof::Credited).meaning.to_string();
    assert_eq!(meaning(&[rejected()]), "wait", "the second one may still pay");
    assert_eq!(meaning(&[rejected(), second(rejected())]), "failed");
    assert_eq!(meaning(&[rejected(), second(said("ACCC", ""))]), "arrived");
    assert_eq!(meaning(&[said("ACSC", ""), second(group("RJCT", "FF01"))]), "settled");
    let neither =
        rejected().replace("<OrgnlMsgId>M1", "<OrgnlMsgId>X").replace("InfId>M1", "InfId>X");
    assert_eq!(meaning(&[neither]), "ask", "nobody knows which of them is rejected");
}

#[test]
fn the_chain_s_reason_and_the_bank_s_code_are_both_kept() {
    let failed = judged(1, &[said("RJCT", "AC04")], ArrivalProof::Credited);
    assert_eq!(failed.reason, Some(chain_types::FailureReason::AccountClosed));
    assert_eq!(failed.code.as_deref(), Some("AC04"));
    let arrived = judged(1, &[booked(MERCHANT, "CRDT", "100.00", "")], ArrivalProof::Credited);
    assert_eq!(arrived.reference.as_deref(), Some("A"));
}

/// The rules of BRIDGE once more, in other words than the table's.
fn oracle(facts: FactSet) -> Meaning {
    let has = |fact| facts.contains(fact);
    let refused = has(Fact::Rejected) || has(Fact::UnknownReason) || has(Fact::Doubtful);
    let paid = has(Fact::Settled) || has(Fact::Credited);
    let held = [
        (Fact::IdsDisagree, HeldCause::IdsDisagree),
        (Fact::OtherCurrency, HeldCause::Currency),
        (Fact::OtherAmount, HeldCause::Amount),
        (Fact::ChargesTaken, HeldCause::Charges),
        (Fact::OtherAccount, HeldCause::Account),
        (Fact::OtherReturn, HeldCause::ReturnAmount),
    ];
    if let Some((_, cause)) = held.into_iter().find(|(fact, _)| has(*fact)) {
        return Meaning::Held(cause);
    }
    if refused && paid {
        return Meaning::Held(HeldCause::BothWords);
    }
    if has(Fact::Credited) {
        return if has(Fact::Returned) { Meaning::Bounced } else { Meaning::Arrived };
    }
    if has(Fact::Returned) {
        return if has(Fact::Cancelled) { Meaning::Recalled } else { Meaning::Failed };
    }
    match () {
        () if has(Fact::Rejected) => Meaning::Failed,
        () if has(Fact::UnknownReason) => Meaning::Held(HeldCause::UnknownReason),
        () if has(Fact::Cancelled) => Meaning::Recalled,
        () if paid => Meaning::Settled,
        () if has(Fact::Doubtful) || has(Fact::Unclear) => Meaning::Ask,
        () if !has(Fact::Pending) && has(Fact::Duplicate) => Meaning::Ask,
        () => Meaning::Wait,
    }
}

#[test]
fn the_table_decides_every_set_of_facts() {
    let mut rules = std::collections::BTreeSet::new();
    for bits in 0..1_u32 << FACTS.len() {
        let chosen = FACTS.iter().enumerate().filter(|(place, _)| bits >> place & 1 == 1);
        let facts: FactSet = chosen.map(|(_, fact)| *fact).collect();
        assert_eq!(meaning_of(facts), oracle(facts), "{facts:?}");
        let row = RULES.iter().position(|rule| rule.when.iter().all(|any| facts.contains_any(any)));
        rules.insert(row);
        let money_moved = facts.contains(Fact::Settled) || facts.contains(Fact::Credited);
        let came_back = facts.contains(Fact::Returned);
        if meaning_of(facts) == Meaning::Failed {
            assert!(!money_moved || came_back, "a failure while the money is out: {facts:?}");
        }
    }
    assert_eq!(rules.len(), RULES.len(), "every row decides something");
}

/// The part of the page between two marks is made from the code.
fn hold_page(mark: &str, made: &str) {
    let path = "../../docs/iso20022.md";
    let page = std::fs::read_to_string(path).unwrap();
    let (begin, end) = (format!("<!-- {mark} begins -->\n"), format!("<!-- {mark} ends -->"));
    let (before, rest) = page.split_once(&begin).expect("the mark of a part that is made");
    let (actual, after) = rest.split_once(&end).expect("its end");
    if std::env::var_os("SLUICE_WRITE_PAGES").is_some() {
        std::fs::write(path, format!("{before}{begin}{made}{end}{after}")).unwrap();
    } else {
        assert_eq!(actual, made, "{path}: SLUICE_WRITE_PAGES=1 writes it");
    }
}

#[test]
fn the_page_has_the_evidence_table() {
    let mut made = "| | facts | meaning | why |\n|---|---|---|---|\n".to_owned();
    for (number, rule) in (1..).zip(&RULES) {
        let any = |facts: &[Fact]| {
            facts.iter().map(|fact| format!("{fact:?}")).collect::<Vec<_>>().join(" or ")
        };
        let when: Vec<String> = rule.when.iter().map(|facts| any(facts)).collect();
        let when = if when.is_empty() { "anything else".to_owned() } else { when.join(", with ") };
        made.push_str(&format!("| {number} | {when} | {} | {} |\n", rule.meaning, rule.why));
    }
    made.push_str("\n| reason of a rejection | what it says |\n|---|---|\n");
    let mut classes: std::collections::BTreeMap<String, Vec<&str>> = Default::default();
    for (code, class) in REASONS {
        let text = match class {
            ReasonClass::Definite(reason) => format!("failed: {} ({reason:?})", reason.iso_code()),
            ReasonClass::Duplicate => "ask: the bank has it".to_owned(),
            ReasonClass::Doubtful => "ask: somebody did not answer in time".to_owned(),
            ReasonClass::Unknown => "held: a person reads it".to_owned(),
        };
        classes.entry(text).or_default().push(code);
    }
    for (text, codes) in classes {
        made.push_str(&format!("| {} | {text} |\n", codes.join(" ")));
    }
    made.push_str(
        "| none | ask: doubt is never failure |\n| any other | held: a person reads it |\n",
    );
    hold_page("evidence", &made);
}
