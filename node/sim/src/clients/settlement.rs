//! Paying gateways, and the agents who speak of instructions and windows.

use chain_state::{InstructionRecord, InstructionStatus, ProposedSettlement};
use chain_types::operation::{
    ArrivalItem, BounceItem, Decision, FailureItem, RecallItem, ReinstructItem, SettleWindowItem,
    SettlementDecisionItem, StepInItem,
};
use chain_types::{Amount, ParticipantId, VerifiedBatch, WindowId};
use rand::Rng as _;

use super::memory::Memory;
use super::moment::Moment;
use crate::setup::{AGENTS, GATEWAYS};

/// The most items of one batch of an agent's.
const ITEMS_MAX: usize = 4;
/// The reference of a gateway that could not pay.
const FAILURE_REFERENCE: [u8; 32] = [8; 32];
/// The reference of the banks when they have settled a window.
const SETTLEMENT_REFERENCE: [u8; 32] = [5; 32];

fn outstanding(moment: &Moment<'_>, gateway: ParticipantId) -> Vec<InstructionRecord> {
    let waiting = moment.state.outstanding_instructions();
    waiting.filter(|record| record.gateway == gateway).cloned().collect()
}

/// A gateway attests the instructions that wait for it, once in a while with a wrong amount.
pub fn arrive(_: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    let gateway = moment.pick(&GATEWAYS);
    let wrong = u64::from(moment.one_in(12));
    let arrival = |record: InstructionRecord| {
        ArrivalItem::new(
            record.id,
            Amount::new(record.left().get() + wrong),
            [9; 32],
            record.attempt,
        )
    };
    let items: Vec<ArrivalItem> = outstanding(moment, gateway).into_iter().map(arrival).collect();
    moment.sign(gateway, &items)
}

/// A gateway could not pay some of the instructions that wait for it. Once in a while it says again
/// what it said before, as one that heard no answer.
pub fn fail(memory: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    let gateway = moment.pick(&GATEWAYS);
    let failures = if moment.one_in(4) {
        let before = memory.failed.iter().filter_map(|id| moment.state.instruction(id));
        before.filter(|record| record.gateway == gateway).filter_map(told_before).collect()
    } else {
        let waiting = outstanding(moment, gateway);
        // The fourth reason needs no correction by governance.
        let reason = if moment.one_in(2) { 4 } else { moment.random.random_range(0..=4) };
        waiting.iter().map(|record| failure(record, reason)).collect()
    };
    let items: Vec<FailureItem> = moment.some(failures, 2);
    moment.sign(gateway, &items)
}

fn failure(record: &InstructionRecord, reason: u16) -> FailureItem {
    FailureItem::new(record.id, reason, FAILURE_REFERENCE, record.attempt)
}

fn told_before(record: &InstructionRecord) -> Option<FailureItem> {
    match record.status {
        InstructionStatus::Failed { reason, .. } => Some(failure(record, reason)),
        _ => None,
    }
}

/// An agent gives failed instructions again.
pub fn reinstruct(memory: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    let agent = moment.pick(&AGENTS);
    let failed = moment.some(memory.failed.iter().copied().collect(), ITEMS_MAX);
    let items: Vec<ReinstructItem> = failed
        .iter()
        .map(|id| {
            let attempt = moment.state.instruction(id).map_or(1, |record| record.attempt);
            ReinstructItem::new(*id, [4; 32], attempt)
        })
        .collect();
    moment.sign(agent, &items)
}

/// Money of instructions that arrived comes back to the gateways that paid them.
pub fn bounce(memory: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    let gateway = moment.pick(&GATEWAYS);
    let known = memory.arrived.iter().filter_map(|id| moment.state.instruction(id));
    let own: Vec<InstructionRecord> =
        known.filter(|record| record.gateway == gateway).cloned().collect();
    let reason = moment.random.random_range(0..=8);
    let items: Vec<BounceItem> = moment
        .some(own, 2)
        .iter()
        .map(|record| {
            let FailureItem { window, merchant, currency, reason, reference, attempt, spare } =
                failure(record, reason);
            BounceItem { window, merchant, currency, reason, reference, attempt, spare }
        })
        .collect();
    moment.sign(gateway, &items)
}

/// An agent asks that instructions shall not be paid.
pub fn recall(_: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    let agent = moment.pick(&AGENTS);
    let waiting = moment.state.outstanding_instructions().cloned().collect();
    let items: Vec<RecallItem> = moment
        .some(waiting, 2)
        .iter()
        .map(|record: &InstructionRecord| RecallItem::new(record.id, [6; 32], record.attempt))
        .collect();
    moment.sign(agent, &items)
}

/// An agent says of instructions that their gateways are absent; mostly they are not.
pub fn step_in(_: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    let agent = moment.pick(&AGENTS);
    let waiting = moment.state.outstanding_instructions().cloned().collect();
    let items: Vec<StepInItem> = moment
        .some(waiting, ITEMS_MAX)
        .iter()
        .map(|record: &InstructionRecord| {
            let FailureItem { window, merchant, currency, reason, reference, attempt, spare } =
                failure(record, 4);
            StepInItem { window, merchant, currency, reason, reference, attempt, spare }
        })
        .collect();
    moment.sign(agent, &items)
}

/// An agent says that closed windows are settled; once in a while of one that is not closed, or
/// that is settled already.
pub fn settle_window(memory: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    let agent = moment.pick(&AGENTS);
    let tables = moment.state.tables();
    let open = moment.state.window();
    let is_unsettled =
        |(window, _): &(WindowId, [u8; 32])| *window < open && !tables.is_settled(*window);
    let unsettled = memory.reports.iter().map(|(window, digest)| (*window, *digest));
    let unsettled = unsettled.filter(is_unsettled).collect();
    let mut windows = moment.some(unsettled, ITEMS_MAX);
    if moment.one_in(4) {
        let window = WindowId::new(moment.random.random_range(0..=moment.state.window().get() + 1));
        windows.push((window, memory.reports.get(&window).copied().unwrap_or_default()));
    }
    let settle = |(window, digest): &(WindowId, [u8; 32])| SettleWindowItem {
        window: window.get().into(),
        digest: *digest,
        reference: SETTLEMENT_REFERENCE,
        spare: [0; 24],
    };
    let items: Vec<SettleWindowItem> = windows.iter().map(settle).collect();
    moment.sign(agent, &items)
}

/// An agent approves settlements that wait; once in a while it refuses, or is the maker itself.
pub fn decide_settlement(_: &mut Memory, moment: &mut Moment<'_>) -> Option<VerifiedBatch> {
    let agent = moment.pick(&AGENTS);
    let waiting = moment.state.tables().proposed_settlements.iter();
    let waiting = waiting.map(|(window, known)| (*window, *known)).collect();
    let waiting = moment.some(waiting, ITEMS_MAX);
    let choice = if moment.one_in(12) { Decision::Refuse } else { Decision::Approve };
    let decide = |(window, known): &(WindowId, ProposedSettlement)| SettlementDecisionItem {
        window: window.get().into(),
        decision: choice.number().into(),
        digest: known.digest.bytes(),
        reference: known.reference,
        spare: [0; 22],
    };
    let items: Vec<SettlementDecisionItem> = waiting.iter().map(decide).collect();
    moment.sign(agent, &items)
}
