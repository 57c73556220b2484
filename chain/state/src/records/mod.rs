//! Records that blocks leave behind for readers: orders, instructions, windows, account entries,
//! breaches, evidence and the contracts' own. The store indexes them; each is a function of the
//! chain and can be made again.

mod evidence;
mod orders;
mod rules;
mod settlement;
mod sla;

use bincode::{Decode, Encode};
pub use chain_types::{
    BreachStage, EntryCause, Location, OrderStatus, ProposalStatus, TransferStatus,
};
use chain_types::{Digest, Height, RecordCursor, TimeMs, codec, merkle};

pub use self::evidence::EvidenceRecord;
pub use self::orders::{
    Conversion, HeldOrder, OrderRecord, Reservation, ReturnRecord, fingerprint,
};
pub use self::rules::{
    LineRecord, ListConcern, ListRecord, MerchantRecord, PolicyRecord, ProgrammeRecord,
    ProposalRecord, QuoteRecord, RateRecord, ReferenceRecord, ReferenceStep, RegistrarRecord,
    RegistryRecord,
};
pub use self::settlement::{
    CashbackSum, InstructionRecord, InstructionStatus, Position, ProposedSettlement,
    TransferRecord, WindowParty, WindowRecord, WindowSettlement,
};
pub use self::sla::{BreachRecord, BreachSubject, Corridor, SLA_BUCKETS_MS, SlaCounters};
use crate::account::{Account, AccountKey};

/// The change that one cause in one block made to one account. Deltas are in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct AccountEntry {
    /// The name of the account.
    pub key: AccountKey,
    /// The height of the block.
    pub height: Height,
    /// Its place among the block's entries, over all accounts.
    pub sequence: u32,
    /// The operation that caused the change.
    pub cause: EntryCause,
    /// The time of the block.
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

impl AccountEntry {
    /// Returns the place of the entry among those of its account.
    pub const fn cursor(&self) -> RecordCursor {
        RecordCursor { height: self.height, sequence: self.sequence }
    }
}

/// A record of a block that the store indexes: a leaf of its header's records root, in order.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Record {
    /// A window that closed.
    Window(WindowRecord),
    /// An instruction, new or changed: the later record of an id stands.
    Instruction(InstructionRecord),
    /// An entry of an account.
    AccountEntry(AccountEntry),
    /// A deadline that was missed.
    Breach(BreachRecord),
    /// A window marked settled.
    WindowSettlement(WindowSettlement),
    /// Money of an order that was sent back.
    Return(ReturnRecord),
    /// A transfer, new or changed.
    Transfer(TransferRecord),
    /// A rate that a provider published.
    Rate(RateRecord),
    /// A quote that a provider issued.
    Quote(QuoteRecord),
    /// A risk policy set.
    Policy(PolicyRecord),
    /// A governance proposal, new or changed.
    Proposal(ProposalRecord),
    /// The registry that the next block executes under, when it changed.
    Registry(RegistryRecord),
    /// A validator caught at signing two values.
    Evidence(EvidenceRecord),
    /// A line that its owner set.
    Line(LineRecord),
}

impl Record {
    /// Its leaf of the records tree.
    pub fn leaf(&self) -> Digest {
        merkle::leaf(&codec::encode(self))
    }
}

#[cfg(test)]
mod tests;
