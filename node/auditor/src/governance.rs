//! Section 13, governance: proposals of changes, approvals, and when a change takes effect.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::{
    ApprovalItem, Change, Decision, Outcome, ParticipantId, ProposalId, ProposalItem, Rejection,
};

use crate::auditor::{Auditor, Verdict};
use crate::orders::{check_form, refuse_if, repeated};

/// Where a proposal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProposalStatus {
    /// It waits for operators.
    Voting,
    /// Enough of them approved; it waits for its height.
    Scheduled,
    /// It took effect, was refused, expired, or did not hold in the end.
    Closed,
}

/// A proposal that was accepted for decision.
#[derive(Debug, Clone)]
struct Proposal {
    item: ProposalItem,
    change: Change,
    maker: ParticipantId,
    approvals: BTreeSet<ParticipantId>,
    refusals: BTreeSet<ParticipantId>,
    /// The block time at which it was proposed.
    proposed: u64,
    status: ProposalStatus,
}

impl Proposal {
    fn has_said(&self, operator: ParticipantId, decision: Decision) -> bool {
        match decision {
            Decision::Approve => self.approvals.contains(&operator),
            Decision::Refuse => self.refusals.contains(&operator),
        }
    }

    /// An operator's latest word counts.
    fn say(&mut self, operator: ParticipantId, decision: Decision) {
        let (joined, left) = match decision {
            Decision::Approve => (&mut self.approvals, &mut self.refusals),
            Decision::Refuse => (&mut self.refusals, &mut self.approvals),
        };
        joined.insert(operator);
        left.remove(&operator);
    }
}

/// Every proposal that was accepted for decision.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proposals {
    all: BTreeMap<ProposalId, Proposal>,
}

impl Auditor {
    /// Rules of a change's proposal.
    pub(crate) fn propose(&mut self, item: &ProposalItem, maker: ParticipantId) -> Verdict {
        check_form(item.proposal_id().is_uuid_v7(), &item.spare)?;
        let change = item.change().ok_or(Rejection::ChangeMalformed)?;
        self.check_timely(item.proposal_id().time())?;
        if let Some(known) = self.proposals.all.get(&item.proposal_id()) {
            let is_same = known.item == *item && known.maker == maker;
            return repeated(is_same, Rejection::ProposalConflict);
        }
        let parameters = &self.registry.parameters;
        let earliest = self.height.saturating_add(parameters.governance_notice_heights);
        let activation = item.activation_height.get();
        refuse_if(activation < earliest, Rejection::ActivationTooEarly)?;
        self.registry.changed(&change, activation)?;
        let mut proposal = Proposal {
            item: *item,
            change,
            maker,
            approvals: BTreeSet::from([maker]),
            refusals: BTreeSet::new(),
            proposed: self.time,
            status: ProposalStatus::Voting,
        };
        self.count_words(&mut proposal);
        self.proposals.all.insert(item.proposal_id(), proposal);
        Ok(Outcome::APPLIED)
    }

    /// Rules of an approval or a refusal.
    pub(crate) fn approve(&mut self, item: &ApprovalItem, operator: ParticipantId) -> Verdict {
        check_form(item.proposal_id().is_uuid_v7(), &item.spare)?;
        let decision = Decision::from_number(item.decision.get());
        let decision = decision.ok_or(Rejection::DecisionUnknown)?;
        let known = self.proposals.all.get(&item.proposal_id());
        let mut proposal = known.ok_or(Rejection::ProposalUnknown)?.clone();
        let is_right = proposal.item.digest().0 == item.digest;
        refuse_if(!is_right, Rejection::DecisionMismatch)?;
        if proposal.has_said(operator, decision) {
            return Ok(Outcome::REPEATED);
        }
        let is_open = proposal.status == ProposalStatus::Voting;
        refuse_if(!is_open, Rejection::ProposalClosed)?;
        proposal.say(operator, decision);
        self.count_words(&mut proposal);
        self.proposals.all.insert(item.proposal_id(), proposal);
        Ok(Outcome::APPLIED)
    }

    /// Schedules a proposal with enough approvals, and closes one that cannot get them.
    fn count_words(&self, proposal: &mut Proposal) {
        let needed = self.registry.approvals_needed();
        let operators = self.registry.operators();
        let approvals = operators.intersection(&proposal.approvals).count();
        let refusals = operators.intersection(&proposal.refusals).count();
        if approvals >= needed {
            let activation = proposal.item.activation_height.get();
            let holds = self.registry.changed(&proposal.change, activation).is_ok();
            proposal.status =
                if holds { ProposalStatus::Scheduled } else { ProposalStatus::Closed };
        } else if operators.len() < refusals + needed {
            proposal.status = ProposalStatus::Closed;
        }
    }

    /// 801 from now on: proposals that were closed before this block, and long ago.
    pub(crate) fn forget_proposals(&mut self) {
        let parameters = &self.registry.parameters;
        let kept_ms = parameters.proposal_validity_ms.saturating_add(parameters.order_validity_ms);
        let time = self.time;
        self.proposals.all.retain(|_, proposal| {
            proposal.status != ProposalStatus::Closed
                || time <= proposal.proposed.saturating_add(kept_ms)
        });
    }

    /// Proposals past their time, at the start of a block.
    pub(crate) fn expire_proposals(&mut self) {
        let (time, validity_ms) = (self.time, self.registry.parameters.proposal_validity_ms);
        let late = self.proposals.all.values_mut().filter(|proposal| {
            let is_over = time > proposal.proposed.saturating_add(validity_ms);
            is_over && proposal.status == ProposalStatus::Voting
        });
        late.for_each(|proposal| proposal.status = ProposalStatus::Closed);
    }

    /// Changes whose height is the next one, last of the block: by height, then by id.
    pub(crate) fn take_effect(&mut self) {
        let next = self.height + 1;
        let mut due: Vec<(u64, ProposalId)> = self
            .proposals
            .all
            .iter()
            .filter(|(_, proposal)| proposal.status == ProposalStatus::Scheduled)
            .map(|(id, proposal)| (proposal.item.activation_height.get(), *id))
            .filter(|(activation, _)| *activation <= next)
            .collect();
        due.sort_unstable();
        for (_, id) in due {
            let Some(proposal) = self.proposals.all.get_mut(&id) else { continue };
            proposal.status = ProposalStatus::Closed;
            if let Ok(registry) = self.registry.changed(&proposal.change, next) {
                self.registry = registry;
                self.headers.registry_changed();
            }
        }
    }
}
