//! The books of a gateway: instructions as the chain said them, attempts, messages, words of the
//! bank and batches. It is made of the journal's records alone, so that a restart knows the same.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::{Amount, ChainId, InstructionId, InstructionState};
use rpc_iso20022::{EndToEndId, HandedPayment, PaymentName, PaymentSending, Uetr};

use crate::record::{
    DeedKind, HeldFile, IntendedMessage, JournalRecord, MessagePurpose, SeenInstruction,
    SignedDeeds, TakenFile,
};
use crate::words::OwnWord;

/// Distinct words that are kept of one attempt; then a person is called.
const WORDS_MAX: usize = 256;
/// Outcomes of an item that mean that the chain has it: applied, and said before.
const SAID: [u16; 2] = [0, 1];

/// The chain's word on an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptState {
    /// The gateway is to pay it.
    Outstanding,
    /// The merchant has the money.
    Arrived,
    /// It failed; `by_others` if agents ended it, and not this gateway.
    Failed {
        /// True if another party than this gateway ended it.
        by_others: bool,
    },
    /// The instruction was given again since, as a later attempt or to another gateway.
    Past,
}

/// The message that carried an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptSending {
    /// The id of the message.
    pub message: Box<str>,
    /// The number of the merchant's account at that time.
    pub merchant_account: Box<str>,
    /// When the message was put out; `None` while it is intended.
    pub handed_ms: Option<u64>,
}

/// One attempt of an instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptBook {
    /// The amount to pay; it stays once the attempt was sent.
    pub amount: Amount,
    /// By when it must have arrived.
    pub deadline_ms: u64,
    /// The chain's word on it.
    pub state: AttemptState,
    /// True if an agent asked that it shall not be paid.
    pub is_recalled: bool,
    /// The message that carried it. There is at most one, whatever happens.
    pub sending: Option<AttemptSending>,
    /// How often the bank was asked about it.
    pub asks: u32,
    /// When it was asked last.
    pub asked_ms: u64,
    /// True if the bank was asked for the payment back.
    pub is_recall_sent: bool,
    /// The words of the bank about it, each once.
    pub words: Vec<OwnWord>,
    /// When the bank said something new of it.
    pub heard_ms: u64,
    /// The batch that says something of it and has no answer yet.
    pub batch: Option<u64>,
    /// The statement that the chain refused, with the code and the time in milliseconds.
    pub refused: Option<(DeedKind, u16, u64)>,
}

/// A message that was intended, as far as later messages need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMessage {
    /// The purpose of the message.
    pub purpose: MessagePurpose,
    /// The name and version of the paying message.
    pub name: &'static str,
    /// The day on which the bank is to pay.
    pub execution: Box<str>,
    /// The number of the gateway's account.
    pub gateway_account: Box<str>,
    /// The attempts that it names.
    pub payments: Vec<EndToEndId>,
}

/// All that a gateway knows.
#[derive(Debug, Clone)]
pub struct GatewayBooks {
    /// The chain that gives the instructions.
    pub chain: ChainId,
    /// The gateway's participant id.
    pub gateway: u32,
    seen: BTreeMap<InstructionId, SeenInstruction>,
    attempts: BTreeMap<EndToEndId, AttemptBook>,
    /// Attempts that may need an act; the others are done until something new is heard.
    open: BTreeSet<EndToEndId>,
    messages: BTreeMap<Box<str>, SentMessage>,
    intended: BTreeMap<Box<str>, IntendedMessage>,
    uetrs: BTreeMap<Uetr, EndToEndId>,
    files: BTreeSet<Box<str>>,
    bank_messages: BTreeSet<(Box<str>, Box<str>)>,
    held_files: Vec<HeldFile>,
    batches: BTreeMap<u64, SignedDeeds>,
    batch_last: u64,
    /// When the chain refused a batch as a whole for the last time.
    refused_ms: Option<u64>,
}

