//! Governance: settlement operators change who may do what, k of n, from a height on.
//!
//! Operations: [`propose`] and [`vote`], by a settlement operator; [`expire`], by block time;
//! [`activate`], by height, as the last thing of a block: the next one executes under the change.
//!
//! Rules of a proposal, in order: the id is a UUIDv7 (200); spare bytes are zero (201); the bytes
//! are a change (803); the id is timely (203, 204) and new (repeated, or 800 for other content);
//! the height leaves the notice (804); the change holds, see [`crate::changes`] (805 to 809). Of a
//! vote: 200, 201, the decision has a meaning (310), the proposal is known (801), the digest is its
//! own (508); the same vote again is repeated; it is still open (802).
//!
//! Records: the proposal at each step, and the registry whenever it changed.
//!
//! Always: a change is in effect only if enough operators who are operators at that moment
//! approved it, and only if it still holds.

use chain_state::{Overlay, ProposalRecord, ProposalStatus, Record, RegistryContent, check_timely};
use chain_types::{
    ApprovalItem, Decision, Height, OrderId, Outcome, Participant, ParticipantId, ProposalItem,
    Rejection, Roles,
};

use crate::changes;

/// An operator proposes a change, and so approves it.
pub(crate) fn propose(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &ProposalItem,
) -> Outcome {
    match check_proposal(overlay, submitter, item) {
        Ok(record) => {
            judge(overlay, record);
            Outcome::APPLIED
        }
        Err(outcome) => outcome,
    }
}

fn check_proposal(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &ProposalItem,
) -> Result<ProposalRecord, Outcome> {
    let id = item.proposal_id();
    if !id.is_uuid_v7() {
        return Err(Rejection::OrderIdInvalid.into());
    }
    if item.spare != [0; 6] {
        return Err(Rejection::SpareNotZero.into());
    }
    let change = item.change().ok_or(Rejection::ChangeMalformed)?;
    check_timely(overlay.state().parameters(), OrderId(id.0), overlay.time())?;
    let digest = item.digest();
    if let Some(known) = overlay.tables().proposals().get(&id) {
        let is_same = known.maker == submitter.id && known.digest == digest;
        return Err(if is_same { Outcome::REPEATED } else { Rejection::ProposalConflict.into() });
    }
    let activation = item.activation_height();
    let notice = overlay.state().parameters().governance_notice_heights;
    if activation.0 < overlay.height().0.saturating_add(notice) {
        return Err(Rejection::ActivationTooEarly.into());
    }
    changes::check(overlay.state(), overlay.next_registry(), &change, activation)?;
    Ok(ProposalRecord {
        id,
        change,
        digest,
        maker: submitter.id,
        proposed: overlay.time(),
        activation,
        approvals: vec![submitter.id],
        refusals: Vec::new(),
        status: ProposalStatus::Proposed,
        failure: 0,
        status_height: overlay.height(),
    })
}

/// An operator approves or refuses a proposal.
pub(crate) fn vote(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &ApprovalItem,
) -> Outcome {
    match check_vote(overlay, submitter, item) {
        Ok(record) => {
            judge(overlay, record);
            Outcome::APPLIED
        }
        Err(outcome) => outcome,
    }
}

fn check_vote(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &ApprovalItem,
) -> Result<ProposalRecord, Outcome> {
    let id = item.proposal_id();
    if !id.is_uuid_v7() {
        return Err(Rejection::OrderIdInvalid.into());
    }
    if item.spare != [0; 14] {
        return Err(Rejection::SpareNotZero.into());
    }
    let decision = Decision::from_number(item.decision.get()).ok_or(Rejection::DecisionUnknown)?;
    let known = overlay.tables().proposals().get(&id).cloned();
    let mut record = known.ok_or(Rejection::ProposalUnknown)?;
    if item.digest != record.digest.0 {
        return Err(Rejection::DecisionMismatch.into());
    }
    let voted = match decision {
        Decision::Approve => &record.approvals,
        Decision::Refuse => &record.refusals,
    };
    if voted.contains(&submitter.id) {
        return Err(Outcome::REPEATED);
    }
    if record.status != ProposalStatus::Proposed {
        return Err(Rejection::ProposalClosed.into());
    }
    // An operator may change its mind as long as the proposal is open.
    record.approvals.retain(|operator| *operator != submitter.id);
    record.refusals.retain(|operator| *operator != submitter.id);
    match decision {
        Decision::Approve => record.approvals.push(submitter.id),
        Decision::Refuse => record.refusals.push(submitter.id),
    }
    Ok(record)
}

