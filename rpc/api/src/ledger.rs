//! `ledger_*`: accounts, their entries, and whether the books balance.

use std::fmt;
use std::str::FromStr;

use chain_types::Currency;
use chain_types::ids::IdError;
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

    /// What changed an account, oldest first: one entry a cause and block, not one an order.
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

    /// The sums of all accounts per currency at the node's head: debits equal credits.
    #[method(name = "trial_balance")]
    async fn trial_balance(&self) -> RpcResult<TrialBalance>;
}

/// What an account is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum AccountKind {
    /// A gateway's liquidity; the owner is a participant.
    GatewayLiquidity = 1,
    /// What is owed to a merchant; the owner is a merchant.
    MerchantPayable = 2,
    /// The pool that cashback is paid from.
    CashbackPool = 3,
    /// Cashback that is owed.
    CashbackOwed = 4,
    /// An FX provider's position.
    FxPosition = 5,
    /// Fees.
    Fees = 6,
    /// Money whose owner is not settled.
    Suspense = 7,
    /// The counter-account of opening liquidity.
    SchemeSettlement = 8,
    /// What rounding of conversions cost the scheme.
    FxResidue = 9,
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
        Self::FxResidue,
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
            Self::FxResidue => "fx-residue",
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
    /// What it is for.
    pub kind: AccountKind,
    /// Whose it is: a participant's or merchant's id; zero for the scheme's own.
    pub owner: u64,
    /// Its currency.
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
            owner: owner.parse().map_err(|_| error)?,
            currency: currency_of(currency).ok_or(error)?,
        })
    }
}

/// An account's four counters and what follows from them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountReport {
    /// Its name.
    #[serde(with = "crate::text")]
    pub account: AccountName,
    /// Debits reserved and not yet posted.
    pub debits_pending: Money,
    /// Debits posted.
    pub debits_posted: Money,
    /// Credits reserved and not yet posted.
    pub credits_pending: Money,
    /// Credits posted.
    pub credits_posted: Money,
    /// Posted credits less posted debits.
    pub balance: Money,
    /// How far below zero the balance may go.
    pub net_debit_cap: Money,
    /// What may still be debited: balance and cap less pending debits.
    pub available: Money,
}

/// One change of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryReport {
    /// The block.
    pub height: u64,
    /// Its place among the block's entries; ascending, not always by one.
    pub sequence: u32,
    /// The block's time.
    pub time_ms: u64,
    /// What caused it: `batch`, `window-close`, `expiry`, `genesis` or `instruction`.
    pub cause: String,
    /// The batch's place in the block, or the instruction's id; absent for other causes.
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
    pub order_count: u32,
}

/// The sums of all accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialBalance {
    /// The node's head, at which they were made.
    pub height: u64,
    /// Whether debits equal credits in every currency, pending and posted.
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
    /// Whether debits equal credits, pending and posted.
    pub fn is_balanced(&self) -> bool {
        self.debits_pending == self.credits_pending && self.debits_posted == self.credits_posted
    }
}
