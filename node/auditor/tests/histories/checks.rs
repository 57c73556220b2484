//! What the auditor and the chain must say alike, besides outcomes.

use std::collections::{BTreeMap, BTreeSet};

use chain_state::{
    BreachRecord, BreachSubject, InstructionRecord, State, UserDayKey, UserMonthKey,
};
use chain_types::{BreachStage as Missed, WindowId};
use contracts::users;
use node_auditor::{
    Auditor, CorridorKey, Counters, MissedDeadline, PaymentStatus, SlaFigures, Stage, Subject,
};

use crate::chain::{Chain, context};
use crate::network::BOUNDS;

/// Every account to the unit, and the trial balance.
pub fn compare_books(chain: &Chain, auditor: &Auditor) {
    let is_used = |counters: &Counters| *counters != Counters::default();
    let accounts = chain.state.accounts(None).map(|(key, account)| {
        let counters = Counters {
            debits_pending: account.debits_pending,
            debits_posted: account.debits_posted,
            credits_pending: account.credits_pending,
            credits_posted: account.credits_posted,
            net_debit_cap: account.net_debit_cap,
            settled: account.settled,
        };
        ((key.kind.number(), key.owner, key.currency.get()), counters)
    });
    let found: BTreeMap<_, _> = accounts.filter(|(_, counters)| is_used(counters)).collect();
    let mut expected = auditor.balances();
    expected.retain(|_, counters| is_used(counters));
    for (key, counters) in &expected {
        let height = chain.state.height();
        assert_eq!(found.get(key), Some(counters), "block {height}: account {key:?}");
    }
    assert_eq!(found.len(), expected.len(), "accounts");
    assert!(chain.state.trial_balance().iter().all(|sums| sums.is_balanced()));
}

/// Every line that stands.
pub fn compare_lines(chain: &Chain, auditor: &Auditor) {
    let tables = chain.state.tables();
    let found = tables.lines.iter().map(|(key, line)| {
        let name = (key.owner.get(), key.account.number(), key.currency.get(), key.holder.get());
        (name, (line.limit.get(), u128::from(line.outstanding.get())))
    });
    let found: BTreeMap<_, _> = found.collect();
    let expected = auditor.lines().iter();
    let expected = expected.map(|(name, line)| (*name, (line.limit, line.outstanding))).collect();
    assert_eq!(found, expected, "block {}: lines", chain.state.height());
    let held: Vec<_> = tables.lines.keys().map(|key| (key.holder, *key)).collect();
    assert!(tables.lines_of_holders.len() == held.len());
    assert!(held.iter().all(|key| tables.lines_of_holders.contains_key(key)));
    let counted: u32 = tables.line_counts.values().sum();
    assert_eq!(usize::try_from(counted).unwrap(), found.len(), "lines by owner");
    let mut paid = BTreeMap::new();
    for merchant in chain.state.merchants() {
        *paid.entry(merchant.payout_gateway).or_insert(0_u32) += 1;
    }
    assert_eq!(tables.merchants_paid, paid, "block {}", chain.state.height());
}

/// A closed window's report.
pub fn compare_window(chain: &Chain, auditor: &Auditor, id: WindowId) {
    let (found, windows) = (&chain.windows[&id], auditor.windows());
    let expected = windows[&id];
    let positions = found.positions.iter().map(|position| {
        let party = position.party;
        let sums = (position.gross_debits, position.gross_credits);
        ((party.kind.number(), party.owner, party.currency.get()), sums)
    });
    let found: BTreeMap<_, _> = positions.collect();
    let parties = expected.parties.iter();
    let expected: BTreeMap<_, _> =
        parties.map(|(party, gross)| (*party, (gross.debits, gross.credits))).collect();
    assert_eq!(found, expected, "window {id}");
    let report = &chain.windows[&id];
    let found = (report.order_count, report.instruction_count);
    let counts = (windows[&id].order_count, windows[&id].instruction_count);
    assert_eq!(found, counts, "orders and instructions of window {id}");
    let found = (report.first_height.get(), report.last_height.map(|height| height.get()));
    let heights = (windows[&id].first_height, Some(windows[&id].last_height));
    assert_eq!(found, heights, "blocks of window {id}");
    let found = (report.opened.get(), report.closed.map(|time| time.get()));
    assert_eq!(found, (windows[&id].opened_ms, Some(windows[&id].closed_ms)), "window {id}");
    let digest = auditor.report_digest(id.get());
    assert_eq!(digest, Some(report.digest().bytes()), "the digest of window {id}");
}

