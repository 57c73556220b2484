//! What blocks leave behind for readers: orders, instructions, windows, account entries and
//! breaches. The store indexes them; each is a function of the chain and can be made again.

use bincode::{Decode, Encode};
use chain_types::{
    Amount, Currency, Digest, Height, InstructionId, MerchantId, OrderId, Outcome, ParticipantId,
    TimeMs, WindowId,
};

use crate::account::AccountKey;
use crate::numbered::numbered;

/// Where an operation stands in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
pub struct Location {
    /// The block.
    pub height: Height,
    /// The batch's place in the block.
    pub batch: u32,
    /// The item's place in the batch.
    pub item: u32,
}

numbered! {
    /// How far an order has come. What follows a collection is read from its window's instruction.
    OrderStatus {
        /// Refused with its outcome; never entered the books.
        Rejected = 1, "rejected";
        /// In the books as pending; waits for its collecting gateway.
        Reserved = 2, "reserved";
        /// The collecting gateway said that the user was debited.
        Collected = 3, "collected";
        /// Its submitter or its collecting gateway gave it up.
        Voided = 4, "voided";
        /// Nobody collected it within its validity.
        Expired = 5, "expired";
    }
}

/// An order's fate so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct OrderRecord {
    /// Where it was submitted.
    pub location: Location,
    /// The first 16 bytes of its item's Merkle leaf hash.
    pub fingerprint: [u8; 16],
    /// What became of the submission.
    pub outcome: Outcome,
    /// How far it has come.
    pub status: OrderStatus,
    /// The block that set the status.
    pub status_height: Height,
    /// The operation that set the status: the submission itself if that was the only step, and
    /// for an expiry, which no operation causes.
    pub status_location: Location,
}

impl OrderRecord {
    /// The record that a submission leaves. `leaf` is its item's Merkle leaf hash.
    pub fn new(location: Location, leaf: &Digest, outcome: Outcome, status: OrderStatus) -> Self {
        Self {
            location,
            fingerprint: fingerprint(leaf),
            outcome,
            status,
            status_height: location.height,
            status_location: location,
        }
    }

    /// The record that a later step leaves. An expiry has no operation, so no `step`.
    #[must_use]
    pub fn stepped(self, status: OrderStatus, height: Height, step: Option<Location>) -> Self {
        let status_location = step.unwrap_or(self.location);
        Self { status, status_height: height, status_location, ..self }
    }
}

/// The part of an item's Merkle leaf hash that tells one content from another.
pub fn fingerprint(leaf: &Digest) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&leaf.0[..16]);
    bytes
}

/// An open reserved order: money pending in the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Reservation {
    /// Who submitted it.
    pub submitter: ParticipantId,
    /// Whom it pays.
    pub merchant: MerchantId,
    /// The collecting gateway.
    pub gateway: ParticipantId,
    /// How much, in minor units.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// Block time of its acceptance.
    pub accepted: TimeMs,
    /// The last block time at which it may be collected.
    pub expires: TimeMs,
}

/// How far an instruction has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum InstructionStatus {
    /// Waits for its paying gateway.
    Instructed,
    /// The paying gateway attested that the money was credited.
    Arrived {
        /// Block time of the attestation.
        time: TimeMs,
        /// The attestation.
        location: Location,
    },
    /// The paying gateway attested that it could not pay; the money stays payable.
    Failed {
        /// Why: the number of a [`chain_types::FailureReason`].
        reason: u16,
        /// Block time of the attestation.
        time: TimeMs,
        /// The attestation.
        location: Location,
    },
}

/// "Gateway G, pay merchant M amount A in currency C", and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct InstructionRecord {
    /// Its id: window, merchant and currency.
    pub id: InstructionId,
    /// The paying gateway.
    pub gateway: ParticipantId,
    /// How much, in minor units.
    pub amount: Amount,
    /// How many orders it pays out.
    pub order_count: u64,
    /// Block time at which the first of them was accepted: the SLA clock runs from there.
    pub earliest_accepted: TimeMs,
    /// Block time of the close of its window.
    pub instructed: TimeMs,
    /// The last block time at which an arrival is in time.
    pub deadline: TimeMs,
    /// How far it has come.
    pub status: InstructionStatus,
    /// The bank's reference of the credit or the refusal; zeros while there is neither.
    pub reference: [u8; 32],
}

