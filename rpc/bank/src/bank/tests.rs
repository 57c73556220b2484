#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;

/// A message that pays 1.00 CNY to each payment named.
fn pain001(message: &str, ids: &[&str]) -> String {
    let payments: String = ids
        .iter()
        .map(|id| {
            format!(
                "<CdtTrfTxInf><PmtId><EndToEndId>{id}</EndToEndId><UETR>u-{id}</UETR></PmtId>\
                 <Amt><InstdAmt Ccy=\"CNY\">1.00</InstdAmt></Amt><CdtrAcct><Id><Othr><Id>6222{id}\
                 </Id></Othr></Id></CdtrAcct></CdtTrfTxInf>"
            )
        })
        .collect();
    format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\"><CstmrCdtTrfInitn>\
         <GrpHdr><MsgId>{message}</MsgId><NbOfTxs>{count}</NbOfTxs><CtrlSum>{count}.00</CtrlSum>\
         </GrpHdr><PmtInf><DbtrAcct><Id><Othr><Id>1001</Id></Othr></Id></DbtrAcct>{payments}\
         </PmtInf></CstmrCdtTrfInitn></Document>",
        count = ids.len()
    )
}

fn question(name: &str, body: &str, ids: &[&str]) -> String {
    let transactions: String = ids
        .iter()
        .map(|id| format!("<TxInf><OrgnlEndToEndId>{id}</OrgnlEndToEndId></TxInf>"))
        .collect();
    let (open, close) = match body {
        "FIToFIPmtCxlReq" => ("<Undrlyg>", "</Undrlyg>"),
        _ => ("", ""),
    };
    format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:{name}\"><{body}>{open}{transactions}\
         {close}</{body}></Document>"
    )
}

fn asks(ids: &[&str]) -> String {
    question("pacs.028.001.03", "FIToFIPmtStsReq", ids)
}

fn recalls(ids: &[&str]) -> String {
    question("camt.056.001.08", "FIToFIPmtCxlReq", ids)
}

/// Takes a message, and returns what the bank says about it.
fn take(bank: &mut SimulatedBank, xml: &str, now_ms: u64) -> Vec<String> {
    let decision = bank.receive("a.xml", xml, now_ms);
    let said = decision.answers.iter().map(|answer| answer.xml.clone()).collect();
    bank.apply(&BankAct::Decided(Box::new(decision)));
    said
}

/// Lets all money come back, and returns what the bank says about it.
fn come_back(bank: &mut SimulatedBank) -> Vec<String> {
    let mut said = Vec::new();
    while let Some(decision) = bank.next_return(u64::MAX) {
        said.extend(decision.answers.iter().map(|answer| answer.xml.clone()));
        bank.apply(&BankAct::Decided(Box::new(decision)));
    }
    said
}

fn bank(fate: PaymentFate) -> SimulatedBank {
    let mut bank = SimulatedBank::new(1, BankHabits::NONE);
    bank.set_fate("7", fate);
    bank
}

/// How often money went out and came back.
fn moved(bank: &SimulatedBank) -> (usize, usize) {
    let all = &bank.ledger().moved;
    let back = all.iter().filter(|moved| moved.is_back).count();
    (all.len() - back, back)
}