/// Every breach of the last block.
pub fn compare_breaches(chain: &Chain, auditor: &Auditor) {
    let height = chain.state.height();
    let of_block = |found: &&BreachRecord| found.height == height;
    let found = chain.breaches.iter().rev().take_while(of_block);
    let found: BTreeSet<MissedDeadline> = found.map(breach).collect();
    let expected = auditor.breaches().iter().rev();
    let expected: BTreeSet<MissedDeadline> =
        expected.take_while(|breach| breach.height == height.get()).copied().collect();
    assert_eq!(found, expected, "breaches of block {height}");
}

fn breach(found: &BreachRecord) -> MissedDeadline {
    MissedDeadline {
        height: found.height.get(),
        stage: match found.stage {
            Missed::Collected => Stage::Collected,
            Missed::Instructed => Stage::Instructed,
            Missed::Arrived => Stage::Arrived,
            Missed::Failed => Stage::Failed,
        },
        late: found.late.map(|late| late.get()),
        subject: match found.subject {
            BreachSubject::Order(id) => Subject::Order(id),
            BreachSubject::Instruction(id) => Subject::Instruction(id),
        },
        due_ms: found.deadline.get(),
        noticed_ms: found.noticed.get(),
    }
}

/// Compares the figures of every paying gateway in every corridor, and the breaches of each stage.
pub fn compare_sla(chain: &Chain, auditor: &Auditor) {
    let tables = chain.state.tables();
    let found = tables.sla.iter().map(|((gateway, corridor), counters)| {
        let (payout_currency, is_cross_border) =
            (corridor.payout_currency.get(), corridor.is_cross_border);
        let key = CorridorKey { gateway: gateway.get(), payout_currency, is_cross_border };
        let figures = SlaFigures {
            instructions: counters.instruction_count,
            orders: counters.order_count,
            late: counters.late_count,
            buckets: counters.buckets,
        };
        (key, figures)
    });
    let found: BTreeMap<_, _> = found.collect();
    assert_eq!(&found, auditor.sla_figures(), "block {}: SLA figures", chain.state.height());
    let mut counts: BTreeMap<_, u64> = BTreeMap::new();
    for found in &chain.breaches {
        *counts.entry((found.stage, found.late.unwrap_or_default())).or_default() += 1;
    }
    assert_eq!(tables.breach_counts, counts, "breaches by stage and party");
    println!("breaches by stage and party: {counts:?}");
}

