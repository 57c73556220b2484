//! A node's index of its blocks, held against what the auditor worked out of them: accounts,
//! windows' reports, instructions, breaches and SLA figures.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use chain_state::{
    BreachRecord, BreachSubject, InstructionRecord, InstructionStatus as Kept, State, WindowRecord,
};
use chain_store::{ChainStore as _, InstructionFilter, Store, StoreFault};
use chain_types::{BreachStage as Missed, Currency, InstructionId};
use node_auditor::{
    Auditor, ClosedWindow, CorridorKey, Counters, GrossSums, Instruction, MissedDeadline,
    PaymentStatus, SlaFigures, Stage, Subject,
};

/// Differences of a kind that are told; there may be as many as accounts.
const DIFFERENCES_MAX: usize = 10;
/// Records that are read at once.
const PAGE: usize = 1_000;

type Balances = BTreeMap<(u8, u64, u16), Counters>;

/// The first differences of a kind, and how many more there are.
#[derive(Debug, Default)]
struct Differences {
    told: Vec<String>,
    more: usize,
}

impl Differences {
    fn push(&mut self, difference: impl FnOnce() -> String) {
        if self.told.len() < DIFFERENCES_MAX {
            self.told.push(difference());
        } else {
            self.more += 1;
        }
    }

    fn into_lines(mut self, kind: &str) -> Vec<String> {
        if self.more > 0 {
            self.told.push(format!("{kind}: {} more", self.more));
        }
        self.told
    }
}

/// Accounts whose four counters or cap are not those of the rules.
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
            ((key.kind.number(), key.owner, key.currency.get()), counters)
        })
        .collect();
    let names: BTreeSet<_> = audited.keys().chain(node.keys()).collect();
    let of = |books: &Balances, name| books.get(name).copied().unwrap_or_default();
    let mut differences = Differences::default();
    for name in names.into_iter().filter(|name| of(&audited, name) != of(&node, name)) {
        differences.push(|| {
            let (kind, owner, currency) = *name;
            let (rules, books) = (of(&audited, name), of(&node, name));
            let currency = Currency::new(currency);
            format!("account {kind}:{owner}:{currency}: {rules:?} by the rules, {books:?} here")
        });
    }
    differences.into_lines("accounts")
}

/// Closed windows whose report is not that of the rules.
///
/// # Errors
/// When the store cannot be read.
pub fn window_differences(auditor: &Auditor, store: &Store) -> Result<Vec<String>, StoreFault> {
    let mut audited = auditor.windows();
    let mut differences = Differences::default();
    let mut before = None;
    loop {
        let page = store.windows(before, PAGE)?;
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        for record in page.iter().filter(|record| record.closed.is_some()) {
            let rules = audited.remove(&record.id);
            if !rules.is_some_and(|report| is_same_window(report, record)) {
                differences.push(|| {
                    let rules =
                        rules.map_or("not closed".to_owned(), |report| format!("{report:?}"));
                    format!("window {}: {rules} by the rules, {record:?} here", record.id)
                });
            }
        }
    }
    for id in audited.keys() {
        differences.push(|| format!("window {id}: closed, and not kept here"));
    }
    Ok(differences.into_lines("windows"))
}

fn is_same_window(report: &ClosedWindow, record: &WindowRecord) -> bool {
    let kept: BTreeMap<_, _> = (record.positions.iter())
        .map(|position| {
            let party = position.party;
            let (debits, credits) = (position.gross_debits, position.gross_credits);
            (
                (party.kind.number(), party.owner, party.currency.get()),
                GrossSums { debits, credits },
            )
        })
        .collect();
    kept == report.parties
        && record.opened.get() == report.opened_ms
        && record.closed.is_some_and(|closed| closed.get() == report.closed_ms)
}

