//! Stepping in: what others may do about an instruction whose gateway is absent, so that nothing
//! is locked in; and the recall of one that is outstanding.
//!
//! Operations: [`step_in`], by two settlement agents; [`recall`], by one.
//!
//! A gateway is absent when it is suspended, has the role no longer, or has been silent for the
//! chain's `step_in_ms` past the due time.
//!
//! Rules of stepping in, in order: spare bytes are zero (201); the reason has a meaning and is the
//! agents' to give (306); the instruction is known (400, 413); the attempt is the present one
//! (412); neither its gateway, nor the one that pays the merchant now, nor the merchant is of the
//! agent's own legal entity (117); it has not arrived (403), failed (404, but for SVNR; the same
//! end again is repeated) or been returned (407); its gateway is absent (414); the agent has not
//! said the same already (repeated). The first agent's word waits; the word of a second agent, of
//! another legal entity, with the same attempt and reason ends the attempt, if the first still is
//! an agent and spoke within `transfer_validity_ms`. Of a recall: 201, 400, 413, 412, 117, 403,
//! 404, 407; recalled already: repeated.
//!
//! SVNR says that the merchant did not deliver. Agents may say it of an attempt that has failed
//! already, when its gateway is absent, or when others ended it, or when it is left alone since: it
//! replaces the reason. Only by this word may others than the paying gateway return the orders (see
//! `returns`).
//!
//! Records: the instruction, failed by the second agent; or recalled.
//!
//! Always: nobody steps in alone or with another of its own house, and the arrival that crosses
//! them still counts.

use chain_state::{InstructionRecord, InstructionStatus, Location, Overlay, StepInWord};
use chain_types::{
    FailureReason, Outcome, Participant, ParticipantId, RecallItem, Rejection, Roles, StepInItem,
};

use crate::absence::{forget, is_absent, is_left_alone, words_of};
use crate::instructions::{Failed, attempt_of, end};
use crate::separation::{self, is_own_party};

/// A settlement agent says that an instruction's gateway is absent and the attempt has failed.
pub(crate) fn step_in(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &StepInItem,
    location: Location,
) -> Outcome {
    let (record, reason) = match check(overlay, submitter, item) {
        Ok(checked) => checked,
        Err(outcome) => return outcome,
    };
    let word = StepInWord {
        attempt: record.attempt,
        reason: reason.number(),
        reference: item.reference,
        time: overlay.time(),
    };
    let words = overlay.tables().step_ins();
    let said = words.range(words_of(&record.id)).map(|((_, agent), said)| (*agent, *said));
    let said: Vec<(ParticipantId, StepInWord)> = said.collect();
    let live = said.into_iter().filter(|(agent, said)| is_live(overlay, *agent, said));
    let same = live.filter(|(_, said)| (said.attempt, said.reason) == (word.attempt, word.reason));
    let agents: Vec<ParticipantId> = same.map(|(agent, _)| agent).collect();
    let is_other = |agent: &ParticipantId| !is_own_party(overlay.state(), submitter, *agent);
    if agents.iter().any(is_other) {
        forget(overlay, &record.id);
        let failed = Failed { reason, by: submitter.id, reference: item.reference, location };
        if record.is_outstanding() {
            end(overlay, record, &failed);
        } else {
            give_reason(overlay, record, &failed);
        }
        return Outcome::APPLIED;
    }
    if agents.contains(&submitter.id) {
        return Outcome::REPEATED;
    }
    overlay.tables().step_ins().put((record.id, submitter.id), word);
    Outcome::APPLIED
}

fn check(
    overlay: &Overlay<'_>,
    submitter: &Participant,
    item: &StepInItem,
) -> Result<(InstructionRecord, FailureReason), Outcome> {
    if item.spare != [0; 10] {
        return Err(Rejection::SpareNotZero.into());
    }
    let of_gateways = [FailureReason::Recalled, FailureReason::AttestedByMistake];
    let reason = FailureReason::from_number(item.reason.get());
    let reason = reason.filter(|reason| !of_gateways.contains(reason));
    let reason = reason.ok_or(Rejection::ReasonUnknown)?;
    let is_not_delivered = reason == FailureReason::ServiceNotRendered;
    let record = attempt_of(overlay, item.instruction(), item.attempt.get())?;
    separation::check_instruction(overlay.state(), submitter, &record)?;
    let since = match record.status {
        InstructionStatus::Instructed => record.deadline,
        InstructionStatus::Failed { reason: recorded, .. }
            if record.is_stepped_in() && recorded == reason.number() =>
        {
            return Err(Outcome::REPEATED);
        }
        InstructionStatus::Failed { time, .. } if is_not_delivered => time,
        status => return Err(ended(status).into()),
    };
    let is_absent = record.is_stepped_in() || is_absent(overlay, record.gateway);
    if !is_absent && !is_left_alone(overlay, since) {
        return Err(Rejection::GatewayPresent.into());
    }
    Ok((record, reason))
}

/// An attempt that has failed already fails for another reason, by others.
fn give_reason(overlay: &mut Overlay<'_>, record: InstructionRecord, failed: &Failed) {
    let status = InstructionStatus::Failed {
        reason: failed.reason.number(),
        by: failed.by,
        time: overlay.time(),
        location: failed.location,
    };
    overlay.put_instruction(InstructionRecord { status, reference: failed.reference, ..record });
}

/// Why nothing can be said any more of an attempt that is not outstanding.
fn ended(status: InstructionStatus) -> Rejection {
    match status {
        InstructionStatus::Arrived { .. } => Rejection::InstructionArrived,
        InstructionStatus::Returned { .. } => Rejection::InstructionReturned,
        InstructionStatus::Failed { .. } | InstructionStatus::Instructed => {
            Rejection::InstructionFailed
        }
    }
}

/// Returns true if a first word still counts.
fn is_live(overlay: &Overlay<'_>, agent: ParticipantId, said: &StepInWord) -> bool {
    let state = overlay.state();
    let agent = state.participant(agent).filter(|agent| !agent.suspended);
    let waits_ms = state.parameters().transfer_validity_ms;
    agent.is_some_and(|agent| agent.roles.any_of(Roles::SETTLEMENT_AGENT))
        && overlay.time() <= said.time.plus(waits_ms)
}

/// A settlement agent asks that an outstanding instruction shall not be paid.
pub(crate) fn recall(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &RecallItem,
) -> Outcome {
    if item.spare != [0; 12] {
        return Rejection::SpareNotZero.into();
    }
    let record = match attempt_of(overlay, item.instruction(), item.attempt.get()) {
        Ok(record) => record,
        Err(rejection) => return rejection.into(),
    };
    if let Err(own) = separation::check_instruction(overlay.state(), submitter, &record) {
        return own.into();
    }
    if !record.is_outstanding() {
        return ended(record.status).into();
    }
    if record.recalled.is_some() {
        return Outcome::REPEATED;
    }
    let recalled = Some(overlay.time());
    overlay.put_instruction(InstructionRecord { recalled, ..record });
    Outcome::APPLIED
}
