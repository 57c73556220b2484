//! The records of the journal: each is a fact that is on disk before anything rests on it.

use chain_types::{InstructionId, InstructionState};
use rpc_api::text::Text;
use rpc_iso20022::EndToEndId;
use serde::{Deserialize, Serialize};

use crate::profile::PaymentMessage;

/// The purpose of a message to the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessagePurpose {
    /// It pays (pain.001 or pacs.008).
    Pay,
    /// It asks what became of payments (pacs.028).
    Ask,
    /// It asks for payments back (camt.056).
    Recall,
}

/// A payment as a message names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedPayment {
    /// The attempt, by its end-to-end id.
    #[serde(with = "Text::<EndToEndId>")]
    pub id: EndToEndId,
    /// The amount in minor units.
    pub amount: u64,
    /// The number of the merchant's account at that time.
    pub merchant_account: Box<str>,
}

/// A message to the bank, before it is put out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntendedMessage {
    /// The message's id, which is also the name of its file.
    pub message: Box<str>,
    /// The purpose of the message.
    pub purpose: MessagePurpose,
    /// The message by which the gateway paid.
    pub payment: PaymentMessage,
    /// When it was planned.
    pub time_ms: u64,
    /// The day on which the bank is to pay, such as `2026-11-30`.
    pub execution: Box<str>,
    /// The number of the gateway's account.
    pub gateway_account: Box<str>,
    /// The payments, by id.
    pub payments: Vec<NamedPayment>,
    /// The document. A restart puts out the same bytes.
    pub xml: String,
}

/// The chain's word on an instruction, as it was seen last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenInstruction {
    /// The instruction, by its id on the chain.
    #[serde(with = "Text::<InstructionId>")]
    pub instruction: InstructionId,
    /// The gateway that is to pay it.
    pub gateway: u32,
    /// The present attempt, from 1.
    pub attempt: u16,
    /// The amount that is left to pay, in minor units.
    pub amount: u64,
    /// By when it must have arrived.
    pub deadline_ms: u64,
    /// The present state on the chain.
    #[serde(with = "Text::<InstructionState>")]
    pub state: InstructionState,
    /// The party that attested the failure, if it failed.
    pub failed_by: Option<u32>,
    /// True if an agent asked that this attempt shall not be paid.
    pub is_recalled: bool,
}

/// The kinds of statement that a gateway makes on the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeedKind {
    /// The merchant has the money.
    Arrival,
    /// It could not be paid.
    Failure,
    /// The money came back after its arrival.
    Bounce,
}

/// One statement to the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainDeed {
    /// The attempt, by its end-to-end id.
    #[serde(with = "Text::<EndToEndId>")]
    pub id: EndToEndId,
    /// The kind of the statement.
    pub kind: DeedKind,
    /// The amount that arrived, in minor units; zero of the others.
    pub amount: u64,
    /// The number of the reason; zero of an arrival.
    pub reason: u16,
    /// The bank's reference: 32 bytes in hexadecimal digits.
    pub reference: String,
    /// The bank's own code of the reason; empty if it gave none.
    pub code: Box<str>,
}

/// A signed batch, before it is submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedDeeds {
    /// The number of the batch, from 1.
    pub number: u64,
    /// The statements, in the order of the batch's items.
    pub deeds: Vec<ChainDeed>,
    /// The batch in hexadecimal digits. A repetition submits the same bytes.
    pub bytes: String,
}

/// A file of the bank that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenFile {
    /// SHA-256 of its bytes, in hexadecimal digits: its name in `taken/`.
    pub hash: Box<str>,
    /// The name that the bank gave it.
    pub name: Box<str>,
    /// When it was taken.
    pub time_ms: u64,
    /// Names and ids of its messages.
    pub messages: Vec<(Box<str>, Box<str>)>,
    /// Our attempts that it speaks of.
    pub about: Vec<Box<str>>,
    /// Records of it that could not be used.
    pub findings: u64,
}

/// A file of the bank that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldFile {
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub hash: Box<str>,
    /// The name that the bank gave it.
    pub name: Box<str>,
    /// The stable name of what is wrong.
    pub verdict: Box<str>,
    /// The flaw in words for people.
    pub cause: String,
}

/// One record of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JournalRecord {
    /// The first record: whose journal it is.
    Begun {
        /// The chain's id, in hexadecimal digits.
        chain: String,
        /// The gateway's participant id.
        gateway: u32,
    },
    /// The chain's word on an instruction changed.
    Seen(SeenInstruction),
    /// A message will be put out.
    Intended(IntendedMessage),
    /// A message was put out.
    Handed {
        /// The id of the message.
        message: Box<str>,
        /// When it was put out.
        time_ms: u64,
    },
    /// A file of the bank was taken.
    Taken(TakenFile),
    /// A file of the bank is held.
    Held(HeldFile),
    /// A batch will be submitted.
    Signed(SignedDeeds),
    /// The chain answered a batch.
    Answered {
        /// The number of the batch.
        number: u64,
        /// The outcome of each item: 0 applied, 1 repeated, otherwise a rejection's code.
        outcomes: Vec<u16>,
        /// The time of the answer, in milliseconds.
        time_ms: u64,
    },
    /// The chain refused a batch as a whole; another batch says it again.
    Refused {
        /// The number of the batch.
        number: u64,
        /// The code of the refusal.
        code: i32,
        /// The time of the answer, in milliseconds.
        time_ms: u64,
    },
}
