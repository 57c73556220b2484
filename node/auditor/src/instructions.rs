//! Section 6, instructions: arrive, fail, re-instruct.

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

/// Where an instruction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstructionStatus {
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
    /// Where it stands.
    pub status: InstructionStatus,
    /// Who is to pay.
    pub gateway: ParticipantId,
    /// What it was for when its window closed, in minor units.
    pub amount: u64,
    /// What is left of it after returns; of one that arrived, what arrived.
    pub left: u64,
    /// When it is due, in milliseconds since the Unix epoch.
    pub due_ms: u64,
    /// How often it was given: 1 at the close of its window.
    pub attempt: u32,
    arrival: Option<ArrivalItem>,
    failure: Option<FailureItem>,
    /// The reference of the word by which it was given again.
    given_again: Option<[u8; 32]>,
}

impl Instruction {
    /// One that is given for the first time.
    pub(crate) fn new(gateway: ParticipantId, amount: u64, due_ms: u64) -> Self {
        let status = InstructionStatus::Instructed;
        let (left, attempt) = (amount, 1);
        let (arrival, failure, given_again) = (None, None, None);
        Self { status, gateway, amount, left, due_ms, attempt, arrival, failure, given_again }
    }

    /// When it got its outcome.
    fn concluded_ms(&self) -> Option<u64> {
        match self.status {
            InstructionStatus::Arrived { time_ms } | InstructionStatus::Returned { time_ms } => {
                Some(time_ms)
            }
            InstructionStatus::Instructed | InstructionStatus::Failed { .. } => None,
        }
    }

    /// Whether money is still owed under it.
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
    /// Those with an outcome: an instruction enters once.
    concluded: BTreeSet<InstructionKey>,
}

impl Instructions {
    /// Keeps a new instruction.
    pub(crate) fn add(&mut self, key: InstructionKey, instruction: Instruction) {
        self.open.insert(key);
        let before = self.all.insert(key, instruction);
        assert!(before.is_none(), "instruction {key:?} exists already");
    }

    /// Keeps an instruction as it is now. Each gets one outcome, for ever.
    fn keep(&mut self, key: InstructionKey, instruction: Instruction) {
        if !instruction.is_open() {
            self.open.remove(&key);
            assert!(self.concluded.insert(key), "instruction {key:?} has two outcomes");
        }
        self.all.insert(key, instruction);
    }
}

impl Auditor {
    /// An instruction that the chain still answers for; 400 otherwise.
    fn answerable(&self, key: InstructionKey) -> Result<Instruction, Rejection> {
        let is_remembered = |instruction: &&Instruction| {
            let concluded_ms = instruction.concluded_ms();
            concluded_ms.is_none_or(|at| self.time_before <= at.saturating_add(REMEMBERED_MS))
        };
        let found = self.instructions.all.get(&key).filter(is_remembered);
        found.cloned().ok_or(Rejection::InstructionUnknown)
    }

    /// Rules of `arrive`.
    pub(crate) fn arrive(&mut self, item: &ArrivalItem, submitter: ParticipantId) -> Verdict {
        check_spare(&item.spare)?;
        let key = (item.window.get(), item.merchant.get(), item.currency.get());
        let mut instruction = self.answerable(key)?;
        refuse_if(instruction.gateway != submitter, Rejection::NotPayingGateway)?;
        refuse_if(item.amount.get() != instruction.left, Rejection::AmountMismatch)?;
        match instruction.status {
            InstructionStatus::Instructed => {}
            InstructionStatus::Arrived { .. } => {
                let is_same = instruction.arrival == Some(*item);
                return repeated(is_same, Rejection::InstructionArrived);
            }
            InstructionStatus::Failed { .. } => return Err(Rejection::InstructionFailed),
            InstructionStatus::Returned { .. } => return Err(Rejection::InstructionReturned),
        }
        let (merchant, currency) = (key.1, key.2);
        let liquidity = Account::liquidity(instruction.gateway.0, currency);
        let payable = Account::payable(merchant, currency);
        self.books.post(Movement::new(payable, instruction.left, liquidity));
        self.statement_of(merchant, currency).arrived += u128::from(instruction.left);
        instruction.status = InstructionStatus::Arrived { time_ms: self.time };
        instruction.arrival = Some(*item);
        self.instructions.keep(key, instruction);
        Ok(Outcome::APPLIED)
    }

    /// Rules of `fail`.
    pub(crate) fn fail(&mut self, item: &FailureItem, submitter: ParticipantId) -> Verdict {
        check_spare(&item.spare)?;
        let reason = FailureReason::from_number(item.reason.get());
        refuse_if(reason.is_none(), Rejection::ReasonUnknown)?;
        let key = (item.window.get(), item.merchant.get(), item.currency.get());
        let mut instruction = self.answerable(key)?;
        refuse_if(instruction.gateway != submitter, Rejection::NotPayingGateway)?;
        match instruction.status {
            InstructionStatus::Instructed => {}
            InstructionStatus::Arrived { .. } => return Err(Rejection::InstructionArrived),
            InstructionStatus::Failed { .. } => {
                let is_same = instruction.failure == Some(*item);
                return repeated(is_same, Rejection::InstructionFailed);
            }
            InstructionStatus::Returned { .. } => return Err(Rejection::InstructionReturned),
        }
        instruction.status = InstructionStatus::Failed { height: self.height };
        instruction.failure = Some(*item);
        self.instructions.keep(key, instruction);
        Ok(Outcome::APPLIED)
    }

    /// Rules of `re-instruct`.
    pub(crate) fn reinstruct(&mut self, item: &ReinstructItem) -> Verdict {
        check_spare(&item.spare)?;
        let key = (item.window.get(), item.merchant.get(), item.currency.get());
        let mut instruction = self.answerable(key)?;
        let height = match instruction.status {
            InstructionStatus::Failed { height } => height,
            InstructionStatus::Instructed => {
                let is_same = instruction.given_again == Some(item.reference);
                return repeated(is_same, Rejection::InstructionNotFailed);
            }
            InstructionStatus::Returned { .. } => return Err(Rejection::InstructionReturned),
            InstructionStatus::Arrived { .. } => return Err(Rejection::InstructionNotFailed),
        };
        let merchant = MerchantId(key.1);
        let failure = instruction.failure.map(|failure| failure.reason.get());
        let was_the_banks = failure == Some(FailureReason::BankUnavailable.number());
        let is_corrected = self.registry.was_corrected_after(merchant, height);
        refuse_if(!was_the_banks && !is_corrected, Rejection::CorrectionMissing)?;
        let (before, now) = (instruction.gateway, self.registry.payout_gateway(merchant));
        refuse_if(!self.registry.is_active(now, Roles::GATEWAY), Rejection::GatewaySuspended)?;
        self.windows.debit(Account::liquidity(before.0, key.2), instruction.left);
        self.windows.credit(Account::liquidity(now.0, key.2), instruction.left);
        instruction.status = InstructionStatus::Instructed;
        instruction.gateway = now;
        instruction.given_again = Some(item.reference);
        instruction.attempt += 1;
        let allowed_ms = self.registry.parameters.deadline_domestic_ms;
        instruction.due_ms = self.time.saturating_add(allowed_ms);
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
            instruction.status = InstructionStatus::Returned { time_ms: self.time };
        }
        self.instructions.keep(key, instruction);
    }
}