impl GatewayBooks {
    /// Returns empty books of a gateway of a chain.
    pub fn new(chain: ChainId, gateway: u32) -> Self {
        Self {
            chain,
            gateway,
            seen: BTreeMap::new(),
            attempts: BTreeMap::new(),
            open: BTreeSet::new(),
            messages: BTreeMap::new(),
            intended: BTreeMap::new(),
            uetrs: BTreeMap::new(),
            files: BTreeSet::new(),
            bank_messages: BTreeSet::new(),
            held_files: Vec::new(),
            batches: BTreeMap::new(),
            batch_last: 0,
            refused_ms: None,
        }
    }

    /// Takes a record that is on disk.
    pub fn apply(&mut self, record: &JournalRecord) {
        match record {
            JournalRecord::Begun { .. } => {}
            JournalRecord::Seen(seen) => self.apply_seen(seen),
            JournalRecord::Intended(message) => self.apply_intended(message),
            JournalRecord::Handed { message, time_ms } => self.apply_handed(message, *time_ms),
            JournalRecord::Taken(file) => {
                self.files.insert(file.hash.clone());
                self.bank_messages.extend(file.messages.iter().cloned());
            }
            JournalRecord::Held(file) => {
                if self.files.insert(file.hash.clone()) {
                    self.held_files.push(file.clone());
                }
            }
            JournalRecord::Signed(batch) => {
                self.batch_last = self.batch_last.max(batch.number);
                for deed in &batch.deeds {
                    self.change(deed.id, |attempt| attempt.batch = Some(batch.number));
                }
                self.batches.insert(batch.number, batch.clone());
            }
            JournalRecord::Answered { number, outcomes, time_ms } => {
                self.apply_answered(*number, outcomes, *time_ms);
            }
            JournalRecord::Refused { number, time_ms, .. } => {
                self.refused_ms = Some(*time_ms);
                for deed in self.batches.remove(number).map(|batch| batch.deeds).unwrap_or_default()
                {
                    self.change(deed.id, |attempt| attempt.batch = None);
                }
            }
        }
    }

    /// Adds what the bank said of attempts. A word that is said again changes nothing.
    pub fn hear(&mut self, time_ms: u64, words: Vec<(EndToEndId, OwnWord)>) {
        for (id, word) in words {
            self.change(id, |attempt| {
                if !attempt.words.contains(&word) && attempt.words.len() <= WORDS_MAX {
                    attempt.words.push(word);
                    attempt.heard_ms = attempt.heard_ms.max(time_ms);
                }
            });
        }
    }

    fn change(&mut self, id: EndToEndId, change: impl FnOnce(&mut AttemptBook)) {
        if let Some(attempt) = self.attempts.get_mut(&id) {
            change(attempt);
            self.open.insert(id);
        }
    }

    fn apply_seen(&mut self, seen: &SeenInstruction) {
        let instruction = seen.instruction;
        self.seen.insert(instruction, seen.clone());
        let is_own = seen.gateway == self.gateway;
        let first = EndToEndId { instruction, attempt: 0 };
        let present = EndToEndId { instruction, attempt: seen.attempt };
        let last = EndToEndId { instruction, attempt: u16::MAX };
        for (id, attempt) in self.attempts.range_mut(first..=last) {
            if !is_own || *id < present {
                attempt.state = AttemptState::Past;
                self.open.insert(*id);
            }
        }
        if !is_own {
            return;
        }
        let by_others = seen.failed_by != Some(self.gateway);
        let state = match seen.state {
            InstructionState::Instructed => AttemptState::Outstanding,
            InstructionState::Arrived => AttemptState::Arrived,
            InstructionState::Failed | InstructionState::Returned => {
                AttemptState::Failed { by_others }
            }
        };
        let book = self.attempts.entry(present).or_insert_with(|| AttemptBook::new(seen));
        if book.sending.is_none() {
            book.amount = Amount::new(seen.amount);
        }
        book.state = state;
        book.deadline_ms = seen.deadline_ms;
        book.is_recalled |= seen.is_recalled;
        self.open.insert(present);
    }

