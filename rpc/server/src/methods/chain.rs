//! `chain_*`.

use chain_types::Height;
use jsonrpsee::core::{RpcResult, SubscriptionResult, async_trait};
use jsonrpsee::server::PendingSubscriptionSink;
use rpc_api::{
    BlockReport, BlockSelector, BlockSummary, ChainInfo, ChainRpcServer, EvidenceReport,
    HandoverReport, Page, ParametersReport,
};

use super::{Api, id_malformed, page_limit, place_cursor, place_of, read_cursor};
use crate::backend::BlockName;

#[async_trait]
impl ChainRpcServer for Api {
    async fn id(&self) -> RpcResult<String> {
        Ok(self.backend.genesis().chain_id.to_string())
    }

    async fn info(&self) -> RpcResult<ChainInfo> {
        // A large registry takes a while to write down.
        self.read(|node| Ok(ChainInfo::new(node.genesis()))).await
    }

    async fn parameters(&self) -> RpcResult<ParametersReport> {
        let parameters = self.read(|node| node.parameters()).await?;
        Ok(ParametersReport::new(&parameters))
    }

    async fn head(&self) -> RpcResult<BlockSummary> {
        let head = Api::head(self);
        let found = self.read(move |node| node.blocks(head, 1)).await?;
        found.into_iter().next().ok_or_else(|| self.not_found(&format!("block {head}")))
    }

    async fn block(&self, block: BlockSelector) -> RpcResult<BlockReport> {
        let name = match &block {
            BlockSelector::Height(height) => BlockName::Height(Height(*height)),
            BlockSelector::Hash(text) => {
                BlockName::Hash(text.parse().map_err(|error| id_malformed(text, error))?)
            }
        };
        let found = self.read(move |node| node.block(name)).await?;
        found.ok_or_else(|| match block {
            BlockSelector::Height(height) => self.not_found(&format!("block {height}")),
            BlockSelector::Hash(hash) => self.not_found(&format!("block {hash}")),
        })
    }

    async fn blocks(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<BlockSummary>> {
        let limit = page_limit(limit)?;
        let before: Option<u64> = read_cursor(cursor.as_deref(), |text| text.parse().ok())?;
        // The heights below `end` are listed, from the highest down.
        let head_end = Api::head(self).0.saturating_add(1);
        let end = before.map_or(head_end, |before| before.min(head_end));
        let first = end.saturating_sub(u64::from(limit) + 1);
        let count = u32::try_from(end - first).unwrap_or(limit);
        if count == 0 {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let mut items = self.read(move |node| node.blocks(Height(first), count)).await?;
        items.reverse();
        Ok(Page::of(items, limit, |last| last.height.to_string()))
    }

    async fn evidence(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<EvidenceReport>> {
        let limit = page_limit(limit)?;
        let after = read_cursor(cursor.as_deref(), place_of)?;
        let items = self.read(move |node| node.evidence(after, limit + 1)).await?;
        Ok(Page::of(items, limit, |last| place_cursor(last.block_height, last.sequence)))
    }

    async fn lineage(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<HandoverReport>> {
        let limit = page_limit(limit)?;
        let height =
            |text: &str| text.parse().ok().filter(|height: &u64| height.to_string() == text);
        let after = read_cursor(cursor.as_deref(), |text| height(text).map(Height))?;
        let (items, goes_on) = self.read(move |node| node.lineage(after, limit)).await?;
        let last = items.last().filter(|_| goes_on);
        let next = last.map(|last| last.height.to_string());
        Ok(Page { items, next })
    }

    async fn subscribe_blocks(
        &self,
        pending: PendingSubscriptionSink,
        from_height: Option<u64>,
    ) -> SubscriptionResult {
        self.send_blocks(pending, from_height).await
    }
}
