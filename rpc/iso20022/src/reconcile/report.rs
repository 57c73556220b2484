//! The report of a day: one form in bytes, as JSON for programs and as CSV for people.

use chain_types::{Amount, Currency};
use jiff::civil::Date;
use serde::Serialize;

use super::breaks::{BankBreak, CarriedForward, StatementFinding, StatementFlaw};
use crate::amount::minor_text;

/// The report of a day. Its JSON has one form, so that its digest stands for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReconciliationReport {
    /// The form of the report.
    pub format: &'static str,
    /// The day, such as `2026-11-30`.
    pub day: String,
    /// Payments that the statements were held against.
    pub payments: u64,
    /// Debits and credits, each once.
    pub movements: u64,
    /// Entries that another message had told before.
    pub told_again: u64,
    /// Payments that left the gateway and are not known to have arrived.
    pub in_transit: u64,
    /// The last statement of each account: account, number, closing balance in minor units.
    pub statements: Vec<(String, String, String)>,
    /// Statements that cannot be right.
    pub faults: Vec<ReportedFault>,
    /// Breaks that are open.
    pub breaks: Vec<ReportedBreak>,
}

/// A statement that cannot be right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportedFault {
    /// The number of the account.
    pub account: String,
    /// The statement's number; empty if it has none.
    pub number: String,
    /// `sum`, `no-balance`, `opening`, `gap`, `repeated` or `no-number`.
    pub fault: &'static str,
    /// The expected and the found value, as a clause.
    pub text: String,
}

/// A break, as reports show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportedBreak {
    /// The name of the kind, such as `unmatched-credit`.
    pub kind: &'static str,
    /// The id of the break, which stays.
    pub id: String,
    /// The number of the account; empty if it stands on none.
    pub account: String,
    /// The payment's end-to-end id; empty if none is named.
    pub end_to_end_id: String,
    /// The amount in major units.
    pub amount: String,
    /// The currency's code by ISO 4217.
    pub currency: String,
    /// The chain's amount in major units; empty if there is none.
    pub expected: String,
    /// The bank's own reference; empty if there is none.
    pub reference: String,
    /// The day on which it was seen first, such as `2026-11-30`.
    pub since: String,
    /// The number of days since `since`.
    pub age_days: i64,
}

impl ReconciliationReport {
    pub(super) fn new(
        day: Date,
        counts: (u64, u64, u64, u64),
        carried: &CarriedForward,
        breaks: &[BankBreak],
        findings: &[StatementFinding],
    ) -> Self {
        let (payments, movements, told_again, in_transit) = counts;
        let statements = carried.statements.iter().map(|(account, last)| {
            (account.to_string(), last.number.to_string(), last.closing.to_string())
        });
        Self {
            format: "sluice-reconciliation-1",
            day: day.to_string(),
            payments,
            movements,
            told_again,
            in_transit,
            statements: statements.collect(),
            faults: findings.iter().map(fault).collect(),
            breaks: breaks.iter().map(|each| reported(each, day)).collect(),
        }
    }

    /// Returns the report as JSON, with a line's end behind it.
    pub fn json(&self) -> String {
        // Texts, numbers and lists of them have no value that JSON cannot carry.
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        text + "\n"
    }

    /// Returns the breaks as CSV (RFC 4180), a line a break.
    pub fn csv(&self) -> String {
        let mut text = "kind,id,account,end_to_end_id,amount,currency,expected,reference,since,\
                        age_days\r\n"
            .to_owned();
        for each in &self.breaks {
            let age = each.age_days.to_string();
            let fields = [
                each.kind,
                &each.id,
                &each.account,
                &each.end_to_end_id,
                &each.amount,
                &each.currency,
                &each.expected,
                &each.reference,
                &each.since,
                &age,
            ];
            text.push_str(&fields.map(csv_field).join(","));
            text.push_str("\r\n");
        }
        text
    }
}

/// A spreadsheet takes a text that begins with one of these for a formula: a bank could run one.
fn csv_field(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\r', '\n', '\'']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

fn fault(finding: &StatementFinding) -> ReportedFault {
    let (fault, text) = match &finding.flaw {
        StatementFlaw::Sum { computed, stated } => {
            ("sum", format!("opening and entries give {computed}, the closing balance is {stated}"))
        }
        StatementFlaw::NoBalance => ("no-balance", "no opening or no closing balance".to_owned()),
        StatementFlaw::Opening { expected, stated } => {
            ("opening", format!("opens with {stated}, the one before closed with {expected}"))
        }
        StatementFlaw::Gap { first, last } => {
            ("gap", format!("statements {first} to {last} are missing"))
        }
        StatementFlaw::Repeated => ("repeated", "was reconciled before".to_owned()),
        StatementFlaw::NoNumber => ("no-number", "gaps cannot be found".to_owned()),
    };
    let number = finding.number.map(|number| number.to_string()).unwrap_or_default();
    ReportedFault { account: finding.account.to_string(), number, fault, text }
}

fn reported(each: &BankBreak, day: Date) -> ReportedBreak {
    let text = |amount: Amount, currency: Currency| {
        minor_text(u128::from(amount.get()), currency).unwrap_or_else(|_| amount.to_string())
    };
    let own = each.obligation.map_or(each.currency, |each| each.instruction.currency);
    let id = each.obligation.map(|obligation| obligation.end_to_end_id().to_string());
    ReportedBreak {
        kind: each.kind.name(),
        id: each.id.to_string(),
        account: each.account.to_string(),
        end_to_end_id: id.unwrap_or_default(),
        amount: text(each.amount, each.currency),
        currency: each.currency.code_or_number(),
        expected: each.expected.map(|amount| text(amount, own)).unwrap_or_default(),
        reference: each.reference.to_string(),
        since: each.since.to_string(),
        age_days: days_between(each.since, day),
    }
}

/// Days from one date to another, and zero if the other is earlier.
fn days_between(since: Date, day: Date) -> i64 {
    let span = day.duration_since(since);
    (span.as_hours() / 24).max(0)
}
