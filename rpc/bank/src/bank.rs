//! The bank's decisions: what it does about a message, about money that comes back, and at the end
//! of a day. It knows of duplicates by the id of a message alone, as ISO 20022 asks, so that a
//! gateway that sends a payment in two messages is paid for twice.

use std::collections::{BTreeMap, BTreeSet};

use crate::account::{RETURN_CODE, notification, report, statement};
use crate::act::{BankAct, BankAnswer, BankDecision, BankPayment, DecisionCause, MovedMoney};
use crate::answer::{
    OriginalMessage, StatusLine, day_text, recall_answer, return_message, status_report,
};
use crate::draft::DecisionDraft;
use crate::fate::PaymentFate;
use crate::habits::BankHabits;
use crate::ledger::BankLedger;
use crate::order::{GatewayMessage, OrderedPayment, PaymentMessageRead, read_message};

/// Questions about one payment until the bank answers for certain.
const PATIENCE: u64 = 3;

/// A bank of one seed. It decides, and does nothing.
#[derive(Debug, Clone)]
pub struct SimulatedBank {
    habits: BankHabits,
    ledger: BankLedger,
    fates: BTreeMap<String, PaymentFate>,
}

impl SimulatedBank {
    /// Makes a bank that has done nothing.
    pub fn new(seed: u64, habits: BankHabits) -> Self {
        Self { habits, ledger: BankLedger::new(seed), fates: BTreeMap::new() }
    }

    /// Fixes the fate of a payment that has not come yet; the others are drawn.
    pub fn set_fate(&mut self, id: &str, fate: PaymentFate) {
        self.fates.insert(id.to_owned(), fate);
    }

    /// Returns what the bank knows.
    pub fn ledger(&self) -> &BankLedger {
        &self.ledger
    }

    /// Takes an act that is on disk.
    pub fn apply(&mut self, act: &BankAct) {
        self.ledger.apply(act);
    }

    /// Returns the day by the bank's clock, in UTC, such as `2026-11-30`.
    pub fn day(&self, now_ms: u64) -> String {
        day_text(now_ms.saturating_sub(self.habits.behind_s * 1_000))
    }

    /// Returns the files that are due, by number.
    pub fn due_answers(&self, now_ms: u64) -> Vec<&BankAnswer> {
        self.ledger.answers().filter(|answer| answer.due_ms <= now_ms).collect()
    }

    /// Decides about a message of the gateway.
    pub fn receive(&self, file: &str, xml: &str, now_ms: u64) -> BankDecision {
        let draft = DecisionDraft::new(&self.ledger, &self.habits, now_ms);
        match read_message(xml) {
            Ok(GatewayMessage::Pay(order)) => self.pay(draft, &order),
            Ok(GatewayMessage::Ask(ids)) => self.answer(draft, ids),
            Ok(GatewayMessage::Recall(ids)) => self.recall(draft, &ids),
            Err(flaw) => {
                let (file, flaw) = (file.to_owned(), flaw.to_string());
                draft.finish(DecisionCause::Unreadable { file, flaw })
            }
        }
    }

    /// Lets the next money that is due come back, if there is any.
    pub fn next_return(&self, now_ms: u64) -> Option<BankDecision> {
        let due = self.ledger.returns().find(|due| due.due_ms <= now_ms)?.clone();
        let mut draft = DecisionDraft::new(&self.ledger, &self.habits, now_ms);
        if let Some(payment) = self.ledger.payment(&due.id) {
            draft.transfer(payment, &payment.amount, true);
            let (id, bank_ms) = (draft.id('P'), draft.bank_ms);
            let money = (payment.amount.as_str(), RETURN_CODE);
            draft.say_certainly(return_message(&id, bank_ms, payment, money));
        }
        Some(draft.finish(DecisionCause::CameBack { due }))
    }

    /// States the gateway's accounts by a camt.053 each, with all that moved since the last one.
    /// The files come at once.
    pub fn close(&self, now_ms: u64) -> BankDecision {
        let mut draft = DecisionDraft::new(&self.ledger, &self.habits, now_ms);
        let own: BTreeSet<&str> =
            self.ledger.payments().map(|payment| payment.gateway_account.as_str()).collect();
        let mut closings = Vec::new();
        for account in own {
            let (id, bank_ms) = (draft.id('S'), draft.bank_ms);
            let (moved, last) = (&self.ledger.moved, self.ledger.closing(account));
            if let Some((xml, closing)) = statement(&id, bank_ms, account, moved, last) {
                draft.deliver_at_once(xml);
                closings.push(closing);
            }
        }
        draft.finish(DecisionCause::Closed { closings })
    }

