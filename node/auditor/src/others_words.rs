//! Section 6, what is said of instructions besides their payment: bounces, recalls, and agents who
//! step in for a gateway that is absent.

use std::collections::BTreeMap;

use chain_types::{
    BounceItem, FailureReason, MerchantId, Outcome, ParticipantId, RecallItem, Rejection, Roles,
    StepInItem,
};

use crate::auditor::{Auditor, Verdict};
use crate::books::{Account, Movement};
use crate::instructions::{Failure, Instruction, InstructionKey, PaymentStatus};
use crate::orders::{check_spare, refuse_if, repeated};

/// The merchant did not deliver: SVNR.
pub(crate) const NOT_DELIVERED: u16 = 13;

/// An agent's word that a gateway is absent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Absence {
    attempt: u16,
    reason: u16,
    at: u64,
}

/// The agents' words about the absence of each instruction's gateway, for its present attempt.
pub(crate) type Absences = BTreeMap<InstructionKey, BTreeMap<ParticipantId, Absence>>;

impl Auditor {
    /// Judges a `bounce` by its rules, and applies it.
    pub(crate) fn bounce(&mut self, item: &BounceItem, submitter: ParticipantId) -> Verdict {
        check_spare(&item.spare)?;
        let reason = FailureReason::from_number(item.reason.get());
        let is_for_bounces = reason.is_some_and(|reason| reason.iso_code() != "SVNR");
        refuse_if(!is_for_bounces, Rejection::ReasonUnknown)?;
        let key = (item.window.get(), item.merchant.get(), item.currency.get());
        let found = self.instructions.all.get(&key).cloned();
        let mut instruction = found.ok_or_else(|| self.unanswerable(key))?;
        let is_present = instruction.attempt == u32::from(item.attempt.get());
        refuse_if(!is_present, Rejection::AttemptOther)?;
        refuse_if(instruction.gateway != submitter, Rejection::NotPayingGateway)?;
        let (reason, reference) = (item.reason.get(), item.reference);
        let failure = Failure { by: submitter, reason, reference };
        let arrived_ms = match instruction.status {
            PaymentStatus::Arrived { time_ms } => time_ms,
            PaymentStatus::Instructed => return Err(Rejection::InstructionNotArrived),
            PaymentStatus::Failed { .. } => {
                let is_same = instruction.failure == Some(failure);
                return repeated(is_same, Rejection::InstructionFailed);
            }
            PaymentStatus::Returned { .. } => return Err(Rejection::InstructionReturned),
        };
        let present_ms = self.registry.parameters.bounce_period_ms;
        let period_ms = self.longest_since(arrived_ms, present_ms, |past| past.bounce_ms);
        let is_over = self.time > arrived_ms.saturating_add(period_ms);
        refuse_if(is_over, Rejection::BouncePeriodOver)?;
        let amount = instruction.left - instruction.returned_since;
        refuse_if(amount == 0, Rejection::InstructionReturned)?;
        let liquidity = Account::liquidity(submitter.get(), key.2);
        let has_money = self.books.has_available(liquidity, amount);
        refuse_if(!has_money, Rejection::BounceFundsMissing)?;
        self.books.post(Movement::new(liquidity, amount, Account::payable(key.1, key.2)));
        self.cashback_bounces(key);
        self.statement_of(key.1, key.2).bounced += u128::from(amount);
        (instruction.left, instruction.returned_since) = (amount, 0);
        self.instructions.reopen(key);
        self.end_attempt(key, &mut instruction, failure);
        self.instructions.keep(key, instruction);
        Ok(Outcome::APPLIED)
    }

    /// Judges a `recall` by its rules, and applies it.
    pub(crate) fn recall(&mut self, item: &RecallItem, agent: ParticipantId) -> Verdict {
        check_spare(&item.spare)?;
        let key = (item.window.get(), item.merchant.get(), item.currency.get());
        let mut instruction = self.attempt(key, item.attempt.get())?;
        self.check_foreign(key, &instruction, agent)?;
        refuse_ended(instruction.status)?;
        if instruction.is_recalled {
            return Ok(Outcome::REPEATED);
        }
        instruction.is_recalled = true;
        self.instructions.keep(key, instruction);
        Ok(Outcome::APPLIED)
    }