    fn apply_intended(&mut self, message: &IntendedMessage) {
        for payment in &message.payments {
            let is_ask = message.purpose == MessagePurpose::Ask;
            self.change(payment.id, |attempt| match message.purpose {
                MessagePurpose::Pay => {
                    attempt.sending = Some(AttemptSending {
                        message: message.message.clone(),
                        merchant_account: payment.merchant_account.clone(),
                        handed_ms: None,
                    });
                }
                MessagePurpose::Ask | MessagePurpose::Recall => {
                    attempt.asks += u32::from(is_ask);
                    attempt.is_recall_sent |= !is_ask;
                    attempt.asked_ms = attempt.asked_ms.max(message.time_ms);
                }
            });
            if message.purpose == MessagePurpose::Pay {
                self.uetrs.insert(payment.id.of_chain(self.chain).uetr(0), payment.id);
            }
        }
        let sent = SentMessage {
            purpose: message.purpose,
            name: message.payment.name(),
            execution: message.execution.clone(),
            gateway_account: message.gateway_account.clone(),
            payments: message.payments.iter().map(|payment| payment.id).collect(),
        };
        self.messages.insert(message.message.clone(), sent);
        self.intended.insert(message.message.clone(), message.clone());
    }

    fn apply_handed(&mut self, message: &str, time_ms: u64) {
        let Some(message) = self.intended.remove(message) else { return };
        for payment in message.payments {
            self.change(payment.id, |attempt| {
                let sending = attempt.sending.as_mut().filter(|_| message.purpose.is_payment());
                if let Some(sending) = sending {
                    sending.handed_ms = Some(time_ms);
                }
            });
        }
    }

    fn apply_answered(&mut self, number: u64, outcomes: &[u16], time_ms: u64) {
        let Some(batch) = self.batches.remove(&number) else { return };
        for (deed, outcome) in batch.deeds.into_iter().zip(outcomes) {
            self.change(deed.id, |attempt| {
                attempt.batch = None;
                if !SAID.contains(outcome) {
                    attempt.refused = Some((deed.kind, *outcome, time_ms));
                    return;
                }
                attempt.refused = None;
                if attempt.state != AttemptState::Past {
                    attempt.state = match deed.kind {
                        DeedKind::Arrival => AttemptState::Arrived,
                        DeedKind::Failure | DeedKind::Bounce => {
                            AttemptState::Failed { by_others: false }
                        }
                    };
                }
            });
        }
    }

    /// Returns the attempts that a name of the bank may mean: by end-to-end id, by UETR, and by the
    /// message that carried them.
    pub fn named(&self, name: &PaymentName) -> BTreeSet<EndToEndId> {
        let ids = [&name.end_to_end, &name.transaction].into_iter().flatten();
        let mut found: BTreeSet<EndToEndId> =
            ids.filter_map(|text| text.parse().ok()).filter(|id| self.is_known(*id)).collect();
        let uetr = name.uetr.as_deref().and_then(|text| text.parse().ok());
        found.extend(uetr.and_then(|uetr| self.uetrs.get(&uetr)));
        if !name.is_of_transaction() {
            let messages = [&name.message, &name.payment_information].into_iter().flatten();
            let sent = messages.filter_map(|id| self.messages.get(id));
            let pays = sent.filter(|message| message.purpose.is_payment());
            found.extend(pays.flat_map(|message| &message.payments));
        }
        found
    }

    /// Returns true if the chain gave this attempt to the gateway.
    pub fn is_known(&self, id: EndToEndId) -> bool {
        self.attempts.contains_key(&id)
    }

    /// Returns the books of an attempt, if it is known.
    pub fn attempt(&self, id: EndToEndId) -> Option<&AttemptBook> {
        self.attempts.get(&id)
    }

    /// Returns every attempt, ascending by id.
    pub fn attempts(&self) -> impl Iterator<Item = (EndToEndId, &AttemptBook)> {
        self.attempts.iter().map(|(id, attempt)| (*id, attempt))
    }