#[test]
fn each_fate_has_its_money_and_its_words() {
    use PaymentFate::*;
    // The fate, how often money goes out and back, words at first, and words when it is asked.
    type Row = (PaymentFate, (usize, usize), &'static [&'static str], &'static [&'static str]);
    let rows: [Row; 10] = [
        (Credited, (1, 0), &[">ACCC<", ">FT"], &[">ACCC<", ">FT"]),
        (CreditedByEntry, (1, 0), &[">ACSC<", "camt.054", ">CRDT<"], &[">ACCC<", ">FT"]),
        (Rejected, (0, 0), &[">PART<", ">RJCT<", ">AC04<"], &[">RJCT<", ">AC04<"]),
        (Unfunded, (0, 0), &[">PART<", ">RJCT<", ">AM04<"], &[">RJCT<", ">AM04<"]),
        (Returned, (1, 1), &[">ACSC<"], &[">ACSC<"]),
        (Bounced, (1, 1), &[">ACCC<"], &[">ACCC<"]),
        (WrongAmount, (1, 0), &[">ACSC<", "camt.054", ">11.00<"], &[">ACSC<"]),
        (Silent, (1, 0), &[], &[]),
        (Waiting, (0, 0), &[">PDNG<"], &[">PDNG<"]),
        (Contradicted, (1, 0), &[">ACCC<", ">RJCT<"], &[">ACCC<"]),
    ];
    assert_eq!(rows.map(|row| row.0), PaymentFate::ALL);
    for (fate, expected, first, asked) in rows {
        let mut bank = bank(fate);
        let said = take(&mut bank, &pain001("M1", &["7"]), 0).concat();
        assert!(first.iter().all(|word| said.contains(word)), "{fate:?}: {said}");
        let said = take(&mut bank, &asks(&["7"]), 0).concat();
        assert!(asked.iter().all(|word| said.contains(word)), "{fate:?}: {said}");
        assert_eq!(said.is_empty(), asked.is_empty(), "{fate:?}: {said}");
        let said = come_back(&mut bank).concat();
        assert_eq!(said.contains("pacs.004"), fate.has_return(), "{fate:?}: {said}");
        assert_eq!(moved(&bank), expected, "{fate:?}");
    }
}

#[test]
fn a_message_is_paid_once_and_a_payment_as_often_as_messages_order_it() {
    let mut bank = bank(PaymentFate::Credited);
    take(&mut bank, &pain001("M1", &["7"]), 0);
    let said = take(&mut bank, &pain001("M1", &["7"]), 0).concat();
    assert!(said.contains(">DUPL<") && !said.contains("TxInfAndSts"), "{said}");
    assert_eq!((moved(&bank), bank.ledger().duplicates), ((1, 0), 1));
    // The bank trusts its gateway: an oracle that refused this would hide what it looks for.
    take(&mut bank, &pain001("M2", &["7"]), 0);
    assert_eq!(moved(&bank), (2, 0));
}

#[test]
fn what_waits_is_cancelled_and_the_rest_stands() {
    for (fate, word, later) in
        [(PaymentFate::Waiting, ">CNCL<", ""), (PaymentFate::Credited, ">RJCR<", ">ACCC<")]
    {
        let mut bank = bank(fate);
        take(&mut bank, &pain001("M1", &["7"]), 0);
        let said = take(&mut bank, &recalls(&["7", "unknown"]), 0).concat();
        assert!(said.contains(word), "{said}");
        let said = take(&mut bank, &asks(&["7"]), 0).concat();
        assert!(said.contains(later), "{said}");
        assert_eq!(said.is_empty(), later.is_empty());
    }
}

#[test]
fn what_cannot_be_read_is_counted_and_moves_nothing() {
    let mut bank = bank(PaymentFate::Credited);
    let cut = pain001("M1", &["7"]).replace("</Document>", "");
    assert!(take(&mut bank, &cut, 0).is_empty());
    let wrong = pain001("M1", &["7"]).replace("1.00</CtrlSum>", "2.00</CtrlSum>");
    assert!(take(&mut bank, &wrong, 0).concat().contains(">AM10<"));
    assert_eq!((moved(&bank), bank.ledger().unreadable, bank.ledger().refused), ((0, 0), 1, 1));
}

