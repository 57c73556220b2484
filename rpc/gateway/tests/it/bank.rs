//! A bank that misbehaves, seeded. It knows of duplicates by the id of a message alone, answers
//! late, twice, in another order or not at all, and keeps a journal of money that really moved.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::words::*;

/// The fate of a payment at the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// The merchant is credited, and the bank says so in statuses.
    Credits,
    /// The merchant is credited, and only its account says so.
    CreditsByEntry,
    /// The account is closed.
    Rejects,
    /// It is settled, and comes back before the merchant has it.
    Returns,
    /// The merchant is credited, and the money comes back later.
    Bounces,
    /// The merchant is credited with another amount.
    OtherAmount,
    /// The merchant is credited, and the bank never says anything of it.
    Silent,
    /// The bank works on it until somebody asks for it back, and cancels it then.
    Waits,
}

/// One movement of money, as the bank's own journal has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The payment's end-to-end id.
    pub id: String,
    /// Minor units or not: as the message wrote it.
    pub amount: String,
    /// True if it went back to the gateway.
    pub is_back: bool,
    /// The bank's own reference of the movement.
    pub reference: String,
}

/// A payment that the bank has.
#[derive(Debug, Clone)]
struct Payment {
    message: String,
    uetr: String,
    amount: String,
    currency: String,
    account: String,
    fate: Fate,
    reference: String,
    is_cancelled: bool,
    asked: u32,
}

/// The rates at which the bank misbehaves: one in this many.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    pub lost_in: u32,
    pub twice_in: u32,
    pub garbage_in: u32,
    pub rejected_file_in: u32,
    pub delay_steps: u64,
}

pub struct TestedBank {
    folder: PathBuf,
    random: ChaCha8Rng,
    habits: Habits,
    step: u64,
    number: u64,
    /// Fates of payments, by the first that is not taken yet; later ones are drawn.
    pub fates: BTreeMap<String, Fate>,
    messages: BTreeSet<String>,
    payments: BTreeMap<String, Payment>,
    /// Files that are on their way to the gateway, by the step at which they arrive.
    outgoing: BTreeMap<(u64, u64), (String, String)>,
    /// Money that comes back at a step.
    returns: BTreeMap<(u64, u64), String>,
    /// Money that really moved.
    pub journal: Vec<Moved>,
    /// Messages that came twice.
    pub duplicates: u64,
    /// Questions that were asked.
    pub questions: u64,
}

impl TestedBank {
    pub fn new(folder: &Path, seed: u64, habits: Habits) -> Self {
        Self {
            folder: folder.to_owned(),
            random: ChaCha8Rng::seed_from_u64(seed),
            habits,
            step: 0,
            number: 0,
            fates: BTreeMap::new(),
            messages: BTreeSet::new(),
            payments: BTreeMap::new(),
            outgoing: BTreeMap::new(),
            returns: BTreeMap::new(),
            journal: Vec::new(),
            duplicates: 0,
            questions: 0,
        }
    }

    /// Returns the fate of a payment, if the bank has it.
    pub fn fate(&self, id: &str) -> Option<Fate> {
        self.payments.get(id).map(|payment| payment.fate)
    }

    fn one_in(&mut self, many: u32) -> bool {
        many > 0 && self.random.random_range(0..many) == 0
    }

