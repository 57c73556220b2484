//! A transfer, and a window's settlement: maker and checker.

use chain_state::AccountKey;
use chain_types::{Currency, Decision, ParticipantId, TransferAction, TransferId, WindowId};

use super::explore::{Look, Machine, NOTHING, Run, Wait, act};
use crate::kit::*;

const OF_TRANSFERS: &str = "\
A deposit, a withdrawal and a net debit cap go the same way. A withdrawal is pending while it is
proposed. An ended one is forgotten when neither it nor its decision can be sent again.";

const OF_SETTLEMENTS: &str = "\
The maker's word about a closed window, and the checker's. What nobody approves in time is
forgotten, and so is a refusal; that a window is settled is known for ever.";

pub fn transfers() -> Machine {
    let actions = [TransferAction::Deposit, TransferAction::Withdraw, TransferAction::Cap];
    Machine::new("Transfer", OF_TRANSFERS, actions.map(transfer_run).into())
}

fn transfer_run(action: TransferAction) -> Run {
    let chain = Chain::new();
    let id = TransferId::from_bytes(order_id(1, 0).bytes());
    let account = AccountKey::liquidity(ParticipantId::new(BANK_A), Currency::new(CNY));
    let item = transfer(id, action, account, 500);
    let role = move |chain: &Chain, by| {
        let maker = chain.state.tables().transfers.get(&id).map(|known| known.maker.get());
        let is_maker = maker == Some(by);
        match by {
            _ if is_maker => "its maker",
            OPERATOR => "settlement operator",
            BANK_A => "the account's gateway",
            _ if maker.is_some() => "another settlement agent",
            _ => "settlement agent",
        }
    };
    let parameters = chain.state.parameters().clone();
    Run {
        chain,
        look: Box::new(move |chain| {
            let known = chain.state.tables().transfers.get(&id);
            let status = known.map_or(NOTHING, |known| known.status.name());
            let mut look = Look::new(status, []);
            look.detail = format!("{:?}", known.map(|known| (known.maker, known.checker)));
            // What was forgotten is not what was never there.
            let age_ms = chain.state.time().get().saturating_sub(START.get());
            look.detail += if age_ms > 1_000_000 && status == NOTHING { " later" } else { "" };
            look
        }),
        acts: vec![
            act("", move |_| Some(item)),
            act("approve", move |_| Some(decide(&item, Decision::Approve))),
            act("refuse", move |_| Some(decide(&item, Decision::Refuse))),
        ],
        waits: vec![
            Wait::past("order_validity_ms", parameters.order_validity_ms),
            Wait::past("transfer_validity_ms", parameters.transfer_validity_ms),
        ],
        changes: Vec::new(),
        voices: vec![AGENTS[0], AGENTS[1], OPERATOR, BANK_A],
        role: Box::new(role),
    }
}

const OPERATOR: u32 = OPERATORS[0];

pub fn settlements() -> Machine {
    Machine::new("Settlement of a window", OF_SETTLEMENTS, vec![settlement_run()])
}

fn settlement_run() -> Run {
    let mut chain = Chain::new();
    assert_eq!(chain.one(BANK_A, one_step(order_id(1, 0), 100)), 0);
    chain.block(30_000, &[]);
    let item = settle_window(0, chain.report_digest(0));
    let window = WindowId::new(0);
    let role = move |chain: &Chain, by| {
        let proposed = chain.state.tables().proposed_settlements.get(&window);
        let maker = proposed.map(|known| known.maker.get());
        match by {
            _ if maker == Some(by) => "its maker",
            OPERATOR => "settlement operator",
            BANK_A => "gateway",
            _ if maker.is_some() => "another settlement agent",
            _ => "settlement agent",
        }
    };
    let validity_ms = chain.state.parameters().transfer_validity_ms;
    Run {
        chain,
        look: Box::new(move |chain| {
            let tables = chain.state.tables();
            let proposed = tables.proposed_settlements.get(&window);
            let status = match proposed {
                _ if tables.is_settled(window) => "settled",
                Some(known) if known.refused_by.is_some() => "refused",
                Some(_) => "proposed",
                None => NOTHING,
            };
            let mut look = Look::new(status, []);
            look.detail = format!("{:?}", proposed.map(|known| (known.maker, known.refused_by)));
            look
        }),
        acts: vec![
            act("", move |_| Some(item)),
            act("approve", move |_| Some(decide_settlement(&item, Decision::Approve))),
            act("refuse", move |_| Some(decide_settlement(&item, Decision::Refuse))),
        ],
        waits: vec![Wait::past("transfer_validity_ms", validity_ms)],
        changes: Vec::new(),
        voices: vec![AGENTS[0], AGENTS[1], OPERATOR, BANK_A],
        role: Box::new(role),
    }
}
