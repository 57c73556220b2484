//! Accounts, their entries and proofs, the sums of the books, and the transfers that bring money in
//! or take it out.

use jsonrpsee::proc_macros::rpc;

use crate::ledger::{
    AccountProofReport, AccountReport, EntryReport, LineReport, TransferReport, TrialBalanceReport,
};
use crate::method::interface;
use crate::page::Page;

interface! {
    /// Methods of the `ledger` namespace. An account is named `kind:owner:CURRENCY`, such as
    /// `gateway-liquidity:201:CNY`.
    LedgerRpc #[rpc(server, client)];

    /// Accounts, ascending by kind, owner and currency.
    "ledger_accounts": accounts(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<AccountReport> {
        errors: [BadCursor, LimitOutOfBounds],
        scope: AccountOwner,
        stability: Stable,
        example: r#"{"limit": 1}"#,
    }

    /// One account with its counters and its balance, by its name.
    "ledger_account": account(&self, account: String) -> AccountReport {
        errors: [NotFound, IdMalformed, NodeBehind],
        scope: AccountOwner,
        stability: Stable,
        example: r#"{"account": "gateway-liquidity:201:CNY"}"#,
    }

    /// The changes of an account, oldest first: one entry a cause and block, not one an order.
    "ledger_entries": entries(
        &self,
        account: String,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<EntryReport> {
        errors: [BadCursor, LimitOutOfBounds, NotFound, IdMalformed, NodeBehind],
        scope: AccountOwner,
        stability: Stable,
        example: r#"{"account": "gateway-liquidity:201:CNY", "limit": 1}"#,
    }

    /// An account's counters after the block of a height, with everything needed to verify them
    /// offline.
    ///
    /// The height is that of the head when none is given. `sluice verify` checks the proof, given
    /// only the genesis file; `lineage_apart` is as for `recharge_receipt`. `not-found` says that
    /// the account did not exist yet, or that the height lies ahead of the node's head.
    "ledger_account_proof": account_proof(
        &self,
        account: String,
        height: Option<u64>,
        lineage_apart: Option<bool>,
    ) -> AccountProofReport {
        errors: [NotFound, IdMalformed, NodeBehind, ProofTooLarge],
        scope: AccountOwner,
        stability: Stable,
        example: r#"{"account": "gateway-liquidity:201:CNY", "height": 3, "lineage_apart": true}"#,
    }

    /// The sums of all accounts per currency at the node's head: debits equal credits.
    "ledger_trial_balance": trial_balance(&self) -> TrialBalanceReport {
        errors: [],
        scope: Operator,
        stability: Stable,
        example: "{}",
    }

    /// Deposits, withdrawals and net debit caps, newest first.
    ///
    /// With `open_only`, only those that wait for their checker.
    "ledger_transfers": transfers(
        &self,
        open_only: Option<bool>,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<TransferReport> {
        errors: [BadCursor, LimitOutOfBounds],
        scope: AccountOwner,
        stability: Stable,
        example: r#"{"open_only": true, "limit": 1}"#,
    }

    /// One transfer with its maker, its checker and its status, by its id.
    "ledger_transfer": transfer(&self, transfer_id: String) -> TransferReport {
        errors: [NotFound, IdMalformed, NodeBehind],
        scope: AccountOwner,
        stability: Stable,
        example: r#"{"transfer_id": "01a3185c-6450-7d0d-8d0d-0d0d0d0d0d0d"}"#,
    }

    /// The lines that a participant has given on its accounts, ascending by account and holder.
    ///
    /// A line says how much its holder may have reserved there, and has.
    "ledger_lines": lines(
        &self,
        owner: u32,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<LineReport> {
        errors: [BadCursor, LimitOutOfBounds],
        scope: AccountOwner,
        stability: Stable,
        example: r#"{"owner": 201}"#,
    }

    /// The lines that a participant has on others' accounts, ascending by account.
    "ledger_lines_held": lines_held(
        &self,
        holder: u32,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Page<LineReport> {
        errors: [BadCursor, LimitOutOfBounds],
        scope: AccountOwner,
        stability: Stable,
        example: r#"{"holder": 101, "limit": 1}"#,
    }
}
