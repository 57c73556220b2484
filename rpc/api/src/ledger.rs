//! `ledger_*`: accounts, their entries and proofs, whether the books balance, and the transfers
//! that bring money in or take it out.

use std::fmt;
use std::str::FromStr;

use chain_types::ids::IdError;
use chain_types::{Currency, Digest, TransferId};
use jsonrpsee::core::RpcResult;
use jsonrpsee::proc_macros::rpc;
use serde::{Deserialize, Serialize};

use crate::money::{Money, currency_code, currency_of};
use crate::page::Page;

/// Methods of the `ledger` namespace. An account is named `kind:owner:CURRENCY`, such as
/// `gateway-liquidity:201:CNY`.
#[rpc(server, client, namespace = "ledger")]
pub trait LedgerRpc {
    /// Accounts, ascending by kind, owner and currency.
    ///
    /// # Errors
    /// `bad-cursor`, `limit-out-of-bounds`.
    #[method(name = "accounts")]
    async fn accounts(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<AccountReport>>;

    /// One account.
    ///
    /// # Errors
    /// `id-malformed`, `not-found`.
    #[method(name = "account")]
    async fn account(&self, account: String) -> RpcResult<AccountReport>;

    /// The changes of an account, oldest first: one entry a cause and block, not one an order.
    ///
    /// # Errors
    /// `id-malformed`, `not-found`, `bad-cursor`, `limit-out-of-bounds`.
    #[method(name = "entries")]
    async fn entries(
        &self,
        account: String,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<EntryReport>>;

    /// An account's counters after the block of a height (the head, when none is given), with
    /// everything needed to verify them offline: `sluice verify` checks it, given only the genesis
    /// file; `lineage_apart` as for `recharge_receipt`.
    ///
    /// # Errors
    /// `id-malformed`; `not-found` when the account did not exist yet, or the height lies ahead of
    /// the node's head; `proof-too-large`.
    #[method(name = "account_proof")]
    async fn account_proof(
        &self,
        account: String,
        height: Option<u64>,
        lineage_apart: Option<bool>,
    ) -> RpcResult<AccountProofReport>;

    /// The sums of all accounts per currency at the node's head: debits equal credits.
    #[method(name = "trial_balance")]
    async fn trial_balance(&self) -> RpcResult<TrialBalanceReport>;

    /// Deposits, withdrawals and net debit caps, newest first; with `open_only`, those that wait
    /// for their checker.
    ///
    /// # Errors
    /// `bad-cursor`, `limit-out-of-bounds`.
    #[method(name = "transfers")]
    async fn transfers(
        &self,
        open_only: Option<bool>,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<TransferReport>>;

    /// One transfer.
    ///
    /// # Errors
    /// `id-malformed`, `not-found`.
    #[method(name = "transfer")]
    async fn transfer(&self, transfer_id: String) -> RpcResult<TransferReport>;

    /// The lines that a participant has given on its accounts, ascending by account and holder:
    /// how much each holder may have reserved there, and has.
    ///
    /// # Errors
    /// `bad-cursor`, `limit-out-of-bounds`.
    #[method(name = "lines")]
    async fn lines(
        &self,
        owner: u32,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<LineReport>>;

    /// The lines that a participant has on others' accounts, ascending by account.
    ///
    /// # Errors
    /// `bad-cursor`, `limit-out-of-bounds`.
    #[method(name = "lines_held")]
    async fn lines_held(
        &self,
        holder: u32,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<LineReport>>;
}

/// The purpose of an account, which says who owns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum AccountKind {
    /// A gateway's liquidity; the owner is a participant.
    GatewayLiquidity = 1,
    /// Money owed to a merchant; the owner is a merchant.
    MerchantPayable = 2,
    /// A cashback programme's budget; the owner is a merchant.
    CashbackPool = 3,
    /// Cashback that a gateway credits to users and is owed until the window closes.
    CashbackOwed = 4,
    /// An FX provider's position; the owner is a participant.
    FxPosition = 5,
    /// Fees earned; the owner is the scheme.
    Fees = 6,
    /// Funds of failed payments, until they are given again or returned.
    Suspense = 7,
    /// The counter-account of all money that came from or went outside.
    SchemeSettlement = 8,
}

impl AccountKind {
    /// Every kind, ascending by number.
    pub const ALL: &'static [Self] = &[
        Self::GatewayLiquidity,
        Self::MerchantPayable,
        Self::CashbackPool,
        Self::CashbackOwed,
        Self::FxPosition,
        Self::Fees,
        Self::Suspense,
        Self::SchemeSettlement,
    ];

    /// The name that JSON and account names use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GatewayLiquidity => "gateway-liquidity",
            Self::MerchantPayable => "merchant-payable",
            Self::CashbackPool => "cashback-pool",
            Self::CashbackOwed => "cashback-owed",
            Self::FxPosition => "fx-position",
            Self::Fees => "fees",
            Self::Suspense => "suspense",
            Self::SchemeSettlement => "scheme-settlement",
        }
    }

    /// The kind of a frozen number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| *kind as u8 == number)
    }
}

