//! What blocks leave behind for readers: orders, instructions, windows, account entries and
//! breaches. The store indexes them; each is a function of the chain and can be made again.

use bincode::{Decode, Encode};
use chain_types::{
    Amount, Change, Currency, Digest, Height, InstructionId, MerchantId, OrderId, Outcome,
    Parameters, ParticipantId, PartyKeys, PolicyScope, Programme, ProposalId, QuoteId, Rate,
    TimeMs, TransferAction, TransferId, ValidatorSet, WindowId, codec, merkle,
};

use crate::account::{Account, AccountKey, AccountKind, difference};
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
        /// Above a risk policy's threshold; waits for a risk desk. Not in the books.
        Held = 6, "held";
        /// It was held, and a risk desk or the end of its validity refused it.
        Refused = 7, "refused";
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

/// How an order's money changes its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Conversion {
    /// The quote that is used.
    pub quote: QuoteId,
    /// What the merchant is paid in.
    pub payout_currency: Currency,
    /// What the merchant is paid, in minor units: the exact payout, rounded half to even.
    pub payout: Amount,
    /// What the provider delivers, in minor units: the exact payout, rounded down.
    pub delivered: Amount,
}

impl Conversion {
    /// What rounding costs the scheme, in minor units: 0 or 1.
    pub const fn residue(&self) -> Amount {
        Amount(self.payout.0.saturating_sub(self.delivered.0))
    }
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
    /// Whose: the pseudonym.
    pub user: [u8; 16],
    /// How it is converted, if it is.
    pub conversion: Option<Conversion>,
    /// Block time of its acceptance.
    pub accepted: TimeMs,
    /// The last block time at which it may be collected.
    pub expires: TimeMs,
}

/// An order that waits for a risk desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct HeldOrder {
    /// Who submitted it.
    pub submitter: ParticipantId,
    /// The order as submitted.
    pub item: [u8; 128],
    /// Block time of its submission.
    pub held: TimeMs,
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
    /// It failed, and all its orders were returned since.
    Returned {
        /// Block time of the last return.
        time: TimeMs,
        /// The last return.
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
    /// How much of it was sent back since it failed, in minor units.
    pub amount_returned: Amount,
    /// How many orders it pays out.
    pub order_count: u64,
    /// How many of them were converted.
    pub cross_border_count: u64,
    /// How often it was given to a paying gateway: 1, and one more for each failure corrected.
    pub attempt: u16,
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
    /// How much of it is still to be paid, in minor units.
    pub const fn left(&self) -> Amount {
        Amount(self.amount.0.saturating_sub(self.amount_returned.0))
    }

    /// Whether the paying gateway still has to attest to it.
    pub const fn is_outstanding(&self) -> bool {
        matches!(self.status, InstructionStatus::Instructed)
    }
}

/// Who stands in a window's report: the owner of an account kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Party {
    /// As what: gateway liquidity, FX position, cashback pool or FX residue.
    pub kind: AccountKind,
    /// The participant, merchant or, with zero, the scheme.
    pub owner: u64,
    /// In which currency.
    pub currency: Currency,
}

impl Party {
    /// The party that owns an account.
    pub const fn of(key: AccountKey) -> Self {
        Self { kind: key.kind, owner: key.owner, currency: key.currency }
    }
}

/// What a party owes and is owed of one window in one currency, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Position {
    /// The party.
    pub party: Party,
    /// What it owes.
    pub gross_debits: u128,
    /// What it is owed.
    pub gross_credits: u128,
}

impl Position {
    /// What it is owed less what it owes, in minor units: the multilateral net.
    pub fn net(&self) -> i128 {
        difference(self.gross_credits, self.gross_debits)
    }
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
    /// Ascending by party. Per currency their nets add up to zero.
    pub positions: Vec<Position>,
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
    /// The close of a window: cashback owed is settled.
    WindowClose(WindowId),
    /// A return of an order, or an order that a risk desk released.
    Order(OrderId),
    /// A deposit, a withdrawal or a cap.
    Transfer(TransferId),
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
    /// The account after it.
    pub after: Account,
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

/// The banks' word, by a settlement agent, that a window's nets are settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct WindowSettlement {
    /// The window.
    pub window: WindowId,
    /// Who said so.
    pub agent: ParticipantId,
    /// The reference of the settlement outside.
    pub reference: [u8; 32],
    /// Block time.
    pub time: TimeMs,
    /// The operation.
    pub location: Location,
}

