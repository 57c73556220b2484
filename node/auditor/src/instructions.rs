//! Section 6, instructions: arrive, fail, re-instruct. The rest of it is in `others_words`.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::{
    ArrivalItem, FailureItem, FailureReason, MerchantId, Outcome, ParticipantId, ReinstructItem,
    Rejection, Roles,
};

use crate::auditor::{Auditor, Verdict};
use crate::books::{Account, Movement};
use crate::orders::{check_spare, refuse_if, repeated};

/// How long after its outcome the chain still answers for an instruction that has one.
const REMEMBERED_MS: u64 = 900_000;

/// Window, merchant and currency.
pub(crate) type InstructionKey = (u64, u64, u16);

/// The status of an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentStatus {
    /// It is with its paying gateway.
    Instructed,
    /// Its money was credited: an outcome.
    Arrived {
        /// Block time, in milliseconds since the Unix epoch.
        time_ms: u64,
    },
    /// It could not be paid.
    Failed {
        /// The height of the block that says so.
        height: u64,
        /// Its time, in milliseconds since the Unix epoch.
        time_ms: u64,
    },
    /// All of its orders were returned: an outcome.
    Returned {
        /// Block time, in milliseconds since the Unix epoch.
        time_ms: u64,
    },
}

/// "Gateway, pay this merchant this amount".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// The status after the last block.
    pub status: PaymentStatus,
    /// The gateway that is to pay.
    pub gateway: ParticipantId,
    /// The amount when its window closed, in minor units.
    pub amount: u64,
    /// The rest of the amount after returns; once it has arrived, the sum that arrived.
    pub left: u64,
    /// When it is due, in milliseconds since the Unix epoch.
    pub due_ms: u64,
    /// How many orders it pays out.
    pub orders: u64,
    /// How many of them were converted.
    pub converted: u64,
    /// When the first of them was accepted, in milliseconds since the Unix epoch.
    pub earliest_accepted: u64,
    /// How often it was given: 1 at the close of its window.
    pub attempt: u32,
    /// When the present attempt was given, in milliseconds since the Unix epoch.
    pub given_ms: u64,
    /// How often in a row its present gateway failed it.
    pub failures: u32,
    arrival: Option<ArrivalItem>,
    pub(crate) failure: Option<Failure>,
    /// The reference of the word by which it was given again.
    given_again: Option<[u8; 32]>,
    /// The height of the block that gave the present attempt.
    given_at: u64,
    /// True if the present attempt was recalled.
    pub(crate) is_recalled: bool,
    /// The part that was returned to users since it arrived, in minor units.
    pub(crate) returned_since: u64,
}

/// Why an attempt failed, and who said so with what reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) by: ParticipantId,
    pub(crate) reason: u16,
    pub(crate) reference: [u8; 32],
}

impl Instruction {
    /// One that is given for the first time.
    pub(crate) fn new(gateway: ParticipantId, amount: u64, due_ms: u64, given_at: u64) -> Self {
        Self {
            status: PaymentStatus::Instructed,
            gateway,
            amount,
            left: amount,
            due_ms,
            orders: 0,
            converted: 0,
            earliest_accepted: 0,
            attempt: 1,
            given_ms: 0,
            failures: 0,
            arrival: None,
            failure: None,
            given_again: None,
            given_at,
            is_recalled: false,
            returned_since: 0,
        }
    }

    /// Returns true if agents ended it, and not its gateway.
    pub(crate) fn is_ended_by_agents(&self) -> bool {
        let is_failed = matches!(self.status, PaymentStatus::Failed { .. });
        is_failed && self.failure.is_some_and(|failure| failure.by != self.gateway)
    }

    /// When it got its outcome.
    fn concluded_ms(&self) -> Option<u64> {
        match self.status {
            PaymentStatus::Arrived { time_ms } | PaymentStatus::Returned { time_ms } => {
                Some(time_ms)
            }
            PaymentStatus::Instructed | PaymentStatus::Failed { .. } => None,
        }
    }

    /// Returns true if money is still owed under it.
    pub(crate) fn is_open(&self) -> bool {
        self.concluded_ms().is_none()
    }
}

/// Every instruction of every closed window.
#[derive(Debug, Clone, Default)]
pub(crate) struct Instructions {
    pub(crate) all: BTreeMap<InstructionKey, Instruction>,
    /// Those without an outcome.
    pub(crate) open: BTreeSet<InstructionKey>,
    /// Those with an outcome: an instruction enters once, and leaves when it bounces.
    concluded: BTreeSet<InstructionKey>,
}

