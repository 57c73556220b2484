//! A day's statements against what the gateway knows of the chain: the report of a day, and what
//! one day hands to the next, as files of `days/`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use chain_types::{Amount, Currency};
use jiff::civil::Date;
use rpc_iso20022::{
    BankBreak, BankWord, BreakKind, CarriedForward, ChainWord, Dialect, EndToEndId,
    ExpectedPayment, LastStatement, MoneyDirection, ReadItem, Reconciler, Reconciliation,
    read_each,
};
use serde::{Deserialize, Serialize};

use crate::books::{AttemptState, GatewayBooks};
use crate::fault::GatewayFault;
use crate::folder::BankFolder;
use crate::home::GatewayHome;
use crate::journal::{sync_folder, write_synced};
use crate::profile::BankProfile;
use crate::replay::read_books;

/// Days for which a payment that is done is held against statements.
const DAYS_MAX: i64 = 30;

/// The state that one day hands to the next, as a file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CarriedFile {
    breaks: Vec<CarriedBreak>,
    statements: Vec<CarriedStatement>,
    /// Debits and credits of payments that were matched: end-to-end id, direction, id of the money.
    matched: Vec<(String, String, String)>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CarriedBreak {
    id: String,
    kind: String,
    account: String,
    end_to_end_id: Option<String>,
    amount: u64,
    currency: String,
    expected: Option<u64>,
    reference: String,
    since: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CarriedStatement {
    account: String,
    number: u64,
    day: Option<String>,
    /// Minor units, in text, for they may pass 2^53.
    closing: String,
}

/// The files of a reconciled day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReconciledDay {
    /// The result of the day, with its breaks.
    pub reconciliation: Reconciliation,
    /// The report as JSON; its SHA-256 is the reference of the settlement.
    pub report: PathBuf,
}

/// Reads a day such as `2026-11-30`.
///
/// # Errors
/// When the text is no day.
pub fn parse_day(text: &str) -> Result<Date, GatewayFault> {
    text.parse().map_err(|_| GatewayFault::Day(text.to_owned()))
}

/// Reconciles a day, writes its report, and carries what is open forward. A day is reconciled once,
/// and not before an earlier one.
///
/// # Errors
/// When the day was reconciled before, a later one was, or a file cannot be used.
pub fn reconcile_day(
    home: &GatewayHome,
    profile: &BankProfile,
    day: Date,
    explained: BTreeSet<Box<str>>,
) -> Result<ReconciledDay, GatewayFault> {
    let folder = home.days();
    std::fs::create_dir_all(&folder).map_err(GatewayFault::io("made", &folder))?;
    let earlier = last_day(&folder)?;
    if let Some(last) = earlier.filter(|last| *last >= day) {
        return Err(GatewayFault::Exists(folder.join(format!("{last}.json"))));
    }
    let books = read_books(home, profile)?;
    let carried = earlier.map(|last| read_carried(&carried_path(&folder, last))).transpose()?;
    let mut carried = carried.unwrap_or_default();
    let forward = carried.forward(&books)?;
    let expected = expected(&books, day, &carried.matched);
    let accounts = profile.debtors.values().map(|party| party.account.text().into());
    let mut work = Reconciler::new(day, accounts, expected, forward, explained);
    for hash in books.files() {
        let path = BankFolder::new(&home.bank()).taken(hash);
        if path.exists() {
            feed(&mut work, &path, &profile.dialect, day)?;
        }
    }
    let reconciliation = work.finish();
    carried.take_over(&reconciliation);
    let report = folder.join(format!("{day}.json"));
    let csv = folder.join(format!("{day}.csv"));
    write_synced(&csv, reconciliation.report.csv().as_bytes())?;
    // Without what is carried forward there is no next day, so it is on disk before the report.
    let text = serde_json::to_vec_pretty(&carried).unwrap_or_default();
    write_synced(&carried_path(&folder, day), &text)?;
    write_synced(&report, reconciliation.report.json().as_bytes())?;
    sync_folder(&folder)?;
    Ok(ReconciledDay { reconciliation, report })
}

fn carried_path(folder: &Path, day: Date) -> PathBuf {
    folder.join(format!("{day}.carried.json"))
}

/// Returns the last day that has a report.
fn last_day(folder: &Path) -> Result<Option<Date>, GatewayFault> {
    let mut last = None;
    for entry in std::fs::read_dir(folder).map_err(GatewayFault::io("read", folder))? {
        let name = entry.map_err(GatewayFault::io("read", folder))?.file_name();
        let day = name.to_str().and_then(|name| name.strip_suffix(".json"));
        last = last.max(day.and_then(|day| day.parse::<Date>().ok()));
    }
    Ok(last)
}

fn read_carried(path: &Path) -> Result<CarriedFile, GatewayFault> {
    let bytes = std::fs::read(path).map_err(GatewayFault::io("read", path))?;
    serde_json::from_slice(&bytes).map_err(|_| GatewayFault::Evidence(path.to_owned()))
}

