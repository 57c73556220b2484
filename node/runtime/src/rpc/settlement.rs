//! `settlement_*`.

use std::sync::Arc;

use chain_state::{State, WindowRecord};
use chain_store::{ChainStore as _, InstructionFilter};
use chain_types::{InstructionId, OrderId, ParticipantId, Roles, WindowId};
use jsonrpsee::core::server::PendingSubscriptionSink;
use jsonrpsee::core::{RpcResult, SubscriptionResult, async_trait};
use jsonrpsee::types::Extensions;
use node_home::{contract_reports as told, reports};
use rpc_api::text::one_form;
use rpc_api::{
    ApiError, BreachReport, InstructionReport, Page, ReturnReport, SettlementRpcServer, SlaReport,
    WindowProofReport, WindowReport, api_error, decimal,
};
use rpc_server::{Cost, Feed, Subscriber};

use super::fault::{AnswerFault, Read};
use super::feeds::InstructionsTo;
use super::parameters::{id_of, order_id, page_limit, place_cursor, place_of, read_cursor};
use super::served::ServedNode;
use super::{Api, tables};

#[async_trait]
impl SettlementRpcServer for Api {
    async fn windows(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<WindowReport>> {
        let limit = page_limit(limit)?;
        let before = read_cursor(cursor.as_deref(), |text| decimal(text).map(WindowId::new))?;
        let cursor = |last: &WindowReport| last.window.to_string();
        self.page(limit, move |node, count| node.windows(before, count), cursor).await
    }

    async fn window(&self, window: u64) -> RpcResult<WindowReport> {
        let id = WindowId::new(window);
        self.find(|| format!("window {window}"), move |node| node.window(id)).await
    }

    async fn window_proof(
        &self,
        window: u64,
        lineage_apart: Option<bool>,
    ) -> RpcResult<WindowProofReport> {
        let (id, lineage_apart) = (WindowId::new(window), lineage_apart.unwrap_or_default());
        let found = self.read(Cost::PROOF, move |node| node.window_proof(id, lineage_apart));
        found.await?.ok_or_else(|| self.not_found(&format!("window {window}")))
    }

    async fn instructions(
        &self,
        filter: rpc_api::InstructionSelector,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<InstructionReport>> {
        let limit = page_limit(limit)?;
        let filter = match (filter.window, filter.gateway) {
            (Some(window), None) => InstructionFilter::Window(WindowId::new(window)),
            (None, Some(gateway)) => InstructionFilter::Gateway(ParticipantId::new(gateway)),
            _ => return Err(api_error(ApiError::FilterMalformed, "")),
        };
        let after: Option<InstructionId> = read_cursor(cursor.as_deref(), one_form)?;
        let cursor = |last: &InstructionReport| last.instruction_id.to_string();
        self.page(limit, move |node, count| node.instructions(filter, after, count), cursor).await
    }

    async fn instruction(&self, instruction_id: String) -> RpcResult<InstructionReport> {
        let id: InstructionId = id_of(&instruction_id)?;
        self.find(
            || format!("instruction {id}"),
            move |node| {
                let found = node.settled_store()?.instruction(&id)?;
                Ok(found.as_ref().map(reports::instruction))
            },
        )
        .await
    }

    async fn breaches(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<BreachReport>> {
        let limit = page_limit(limit)?;
        let after = read_cursor(cursor.as_deref(), place_of)?;
        let cursor = |last: &BreachReport| place_cursor(last.height, last.sequence);
        self.page(
            limit,
            move |node, count| {
                let found = node.settled_store()?.breaches(after, count)?;
                Ok(found.iter().map(reports::breach).collect())
            },
            cursor,
        )
        .await
    }

    async fn returns(
        &self,
        order_id: String,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<ReturnReport>> {
        let limit = page_limit(limit)?;
        let id = self::order_id(&order_id)?;
        let after: Option<u16> = read_cursor(cursor.as_deref(), decimal)?;
        let cursor = |last: &ReturnReport| last.sequence.to_string();
        self.page(limit, move |node, count| node.returns(&id, after, count), cursor).await
    }

    /// How well participants keep deadlines, ascending by id. Breaches that are nobody's count for
    /// participant zero, who is told as none.
    async fn sla(&self, cursor: Option<String>, limit: Option<u32>) -> RpcResult<Page<SlaReport>> {
        let limit = page_limit(limit)?;
        let after = read_cursor(cursor.as_deref(), |text| decimal(text).map(ParticipantId::new))?;
        let cursor = |last: &SlaReport| last.participant.unwrap_or_default().to_string();
        self.page(
            limit,
            move |node, count| {
                let reports = node.now(told::sla);
                let found = tables::after(&reports, after.as_ref(), count);
                Ok(found.map(|(_, report)| report.clone()).collect())
            },
            cursor,
        )
        .await
    }

    async fn subscribe_instructions(
        &self,
        pending: PendingSubscriptionSink,
        extensions: &Extensions,
        gateway: u32,
        cursor: Option<String>,
    ) -> SubscriptionResult {
        let subscriber = self.reader.subscriber(pending, extensions);
        let found = self.find_feed(ParticipantId::new(gateway), cursor.as_deref(), &subscriber);
        match found.await {
            Ok((feed, after)) => subscriber.follow(&feed, after).await,
            Err(error) => subscriber.refuse(error).await,
        }
    }
}

impl Api {
    /// A gateway's feed, and the place in it that a cursor names.
    async fn find_feed(
        &self,
        gateway: ParticipantId,
        cursor: Option<&str>,
        subscriber: &Subscriber,
    ) -> RpcResult<(Arc<Feed<InstructionsTo>>, Option<InstructionId>)> {
        let after = read_cursor(cursor, one_form)?;
        let node = self.node.clone();
        let is_gateway = move || Ok::<_, AnswerFault>(node.is_gateway(gateway));
        if !subscriber.read(Cost::CHEAP, is_gateway).await? {
            let detail = format!("(participant {gateway} is no gateway)");
            return Err(api_error(ApiError::NotFound, detail));
        }
        Ok((self.feeds.instructions_to(gateway, subscriber).await?, after))
    }
}

impl ServedNode {
    /// Windows, newest first, the open one among them: from the newest, or from the one before
    /// `before`.
    fn windows(&self, before: Option<WindowId>, count: usize) -> Read<Vec<WindowReport>> {
        let open = self.settled(State::open_window)?;
        let from = before.map_or(open.id, |before| before.min(open.id));
        let stored = self.store().windows(Some(from), count)?;
        let newest = before.is_none_or(|before| open.id < before).then_some(open);
        let windows = newest.iter().chain(&stored).take(count);
        windows.map(|record| self.window_report(record)).collect()
    }

    fn window(&self, id: WindowId) -> Read<Option<WindowReport>> {
        let open = self.settled(State::open_window)?;
        if open.id == id {
            return Ok(Some(reports::window(&open, None, None)));
        }
        let window = self.store().window(id)?;
        window.map(|record| self.window_report(&record)).transpose()
    }

    fn window_report(&self, record: &WindowRecord) -> Read<WindowReport> {
        let settlement = self.store().window_settlement(record.id)?;
        let known = |state: &State| state.tables().proposed_settlements.get(&record.id).copied();
        let proposed = self.settled(known)?;
        Ok(reports::window(record, proposed.as_ref(), settlement.as_ref()))
    }

    fn window_proof(&self, id: WindowId, lineage_apart: bool) -> Read<Option<WindowProofReport>> {
        if self.settled(State::open_window)?.id == id {
            return Err(AnswerFault::window_open(id));
        }
        let Some(proof) = self.orders.window_proof(id, lineage_apart)? else { return Ok(None) };
        let too_large = |error| AnswerFault::too_large(&format!("window {id}"), &error);
        let bytes = proof.encode().map_err(too_large)?;
        Ok(reports::window_proof(id, &proof, &bytes))
    }

    /// Instructions, ascending by id, after `after`. Those of one block appear all at once.
    pub(super) fn instructions(
        &self,
        filter: InstructionFilter,
        after: Option<InstructionId>,
        count: usize,
    ) -> Read<Vec<InstructionReport>> {
        let found = self.settled_store()?.instructions(filter, after, count)?;
        Ok(found.iter().map(reports::instruction).collect())
    }

    /// The last of the instructions that a gateway pays, with one cheap read.
    pub(super) fn last_instruction(&self, gateway: ParticipantId) -> Read<Option<InstructionId>> {
        Ok(self.settled_store()?.last_instruction(gateway)?)
    }

    fn is_gateway(&self, id: ParticipantId) -> bool {
        let roles = self.now(|state| state.participant(id).map(|found| found.roles));
        roles.is_some_and(|roles| roles.any_of(Roles::GATEWAY))
    }

    fn returns(&self, id: &OrderId, after: Option<u16>, count: usize) -> Read<Vec<ReturnReport>> {
        let Some(record) = self.order_record(id)? else { return Ok(Vec::new()) };
        let (item, _) = self.orders.item(record)?;
        let found = self.store().returns(id, after, count)?;
        let pair = (item.currency(), item.payout_currency());
        Ok(found.iter().map(|record| told::returned(record, pair)).collect())
    }
}
