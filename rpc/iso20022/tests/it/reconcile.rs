//! A day against its statements: each kind of break once and no eleventh, the same ids on every
//! day.

use std::collections::BTreeSet;

use chain_types::Amount;
use jiff::civil::{Date, date};
use rpc_iso20022::*;

use crate::support::*;

fn expected(merchant: u64, chain: ChainWord) -> ExpectedPayment {
    ExpectedPayment {
        obligation: obligation(12, merchant, "CNY", 1),
        resends: 0,
        amount: Amount::new(10_000),
        merchant_account: MERCHANT.into(),
        chain,
        matched: Vec::new(),
    }
}

fn day_of(
    day: Date,
    payments: Vec<ExpectedPayment>,
    carried: CarriedForward,
    files: &[String],
) -> Reconciliation {
    let mut work = Reconciler::new(day, [GATEWAY.into()], payments, carried, BTreeSet::new());
    for xml in files {
        for word in read(xml).words {
            match word {
                BankWord::Entry(entry) => work.entry(entry),
                BankWord::Statement(statement) => work.statement(&statement),
                other => panic!("{other:?}"),
            }
        }
    }
    work.finish()
}

fn kinds(result: &Reconciliation) -> Vec<&'static str> {
    result.breaks.iter().map(|each| each.kind.name()).collect()
}

fn paid(merchant: u64, amount: &str, reference: &str, rest: &str) -> String {
    entry(amount, "DBIT", reference, &detail(&format!("12-{merchant}-CNY-1"), amount, rest))
}

fn first() -> Date {
    date(2026, 11, 30)
}

#[test]
fn one_of_each_kind_is_ten_breaks_and_no_eleventh() {
    let states = [ChainWord::Arrived; 9].into_iter().enumerate();
    let mut payments: Vec<_> =
        states.map(|(place, chain)| expected(1_001 + place as u64, chain)).collect();
    payments[3].chain = ChainWord::Failed;
    let charges = "<Chrgs><Rcrd><Amt Ccy=\"CNY\">5.00</Amt></Rcrd></Chrgs>";
    let reason = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>";
    let entries = [
        paid(1_001, "100.00", "good", ""),
        entry("7.00", "CRDT", "unmatched-credit", ""),
        entry("8.00", "DBIT", "unmatched-debit", ""),
        // 1003 is missing at the bank.
        paid(1_004, "100.00", "missing-on-chain", ""),
        paid(1_005, "99.00", "amount", ""),
        paid(1_006, "100.00", "currency", "").replace("CNY\">100", "USD\">100"),
        paid(1_007, "100.00", "once", ""),
        paid(1_007, "100.00", "twice", ""),
        paid(1_008, "100.00", "back", ""),
        entry("100.00", "CRDT", "returned", &detail("12-1008-CNY-1", "100.00", reason)),
        paid(1_009, "105.00", "charge", charges),
    ]
    .concat();
    let wrong = entry("100.00", "CRDT", "wrong", &detail("12-1002-CNY-1", "100.00", ""));
    let more = paid(1_002, "100.00", "good too", "");
    let entries = entries + &more + &wrong;
    let files = [camt053(GATEWAY, 1, "1000.00", "300.00", &entries)];
    let result = day_of(first(), payments.clone(), CarriedForward::default(), &files);
    assert_eq!(
        kinds(&result),
        [
            "unmatched-credit",
            "unmatched-debit",
            "missing-at-bank",
            "missing-on-chain",
            "amount",
            "currency",
            "twice",
            "returned",
            "charge",
            "wrong-account",
        ],
        "{}",
        result.report.csv()
    );
    for payment in &mut payments {
        let own = result.matched.iter().filter(|(each, ..)| *each == payment.obligation);
        payment.matched = own.map(|(_, side, id)| (*side, id.clone())).collect();
    }
    let again = day_of(date(2026, 12, 3), payments, result.carried.clone(), &[]);
    let ids = |result: &Reconciliation| -> Vec<Box<str>> {
        result.breaks.iter().map(|each| each.id.clone()).collect()
    };
    assert_eq!(ids(&again), ids(&result), "ids stay");
    let ages: BTreeSet<i64> = again.report.breaks.iter().map(|each| each.age_days).collect();
    assert_eq!(ages, BTreeSet::from([3]));
    assert_eq!(again.report.csv().lines().count(), 11);
}