/// A crash before the line is on disk undoes an act: it is drawn again in the same way. What is on
/// disk is enough to know all.
#[test]
fn an_act_is_drawn_again_in_the_same_way_and_the_books_are_a_fold() {
    let mut bank = SimulatedBank::new(7, BankHabits::ALL);
    let mut acts = vec![BankAct::Opened { seed: 7 }];
    for message in 0..50_u64 {
        let ids: Vec<String> = (0..8).map(|place| format!("{message}-{place}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let xml = pain001(&format!("M{}", message / 2), &ids);
        let decision = bank.receive("a.xml", &xml, message * 100);
        assert_eq!(decision, bank.receive("a.xml", &xml, message * 100));
        acts.push(BankAct::Decided(Box::new(decision)));
        bank.apply(&acts[acts.len() - 1]);
        let numbers = bank.due_answers(message * 100).iter().map(|each| each.number).collect();
        acts.push(BankAct::Delivered { numbers });
        bank.apply(&acts[acts.len() - 1]);
    }
    let mut again = BankLedger::default();
    for act in &acts {
        let line = serde_json::to_string(act).unwrap();
        assert!(!line.contains('\n'));
        again.apply(&serde_json::from_str(&line).unwrap());
    }
    assert_eq!(again, *bank.ledger());
    assert_eq!(bank.ledger().duplicates, 25);
}

/// Each fault really happens, and a bank without faults has none of them.
#[test]
fn each_habit_is_seen() {
    let only = |text: &str| BankHabits::parse(text).unwrap();
    let ids = ["1", "2", "3", "4"];
    let says = |habits: BankHabits| {
        let mut bank = SimulatedBank::new(3, habits);
        bank.set_fate("1", PaymentFate::Rejected);
        let decision = bank.receive("a.xml", &pain001("M1", &ids), 1_000_000);
        (decision.answers.clone(), decision)
    };
    let (plain, _) = says(BankHabits::NONE);
    assert_eq!(plain.len(), 1);
    assert_eq!(plain[0].xml.matches("<TxInfAndSts>").count(), 4);
    assert!(says(only("lost=1000")).0.is_empty());
    let (twice, _) = says(only("twice=1000"));
    assert_eq!((twice.len(), &twice[0].xml), (2, &twice[1].xml));
    let (torn, _) = says(only("torn=1000"));
    assert!(torn.len() == 2 && torn[1].xml.starts_with(&torn[0].xml));
    assert_eq!(says(only("split=1000")).0.len(), 4);
    let (part, _) = says(only("part=1000"));
    let counts: Vec<usize> =
        part.iter().map(|each| each.xml.matches("<TxInfAndSts>").count()).collect();
    assert!(counts == [1, 3] && part[0].xml.contains(">PART<"), "{counts:?}");
    let (merged, _) = says(only("split=1000,merged=1000"));
    assert_eq!((merged.len(), merged[0].xml.matches("<Document ").count()), (1, 4));
    let (refused, decision) = says(only("refused-file=1000"));
    assert!(refused[0].xml.contains(">FF01<") && decision.moved.is_empty());
    let (called, decision) = says(only("called-duplicate=1000"));
    assert!(called[1].xml.contains(">DUPL<") && decision.moved.len() == 3);
    let (reported, _) = says(only("reported=1000"));
    assert_eq!(reported[1].xml.matches("<Ntry>").count(), 3);
    let (late, _) = says(only("split=1000,delay-ms=5000"));
    assert!(late.iter().any(|each| each.due_ms > 1_000_000));
    assert!(late.is_sorted_by_key(|each| each.number));
    assert!(!late.is_sorted_by_key(|each| each.due_ms), "files overtake one another");
    let (behind, _) = says(only("behind-s=1000"));
    assert!(behind[0].xml.contains(">1970-01-01T00:00:00<"), "{}", behind[0].xml);
}

/// The statements of two days add up, and nothing is stated twice.
#[test]
fn statements_add_up() {
    let mut bank = SimulatedBank::new(1, BankHabits::NONE);
    bank.set_fate("2", PaymentFate::Bounced);
    let close = |bank: &mut SimulatedBank| {
        let decision = bank.close(86_400_000);
        let xml = decision.answers[0].xml.clone();
        bank.apply(&BankAct::Decided(Box::new(decision)));
        xml
    };
    take(&mut bank, &pain001("M1", &["1", "2"]), 0);
    let first = close(&mut bank);
    assert_eq!(first.matches("<Ntry>").count(), 2);
    assert!(first.contains(">1000000000.00<") && first.contains(">999999998.00<"), "{first}");
    come_back(&mut bank);
    let second = close(&mut bank);
    assert_eq!((second.matches("<Ntry>").count(), second.matches(">RRTN<").count()), (1, 1));
    assert!(second.contains(">999999998.00<") && second.contains(">999999999.00<"), "{second}");
    assert!(second.contains("<ElctrncSeqNb>2<"));
    let third = close(&mut bank);
    assert_eq!(third.matches("<Ntry>").count(), 0);
}
