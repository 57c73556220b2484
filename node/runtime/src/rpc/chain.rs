//! `chain_*`.

use chain_state::State;
use chain_store::ChainStore as _;
use chain_types::{
    Block, BlockHash, Currency, Handover, Handovers, Height, LiquidityLine, MerchantId,
    PROOF_BYTES_MAX, ParticipantId, codec,
};
use jsonrpsee::core::server::PendingSubscriptionSink;
use jsonrpsee::core::{RpcResult, SubscriptionResult, async_trait};
use jsonrpsee::types::Extensions;
use node_home::orders::Orders;
use node_home::reports;
use rpc_api::money::currency_of;
use rpc_api::{
    BlockReport, BlockSelector, BlockSummary, ChainInfo, ChainRpcServer, EvidenceReport,
    HandoverReport, LiquidityReport, MerchantReport, Page, ParametersReport, ParticipantReport,
    decimal, encode_base64,
};
use rpc_server::Cost;

use super::fault::Read;
use super::parameters::{id_of, page_limit, place_cursor, place_of, read_cursor};
use super::served::ServedNode;
use super::{Api, tables};

/// A line's gateway and currency.
fn line_of(cursor: &str) -> Option<(ParticipantId, Currency)> {
    let (gateway, currency) = cursor.split_once('-')?;
    Some((ParticipantId::new(decimal(gateway)?), currency_of(currency)?))
}

#[async_trait]
impl ChainRpcServer for Api {
    async fn id(&self) -> RpcResult<String> {
        Ok(self.node.genesis.chain_id.to_string())
    }

    async fn info(&self) -> RpcResult<ChainInfo> {
        self.read(Cost::CHEAP, |node| Ok(ChainInfo::new(&node.genesis))).await
    }

