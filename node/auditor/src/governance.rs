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
    approvals: BTreeSet<ParticipantId>,
    refusals: BTreeSet<ParticipantId>,
    /// The last block time at which it may be decided.
    until: u64,
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
        self.check_timely(item.proposal_id().time())?;
        if let Some(known) = self.proposals.all.get(&item.proposal_id()) {
            return repeated(known.item == *item, Rejection::ProposalConflict);
        }
        let change = item.change().ok_or(Rejection::ChangeMalformed)?;
        let parameters = &self.registry.parameters;
        let earliest = self.height.saturating_add(parameters.governance_notice_heights);
        let activation = item.activation_height.get();
        refuse_if(activation < earliest, Rejection::ActivationTooEarly)?;
        self.registry.changed(&change, activation)?;
        let until = self.time.saturating_add(parameters.proposal_validity_ms);
        let mut proposal = Proposal {
            item: *item,
            change,
            approvals: BTreeSet::from([maker]),
            refusals: BTreeSet::new(),
            until,
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
        let mut proposal = self.known_proposal(item.proposal_id())?;
        let is_right = proposal.item.digest().0 == item.digest;
        if is_right && proposal.has_said(operator, decision) {
            return Ok(Outcome::REPEATED);
        }
        let is_open = proposal.status == ProposalStatus::Voting;
        refuse_if(!is_open, Rejection::ProposalClosed)?;
        refuse_if(!is_right, Rejection::DecisionMismatch)?;
        proposal.say(operator, decision);
        self.count_words(&mut proposal);
        self.proposals.all.insert(item.proposal_id(), proposal);
        Ok(Outcome::APPLIED)
    }

    /// 801: remembered while its id is timely, and until it is closed.
    fn known_proposal(&self, id: ProposalId) -> Result<Proposal, Rejection> {
        let is_remembered = |proposal: &&Proposal| {
            proposal.status != ProposalStatus::Closed || self.is_within_validity(id.time())
        };
        let found = self.proposals.all.get(&id).filter(is_remembered);
        found.cloned().ok_or(Rejection::ProposalUnknown)
    }

    /// Schedules a proposal with enough approvals, and closes one that cannot get them.
    fn count_words(&self, proposal: &mut Proposal) {
        let needed = self.registry.approvals_needed();
        if proposal.approvals.len() >= needed {
            let activation = proposal.item.activation_height.get().max(self.height + 1);
            let holds = self.registry.changed(&proposal.change, activation).is_ok();
            proposal.status =
                if holds { ProposalStatus::Scheduled } else { ProposalStatus::Closed };
        } else if proposal.refusals.len() + needed > self.registry.operators() {
            proposal.status = ProposalStatus::Closed;
        }
    }

    /// Proposals past their time, at the start of a block.
    pub(crate) fn expire_proposals(&mut self) {
        let late = self.proposals.all.values_mut().filter(|proposal| {
            proposal.status == ProposalStatus::Voting && self.time > proposal.until
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
            }
        }
    }
}
