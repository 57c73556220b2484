//! A decision while it is made: its draws, its numbers, and the ways of its files to the gateway.

use crate::act::{BankAnswer, BankDecision, BankPayment, DecisionCause, DueReturn, MovedMoney};
use crate::answer::{day_text, merged};
use crate::draw::Draw;
use crate::habits::BankHabits;
use crate::ledger::BankLedger;

/// A decision that is not on disk yet.
#[derive(Debug)]
pub(crate) struct DecisionDraft<'a> {
    pub(crate) habits: &'a BankHabits,
    pub(crate) draw: Draw,
    /// The time by the bank's own clock, which may be behind.
    pub(crate) bank_ms: u64,
    decision: BankDecision,
    /// Documents, and whether each of them certainly comes.
    documents: Vec<(String, bool)>,
}

impl<'a> DecisionDraft<'a> {
    pub(crate) fn new(ledger: &BankLedger, habits: &'a BankHabits, now_ms: u64) -> Self {
        let decision = BankDecision {
            cause: DecisionCause::Asked { ids: Vec::new() },
            next: ledger.next,
            time_ms: now_ms,
            moved: Vec::new(),
            payments: Vec::new(),
            returns: Vec::new(),
            answers: Vec::new(),
        };
        let draw = Draw::new(ledger.seed, ledger.next);
        let bank_ms = now_ms.saturating_sub(habits.behind_s * 1_000);
        Self { habits, draw, bank_ms, decision, documents: Vec::new() }
    }

    /// Returns a number that nothing else has.
    pub(crate) fn number(&mut self) -> u64 {
        let number = self.decision.next;
        self.decision.next += 1;
        number
    }

    /// Returns an id of a message.
    pub(crate) fn id(&mut self, mark: char) -> String {
        format!("{mark}{}", self.number())
    }

    /// Takes a payment into the draft.
    pub(crate) fn take(&mut self, payment: BankPayment) {
        self.decision.payments.push(payment);
    }

    /// Moves money of a payment, and returns what is in the journal.
    pub(crate) fn transfer(
        &mut self,
        payment: &BankPayment,
        amount: &str,
        is_back: bool,
    ) -> MovedMoney {
        let (gateway, merchant) = (&payment.gateway_account, &payment.merchant_account);
        let (from, to) = if is_back { (merchant, gateway) } else { (gateway, merchant) };
        let reference = match is_back {
            true => format!("RT{:012}", self.number()),
            false => payment.reference.clone(),
        };
        let moved = MovedMoney {
            time_ms: self.bank_ms,
            day: day_text(self.bank_ms),
            id: payment.id.clone(),
            uetr: payment.uetr.clone(),
            message: payment.message.clone(),
            amount: amount.to_owned(),
            currency: payment.currency.clone(),
            from: from.clone(),
            to: to.clone(),
            is_back,
            reference,
        };
        self.decision.moved.push(moved.clone());
        moved
    }

    /// Returns the money that the decision moves.
    pub(crate) fn moved(&self) -> &[MovedMoney] {
        &self.decision.moved
    }

    /// Lets a payment's money come back later.
    pub(crate) fn return_later(&mut self, id: &str) {
        let wait_ms = 1 + self.draw.up_to(2 * self.habits.delay_ms);
        let due_ms = self.decision.time_ms.saturating_add(wait_ms);
        let number = self.number();
        self.decision.returns.push(DueReturn { number, due_ms, id: id.to_owned() });
    }

    /// Says something, unless it is lost on its way.
    pub(crate) fn say(&mut self, document: String) {
        self.documents.push((document, false));
    }

    /// Says something that certainly comes.
    pub(crate) fn say_certainly(&mut self, document: String) {
        self.documents.push((document, true));
    }

    /// Puts a file on its way without any misfortune.
    pub(crate) fn deliver_at_once(&mut self, document: String) {
        let (number, due_ms) = (self.number(), self.decision.time_ms);
        self.decision.answers.push(BankAnswer { number, due_ms, xml: document });
    }

    /// Puts what was said on its way, and returns the decision.
    pub(crate) fn finish(mut self, cause: DecisionCause) -> BankDecision {
        let mut files = std::mem::take(&mut self.documents);
        if files.len() > 1 && self.draw.happens(self.habits.merged) {
            let is_certain = files.iter().any(|(_, is_certain)| *is_certain);
            let documents: Vec<String> = files.into_iter().map(|(document, _)| document).collect();
            files = vec![(merged(&documents), is_certain)];
        }
        for (xml, is_certain) in files {
            if self.draw.happens(self.habits.lost) && !is_certain {
                continue;
            }
            if self.draw.happens(self.habits.torn) {
                let end = (0..=xml.len() / 2).rev().find(|end| xml.is_char_boundary(*end));
                self.deliver(xml[..end.unwrap_or_default()].to_owned());
            }
            if self.draw.happens(self.habits.twice) {
                self.deliver(xml.clone());
            }
            self.deliver(xml);
        }
        self.decision.cause = cause;
        self.decision
    }

    fn deliver(&mut self, xml: String) {
        let due_ms = self.decision.time_ms.saturating_add(self.draw.up_to(self.habits.delay_ms));
        let number = self.number();
        self.decision.answers.push(BankAnswer { number, due_ms, xml });
    }
}
