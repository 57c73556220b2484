//! The SLA clock: deadlines in block time, and who missed them.
//!
//! It refuses nothing: what comes late still counts, and the lateness is a fact of the ledger
//! that names the stage and the late party.
//!
//! - Collected: the collecting gateway has its part of the deadline from acceptance. Late when
//!   it collects after that, or when the reservation expires and the gateway had all of it.
//! - Instructed: late when a window closes with an instruction's deadline already past. To blame
//!   is the gateway of its earliest order if that was collected late, else no party: the chain
//!   itself stood still.
//! - Arrived: the paying gateway has until the instruction's deadline. Noticed once, by the first
//!   block past it; an instruction that failed before is not late. Each attempt has its own
//!   due time.
//! - Failed: a gateway that fails one instruction more often in a row than is allowed, or attested
//!   an arrival by mistake.

use chain_state::{
    Breach, BreachStage, BreachSubject, Corridor, Due, DueKey, InstructionRecord, Overlay,
    Reservation, SLA_BUCKETS_MS,
};
use chain_types::{FailureReason, OrderId, TimeMs};

/// Notes a collection that came late.
pub(crate) fn note_collection(overlay: &mut Overlay<'_>, id: OrderId, held: &Reservation) {
    let deadline = held.accepted.plus(overlay.state().parameters().deadline_collect_ms);
    if overlay.time() > deadline {
        let (stage, subject) = (BreachStage::Collected, BreachSubject::Order(id));
        overlay.breach(Breach { stage, late: Some(held.gateway), subject, deadline });
    }
}

/// Notes that nobody collected an order, if its gateway had the time that it has to collect, or had
/// said that it debits the user.
pub(crate) fn note_expiry(
    overlay: &mut Overlay<'_>,
    id: OrderId,
    held: &Reservation,
    was_debiting: bool,
) {
    let deadline = held.accepted.plus(overlay.state().parameters().deadline_collect_ms);
    if held.expires < deadline && !was_debiting {
        return;
    }
    let (stage, subject) = (BreachStage::Collected, BreachSubject::Order(id));
    let deadline = deadline.min(held.expires);
    overlay.breach(Breach { stage, late: Some(held.gateway), subject, deadline });
}

/// Notes an instruction that comes to be with its deadline already past.
pub(crate) fn note_instruction(
    overlay: &mut Overlay<'_>,
    record: &InstructionRecord,
    first: &(DueKey, Due),
    deadline: TimeMs,
) {
    if record.instructed <= deadline {
        return;
    }
    let deadline_collect_ms = overlay.state().parameters().deadline_collect_ms;
    let (key, due) = first;
    let is_collected_late = key.collected > key.accepted.plus(deadline_collect_ms);
    overlay.breach(Breach {
        stage: BreachStage::Instructed,
        late: is_collected_late.then_some(due.gateway),
        subject: BreachSubject::Instruction(record.id),
        deadline,
    });
}

/// Notes a failure that is one too many, or an arrival that was attested by mistake.
pub(crate) fn note_failure(
    overlay: &mut Overlay<'_>,
    record: &InstructionRecord,
    reason: FailureReason,
) {
    let most = overlay.state().parameters().failures_max;
    if u32::from(record.failures) > most || reason == FailureReason::AttestedByMistake {
        overlay.breach(Breach {
            stage: BreachStage::Failed,
            late: Some(record.gateway),
            subject: BreachSubject::Instruction(record.id),
            deadline: record.deadline,
        });
    }
}

/// Counts an instruction's arrival for its paying gateway, within its currency and across. What
/// went before an attempt was others' time.
pub(crate) fn count_arrival(overlay: &mut Overlay<'_>, record: &InstructionRecord) {
    let began = if record.attempt == 1 { record.earliest_accepted } else { record.instructed };
    let took_ms = overlay.time().get().saturating_sub(began.get());
    let is_late = overlay.time() > record.deadline;
    let domestic_count = record.order_count.saturating_sub(record.cross_border_count);
    for (is_cross_border, order_count) in
        [(false, domestic_count), (true, record.cross_border_count)]
    {
        if order_count == 0 {
            continue;
        }
        let corridor = Corridor { payout_currency: record.id.currency, is_cross_border };
        let key = (record.gateway, corridor);
        let mut sla = overlay.tables().sla();
        let mut counters = sla.get(&key).copied().unwrap_or_default();
        counters.instruction_count += 1;
        counters.order_count += order_count;
        counters.late_count += if is_late { order_count } else { 0 };
        let bucket = SLA_BUCKETS_MS.partition_point(|bound_ms| *bound_ms < took_ms);
        counters.buckets[bucket] += order_count;
        sla.put(key, counters);
    }
}

/// Notes every outstanding instruction whose deadline has passed since the block before.
pub(crate) fn notice_overdue(overlay: &mut Overlay<'_>) {
    for id in overlay.state().overdue_instructions(overlay.time()) {
        let Some(record) = overlay.instruction(&id).cloned() else {
            continue;
        };
        overlay.breach(Breach {
            stage: BreachStage::Arrived,
            late: Some(record.gateway),
            subject: BreachSubject::Instruction(id),
            deadline: record.deadline,
        });
    }
}
