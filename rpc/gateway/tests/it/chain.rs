//! A chain of the test: instructions and their rules, as docs/settlement-rules.md section 6 has
//! them, with agents who give again what failed. It forgets answers now and then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use chain_types::batch::Items;
use chain_types::{
    Amount, ChainId, Currency, Digest, FailureReason, InstructionId, InstructionState,
    ParticipantId, PublicKey, Rejection, SignedBatch,
};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rpc_api::{InstructionReport, Money};
use rpc_gateway::{BatchAnswer, ChainPort, ChainSilence};

/// The gateway that pays.
pub const GATEWAY: u32 = 201;
/// The id of the chain of these tests.
pub const CHAIN: ChainId = ChainId::new(Digest::from_bytes([7; 32]));

/// The state of the chain.
#[derive(Debug)]
pub struct ChainBook {
    pub instructions: BTreeMap<InstructionId, InstructionReport>,
    /// The answer to each batch: the same bytes get the same answer.
    answers: BTreeMap<Vec<u8>, Vec<(u32, u16)>>,
    /// One question in this many stays without an answer; none if it is 0.
    pub silent_in: u32,
    pub now_ms: u64,
    key: PublicKey,
    random: ChaCha8Rng,
    /// Outcomes that were given, by code.
    pub outcomes: BTreeMap<u16, u64>,
}

/// The chain, shared by the gateway's lives and the test.
#[derive(Debug, Clone)]
pub struct TestedChain(Arc<Mutex<ChainBook>>);

impl TestedChain {
    pub fn new(seed: u64, key: PublicKey) -> Self {
        let random = ChaCha8Rng::seed_from_u64(seed);
        Self(Arc::new(Mutex::new(ChainBook {
            instructions: BTreeMap::new(),
            answers: BTreeMap::new(),
            silent_in: 0,
            now_ms: 0,
            key,
            random,
            outcomes: BTreeMap::new(),
        })))
    }

    pub fn book(&self) -> MutexGuard<'_, ChainBook> {
        self.0.lock().unwrap()
    }
}

impl ChainBook {
    /// Makes an instruction, outstanding as its first attempt.
    pub fn instruct(&mut self, id: InstructionId, amount: u64) {
        let money = |amount| Money::new(Amount::new(amount), id.currency);
        let report = InstructionReport {
            instruction_id: id,
            window: id.window.get(),
            merchant: id.merchant.get(),
            gateway: GATEWAY,
            amount: money(amount),
            amount_returned: money(0),
            amount_left: money(amount),
            order_count: 1,
            cross_border_count: 0,
            attempt: 1,
            earliest_accepted_ms: self.now_ms,
            instructed_ms: self.now_ms,
            deadline_ms: self.now_ms + 86_400_000,
            status: InstructionState::Instructed,
            settled_ms: None,
            is_late: false,
            failure: None,
            failed_by: None,
            recalled_ms: None,
            reference: None,
            cashback: Vec::new(),
        };
        self.instructions.insert(id, report);
    }

    /// Gives an instruction that failed again.
    pub fn give_again(&mut self, id: InstructionId) {
        let report = self.instructions.get_mut(&id).unwrap();
        assert_eq!(report.status, InstructionState::Failed);
        report.attempt += 1;
        report.status = InstructionState::Instructed;
        report.failure = None;
        report.failed_by = None;
        report.recalled_ms = None;
        report.reference = None;
    }

    /// An agent asks that an instruction shall not be paid.
    pub fn recall(&mut self, id: InstructionId) {
        self.instructions.get_mut(&id).unwrap().recalled_ms = Some(self.now_ms);
    }

    /// Two agents end the present attempt.
    pub fn step_in(&mut self, id: InstructionId) {
        let report = self.instructions.get_mut(&id).unwrap();
        report.status = InstructionState::Failed;
        report.failed_by = Some(501);
    }

    fn falls_silent(&mut self) -> bool {
        self.silent_in > 0 && self.random.random_range(0..self.silent_in) == 0
    }

    /// An arrival, by the rules.
    fn arrive(&mut self, id: InstructionId, amount: u64, reference: [u8; 32], attempt: u16) -> u16 {
        let now_ms = self.now_ms;
        let Some(report) = self.instructions.get_mut(&id) else { return 400 };
        let reference = hex::encode(reference);
        if attempt != report.attempt {
            return Rejection::AttemptOther.code();
        }
        if i128::from(amount) != report.amount_left.minor {
            return 402;
        }
        match report.status {
            InstructionState::Arrived if report.reference.as_ref() == Some(&reference) => 1,
            InstructionState::Arrived => 403,
            InstructionState::Failed if report.failed_by == Some(GATEWAY) => 404,
            InstructionState::Returned => 407,
            InstructionState::Failed | InstructionState::Instructed => {
                report.status = InstructionState::Arrived;
                report.reference = Some(reference);
                report.settled_ms = Some(now_ms);
                0
            }
        }
    }

