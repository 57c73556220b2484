//! Statements and their entries, each money once: noon's camt.052 and evening's camt.053 tell of
//! the same entries, and a batch entry is one money with its details.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::hash::sha256;
use chain_types::{Amount, Currency};
use jiff::civil::Date;

use super::breaks::{LastStatement, StatementFinding, StatementFlaw, plain};
use crate::base32;
use crate::words::{
    AccountMessage, AccountStatement, BankEntry, EntryState, MoneyDirection, PaymentName,
};

/// Opens the hashed bytes of an entry's identity.
const ENTRY_TAG: [u8; 16] = *b"sluice:bkentry:1";
/// Bytes of a hash that an identity keeps: 16 characters of base32.
const ID_BYTES: usize = 10;

/// An identity: equal entries of one message have several.
type EntryKey = ([u8; 16], u32);
/// A page of a statement: account, number, page and the bank's id.
type CountedPage = (Box<str>, Option<u64>, Option<u64>, Box<str>);

/// One money that moved on an account.
#[derive(Debug)]
pub(super) struct BookedMoney {
    /// The same on every day and in every message that tells of it.
    pub(super) id: Box<str>,
    pub(super) account: Box<str>,
    pub(super) name: PaymentName,
    pub(super) direction: MoneyDirection,
    pub(super) amount: Amount,
    pub(super) currency: Currency,
    pub(super) charges: u128,
    pub(super) is_return: bool,
    pub(super) is_charge: bool,
    pub(super) reference: Box<str>,
}

/// An account's statement of one number, its pages together.
#[derive(Debug, Default)]
struct Numbered {
    opening: Option<i128>,
    closing: Option<i128>,
    sum: i128,
    day: Option<Date>,
}

#[derive(Debug, Default)]
pub(super) struct EntryBook {
    /// Entries whose statement has not come yet.
    waiting: Vec<BankEntry>,
    /// Each entry once, with its account.
    entries: BTreeMap<EntryKey, (Box<str>, BankEntry)>,
    statements: BTreeMap<(Box<str>, Option<u64>), Numbered>,
    /// Statements and pages that were counted: a file may come twice on one day.
    counted: BTreeSet<CountedPage>,
    findings: Vec<StatementFinding>,
    /// Entries that were told before, in another message.
    pub(super) repeated: u64,
}

impl EntryBook {
    pub(super) fn entry(&mut self, entry: BankEntry) {
        if entry.state == EntryState::Booked {
            self.waiting.push(entry);
        }
    }

    pub(super) fn statement(
        &mut self,
        statement: &AccountStatement,
        last: &BTreeMap<Box<str>, LastStatement>,
    ) {
        let entries = std::mem::take(&mut self.waiting);
        let account = plain(&statement.account);
        if statement.message == AccountMessage::Statement {
            let last = last.get(&account);
            if statement.number.is_some_and(|number| is_repeated(number, statement.day, last)) {
                let (number, flaw) = (statement.number, StatementFlaw::Repeated);
                self.findings.push(StatementFinding { account, number, flaw });
                return;
            }
            let (number, page) = (statement.number, statement.page);
            if self.counted.insert((account.clone(), number, page, statement.id.clone())) {
                self.count(&account, statement, &entries);
            }
        }
        let mut equal: BTreeMap<[u8; 16], u32> = BTreeMap::new();
        for entry in entries {
            let hash = identity(&account, &entry);
            let ordinal = equal.entry(hash).or_insert(0);
            let key = (hash, *ordinal);
            *ordinal += 1;
            self.keep(key, account.clone(), entry);
        }
    }

    /// Adds a statement's balances and entries to those of its number.
    fn count(&mut self, account: &str, statement: &AccountStatement, entries: &[BankEntry]) {
        let numbered = self.statements.entry((account.into(), statement.number)).or_default();
        let balance = |codes: &[&str]| {
            let found = codes
                .iter()
                .find_map(|code| statement.balances.iter().find(|balance| *balance.code == **code));
            found.map(|balance| balance.minor)
        };
        numbered.opening = numbered.opening.or(balance(&["OPBD", "PRCD"]));
        numbered.closing = numbered.closing.or(balance(&["CLBD"]));
        numbered.day = numbered.day.or(statement.day);
        for entry in entries {
            let minor = i128::from(entry.money.amount.get());
            numbered.sum += match entry.direction {
                MoneyDirection::Credit => minor,
                MoneyDirection::Debit => -minor,
            };
        }
    }

    /// Keeps the telling that says most of an entry.
    fn keep(&mut self, key: EntryKey, account: Box<str>, entry: BankEntry) {
        let weight =
            |entry: &BankEntry| (entry.details.len(), entry.message == AccountMessage::Statement);
        match self.entries.get_mut(&key) {
            Some((_, known)) => {
                self.repeated += 1;
                if weight(&entry) > weight(known) {
                    *known = entry;
                }
            }
            None => drop(self.entries.insert(key, (account, entry))),
        }
    }

