//! An instruction: two orders of a window for one merchant.

use chain_state::{History as _, InstructionRecord, InstructionStatus};
use chain_types::hash::sha256;
use chain_types::{
    Change, Digest, FailureReason, InstructionId, Merchant, MerchantId, OrderId, ParticipantId,
};

use super::explore::{Act, Look, Machine, NOTHING, Run, Wait, act};
use crate::kit::*;

const ABOUT: &str = "\
Given at the close of its window. A first agent's step-in moves nothing; the second one's ends the
attempt. An arrived or returned one is forgotten by blocks after a while, and keeps its status in
the records; a bounce and a return still find it there.";

pub fn machine() -> Machine {
    Machine::new("Instruction", ABOUT, vec![run()])
}

fn subject() -> InstructionId {
    instruction_id(0, SHOP)
}

/// Two orders for one merchant, of a window that is still open.
fn run() -> Run {
    let mut genesis = genesis();
    genesis.parameters.governance_notice_heights = 1;
    let parameters = genesis.parameters.clone();
    let mut chain = Chain::of(genesis);
    for (number, amount) in [(1, 100), (2, 200)] {
        assert_eq!(chain.one(BANK_A, one_step(order_id(number, 0), amount)), 0);
    }
    let role = |chain: &Chain, by| match by {
        BANK_A => "collecting gateway",
        BANK_B => "paying gateway",
        BANK_POOR => "another gateway",
        OPERATOR => "settlement operator",
        _ => {
            let said = (subject(), ParticipantId::new(by));
            let has_said = chain.state.tables().step_ins.contains_key(&said);
            if has_said { "the agent who stepped in first" } else { "settlement agent" }
        }
    };
    Run {
        chain,
        look: Box::new(look),
        acts: acts(),
        waits: vec![
            Wait::past("window_ms", parameters.window_ms),
            Wait::past("deadline_domestic_ms", parameters.deadline_domestic_ms),
            Wait::past("deadline_domestic_ms + step_in_ms", parameters.step_in_ms + 200_000),
            Wait::past("bounce_period_ms", parameters.bounce_period_ms),
        ],
        changes: vec![Box::new(entry_changes), Box::new(gateways_are_suspended)],
        voices: vec![BANK_A, BANK_B, BANK_POOR, AGENTS[0], AGENTS[1], OPERATOR],
        role: Box::new(role),
    }
}

/// An operator without any role about money.
const OPERATOR: u32 = OPERATORS[3];

/// The merchant gets another account; once is enough.
fn entry_changes(chain: &mut Chain) {
    let known = chain.state.merchant(MerchantId::new(SHOP)).unwrap();
    if known.payout_account == Digest::ZERO {
        let payout_account = sha256(&[b"another account"]);
        chain.change(&Change::Merchant(Merchant { payout_account, ..known.clone() }));
    }
}

/// The paying gateway is suspended; when it is already, so is the collecting one.
fn gateways_are_suspended(chain: &mut Chain) {
    let mut gateways = [BANK_B, BANK_A].map(ParticipantId::new).into_iter();
    let active = gateways.find(|id| !chain.state.participant(*id).unwrap().suspended);
    if let Some(participant) = active {
        chain.change(&Change::ParticipantSuspended { participant, suspended: true });
    }
}

/// As blocks know it, or as the records do.
fn record(chain: &Chain) -> Option<InstructionRecord> {
    chain.state.instruction(&subject()).cloned().or_else(|| chain.instruction(&subject()))
}