/// Money sent back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ReturnRecord {
    /// The order.
    pub order: OrderId,
    /// Which return of it, from 1.
    pub sequence: u16,
    /// Who sent it back.
    pub gateway: ParticipantId,
    /// How much, in minor units of the order's currency.
    pub amount: Amount,
    /// How much of the payout, in minor units of the payout currency.
    pub payout: Amount,
    /// How much cashback was taken back, in minor units of the order's currency.
    pub cashback: Amount,
    /// Why: the number of a [`chain_types::ReturnReason`].
    pub reason: u16,
    /// Whether its window was still open: a reversal.
    pub is_reversal: bool,
    /// The bank's reference.
    pub reference: [u8; 32],
    /// Block time.
    pub time: TimeMs,
    /// The operation.
    pub location: Location,
}

numbered! {
    /// How far a transfer has come.
    TransferStatus {
        /// It waits for its checker.
        Proposed = 1, "proposed";
        /// The checker approved it: it is booked.
        Approved = 2, "approved";
        /// The checker refused it.
        Refused = 3, "refused";
        /// Nobody decided in time.
        Expired = 4, "expired";
    }
}

/// A deposit, a withdrawal or a net debit cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct TransferRecord {
    /// Its id.
    pub id: TransferId,
    /// What it does.
    pub action: TransferAction,
    /// To which account.
    pub account: AccountKey,
    /// How much, in minor units.
    pub amount: Amount,
    /// The maker's reference.
    pub reference: [u8; 32],
    /// The digest of the whole proposal, by which a repetition is known.
    pub content: Digest,
    /// Who proposed it.
    pub maker: ParticipantId,
    /// Block time of the proposal.
    pub proposed: TimeMs,
    /// The proposal.
    pub location: Location,
    /// How far it has come.
    pub status: TransferStatus,
    /// Who decided it, if anybody did.
    pub checker: Option<ParticipantId>,
    /// The checker's reference.
    pub checker_reference: [u8; 32],
    /// Block time of the decision or the expiry.
    pub decided: Option<TimeMs>,
}

/// A provider's rate of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct RateRecord {
    /// The currency that is collected.
    pub currency: Currency,
    /// The currency that is paid out.
    pub payout_currency: Currency,
    /// Who published it.
    pub provider: ParticipantId,
    /// The rate.
    pub rate: Rate,
    /// When the provider observed it.
    pub observed: TimeMs,
    /// Block time of the publication.
    pub published: TimeMs,
}

/// A provider's offer to convert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct QuoteRecord {
    /// Its id.
    pub id: QuoteId,
    /// The currency that is collected.
    pub currency: Currency,
    /// The currency that is paid out.
    pub payout_currency: Currency,
    /// The rate.
    pub rate: Rate,
    /// How much may be collected under it, in minor units.
    pub ceiling: Amount,
    /// How much of that is used by collected and reserved orders, in minor units.
    pub used: Amount,
    /// The last block time at which an order may use it.
    pub valid_until: TimeMs,
    /// Block time of its issue.
    pub issued: TimeMs,
}

/// A risk desk's limits for a scope and currency, in minor units; zero means none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct PolicyRecord {
    /// The scope.
    pub scope: PolicyScope,
    /// Zero for the scheme; a gateway's or merchant's id.
    pub subject: u64,
    /// The currency that is collected.
    pub currency: Currency,
    /// The largest amount of one order.
    pub order_max: Amount,
    /// The largest sum of a user's orders of a day.
    pub user_day_max: Amount,
    /// The largest sum of the subject's orders of a day.
    pub day_max: Amount,
    /// Orders above this are held.
    pub hold_above: Amount,
    /// Who set it.
    pub desk: ParticipantId,
    /// Block time at which it was set.
    pub since: TimeMs,
}