/// An account's name: `kind:owner:CURRENCY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountName {
    /// The purpose of the account.
    pub kind: AccountKind,
    /// The owner's id, a participant's or a merchant's; zero for the scheme's own account.
    pub owner: u64,
    /// The currency of its counters.
    pub currency: Currency,
}

impl fmt::Display for AccountName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}", self.kind.name(), self.owner, currency_code(self.currency))
    }
}

impl FromStr for AccountName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let error = IdError { expected: "kind:owner:CURRENCY, such as gateway-liquidity:201:CNY" };
        let mut parts = text.split(':');
        let (Some(kind), Some(owner), Some(currency), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(error);
        };
        let kind = AccountKind::ALL.iter().copied().find(|known| known.name() == kind);
        Ok(Self {
            kind: kind.ok_or(error)?,
            owner: crate::decimal(owner).ok_or(error)?,
            currency: currency_of(currency).ok_or(error)?,
        })
    }
}

/// An account's four counters and what follows from them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountReport {
    /// The account's name: kind, owner and currency.
    #[serde(with = "crate::text")]
    pub account: AccountName,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryReport {
    /// The height of the block that made the entry.
    pub height: u64,
    /// Its place among the block's entries; ascending, not always by one.
    pub sequence: u32,
    /// The time of that block, in milliseconds since 1970 (UTC).
    pub time_ms: u64,
    /// The kind of operation that caused the entry.
    pub cause: EntryCauseName,
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

/// The kind of operation that changed an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryCauseName {
    /// Opening liquidity of the genesis file.
    Genesis,
    /// Orders of one batch.
    Batch,
    /// Reservations that nobody collected in time.
    Expiry,
    /// The arrival of an instruction's money.
    Instruction,
    /// The close of a window: cashback owed is settled.
    WindowClose,
    /// A return of an order, or an order that a risk desk released.
    Order,
    /// A deposit, a withdrawal or a net debit cap.
    Transfer,
    /// The settlement of a window by the banks.
    Settlement,
}

/// An account's counters at a height, with their proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountProofReport {
    /// The account after the block.
    pub account: AccountReport,
    /// The height of the block whose state the proof is about.
    pub height: u64,
    /// The time of that block, in milliseconds since 1970 (UTC).
    pub time_ms: u64,
    /// The hash of that block's header, which holds the state digest.
    #[serde(with = "crate::text")]
    pub block_hash: chain_types::BlockHash,
    /// The digest of the whole state after it, to which the proof leads.
    #[serde(with = "crate::text::digest")]
    pub state_digest: Digest,
    /// The proof's bytes (docs/wire-format.md), as base64: what `sluice verify` reads.
    pub proof_base64: String,
}

/// The direction of a transfer at the scheme's bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransferAction {
    /// Money came in from outside.
    Deposit,
    /// Money leaves the account for its owner's bank.
    Withdraw,
    /// The net debit cap becomes the amount.
    Cap,
}

impl From<chain_types::TransferAction> for TransferAction {
    fn from(action: chain_types::TransferAction) -> Self {
        match action {
            chain_types::TransferAction::Deposit => Self::Deposit,
            chain_types::TransferAction::Withdraw => Self::Withdraw,
            chain_types::TransferAction::Cap => Self::Cap,
        }
    }
}

/// How far a transfer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransferState {
    /// It waits for its checker.
    Proposed,
    /// The checker approved it: it is booked.
    Approved,
    /// The checker refused it.
    Refused,
    /// Nobody decided in time.
    Expired,
}

/// A deposit, a withdrawal or a net debit cap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferReport {
    /// The transfer's id, a UUID.
    #[serde(with = "crate::text")]
    pub transfer_id: TransferId,
    /// The direction of the money.
    pub action: TransferAction,
    /// The account that the money enters or leaves.
    #[serde(with = "crate::text")]
    pub account: AccountName,
    /// How much; of a cap, the new cap.
    pub amount: Money,
    /// How far it has come.
    pub status: TransferState,
    /// The participant id of the agent that proposed it.
    pub maker: u32,
    /// The maker's reference, hexadecimal.
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
    pub checker_reference: Option<String>,
    /// When it was decided, or expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_ms: Option<u64>,
}

/// How much a participant may have reserved on an account of another's, and has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineReport {
    /// The account, whose owner has given the line.
    #[serde(with = "crate::text")]
    pub account: AccountName,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialBalanceReport {
    /// The node's head, at which they were made.
    pub height: u64,
    /// True if debits equal credits in every currency, pending and posted.
    pub is_balanced: bool,
    /// Per currency, ascending by ISO 4217 number.
    pub currencies: Vec<CurrencyBalance>,
}

/// The sums of one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