    /// A failure or a bounce, by the rules.
    fn fail(
        &mut self,
        id: InstructionId,
        reason: u16,
        reference: [u8; 32],
        (attempt, is_bounce): (u16, bool),
    ) -> u16 {
        let Some(report) = self.instructions.get_mut(&id) else { return 400 };
        let reference = hex::encode(reference);
        let Some(known) = FailureReason::from_number(reason) else { return 306 };
        if attempt != report.attempt {
            return Rejection::AttemptOther.code();
        }
        let is_same = report.failure.as_ref().is_some_and(|failure| failure.reason == reason)
            && report.reference.as_ref() == Some(&reference);
        match (report.status, is_bounce) {
            (InstructionState::Failed, _) => return if is_same { 1 } else { 404 },
            (InstructionState::Returned, _) => return 407,
            (InstructionState::Arrived, false) => return 403,
            (InstructionState::Instructed, true) => return 415,
            (InstructionState::Arrived, true) => {}
            (InstructionState::Instructed, false) => {
                if known == FailureReason::Recalled && report.recalled_ms.is_none() {
                    return 418;
                }
            }
        }
        report.status = InstructionState::Failed;
        report.failure = Some(known.into());
        report.failed_by = Some(GATEWAY);
        report.reference = Some(reference);
        0
    }

    fn execute(&mut self, bytes: &Bytes) -> Vec<(u32, u16)> {
        if let Some(answer) = self.answers.get(&bytes[..]) {
            return answer.clone();
        }
        let batch = SignedBatch::decode(bytes.clone()).unwrap();
        assert_eq!(batch.header().submitter, ParticipantId::new(GATEWAY));
        let (id, key) = (batch.header().id(), self.key);
        let hashed = batch.hash(CHAIN).unwrap();
        let signature = bytes[84..148].try_into().map(chain_types::Signature::from_bytes).unwrap();
        assert!(key.verifies(&id.digest(), &signature));
        let codes: Vec<u16> = match hashed.items() {
            Items::Arrival(items) => items
                .iter()
                .map(|item| {
                    let amount = item.amount.get();
                    self.arrive(item.instruction(), amount, item.reference, item.attempt.get())
                })
                .collect(),
            Items::Failure(items) => items
                .iter()
                .map(|item| {
                    let attempt = (item.attempt.get(), false);
                    self.fail(item.instruction(), item.reason.get(), item.reference, attempt)
                })
                .collect(),
            Items::Bounce(items) => items
                .iter()
                .map(|item| {
                    let attempt = (item.attempt.get(), true);
                    self.fail(item.instruction(), item.reason.get(), item.reference, attempt)
                })
                .collect(),
            other => panic!("{other:?}"),
        };
        codes.iter().for_each(|code| *self.outcomes.entry(*code).or_default() += 1);
        let answer: Vec<(u32, u16)> = (0..).zip(codes).filter(|(_, code)| *code != 0).collect();
        self.answers.insert(bytes.to_vec(), answer.clone());
        answer
    }
}

impl ChainPort for TestedChain {
    async fn instructions(
        &self,
        after: Option<InstructionId>,
        limit: u32,
    ) -> Result<Vec<InstructionReport>, ChainSilence> {
        let mut book = self.book();
        if book.falls_silent() {
            return Err(ChainSilence("a test".to_owned()));
        }
        let rest = book.instructions.iter().filter(|(id, _)| Some(**id) > after);
        Ok(rest.map(|(_, report)| report.clone()).take(limit as usize).collect())
    }

    async fn instruction(
        &self,
        id: InstructionId,
    ) -> Result<Option<InstructionReport>, ChainSilence> {
        Ok(self.book().instructions.get(&id).cloned())
    }

    /// The batch may be in the books although its answer is lost.
    async fn submit(&self, bytes: Bytes) -> Result<BatchAnswer, ChainSilence> {
        let mut book = self.book();
        let silence = || Err(ChainSilence("a test".to_owned()));
        if book.falls_silent() {
            return silence();
        }
        let answer = book.execute(&bytes);
        if book.falls_silent() { silence() } else { Ok(BatchAnswer::Final(answer)) }
    }
}

/// Returns the id of an instruction by its window, merchant and currency code.
pub fn instruction(window: u64, merchant: u64, code: &str) -> InstructionId {
    InstructionId {
        window: chain_types::WindowId::new(window),
        merchant: chain_types::MerchantId::new(merchant),
        currency: Currency::from_code(code).unwrap(),
    }
}
