//! `fx_*`.

use std::ops::Bound;

use chain_state::{QuoteRecord, RateRecord, State};
use chain_store::ChainStore as _;
use chain_types::{Currency, ParticipantId, QuoteId, TimeMs};
use contracts::reference as rates;
use jsonrpsee::core::{RpcResult, async_trait};
use node_home::contract_reports as told;
use rpc_api::money::currency_code;
use rpc_api::{FxRpcServer, Page, QuoteReport, RateReport, ReferenceReport, decimal, rate_text};
use rpc_server::Cost;

use super::Api;
use super::parameters::{self, page_limit, read_cursor};
use super::served::ServedNode;

/// The currency that is collected, and the one that is paid out.
type Pair = (Currency, Currency);

fn pair_of(currency: &str, payout_currency: &str) -> RpcResult<Pair> {
    Ok((parameters::currency(currency)?, parameters::currency(payout_currency)?))
}

#[async_trait]
impl FxRpcServer for Api {
    async fn reference(
        &self,
        currency: String,
        payout_currency: String,
    ) -> RpcResult<ReferenceReport> {
        let pair = pair_of(&currency, &payout_currency)?;
        self.read(Cost::CHEAP, move |node| Ok(node.now(|state| reference(state, pair)))).await
    }

    async fn rates(
        &self,
        currency: String,
        payout_currency: String,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<RateReport>> {
        let limit = page_limit(limit)?;
        let pair = pair_of(&currency, &payout_currency)?;
        let after = read_cursor(cursor.as_deref(), |text| decimal(text).map(ParticipantId::new))?;
        let cursor = |last: &RateReport| last.provider.to_string();
        self.page(limit, move |node, count| Ok(node.rates(pair, after, count)), cursor).await
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
        let (from, to) = pair_of(&currency, &payout_currency)?;
        let key = (from, to, ParticipantId::new(provider));
        let after = read_cursor(cursor.as_deref(), |text| decimal(text).map(TimeMs::new))?;
        let cursor = |last: &RateReport| last.observed_ms.to_string();
        self.page(
            limit,
            move |node, count| {
                let last = node.settled(|state| state.tables().rates.get(&key).copied())?;
                let found = node.store().rates(&key, after, count)?;
                Ok(node.now(|state| {
                    let is_fresh = |record: &RateRecord| {
                        Some(*record) == last && rates::is_fresh(state, record)
                    };
                    found.iter().map(|record| told::rate(record, is_fresh(record))).collect()
                }))
            },
            cursor,
        )
        .await
    }

    async fn quote(&self, quote_id: String) -> RpcResult<QuoteReport> {
        let id = parameters::quote_id(&quote_id)?;
        self.find(
            || format!("quote {id}"),
            move |node| {
                let found = node.settled_store()?.quote(id)?;
                Ok(node.quotes_told(found.as_slice()).pop())
            },
        )
        .await
    }

    async fn quotes(
        &self,
        provider: u32,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<QuoteReport>> {
        let limit = page_limit(limit)?;
        let provider = ParticipantId::new(provider);
        let after = read_cursor(cursor.as_deref(), |text| decimal(text).map(QuoteId::new))?;
        let cursor = |last: &QuoteReport| last.quote_id.to_string();
        self.page(
            limit,
            move |node, count| {
                let found = node.settled_store()?.quotes(provider, after, count)?;
                Ok(node.quotes_told(&found))
            },
            cursor,
        )
        .await
    }
}

impl ServedNode {
    fn rates(&self, pair: Pair, after: Option<ParticipantId>, count: usize) -> Vec<RateReport> {
        let of = |provider| (pair.0, pair.1, provider);
        let lower = after.map_or(Bound::Included(of(ParticipantId::new(0))), |provider| {
            Bound::Excluded(of(provider))
        });
        let upper = Bound::Included(of(ParticipantId::new(u32::MAX)));
        self.now(|state| {
            let found = state.tables().rates.range((lower, upper)).take(count);
            found.map(|(_, record)| told::rate(record, rates::is_fresh(state, record))).collect()
        })
    }

    fn quotes_told(&self, issued: &[QuoteRecord]) -> Vec<QuoteReport> {
        self.now(|state| issued.iter().map(|quote| told::quote(quote, state)).collect())
    }
}

fn reference(state: &State, pair: Pair) -> ReferenceReport {
    let of = |provider| (pair.0, pair.1, provider);
    let range = of(ParticipantId::new(0))..=of(ParticipantId::new(u32::MAX));
    let published: Vec<_> = state.tables().rates.range(range).map(|(_, record)| record).collect();
    let fresh_count = published.iter().filter(|record| rates::is_fresh(state, record)).count();
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let level = state.tables().references.get(&pair);
    let step = level.and_then(|level| level.step);
    let confirm_ms = state.parameters().reference_confirm_ms;
    let report = ReferenceReport {
        currency: currency_code(pair.0),
        payout_currency: currency_code(pair.1),
        height: state.height().get(),
        time_ms: state.time().get(),
        rate: None,
        missing: None,
        fresh_count: count(fresh_count),
        provider_count: count(published.len()),
        rates_min: state.parameters().rates_min,
        confirmed: level.map(|level| rate_text(level.level)),
        waiting: step.map(|step| rate_text(step.level)),
        waiting_until_ms: step.map(|step| step.since.plus(confirm_ms).get()),
    };
    match rates::next_reference(state, pair) {
        Ok(rate) => ReferenceReport { rate: Some(rate_text(rate)), ..report },
        Err(missing) => report.without(missing),
    }
}