    /// Returns the attempts of an instruction before one of them.
    pub fn earlier(&self, id: EndToEndId) -> impl Iterator<Item = (EndToEndId, &AttemptBook)> {
        let first = EndToEndId { instruction: id.instruction, attempt: 0 };
        self.attempts.range(first..id).map(|(id, attempt)| (*id, attempt))
    }

    /// Returns the attempts that may need an act.
    pub fn open(&self) -> &BTreeSet<EndToEndId> {
        &self.open
    }

    /// Forgets that attempts may need an act, until something new is heard of them.
    pub fn close(&mut self, done: &[EndToEndId]) {
        for id in done {
            self.open.remove(id);
        }
    }

    /// Returns a message that was intended.
    pub fn message(&self, id: &str) -> Option<&SentMessage> {
        self.messages.get(id)
    }

    /// Returns messages that are intended and were not put out yet.
    pub fn intended(&self) -> impl Iterator<Item = &IntendedMessage> {
        self.intended.values()
    }

    /// Returns batches without an answer.
    pub fn batches(&self) -> impl Iterator<Item = &SignedDeeds> {
        self.batches.values()
    }

    /// Returns the number of the next batch.
    pub fn next_batch(&self) -> u64 {
        self.batch_last + 1
    }

    /// Returns when the chain refused a whole batch for the last time.
    pub fn refused_ms(&self) -> Option<u64> {
        self.refused_ms
    }

    /// Returns the chain's last word on an instruction.
    pub fn seen(&self, id: InstructionId) -> Option<&SeenInstruction> {
        self.seen.get(&id)
    }

    /// Returns the greatest instruction that was seen: the list of new ones goes on after it.
    pub fn last_seen(&self) -> Option<InstructionId> {
        self.seen.keys().next_back().copied()
    }

    /// Returns the hashes of the files that were taken or held.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|hash| &**hash)
    }

    /// Returns true if a file of these bytes was taken or held before.
    pub fn has_file(&self, hash: &str) -> bool {
        self.files.contains(hash)
    }

    /// Returns the first message of a file that another file had before, by its id.
    pub fn repeated_message(&self, file: &TakenFile) -> Option<&(Box<str>, Box<str>)> {
        let named = |message: &&(Box<str>, Box<str>)| !message.1.is_empty();
        self.bank_messages.iter().filter(named).find(|message| file.messages.contains(message))
    }

    /// Returns the files that are held.
    pub fn held_files(&self) -> &[HeldFile] {
        &self.held_files
    }

    /// Returns an attempt as evidence is judged for it, or `None` if it was never sent.
    pub fn handed(&self, id: EndToEndId) -> Option<HandedPayment> {
        let attempt = self.attempts.get(&id)?;
        let sending = attempt.sending.as_ref()?;
        let obligation = id.of_chain(self.chain);
        let message = self.messages.get(&sending.message)?;
        Some(HandedPayment {
            obligation,
            amount: attempt.amount,
            sendings: vec![PaymentSending {
                message: sending.message.clone(),
                uetr: obligation.uetr(0),
            }],
            gateway_account: message.gateway_account.clone(),
            merchant_account: sending.merchant_account.clone(),
        })
    }
}

impl AttemptBook {
    fn new(seen: &SeenInstruction) -> Self {
        Self {
            amount: Amount::new(seen.amount),
            deadline_ms: seen.deadline_ms,
            state: AttemptState::Outstanding,
            is_recalled: false,
            sending: None,
            asks: 0,
            asked_ms: 0,
            is_recall_sent: false,
            words: Vec::new(),
            heard_ms: 0,
            batch: None,
            refused: None,
        }
    }

    /// Returns true if the bank said more of it than is kept.
    pub fn has_too_many_words(&self) -> bool {
        self.words.len() > WORDS_MAX
    }
}

impl MessagePurpose {
    /// Returns true if the message pays.
    pub fn is_payment(self) -> bool {
        self == Self::Pay
    }
}
