//! `chain_*`.

use chain_types::{Currency, Height, LiquidityLine, MerchantId, ParticipantId};
use jsonrpsee::core::server::PendingSubscriptionSink;
use jsonrpsee::core::{RpcResult, SubscriptionResult, async_trait};
use jsonrpsee::types::Extensions;
use rpc_api::money::currency_of;
use rpc_api::{
    BlockReport, BlockSelector, BlockSummary, ChainInfo, ChainRpcServer, EvidenceReport,
    HandoverReport, LiquidityReport, MerchantReport, Page, ParametersReport, ParticipantReport,
    decimal,
};

use super::{Api, id_of, page_limit, place_cursor, place_of, read_cursor};
use crate::backend::BlockName;
use crate::reads::Cost;

/// A line's gateway and currency.
fn line_of(cursor: &str) -> Option<(ParticipantId, Currency)> {
    let (gateway, currency) = cursor.split_once('-')?;
    Some((ParticipantId(decimal(gateway)?), currency_of(currency)?))
}

/// One more than `limit` of the items after the one that is named, of a list that ascends by name.
fn page_after<T, N: Ord + Copy>(
    all: &[T],
    name: impl Fn(&T) -> N,
    after: Option<N>,
    limit: u32,
) -> impl Iterator<Item = &T> {
    let first = after.map_or(0, |after| all.partition_point(|one| name(one) <= after));
    all.iter().skip(first).take(limit as usize + 1)
}

#[async_trait]
impl ChainRpcServer for Api {
    async fn id(&self) -> RpcResult<String> {
        Ok(self.backend.genesis().chain_id.to_string())
    }

    async fn info(&self) -> RpcResult<ChainInfo> {
        self.read(|node| Ok(ChainInfo::new(node.genesis()))).await
    }

    async fn genesis_participants(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<ParticipantReport>> {
        let limit = page_limit(limit)?;
        let after = read_cursor(cursor.as_deref(), |text| decimal(text).map(ParticipantId))?;
        let read = self.read_page(limit, move |node| {
            let all = &node.genesis().participants;
            Ok(page_after(all, |one| one.id, after, limit).map(ParticipantReport::new).collect())
        });
        Ok(Page::of(read.await?, limit, |last: &ParticipantReport| last.participant.to_string()))
    }

    async fn genesis_merchants(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<MerchantReport>> {
        let limit = page_limit(limit)?;
        let after = read_cursor(cursor.as_deref(), |text| decimal(text).map(MerchantId))?;
        let read = self.read_page(limit, move |node| {
            let all = &node.genesis().merchants;
            Ok(page_after(all, |one| one.id, after, limit).map(MerchantReport::new).collect())
        });
        Ok(Page::of(read.await?, limit, |last: &MerchantReport| last.merchant.to_string()))
    }

    async fn genesis_liquidity(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<LiquidityReport>> {
        let limit = page_limit(limit)?;
        let after = read_cursor(cursor.as_deref(), line_of)?;
        let read = self.read_page(limit, move |node| {
            let all = &node.genesis().liquidity;
            let name = |line: &LiquidityLine| (line.gateway, line.currency);
            Ok(page_after(all, name, after, limit).map(LiquidityReport::new).collect())
        });
        let cursor = |last: &LiquidityReport| {
            format!("{}-{}", last.gateway, last.opening_liquidity.currency)
        };
        Ok(Page::of(read.await?, limit, cursor))
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
            BlockSelector::Hash(text) => BlockName::Hash(id_of(text)?),
        };
        let found = self.read_at(Cost::WHOLE, move |node| node.block(name)).await?;
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
        let before: Option<u64> = read_cursor(cursor.as_deref(), decimal)?;
        // The heights below `end` are listed, from the highest down.
        let head_end = Api::head(self).0.saturating_add(1);
        let end = before.map_or(head_end, |before| before.min(head_end));
        let first = end.saturating_sub(u64::from(limit) + 1);
        let count = u32::try_from(end - first).unwrap_or(limit);
        if count == 0 {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let read = self.read_page(limit, move |node| node.blocks(Height(first), count));
        let mut items = read.await?;
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
        let items = self.read_page(limit, move |node| node.evidence(after, limit + 1)).await?;
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
        let found = self.read_page(limit, move |node| node.lineage(after, limit));
        let (items, goes_on) = found.await?;
        let last = items.last().filter(|_| goes_on);
        let next = last.map(|last| last.height.to_string());
        Ok(Page { items, next })
    }

    async fn subscribe_blocks(
        &self,
        pending: PendingSubscriptionSink,
        extensions: &Extensions,
        from_height: Option<u64>,
    ) -> SubscriptionResult {
        self.send_blocks(pending, extensions, from_height).await
    }
}
