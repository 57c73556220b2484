//! `governance_*`.

use chain_state::{ProposalRecord, ProposalStatus};
use chain_store::ChainStore as _;
use chain_types::{MerchantId, ParticipantId, ProposalId};
use jsonrpsee::core::{RpcResult, async_trait};
use node_home::contract_reports as told;
use rpc_api::text::one_form;
use rpc_api::{
    GovernanceRpcServer, ListedChange, Page, ProposalReport, RegisteredMerchant, RegistrarReport,
    RegistryReport, decimal,
};
use rpc_server::Cost;

use super::fault::Read;
use super::parameters::{id_of, merchant_id, page_limit, read_cursor};
use super::served::ServedNode;
use super::{Api, tables};

#[async_trait]
impl GovernanceRpcServer for Api {
    async fn registry(&self) -> RpcResult<RegistryReport> {
        self.read(Cost::WHOLE, |node| Ok(node.now(told::registry))).await
    }

    async fn merchants(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<RegisteredMerchant>> {
        let limit = page_limit(limit)?;
        let after = read_cursor(cursor.as_deref(), |text| decimal(text).map(MerchantId::new))?;
        let cursor = |last: &RegisteredMerchant| last.merchant.to_string();
        self.page(
            limit,
            move |node, count| {
                Ok(node.now(|state| {
                    let found = tables::after(&state.tables().merchants, after.as_ref(), count);
                    found.map(|(_, known)| told::merchant(&known.merchant, state)).collect()
                }))
            },
            cursor,
        )
        .await
    }

    async fn merchant(&self, merchant: String) -> RpcResult<RegisteredMerchant> {
        let id = merchant_id(&merchant)?;
        self.find(
            || format!("merchant {id}"),
            move |node| Ok(node.now(|state| Some(told::merchant(state.merchant(id)?, state)))),
        )
        .await
    }

    async fn registrars(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<RegistrarReport>> {
        let limit = page_limit(limit)?;
        let after = read_cursor(cursor.as_deref(), |text| decimal(text).map(ParticipantId::new))?;
        let cursor = |last: &RegistrarReport| last.participant.to_string();
        self.page(
            limit,
            move |node, count| {
                Ok(node.now(|state| {
                    let found = tables::after(&state.tables().registrars, after.as_ref(), count);
                    found.map(|(id, known)| told::registrar(*id, known, state)).collect()
                }))
            },
            cursor,
        )
        .await
    }

    async fn proposals(
        &self,
        open_only: Option<bool>,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<ProposalReport>> {
        let limit = page_limit(limit)?;
        let open_only = open_only.unwrap_or_default();
        let before: Option<ProposalId> = read_cursor(cursor.as_deref(), one_form)?;
        let cursor = |last: &ProposalReport| last.proposal_id.to_string();
        self.page(limit, move |node, count| node.proposals(open_only, before, count), cursor).await
    }

    async fn proposal(&self, proposal_id: String) -> RpcResult<ProposalReport> {
        let id: ProposalId = id_of(&proposal_id)?;
        self.find(
            || format!("proposal {id}"),
            move |node| {
                let found = node.settled_store()?.proposal(&id)?;
                Ok(node.proposals_told(found.as_slice()).pop())
            },
        )
        .await
    }

    async fn proposal_changes(
        &self,
        proposal_id: String,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<ListedChange>> {
        let id: ProposalId = id_of(&proposal_id)?;
        let limit = page_limit(limit)?;
        let after: Option<u32> = read_cursor(cursor.as_deref(), decimal)?;
        let count = limit as usize + 1;
        let read = self.read(Cost::page(limit), move |node| {
            Ok(node.now(|state| told::listed_changes(id, after, count, state)))
        });
        let what = || format!("proposal {id} with a list, and open");
        let found = read.await?.ok_or_else(|| self.not_found(&what()))?;
        Ok(Page::of(found, limit, |last: &ListedChange| last.place.to_string()))
    }
}

impl ServedNode {
    /// Proposals descending by id: all, or those that wait for approvals or their height.
    fn proposals(
        &self,
        open_only: bool,
        before: Option<ProposalId>,
        count: usize,
    ) -> Read<Vec<ProposalReport>> {
        let store = self.settled_store()?;
        let found = if open_only {
            let waits = |record: &ProposalRecord| {
                matches!(record.status, ProposalStatus::Proposed | ProposalStatus::Scheduled)
            };
            self.now(|state| {
                let all = &state.tables().proposals;
                tables::below(all, before.as_ref(), waits, count).cloned().collect()
            })
        } else {
            store.proposals(before, count)?
        };
        Ok(self.proposals_told(&found))
    }

    fn proposals_told(&self, found: &[ProposalRecord]) -> Vec<ProposalReport> {
        self.now(|state| found.iter().map(|record| told::proposal(record, state)).collect())
    }
}