/// What the votes so far make of an open proposal.
fn judge(overlay: &mut Overlay<'_>, mut record: ProposalRecord) {
    let state = overlay.state();
    let needed = state.parameters().governance_approvals as usize;
    let operators: Vec<ParticipantId> =
        state.participants().iter().filter(|one| is_operator(one)).map(|one| one.id).collect();
    let count = |votes: &[ParticipantId]| {
        operators.iter().filter(|operator| votes.contains(operator)).count()
    };
    let (approvals, refusals) = (count(&record.approvals), count(&record.refusals));
    let checked = changes::check(state, overlay.next_registry(), &record.change, record.activation);
    if approvals >= needed {
        record.status_height = overlay.height();
        match checked {
            Ok(_) => record.status = ProposalStatus::Scheduled,
            Err(rejection) => fail(&mut record, rejection),
        }
    } else if operators.len().saturating_sub(refusals) < needed {
        record.status = ProposalStatus::Refused;
        record.status_height = overlay.height();
    }
    put(overlay, record);
}

fn fail(record: &mut ProposalRecord, rejection: Rejection) {
    record.status = ProposalStatus::Failed;
    record.failure = rejection.code();
}

/// Whether a participant may vote now.
pub(crate) fn is_operator(participant: &Participant) -> bool {
    !participant.suspended && participant.roles.any_of(Roles::SETTLEMENT_OPERATOR)
}

/// Ends proposals that too few approved in time, and forgets ended ones whose id can never come
/// again.
pub(crate) fn expire(overlay: &mut Overlay<'_>) {
    let parameters = overlay.state().parameters();
    let (waits_ms, kept_ms) = (parameters.proposal_validity_ms, parameters.order_validity_ms);
    let time = overlay.time();
    for record in overlay.state().tables().proposals.values() {
        match record.status {
            ProposalStatus::Proposed if record.proposed.plus(waits_ms) < time => {
                let (status, status_height) = (ProposalStatus::Expired, overlay.height());
                put(overlay, ProposalRecord { status, status_height, ..record.clone() });
            }
            ProposalStatus::Proposed | ProposalStatus::Scheduled => {}
            _ if record.proposed.plus(waits_ms).plus(kept_ms) < time => {
                overlay.tables().proposals().remove(&record.id);
            }
            _ => {}
        }
    }
}

/// Puts into effect every scheduled change whose height comes next, in the order of their heights
/// and ids.
pub(crate) fn activate(overlay: &mut Overlay<'_>) {
    let next = overlay.height().next();
    let mut due: Vec<ProposalRecord> = overlay
        .tables()
        .proposals()
        .range(..)
        .into_iter()
        .map(|(_, record)| record)
        .filter(|record| record.status == ProposalStatus::Scheduled && record.activation <= next)
        .collect();
    due.sort_by_key(|record| (record.activation, record.id));
    for mut record in due {
        record.status_height = overlay.height();
        match take_effect(overlay, &record, next) {
            Ok(()) => record.status = ProposalStatus::Effective,
            Err(rejection) => fail(&mut record, rejection),
        }
        put(overlay, record);
    }
}

fn take_effect(
    overlay: &mut Overlay<'_>,
    record: &ProposalRecord,
    next: Height,
) -> Result<(), Rejection> {
    let before: &RegistryContent = overlay.next_registry();
    match changes::check(overlay.state(), before, &record.change, next)? {
        Some(content) => overlay.replace_registry(content),
        None => changes::put_programme(overlay, &record.change, next),
    }
    Ok(())
}

fn put(overlay: &mut Overlay<'_>, record: ProposalRecord) {
    overlay.tables().proposals().put(record.id, record.clone());
    overlay.record(Record::Proposal(record));
}