    async fn genesis_participants(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<ParticipantReport>> {
        let limit = page_limit(limit)?;
        let after = read_cursor(cursor.as_deref(), |text| decimal(text).map(ParticipantId::new))?;
        let cursor = |last: &ParticipantReport| last.participant.to_string();
        self.page(
            limit,
            move |node, count| {
                let all = &node.genesis.participants;
                let found = tables::after_named(all, |one| one.id, after, count);
                Ok(found.map(ParticipantReport::new).collect())
            },
            cursor,
        )
        .await
    }

    async fn genesis_merchants(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<MerchantReport>> {
        let limit = page_limit(limit)?;
        let after = read_cursor(cursor.as_deref(), |text| decimal(text).map(MerchantId::new))?;
        let cursor = |last: &MerchantReport| last.merchant.to_string();
        self.page(
            limit,
            move |node, count| {
                let all = &node.genesis.merchants;
                let found = tables::after_named(all, |one| one.id, after, count);
                Ok(found.map(MerchantReport::new).collect())
            },
            cursor,
        )
        .await
    }

    async fn genesis_liquidity(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<LiquidityReport>> {
        let limit = page_limit(limit)?;
        let after = read_cursor(cursor.as_deref(), line_of)?;
        let cursor = |last: &LiquidityReport| {
            format!("{}-{}", last.gateway, last.opening_liquidity.currency)
        };
        self.page(
            limit,
            move |node, count| {
                let name = |line: &LiquidityLine| (line.gateway, line.currency);
                let found = tables::after_named(&node.genesis.liquidity, name, after, count);
                Ok(found.map(LiquidityReport::new).collect())
            },
            cursor,
        )
        .await
    }

    async fn parameters(&self) -> RpcResult<ParametersReport> {
        let report = |state: &State| ParametersReport::new(state.parameters());
        self.read(Cost::CHEAP, move |node| Ok(node.now(report))).await
    }

    async fn head(&self) -> RpcResult<BlockSummary> {
        let head = Api::head(self);
        let first = move |node: &ServedNode| Ok(node.blocks(head, 1)?.into_iter().next());
        self.find(|| format!("block {head}"), first).await
    }

    async fn block(&self, block: BlockSelector) -> RpcResult<BlockReport> {
        let found = match &block {
            BlockSelector::Height(height) => {
                let height = Height::new(*height);
                self.read(Cost::WHOLE, move |node| node.block(height)).await?
            }
            BlockSelector::Hash(text) => {
                let hash: BlockHash = id_of(text)?;
                self.read(Cost::WHOLE, move |node| node.block_of_hash(&hash)).await?
            }
        };
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
        let head_end = Api::head(self).get().saturating_add(1);
        let end = before.map_or(head_end, |before| before.min(head_end));
        let first = end.saturating_sub(u64::from(limit) + 1);
        let count = u32::try_from(end - first).unwrap_or(limit);
        if count == 0 {
            return Ok(Page { items: Vec::new(), next: None });
        }
        self.page(
            limit,
            move |node, _| {
                let mut items = node.blocks(Height::new(first), count)?;
                items.reverse();
                Ok(items)
            },
            |last| last.height.to_string(),
        )
        .await
    }

    async fn evidence(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<EvidenceReport>> {
        let limit = page_limit(limit)?;
        let after = read_cursor(cursor.as_deref(), place_of)?;
        let cursor = |last: &EvidenceReport| place_cursor(last.block_height, last.sequence);
        self.page(
            limit,
            move |node, count| {
                let found = node.settled_store()?.evidence(after, count)?;
                let rules = node.orders.state.rules();
                Ok(found.iter().map(|one| reports::evidence(one, &rules.registry.nodes)).collect())
            },
            cursor,
        )
        .await
    }

    async fn lineage(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<HandoverReport>> {
        let limit = page_limit(limit)?;
        let after = read_cursor(cursor.as_deref(), |text| decimal(text).map(Height::new))?;
        let found = self.read(Cost::page(limit), move |node| node.lineage(after, limit));
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
        let feed = self.feeds.blocks();
        let first = from_height.map_or_else(|| Api::head(self).next(), Height::new);
        self.reader.subscriber(pending, extensions).follow(&feed, first).await
    }
}

impl ServedNode {
    fn block_zero(&self) -> Block {
        State::genesis_block(&self.genesis)
    }

    /// One block with its certificate; block zero has none.
    fn block(&self, height: Height) -> Read<Option<BlockReport>> {
        if height == Height::new(0) {
            return Ok(Some(BlockReport::new(&self.block_zero(), None)));
        }
        let found = self.store().block(height)?;
        Ok(found.map(|found| BlockReport::new(&found.block, Some(&found.certificate))))
    }

    fn block_of_hash(&self, hash: &BlockHash) -> Read<Option<BlockReport>> {
        if *hash == self.block_zero().hash() {
            return self.block(Height::new(0));
        }
        match self.store().block_height(hash)? {
            Some(height) => self.block(height),
            None => Ok(None),
        }
    }

    /// The blocks of `count` heights from `first` on, ascending, without a gap; fewer where the
    /// chain ends.
    pub(super) fn blocks(&self, first: Height, count: u32) -> Read<Vec<BlockSummary>> {
        let mut blocks = Vec::new();
        for height in (first.get()..first.get().saturating_add(u64::from(count))).map(Height::new) {
            let block = if height == Height::new(0) {
                Some(self.block_zero())
            } else {
                self.store().block(height)?.map(|committed| committed.block)
            };
            match block {
                Some(block) => blocks.push(BlockSummary::new(&block)),
                None => break,
            }
        }
        Ok(blocks)
    }

    /// Changes of validators, oldest first, after the block of a height: at most `limit`, and fewer
    /// where they are large. Beside them, whether more follow.
    fn lineage(&self, after: Option<Height>, limit: u32) -> Read<(Vec<HandoverReport>, bool)> {
        let head = self.settled(State::height)?;
        let from = match after {
            None => Height::new(0),
            // A client may name any height, and after the last one there is none.
            Some(after) if after >= head => return Ok((Vec::new(), false)),
            Some(after) => after.next(),
        };
        let page =
            |handovers: &Handovers| handovers.page(from, head, limit as usize, PROOF_BYTES_MAX);
        let Orders { genesis, store, lineages, .. } = &self.orders;
        let (handovers, goes_on) = lineages.read(store, genesis, head, page)?;
        let report = |handover: &Handover| HandoverReport {
            height: handover.header.height.get(),
            handover_base64: encode_base64(&codec::encode(handover)),
        };
        Ok((handovers.iter().map(report).collect(), goes_on))
    }
}
