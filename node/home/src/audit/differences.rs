//! What a node keeps of its blocks, held against what the auditor worked out of them: accounts,
//! windows' reports, instructions.

use std::collections::{BTreeMap, BTreeSet};

use chain_state::{InstructionRecord, InstructionStatus as Kept, State, WindowRecord};
use chain_store::{ChainStore as _, InstructionFilter, Store, StoreFault};
use chain_types::{Currency, InstructionId};
use node_auditor::{Auditor, Counters, Gross, Instruction, InstructionStatus, WindowReport};

/// Differences of a kind that are told; there may be as many as accounts.
const DIFFERENCES_MAX: usize = 10;
/// Records that are read at once.
const PAGE: usize = 1_000;

type Balances = BTreeMap<(u8, u64, u16), Counters>;

/// Accounts whose four counters or cap are not those of the rules; of these the first ten.
pub fn account_differences(auditor: &Auditor, state: &State) -> Vec<String> {
    let audited = auditor.balances();
    let node: Balances = state
        .accounts(None)
        .map(|(key, account)| {
            let counters = Counters {
                debits_pending: account.debits_pending,
                debits_posted: account.debits_posted,
                credits_pending: account.credits_pending,
                credits_posted: account.credits_posted,
                net_debit_cap: account.net_debit_cap,
                settled: account.settled,
            };
            ((key.kind.number(), key.owner, key.currency.0), counters)
        })
        .collect();
    let names: BTreeSet<_> = audited.keys().chain(node.keys()).collect();
    let of = |books: &Balances, name| books.get(name).copied().unwrap_or_default();
    names
        .into_iter()
        .filter(|name| of(&audited, name) != of(&node, name))
        .take(DIFFERENCES_MAX)
        .map(|name| {
            let (kind, owner, currency) = *name;
            let (rules, books) = (of(&audited, name), of(&node, name));
            let currency = Currency(currency);
            format!("account {kind}:{owner}:{currency}: {rules:?} by the rules, {books:?} here")
        })
        .collect()
}

/// Closed windows whose report is not that of the rules; of these the first ten.
///
/// # Errors
/// When the store cannot be read.
pub fn window_differences(auditor: &Auditor, store: &Store) -> Result<Vec<String>, StoreFault> {
    let mut audited = auditor.windows();
    let mut differences = Vec::new();
    let mut before = None;
    loop {
        let page = store.windows(before, PAGE)?;
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        for record in page.iter().filter(|record| record.closed.is_some()) {
            let rules = audited.remove(&record.id);
            if !rules.is_some_and(|report| is_same_window(report, record)) {
                let rules = rules.map_or("not closed".to_owned(), |report| format!("{report:?}"));
                let id = record.id;
                differences.push(format!("window {id}: {rules} by the rules, {record:?} here"));
            }
        }
    }
    differences.extend(audited.keys().map(|id| format!("window {id}: closed, and not kept here")));
    differences.truncate(DIFFERENCES_MAX);
    Ok(differences)
}

fn is_same_window(report: &WindowReport, record: &WindowRecord) -> bool {
    let kept: BTreeMap<_, _> = (record.positions.iter())
        .map(|position| {
            let party = position.party;
            let (debits, credits) = (position.gross_debits, position.gross_credits);
            ((party.kind.number(), party.owner, party.currency.0), Gross { debits, credits })
        })
        .collect();
    kept == report.parties
        && record.opened.0 == report.opened_ms
        && record.closed.is_some_and(|closed| closed.0 == report.closed_ms)
}

/// Instructions that are not as the rules have them; of these the first ten.
///
/// # Errors
/// When the store cannot be read.
pub fn instruction_differences(
    auditor: &Auditor,
    store: &Store,
) -> Result<Vec<String>, StoreFault> {
    let mut audited = auditor.instructions();
    let mut differences = Vec::new();
    let mut after: Option<InstructionId> = None;
    loop {
        let page = store.instructions(InstructionFilter::All, after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for record in &page {
            let id = record.id;
            match audited.remove(&id) {
                None => differences.push(format!("instruction {id}: not by the rules")),
                Some(rules) if !is_same_instruction(rules, record) => {
                    differences
                        .push(format!("instruction {id}: {rules:?} by the rules, {record:?} here"));
                }
                Some(_) => {}
            }
        }
    }
    differences.extend(audited.keys().map(|id| format!("instruction {id}: not kept here")));
    differences.truncate(DIFFERENCES_MAX);
    Ok(differences)
}

fn is_same_instruction(rules: &Instruction, record: &InstructionRecord) -> bool {
    let is_same_status = match (rules.status, record.status) {
        (InstructionStatus::Instructed, Kept::Instructed) => true,
        (InstructionStatus::Arrived { time_ms }, Kept::Arrived { time, .. })
        | (InstructionStatus::Returned { time_ms }, Kept::Returned { time, .. }) => {
            time_ms == time.0
        }
        (InstructionStatus::Failed { height, time_ms }, Kept::Failed { time, location, .. }) => {
            (height, time_ms) == (location.height.0, time.0)
        }
        _ => false,
    };
    is_same_status
        && rules.gateway == record.gateway
        && rules.amount == record.amount.0
        && rules.left == record.left().0
        && rules.due_ms == record.deadline.0
        && rules.attempt == u32::from(record.attempt)
        && rules.orders == record.order_count
}
