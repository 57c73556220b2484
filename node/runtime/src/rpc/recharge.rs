//! `recharge_*`.

use chain_types::OrderId;
use jsonrpsee::core::{RpcResult, async_trait};
use node_home::archive::ReadFault;
use rpc_api::{
    ApiError, OrderReport, OrderState, ReceiptReport, RechargeRpcServer, api_error, encode_base64,
};
use rpc_server::Cost;

use super::Api;
use super::fault::{AnswerFault, Read};
use super::parameters::order_id;
use super::served::ServedNode;

#[async_trait]
impl RechargeRpcServer for Api {
    async fn order(&self, order_id: String) -> RpcResult<OrderReport> {
        let id = self::order_id(&order_id)?;
        // The hops to another thread and back would take longer than most of these reads.
        let report = match self.node.order_at_once(&id)? {
            Some(report) => report,
            None => self.read(Cost::CHEAP, move |node| node.order(&id)).await?,
        };
        self.if_known(report)
    }

    async fn receipt(
        &self,
        order_id: String,
        lineage_apart: Option<bool>,
    ) -> RpcResult<ReceiptReport> {
        let id = self::order_id(&order_id)?;
        let lineage_apart = lineage_apart.unwrap_or_default();
        let found = self.read(Cost::PROOF, move |node| node.receipt(&id, lineage_apart));
        if let Some(receipt) = found.await? {
            return Ok(receipt);
        }
        let report = self.read(Cost::CHEAP, move |node| node.order(&id)).await?;
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

impl ServedNode {
    fn order(&self, id: &OrderId) -> Read<OrderReport> {
        let searched = self.orders.searched(*id)?;
        let record = self.order_record(id)?;
        Ok(self.orders.report(*id, record, searched)?)
    }

    /// [`Self::order`], if it is one of the recent ones and takes some tens of microseconds without
    /// a wait: on the thread that asks. `None` when it may take longer.
    fn order_at_once(&self, id: &OrderId) -> Read<Option<OrderReport>> {
        let (Some(record), height) = self.orders.state.recent_order(id) else { return Ok(None) };
        // A later step is read with the whole of its batch and its block's outcomes.
        if record.status_location != record.location || height > *self.hub.head().borrow() {
            return Ok(None);
        }
        let searched = self.orders.searched(*id)?;
        Ok(Some(self.orders.report(*id, Some(record), searched)?))
    }

    fn receipt(&self, id: &OrderId, lineage_apart: bool) -> Read<Option<ReceiptReport>> {
        let Some(record) = self.order_record(id)? else { return Ok(None) };
        let too_large = |error| AnswerFault::too_large(&format!("order {id}"), &error);
        let receipt = match self.orders.receipt(*id, record, lineage_apart) {
            Ok(receipt) => receipt,
            Err(ReadFault::TooLarge(error)) => return Err(too_large(error)),
            Err(fault) => return Err(fault.into()),
        };
        let bytes = receipt.encode().map_err(too_large)?;
        Ok(Some(ReceiptReport {
            order_id: *id,
            receipt_base64: encode_base64(&bytes),
            proves_collection: receipt.collection.is_some(),
            proves_arrival: receipt.arrival.is_some(),
            return_count: u32::try_from(receipt.returns.len()).unwrap_or(u32::MAX),
        }))
    }
}
