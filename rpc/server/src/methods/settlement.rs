//! `settlement_*`.

use chain_types::{InstructionId, ParticipantId, WindowId};
use jsonrpsee::core::server::PendingSubscriptionSink;
use jsonrpsee::core::{RpcResult, SubscriptionResult, async_trait};
use jsonrpsee::types::Extensions;
use rpc_api::text::one_form;
use rpc_api::{
    ApiError, BreachReport, InstructionFilter, InstructionReport, Page, ReturnReport,
    SettlementRpcServer, SlaReport, WindowProofReport, WindowReport, api_error, decimal,
};

use super::{Api, id_of, page_limit, place_cursor, place_of, read_cursor};
use crate::backend::InstructionsOf;
use crate::reads::Cost;

#[async_trait]
impl SettlementRpcServer for Api {
    async fn windows(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<WindowReport>> {
        let limit = page_limit(limit)?;
        let before = read_cursor(cursor.as_deref(), |text| decimal(text).map(WindowId))?;
        let items = self.read_page(limit, move |node| node.windows(before, limit + 1)).await?;
        Ok(Page::of(items, limit, |last| last.window.to_string()))
    }

    async fn window(&self, window: u64) -> RpcResult<WindowReport> {
        let found = self.read(move |node| node.window(WindowId(window))).await?;
        found.ok_or_else(|| self.not_found(&format!("window {window}")))
    }

    async fn window_proof(
        &self,
        window: u64,
        lineage_apart: Option<bool>,
    ) -> RpcResult<WindowProofReport> {
        let (id, lineage_apart) = (WindowId(window), lineage_apart.unwrap_or_default());
        let found =
            self.read_at(Cost::PROOF, move |node| node.window_proof(id, lineage_apart)).await?;
        found.ok_or_else(|| self.not_found(&format!("window {window}")))
    }

    async fn instructions(
        &self,
        filter: InstructionFilter,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<InstructionReport>> {
        let limit = page_limit(limit)?;
        let of = match (filter.window, filter.gateway) {
            (Some(window), None) => InstructionsOf::Window(WindowId(window)),
            (None, Some(gateway)) => InstructionsOf::Gateway(ParticipantId(gateway)),
            _ => return Err(api_error(ApiError::FilterMalformed, "")),
        };
        let after: Option<InstructionId> = read_cursor(cursor.as_deref(), one_form)?;
        let items =
            self.read_page(limit, move |node| node.instructions(of, after, limit + 1)).await?;
        Ok(Page::of(items, limit, |last| last.instruction_id.to_string()))
    }

    async fn instruction(&self, instruction_id: String) -> RpcResult<InstructionReport> {
        let id: InstructionId = id_of(&instruction_id)?;
        let found = self.read(move |node| node.instruction(&id)).await?;
        found.ok_or_else(|| self.not_found(&format!("instruction {id}")))
    }

    async fn breaches(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<BreachReport>> {
        let limit = page_limit(limit)?;
        let after = read_cursor(cursor.as_deref(), place_of)?;
        let items = self.read_page(limit, move |node| node.breaches(after, limit + 1)).await?;
        Ok(Page::of(items, limit, |last| place_cursor(last.height, last.sequence)))
    }

    async fn returns(
        &self,
        order_id: String,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> RpcResult<Page<ReturnReport>> {
        let limit = page_limit(limit)?;
        let id = super::order_id(&order_id)?;
        let after: Option<u16> = read_cursor(cursor.as_deref(), decimal)?;
        let items = self.read_page(limit, move |node| node.returns(&id, after, limit + 1)).await?;
        Ok(Page::of(items, limit, |last| last.sequence.to_string()))
    }

    async fn sla(&self, cursor: Option<String>, limit: Option<u32>) -> RpcResult<Page<SlaReport>> {
        let limit = page_limit(limit)?;
        let after = read_cursor(cursor.as_deref(), |text| decimal(text).map(ParticipantId))?;
        let items = self.read_page(limit, move |node| node.sla(after, limit + 1)).await?;
        Ok(Page::of(items, limit, |last| last.participant.unwrap_or_default().to_string()))
    }

    async fn subscribe_instructions(
        &self,
        pending: PendingSubscriptionSink,
        extensions: &Extensions,
        gateway: u32,
        cursor: Option<String>,
    ) -> SubscriptionResult {
        let gateway = ParticipantId(gateway);
        self.send_instructions(pending, extensions, gateway, cursor.as_deref()).await
    }
}
