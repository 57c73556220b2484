//! From a bank's words to facts about one payment.

use chain_types::FailureReason;

use super::handed::{ArrivalProof, EvidenceWord, HandedPayment};
use super::meaning::Meaning;
use super::reasons::{ReasonClass, class_of_rejection, failure_of_return};
use super::rules::{Fact, FactSet, meaning_of};
use crate::amount::BankMoney;
use crate::ids::Uetr;
use crate::words::{
    BankEntry, EntryDetail, EntryState, MoneyDirection, PaymentName, RecallStatus, RecallWord,
    ReturnWord, StatusCode, StatusLevel, StatusWord,
};

/// The meaning of a bank's words for a payment, and the facts behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The meaning by the first row of [`crate::RULES`] that holds.
    pub meaning: Meaning,
    /// The facts that it follows from.
    pub facts: FactSet,
    /// The reason on the chain, of a failure, a bounce or a recall.
    pub reason: Option<FailureReason>,
    /// The bank's own code of the reason.
    pub code: Option<Box<str>>,
    /// The bank's reference of the credit, the return or the rejection.
    pub reference: Option<Box<str>>,
}

/// The levels of a status; the lowest is the last.
const LEVELS: usize = 3;
/// Words that the bank does not make a payment.
const DEAD: [Fact; 3] = [Fact::Rejected, Fact::UnknownReason, Fact::Cancelled];
/// Words that money moved.
const PAID: [Fact; 2] = [Fact::Settled, Fact::Credited];

/// The sendings of a payment that a word is about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum About {
    /// The word is about another payment.
    Nothing,
    /// These sendings, by number.
    Sendings(Vec<usize>),
    /// The payment, and nobody knows which of its sendings.
    Some,
    /// The ids are those of two payments.
    Disagrees,
}

/// The facts that words state about a payment, before they are judged.
struct Gathered<'a> {
    payment: &'a HandedPayment,
    /// Facts of each sending, a set a level.
    levels: Vec<[FactSet; LEVELS]>,
    /// Facts of each sending from answers to recalls.
    recalls: Vec<FactSet>,
    /// Facts of the payment.
    shared: FactSet,
    rejection: Option<(FailureReason, Box<str>, Option<Box<str>>)>,
    returned: Option<(FailureReason, Box<str>, Option<Box<str>>)>,
    credit: Option<Box<str>>,
    unknown: Option<Box<str>>,
}