/// Returns the payments that statements of a day are held against: those that the bank was to make
/// on this day or before.
fn expected(
    books: &GatewayBooks,
    day: Date,
    matched: &[(String, String, String)],
) -> Vec<ExpectedPayment> {
    let mut known: BTreeMap<&str, Vec<(MoneyDirection, Box<str>)>> = BTreeMap::new();
    for (id, direction, money) in matched {
        let direction = match direction.as_str() {
            "CRDT" => MoneyDirection::Credit,
            _ => MoneyDirection::Debit,
        };
        known.entry(id).or_default().push((direction, money.as_str().into()));
    }
    let mut expected = Vec::new();
    for (id, attempt) in books.attempts() {
        let Some(sending) = &attempt.sending else { continue };
        let message = books.message(&sending.message);
        let execution = message.and_then(|message| message.execution.parse::<Date>().ok());
        let Some(execution) = execution.filter(|execution| *execution <= day) else { continue };
        let age_days = day.duration_since(execution).as_hours() / 24;
        if attempt.state == AttemptState::Arrived && age_days > DAYS_MAX {
            continue;
        }
        expected.push(ExpectedPayment {
            obligation: id.of_chain(books.chain),
            resends: 0,
            amount: attempt.amount,
            merchant_account: sending.merchant_account.clone(),
            chain: match attempt.state {
                AttemptState::Outstanding => ChainWord::Outstanding,
                AttemptState::Arrived => ChainWord::Arrived,
                AttemptState::Failed { .. } | AttemptState::Past => ChainWord::Failed,
            },
            matched: known.remove(id.to_string().as_str()).unwrap_or_default(),
        });
    }
    expected
}

/// Feeds the statements of a day that a file has. It is read twice, so that only one entry is in
/// memory at a time: a statement names its day behind its entries.
fn feed(
    work: &mut Reconciler,
    path: &Path,
    dialect: &Dialect,
    day: Date,
) -> Result<(), GatewayFault> {
    let mut of_day = BTreeSet::new();
    let read = |sink: &mut dyn FnMut(ReadItem)| {
        let file = File::open(path).map_err(GatewayFault::io("opened", path))?;
        let read = read_each(BufReader::new(file), dialect, sink);
        read.map_err(|_| GatewayFault::Evidence(path.to_owned()))
    };
    read(&mut |item| {
        if let ReadItem::Word(BankWord::Statement(statement)) = item
            && statement.day == Some(day)
        {
            of_day.insert(statement.statement);
        }
    })?;
    if of_day.is_empty() {
        return Ok(());
    }
    read(&mut |item| match item {
        ReadItem::Word(BankWord::Entry(entry)) if of_day.contains(&entry.statement) => {
            work.entry(entry);
        }
        ReadItem::Word(BankWord::Statement(statement)) if of_day.contains(&statement.statement) => {
            work.statement(&statement);
        }
        _ => {}
    })
}

impl CarriedFile {
    /// Returns what the reconciliation takes of it.
    fn forward(&self, books: &GatewayBooks) -> Result<CarriedForward, GatewayFault> {
        let wrong = || GatewayFault::Evidence(PathBuf::from("days"));
        let breaks = self.breaks.iter().map(|each| each.read(books).ok_or_else(wrong));
        let statements = self.statements.iter().map(|each| {
            let day = each.day.as_ref().map(|day| day.parse()).transpose();
            let last = LastStatement {
                number: each.number,
                day: day.map_err(|_| wrong())?,
                closing: each.closing.parse().map_err(|_| wrong())?,
            };
            Ok((each.account.as_str().into(), last))
        });
        Ok(CarriedForward {
            breaks: breaks.collect::<Result<_, _>>()?,
            statements: statements.collect::<Result<_, GatewayFault>>()?,
        })
    }

    /// Takes over what a day leaves.
    fn take_over(&mut self, day: &Reconciliation) {
        self.breaks = day.carried.breaks.iter().map(CarriedBreak::of).collect();
        let statements = day.carried.statements.iter().map(|(account, last)| CarriedStatement {
            account: account.to_string(),
            number: last.number,
            day: last.day.map(|day| day.to_string()),
            closing: last.closing.to_string(),
        });
        self.statements = statements.collect();
        let matched = day.matched.iter().map(|(obligation, direction, money)| {
            let direction = match direction {
                MoneyDirection::Credit => "CRDT",
                MoneyDirection::Debit => "DBIT",
            };
            let id = obligation.end_to_end_id().to_string();
            (id, direction.to_owned(), money.to_string())
        });
        let all: BTreeSet<_> = self.matched.drain(..).chain(matched).collect();
        self.matched = all.into_iter().collect();
    }
}

impl CarriedBreak {
    fn of(each: &BankBreak) -> Self {
        let id = each.obligation.map(|obligation| obligation.end_to_end_id().to_string());
        Self {
            id: each.id.to_string(),
            kind: each.kind.name().to_owned(),
            account: each.account.to_string(),
            end_to_end_id: id,
            amount: each.amount.get(),
            currency: each.currency.code_or_number(),
            expected: each.expected.map(|amount| amount.get()),
            reference: each.reference.to_string(),
            since: each.since.to_string(),
        }
    }

    fn read(&self, books: &GatewayBooks) -> Option<BankBreak> {
        let id: Option<Option<EndToEndId>> =
            self.end_to_end_id.as_ref().map(|text| text.parse().ok());
        Some(BankBreak {
            id: self.id.as_str().into(),
            kind: BreakKind::ALL.into_iter().find(|kind| kind.name() == self.kind)?,
            account: self.account.as_str().into(),
            obligation: match id {
                Some(id) => Some(id?.of_chain(books.chain)),
                None => None,
            },
            amount: Amount::new(self.amount),
            currency: Currency::from_code_or_number(&self.currency)?,
            expected: self.expected.map(Amount::new),
            reference: self.reference.as_str().into(),
            since: self.since.parse().ok()?,
        })
    }
}