    fn next(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// Takes what the gateway put out, and delivers what is due.
    pub fn step(&mut self) {
        self.step += 1;
        let mut files: Vec<PathBuf> = std::fs::read_dir(self.folder.join("out"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "xml"))
            .collect();
        files.sort();
        let mut messages: Vec<String> = Vec::new();
        for path in files {
            messages.push(std::fs::read_to_string(&path).unwrap());
            std::fs::remove_file(&path).unwrap();
        }
        // What a message asks about was put out before it.
        messages.sort_by_key(|xml| !xml.contains(":pain.001."));
        for xml in messages {
            if xml.contains(":pain.001.") {
                self.pay(&xml);
            } else if xml.contains(":pacs.028.") {
                self.asked(&xml);
            } else {
                self.recalled(&xml);
            }
        }
        self.return_money();
        let due: Vec<(u64, u64)> =
            self.outgoing.keys().copied().filter(|(at, _)| *at <= self.step).collect();
        for key in due {
            let (name, xml) = self.outgoing.remove(&key).unwrap();
            let aside = self.folder.join(format!("in/.{name}.part"));
            std::fs::write(&aside, xml).unwrap();
            std::fs::rename(&aside, self.folder.join("in").join(name)).unwrap();
        }
    }

    /// Sends a file on its way: late, lost, twice, with garbage beside it.
    fn send(&mut self, xml: &str, is_certain: bool) {
        if !is_certain && self.one_in(self.habits.lost_in) {
            return;
        }
        let times = if self.one_in(self.habits.twice_in) { 2 } else { 1 };
        for _ in 0..times {
            self.deliver(xml.to_owned());
        }
        if self.one_in(self.habits.garbage_in) {
            let cut = xml.len() / 2;
            self.deliver(xml[..cut].to_owned());
        }
    }

    fn deliver(&mut self, xml: String) {
        let number = self.next();
        let at = self.step + self.random.random_range(0..=self.habits.delay_steps);
        self.outgoing.insert((at, number), (format!("{number:06}.xml"), xml));
    }

    fn pay(&mut self, xml: &str) {
        let message = text(xml, "MsgId").to_owned();
        let report = format!("B{}", self.next());
        if !self.messages.insert(message.clone()) {
            self.duplicates += 1;
            // A third-party bank answers the same file like this: nothing of its payments.
            self.send(&pain002(&report, &message, &group("RJCT", "DUPL"), ""), false);
            return;
        }
        if self.one_in(self.habits.rejected_file_in) {
            self.send(&pain002(&report, &message, &group("RJCT", "FF01"), ""), true);
            return;
        }
        let mut statuses = String::new();
        for payment in xml.split("<CdtTrfTxInf>").skip(1) {
            statuses += &self.execute(&message, payment);
        }
        let code = if statuses.contains("RJCT") { "PART" } else { "ACSP" };
        self.send(&pain002(&report, &message, &group(code, ""), &statuses), false);
    }

    fn drawn(&mut self) -> Fate {
        match self.random.random_range(0..100) {
            0..=54 => Fate::Credits,
            55..=69 => Fate::CreditsByEntry,
            70..=79 => Fate::Rejects,
            80..=87 => Fate::Returns,
            88..=94 => Fate::Bounces,
            95 => Fate::OtherAmount,
            96 => Fate::Silent,
            _ => Fate::Waits,
        }
    }

    fn execute(&mut self, message: &str, xml: &str) -> String {
        let id = text(xml, "EndToEndId").to_owned();
        let (head, amount) = xml.split_once("<InstdAmt Ccy=\"").unwrap();
        let (currency, rest) = amount.split_once("\">").unwrap();
        let amount = rest.split_once('<').unwrap().0.to_owned();
        let account = texts(xml.split_once("<CdtrAcct>").unwrap().1, "Id");
        let fate = self.fates.get(&id).copied().unwrap_or_else(|| self.drawn());
        let reference = format!("FT{:012}", self.next());
        let payment = Payment {
            message: message.to_owned(),
            uetr: text(head, "UETR").to_owned(),
            amount: amount.clone(),
            currency: currency.to_owned(),
            account: account.first().unwrap().to_string(),
            fate,
            reference: reference.clone(),
            is_cancelled: false,
            asked: 0,
        };
        if !matches!(fate, Fate::Rejects | Fate::Waits) {
            self.moved(&id, &payment, false);
        }
        if matches!(fate, Fate::Returns | Fate::Bounces) {
            let number = self.next();
            let later = self.random.random_range(1..20);
            self.returns.insert((self.step + later, number), id.clone());
        }
        let (first, entry) = self.first_word(&id, &payment);
        if let Some(entry) = entry {
            let number = self.next();
            let is_certain = fate == Fate::OtherAmount;
            let file = camt054(&format!("N{number}"), &payment.account, &entry);
            self.send(&file, is_certain);
        }
        self.payments.insert(id, payment);
        first
    }

    /// The status in the first answer, and the entry of the merchant's account.
    fn first_word(&self, id: &str, payment: &Payment) -> (String, Option<String>) {
        let Payment { uetr, amount, currency, fate, reference, .. } = payment;
        let credit = |amount: &str| Some(entry(id, amount, currency, "CRDT", reference));
        match fate {
            Fate::Credits | Fate::Bounces => (status(id, uetr, "ACCC", "", reference), None),
            Fate::CreditsByEntry => (status(id, uetr, "ACSC", "", ""), credit(amount)),
            Fate::Rejects => (status(id, uetr, "RJCT", "AC04", ""), None),
            Fate::Returns => (status(id, uetr, "ACSC", "", ""), None),
            Fate::OtherAmount => (status(id, uetr, "ACSC", "", ""), credit(&format!("1{amount}"))),
            Fate::Waits => (status(id, uetr, "PDNG", "", ""), None),
            Fate::Silent => (String::new(), None),
        }
    }

    fn moved(&mut self, id: &str, payment: &Payment, is_back: bool) {
        let (id, amount, reference) =
            (id.to_owned(), payment.amount.clone(), payment.reference.clone());
        self.journal.push(Moved { id, amount, is_back, reference });
    }

    fn return_money(&mut self) {
        let due: Vec<(u64, u64)> =
            self.returns.keys().copied().filter(|(at, _)| *at <= self.step).collect();
        for key in due {
            let id = self.returns.remove(&key).unwrap();
            let payment = self.payments[&id].clone();
            self.moved(&id, &payment, true);
            let number = format!("P{}", self.next());
            let Payment { amount, currency, .. } = payment;
            self.send(&pacs004(&number, &id, &amount, &currency, "AC06"), true);
        }
    }

    /// Answers a question about payments with what is known of them now.
    fn asked(&mut self, xml: &str) {
        self.questions += 1;
        for transaction in xml.split("<TxInf>").skip(1) {
            let id = text(transaction, "OrgnlEndToEndId").to_owned();
            let number = format!("A{}", self.next());
            let Some(known) = self.payments.get_mut(&id) else { continue };
            known.asked += 1;
            let payment = known.clone();
            let Payment { uetr, reference, fate, .. } = &payment;
            let word = match fate {
                Fate::Silent => continue,
                Fate::Rejects => status(&id, uetr, "RJCT", "AC04", ""),
                Fate::Returns | Fate::OtherAmount => status(&id, uetr, "ACSC", "", ""),
                Fate::Waits if payment.is_cancelled => continue,
                Fate::Waits => status(&id, uetr, "PDNG", "", ""),
                Fate::Credits | Fate::CreditsByEntry | Fate::Bounces => {
                    status(&id, uetr, "ACCC", "", reference)
                }
            };
            // Who asks for the third time gets an answer.
            let is_certain = payment.asked > 2;
            self.send(&pain002(&number, &payment.message, "", &word), is_certain);
        }
    }

    /// Answers a recall: what waits is cancelled, and the rest stands.
    fn recalled(&mut self, xml: &str) {
        for transaction in xml.split("<TxInf>").skip(1) {
            let id = text(transaction, "OrgnlEndToEndId").to_owned();
            let number = format!("C{}", self.next());
            let Some(payment) = self.payments.get_mut(&id) else { continue };
            let is_waiting = payment.fate == Fate::Waits;
            payment.is_cancelled |= is_waiting;
            let message = payment.message.clone();
            let word = if is_waiting { "CNCL" } else { "RJCR" };
            self.send(&camt029(&number, &message, &id, word), true);
        }
    }
}