/// Returns what a bank's words mean for a payment. Their order is of no meaning, and a word that is
/// said again changes nothing.
pub fn judge(
    payment: &HandedPayment,
    words: &[EvidenceWord<'_>],
    proof: ArrivalProof,
) -> Judgement {
    let sendings = payment.sendings.len();
    let mut gathered = Gathered {
        payment,
        levels: vec![[FactSet::default(); LEVELS]; sendings],
        recalls: vec![FactSet::default(); sendings],
        shared: FactSet::default(),
        rejection: None,
        returned: None,
        credit: None,
        unknown: None,
    };
    for word in words {
        match word {
            EvidenceWord::Status(status) => gathered.status(status),
            EvidenceWord::Return(returned) => gathered.returned(returned),
            EvidenceWord::Recall(recall) => gathered.recall(recall),
            EvidenceWord::Entry { entry, account } => gathered.entry(entry, account),
        }
    }
    gathered.judgement(proof)
}

impl Gathered<'_> {
    /// Finds the sendings that a name is about.
    fn about(&self, name: &PaymentName) -> About {
        let own = self.payment.obligation.end_to_end_id().to_string();
        let named: Vec<bool> = [&name.end_to_end, &name.transaction]
            .into_iter()
            .flatten()
            .map(|id| **id == *own)
            .collect();
        let is_named = named.first().copied().unwrap_or(false);
        let uetr = name.uetr.as_deref().map(|text| text.parse::<Uetr>().ok());
        let of_uetr = |uetr: Option<Uetr>| {
            self.payment.sendings.iter().position(|sending| Some(sending.uetr) == uetr)
        };
        match (uetr, uetr.and_then(of_uetr)) {
            (_, Some(sending)) if named.is_empty() || is_named => About::Sendings(vec![sending]),
            (_, Some(_)) => About::Disagrees,
            (Some(_), None) if is_named => About::Disagrees,
            (Some(_), None) => About::Nothing,
            (None, None) if is_named => self.of_message(name, true),
            (None, None) if named.is_empty() => self.of_message(name, false),
            (None, None) => About::Nothing,
        }
    }

    /// Finds the sendings of the message or the payment information that a name has.
    fn of_message(&self, name: &PaymentName, is_named: bool) -> About {
        let sendings = &self.payment.sendings;
        let ids = [&name.message, &name.payment_information];
        let found: Vec<usize> = (0..sendings.len())
            .filter(|place| ids.iter().any(|id| id.as_deref() == Some(&*sendings[*place].message)))
            .collect();
        match (found.is_empty(), is_named) {
            (false, _) => About::Sendings(found),
            (true, false) => About::Nothing,
            // The id is ours, and the message is one that another bank made of ours.
            (true, true) if sendings.len() == 1 => About::Sendings(vec![0]),
            (true, true) => About::Some,
        }
    }

    fn status(&mut self, word: &StatusWord) {
        let (about, sendings) = match self.about(&word.name) {
            About::Nothing => return,
            About::Disagrees => return self.shared.insert(Fact::IdsDisagree),
            About::Some => (About::Some, Vec::new()),
            About::Sendings(sendings) => (About::Nothing, sendings),
        };
        if word.level == StatusLevel::Transaction {
            self.compare(word.money, Fact::OtherAmount);
        }
        let fact = match &word.status {
            StatusCode::Partial => return,
            StatusCode::Pending => Fact::Pending,
            StatusCode::Settled => Fact::Settled,
            StatusCode::Credited => {
                self.credit = self.credit.take().or_else(|| word.reference.clone());
                Fact::Credited
            }
            StatusCode::Unknown(_) => Fact::Unclear,
            StatusCode::Rejected => self.rejected(word),
        };
        if about == About::Some {
            // A rejection of one of several sendings says nothing of the others.
            let is_dead = DEAD.contains(&fact);
            return self.shared.insert(if is_dead { Fact::Doubtful } else { fact });
        }
        for sending in sendings {
            self.levels[sending][word.level as usize].insert(fact);
        }
    }

    fn rejected(&mut self, word: &StatusWord) -> Fact {
        match class_of_rejection(&word.reasons) {
            (ReasonClass::Definite(reason), code) => {
                let first = (reason, code, word.reference.clone());
                self.rejection.get_or_insert(first);
                Fact::Rejected
            }
            (ReasonClass::Duplicate, _) => Fact::Duplicate,
            (ReasonClass::Doubtful, _) => Fact::Doubtful,
            (ReasonClass::Unknown, code) => {
                self.unknown.get_or_insert(code);
                Fact::UnknownReason
            }
        }
    }

    fn returned(&mut self, word: &ReturnWord) {
        match self.about(&word.name) {
            About::Nothing => return,
            About::Disagrees => return self.shared.insert(Fact::IdsDisagree),
            About::Some | About::Sendings(_) => {}
        }
        self.compare(word.original, Fact::OtherAmount);
        let code = word.reasons.first().cloned().unwrap_or_default();
        self.came_back(Some(word.returned), code, word.reference.clone());
    }

    fn came_back(&mut self, money: Option<BankMoney>, code: Box<str>, reference: Option<Box<str>>) {
        self.compare(money, Fact::OtherReturn);
        self.shared.insert(Fact::Returned);
        let reason = failure_of_return(&code);
        match &mut self.returned {
            // A statement may give less than the return itself: the first reason stays.
            Some((_, known, _)) if !known.is_empty() || code.is_empty() => {}
            returned => *returned = Some((reason, code, reference)),
        }
    }

    fn recall(&mut self, word: &RecallWord) {
        let sendings = match self.about(&word.name) {
            About::Nothing => return,
            About::Disagrees => return self.shared.insert(Fact::IdsDisagree),
            About::Some => Vec::new(),
            About::Sendings(sendings) => sendings,
        };
        if word.status == RecallStatus::Cancelled {
            sendings.into_iter().for_each(|sending| self.recalls[sending].insert(Fact::Cancelled));
        }
    }

    fn entry(&mut self, entry: &BankEntry, account: &str) {
        if entry.state != EntryState::Booked {
            return;
        }
        for detail in &entry.details {
            match self.about(&detail.name) {
                // An entry that names a message alone is a batch: it says nothing of a payment.
                _ if !detail.name.is_of_transaction() => {}
                About::Nothing => {}
                About::Disagrees => self.shared.insert(Fact::IdsDisagree),
                About::Some | About::Sendings(_) => self.booked(entry, detail, account),
            }
        }
    }

    fn booked(&mut self, entry: &BankEntry, detail: &EntryDetail, account: &str) {
        let is_return = detail.returned.is_some() || entry.is_return || entry.is_reversal;
        let is_gateway = is_same_account(account, &self.payment.gateway_account);
        let is_merchant = is_same_account(account, &self.payment.merchant_account);
        let reference = detail.reference.clone().or_else(|| entry.reference.clone());
        match (entry.direction, is_return) {
            (MoneyDirection::Credit, true) if is_gateway => {
                let code = detail.returned.clone().unwrap_or_default();
                self.came_back(detail.money, code, reference);
            }
            (MoneyDirection::Debit, true) if is_merchant => {
                let code = detail.returned.clone().unwrap_or_default();
                self.came_back(detail.money, code, reference);
            }
            (MoneyDirection::Debit, false) if is_gateway => {
                if self.compare_paid(detail, entry.charges + detail.charges, MoneyDirection::Debit)
                {
                    self.shared.insert(Fact::Settled);
                }
            }
            (MoneyDirection::Credit, false) if is_merchant => {
                if self.compare_paid(detail, entry.charges + detail.charges, MoneyDirection::Credit)
                {
                    self.shared.insert(Fact::Credited);
                    self.credit = reference.or_else(|| self.credit.take());
                }
            }
            _ => self.shared.insert(Fact::OtherAccount),
        }
    }

    /// Compares the money of a payment's own entry; says what differs.
    fn compare_paid(
        &mut self,
        detail: &EntryDetail,
        charges: u128,
        direction: MoneyDirection,
    ) -> bool {
        let ordered = u128::from(self.payment.amount.get());
        let Some(money) = detail.money else {
            self.shared.insert(Fact::OtherAmount);
            return false;
        };
        let actual = u128::from(money.amount.get());
        if money.currency == self.payment.obligation.instruction.currency && charges > 0 {
            match direction {
                MoneyDirection::Credit if actual + charges == ordered => {
                    self.shared.insert(Fact::ChargesTaken);
                    return false;
                }
                // The gateway's bank took its charges in the same entry: the payment is whole.
                MoneyDirection::Debit if actual == ordered + charges => return true,
                _ => {}
            }
        }
        self.compare(Some(money), Fact::OtherAmount)
    }

    /// Compares an amount with the ordered one, if the bank states it.
    fn compare(&mut self, money: Option<BankMoney>, other: Fact) -> bool {
        let Some(BankMoney { amount, currency }) = money else { return true };
        if currency != self.payment.obligation.instruction.currency {
            self.shared.insert(Fact::OtherCurrency);
            return false;
        }
        if amount != self.payment.amount {
            self.shared.insert(other);
        }
        amount == self.payment.amount
    }

    /// The facts of one sending: those of the lowest level that speaks.
    fn of_sending(&self, sending: usize) -> FactSet {
        let levels = self.levels[sending];
        let lowest = levels.into_iter().rev().find(|facts| !facts.is_empty());
        lowest.unwrap_or_default().union(self.recalls[sending])
    }

    /// The facts of the payment. A sending that is dead says nothing while another is alive.
    fn facts(&self) -> FactSet {
        let sets: Vec<FactSet> =
            (0..self.payment.sendings.len()).map(|sending| self.of_sending(sending)).collect();
        let is_alive = |set: &FactSet| !set.contains_any(&DEAD) || set.contains_any(&PAID);
        let has_alive = sets.iter().any(is_alive);
        let counted = sets.into_iter().filter(|set| !has_alive || is_alive(set));
        counted.fold(self.shared, FactSet::union)
    }

    fn judgement(self, proof: ArrivalProof) -> Judgement {
        let mut facts = self.facts();
        if proof == ArrivalProof::Settled && facts.contains(Fact::Settled) {
            facts.remove(Fact::Settled);
            facts.insert(Fact::Credited);
        }
        let meaning = meaning_of(facts);
        let (reason, code, reference) = match meaning {
            Meaning::Bounced => split(self.returned),
            Meaning::Failed if facts.contains(Fact::Returned) => split(self.returned),
            Meaning::Failed => split(self.rejection),
            Meaning::Recalled => (Some(FailureReason::Recalled), None, None),
            Meaning::Held(_) => (None, self.unknown, None),
            Meaning::Arrived => (None, None, self.credit),
            Meaning::Wait | Meaning::Ask | Meaning::Settled => (None, None, None),
        };
        Judgement { meaning, facts, reason, code, reference }
    }
}

type Split = (Option<FailureReason>, Option<Box<str>>, Option<Box<str>>);

fn split(found: Option<(FailureReason, Box<str>, Option<Box<str>>)>) -> Split {
    match found {
        Some((reason, code, reference)) => (Some(reason), Some(code), reference),
        None => (None, None, None),
    }
}

/// Returns true if two numbers are those of one account: banks write IBANs with and without spaces.
pub(crate) fn is_same_account(one: &str, other: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|letter| *letter != ' ').collect::<String>();
    letters(one) == letters(other)
}
