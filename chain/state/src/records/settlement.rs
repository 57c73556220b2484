//! Windows, instructions and transfers: what is paid and settled outside.

use bincode::{Decode, Encode};
use chain_types::hash::{Domain, hash};
use chain_types::{
    Amount, Currency, Digest, FailureReason, Height, InstructionId, InstructionState, Location,
    ParticipantId, TimeMs, TransferAction, TransferId, TransferStatus, WindowId, codec,
};

use crate::account::{AccountKey, AccountKind, difference};

/// How far an instruction has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum InstructionStatus {
    /// Waits for its paying gateway.
    Instructed,
    /// The paying gateway attested that the money was credited.
    Arrived {
        /// Block time of the attestation.
        time: TimeMs,
        /// The place of the attestation.
        location: Location,
    },
    /// It could not be paid, or its money came back; the money is payable.
    Failed {
        /// Why: the number of a [`chain_types::FailureReason`].
        reason: u16,
        /// The party that attested it: the paying gateway, or the second of two agents who stepped
        /// in.
        by: ParticipantId,
        /// Block time of the attestation.
        time: TimeMs,
        /// The place of the attestation.
        location: Location,
    },
    /// It failed, and all its orders were returned since.
    Returned {
        /// Block time of the last return.
        time: TimeMs,
        /// The place of the last return.
        location: Location,
    },
}

impl InstructionStatus {
    /// Returns how far the instruction has come, without time and place.
    pub const fn state(self) -> InstructionState {
        match self {
            Self::Instructed => InstructionState::Instructed,
            Self::Arrived { .. } => InstructionState::Arrived,
            Self::Failed { .. } => InstructionState::Failed,
            Self::Returned { .. } => InstructionState::Returned,
        }
    }
}

/// Cashback that one gateway granted on orders of an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct CashbackSum {
    /// The gateway that collected the orders and credits their users.
    pub gateway: ParticipantId,
    /// The currency of the orders and of the budget.
    pub currency: Currency,
    /// How much, less what was taken back, in minor units.
    pub amount: Amount,
}

/// "Gateway G, pay merchant M amount A in currency C", and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct InstructionRecord {
    /// Its id: window, merchant and currency.
    pub id: InstructionId,
    /// The gateway that pays.
    pub gateway: ParticipantId,
    /// How much, in minor units.
    pub amount: Amount,
    /// How much of it was sent back, in minor units: since it failed, or before it bounced.
    pub amount_returned: Amount,
    /// How many orders it pays out.
    pub order_count: u64,
    /// How many of them were converted.
    pub cross_border_count: u64,
    /// How often it was given to a paying gateway: 1, and one more for each failure corrected.
    pub attempt: u16,
    /// The block that gave the present attempt: what corrects the merchant's entry is newer.
    pub attempt_height: Height,
    /// How often in a row its present gateway failed it.
    pub failures: u16,
    /// Block time at which an agent recalled the present attempt.
    pub recalled: Option<TimeMs>,
    /// Block time at which the first of them was accepted: the SLA clock runs from there.
    pub earliest_accepted: TimeMs,
    /// Block time at which the present attempt was given: the close of its window, or later.
    pub instructed: TimeMs,
    /// The last block time at which an arrival is in time.
    pub deadline: TimeMs,
    /// How far it has come.
    pub status: InstructionStatus,
    /// The bank's reference of the credit or the refusal; zeros while there is neither.
    pub reference: [u8; 32],
    /// Cashback that is promised on its orders, or that became owed when it arrived, ascending by
    /// gateway and currency.
    pub cashback: Vec<CashbackSum>,
}

impl InstructionRecord {
    /// How much of it is still to be paid, in minor units.
    pub const fn left(&self) -> Amount {
        self.amount.minus(self.amount_returned)
    }

    /// The block in which it arrived or was wholly returned, if it is ended so.
    pub const fn ended_at(&self) -> Option<Height> {
        match self.status {
            InstructionStatus::Arrived { location, .. }
            | InstructionStatus::Returned { location, .. } => Some(location.height),
            InstructionStatus::Instructed | InstructionStatus::Failed { .. } => None,
        }
    }