/// Every instruction, and what is counted for users.
pub fn compare_records(chain: &Chain, auditor: &Auditor) {
    let expected = auditor.instructions();
    assert_eq!(chain.instructions.len(), expected.len(), "instructions");
    for (id, found) in &chain.instructions {
        let expected = expected[id];
        assert_eq!(status(found), expected.status, "instruction {id}");
        let found = (
            found.gateway,
            found.amount.get(),
            found.left().get(),
            found.deadline.get(),
            found.attempt,
            found.order_count,
        );
        let attempt = u16::try_from(expected.attempt).unwrap();
        let (gateway, due_ms) = (expected.gateway, expected.due_ms);
        let expected = (gateway, expected.amount, expected.left, due_ms, attempt, expected.orders);
        assert_eq!(found, expected, "instruction {id}");
    }
    for found in chain.instructions.values().filter(|found| found.ended_at().is_none()) {
        let sums = found.cashback.iter();
        let sums: Vec<((u32, u16), u64)> =
            sums.map(|sum| ((sum.gateway.get(), sum.currency.get()), sum.amount.get())).collect();
        assert_eq!(sums, auditor.cashback_of(found.id), "cashback of instruction {}", found.id);
    }
    let since = users::kept_since(chain.state.time());
    for ((merchant, currency, user, month), expected) in auditor.recharges() {
        let programme =
            (chain_types::MerchantId::new(merchant), chain_types::Currency::new(currency));
        let programme = chain.state.tables().programmes[&programme].number;
        let month = month.year * 12 + u64::from(month.month) - 1;
        let month = u16::try_from(month).unwrap();
        if month < since.month {
            continue;
        }
        let found = chain.state.user_month(&UserMonthKey { user, programme, month });
        let found = (u64::from(found.count), u128::from(found.granted()));
        let expected = (expected.recharges, expected.granted);
        assert_eq!(found, expected, "recharges of {user:?} for {merchant} in {currency}");
    }
    for ((user, currency), expected) in auditor.user_days() {
        let currency = chain_types::Currency::new(currency);
        let found = chain.state.user_day(&UserDayKey { user, currency });
        let found = (i128::from(found.day), u128::from(found.amount()));
        if expected.day < i128::from(since.day) {
            continue;
        }
        assert_eq!(found, (expected.day, expected.amount), "day of {user:?} in {currency}");
    }
}

fn status(record: &InstructionRecord) -> PaymentStatus {
    use chain_state::InstructionStatus as Chains;
    match record.status {
        Chains::Instructed => PaymentStatus::Instructed,
        Chains::Arrived { time, .. } => PaymentStatus::Arrived { time_ms: time.get() },
        Chains::Failed { time, location, .. } => {
            PaymentStatus::Failed { height: location.height.get(), time_ms: time.get() }
        }
        Chains::Returned { time, .. } => PaymentStatus::Returned { time_ms: time.get() },
    }
}

/// The state from its checkpoint and the recent blocks, as a node makes it at start.
pub fn restored(chain: &Chain) -> State {
    let mut restoring = State::restore(&chain.genesis, &chain.state.checkpoint()).unwrap();
    let from = restoring.blocks_from();
    let recent = chain.blocks.iter().rev().take_while(|block| block.header.time >= from).count();
    for block in &chain.blocks[chain.blocks.len() - recent..] {
        restoring.remember(&block.header, &block.batches, &block.outcomes);
    }
    let state = restoring.finish().unwrap().with_bounds(BOUNDS);
    assert_eq!(state.digest(), chain.state.digest(), "restored at {}", chain.state.height());
    state
}

/// Every header and outcome again, from genesis.
pub fn replay(chain: &Chain) {
    let mut again = Chain::new(&chain.genesis);
    for block in &chain.blocks[1..] {
        let proposer = context(&again.state, block.header.time).proposer;
        assert_eq!(proposer, block.header.proposer);
        let executed = again.execute(block.header.time, &block.batches, &block.evidence);
        assert_eq!(executed.block.header, block.header);
        assert_eq!(executed.outcomes, block.outcomes);
        again.apply(executed, &block.batches);
    }
    assert_eq!(again.state.checkpoint(), chain.state.checkpoint());
}

/// The sections of a checkpoint, those of users in order: their entries come in none.
pub fn sections(checkpoint: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = &checkpoint[8..checkpoint.len() - 32];
    let mut sections = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (section, after) = after.split_at(u32::from_le_bytes(*length) as usize);
        sections.push(section.to_vec());
        rest = after;
    }
    // Each of the three lists of users ends with a section of no bytes; so few are in one section.
    let ends: Vec<usize> = (1..sections.len()).filter(|at| sections[*at].is_empty()).collect();
    assert_eq!(ends.len(), 3);
    for (end, entry) in ends.into_iter().zip([48, 36, 28]) {
        let mut entries: Vec<&[u8]> = sections[end - 1].chunks(entry).collect();
        entries.sort_unstable();
        sections[end - 1] = entries.concat();
    }
    sections
}