/// Instructions that are not as the rules have them.
///
/// # Errors
/// When the store cannot be read.
pub fn instruction_differences(
    auditor: &Auditor,
    store: &Store,
) -> Result<Vec<String>, StoreFault> {
    let mut audited = auditor.instructions();
    let mut differences = Differences::default();
    let mut after: Option<InstructionId> = None;
    loop {
        let page = store.instructions(InstructionFilter::All, after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for record in &page {
            let id = record.id;
            match audited.remove(&id) {
                None => differences.push(|| format!("instruction {id}: not by the rules")),
                Some(rules) if !is_same_instruction(rules, record) => differences
                    .push(|| format!("instruction {id}: {rules:?} by the rules, {record:?} here")),
                Some(_) => {}
            }
        }
    }
    for id in audited.keys() {
        differences.push(|| format!("instruction {id}: not kept here"));
    }
    Ok(differences.into_lines("instructions"))
}

fn is_same_instruction(rules: &Instruction, record: &InstructionRecord) -> bool {
    let is_same_status = match (rules.status, record.status) {
        (PaymentStatus::Instructed, Kept::Instructed) => true,
        (PaymentStatus::Arrived { time_ms }, Kept::Arrived { time, .. })
        | (PaymentStatus::Returned { time_ms }, Kept::Returned { time, .. }) => {
            time_ms == time.get()
        }
        (PaymentStatus::Failed { height, time_ms }, Kept::Failed { time, location, .. }) => {
            (height, time_ms) == (location.height.get(), time.get())
        }
        _ => false,
    };
    is_same_status
        && rules.gateway == record.gateway
        && rules.amount == record.amount.get()
        && rules.left == record.left().get()
        && rules.due_ms == record.deadline.get()
        && rules.attempt == u32::from(record.attempt)
        && rules.orders == record.order_count
        && rules.converted == record.cross_border_count
        && rules.earliest_accepted == record.earliest_accepted.get()
        && rules.given_ms == record.instructed.get()
        && rules.failures == u32::from(record.failures)
}

/// Breaches that the rules do not have, or that are not kept here; the earliest ones are told.
///
/// # Errors
/// When the store cannot be read.
pub fn breach_differences(auditor: &Auditor, store: &Store) -> Result<Vec<String>, StoreFault> {
    let mut audited = auditor.breaches().iter().peekable();
    let mut differences = Differences::default();
    let mut after = None;
    let missing =
        |breach: &MissedDeadline| format!("breach by the rules, not kept here: {breach:?}");
    loop {
        let page = store.breaches(after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = Some(last.cursor());
        // A page may end within a block: the rest of that block is read with it.
        let mut kept: BTreeSet<MissedDeadline> = page.iter().map(breach_of).collect();
        let end = last.height.get();
        while let Some(more) =
            store.breaches(after, 1)?.first().filter(|one| one.height.get() == end)
        {
            after = Some(more.cursor());
            kept.insert(breach_of(more));
        }
        while let Some(rules) = audited.next_if(|breach| breach.height <= end) {
            if !kept.remove(rules) {
                differences.push(|| missing(rules));
            }
        }
        for breach in &kept {
            differences.push(|| format!("breach kept here, not by the rules: {breach:?}"));
        }
    }
    audited.for_each(|breach| differences.push(|| missing(breach)));
    Ok(differences.into_lines("breaches"))
}

fn breach_of(record: &BreachRecord) -> MissedDeadline {
    MissedDeadline {
        height: record.height.get(),
        stage: match record.stage {
            Missed::Collected => Stage::Collected,
            Missed::Instructed => Stage::Instructed,
            Missed::Arrived => Stage::Arrived,
            Missed::Failed => Stage::Failed,
        },
        late: record.late.map(|late| late.get()),
        subject: match record.subject {
            BreachSubject::Order(id) => Subject::Order(id),
            BreachSubject::Instruction(id) => Subject::Instruction(id),
        },
        due_ms: record.deadline.get(),
        noticed_ms: record.noticed.get(),
    }
}

/// SLA figures of paying gateways' corridors, and counts of breaches by stage and party, that are
/// not those of the rules.
pub fn sla_differences(auditor: &Auditor, state: &State) -> Vec<String> {
    let tables = state.tables();
    let kept = tables.sla.iter().map(|((gateway, corridor), counters)| {
        let key = CorridorKey {
            gateway: gateway.get(),
            payout_currency: corridor.payout_currency.get(),
            is_cross_border: corridor.is_cross_border,
        };
        let figures = SlaFigures {
            instructions: counters.instruction_count,
            orders: counters.order_count,
            late: counters.late_count,
            buckets: counters.buckets,
        };
        (key, figures)
    });
    let mut lines = compare("SLA figures", auditor.sla_figures(), &kept.collect());
    let mut rules: BTreeMap<(u8, u32), u64> = BTreeMap::new();
    for breach in auditor.breaches() {
        let stage = match breach.stage {
            Stage::Collected => Missed::Collected,
            Stage::Instructed => Missed::Instructed,
            Stage::Arrived => Missed::Arrived,
            Stage::Failed => Missed::Failed,
        };
        *rules.entry((stage.number(), breach.late.unwrap_or_default())).or_default() += 1;
    }
    let kept = tables.breach_counts.iter();
    let kept = kept.map(|((stage, late), count)| ((stage.number(), late.get()), *count));
    lines.extend(compare("breaches by stage and party", &rules, &kept.collect()));
    lines
}

fn compare<K: Ord + Debug, V: PartialEq + Debug>(
    kind: &str,
    rules: &BTreeMap<K, V>,
    kept: &BTreeMap<K, V>,
) -> Vec<String> {
    let mut differences = Differences::default();
    for key in rules.keys().chain(kept.keys()).collect::<BTreeSet<_>>() {
        let (expected, found) = (rules.get(key), kept.get(key));
        if expected != found {
            differences
                .push(|| format!("{kind} {key:?}: {expected:?} by the rules, {found:?} here"));
        }
    }
    differences.into_lines(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_are_kept_and_the_rest_are_counted() {
        let rules: BTreeMap<u32, u32> = (0..37).map(|key| (key, 1)).collect();
        let mut kept = rules.clone();
        assert_eq!(compare("figures", &rules, &kept), Vec::<String>::new());
        kept.values_mut().for_each(|value| *value = 2);
        let lines = compare("figures", &rules, &kept);
        assert_eq!(lines.len(), DIFFERENCES_MAX + 1);
        assert_eq!(lines[0], "figures 0: Some(1) by the rules, Some(2) here");
        assert_eq!(lines[DIFFERENCES_MAX], "figures: 27 more");
    }
}
