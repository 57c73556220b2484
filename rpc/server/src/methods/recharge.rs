//! `recharge_*`.

use jsonrpsee::core::{RpcResult, async_trait};
use rpc_api::{ApiError, OrderReport, OrderState, ReceiptReport, RechargeRpcServer, api_error};

use super::Api;
use crate::backend::BackendError;
use crate::reads::Cost;

#[async_trait]
impl RechargeRpcServer for Api {
    async fn order(&self, order_id: String) -> RpcResult<OrderReport> {
        let id = super::order_id(&order_id)?;
        // The hops to another thread and back would take longer than most of these reads.
        match self.backend.order_at_once(&id).map_err(BackendError::into_error)? {
            Some(report) => self.if_known(report),
            None => {
                let report = self.read(move |node| node.order(&id)).await?;
                self.if_known(report)
            }
        }
    }

    async fn receipt(
        &self,
        order_id: String,
        lineage_apart: Option<bool>,
    ) -> RpcResult<ReceiptReport> {
        let id = super::order_id(&order_id)?;
        let lineage_apart = lineage_apart.unwrap_or_default();
        let found = self.read_at(Cost::PROOF, move |node| node.receipt(&id, lineage_apart));
        if let Some(receipt) = found.await? {
            return Ok(receipt);
        }
        let report = self.read(move |node| node.order(&id)).await?;
        let searched = self.if_known(report)?.searched;
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

impl Api {
    /// The report, unless it says that an order was not found where others may have it. Once the
    /// head's time is past the order's validity, no later block can hold it.
    fn if_known(&self, report: OrderReport) -> RpcResult<OrderReport> {
        if report.status != OrderState::NotFound || !report.searched.may_still_commit {
            return Ok(report);
        }
        let what = format!("order {}", report.order_id);
        self.cannot_know(&what).map_or(Ok(report), Err)
    }
}
