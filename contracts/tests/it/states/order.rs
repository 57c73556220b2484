//! An order: submitted by a recharge service, or by the collecting gateway itself.

use chain_state::OrderStatus;
use chain_types::{Decision, Flags, OrderId, Parameters, RechargeItem};

use super::explore::{Act, Look, Machine, NOTHING, Run, Wait, act};
use crate::kit::*;

const ABOUT: &str = "\
What follows a collection is told by the instruction of its window; returns do not change the
status. A rejection leaves the status *rejected* where section 3 says that the id is remembered.";
/// Orders above this wait for a risk desk.
const HELD_ABOVE: u64 = 500;

pub fn machine() -> Machine {
    Machine::new("Order", ABOUT, vec![run(SERVICE), run(BANK_A)])
}

/// An order whose id is `owner`'s.
fn run(owner: u32) -> Run {
    let mut chain = Chain::new();
    let mut held = policy(0, 0);
    held.hold_above = HELD_ABOVE.into();
    assert_eq!(chain.one(RISK_DESK, held), 0);
    let id = of(owner, order_id(1, 0));
    let role = move |_: &Chain, by| match by {
        _ if by == owner => {
            if owner == SERVICE {
                "submitting service"
            } else {
                "collecting gateway"
            }
        }
        SERVICE => "another service",
        BANK_A => "collecting gateway",
        BANK_B => "paying gateway",
        BANK_POOR => "another gateway",
        RISK_DESK => "risk desk",
        _ => "settlement agent",
    };
    Run {
        chain,
        look: Box::new(move |chain| look(chain, id)),
        acts: acts(id, owner),
        waits: waits(&genesis().parameters),
        changes: Vec::new(),
        voices: vec![SERVICE, BANK_A, BANK_B, BANK_POOR, RISK_DESK, AGENTS[0]],
        role: Box::new(role),
    }
}

fn look(chain: &Chain, id: OrderId) -> Look {
    let Some(record) = chain.record(&id) else { return Look::new(NOTHING, []) };
    let collected = record.status == OrderStatus::Collected;
    let window = chain.block_at(record.status_height).header.window;
    let is_open = window == chain.state.window();
    let is_old = chain.state.order(&id).is_none();
    Look::new(
        record.status.name(),
        [
            ("its window open", collected && is_open),
            ("forgotten by blocks", is_old),
            ("returned in part", chain.state.tables().returned.contains_key(&id)),
        ],
    )
}

fn waits(parameters: &Parameters) -> Vec<Wait> {
    let validity_ms = parameters.order_validity_ms;
    vec![
        Wait::past("window_ms", parameters.window_ms),
        Wait::past("order_validity_ms", validity_ms),
        Wait::past("return_period_ms", parameters.return_period_ms),
    ]
}

fn acts(id: OrderId, owner: u32) -> Vec<Act> {
    let submits = move |amount: u64, flags: u16| {
        move |_: &Chain| Some(RechargeItem { flags: flags.into(), ..order(id, amount) })
    };
    let decides = move |decision| move |_: &Chain| Some(decide_hold(id, decision));
    let mut acts = vec![
        act("", submits(100, 0)),
        act("amount zero", submits(0, 0)),
        act("above a desk's limit", submits(HELD_ABOVE + 1, 0)),
        act("", move |_| Some(debiting(id))),
        act("", move |_| Some(collect(id))),
        act("", move |_| Some(void(id))),
        act("approve", decides(Decision::Approve)),
        act("refuse", decides(Decision::Refuse)),
        act("", move |_| Some(give_back(id, 10, 1))),
    ];
    if owner == BANK_A {
        acts.push(act("collected", submits(100, Flags::COLLECTED)));
        acts.push(act(
            "collected, above a desk's limit",
            submits(HELD_ABOVE + 1, Flags::COLLECTED),
        ));
    }
    acts
}
