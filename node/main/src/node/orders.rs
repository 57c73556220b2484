//! Reading one order: its status, its stages and its receipt, from the recent orders in memory,
//! the archived ones, and the blocks that hold its operations.

use std::sync::Arc;

use chain_state::{InstructionRecord, InstructionStatus, Location, OrderRecord, OrderStatus};
use chain_store::{ChainStore as _, Store, StoreFault};
use chain_types::batch::BatchHeader;
use chain_types::{
    BlockHeader, ChainGenesis, Height, InstructionId, OrderId, Receipt, RechargeItem,
};
use node_replica::{SharedState, read_state};
use rpc_api::recharge::OrderContent;
use rpc_api::{ItemLocation, OrderReport, OrderState, Searched, Stages};
use zerocopy::FromBytes as _;

use super::archive::{ReadFault, item_of};

/// Where orders are read.
#[derive(Clone)]
pub struct Orders {
    /// The chain.
    pub genesis: Arc<ChainGenesis>,
    /// The committed state.
    pub state: SharedState,
    /// Blocks and indexes, at least as far as the state was when the read began.
    pub store: Arc<Store>,
}

/// An order with the blocks that matter to it.
struct Found {
    record: OrderRecord,
    item: RechargeItem,
    batch: BatchHeader,
    accepted: BlockHeader,
    /// The block that gave it its status.
    ended: BlockHeader,
    instruction: Option<InstructionRecord>,
}

impl Orders {
    /// What the search of an order covers, as of the committed state.
    pub fn searched(&self, id: OrderId) -> Searched {
        let state = read_state(&self.state);
        let until = id.time().plus(state.parameters().order_validity_ms);
        Searched {
            from_height: 1,
            to_height: state.height().0,
            to_time_ms: state.time().0,
            may_commit_until_ms: until.0,
            may_still_commit: state.time() <= until,
        }
    }

    /// The record of an order: `recent` if it was in memory, else the archived one. The store must
    /// be as far as the state in which it was not.
    fn record(
        &self,
        id: OrderId,
        recent: Option<OrderRecord>,
    ) -> Result<Option<OrderRecord>, StoreFault> {
        match recent {
            Some(record) => Ok(Some(record)),
            None => self.store.archived_order(&id),
        }
    }

    /// What is known of an order.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn report(
        &self,
        id: OrderId,
        recent: Option<OrderRecord>,
        searched: Searched,
    ) -> Result<OrderReport, ReadFault> {
        let Some(record) = self.record(id, recent)? else {
            return Ok(OrderReport::not_found(id, searched));
        };
        let found = self.find(record)?;
        let status = found.status();
        let paying =
            read_state(&self.state).merchant(found.item.merchant()).map(|m| m.payout_gateway);
        let moved = record.status_location != record.location;
        Ok(OrderReport {
            order_id: id,
            status,
            searched,
            stages: self.stages(&found),
            rejection: record.outcome.rejection().map(Into::into),
            location: Some(self.location(record.location)?),
            status_location: moved.then(|| self.location(record.status_location)).transpose()?,
            order: Some(OrderContent::new(&found.item, found.batch.submitter, paying)),
            instruction_id: found.instruction.map(|instruction| instruction.id),
        })
    }

    /// An order's receipt; `None` when the order is not known.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn receipt(
        &self,
        id: OrderId,
        recent: Option<OrderRecord>,
    ) -> Result<Option<Receipt>, ReadFault> {
        let Some(record) = self.record(id, recent)? else { return Ok(None) };
        let found = self.find(record)?;
        let Found { record, item, instruction, .. } = &found;
        self.make_receipt(id, record, item, instruction.as_ref()).map(Some)
    }

    fn find(&self, record: OrderRecord) -> Result<Found, ReadFault> {
        let Location { height, batch, item } = record.location;
        let inconsistent = |what| ReadFault::Inconsistent { what, height };
        let bytes =
            self.store.batch_bytes(height, batch)?.ok_or_else(|| inconsistent("a batch"))?;
        let (header, item) =
            item_of(&bytes, item).ok_or_else(|| inconsistent("an order's batch"))?;
        let item = RechargeItem::read_from_bytes(item).map_err(|_| inconsistent("an order"))?;
        let accepted = self.header(height)?;
        let ended = self.header(record.status_height)?;
        let instruction = match record.status {
            OrderStatus::Collected => self.instruction(&item, &ended)?,
            _ => None,
        };
        Ok(Found { record, item, batch: header, accepted, ended, instruction })
    }

    fn instruction(
        &self,
        item: &RechargeItem,
        collected: &BlockHeader,
    ) -> Result<Option<InstructionRecord>, StoreFault> {
        let id = InstructionId {
            window: collected.window,
            merchant: item.merchant(),
            currency: item.payout_currency(),
        };
        self.store.instruction(&id)
    }

    fn header(&self, height: Height) -> Result<BlockHeader, ReadFault> {
        let committed = self.store.block(height)?;
        let committed = committed.ok_or(ReadFault::Inconsistent { what: "a block", height })?;
        Ok(committed.block.header)
    }

    fn location(&self, location: Location) -> Result<ItemLocation, ReadFault> {
        let Location { height, batch, item } = location;
        let committed = self.store.block(height)?;
        let batch_id = committed
            .and_then(|committed| committed.block.batches.get(batch as usize).copied())
            .ok_or(ReadFault::Inconsistent { what: "a batch id", height })?;
        Ok(ItemLocation { height: height.0, batch_index: batch, item_index: item, batch_id })
    }

    fn stages(&self, found: &Found) -> Stages {
        let parameters = read_state(&self.state).parameters().clone();
        let ended = found.ended.time.0;
        let status = found.record.status;
        let settled = found.instruction.and_then(|instruction| match instruction.status {
            InstructionStatus::Instructed => None,
            InstructionStatus::Arrived { time, .. }
            | InstructionStatus::Failed { time, .. }
            | InstructionStatus::Returned { time, .. } => Some(time.0),
        });
        let is_converted = found.item.payout_currency() != found.item.currency();
        let allowed_ms = if is_converted {
            parameters.deadline_cross_border_ms
        } else {
            parameters.deadline_domestic_ms
        };
        let deadline = found.accepted.time.plus(allowed_ms);
        let has_ended =
            matches!(status, OrderStatus::Voided | OrderStatus::Expired | OrderStatus::Refused);
        Stages {
            accepted_ms: Some(found.accepted.time.0),
            collected_ms: (status == OrderStatus::Collected).then_some(ended),
            ended_ms: has_ended.then_some(ended),
            instructed_ms: found.instruction.map(|instruction| instruction.instructed.0),
            arrived_ms: settled,
            deadline_ms: (status != OrderStatus::Rejected).then_some(deadline.0),
        }
    }
}

impl Found {
    fn status(&self) -> OrderState {
        match self.record.status {
            OrderStatus::Rejected => OrderState::Rejected,
            OrderStatus::Reserved => OrderState::Reserved,
            OrderStatus::Voided => OrderState::Voided,
            OrderStatus::Expired => OrderState::Expired,
            OrderStatus::Held => OrderState::Held,
            OrderStatus::Refused => OrderState::Refused,
            OrderStatus::Collected => match self.instruction.map(|record| record.status) {
                None => OrderState::Collected,
                Some(InstructionStatus::Instructed) => OrderState::Instructed,
                Some(InstructionStatus::Arrived { .. }) => OrderState::Arrived,
                Some(InstructionStatus::Failed { .. }) => OrderState::Failed,
                Some(InstructionStatus::Returned { .. }) => OrderState::Returned,
            },
        }
    }
}
