//! The books in JSON: accounts, their entries and proofs, sums, transfers and lines.

use chain_types::{AccountKey, CauseKind, Digest, TransferAction, TransferId, TransferStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::forms::{Base64Form, ReferenceForm};
use crate::money::Money;
use crate::text::{DigestText, Text};

/// An account's four counters and what follows from them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountReport {
    /// The account's name: kind, owner and currency.
    #[serde(with = "Text::<AccountKey>")]
    pub account: AccountKey,
    /// Debits reserved and not yet posted.
    pub debits_pending: Money,
    /// The sum of all debits posted since block zero.
    pub debits_posted: Money,
    /// Credits reserved and not yet posted.
    pub credits_pending: Money,
    /// The sum of all credits posted since block zero.
    pub credits_posted: Money,
    /// Posted credits less posted debits.
    pub balance: Money,
    /// How far below zero the balance may go.
    pub net_debit_cap: Money,
    /// The amount that may still be debited: balance and cap less pending debits.
    pub available: Money,
    /// The part of the balance that is money at the scheme's bank: deposits and the sums of
    /// settlements, less withdrawals. No more than this may be withdrawn.
    pub settled: Money,
    /// The rest of the balance: what is owed by or to others in windows that are not settled.
    pub position: Money,
}

/// An account's four counters at some point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CountersReport {
    /// Debits reserved and not yet posted.
    pub debits_pending: Money,
    /// The sum of all debits posted since block zero.
    pub debits_posted: Money,
    /// Credits reserved and not yet posted.
    pub credits_pending: Money,
    /// The sum of all credits posted since block zero.
    pub credits_posted: Money,
    /// Posted credits less posted debits.
    pub balance: Money,
    /// How far below zero the balance may go.
    pub net_debit_cap: Money,
    /// The settled part of the balance; the rest is the position.
    pub settled: Money,
}

/// One change of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EntryReport {
    /// The height of the block that made the entry.
    pub height: u64,
    /// Its place among the block's entries; ascending, not always by one.
    pub sequence: u32,
    /// The time of that block, in milliseconds since 1970 (UTC).
    pub time_ms: u64,
    /// The kind of operation that caused the entry.
    #[serde(with = "Text::<CauseKind>")]
    pub cause: CauseKind,
    /// The name of the cause: a batch's height and place (`height/place`), an instruction's,
    /// order's or transfer's id, a window's number; absent for genesis and expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause_id: Option<String>,
    /// Change of pending debits.
    pub debits_pending: Money,
    /// Change of posted debits.
    pub debits_posted: Money,
    /// Change of pending credits.
    pub credits_pending: Money,
    /// Change of posted credits.
    pub credits_posted: Money,
    /// How many orders it sums up.
    pub order_count: u64,
    /// The account after it.
    pub after: CountersReport,
}

/// An account's counters at a height, with their proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountProofReport {
    /// The account after the block.
    pub account: AccountReport,
    /// The height of the block whose state the proof is about.
    pub height: u64,
    /// The time of that block, in milliseconds since 1970 (UTC).
    pub time_ms: u64,
    /// The hash of that block's header, which holds the state digest.
    #[serde(with = "Text::<chain_types::BlockHash>")]
    pub block_hash: chain_types::BlockHash,
    /// The digest of the whole state after it, to which the proof leads.
    #[serde(with = "DigestText")]
    pub state_digest: Digest,
    /// The proof's bytes (docs/wire-format.md), as base64: what `sluice verify` reads.
    #[schemars(with = "Text<Base64Form>")]
    pub proof_base64: String,
}

/// A deposit, a withdrawal or a net debit cap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TransferReport {
    /// The transfer's id, a UUID.
    #[serde(with = "Text::<TransferId>")]
    pub transfer_id: TransferId,
    /// The direction of the money.
    #[serde(with = "Text::<TransferAction>")]
    pub action: TransferAction,
    /// The account that the money enters or leaves.
    #[serde(with = "Text::<AccountKey>")]
    pub account: AccountKey,
    /// How much; of a cap, the new cap.
    pub amount: Money,
    /// How far it has come.
    #[serde(with = "Text::<TransferStatus>")]
    pub status: TransferStatus,
    /// The participant id of the agent that proposed it.
    pub maker: u32,
    /// The maker's reference, hexadecimal.
    #[schemars(with = "Text<ReferenceForm>")]
    pub reference: String,
    /// When it was proposed.
    pub proposed_ms: u64,
    /// The block that holds the proposal.
    pub proposed_height: u64,
    /// Until when it waits for its checker.
    pub decide_until_ms: u64,
    /// The participant id of the agent that decided it; absent while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checker: Option<u32>,
    /// The checker's reference, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Text<ReferenceForm>>")]
    pub checker_reference: Option<String>,
    /// When it was decided, or expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_ms: Option<u64>,
}

/// How much a participant may have reserved on an account of another's, and has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LineReport {
    /// The account, whose owner has given the line.
    #[serde(with = "Text::<AccountKey>")]
    pub account: AccountKey,
    /// The participant id of the party that may reserve on the line.
    pub holder: u32,
    /// The most that its open reservations may sum up to; zero once the line is ended.
    pub limit: Money,
    /// The sum of what the holder has reserved and not yet released.
    pub outstanding: Money,
    /// The amount that the holder may still reserve.
    pub left: Money,
    /// When the limit was set.
    pub since_ms: u64,
}

impl LineReport {
    /// Its place in a list: `kind:owner:CURRENCY:holder`.
    pub fn cursor(&self) -> String {
        format!("{}:{}", self.account, self.holder)
    }
}

/// The sums of all accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrialBalanceReport {
    /// The node's head, at which they were made.
    pub height: u64,
    /// True if debits equal credits in every currency, pending and posted.
    pub is_balanced: bool,
    /// Per currency, ascending by ISO 4217 number.
    pub currencies: Vec<CurrencyBalance>,
}

/// The sums of one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CurrencyBalance {
    /// Sum of pending debits.
    pub debits_pending: Money,
    /// Sum of pending credits: equal to it.
    pub credits_pending: Money,
    /// Sum of posted debits.
    pub debits_posted: Money,
    /// Sum of posted credits: equal to it.
    pub credits_posted: Money,
}

impl CurrencyBalance {
    /// Returns true if debits equal credits, pending and posted.
    pub fn is_balanced(&self) -> bool {
        self.debits_pending == self.credits_pending && self.debits_posted == self.credits_posted
    }
}