fn look(chain: &Chain) -> Look {
    let Some(record) = record(chain) else { return Look::new(NOTHING, []) };
    let (time, parameters) = (chain.state.time(), chain.state.parameters());
    let tables = chain.state.tables();
    let (status, since) = match record.status {
        InstructionStatus::Instructed => ("instructed", record.deadline),
        InstructionStatus::Arrived { time, .. } => ("arrived", time),
        InstructionStatus::Failed { time, .. } => ("failed", time),
        InstructionStatus::Returned { time, .. } => ("returned", time),
    };
    let is_open = matches!(status, "instructed" | "failed");
    let is_left_alone = is_open && time > since.plus(parameters.step_in_ms);
    let gateway = chain.state.participant(record.gateway).unwrap();
    let collecting = chain.state.participant(ParticipantId::new(BANK_A)).unwrap();
    let reason = match record.status {
        InstructionStatus::Failed { reason, .. } => Some(reason),
        _ => None,
    };
    let needs_nothing = reason.and_then(FailureReason::from_number);
    let needs_nothing = needs_nothing.is_some_and(FailureReason::needs_no_correction);
    let shop = chain.state.merchant(MerchantId::new(SHOP)).unwrap();
    let has_word = tables.step_ins.keys().any(|(id, _)| *id == subject());
    let sent_back = |number| tables.returned.contains_key(&returned_order(number));
    let mut look = Look::new(
        status,
        [
            ("recalled", status == "instructed" && record.recalled.is_some()),
            ("an agent has stepped in", has_word),
            (
                "gateway absent or silent",
                status == "instructed" && (gateway.suspended || is_left_alone),
            ),
            ("gateway suspended", gateway.suspended),
            ("collecting gateway suspended", collecting.suspended),
            ("left alone", is_left_alone),
            ("ended by agents", record.is_stepped_in()),
            ("given up (SVNR)", record.is_given_up()),
            ("reason AB08, FOCR or NARR", needs_nothing),
            ("merchant's entry changed", is_open && shop.payout_account != Digest::ZERO),
            ("given again", record.attempt > 1),
            ("returned in part", sent_back(1) != sent_back(2)),
            (
                "within bounce_period_ms",
                status == "arrived" && time <= since.plus(parameters.bounce_period_ms),
            ),
            ("forgotten by blocks", chain.state.instruction(&subject()).is_none()),
        ],
    );
    look.detail = format!("{} {}", sent_back(1), sent_back(2));
    look
}

fn returned_order(number: u64) -> OrderId {
    of(BANK_A, order_id(number, 0))
}

fn acts() -> Vec<Act> {
    let attempt = |chain: &Chain| record(chain).map(|record| record.attempt.max(1));
    // Before it is given, parties say what they would say of a first attempt.
    let of = move |chain: &Chain| attempt(chain).unwrap_or(1);
    let left = |chain: &Chain| record(chain).map_or(300, |record| record.left().get());
    let fails = move |reason: FailureReason| {
        move |chain: &Chain| {
            let item = failure(0, SHOP, reason.number());
            Some(chain_types::FailureItem { attempt: of(chain).into(), ..item })
        }
    };
    let bounces = move |reason: FailureReason| {
        move |chain: &Chain| {
            let item = bounce(0, SHOP, reason.number());
            Some(chain_types::BounceItem { attempt: of(chain).into(), ..item })
        }
    };
    let steps_in = move |reason: FailureReason| {
        move |chain: &Chain| {
            let item = step_in(0, SHOP, reason.number());
            Some(chain_types::StepInItem { attempt: of(chain).into(), ..item })
        }
    };
    let sends_back =
        |number, amount| move |_: &Chain| Some(give_back(returned_order(number), amount, 1));
    vec![
        act("", move |chain| {
            let item = arrival(0, SHOP, left(chain));
            Some(chain_types::ArrivalItem { attempt: of(chain).into(), ..item })
        }),
        act("AC01", fails(FailureReason::AccountUnknown)),
        act("AB08", fails(FailureReason::BankUnavailable)),
        act("FOCR", fails(FailureReason::Recalled)),
        act("AC04", bounces(FailureReason::AccountClosed)),
        act("", move |chain| {
            Some(chain_types::RecallItem { attempt: of(chain).into(), ..recall(0, SHOP) })
        }),
        act("AC01", steps_in(FailureReason::AccountUnknown)),
        act("SVNR", steps_in(FailureReason::ServiceNotRendered)),
        act("", move |chain| {
            Some(chain_types::ReinstructItem { attempt: of(chain).into(), ..reinstruct(0, SHOP) })
        }),
        act("one order", sends_back(1, 100)),
        act("the other order", sends_back(2, 200)),
    ]
}