    /// Pays a message, or refuses it.
    fn pay(&self, mut draft: DecisionDraft<'_>, order: &PaymentMessageRead) -> BankDecision {
        let message = order.message.clone();
        let original = OriginalMessage { id: &order.message, name: &order.name };
        let (id, bank_ms) = (draft.id('B'), draft.bank_ms);
        if self.ledger.has_message(&message) {
            // Like a third-party bank: a rejection of the whole, and nothing of its payments.
            draft.say(status_report(&id, bank_ms, original, ("RJCT", "DUPL"), &[]));
            return draft.finish(DecisionCause::Duplicate { message });
        }
        let is_unlucky = draft.draw.happens(self.habits.refused_file);
        if let Some(code) = order.flaw.or(is_unlucky.then_some("FF01")) {
            draft.say_certainly(status_report(&id, bank_ms, original, ("RJCT", code), &[]));
            return draft.finish(DecisionCause::Refused { message, code: code.to_owned() });
        }
        let payments: Vec<BankPayment> =
            order.payments.iter().map(|each| self.execute(&mut draft, order, each)).collect();
        self.report_payments(&mut draft, &id, original, &payments);
        draft.finish(DecisionCause::Paid { message })
    }

    /// Makes one payment: draws its fate, moves its money, and notifies the merchant's account.
    fn execute(
        &self,
        draft: &mut DecisionDraft<'_>,
        order: &PaymentMessageRead,
        ordered: &OrderedPayment,
    ) -> BankPayment {
        let drawn = draft.draw.fate(&self.habits);
        let fate = self.fates.get(&ordered.id).copied().unwrap_or(drawn);
        let payment = BankPayment {
            id: ordered.id.clone(),
            uetr: ordered.uetr.clone(),
            message: order.message.clone(),
            message_name: order.name.clone(),
            amount: ordered.amount.clone(),
            currency: ordered.currency.clone(),
            gateway_account: ordered.gateway_account.clone(),
            merchant_account: ordered.merchant_account.clone(),
            fate,
            reference: format!("FT{:012}", draft.number()),
        };
        if fate.has_moved_money() {
            let amount = match fate {
                PaymentFate::WrongAmount => format!("1{}", payment.amount),
                _ => payment.amount.clone(),
            };
            let moved = draft.transfer(&payment, &amount, false);
            let (id, bank_ms) = (draft.id('N'), draft.bank_ms);
            let told = notification(&id, bank_ms, &payment.merchant_account, &moved);
            match fate {
                PaymentFate::CreditedByEntry => draft.say(told),
                PaymentFate::WrongAmount => draft.say_certainly(told),
                _ => {}
            }
        }
        if fate.has_return() {
            draft.return_later(&payment.id);
        }
        draft.take(payment.clone());
        payment
    }

    /// Answers a message that was paid: whole, in parts, a file a payment, or with a word too many.
    fn report_payments(
        &self,
        draft: &mut DecisionDraft<'_>,
        id: &str,
        original: OriginalMessage<'_>,
        payments: &[BankPayment],
    ) {
        let bank_ms = draft.bank_ms;
        let habits = &self.habits;
        // Contradictions come in a file of their own, so that no half of one is lost.
        let (both, plain): (Vec<_>, Vec<_>) =
            payments.iter().partition(|each| each.fate == PaymentFate::Contradicted);
        let lines: Vec<StatusLine<'_>> = plain.into_iter().filter_map(first_status).collect();
        let (rejected, other): (Vec<_>, Vec<_>) =
            lines.iter().copied().partition(|line| line.code == "RJCT");
        let group = if rejected.is_empty() { "ACSP" } else { "PART" };
        let (is_split, is_part) =
            (draft.draw.happens(habits.split), draft.draw.happens(habits.part));
        if is_split {
            for line in &lines {
                let id = draft.id('B');
                draft.say(status_report(&id, bank_ms, original, ("", ""), &[*line]));
            }
        } else if is_part {
            draft.say(status_report(id, bank_ms, original, ("PART", ""), &rejected));
            let id = draft.id('B');
            draft.say(status_report(&id, bank_ms, original, ("", ""), &other));
        } else {
            draft.say(status_report(id, bank_ms, original, (group, ""), &lines));
        }
        if !both.is_empty() {
            let lines: Vec<StatusLine<'_>> =
                both.iter().flat_map(|each| both_words(each)).collect();
            let id = draft.id('B');
            draft.say_certainly(status_report(&id, bank_ms, original, ("", ""), &lines));
        }
        if draft.draw.happens(habits.called_duplicate) {
            let id = draft.id('B');
            draft.say(status_report(&id, bank_ms, original, ("RJCT", "DUPL"), &[]));
        }
        self.report_account(draft, payments);
    }

