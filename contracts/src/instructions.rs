//! Instructions: the paying gateway's word that the money arrived, or why it could not; and a
//! failed one given again.
//!
//! Operations: [`arrive`] and [`fail`], by the instruction's paying gateway; [`reinstruct`], by a
//! settlement agent, once what made it fail is corrected. `bounces` and `stepping_in` hold the
//! others.
//!
//! Rules, in order: spare bytes are zero (201); the reason of a failure has a meaning (306); the
//! instruction is known (400 while its window may be open, else 413); the attempt is the present
//! one (412); the submitter pays it (401); the amount is exactly what is left of it (402); it has
//! not arrived (403), failed (404) or been returned (407), but the very same word again is
//! repeated; a failure is called recalled only after a recall (418). Of giving it again: 201, 400,
//! 413; the very same word again is repeated; 412; neither its gateway, nor the one that pays the
//! merchant now, nor the merchant is of the agent's own legal entity (117); it has failed (407,
//! 406); the merchant's entry was changed since the attempt was given, or nothing needs to be, or
//! it was left alone for long (405); the gateway that pays the merchant now is not suspended (213).
//!
//! Records: the instruction's outcome with the bank's reference. After a failure the money stays
//! payable to the merchant, and in suspense between the banks, until it is instructed again or its
//! orders are returned.
//!
//! Always: an attempt has one outcome; an arrival debits what the scheme owes the merchant
//! and credits the paying gateway, because that paid the merchant outside.

use chain_state::{
    AccountKey, EntryCause, InstructionRecord, InstructionStatus, Location, Movement, Overlay,
};
use chain_types::{
    ArrivalItem, FailureItem, FailureReason, InstructionId, Outcome, Participant, ParticipantId,
    ReinstructItem, Rejection,
};

use crate::{absence, promises, separation, sla};

/// The paying gateway attests that the instruction's money was credited.
pub(crate) fn arrive(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &ArrivalItem,
    location: Location,
) -> Outcome {
    match check_arrival(overlay, submitter, item) {
        Ok(record) => book_arrival(overlay, item, record, location),
        Err(outcome) => outcome,
    }
}

fn check_arrival(
    overlay: &Overlay<'_>,
    submitter: &Participant,
    item: &ArrivalItem,
) -> Result<InstructionRecord, Outcome> {
    if item.spare != [0; 4] {
        return Err(Rejection::SpareNotZero.into());
    }
    let record = attempt_of(overlay, item.instruction(), item.attempt.get())?;
    check_payer(submitter, &record)?;
    if item.amount.get() != record.left().get() {
        return Err(Rejection::AmountMismatch.into());
    }
    match record.status {
        InstructionStatus::Instructed => Ok(record),
        // The arrival crossed the agents who stepped in: the money is there.
        InstructionStatus::Failed { .. } if record.is_stepped_in() => Ok(record),
        InstructionStatus::Arrived { .. } if record.reference == item.reference => {
            Err(Outcome::REPEATED)
        }
        InstructionStatus::Arrived { .. } => Err(Rejection::InstructionArrived.into()),
        InstructionStatus::Failed { .. } => Err(Rejection::InstructionFailed.into()),
        InstructionStatus::Returned { .. } => Err(Rejection::InstructionReturned.into()),
    }
}

fn book_arrival(
    overlay: &mut Overlay<'_>,
    item: &ArrivalItem,
    record: InstructionRecord,
    location: Location,
) -> Outcome {
    let currency = record.id.currency;
    overlay.begin(EntryCause::Instruction(record.id));
    let debit = overlay.open(AccountKey::payable(record.id.merchant, currency));
    let credit = overlay.open(AccountKey::liquidity(record.gateway, currency));
    let (amount, order_count) = (record.left(), record.order_count);
    if overlay.transfer(&Movement { debit, credit, amount, order_count }).is_err() {
        return Rejection::AccountOverflow.into();
    }
    if !record.is_outstanding() {
        let suspense = overlay.open(AccountKey::suspense(currency));
        overlay.net(suspense, credit, u128::from(amount.get()));
    }
    promises::arrive(overlay, &record);
    let status = InstructionStatus::Arrived { time: overlay.time(), location };
    absence::forget(overlay, &record.id);
    sla::count_arrival(overlay, &record);
    overlay.put_instruction(InstructionRecord { status, reference: item.reference, ..record });
    Outcome::APPLIED
}

