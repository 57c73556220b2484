//! The judgement, from the bank's own journal of money that really moved.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::{InstructionId, InstructionState};
use rpc_api::InstructionReport;
use rpc_bank::{BankJournal, BankLedger, PaymentFate};
use rpc_iso20022::{BankReference, EndToEndId};
use serde_json::Value;

use crate::parties::{Parties, account};

/// The fates after which an instruction stays outstanding, with the reason for which the gateway
/// calls a person.
const HELD: [(PaymentFate, &str); 3] = [
    (PaymentFate::WrongAmount, "evidence: amount"),
    (PaymentFate::Contradicted, "evidence: both words"),
    (PaymentFate::Silent, "the bank is silent"),
];

fn ledger(parties: &Parties) -> BankLedger {
    BankJournal::read(&parties.home.join("bank/bank.journal")).unwrap()
}

/// Returns how far the bank has come, if nothing is under way between bank, gateway and chain.
pub fn quiet(parties: &Parties, instructions: &[InstructionReport]) -> Option<u64> {
    let (ledger, held) = (ledger(parties), held(parties));
    let is_open = |report: &InstructionReport| {
        let present = EndToEndId { instruction: report.instruction_id, attempt: report.attempt };
        report.status == InstructionState::Instructed && !held.contains_key(&present)
    };
    if instructions.iter().any(is_open) {
        return None;
    }
    let is_still = ledger.answers().count() + ledger.returns().count() == 0
        && ["out", "in", "taken/claimed"].iter().all(|part| parties.files(part) == 0);
    let status = parties.ask(&["gateway", "status"]);
    let attempts = status["attempts"].as_object().unwrap();
    let is_done = attempts.keys().all(|word| word == "done" || word == "held");
    (is_still && is_done).then_some(ledger.next)
}

/// Returns the attempts that wait at the bank until somebody recalls them.
pub fn waiting(parties: &Parties) -> BTreeSet<EndToEndId> {
    let ledger = ledger(parties);
    let waiting = ledger.payments().filter(|payment| payment.fate == PaymentFate::Waiting);
    let open = waiting.filter(|payment| !ledger.is_cancelled(&payment.id));
    open.map(|payment| payment.id.parse().unwrap()).collect()
}

/// Money of one attempt, as `sluice bank statement` has it.
#[derive(Debug, Default)]
struct AttemptMoney {
    paid: u64,
    back: u64,
    amount: String,
    to: String,
    reference: String,
}

fn money(parties: &Parties) -> BTreeMap<EndToEndId, AttemptMoney> {
    let mut found: BTreeMap<EndToEndId, AttemptMoney> = BTreeMap::new();
    for moved in parties.ask(&["bank", "statement"]).as_array().unwrap() {
        let text = |name: &str| moved[name].as_str().unwrap().to_owned();
        let of_attempt = found.entry(text("id").parse().unwrap()).or_default();
        if moved["is_back"].as_bool().unwrap() {
            of_attempt.back += 1;
        } else {
            of_attempt.paid += 1;
            of_attempt.amount = text("amount");
            of_attempt.to = text("to");
            of_attempt.reference = text("reference");
        }
    }
    found
}

/// The reasons for which attempts are held.
fn held(parties: &Parties) -> BTreeMap<EndToEndId, String> {
    let status = parties.ask(&["gateway", "status"]);
    let all = status["held"].as_array().unwrap().iter();
    let named = all.map(|each| {
        let id = each["end_to_end_id"].as_str().unwrap().parse().unwrap();
        (id, each["reason"].as_str().unwrap().to_owned())
    });
    named.collect()
}

