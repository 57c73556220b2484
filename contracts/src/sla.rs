//! The SLA clock: deadlines in block time, and who missed them.
//!
//! It refuses nothing: what comes late still counts, and the lateness is a fact of the ledger
//! that names the stage and the late party.
//!
//! - Collected: the collecting gateway has its part of the deadline from acceptance. Late when
//!   it collects after that, or when the reservation expires.
//! - Instructed: late when a window closes with an instruction's deadline already past. To blame
//!   is the gateway of its earliest order if that was collected late, else no party: the chain
//!   itself stood still.
//! - Arrived: the paying gateway has until the instruction's deadline. Noticed once, by the first
//!   block past it; an instruction that failed before is not late.

use chain_state::{
    Breach, BreachSubject, Collected, InstructionRecord, Overlay, Reservation, Stage,
};
use chain_types::OrderId;

/// Notes a collection that came late.
pub(crate) fn note_collection(overlay: &mut Overlay<'_>, id: OrderId, held: &Reservation) {
    let deadline = held.accepted.plus(overlay.state().parameters().deadline_collect_ms);
    if overlay.time() > deadline {
        let (stage, subject) = (Stage::Collected, BreachSubject::Order(id));
        overlay.breach(Breach { stage, late: Some(held.gateway), subject, deadline });
    }
}

/// Notes that nobody collected an order.
pub(crate) fn note_expiry(overlay: &mut Overlay<'_>, id: OrderId, held: &Reservation) {
    let by_stage = held.accepted.plus(overlay.state().parameters().deadline_collect_ms);
    let (stage, subject) = (Stage::Collected, BreachSubject::Order(id));
    let deadline = by_stage.min(held.expires);
    overlay.breach(Breach { stage, late: Some(held.gateway), subject, deadline });
}

/// Notes an instruction that comes to be with its deadline already past.
pub(crate) fn note_instruction(
    overlay: &mut Overlay<'_>,
    record: &InstructionRecord,
    collected: &Collected,
) {
    if record.instructed <= record.deadline {
        return;
    }
    let deadline_collect_ms = overlay.state().parameters().deadline_collect_ms;
    let in_time = collected.earliest_accepted.plus(deadline_collect_ms);
    let is_collected_late = collected.earliest_collected > in_time;
    overlay.breach(Breach {
        stage: Stage::Instructed,
        late: is_collected_late.then_some(collected.earliest_gateway),
        subject: BreachSubject::Instruction(record.id),
        deadline: record.deadline,
    });
}

/// Notes every outstanding instruction whose deadline has passed since the block before.
pub(crate) fn notice_overdue(overlay: &mut Overlay<'_>) {
    for id in overlay.state().overdue_instructions(overlay.time()) {
        let Some(record) = overlay.instruction(&id).copied() else {
            continue;
        };
        overlay.breach(Breach {
            stage: Stage::Arrived,
            late: Some(record.gateway),
            subject: BreachSubject::Instruction(id),
            deadline: record.deadline,
        });
    }
}