impl Instructions {
    /// Keeps a new instruction.
    pub(crate) fn add(&mut self, key: InstructionKey, instruction: Instruction) {
        self.open.insert(key);
        let before = self.all.insert(key, instruction);
        assert!(before.is_none(), "instruction {key:?} exists already");
    }

    /// An instruction with an outcome has none any more.
    pub(crate) fn reopen(&mut self, key: InstructionKey) {
        assert!(self.concluded.remove(&key), "instruction {key:?} bounces without an outcome");
        self.open.insert(key);
    }

    /// Keeps an instruction as it is now. Each gets one outcome at a time.
    pub(crate) fn keep(&mut self, key: InstructionKey, instruction: Instruction) {
        if !instruction.is_open() {
            self.open.remove(&key);
            assert!(self.concluded.insert(key), "instruction {key:?} has two outcomes");
        }
        self.all.insert(key, instruction);
    }
}

impl Auditor {
    /// An instruction that the chain still answers for: 413 for one of a closed window otherwise,
    /// and 400 while its window may be open.
    pub(crate) fn answerable(&self, key: InstructionKey) -> Result<Instruction, Rejection> {
        let is_remembered = |instruction: &&Instruction| {
            let concluded_ms = instruction.concluded_ms();
            concluded_ms.is_none_or(|at| self.time_before <= at.saturating_add(REMEMBERED_MS))
        };
        let found = self.instructions.all.get(&key).filter(is_remembered);
        found.cloned().ok_or_else(|| self.unanswerable(key))
    }

    pub(crate) fn unanswerable(&self, key: InstructionKey) -> Rejection {
        let is_closed = key.0 < self.windows.open_id();
        if is_closed { Rejection::InstructionEnded } else { Rejection::InstructionUnknown }
    }

    /// An answerable instruction whose present attempt is named; 412 otherwise.
    pub(crate) fn attempt(
        &self,
        key: InstructionKey,
        attempt: u16,
    ) -> Result<Instruction, Rejection> {
        let instruction = self.answerable(key)?;
        refuse_if(instruction.attempt != u32::from(attempt), Rejection::AttemptOther)?;
        Ok(instruction)
    }

    /// Judges an `arrive` by its rules, and applies it.
    pub(crate) fn arrive(&mut self, item: &ArrivalItem, submitter: ParticipantId) -> Verdict {
        check_spare(&item.spare)?;
        let key = (item.window.get(), item.merchant.get(), item.currency.get());
        let mut instruction = self.attempt(key, item.attempt.get())?;
        refuse_if(instruction.gateway != submitter, Rejection::NotPayingGateway)?;
        refuse_if(item.amount.get() != instruction.left, Rejection::AmountMismatch)?;
        let (merchant, currency) = (key.1, key.2);
        let liquidity = Account::liquidity(instruction.gateway.get(), currency);
        match instruction.status {
            PaymentStatus::Instructed => {}
            PaymentStatus::Arrived { .. } => {
                let is_same = instruction.arrival == Some(*item);
                return repeated(is_same, Rejection::InstructionArrived);
            }
            PaymentStatus::Failed { .. } if instruction.is_ended_by_agents() => {
                self.windows.debit(Account::suspense(currency), instruction.left);
                self.windows.credit(liquidity, instruction.left);
            }
            PaymentStatus::Failed { .. } => return Err(Rejection::InstructionFailed),
            PaymentStatus::Returned { .. } => return Err(Rejection::InstructionReturned),
        }
        let payable = Account::payable(merchant, currency);
        self.books.post(Movement::new(payable, instruction.left, liquidity));
        self.cashback_arrives(key);
        self.statement_of(merchant, currency).arrived += u128::from(instruction.left);
        self.clock_arrival(key, &instruction);
        instruction.status = PaymentStatus::Arrived { time_ms: self.time };
        instruction.arrival = Some(*item);
        instruction.returned_since = 0;
        self.absences.remove(&key);
        self.instructions.keep(key, instruction);
        Ok(Outcome::APPLIED)
    }

    /// Judges a `fail` by its rules, and applies it.
    pub(crate) fn fail(&mut self, item: &FailureItem, submitter: ParticipantId) -> Verdict {
        check_spare(&item.spare)?;
        let reason = FailureReason::from_number(item.reason.get());
        let is_for_failures =
            reason.is_some_and(|reason| !["NARR", "SVNR"].contains(&reason.iso_code()));
        refuse_if(!is_for_failures, Rejection::ReasonUnknown)?;
        let key = (item.window.get(), item.merchant.get(), item.currency.get());
        let mut instruction = self.attempt(key, item.attempt.get())?;
        refuse_if(instruction.gateway != submitter, Rejection::NotPayingGateway)?;
        let (reason, reference) = (item.reason.get(), item.reference);
        let failure = Failure { by: submitter, reason, reference };
        match instruction.status {
            PaymentStatus::Instructed => {}
            PaymentStatus::Arrived { .. } => return Err(Rejection::InstructionArrived),
            PaymentStatus::Failed { .. } => {
                let is_same = instruction.failure == Some(failure);
                return repeated(is_same, Rejection::InstructionFailed);
            }
            PaymentStatus::Returned { .. } => return Err(Rejection::InstructionReturned),
        }
        let says_recalled = reason == FailureReason::Recalled.number();
        refuse_if(says_recalled && !instruction.is_recalled, Rejection::RecallMissing)?;
        self.end_attempt(key, &mut instruction, failure);
        self.instructions.keep(key, instruction);
        Ok(Outcome::APPLIED)
    }

