//! Instructions: the paying gateway's word that the money arrived, or why it could not; and a
//! failed one given again.
//!
//! Operations: [`arrive`] and [`fail`], by the instruction's paying gateway; [`reinstruct`], by a
//! settlement agent, once what made it fail is corrected.
//!
//! Rules, in order: spare bytes are zero (201); the reason of a failure has a meaning (306); the
//! instruction is known (400); the submitter pays it (401); the amount is exactly what is left of
//! it (402); it has not arrived (403), failed (404) or been returned (407), but the very same word
//! again is repeated. Of giving it again: 201, 400; it has failed (406, 407); the merchant's entry
//! was changed since, or the bank's own systems had failed (405); the gateway that pays the
//! merchant now is not suspended (213).
//!
//! Records: the instruction's outcome with the bank's reference. After a failure the money stays
//! payable to the merchant until it is instructed again or its orders are returned.
//!
//! Always: an instruction has one outcome; an arrival debits what the scheme owes the merchant
//! and credits the paying gateway, because that paid the merchant outside.

use chain_state::{
    AccountKey, EntryCause, InstructionRecord, InstructionStatus, Location, Movement, Overlay,
};
use chain_types::{
    Amount, ArrivalItem, FailureItem, FailureReason, InstructionId, Outcome, Participant,
    ParticipantId, ReinstructItem, Rejection,
};

use crate::sla;

/// The paying gateway attests that the instruction's money was credited.
pub(crate) fn arrive(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &ArrivalItem,
    location: Location,
) -> Outcome {
    if item.spare != [0; 6] {
        return Rejection::SpareNotZero.into();
    }
    let record = match find(overlay, submitter, item.instruction()) {
        Ok(record) => record,
        Err(rejection) => return rejection.into(),
    };
    if Amount(item.amount.get()) != record.left() {
        return Rejection::AmountMismatch.into();
    }
    match record.status {
        InstructionStatus::Instructed => {}
        InstructionStatus::Arrived { .. } if record.reference == item.reference => {
            return Outcome::REPEATED;
        }
        InstructionStatus::Arrived { .. } => return Rejection::InstructionArrived.into(),
        InstructionStatus::Failed { .. } => return Rejection::InstructionFailed.into(),
        InstructionStatus::Returned { .. } => return Rejection::InstructionReturned.into(),
    }
    overlay.begin(EntryCause::Instruction(record.id));
    let debit = overlay.open(AccountKey::payable(record.id.merchant, record.id.currency));
    let credit = overlay.open(AccountKey::liquidity(record.gateway, record.id.currency));
    let (amount, order_count) = (record.left(), record.order_count);
    if overlay.transfer(&Movement { debit, credit, amount, order_count }).is_err() {
        return Rejection::AccountOverflow.into();
    }
    let status = InstructionStatus::Arrived { time: overlay.time(), location };
    overlay.put_instruction(InstructionRecord { status, reference: item.reference, ..record });
    sla::count_arrival(overlay, &record);
    Outcome::APPLIED
}

/// The paying gateway attests that it could not pay.
pub(crate) fn fail(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &FailureItem,
    location: Location,
) -> Outcome {
    if item.spare != [0; 12] {
        return Rejection::SpareNotZero.into();
    }
    let reason = item.reason.get();
    if FailureReason::from_number(reason).is_none() {
        return Rejection::ReasonUnknown.into();
    }
    let record = match find(overlay, submitter, item.instruction()) {
        Ok(record) => record,
        Err(rejection) => return rejection.into(),
    };
    match record.status {
        InstructionStatus::Instructed => {}
        InstructionStatus::Failed { reason: recorded, .. }
            if recorded == reason && record.reference == item.reference =>
        {
            return Outcome::REPEATED;
        }
        InstructionStatus::Arrived { .. } => return Rejection::InstructionArrived.into(),
        InstructionStatus::Failed { .. } => return Rejection::InstructionFailed.into(),
        InstructionStatus::Returned { .. } => return Rejection::InstructionReturned.into(),
    }
    let status = InstructionStatus::Failed { reason, time: overlay.time(), location };
    overlay.put_instruction(InstructionRecord { status, reference: item.reference, ..record });
    Outcome::APPLIED
}

/// A settlement agent gives a failed instruction again, to the merchant's present gateway.
pub(crate) fn reinstruct(overlay: &mut Overlay<'_>, item: &ReinstructItem) -> Outcome {
    match check_correction(overlay, item) {
        Ok((record, gateway)) => {
            let currency = record.id.currency;
            let before = overlay.open(AccountKey::liquidity(record.gateway, currency));
            let now = overlay.open(AccountKey::liquidity(gateway, currency));
            overlay.net(before, now, u128::from(record.left().0));
            let instructed = overlay.time();
            let deadline_ms = overlay.state().parameters().deadline_domestic_ms;
            overlay.put_instruction(InstructionRecord {
                gateway,
                attempt: record.attempt.saturating_add(1),
                instructed,
                deadline: instructed.plus(deadline_ms),
                status: InstructionStatus::Instructed,
                reference: item.reference,
                ..record
            });
            Outcome::APPLIED
        }
        Err(outcome) => outcome,
    }
}

/// The failed instruction, and the gateway that shall pay it now.
fn check_correction(
    overlay: &Overlay<'_>,
    item: &ReinstructItem,
) -> Result<(InstructionRecord, ParticipantId), Outcome> {
    if item.spare != [0; 14] {
        return Err(Rejection::SpareNotZero.into());
    }
    let id = item.instruction();
    let record = *overlay.instruction(&id).ok_or(Rejection::InstructionUnknown)?;
    let (reason, location) = match record.status {
        InstructionStatus::Failed { reason, location, .. } => (reason, location),
        InstructionStatus::Instructed
            if record.attempt > 1 && record.reference == item.reference =>
        {
            return Err(Outcome::REPEATED);
        }
        InstructionStatus::Returned { .. } => {
            return Err(Rejection::InstructionReturned.into());
        }
        _ => return Err(Rejection::InstructionNotFailed.into()),
    };
    let state = overlay.state();
    let changed = state.registry().merchants_changed.get(&id.merchant);
    let is_corrected = changed.is_some_and(|since| *since > location.height)
        || reason == FailureReason::BankUnavailable.number();
    if !is_corrected {
        return Err(Rejection::CorrectionMissing.into());
    }
    let gateway = state.merchant(id.merchant).map(|merchant| merchant.payout_gateway);
    let payer = gateway.and_then(|gateway| state.participant(gateway));
    let payer = payer.filter(|payer| !payer.suspended).ok_or(Rejection::GatewaySuspended)?;
    Ok((record, payer.id))
}

fn find(
    overlay: &Overlay<'_>,
    submitter: &Participant,
    id: InstructionId,
) -> Result<InstructionRecord, Rejection> {
    let record = *overlay.instruction(&id).ok_or(Rejection::InstructionUnknown)?;
    if submitter.id == record.gateway { Ok(record) } else { Err(Rejection::NotPayingGateway) }
}
