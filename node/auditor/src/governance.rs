//! Section 13, governance: proposals of changes, approvals, and when a change takes effect.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::{
    ApprovalItem, Change, Decision, Outcome, ParticipantId, ProposalId, ProposalItem, Rejection,
};

use crate::auditor::{Auditor, Verdict};
use crate::orders::{check_form, refuse_if, repeated};

/// The status of a proposal.
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
    /// The first block that shall execute under it.
    from: u64,
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
        if let Change::List { digest, count } = change {
            self.propose_list(maker, digest, count, activation)?;
        } else {
            let registry = self.next_registry();
            refuse_if(registry.is_about_own(maker, &change), Rejection::OwnEntity)?;
            registry.changed(&change, activation)?;
        }
        let mut proposal = Proposal {
            item: *item,
            change,
            maker,
            approvals: BTreeSet::from([maker]),
            refusals: BTreeSet::new(),
            proposed: self.time,
            from: activation,
            status: ProposalStatus::Voting,
        };
        self.decide_proposal(&mut proposal, false);
        self.keep_proposal(item.proposal_id(), proposal);
        Ok(Outcome::APPLIED)
    }

    /// Rules of an approval or a refusal.
    pub(crate) fn approve(&mut self, item: &ApprovalItem, operator: ParticipantId) -> Verdict {
        check_form(item.proposal_id().is_uuid_v7(), &item.spare)?;
        let decision = Decision::from_number(item.decision.get());
        let decision = decision.ok_or(Rejection::DecisionUnknown)?;
        let known = self.proposals.all.get(&item.proposal_id());
        let Some(mut proposal) = known.cloned() else {
            let is_over = !self.is_within_validity(item.proposal_id().time());
            refuse_if(is_over, Rejection::ProposalTooOld)?;
            return Err(Rejection::ProposalUnknown);
        };
        let is_right = proposal.item.digest().bytes() == item.digest;
        refuse_if(!is_right, Rejection::DecisionMismatch)?;
        if proposal.has_said(operator, decision) {
            return Ok(Outcome::REPEATED);
        }
        let is_closed = proposal.status == ProposalStatus::Closed;
        refuse_if(is_closed, Rejection::ProposalClosed)?;
        refuse_if(self.is_about(&proposal, operator), Rejection::OwnEntity)?;
        let had_enough = self.has_enough(&proposal);
        proposal.say(operator, decision);
        self.decide_proposal(&mut proposal, had_enough);
        self.keep_proposal(item.proposal_id(), proposal);
        Ok(Outcome::APPLIED)
    }

    fn keep_proposal(&mut self, id: ProposalId, proposal: Proposal) {
        if proposal.status == ProposalStatus::Closed {
            self.drop_list_of(&proposal);
        }
        self.proposals.all.insert(id, proposal);
    }

    /// The list of a proposal that is closed serves nobody any more.
    fn drop_list_of(&mut self, proposal: &Proposal) {
        if let Change::List { digest, .. } = proposal.change {
            self.lists.drop_list(proposal.maker, digest);
        }
    }

    /// Returns true if a proposal is about an operator's own legal entity.
    fn is_about(&self, proposal: &Proposal, operator: ParticipantId) -> bool {
        match proposal.change {
            Change::List { digest, .. } => {
                self.lists.is_about((proposal.maker, digest), operator, &self.registry)
            }
            _ => self.next_registry().is_about_own(operator, &proposal.change),
        }
    }

    /// How many houses of a registry's operators approve a proposal, how many refuse it, and how
    /// many there are. A house of which an operator refuses does not approve.
    fn words(&self, proposal: &Proposal) -> (usize, usize, usize) {
        let registry = &self.registry;
        let mut operators = registry.operators();
        operators.retain(|operator| !self.is_about(proposal, *operator));
        let refusing = registry.houses(operators.intersection(&proposal.refusals));
        let approving = registry.houses(operators.intersection(&proposal.approvals));
        let approvals = approving.difference(&refusing).count();
        (approvals, refusing.len(), registry.houses(&operators).len())
    }

    /// Returns true if those who are operators now approve a proposal: of as many houses
    /// as it asks for, and of more than refuse.
    fn has_enough(&self, proposal: &Proposal) -> bool {
        let (approvals, refusals, _) = self.words(proposal);
        approvals >= self.registry.approvals_needed() && approvals > refusals
    }

    /// Schedules, reopens or closes a proposal after a word. The notice runs from the word that
    /// made the approvals enough.
    fn decide_proposal(&self, proposal: &mut Proposal, had_enough: bool) {
        let (approvals, refusals, houses) = self.words(proposal);
        let was_scheduled = proposal.status == ProposalStatus::Scheduled;
        if self.has_enough(proposal) {
            if was_scheduled && had_enough {
                return;
            }
            let notice = self.registry.parameters.governance_notice_heights;
            proposal.from = proposal.from.max(self.height.saturating_add(notice));
            // A list is looked at when it is proposed and when it takes effect.
            let holds = matches!(proposal.change, Change::List { .. })
                || self.next_registry().changed(&proposal.change, proposal.from).is_ok();
            proposal.status =
                if holds { ProposalStatus::Scheduled } else { ProposalStatus::Closed };
            return;
        }
        let is_called_off = was_scheduled && refusals >= approvals;
        let is_out_of_reach = houses - refusals < self.registry.approvals_needed();
        proposal.status = if is_called_off || is_out_of_reach {
            ProposalStatus::Closed
        } else {
            ProposalStatus::Voting
        };
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
        for proposal in self.proposals.all.values_mut() {
            let is_over = time > proposal.proposed.saturating_add(validity_ms);
            if !is_over || proposal.status != ProposalStatus::Voting {
                continue;
            }
            proposal.status = ProposalStatus::Closed;
            if let Change::List { digest, .. } = proposal.change {
                self.lists.drop_list(proposal.maker, digest);
            }
        }
    }

    /// Changes whose height is the next one, last of the block: by height, then by id.
    pub(crate) fn take_effect(&mut self) {
        let next = self.height + 1;
        let mut due: Vec<(u64, ProposalId)> = self
            .proposals
            .all
            .iter()
            .filter(|(_, proposal)| proposal.status == ProposalStatus::Scheduled)
            .map(|(id, proposal)| (proposal.from, *id))
            .filter(|(activation, _)| *activation <= next)
            .collect();
        due.sort_unstable();
        let mut lists = 0;
        for (_, id) in due {
            let Some(mut proposal) = self.proposals.all.get(&id).cloned() else { continue };
            if let Change::List { digest, .. } = proposal.change {
                lists += 1;
                if lists > 1 {
                    proposal.from = next + 1;
                    self.proposals.all.insert(id, proposal);
                    continue;
                }
                self.lists.look(proposal.maker, digest, &self.registry);
            }
            proposal.status = ProposalStatus::Closed;
            let after = match proposal.change {
                _ if !self.has_enough(&proposal) => Err(Rejection::ApprovalsMissing),
                Change::List { digest, .. } => {
                    let changes = self.lists.changes(proposal.maker, digest);
                    self.registry.changed_by(changes, next)
                }
                _ => self.registry.changed(&proposal.change, next),
            };
            if let Ok(registry) = after {
                self.registry = registry;
                self.headers.registry_changed();
            }
            self.keep_proposal(id, proposal);
        }
    }
}