    /// The attempt failed: what the banks would have settled with its gateway is in suspense.
    pub(crate) fn end_attempt(
        &mut self,
        key: InstructionKey,
        instruction: &mut Instruction,
        failure: Failure,
    ) {
        self.windows.debit(Account::liquidity(instruction.gateway.get(), key.2), instruction.left);
        self.windows.credit(Account::suspense(key.2), instruction.left);
        instruction.status = PaymentStatus::Failed { height: self.height, time_ms: self.time };
        instruction.failure = Some(failure);
        self.clock_failure(key, instruction, failure);
        self.absences.remove(&key);
    }

    /// Judges a `re-instruct` by its rules, and applies it.
    pub(crate) fn reinstruct(&mut self, item: &ReinstructItem, agent: ParticipantId) -> Verdict {
        check_spare(&item.spare)?;
        let key = (item.window.get(), item.merchant.get(), item.currency.get());
        let mut instruction = self.answerable(key)?;
        let named = u32::from(item.attempt.get());
        let is_given = instruction.status == PaymentStatus::Instructed
            && instruction.attempt == named + 1
            && instruction.given_again == Some(item.reference);
        if is_given {
            return Ok(Outcome::REPEATED);
        }
        refuse_if(instruction.attempt != named, Rejection::AttemptOther)?;
        self.check_foreign(key, &instruction, agent)?;
        let failed_ms = match instruction.status {
            PaymentStatus::Failed { time_ms, .. } => time_ms,
            PaymentStatus::Returned { .. } => return Err(Rejection::InstructionReturned),
            PaymentStatus::Instructed | PaymentStatus::Arrived { .. } => {
                return Err(Rejection::InstructionNotFailed);
            }
        };
        let merchant = MerchantId::new(key.1);
        let reason = instruction.failure.map(|failure| failure.reason);
        let may_go_again = [4, 7, 8].map(Some).contains(&reason);
        let is_corrected = self.registry.was_corrected_after(merchant, instruction.given_at);
        let may = may_go_again || is_corrected || self.is_left_alone(failed_ms);
        refuse_if(!may, Rejection::CorrectionMissing)?;
        let now = self.registry.payout_gateway(merchant);
        refuse_if(!self.registry.is_active(now, Roles::GATEWAY), Rejection::GatewaySuspended)?;
        self.windows.debit(Account::suspense(key.2), instruction.left);
        self.windows.credit(Account::liquidity(now.get(), key.2), instruction.left);
        instruction.status = PaymentStatus::Instructed;
        if instruction.gateway != now {
            instruction.failures = 0;
        }
        instruction.gateway = now;
        instruction.given_again = Some(item.reference);
        instruction.given_at = self.height;
        instruction.is_recalled = false;
        instruction.attempt += 1;
        let allowed_ms = self.registry.parameters.deadline_domestic_ms;
        instruction.due_ms = self.time.saturating_add(allowed_ms);
        instruction.given_ms = self.time;
        self.clock_attempt(key, instruction.due_ms);
        self.absences.remove(&key);
        self.instructions.keep(key, instruction);
        Ok(Outcome::APPLIED)
    }

    /// A return of a failed instruction's order: less is left; with nothing left it is returned.
    pub(crate) fn return_from(&mut self, key: InstructionKey, payout: u64) {
        let Some(mut instruction) = self.instructions.all.get(&key).cloned() else {
            unreachable!("instruction {key:?} failed")
        };
        instruction.left -= payout;
        if instruction.left == 0 {
            instruction.status = PaymentStatus::Returned { time_ms: self.time };
            self.absences.remove(&key);
        }
        self.instructions.keep(key, instruction);
    }

    /// A return of an arrived instruction's order: as much cannot come back any more.
    pub(crate) fn return_after_arrival(&mut self, key: InstructionKey, payout: u64) {
        if let Some(instruction) = self.instructions.all.get_mut(&key) {
            instruction.returned_since += payout;
        }
    }
}