/// Holds chain, gateway and statements against the bank's journal.
pub fn judge(parties: &Parties, instructions: &[InstructionReport]) {
    let (money, held, ledger) = (money(parties), held(parties), ledger(parties));
    for (id, moved) in &money {
        assert!(moved.paid == 1 && moved.back <= 1, "{id} moved as {moved:?}");
    }
    let (mut arrived, mut failed, mut explained) = (0, 0, BTreeMap::<&str, u64>::new());
    for report in instructions {
        let id = report.instruction_id;
        let present = EndToEndId { instruction: id, attempt: report.attempt };
        let left = left(&money, id);
        assert!(left <= 1, "{id} is paid {left} times");
        match report.status {
            InstructionState::Arrived => {
                arrived += 1;
                let moved = &money[&present];
                assert_eq!((left, moved.back), (1, 0), "{present} arrived: {moved:?}");
                matches_entry(report, moved);
            }
            InstructionState::Failed | InstructionState::Returned => {
                failed += 1;
                assert_eq!(left, 0, "{present} failed, and is paid");
            }
            InstructionState::Instructed => {
                let reason = held.get(&present).map(String::as_str);
                let fate = ledger.payment(&present.to_string()).map(|payment| payment.fate);
                let row = HELD.iter().find(|(known, _)| Some(*known) == fate);
                assert!(row.is_some(), "{present} is open: {reason:?}, {fate:?}");
                assert_eq!(reason, row.map(|(_, reason)| *reason), "{present}: {fate:?}");
                assert_eq!(left, 1, "{present} is held for {reason:?}");
                *explained.entry(row.unwrap().1).or_default() += 1;
            }
        }
    }
    assert_eq!(ledger.unreadable, 0, "the bank reads all that the gateway writes");
    println!(
        "{arrived} arrived, {failed} failed, held {explained:?}; the bank moved money {} times, \
         refused {} messages as duplicates and was asked {} times",
        ledger.moved.len(),
        ledger.duplicates,
        ledger.questions
    );
    assert!(arrived * 2 > instructions.len(), "{arrived} arrived");
    reconciled(parties, &ledger);
}

/// How often an instruction's money is out.
fn left(money: &BTreeMap<EndToEndId, AttemptMoney>, id: InstructionId) -> u64 {
    let own = money.iter().filter(|(attempt, _)| attempt.instruction == id);
    own.map(|(_, moved)| moved.paid - moved.back).sum()
}

/// An arrival is an entry of the bank: amount, account and reference.
fn matches_entry(report: &InstructionReport, moved: &AttemptMoney) {
    let id = report.instruction_id;
    let amount = &report.amount_left;
    let whole = match amount.exponent {
        0 => amount.minor.to_string(),
        _ => format!("{}.{:02}", amount.minor / 100, amount.minor % 100),
    };
    assert_eq!(moved.amount, whole, "{id}");
    assert_eq!(moved.to, account(report.merchant, &amount.currency), "{id}");
    let reference = hex::decode(report.reference.as_ref().unwrap()).unwrap();
    let reference = BankReference::from_bytes(reference.try_into().unwrap()).text();
    assert_eq!(reference.as_ref(), Some(&moved.reference), "{id}");
}

/// The day's statements against the chain: no break but those of payments that are held.
fn reconciled(parties: &Parties, ledger: &BankLedger) {
    let mut days: BTreeSet<String> = ledger.moved.iter().map(|moved| moved.day.clone()).collect();
    days.insert(statement_day(parties));
    let mut last = Value::Null;
    for day in &days {
        last = parties.ask(&["gateway", "reconcile", "--day", day]);
    }
    let report = &last["report"];
    assert_eq!(report["faults"].as_array().map(Vec::len), Some(0), "{report}");
    let held = |id: &str| {
        let fate = ledger.payment(id).map(|payment| payment.fate);
        HELD.iter().any(|(known, _)| Some(*known) == fate)
    };
    for each in report["breaks"].as_array().unwrap() {
        let id = each["end_to_end_id"].as_str().unwrap_or_default();
        assert!(held(id), "unexplained: {each}");
    }
    println!(
        "{} breaks, all of payments that are held",
        report["breaks"].as_array().unwrap().len()
    );
}

/// The day of the last statement, as the bank wrote it.
fn statement_day(parties: &Parties) -> String {
    let taken = std::fs::read_dir(parties.home.join("bank/taken")).unwrap();
    let texts = taken.filter_map(|entry| std::fs::read_to_string(entry.unwrap().path()).ok());
    let days = texts.filter_map(|text| {
        let (_, rest) = text.split_once("<ToDtTm>")?;
        rest.get(..10).map(str::to_owned)
    });
    days.max().expect("a statement was taken")
}
