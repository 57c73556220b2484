//! `governance_*`.

use chain_types::{MerchantId, ProposalId};
use jsonrpsee::core::{RpcResult, async_trait};
use rpc_api::text::one_form;
use rpc_api::{
    GovernanceRpcServer, Page, ProposalReport, RegisteredMerchant, RegistryReport, decimal,
};

use super::{Api, id_of, merchant_id, page_limit, read_cursor};
use crate::reads::Cost;

#[async_trait]
impl GovernanceRpcServer for Api {
    async fn registry(&self) -> RpcResult<RegistryReport> {
        self.read_at(Cost::WHOLE, |node| node.registry()).await
    }

    async fn merchants(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<RegisteredMerchant>> {
        let limit = page_limit(limit)?;
        let after = read_cursor(cursor.as_deref(), |text| decimal(text).map(MerchantId))?;
        let items = self.read_page(limit, move |node| node.merchants(after, limit + 1)).await?;
        Ok(Page::of(items, limit, |last| last.merchant.to_string()))
    }

    async fn merchant(&self, merchant: String) -> RpcResult<RegisteredMerchant> {
        let id = merchant_id(&merchant)?;
        let found = self.read(move |node| node.merchant(id)).await?;
        found.ok_or_else(|| self.not_found(&format!("merchant {id}")))
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
        let items =
            self.read_page(limit, move |node| node.proposals(open_only, before, limit + 1)).await?;
        Ok(Page::of(items, limit, |last| last.proposal_id.to_string()))
    }

    async fn proposal(&self, proposal_id: String) -> RpcResult<ProposalReport> {
        let id: ProposalId = id_of(&proposal_id)?;
        let found = self.read(move |node| node.proposal(&id)).await?;
        found.ok_or_else(|| self.not_found(&format!("proposal {id}")))
    }
}