/// The paying gateway attests that it could not pay.
pub(crate) fn fail(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &FailureItem,
    location: Location,
) -> Outcome {
    match check_failure(overlay, submitter, item) {
        Ok((record, reason)) => {
            absence::forget(overlay, &record.id);
            let failed = Failed { reason, by: submitter.id, reference: item.reference, location };
            end(overlay, record, &failed);
            Outcome::APPLIED
        }
        Err(outcome) => outcome,
    }
}

fn check_failure(
    overlay: &Overlay<'_>,
    submitter: &Participant,
    item: &FailureItem,
) -> Result<(InstructionRecord, FailureReason), Outcome> {
    if item.spare != [0; 10] {
        return Err(Rejection::SpareNotZero.into());
    }
    let reason = FailureReason::from_number(item.reason.get());
    let of_others = [FailureReason::AttestedByMistake, FailureReason::ServiceNotRendered];
    let reason = reason.filter(|reason| !of_others.contains(reason));
    let reason = reason.ok_or(Rejection::ReasonUnknown)?;
    let record = attempt_of(overlay, item.instruction(), item.attempt.get())?;
    check_payer(submitter, &record)?;
    match record.status {
        InstructionStatus::Instructed => {}
        InstructionStatus::Failed { reason: recorded, by, .. }
            if (recorded, by) == (reason.number(), submitter.id)
                && record.reference == item.reference =>
        {
            return Err(Outcome::REPEATED);
        }
        InstructionStatus::Arrived { .. } => return Err(Rejection::InstructionArrived.into()),
        InstructionStatus::Failed { .. } => return Err(Rejection::InstructionFailed.into()),
        InstructionStatus::Returned { .. } => return Err(Rejection::InstructionReturned.into()),
    }
    if reason == FailureReason::Recalled && record.recalled.is_none() {
        return Err(Rejection::RecallMissing.into());
    }
    Ok((record, reason))
}

/// How an attempt ended without the money at the merchant.
pub(crate) struct Failed {
    pub(crate) reason: FailureReason,
    pub(crate) by: ParticipantId,
    pub(crate) reference: [u8; 32],
    pub(crate) location: Location,
}

/// Ends an attempt: what the window would have paid its gateway goes to suspense.
pub(crate) fn end(overlay: &mut Overlay<'_>, record: InstructionRecord, failed: &Failed) {
    let currency = record.id.currency;
    let gateway = overlay.open(AccountKey::liquidity(record.gateway, currency));
    let suspense = overlay.open(AccountKey::suspense(currency));
    overlay.net(gateway, suspense, u128::from(record.left().get()));
    let counts = failed.by == record.gateway && failed.reason != FailureReason::Recalled;
    let failures = record.failures.saturating_add(u16::from(counts));
    let status = InstructionStatus::Failed {
        reason: failed.reason.number(),
        by: failed.by,
        time: overlay.time(),
        location: failed.location,
    };
    let changed = InstructionRecord { status, failures, reference: failed.reference, ..record };
    if counts {
        sla::note_failure(overlay, &changed, failed.reason);
    }
    overlay.put_instruction(changed);
}

