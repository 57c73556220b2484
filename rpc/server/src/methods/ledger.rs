//! `ledger_*`.

use chain_types::{Height, LineAccount, LineKey, ParticipantId, TransferId};
use jsonrpsee::core::{RpcResult, async_trait};
use rpc_api::text::one_form;
use rpc_api::{
    AccountName, AccountProofReport, AccountReport, EntryReport, LedgerRpcServer, LineReport, Page,
    TransferReport, TrialBalance, decimal,
};

use super::{Api, id_of, page_limit, place_cursor, place_of, read_cursor};
use crate::reads::Cost;

/// A line's place in a list: `kind:owner:CURRENCY:holder`.
fn line_of(cursor: &str) -> Option<LineKey> {
    let (account, holder) = cursor.rsplit_once(':')?;
    let account: AccountName = one_form(account)?;
    let kind = LineAccount::from_number(u16::from(account.kind as u8))?;
    let owner = ParticipantId(u32::try_from(account.owner).ok()?);
    let holder = ParticipantId(decimal(holder)?);
    Some(LineKey { account: kind, owner, currency: account.currency, holder })
}

#[async_trait]
impl LedgerRpcServer for Api {
    async fn accounts(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<AccountReport>> {
        let limit = page_limit(limit)?;
        let after = read_cursor(cursor.as_deref(), one_form)?;
        let items = self.read_page(limit, move |node| node.accounts(after, limit + 1)).await?;
        Ok(Page::of(items, limit, |last| last.account.to_string()))
    }

    async fn account(&self, account: String) -> RpcResult<AccountReport> {
        let name = id_of::<AccountName>(&account)?;
        let found = self.read(move |node| node.account(&name)).await?;
        found.ok_or_else(|| self.not_found(&format!("account {name}")))
    }

    async fn entries(
        &self,
        account: String,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<EntryReport>> {
        let limit = page_limit(limit)?;
        let name = id_of::<AccountName>(&account)?;
        let after = read_cursor(cursor.as_deref(), place_of)?;
        let items =
            self.read_page(limit, move |node| node.entries(&name, after, limit + 1)).await?;
        if items.is_empty() && self.read(move |node| node.account(&name)).await?.is_none() {
            return Err(self.not_found(&format!("account {name}")));
        }
        Ok(Page::of(items, limit, |last| place_cursor(last.height, last.sequence)))
    }

    async fn account_proof(
        &self,
        account: String,
        height: Option<u64>,
        lineage_apart: Option<bool>,
    ) -> RpcResult<AccountProofReport> {
        let name = id_of::<AccountName>(&account)?;
        let (height, lineage_apart) = (height.map(Height), lineage_apart.unwrap_or_default());
        let found = self
            .read_at(Cost::PROOF, move |node| node.account_proof(&name, height, lineage_apart))
            .await?;
        found.ok_or_else(|| match height {
            Some(height) => self.not_found(&format!("account {name} at height {height}")),
            None => self.not_found(&format!("account {name}")),
        })
    }

    async fn trial_balance(&self) -> RpcResult<TrialBalance> {
        self.read(|node| node.trial_balance()).await
    }

    async fn transfers(
        &self,
        open_only: Option<bool>,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<TransferReport>> {
        let limit = page_limit(limit)?;
        let open_only = open_only.unwrap_or_default();
        let before: Option<TransferId> = read_cursor(cursor.as_deref(), one_form)?;
        let items =
            self.read_page(limit, move |node| node.transfers(open_only, before, limit + 1)).await?;
        Ok(Page::of(items, limit, |last| last.transfer_id.to_string()))
    }

    async fn transfer(&self, transfer_id: String) -> RpcResult<TransferReport> {
        let id: TransferId = id_of(&transfer_id)?;
        let found = self.read(move |node| node.transfer(&id)).await?;
        found.ok_or_else(|| self.not_found(&format!("transfer {id}")))
    }

    async fn lines(
        &self,
        owner: u32,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<LineReport>> {
        let (limit, owner) = (page_limit(limit)?, ParticipantId(owner));
        let after = read_cursor(cursor.as_deref(), line_of)?;
        let items = self.read_page(limit, move |node| node.lines(owner, after, limit + 1)).await?;
        Ok(Page::of(items, limit, LineReport::cursor))
    }

    async fn lines_held(
        &self,
        holder: u32,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<LineReport>> {
        let (limit, holder) = (page_limit(limit)?, ParticipantId(holder));
        let after = read_cursor(cursor.as_deref(), line_of)?;
        let items =
            self.read_page(limit, move |node| node.lines_held(holder, after, limit + 1)).await?;
        Ok(Page::of(items, limit, LineReport::cursor))
    }
}