#[test]
fn a_batch_entry_and_its_details_are_one_money_at_noon_and_in_the_evening() {
    let payments = || {
        let mut one = expected(1_001, ChainWord::Arrived);
        one.amount = Amount::new(3_000);
        let mut two = expected(1_002, ChainWord::Arrived);
        two.amount = Amount::new(7_000);
        vec![one, two]
    };
    let details = detail("12-1001-CNY-1", "30.00", "") + &detail("12-1002-CNY-1", "70.00", "");
    let evening = camt053(GATEWAY, 1, "100.00", "0.00", &entry("100.00", "DBIT", "A", &details));
    let noon = camt053(GATEWAY, 1, "100.00", "0.00", &entry("100.00", "DBIT", "A", ""))
        .replace("camt.053", "camt.052")
        .replace("BkToCstmrStmt", "BkToCstmrAcctRpt")
        .replace("Stmt>", "Rpt>");
    for files in [
        vec![evening.clone()],
        vec![noon.clone(), evening.clone()],
        vec![evening.clone(), noon.clone()],
        vec![noon.clone(), noon.clone(), evening.clone()],
    ] {
        let result = day_of(first(), payments(), CarriedForward::default(), &files);
        assert_eq!(kinds(&result), [""; 0], "{}", result.report.csv());
        assert_eq!(result.matched.len(), 2);
        assert!(result.findings.is_empty(), "{:?}", result.findings);
    }
    // Two equal details keep two identities.
    let same = detail("12-1001-CNY-1", "30.00", "") + &detail("12-1001-CNY-1", "30.00", "");
    let files = [camt053(GATEWAY, 1, "60.00", "0.00", &entry("60.00", "DBIT", "A", &same))];
    let one = payments().remove(0);
    let result = day_of(first(), vec![one], CarriedForward::default(), &files);
    assert_eq!(kinds(&result), ["twice"]);
    // So do two equal entries of one statement.
    let twice = paid(1_003, "100.00", "A", "") + &paid(1_003, "100.00", "A", "");
    let files = [camt053(GATEWAY, 1, "200.00", "0.00", &twice)];
    let one = expected(1_003, ChainWord::Arrived);
    let result = day_of(first(), vec![one], CarriedForward::default(), &files);
    assert_eq!(kinds(&result), ["twice"]);
}

#[test]
fn balances_and_numbers_are_held_together() {
    let faults = |carried: CarriedForward, files: &[String]| {
        let result = day_of(first(), Vec::new(), carried, files);
        let names: Vec<_> = result.report.faults.iter().map(|fault| fault.fault).collect();
        (names.join(" "), result)
    };
    let none = CarriedForward::default;
    let (names, one) = faults(none(), &[camt053(GATEWAY, 1, "100.00", "100.00", "")]);
    assert_eq!(names, "");
    assert_eq!(faults(none(), &[camt053(GATEWAY, 1, "100.00", "100.01", "")]).0, "sum");
    let next = |number, opening, closing| [camt053(GATEWAY, number, opening, closing, "")];
    assert_eq!(faults(one.carried.clone(), &next(2, "100.00", "100.00")).0, "");
    assert_eq!(faults(one.carried.clone(), &next(2, "90.00", "90.00")).0, "opening");
    assert_eq!(faults(one.carried.clone(), &next(4, "100.00", "100.00")).0, "gap");
    let entries = entry("7.00", "CRDT", "A", "");
    let again = camt053(GATEWAY, 1, "100.00", "107.00", &entries);
    let (names, repeated) = faults(one.carried.clone(), &[again]);
    assert_eq!((names.as_str(), kinds(&repeated).len()), ("repeated", 0), "not counted again");
    let year = next(1, "100.00", "100.00").map(|xml| xml.replace("2026-11-30", "2027-01-02"));
    assert_eq!(faults(one.carried, &year).0, "");
    let twice = camt053(GATEWAY, 1, "0.00", "7.00", &entries);
    let (names, result) = faults(none(), &[twice.clone(), twice]);
    assert_eq!((names.as_str(), result.report.movements), ("", 1), "one file, twice on a day");
    let overdrawn = camt053(GATEWAY, 1, "-5.00", "2.00", &entries);
    assert_eq!(faults(none(), &[overdrawn]).0, "");
}

#[test]
fn a_break_goes_when_the_chain_or_the_bank_explains_it() {
    let late = vec![expected(1_001, ChainWord::Arrived)];
    let one = day_of(first(), late.clone(), CarriedForward::default(), &[]);
    assert_eq!(kinds(&one), ["missing-at-bank"]);
    let file = camt053(GATEWAY, 1, "100.00", "0.00", &paid(1_001, "100.00", "A", ""));
    let two = day_of(date(2026, 12, 1), late.clone(), one.carried, std::slice::from_ref(&file));
    assert_eq!(kinds(&two), [""; 0]);
    // The same money on a later day is the same; another one is the second.
    let mut known = late;
    known[0].matched = two.matched.iter().map(|(_, side, id)| (*side, id.clone())).collect();
    let other = camt053(GATEWAY, 2, "100.00", "0.00", &paid(1_001, "100.00", "B", ""));
    let three = day_of(date(2026, 12, 2), known.clone(), CarriedForward::default(), &[other]);
    assert_eq!(kinds(&three), ["twice"]);
    let same = day_of(date(2026, 12, 2), known, CarriedForward::default(), &[file]);
    assert_eq!(kinds(&same), [""; 0]);
}

#[test]
fn the_report_has_one_form_and_its_digest_is_that_of_its_bytes() {
    let entries = entry("7.00", "CRDT", "=cmd|' /C calc'!A0", "");
    let files = [camt053(GATEWAY, 1, "0.00", "7.00", &entries)];
    let result = day_of(first(), Vec::new(), CarriedForward::default(), &files);
    let again = day_of(first(), Vec::new(), CarriedForward::default(), &files);
    assert_eq!(result.report.json(), again.report.json());
    assert_eq!(result.digest(), chain_types::hash::sha256(&[result.report.json().as_bytes()]));
    assert!(result.report.csv().contains("\"'=cmd|' /C calc'!A0\""), "{}", result.report.csv());
    let value: serde_json::Value = serde_json::from_str(&result.report.json()).unwrap();
    assert_eq!(value["breaks"][0]["amount"], "7.00");
}