/// A settlement agent gives a failed instruction again, to the merchant's present gateway.
pub(crate) fn reinstruct(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &ReinstructItem,
) -> Outcome {
    let (record, attempt, gateway) = match check_correction(overlay, submitter, item) {
        Ok(checked) => checked,
        Err(outcome) => return outcome,
    };
    let currency = record.id.currency;
    absence::forget(overlay, &record.id);
    let suspense = overlay.open(AccountKey::suspense(currency));
    let now = overlay.open(AccountKey::liquidity(gateway, currency));
    overlay.net(suspense, now, u128::from(record.left().get()));
    let instructed = overlay.time();
    let deadline_ms = overlay.state().parameters().deadline_domestic_ms;
    overlay.put_instruction(InstructionRecord {
        gateway,
        attempt,
        attempt_height: overlay.height(),
        failures: if gateway == record.gateway { record.failures } else { 0 },
        recalled: None,
        instructed,
        deadline: instructed.plus(deadline_ms),
        status: InstructionStatus::Instructed,
        reference: item.reference,
        ..record
    });
    Outcome::APPLIED
}

/// The failed instruction, its next attempt, and the gateway that shall pay it now.
fn check_correction(
    overlay: &Overlay<'_>,
    submitter: &Participant,
    item: &ReinstructItem,
) -> Result<(InstructionRecord, u16, ParticipantId), Outcome> {
    if item.spare != [0; 12] {
        return Err(Rejection::SpareNotZero.into());
    }
    let (id, attempt) = (item.instruction(), item.attempt.get());
    let record = find(overlay, id)?;
    let is_given = record.is_outstanding() && attempt.checked_add(1) == Some(record.attempt);
    if is_given && record.reference == item.reference {
        return Err(Outcome::REPEATED);
    }
    if attempt != record.attempt {
        return Err(Rejection::AttemptOther.into());
    }
    separation::check_instruction(overlay.state(), submitter, &record)?;
    let (reason, failed) = match record.status {
        InstructionStatus::Failed { reason, time, .. } => (reason, time),
        InstructionStatus::Returned { .. } => return Err(Rejection::InstructionReturned.into()),
        InstructionStatus::Instructed | InstructionStatus::Arrived { .. } => {
            return Err(Rejection::InstructionNotFailed.into());
        }
    };
    let state = overlay.state();
    let changed = state.merchant_changed(id.merchant);
    let needs_none =
        FailureReason::from_number(reason).is_some_and(FailureReason::needs_no_correction);
    let is_corrected = changed.is_some_and(|since| since > record.attempt_height);
    if !is_corrected && !needs_none && !absence::is_left_alone(overlay, failed) {
        return Err(Rejection::CorrectionMissing.into());
    }
    let gateway = state.merchant(id.merchant).map(|merchant| merchant.payout_gateway);
    let payer = gateway.and_then(|gateway| state.participant(gateway));
    let payer = payer.filter(|payer| !payer.suspended).ok_or(Rejection::GatewaySuspended)?;
    let next = attempt.checked_add(1).ok_or(Rejection::AccountOverflow)?;
    Ok((record, next, payer.id))
}

/// An instruction that the state still knows.
pub(crate) fn find(
    overlay: &Overlay<'_>,
    id: InstructionId,
) -> Result<InstructionRecord, Rejection> {
    overlay.instruction(&id).cloned().ok_or_else(|| missing(overlay, id))
}

/// Why an instruction is not known: its window may be open, or all is over.
pub(crate) fn missing(overlay: &Overlay<'_>, id: InstructionId) -> Rejection {
    if id.window < overlay.window().id {
        Rejection::InstructionEnded
    } else {
        Rejection::InstructionUnknown
    }
}

/// An instruction whose present attempt is the one that is named.
pub(crate) fn attempt_of(
    overlay: &Overlay<'_>,
    id: InstructionId,
    attempt: u16,
) -> Result<InstructionRecord, Rejection> {
    let record = find(overlay, id)?;
    if record.attempt == attempt { Ok(record) } else { Err(Rejection::AttemptOther) }
}

pub(crate) fn check_payer(
    submitter: &Participant,
    record: &InstructionRecord,
) -> Result<(), Rejection> {
    if submitter.id == record.gateway { Ok(()) } else { Err(Rejection::NotPayingGateway) }
}
