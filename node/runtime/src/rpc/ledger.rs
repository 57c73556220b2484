//! `ledger_*`.

use chain_state::proof::ProvenAccount;
use chain_state::{State, TransferRecord, TransferStatus};
use chain_store::ChainStore as _;
use chain_types::{AccountKey, Height, LineAccount, LineKey, ParticipantId, TransferId};
use jsonrpsee::core::{RpcResult, async_trait};
use node_home::{contract_reports as told, reports};
use rpc_api::text::one_form;
use rpc_api::{
    AccountProofReport, AccountReport, EntryReport, LedgerRpcServer, LineReport, Page,
    TransferReport, TrialBalanceReport, decimal, encode_base64,
};
use rpc_server::Cost;

use super::fault::{AnswerFault, Read};
use super::parameters::{id_of, page_limit, place_cursor, place_of, read_cursor};
use super::served::ServedNode;
use super::{Api, tables};

/// A line's place in a list: `kind:owner:CURRENCY:holder`.
fn line_of(cursor: &str) -> Option<LineKey> {
    let (account, holder) = cursor.rsplit_once(':')?;
    let account: AccountKey = one_form(account)?;
    let kind = LineAccount::of(account.kind)?;
    let owner = ParticipantId::new(u32::try_from(account.owner).ok()?);
    let holder = ParticipantId::new(decimal(holder)?);
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
        let cursor = |last: &AccountReport| last.account.to_string();
        self.page(limit, move |node, count| Ok(node.accounts(after.as_ref(), count)), cursor).await
    }

    async fn account(&self, account: String) -> RpcResult<AccountReport> {
        let name = id_of::<AccountKey>(&account)?;
        self.find(|| format!("account {name}"), move |node| Ok(node.account(&name))).await
    }

    async fn entries(
        &self,
        account: String,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<EntryReport>> {
        let limit = page_limit(limit)?;
        let name = id_of::<AccountKey>(&account)?;
        let after = read_cursor(cursor.as_deref(), place_of)?;
        let cursor = |last: &EntryReport| place_cursor(last.height, last.sequence);
        let page = self
            .page(
                limit,
                move |node, count| {
                    let store = node.settled_store()?;
                    let found = store.account_entries(&name, after, count)?;
                    Ok(found.iter().map(reports::entry).collect())
                },
                cursor,
            )
            .await?;
        if page.items.is_empty() {
            self.find(|| format!("account {name}"), move |node| Ok(node.account(&name))).await?;
        }
        Ok(page)
    }

    async fn account_proof(
        &self,
        account: String,
        height: Option<u64>,
        lineage_apart: Option<bool>,
    ) -> RpcResult<AccountProofReport> {
        let name = id_of::<AccountKey>(&account)?;
        let (height, lineage_apart) = (height.map(Height::new), lineage_apart.unwrap_or_default());
        let found = self
            .read(Cost::PROOF, move |node| node.account_proof(&name, height, lineage_apart))
            .await?;
        found.ok_or_else(|| match height {
            Some(height) => self.not_found(&format!("account {name} at height {height}")),
            None => self.not_found(&format!("account {name}")),
        })
    }

    async fn trial_balance(&self) -> RpcResult<TrialBalanceReport> {
        self.read(Cost::CHEAP, |node| Ok(node.now(reports::trial_balance))).await
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
        let cursor = |last: &TransferReport| last.transfer_id.to_string();
        self.page(limit, move |node, count| node.transfers(open_only, before, count), cursor).await
    }

    async fn transfer(&self, transfer_id: String) -> RpcResult<TransferReport> {
        let id: TransferId = id_of(&transfer_id)?;
        self.find(
            || format!("transfer {id}"),
            move |node| {
                let validity_ms = node.settled(|state| state.parameters().transfer_validity_ms)?;
                let found = node.store().transfer(&id)?;
                Ok(found.map(|record| told::transfer(&record, validity_ms)))
            },
        )
        .await
    }

    async fn lines(
        &self,
        owner: u32,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<LineReport>> {
        let (limit, owner) = (page_limit(limit)?, ParticipantId::new(owner));
        let after = read_cursor(cursor.as_deref(), line_of)?;
        self.page(
            limit,
            move |node, count| {
                Ok(node.now(|state| {
                    let given = state.tables().lines_given(owner, after).take(count);
                    given.map(told::line).collect()
                }))
            },
            LineReport::cursor,
        )
        .await
    }

    async fn lines_held(
        &self,
        holder: u32,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<LineReport>> {
        let (limit, holder) = (page_limit(limit)?, ParticipantId::new(holder));
        let after = read_cursor(cursor.as_deref(), line_of)?;
        self.page(
            limit,
            move |node, count| {
                Ok(node.now(|state| {
                    let held = state.tables().lines_held(holder, after).take(count);
                    held.map(told::line).collect()
                }))
            },
            LineReport::cursor,
        )
        .await
    }
}

impl ServedNode {
    fn accounts(&self, after: Option<&AccountKey>, count: usize) -> Vec<AccountReport> {
        // Copied under the lock and told outside it: a block must not wait for texts.
        let accounts: Vec<_> = self.now(|state| {
            let all = state.accounts(after);
            let rest = all.filter(|(key, _)| Some(*key) != after);
            rest.take(count).map(|(key, account)| (*key, *account)).collect()
        });
        accounts.iter().map(|(key, account)| reports::account(key, account)).collect()
    }

    fn account(&self, name: &AccountKey) -> Option<AccountReport> {
        self.now(|state| Some(reports::account(name, state.account(name)?)))
    }

    /// An account's counters after the block of a height (the head, when there is none) with their
    /// proof; `None` when it did not exist, or the height lies ahead.
    fn account_proof(
        &self,
        name: &AccountKey,
        height: Option<Height>,
        lineage_apart: bool,
    ) -> Read<Option<AccountProofReport>> {
        let head = self.settled(State::height)?;
        let height = height.unwrap_or(head);
        if height > head || height == Height::new(0) {
            return Ok(None);
        }
        let Some(proof) = self.orders.account_proof(name, height)? else { return Ok(None) };
        let committed = self.store().block(height)?.ok_or(AnswerFault::NoBlock(height))?;
        let below = (!lineage_apart).then_some(height);
        let lineage = self.orders.lineage(below.into_iter())?;
        let account = reports::account(name, &proof.account);
        let (header, certificate) = (committed.block.header, committed.certificate);
        let proven = ProvenAccount { proof, header, certificate, lineage };
        let too_large = |error| AnswerFault::too_large(&format!("account {name}"), &error);
        let bytes = proven.encode().map_err(too_large)?;
        Ok(Some(AccountProofReport {
            account,
            height: height.get(),
            time_ms: proven.header.time.get(),
            block_hash: proven.header.hash(),
            state_digest: proven.header.state_digest,
            proof_base64: encode_base64(&bytes),
        }))
    }

    /// Transfers descending by id, below `before`: all, or those that wait for their checker.
    fn transfers(
        &self,
        open_only: bool,
        before: Option<TransferId>,
        count: usize,
    ) -> Read<Vec<TransferReport>> {
        let validity_ms = self.settled(|state| state.parameters().transfer_validity_ms)?;
        let found = if open_only {
            let is_open = |record: &TransferRecord| record.status == TransferStatus::Proposed;
            self.now(|state| {
                let all = &state.tables().transfers;
                tables::below(all, before.as_ref(), is_open, count).copied().collect()
            })
        } else {
            self.store().transfers(before, count)?
        };
        Ok(found.iter().map(|record| told::transfer(record, validity_ms)).collect())
    }
}
