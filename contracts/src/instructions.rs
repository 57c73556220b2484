//! Instructions: the paying gateway's word that the money arrived, or why it could not.
//!
//! Operations: [`arrive`] and [`fail`], by the instruction's paying gateway.
//!
//! Rules, in order: spare bytes are zero (201); the reason of a failure has a meaning (306); the
//! instruction is known (400); the submitter pays it (401); the amount is exactly its own (402);
//! it has not arrived (403) or failed (404), but the very same word again is repeated.
//!
//! Records: the instruction's outcome with the bank's reference. After a failure the money stays
//! payable to the merchant.
//!
//! Always: an instruction has one outcome; an arrival debits what the scheme owes the merchant
//! and credits the paying gateway, because that paid the merchant outside.

use chain_state::{
    AccountKey, EntryCause, InstructionRecord, InstructionStatus, Location, Movement, Overlay,
};
use chain_types::{
    Amount, ArrivalItem, FailureItem, FailureReason, InstructionId, Outcome, Participant, Rejection,
};

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
    if Amount(item.amount.get()) != record.amount {
        return Rejection::AmountMismatch.into();
    }
    match record.status {
        InstructionStatus::Instructed => {}
        InstructionStatus::Arrived { .. } if record.reference == item.reference => {
            return Outcome::REPEATED;
        }
        InstructionStatus::Arrived { .. } => return Rejection::InstructionArrived.into(),
        InstructionStatus::Failed { .. } => return Rejection::InstructionFailed.into(),
    }
    overlay.begin(EntryCause::Instruction(record.id));
    let debit = overlay.open(AccountKey::payable(record.id.merchant, record.id.currency));
    let credit = overlay.open(AccountKey::liquidity(record.gateway, record.id.currency));
    let (amount, order_count) = (record.amount, record.order_count);
    if overlay.transfer(&Movement { debit, credit, amount, order_count }).is_err() {
        return Rejection::AccountOverflow.into();
    }
    let status = InstructionStatus::Arrived { time: overlay.time(), location };
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
    }
    let status = InstructionStatus::Failed { reason, time: overlay.time(), location };
    overlay.put_instruction(InstructionRecord { status, reference: item.reference, ..record });
    Outcome::APPLIED
}

fn find(
    overlay: &Overlay<'_>,
    submitter: &Participant,
    id: InstructionId,
) -> Result<InstructionRecord, Rejection> {
    let record = *overlay.instruction(&id).ok_or(Rejection::InstructionUnknown)?;
    if submitter.id == record.gateway { Ok(record) } else { Err(Rejection::NotPayingGateway) }
}