    /// Returns true if agents ended it, and not its own gateway.
    pub fn is_stepped_in(&self) -> bool {
        matches!(self.status, InstructionStatus::Failed { by, .. } if by != self.gateway)
    }

    /// Returns true if two agents said that the merchant did not deliver, so that others than its
    /// gateway may return its orders.
    pub fn is_given_up(&self) -> bool {
        let not_rendered = FailureReason::ServiceNotRendered.number();
        matches!(self.status, InstructionStatus::Failed { reason, .. } if reason == not_rendered)
    }

    /// Returns true if the paying gateway still has to attest to it.
    pub const fn is_outstanding(&self) -> bool {
        matches!(self.status, InstructionStatus::Instructed)
    }
}

/// A party of a window's report: the owner of an account kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct WindowParty {
    /// As what: gateway liquidity, FX position or cashback pool.
    pub kind: AccountKind,
    /// The participant, merchant or, with zero, the scheme.
    pub owner: u64,
    /// The currency of the account.
    pub currency: Currency,
}

impl WindowParty {
    /// The party that owns an account.
    pub const fn of(key: AccountKey) -> Self {
        Self { kind: key.kind, owner: key.owner, currency: key.currency }
    }
}

/// The debits and credits of a party in one currency of one window, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Position {
    /// The party with its currency.
    pub party: WindowParty,
    /// The sum that it owes.
    pub gross_debits: u128,
    /// The sum that it is owed.
    pub gross_credits: u128,
}

impl Position {
    /// Returns the multilateral net in minor units: the sum that it is owed less the sum that it
    /// owes.
    pub fn net(&self) -> i128 {
        difference(self.gross_credits, self.gross_debits)
    }
}

/// A settlement window: the interbank settlement report.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct WindowRecord {
    /// The number of the window.
    pub id: WindowId,
    /// Block time of its opening.
    pub opened: TimeMs,
    /// The height of its first block.
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

impl WindowRecord {
    /// The digest of what every party owes and is owed: what maker and checker of its settlement
    /// sign.
    pub fn digest(&self) -> Digest {
        hash(Domain::Report, &[&codec::encode(&(self.id, &self.positions))])
    }
}

/// The word of a maker that a window's nets are settled, as long as no checker has approved it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ProposedSettlement {
    /// The agent that proposed it.
    pub maker: ParticipantId,
    /// The digest of the window's report.
    pub digest: Digest,
    /// The reference of the settlement outside.
    pub reference: [u8; 32],
    /// Block time of the proposal.
    pub proposed: TimeMs,
    /// The agent that refused it, if any.
    pub refused_by: Option<ParticipantId>,
}

/// A window that is settled: its nets are posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct WindowSettlement {
    /// The window that is settled.
    pub window: WindowId,
    /// The agent that proposed the settlement.
    pub agent: ParticipantId,
    /// The reference of the settlement outside.
    pub reference: [u8; 32],
    /// The time of the block with the approval.
    pub time: TimeMs,
    /// The place of the checker's operation.
    pub location: Location,
    /// The agent that approved the settlement.
    pub checker: ParticipantId,
    /// The digest of the window's report.
    pub digest: Digest,
}

/// A deposit, a withdrawal or a net debit cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct TransferRecord {
    /// The id of the transfer.
    pub id: TransferId,
    /// The direction of the money.
    pub action: TransferAction,
    /// The account that the money enters or leaves.
    pub account: AccountKey,
    /// How much, in minor units.
    pub amount: Amount,
    /// The reference of the maker, 32 bytes.
    pub reference: [u8; 32],
    /// The digest of the whole proposal, by which a repetition is known.
    pub content: Digest,
    /// The agent that proposed it.
    pub maker: ParticipantId,
    /// Block time of the proposal.
    pub proposed: TimeMs,
    /// The place of the proposal.
    pub location: Location,
    /// How far it has come.
    pub status: TransferStatus,
    /// The agent that decided it, if any.
    pub checker: Option<ParticipantId>,
    /// The reference of the checker, 32 bytes.
    pub checker_reference: [u8; 32],
    /// Block time of the decision or the expiry.
    pub decided: Option<TimeMs>,
}
