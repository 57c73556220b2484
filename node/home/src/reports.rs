//! The chain's records in the words of the public interface.

use chain_state::{
    Account, AccountEntry, BreachRecord, BreachSubject, CashbackSum, EntryCause, EvidenceRecord,
    InstructionRecord, InstructionStatus, ProposedSettlement, State, WindowRecord,
    WindowSettlement,
};
use chain_types::{
    AccountKey, BlockHash, Currency, FailureReason, InstructionState, Node, RecordProof, WindowId,
};
use rpc_api::{
    AccountReport, BreachReport, CashbackSumReport, CountersReport, CurrencyBalance, EntryReport,
    EvidenceReport, InstructionReport, Money, PositionReport, SettlementProposedReport,
    TrialBalanceReport, WindowProofReport, WindowReport, WindowSettledReport, encode_base64,
};

/// A sum in the interface's form; sums stay far below the bound, which `order_amount_max` and the
/// number of orders in all time give.
pub fn money(minor: u128, currency: Currency) -> Money {
    Money::sum(i128::try_from(minor).unwrap_or(i128::MAX), currency)
}

/// A window, and its settlement: what is proposed, and what is posted.
pub fn window(
    record: &WindowRecord,
    proposed: Option<&ProposedSettlement>,
    settlement: Option<&WindowSettlement>,
) -> WindowReport {
    let positions = record.positions.iter().map(|position| {
        let currency = position.party.currency;
        PositionReport {
            kind: position.party.kind,
            owner: position.party.owner,
            gross_debits: money(position.gross_debits, currency),
            gross_credits: money(position.gross_credits, currency),
            net: Money::sum(position.net(), currency),
        }
    });
    WindowReport {
        window: record.id.get(),
        opened_ms: record.opened.get(),
        closed_ms: record.closed.map(|time| time.get()),
        first_height: record.first_height.get(),
        last_height: record.last_height.map(|height| height.get()),
        order_count: record.order_count,
        instruction_count: record.instruction_count,
        positions: positions.collect(),
        digest: record.closed.map(|_| record.digest().to_string()),
        proposed: proposed.map(|known| SettlementProposedReport {
            agent: known.maker.get(),
            reference: hex::encode(known.reference),
            proposed_ms: known.proposed.get(),
            refused_by: known.refused_by.map(|by| by.get()),
        }),
        settled: settlement.map(window_settled),
    }
}

fn window_settled(settlement: &WindowSettlement) -> WindowSettledReport {
    WindowSettledReport {
        agent: settlement.agent.get(),
        checker: settlement.checker.get(),
        reference: hex::encode(settlement.reference),
        settled_ms: settlement.time.get(),
        height: settlement.location.height.get(),
    }
}

/// The proof of a window's report; `None` when it proves nothing.
pub fn window_proof(id: WindowId, proof: &RecordProof, bytes: &[u8]) -> Option<WindowProofReport> {
    let (report, rest) = proof.records.split_first()?;
    Some(WindowProofReport {
        window: id.get(),
        height: report.header.height.get(),
        time_ms: report.header.time.get(),
        block_hash: report.header.hash(),
        records_root: report.header.records_root,
        settled_height: rest.first().map(|word| word.header.height.get()),
        proof_base64: encode_base64(bytes),
    })
}

/// Returns the JSON form of an instruction's record.
pub fn instruction(record: &InstructionRecord) -> InstructionReport {
    let (settled, failure) = match record.status {
        InstructionStatus::Instructed => (None, None),
        InstructionStatus::Failed { reason, time, .. } => {
            (Some(time), FailureReason::from_number(reason))
        }
        InstructionStatus::Arrived { time, .. } | InstructionStatus::Returned { time, .. } => {
            (Some(time), None)
        }
    };
    let status = record.status.state();
    let arrived = status == InstructionState::Arrived;
    InstructionReport {
        instruction_id: record.id,
        window: record.id.window.get(),
        merchant: record.id.merchant.get(),
        gateway: record.gateway.get(),
        amount: Money::new(record.amount, record.id.currency),
        amount_returned: Money::new(record.amount_returned, record.id.currency),
        amount_left: Money::new(record.left(), record.id.currency),
        order_count: record.order_count,
        cross_border_count: record.cross_border_count,
        attempt: record.attempt,
        earliest_accepted_ms: record.earliest_accepted.get(),
        instructed_ms: record.instructed.get(),
        deadline_ms: record.deadline.get(),
        status,
        settled_ms: settled.map(|time| time.get()),
        is_late: arrived && settled.is_some_and(|time| time > record.deadline),
        failure: failure.map(Into::into),
        failed_by: match record.status {
            InstructionStatus::Failed { by, .. } => Some(by.get()),
            _ => None,
        },
        recalled_ms: record.recalled.map(|time| time.get()),
        reference: settled.map(|_| hex::encode(record.reference)),
        cashback: record.cashback.iter().map(cashback_sum).collect(),
    }
}

