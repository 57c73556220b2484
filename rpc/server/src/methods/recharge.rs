//! `recharge_*`.

use jsonrpsee::core::{RpcResult, async_trait};
use rpc_api::{ApiError, OrderReport, ReceiptReport, RechargeRpcServer, api_error};

use super::Api;
use crate::backend::BackendError;

#[async_trait]
impl RechargeRpcServer for Api {
    async fn order(&self, order_id: String) -> RpcResult<OrderReport> {
        let id = super::order_id(&order_id)?;
        // The hops to another thread and back would take longer than most of these reads.
        match self.backend.order_at_once(&id).map_err(BackendError::into_error)? {
            Some(report) => Ok(report),
            None => self.read(move |node| node.order(&id)).await,
        }
    }

    async fn receipt(&self, order_id: String) -> RpcResult<ReceiptReport> {
        let id = super::order_id(&order_id)?;
        if let Some(receipt) = self.read(move |node| node.receipt(&id)).await? {
            return Ok(receipt);
        }
        let searched = self.read(move |node| node.order(&id)).await?.searched;
        let detail = format!(
            "(order {id}; searched heights {} to {}; it may commit until block time {}, {})",
            searched.from_height,
            searched.to_height,
            searched.may_commit_until_ms,
            if searched.may_still_commit { "which has not come" } else { "which has passed" },
        );
        Err(api_error(ApiError::NotFound, detail))
    }
}
