//! `fx_*`.

use chain_types::{ParticipantId, QuoteId, TimeMs};
use jsonrpsee::core::{RpcResult, async_trait};
use rpc_api::{FxRpcServer, Page, QuoteReport, RateReport, ReferenceReport, decimal};

use super::{Api, id_malformed, page_limit, read_cursor};

fn quote_id(text: &str) -> RpcResult<QuoteId> {
    decimal(text).map(QuoteId).ok_or_else(|| id_malformed(text, "a quote's number"))
}

#[async_trait]
impl FxRpcServer for Api {
    async fn reference(
        &self,
        currency: String,
        payout_currency: String,
    ) -> RpcResult<ReferenceReport> {
        let pair = (super::currency(&currency)?, super::currency(&payout_currency)?);
        self.read(move |node| node.fx_reference(pair)).await
    }

    async fn rates(
        &self,
        currency: String,
        payout_currency: String,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<RateReport>> {
        let limit = page_limit(limit)?;
        let pair = (super::currency(&currency)?, super::currency(&payout_currency)?);
        let after = read_cursor(cursor.as_deref(), |text| decimal(text).map(ParticipantId))?;
        let items = self.read_page(limit, move |node| node.rates(pair, after, limit + 1)).await?;
        Ok(Page::of(items, limit, |last| last.provider.to_string()))
    }

    async fn rate_history(
        &self,
        currency: String,
        payout_currency: String,
        provider: u32,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<RateReport>> {
        let limit = page_limit(limit)?;
        let pair = (super::currency(&currency)?, super::currency(&payout_currency)?);
        let provider = ParticipantId(provider);
        let after = read_cursor(cursor.as_deref(), |text| decimal(text).map(TimeMs))?;
        let items =
            self.read_page(limit, move |node| node.rate_history(pair, provider, after, limit + 1));
        Ok(Page::of(items.await?, limit, |last| last.observed_ms.to_string()))
    }

    async fn quote(&self, quote_id: String) -> RpcResult<QuoteReport> {
        let id = self::quote_id(&quote_id)?;
        let found = self.read(move |node| node.quote(id)).await?;
        found.ok_or_else(|| self.not_found(&format!("quote {id}")))
    }

    async fn quotes(
        &self,
        provider: u32,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<QuoteReport>> {
        let limit = page_limit(limit)?;
        let provider = ParticipantId(provider);
        let after = read_cursor(cursor.as_deref(), |text| decimal(text).map(QuoteId))?;
        let items =
            self.read_page(limit, move |node| node.quotes(provider, after, limit + 1)).await?;
        Ok(Page::of(items, limit, |last| last.quote_id.to_string()))
    }
}