    /// Returns what is wrong with the statements, and hands their last numbers to the next day.
    pub(super) fn check(
        &mut self,
        last: &mut BTreeMap<Box<str>, LastStatement>,
    ) -> Vec<StatementFinding> {
        let mut findings = std::mem::take(&mut self.findings);
        for ((account, number), numbered) in std::mem::take(&mut self.statements) {
            let mut find = |flaw| {
                let account = account.clone();
                findings.push(StatementFinding { account, number, flaw });
            };
            let (Some(opening), Some(stated)) = (numbered.opening, numbered.closing) else {
                find(StatementFlaw::NoBalance);
                continue;
            };
            let computed = opening + numbered.sum;
            if computed != stated {
                find(StatementFlaw::Sum { computed, stated });
            }
            let Some(number) = number else {
                find(StatementFlaw::NoNumber);
                continue;
            };
            if let Some(before) = last.get(&account) {
                if before.closing != opening {
                    find(StatementFlaw::Opening { expected: before.closing, stated: opening });
                }
                let first = if number < before.number { 1 } else { before.number + 1 };
                if number > first {
                    find(StatementFlaw::Gap { first, last: number - 1 });
                }
            }
            let day = numbered.day;
            last.insert(account, LastStatement { number, day, closing: stated });
        }
        findings.sort();
        findings
    }

    /// Returns each money once, in the order of identities.
    pub(super) fn monies(self) -> impl Iterator<Item = BookedMoney> {
        self.entries.into_iter().flat_map(|(key, (account, entry))| monies(key, &account, entry))
    }
}

/// A new year may begin with number 1 again.
fn is_repeated(number: u64, day: Option<Date>, last: Option<&LastStatement>) -> bool {
    let Some(last) = last else { return false };
    let years = day.zip(last.day).map(|(day, last)| day.year() > last.year());
    number <= last.number && !years.unwrap_or(false)
}

/// The identity of an entry: by the bank's reference, and if it has none by what is stated of it.
fn identity(account: &str, entry: &BankEntry) -> [u8; 16] {
    let mut text = format!(
        "{account}\n{:?}\n{}\n{}\n{}",
        entry.direction, entry.money.amount, entry.money.currency, entry.is_reversal
    );
    match &entry.reference {
        Some(reference) => text.push_str(&format!("\nreference {reference}")),
        None => {
            text.push_str(&format!("\nbooked {:?}", entry.booked));
            for detail in &entry.details {
                let ids = [&detail.reference, &detail.name.end_to_end, &detail.name.uetr];
                text.push_str(&format!("\n{ids:?}"));
            }
        }
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&sha256(&[&ENTRY_TAG, text.as_bytes()]).bytes()[..16]);
    bytes
}

fn monies(key: EntryKey, account: &str, entry: BankEntry) -> Vec<BookedMoney> {
    let (hash, ordinal) = key;
    let money = |place: usize, name: PaymentName, amount: u64| {
        let place = u64::try_from(place).unwrap_or(u64::MAX).to_be_bytes();
        let id = sha256(&[&ENTRY_TAG, &hash, &ordinal.to_be_bytes(), &place]);
        BookedMoney {
            id: base32::encode(&id.bytes()[..ID_BYTES]).into(),
            account: account.into(),
            name,
            direction: entry.direction,
            amount: Amount::new(amount),
            currency: entry.money.currency,
            charges: entry.charges,
            is_return: entry.is_return || entry.is_reversal,
            is_charge: entry.is_charge,
            reference: entry.reference.clone().unwrap_or_default(),
        }
    };
    let total = u128::from(entry.money.amount.get());
    let own = |detail: &crate::words::EntryDetail| {
        let own = detail.money.filter(|own| own.currency == entry.money.currency);
        own.map(|own| own.amount.get())
    };
    let amounts: Option<Vec<u64>> = entry.details.iter().map(own).collect();
    let sum = amounts.iter().flatten().map(|amount| u128::from(*amount)).sum::<u128>();
    let Some(amounts) = amounts.filter(|amounts| !amounts.is_empty() && sum <= total) else {
        return vec![money(0, PaymentName::default(), entry.money.amount.get())];
    };
    let mut found = Vec::with_capacity(amounts.len());
    for (place, (detail, amount)) in entry.details.iter().zip(amounts).enumerate() {
        let mut money = money(place, detail.name.clone(), amount);
        money.charges += detail.charges;
        money.is_return |= detail.returned.is_some();
        if let Some(reference) = &detail.reference {
            money.reference = reference.clone();
        }
        found.push(money);
    }
    // What no readable detail accounts for moved, too.
    if let Ok(rest @ 1..) = u64::try_from(total - sum) {
        found.push(money(entry.details.len(), PaymentName::default(), rest));
    }
    found
}
