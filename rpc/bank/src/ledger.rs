//! The bank's books: a fold of its journal, so that a restart knows what the process knew.

use std::collections::{BTreeMap, BTreeSet};

use crate::act::{
    AccountClosing, BankAct, BankAnswer, BankDecision, BankPayment, DecisionCause, DueReturn,
    MovedMoney,
};

/// All that the bank knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BankLedger {
    /// The seed of every draw.
    pub seed: u64,
    /// The first number that no file or reference has yet.
    pub next: u64,
    /// Money that really moved, in its order.
    pub moved: Vec<MovedMoney>,
    /// Messages that came again.
    pub duplicates: u64,
    /// Messages that were rejected as a whole.
    pub refused: u64,
    /// Questions that were asked about payments.
    pub questions: u64,
    /// Files that could not be read.
    pub unreadable: u64,
    messages: BTreeSet<String>,
    payments: BTreeMap<String, BankPayment>,
    asked: BTreeMap<String, u64>,
    cancelled: BTreeSet<String>,
    answers: BTreeMap<u64, BankAnswer>,
    returns: BTreeMap<u64, DueReturn>,
    closings: BTreeMap<String, AccountClosing>,
}

impl BankLedger {
    /// Returns the books of a bank that has done nothing.
    pub fn new(seed: u64) -> Self {
        Self { seed, next: 1, ..Self::default() }
    }

    /// Takes an act that is on disk.
    pub fn apply(&mut self, act: &BankAct) {
        match act {
            BankAct::Opened { seed } => *self = Self::new(*seed),
            BankAct::Decided(decision) => self.apply_decision(decision),
            BankAct::Delivered { numbers } => {
                for number in numbers {
                    self.answers.remove(number);
                }
            }
        }
    }

    fn apply_decision(&mut self, decision: &BankDecision) {
        self.next = decision.next;
        match &decision.cause {
            DecisionCause::Paid { message } => {
                self.messages.insert(message.clone());
            }
            DecisionCause::Duplicate { .. } => self.duplicates += 1,
            DecisionCause::Refused { message, .. } => {
                self.refused += 1;
                self.messages.insert(message.clone());
            }
            DecisionCause::Asked { ids } => {
                self.questions += 1;
                for id in ids {
                    *self.asked.entry(id.clone()).or_default() += 1;
                }
            }
            DecisionCause::Recalled { cancelled } => {
                self.cancelled.extend(cancelled.iter().cloned());
            }
            DecisionCause::CameBack { due } => {
                self.returns.remove(&due.number);
            }
            DecisionCause::Closed { closings } => {
                let named = closings.iter().map(|each| (each.account.clone(), each.clone()));
                self.closings.extend(named);
            }
            DecisionCause::Unreadable { .. } => self.unreadable += 1,
        }
        self.moved.extend(decision.moved.iter().cloned());
        let payments = decision.payments.iter().map(|each| (each.id.clone(), each.clone()));
        self.payments.extend(payments);
        self.returns.extend(decision.returns.iter().map(|each| (each.number, each.clone())));
        self.answers.extend(decision.answers.iter().map(|each| (each.number, each.clone())));
    }

    /// Returns true if a message came before.
    pub fn has_message(&self, id: &str) -> bool {
        self.messages.contains(id)
    }

    /// Returns a payment by its end-to-end id: the last one that came with it.
    pub fn payment(&self, id: &str) -> Option<&BankPayment> {
        self.payments.get(id)
    }

    /// Returns every payment, by end-to-end id.
    pub fn payments(&self) -> impl Iterator<Item = &BankPayment> {
        self.payments.values()
    }

    /// Returns true if a payment was cancelled.
    pub fn is_cancelled(&self, id: &str) -> bool {
        self.cancelled.contains(id)
    }

    /// Returns how often a payment was asked about.
    pub fn asked(&self, id: &str) -> u64 {
        self.asked.get(id).copied().unwrap_or_default()
    }

    /// Returns files that are not in the folder yet, by number.
    pub fn answers(&self) -> impl Iterator<Item = &BankAnswer> {
        self.answers.values()
    }

    /// Returns money that will come back.
    pub fn returns(&self) -> impl Iterator<Item = &DueReturn> {
        self.returns.values()
    }

    /// Returns how far an account has been stated.
    pub fn closing(&self, account: &str) -> Option<&AccountClosing> {
        self.closings.get(account)
    }
}