fn cashback_sum(sum: &CashbackSum) -> CashbackSumReport {
    CashbackSumReport { gateway: sum.gateway.get(), amount: Money::new(sum.amount, sum.currency) }
}

/// Returns the report of an account with its counters and its balance.
pub fn account(key: &AccountKey, account: &Account) -> AccountReport {
    let currency = key.currency;
    AccountReport {
        account: *key,
        debits_pending: money(account.debits_pending, currency),
        debits_posted: money(account.debits_posted, currency),
        credits_pending: money(account.credits_pending, currency),
        credits_posted: money(account.credits_posted, currency),
        balance: Money::sum(account.balance(), currency),
        net_debit_cap: money(account.net_debit_cap.into(), currency),
        available: money(account.available(), currency),
        settled: Money::sum(account.settled, currency),
        position: Money::sum(account.position(), currency),
    }
}

fn counters(account: &Account, currency: Currency) -> CountersReport {
    CountersReport {
        debits_pending: money(account.debits_pending, currency),
        debits_posted: money(account.debits_posted, currency),
        credits_pending: money(account.credits_pending, currency),
        credits_posted: money(account.credits_posted, currency),
        balance: Money::sum(account.balance(), currency),
        net_debit_cap: money(account.net_debit_cap.into(), currency),
        settled: Money::sum(account.settled, currency),
    }
}

/// An entry of an account.
pub fn entry(entry: &AccountEntry) -> EntryReport {
    let currency = entry.key.currency;
    let cause_id = match entry.cause {
        EntryCause::Batch(place) => Some(format!("{}/{place}", entry.height)),
        cause => cause.subject(),
    };
    EntryReport {
        height: entry.height.get(),
        sequence: entry.sequence,
        time_ms: entry.time.get(),
        cause: entry.cause.kind(),
        cause_id,
        debits_pending: Money::sum(entry.debits_pending, currency),
        debits_posted: Money::sum(entry.debits_posted, currency),
        credits_pending: Money::sum(entry.credits_pending, currency),
        credits_posted: Money::sum(entry.credits_posted, currency),
        order_count: entry.order_count,
        after: counters(&entry.after, currency),
    }
}

/// Reports a missed deadline.
pub fn breach(record: &BreachRecord) -> BreachReport {
    BreachReport {
        stage: record.stage,
        late: record.late.map(|late| late.get()),
        subject: match record.subject {
            BreachSubject::Order(id) => id.to_string(),
            BreachSubject::Instruction(id) => id.to_string(),
        },
        deadline_ms: record.deadline.get(),
        noticed_ms: record.noticed.get(),
        height: record.height.get(),
        sequence: record.sequence,
    }
}

/// A validator caught at signing two values. `nodes` are the registry's, which only grow.
pub fn evidence(record: &EvidenceRecord, nodes: &[Node]) -> EvidenceReport {
    let hash = |value: Option<BlockHash>| value.map(|block| block.to_string());
    let node = nodes.get(record.validator.get() as usize);
    EvidenceReport {
        validator: record.validator.get(),
        name: node.map(|node| node.name.clone()).unwrap_or_default(),
        what: record.kind,
        height: record.offence_height.get(),
        round: record.offence_round.get(),
        first: hash(record.first),
        second: hash(record.second),
        block_height: record.height.get(),
        sequence: record.sequence,
        time_ms: record.time.get(),
    }
}

/// The sums of all accounts, currency by currency.
pub fn trial_balance(state: &State) -> TrialBalanceReport {
    let currencies: Vec<CurrencyBalance> = state
        .trial_balance()
        .iter()
        .map(|sums| CurrencyBalance {
            debits_pending: money(sums.debits_pending, sums.currency),
            credits_pending: money(sums.credits_pending, sums.currency),
            debits_posted: money(sums.debits_posted, sums.currency),
            credits_posted: money(sums.credits_posted, sums.currency),
        })
        .collect();
    TrialBalanceReport {
        height: state.height().get(),
        is_balanced: currencies.iter().all(CurrencyBalance::is_balanced),
        currencies,
    }
}
