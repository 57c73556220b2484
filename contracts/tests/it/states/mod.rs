//! The state machines of order, instruction, transfer, settlement and proposal, found by running
//! the contracts: in every situation that is reached, every party says every operation, and time
//! passes. `docs/states.md` is what came of it.
//!
//! `SLUICE_WRITE_PAGES=1` writes the page anew after a change of the rules that is meant. A new
//! operation needs an `act` in its machine and its section in [`section`]; a new status of an enum
//! is found by itself, and reported when no situation reaches it.

mod explore;
mod instruction;
mod liquidity;
mod order;
mod page;
mod proposal;

use std::collections::BTreeSet;
use std::path::Path;

use chain_state::{OrderStatus, ProposalStatus, TransferStatus};
use chain_types::BatchKind;

use self::explore::Machine;

/// Kinds that change no status of any machine, and why.
const WITHOUT_STATUS: [(BatchKind, &str); 7] = [
    (BatchKind::Merchant, "a merchant is as it was registered last"),
    (BatchKind::ChangeList, "a list waits for the proposal that names it"),
    (BatchKind::Rate, "the last rate of a provider counts"),
    (BatchKind::Quote, "a quote ends by its time"),
    (BatchKind::Policy, "the last policy of a subject holds"),
    (BatchKind::Line, "the last limit of a line holds"),
    (BatchKind::Consent, "it lets a return through, and returns do not change an order's status"),
];

/// The section of the rules page that a kind's rules stand in.
fn section(kind: BatchKind) -> &'static str {
    match kind {
        BatchKind::Recharge => "3",
        BatchKind::Collect | BatchKind::Debiting | BatchKind::Void => "4",
        BatchKind::SettleWindow | BatchKind::SettlementDecision => "5",
        BatchKind::Arrival
        | BatchKind::Failure
        | BatchKind::Bounce
        | BatchKind::Recall
        | BatchKind::StepIn
        | BatchKind::Reinstruct => "6",
        BatchKind::HoldDecision => "9",
        BatchKind::Return => "10",
        BatchKind::Transfer | BatchKind::TransferDecision => "11",
        BatchKind::Proposal | BatchKind::Approval => "13",
        BatchKind::ChangeList
        | BatchKind::Merchant
        | BatchKind::Rate
        | BatchKind::Quote
        | BatchKind::Policy
        | BatchKind::Line
        | BatchKind::Consent => "-",
    }
}

fn machines() -> Vec<Machine> {
    vec![
        order::machine(),
        instruction::machine(),
        liquidity::transfers(),
        liquidity::settlements(),
        proposal::machine(),
    ]
}

fn page_path() -> &'static Path {
    Path::new("../docs/states.md")
}

#[expect(clippy::disallowed_methods, reason = "whether to write a page; no rule sees it")]
pub fn writes_pages() -> bool {
    std::env::var_os("SLUICE_WRITE_PAGES").is_some()
}

/// All in one test: what is run takes a while, and every test is a process of its own.
#[test]
fn the_page_of_states_is_what_the_contracts_do() {
    let machines = machines();
    every_kind_is_in_a_machine(&machines);
    every_status_is_reached(&machines);
    ends_are_those_that_the_rules_name(&machines);
    let expected = page::page(&machines);
    if writes_pages() {
        std::fs::write(page_path(), &expected).unwrap();
    }
    let actual = std::fs::read_to_string(page_path()).unwrap_or_default();
    for (number, (is, ought)) in actual.lines().zip(expected.lines()).enumerate() {
        assert_eq!(is, ought, "docs/states.md, line {}", number + 1);
    }
    assert_eq!(actual, expected, "docs/states.md");
}

/// Every kind of operation is said in some machine, or named as one without a status.
fn every_kind_is_in_a_machine(machines: &[Machine]) {
    let said: BTreeSet<BatchKind> = machines.iter().flat_map(Machine::kinds).collect();
    for kind in BatchKind::ALL {
        let exception = WITHOUT_STATUS.iter().find(|(known, _)| known == kind);
        assert_ne!(said.contains(kind), exception.is_some(), "{} {exception:?}", kind.name());
    }
}

/// Every status of the enums is reached, and none is reached that has no name there.
fn every_status_is_reached(machines: &[Machine]) {
    let orders = OrderStatus::ALL.iter().map(|status| status.name()).collect();
    let transfers = TransferStatus::ALL.iter().map(|status| status.name()).collect();
    let proposals = ProposalStatus::ALL.iter().map(|status| status.name()).collect();
    let instructions = BTreeSet::from(["instructed", "arrived", "failed", "returned"]);
    let settlements = BTreeSet::from(["proposed", "refused", "settled"]);
    let expected: [BTreeSet<&str>; 5] = [orders, instructions, transfers, settlements, proposals];
    for (machine, expected) in machines.iter().zip(expected) {
        let mut reached = machine.statuses();
        reached.remove(explore::NOTHING);
        assert_eq!(reached, expected, "{}", machine.name);
    }
}

/// Whatever is found ended stays so: what the page draws as an end has no way on.
fn ends_are_those_that_the_rules_name(machines: &[Machine]) {
    let ends: Vec<BTreeSet<&str>> = machines.iter().map(Machine::ends).collect();
    let expected = [
        BTreeSet::from(["collected", "expired", "refused", "rejected", "voided"]),
        BTreeSet::from(["returned"]),
        BTreeSet::from(["approved", "expired", "refused"]),
        BTreeSet::from(["settled"]),
        BTreeSet::from(["effective", "expired", "failed", "refused"]),
    ];
    assert_eq!(ends, expected);
}