    /// Tells of the gateway's account within its day, now and then. Nothing is said of payments
    /// about which the bank is silent: only the day's statement has them.
    fn report_account(&self, draft: &mut DecisionDraft<'_>, payments: &[BankPayment]) {
        let Some(first) = payments.first() else { return };
        if !draft.draw.happens(self.habits.reported) {
            return;
        }
        let silent = payments.iter().filter(|each| each.fate == PaymentFate::Silent);
        let silent: BTreeSet<&str> = silent.map(|each| each.id.as_str()).collect();
        let account = first.gateway_account.as_str();
        let (id, bank_ms) = (draft.id('R'), draft.bank_ms);
        let own = draft.moved().iter().filter(|each| each.from == account);
        let told: Vec<MovedMoney> =
            own.filter(|each| !silent.contains(each.id.as_str())).cloned().collect();
        if !told.is_empty() {
            draft.say(report(&id, bank_ms, account, &told));
        }
    }

    /// Answers a question about payments with what is known of them now.
    fn answer(&self, mut draft: DecisionDraft<'_>, ids: Vec<String>) -> BankDecision {
        for id in &ids {
            let Some(payment) = self.ledger.payment(id) else { continue };
            if self.ledger.is_cancelled(id) {
                continue;
            }
            let (code, cause, has_reference) = match payment.fate {
                PaymentFate::Silent => continue,
                PaymentFate::Rejected => ("RJCT", "AC04", false),
                PaymentFate::Unfunded => ("RJCT", "AM04", false),
                PaymentFate::Returned | PaymentFate::WrongAmount => ("ACSC", "", false),
                PaymentFate::Waiting => ("PDNG", "", false),
                PaymentFate::Credited
                | PaymentFate::CreditedByEntry
                | PaymentFate::Bounced
                | PaymentFate::Contradicted => ("ACCC", "", true),
            };
            let line = StatusLine { payment, code, cause, has_reference };
            let original = OriginalMessage { id: &payment.message, name: &payment.message_name };
            let (report, bank_ms) = (draft.id('A'), draft.bank_ms);
            let document = status_report(&report, bank_ms, original, ("", ""), &[line]);
            if self.ledger.asked(id) + 1 >= PATIENCE {
                draft.say_certainly(document);
            } else {
                draft.say(document);
            }
        }
        draft.finish(DecisionCause::Asked { ids })
    }

    /// Answers a recall: what waits is cancelled, and the rest stands.
    fn recall(&self, mut draft: DecisionDraft<'_>, ids: &[String]) -> BankDecision {
        let mut cancelled = Vec::new();
        for id in ids {
            let Some(payment) = self.ledger.payment(id) else { continue };
            let is_waiting = payment.fate == PaymentFate::Waiting;
            if is_waiting {
                cancelled.push(id.clone());
            }
            let code = if is_waiting { "CNCL" } else { "RJCR" };
            let (answer, bank_ms) = (draft.id('C'), draft.bank_ms);
            draft.say_certainly(recall_answer(&answer, bank_ms, payment, code));
        }
        draft.finish(DecisionCause::Recalled { cancelled })
    }
}

/// Returns the status of a payment in the first answer, unless the bank is silent about it.
fn first_status(payment: &BankPayment) -> Option<StatusLine<'_>> {
    let (code, cause, has_reference) = match payment.fate {
        PaymentFate::Credited | PaymentFate::Bounced => ("ACCC", "", true),
        PaymentFate::CreditedByEntry | PaymentFate::Returned | PaymentFate::WrongAmount => {
            ("ACSC", "", false)
        }
        PaymentFate::Rejected => ("RJCT", "AC04", false),
        PaymentFate::Unfunded => ("RJCT", "AM04", false),
        PaymentFate::Waiting => ("PDNG", "", false),
        PaymentFate::Silent | PaymentFate::Contradicted => return None,
    };
    Some(StatusLine { payment, code, cause, has_reference })
}

/// Returns both words of a contradiction.
fn both_words(payment: &BankPayment) -> [StatusLine<'_>; 2] {
    [("ACCC", "", true), ("RJCT", "AC04", false)].map(|(code, cause, has_reference)| StatusLine {
        payment,
        code,
        cause,
        has_reference,
    })
}

#[cfg(test)]
mod tests;
