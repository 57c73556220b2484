//! Governance: settlement operators change who may do what, k of n, from a height on.
//!
//! Operations: [`propose`] and [`vote`], by a settlement operator; [`expire`], by block time;
//! [`activate`], by height, as the last thing of a block: the next one executes under the change.
//!
//! Rules of a proposal, in order: the id is a UUIDv7 (200); spare bytes are zero (201); the bytes
//! are a change (803); the id is timely (203, 204) and new (repeated, or 800 for other content);
//! the height leaves the notice (804); it is not about the maker's own legal entity (117); the
//! change holds, see [`crate::changes`] (805 to 809, 811). Of a
//! vote: 200, 201, the decision has a meaning (310), the proposal is known (801, or 812 when its id
//! is so old that it may be forgotten), the digest is its own (508); the same vote again is
//! repeated; the change is not in effect and not closed (802), and not about the operator's own
//! legal entity (117).
//!
//! Words are counted by houses: the operators of one legal entity have one. A house refuses when
//! one of its operators does, and approves when one does and none refuses. A change is carried as
//! long as enough houses approve it, and more than refuse it. It takes effect at its height, but no
//! earlier than the notice after the word that carried it. Until then every operator may change its
//! word: as many refusals as approvals call it off for good, and too few approvals without that
//! open it again. Who is an operator, and of which house, is asked at each word, and once more when
//! it takes effect (810).
//!
//! Records: the proposal at each step; keys, validators, parameters and version when one of these
//! changed.
//!
//! Always: a change is in effect only if operators of enough legal entities, who are operators at
//! that moment, approved it, the whole notice after the last approval that it needed, and only if
//! it still holds.

use std::collections::BTreeMap;

use chain_state::{DueFor, Overlay, ProposalRecord, ProposalStatus, Record, check_timely};
use chain_types::{
    ApprovalItem, Change, Decision, Height, House, OrderId, Outcome, Participant, ParticipantId,
    ProposalItem, Rejection, TimeMs,
};

use crate::{changes, lists, separation};