impl InstructionRecord {
    /// Whether the paying gateway still has to attest to it.
    pub const fn is_outstanding(&self) -> bool {
        matches!(self.status, InstructionStatus::Instructed)
    }
}

/// What a gateway brings into and takes out of one window in one currency, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct GatewayPosition {
    /// The gateway.
    pub gateway: ParticipantId,
    /// The currency.
    pub currency: Currency,
    /// What it collected from users: it owes the scheme this much.
    pub gross_debits: u128,
    /// What it is instructed to pay to merchants: the scheme owes it this much.
    pub gross_credits: u128,
}

/// A settlement window: the interbank settlement report.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct WindowRecord {
    /// Its id.
    pub id: WindowId,
    /// Block time of its opening.
    pub opened: TimeMs,
    /// Its first block.
    pub first_height: Height,
    /// Block time of its close; `None` while it is open.
    pub closed: Option<TimeMs>,
    /// Its last block; `None` while it is open.
    pub last_height: Option<Height>,
    /// How many orders were collected in it.
    pub order_count: u64,
    /// How many instructions pay them out: while it is open, as many as a close would give now.
    pub instruction_count: u64,
    /// Ascending by gateway, then currency.
    pub positions: Vec<GatewayPosition>,
}

/// What changed an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum EntryCause {
    /// Opening liquidity of the genesis file.
    Genesis,
    /// Orders of the batch at this place in the block.
    Batch(u32),
    /// Reservations that nobody collected in time.
    Expiry,
    /// The arrival of an instruction's money.
    Instruction(InstructionId),
}

/// What one cause in one block did to one account. Deltas are in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct AccountEntry {
    /// The account.
    pub key: AccountKey,
    /// The block.
    pub height: Height,
    /// Its place among the block's entries, over all accounts.
    pub sequence: u32,
    /// What caused it.
    pub cause: EntryCause,
    /// Block time.
    pub time: TimeMs,
    /// Change of the debits pending.
    pub debits_pending: i128,
    /// Change of the debits posted.
    pub debits_posted: i128,
    /// Change of the credits pending.
    pub credits_pending: i128,
    /// Change of the credits posted.
    pub credits_posted: i128,
    /// How many orders (of an arrival: orders paid out) are in it.
    pub order_count: u64,
}

numbered! {
    /// The stage of the SLA clock that was missed.
    Stage {
        /// The collecting gateway's: to say that the user was debited.
        Collected = 1, "collected";
        /// Nobody's: to close the window in time, which takes blocks.
        Instructed = 2, "instructed";
        /// The paying gateway's: to attest that the money was credited.
        Arrived = 3, "arrived";
    }
}

/// What a breach is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum BreachSubject {
    /// An order collected late or not at all.
    Order(OrderId),
    /// An instruction that did not arrive by its deadline.
    Instruction(InstructionId),
}

/// A deadline missed: a ledger fact that names the stage and the late party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct BreachRecord {
    /// The block that noticed it.
    pub height: Height,
    /// Its place among the block's breaches.
    pub sequence: u32,
    /// The stage that was missed.
    pub stage: Stage,
    /// The late party; `None` when no block came in time to close the window.
    pub late: Option<ParticipantId>,
    /// What it is about.
    pub subject: BreachSubject,
    /// The last block time that would have been in time.
    pub deadline: TimeMs,
    /// Block time at which it was noticed.
    pub noticed: TimeMs,
}

/// What the store indexes of a block.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Record {
    /// A window that closed.
    Window(WindowRecord),
    /// An instruction, new or changed: the later record of an id stands.
    Instruction(InstructionRecord),
    /// An entry of an account.
    AccountEntry(AccountEntry),
    /// A missed deadline.
    Breach(BreachRecord),
}