    /// Judges a `step-in` by its rules, and applies it.
    pub(crate) fn step_in(&mut self, item: &StepInItem, agent: ParticipantId) -> Verdict {
        check_spare(&item.spare)?;
        let reason = FailureReason::from_number(item.reason.get());
        let is_agents = reason.is_some_and(|reason| !["FOCR", "NARR"].contains(&reason.iso_code()));
        refuse_if(!is_agents, Rejection::ReasonUnknown)?;
        let key = (item.window.get(), item.merchant.get(), item.currency.get());
        let mut instruction = self.attempt(key, item.attempt.get())?;
        self.check_foreign(key, &instruction, agent)?;
        let (attempt, reason) = (item.attempt.get(), item.reason.get());
        let is_so = instruction.failure.is_some_and(|failure| failure.reason == reason);
        if instruction.is_ended_by_agents() && is_so {
            return Ok(Outcome::REPEATED);
        }
        let since_ms = match instruction.status {
            PaymentStatus::Failed { time_ms, .. } if reason == NOT_DELIVERED => time_ms,
            status => refuse_ended(status).map(|()| instruction.due_ms)?,
        };
        let is_there = self.registry.is_active(instruction.gateway, Roles::GATEWAY)
            && !instruction.is_ended_by_agents();
        refuse_if(is_there && !self.is_left_alone(since_ms), Rejection::GatewayPresent)?;
        let waits_ms = self.registry.parameters.transfer_validity_ms;
        let is_same = |(said, absence): &(&ParticipantId, &Absence)| {
            (absence.attempt, absence.reason) == (attempt, reason)
                && self.time <= absence.at.saturating_add(waits_ms)
                && self.registry.is_active(**said, Roles::SETTLEMENT_AGENT)
        };
        let said = self.absences.get(&key).into_iter().flatten().filter(is_same);
        let agents: Vec<ParticipantId> = said.map(|(said, _)| *said).collect();
        if agents.iter().any(|said| !self.registry.are_one(agent, *said)) {
            let failure = Failure { by: agent, reason, reference: item.reference };
            match instruction.status {
                PaymentStatus::Instructed => self.end_attempt(key, &mut instruction, failure),
                _ => self.fail_otherwise(key, &mut instruction, failure),
            }
            self.instructions.keep(key, instruction);
            return Ok(Outcome::APPLIED);
        }
        if agents.contains(&agent) {
            return Ok(Outcome::REPEATED);
        }
        let absence = Absence { attempt, reason, at: self.time };
        self.absences.entry(key).or_default().insert(agent, absence);
        Ok(Outcome::APPLIED)
    }

    /// An attempt that failed before: the agents' word stands in place of what was said then.
    fn fail_otherwise(
        &mut self,
        key: InstructionKey,
        instruction: &mut Instruction,
        failure: Failure,
    ) {
        instruction.status = PaymentStatus::Failed { height: self.height, time_ms: self.time };
        instruction.failure = Some(failure);
        self.absences.remove(&key);
    }

    /// 117: the instruction's gateway, the one that pays its merchant now, or the merchant is of
    /// the agent's legal entity.
    pub(crate) fn check_foreign(
        &self,
        key: InstructionKey,
        instruction: &Instruction,
        agent: ParticipantId,
    ) -> Result<(), Rejection> {
        let merchant = MerchantId::new(key.1);
        let gateways = [instruction.gateway, self.registry.payout_gateway(merchant)];
        self.registry.check_foreign_payment(agent, gateways, merchant)
    }

    /// Returns true if the chain's time for stepping in has passed since `since_ms`.
    pub(crate) fn is_left_alone(&self, since_ms: u64) -> bool {
        self.time > since_ms.saturating_add(self.registry.parameters.step_in_ms)
    }
}

/// 403, 404 and 407: the attempt is not outstanding.
fn refuse_ended(status: PaymentStatus) -> Result<(), Rejection> {
    match status {
        PaymentStatus::Instructed => Ok(()),
        PaymentStatus::Arrived { .. } => Err(Rejection::InstructionArrived),
        PaymentStatus::Failed { .. } => Err(Rejection::InstructionFailed),
        PaymentStatus::Returned { .. } => Err(Rejection::InstructionReturned),
    }
}