/// An operator proposes a change, and so approves it.
pub(crate) fn propose(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &ProposalItem,
) -> Outcome {
    match check_proposal(overlay, submitter, item) {
        Ok(record) => {
            judge(overlay, record, false);
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
    check_timely(overlay.state().parameters(), OrderId::from_bytes(id.bytes()), overlay.time())?;
    let digest = item.digest();
    if let Some(known) = overlay.tables().proposals().get(&id) {
        let is_same = known.maker == submitter.id && known.digest == digest;
        return Err(if is_same { Outcome::REPEATED } else { Rejection::ProposalConflict.into() });
    }
    let activation = item.activation_height();
    let notice = overlay.state().parameters().governance_notice_heights;
    if activation.get() < overlay.height().get().saturating_add(notice) {
        return Err(Rejection::ActivationTooEarly.into());
    }
    match &change {
        Change::List { digest, count } => {
            lists::propose(overlay, submitter, id, (*digest, *count), activation)?;
        }
        _ => {
            separation::check_change(overlay, submitter, &change)?;
            changes::check(overlay, &change, activation)?;
        }
    }
    Ok(ProposalRecord {
        id,
        change,
        digest,
        maker: submitter.id,
        proposed: overlay.time(),
        activation,
        due: activation,
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
        Ok((record, was_carried)) => {
            judge(overlay, record, was_carried);
            Outcome::APPLIED
        }
        Err(outcome) => outcome,
    }
}

fn check_vote(
    overlay: &mut Overlay<'_>,
    submitter: &Participant,
    item: &ApprovalItem,
) -> Result<(ProposalRecord, bool), Outcome> {
    let id = item.proposal_id();
    if !id.is_uuid_v7() {
        return Err(Rejection::OrderIdInvalid.into());
    }
    if item.spare != [0; 14] {
        return Err(Rejection::SpareNotZero.into());
    }
    let decision = Decision::from_number(item.decision.get()).ok_or(Rejection::DecisionUnknown)?;
    let known = overlay.tables().proposals().get(&id).cloned();
    let Some(mut record) = known else {
        let untimely = check_timely(
            overlay.state().parameters(),
            OrderId::from_bytes(id.bytes()),
            overlay.time(),
        );
        // What has left its validity may have been known and forgotten.
        let is_over = untimely == Err(Rejection::OrderIdExpired);
        let unknown = if is_over { Rejection::ProposalTooOld } else { Rejection::ProposalUnknown };
        return Err(unknown.into());
    };
    if item.digest != record.digest.bytes() {
        return Err(Rejection::DecisionMismatch.into());
    }
    let voted = match decision {
        Decision::Approve => &record.approvals,
        Decision::Refuse => &record.refusals,
    };
    if voted.contains(&submitter.id) {
        return Err(Outcome::REPEATED);
    }
    if !matches!(record.status, ProposalStatus::Proposed | ProposalStatus::Scheduled) {
        return Err(Rejection::ProposalClosed.into());
    }
    if concerns(overlay, submitter, &record) {
        return Err(Rejection::OwnEntity.into());
    }
    let was_carried = is_carried(overlay, &record);
    // An operator may change its mind until the change is in effect.
    record.approvals.retain(|operator| *operator != submitter.id);
    record.refusals.retain(|operator| *operator != submitter.id);
    match decision {
        Decision::Approve => record.approvals.push(submitter.id),
        Decision::Refuse => record.refusals.push(submitter.id),
    }
    Ok((record, was_carried))
}

/// Returns true if a proposal is about an operator's own legal entity.
fn concerns(overlay: &Overlay<'_>, operator: &Participant, record: &ProposalRecord) -> bool {
    match record.change {
        Change::List { .. } => lists::concerns(overlay, operator, record),
        _ => separation::concerns(overlay, operator, &record.change),
    }
}

/// An operator's word about a proposal, or a legal entity's: the greatest of its operators'.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    Silent,
    Approves,
    Refuses,
}

/// How many houses of a registry's operators say what of a proposal.
struct Words {
    approvals: usize,
    refusals: usize,
    silent: usize,
    needed: usize,
}

impl Words {
    /// Nobody's word counts about its own legal entity.
    fn of(overlay: &Overlay<'_>, record: &ProposalRecord) -> Self {
        let registry = overlay.next_registry();
        let approvals = record.approvals.iter().map(|id| (*id, Word::Approves));
        let refusals = record.refusals.iter().map(|id| (*id, Word::Refuses));
        let said: BTreeMap<ParticipantId, Word> = approvals.chain(refusals).collect();
        let operators = registry
            .participants
            .iter()
            .filter(|one| changes::is_operator(one) && !concerns(overlay, one, record));
        let mut houses: BTreeMap<House<'_>, Word> = BTreeMap::new();
        for operator in operators {
            let word = said.get(&operator.id).copied().unwrap_or(Word::Silent);
            let of_house = houses.entry(operator.house()).or_insert(word);
            *of_house = word.max(*of_house);
        }
        let count = |word| houses.values().filter(|known| **known == word).count();
        Self {
            approvals: count(Word::Approves),
            refusals: count(Word::Refuses),
            silent: count(Word::Silent),
            needed: registry.parameters.governance_approvals as usize,
        }
    }

    /// Enough approve, and more than refuse.
    fn carry(&self) -> bool {
        self.approvals >= self.needed && self.approvals > self.refusals
    }

    /// Those who do not refuse are too few, even if all of them approve.
    fn rule_out(&self) -> bool {
        self.approvals + self.silent < self.needed
    }

    /// As many refuse as approve.
    fn call_off(&self) -> bool {
        self.refusals >= self.approvals
    }
}

/// Applies an operator's new word to an open proposal. `was_carried` is true if it had enough
/// approvals before: a change that is carried again waits for the notice again.
fn judge(overlay: &mut Overlay<'_>, mut record: ProposalRecord, was_carried: bool) {
    let state = overlay.state();
    let words = Words::of(overlay, &record);
    let is_scheduled = record.status == ProposalStatus::Scheduled;
    let status = match () {
        () if words.carry() && is_scheduled && was_carried => ProposalStatus::Scheduled,
        () if words.carry() => {
            let notice = state.parameters().governance_notice_heights;
            let earliest = overlay.height().plus(notice);
            record.due = record.due.max(earliest);
            match check_carried(overlay, &record) {
                Ok(()) => ProposalStatus::Scheduled,
                Err(rejection) => {
                    record.failure = rejection.code();
                    ProposalStatus::Failed
                }
            }
        }
        () if words.rule_out() || (is_scheduled && words.call_off()) => ProposalStatus::Refused,
        () => ProposalStatus::Proposed,
    };
    if status != record.status || (words.carry() && !was_carried) {
        record.status_height = overlay.height();
    }
    record.status = status;
    put(overlay, record);
}

/// Checks that what is carried holds still. A list was looked at when it was proposed, and is when
/// it takes effect.
fn check_carried(overlay: &Overlay<'_>, record: &ProposalRecord) -> Result<(), Rejection> {
    match record.change {
        Change::List { .. } => Ok(()),
        _ => changes::check(overlay, &record.change, record.due).map(|_| ()),
    }
}

/// Returns true if the operators of this block carry a proposal by what they have said so far.
fn is_carried(overlay: &Overlay<'_>, record: &ProposalRecord) -> bool {
    Words::of(overlay, record).carry()
}

fn fail(record: &mut ProposalRecord, rejection: Rejection) {
    record.status = ProposalStatus::Failed;
    record.failure = rejection.code();
}

/// Ends proposals that too few approved in time, and forgets ended ones whose id can never come
/// again.
pub(crate) fn expire(overlay: &mut Overlay<'_>) {
    let state = overlay.state();
    let parameters = state.parameters();
    let (waits_ms, kept_ms) = (parameters.proposal_validity_ms, parameters.order_validity_ms);
    let time = overlay.time();
    let (proposals, dues) = (&state.tables().proposals, &state.tables().dues().proposals);
    let is_late = |proposed| TimeMs::new(proposed).plus(waits_ms) < time;
    for id in dues.past(DueFor::Decision, is_late) {
        if let Some(record) = proposals.get(&id) {
            let (status, status_height) = (ProposalStatus::Expired, overlay.height());
            put(overlay, ProposalRecord { status, status_height, ..record.clone() });
        }
    }
    let is_over = |proposed| TimeMs::new(proposed).plus(waits_ms).plus(kept_ms) < time;
    for id in dues.past(DueFor::Oblivion, is_over) {
        overlay.tables().proposals().remove(&id);
    }
}

/// Puts into effect every scheduled change whose height comes next, in the order of their heights
/// and ids.
pub(crate) fn activate(overlay: &mut Overlay<'_>) {
    let next = overlay.height().next();
    let state = overlay.state();
    let is_next = |due| Height::new(due) <= next;
    let ids = state.tables().dues().proposals.past(DueFor::Height, is_next);
    let proposals = overlay.tables().proposals();
    let known = ids.iter().filter_map(|id| proposals.get(id));
    let of_this_block = proposals.put_so_far();
    let of_this_block = of_this_block.filter(|(id, _)| !ids.contains(id)).map(|(_, record)| record);
    let is_due =
        |record: &&ProposalRecord| record.status == ProposalStatus::Scheduled && record.due <= next;
    let mut due: Vec<ProposalRecord> = known.chain(of_this_block).filter(is_due).cloned().collect();
    due.sort_by_key(|record| (record.due, record.id));
    let mut has_list = false;
    for mut record in due {
        if matches!(record.change, Change::List { .. }) && std::mem::replace(&mut has_list, true) {
            // One list a block.
            record.due = next.next();
            put(overlay, record);
            continue;
        }
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
    lists::look_again(overlay, record);
    if !Words::of(overlay, record).carry() {
        return Err(Rejection::ApprovalsMissing);
    }
    if matches!(record.change, Change::List { .. }) {
        return lists::take_effect(overlay, record, next);
    }
    let after = changes::check(overlay, &record.change, next)?;
    changes::put(overlay, &record.change, after, next);
    Ok(())
}

fn put(overlay: &mut Overlay<'_>, record: ProposalRecord) {
    if !matches!(record.status, ProposalStatus::Proposed | ProposalStatus::Scheduled) {
        lists::close(overlay, &record);
    }
    overlay.tables().proposals().put(record.id, record.clone());
    overlay.record(Record::Proposal(record));
}