/// A cashback programme as it holds from a height on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ProgrammeRecord {
    /// Its number, from zero in the order of first activation: one a merchant and currency.
    pub number: u32,
    /// Its versions, ascending: the first height whose block executes under each.
    pub versions: Vec<(Height, Programme)>,
}

impl ProgrammeRecord {
    /// The version under which the block of `height` executes.
    pub fn at(&self, height: Height) -> Option<&Programme> {
        self.versions.iter().rev().find(|(since, _)| *since <= height).map(|(_, found)| found)
    }
}

numbered! {
    /// How far a governance proposal has come.
    ProposalStatus {
        /// It waits for approvals.
        Proposed = 1, "proposed";
        /// Enough operators approved; it waits for its height.
        Scheduled = 2, "scheduled";
        /// It is in effect.
        Effective = 3, "effective";
        /// Too many operators refused it.
        Refused = 4, "refused";
        /// Too few approved in time.
        Expired = 5, "expired";
        /// It no longer held when it was to take effect.
        Failed = 6, "failed";
    }
}

/// A governance proposal.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ProposalRecord {
    /// Its id.
    pub id: ProposalId,
    /// The change.
    pub change: Change,
    /// What approvals name.
    pub digest: Digest,
    /// Who proposed it.
    pub maker: ParticipantId,
    /// Block time of the proposal.
    pub proposed: TimeMs,
    /// The first block that shall execute under it.
    pub activation: Height,
    /// The operators who approved it, its maker first.
    pub approvals: Vec<ParticipantId>,
    /// The operators who refused it.
    pub refusals: Vec<ParticipantId>,
    /// How far it has come.
    pub status: ProposalStatus,
    /// Why it failed: the code of a [`chain_types::Rejection`]; zero when it did not.
    pub failure: u16,
    /// The block that set the status.
    pub status_height: Height,
}

/// Who may do what from a height on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RegistryRecord {
    /// The first height whose block executes under it.
    pub since: Height,
    /// The keys of all participants, ascending by id.
    pub parties: Vec<PartyKeys>,
    /// The validators.
    pub validators: ValidatorSet,
    /// The parameters.
    pub parameters: Parameters,
    /// The protocol version.
    pub protocol_version: u16,
}

/// Payments that share a payout currency, within one currency or across.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Corridor {
    /// What merchants are paid in.
    pub payout_currency: Currency,
    /// Whether the orders were converted.
    pub is_cross_border: bool,
}

/// Upper bounds of [`SlaCounters::buckets`], in milliseconds from the earliest acceptance to the
/// arrival; the last bucket has none.
pub const SLA_BUCKETS_MS: [u64; 11] =
    [5_000, 10_000, 20_000, 30_000, 45_000, 60_000, 90_000, 120_000, 180_000, 240_000, 300_000];

/// What a paying gateway has done in a corridor. One update an instruction, none an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct SlaCounters {
    /// Instructions arrived that hold orders of the corridor.
    pub instruction_count: u64,
    /// Orders arrived.
    pub order_count: u64,
    /// Orders arrived after the corridor's deadline.
    pub late_count: u64,
    /// Orders by how long their instruction's earliest order took.
    pub buckets: [u64; SLA_BUCKETS_MS.len() + 1],
}

/// What the store indexes of a block: leaves of its header's records root, in order.
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
    /// A window marked settled.
    WindowSettlement(WindowSettlement),
    /// Money sent back.
    Return(ReturnRecord),
    /// A transfer, new or changed.
    Transfer(TransferRecord),
    /// A rate published.
    Rate(RateRecord),
    /// A quote issued.
    Quote(QuoteRecord),
    /// A risk policy set.
    Policy(PolicyRecord),
    /// A governance proposal, new or changed.
    Proposal(ProposalRecord),
    /// The registry that the next block executes under, when it changed.
    Registry(RegistryRecord),
}

impl Record {
    /// Its leaf of the records tree.
    pub fn leaf(&self) -> Digest {
        merkle::leaf(&codec::encode(self))
    }
}
