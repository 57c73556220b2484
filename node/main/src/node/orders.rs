//! Reading one order: its status, its stages and its receipt, from the recent orders in memory,
//! the archived ones, and the blocks that hold its operations.

use std::sync::Arc;

use chain_state::{InstructionRecord, InstructionStatus, Location, OrderRecord, OrderStatus};
use chain_store::{ChainStore as _, Store, StoreFault};
use chain_types::batch::{BATCH_HEADER_BYTES, BATCH_PREFIX_BYTES, BatchHeader};
use chain_types::receipt::RECEIPT_MAGIC;
use chain_types::{
    BlockHeader, Height, Inclusion, InstructionId, OrderId, Provable, Receipt, RechargeItem, codec,
};
use node_replica::{SharedState, read_state};
use rpc_api::recharge::OrderContent;
use rpc_api::{ItemLocation, OrderReport, OrderState, Searched, Stages};
use zerocopy::FromBytes as _;

/// Where orders are read.
#[derive(Clone)]
pub struct Orders {
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

/// Why something that an index names could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadFault {
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// An index names what the blocks do not hold.
    #[error("the index names {what} at height {height}, but the block does not hold it")]
    Inconsistent {
        /// What was looked for.
        what: &'static str,
        /// Where.
        height: Height,
    },
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
        let two_steps =
            record.status == OrderStatus::Collected && record.status_location != record.location;
        let collection = two_steps.then(|| self.include(record.status_location)).transpose()?;
        let arrived = found.instruction.and_then(|instruction| match instruction.status {
            InstructionStatus::Arrived { location, .. } => Some(location),
            _ => None,
        });
        Ok(Some(Receipt {
            magic: RECEIPT_MAGIC,
            order: self.include(record.location)?,
            collection,
            arrival: arrived.map(|location| self.include(location)).transpose()?,
        }))
    }

    fn find(&self, record: OrderRecord) -> Result<Found, ReadFault> {
        let Location { height, batch, item } = record.location;
        let inconsistent = |what| ReadFault::Inconsistent { what, height };
        let bytes =
            self.store.batch_bytes(height, batch)?.ok_or_else(|| inconsistent("a batch"))?;
        let header: BatchHeader = bytes
            .get(..BATCH_HEADER_BYTES)
            .and_then(|bytes| codec::decode(bytes, BATCH_HEADER_BYTES).ok())
            .ok_or_else(|| inconsistent("a batch header"))?;
        let start = BATCH_PREFIX_BYTES + item as usize * 128;
        let item = bytes
            .get(start..start + 128)
            .and_then(|bytes| RechargeItem::read_from_bytes(bytes).ok())
            .ok_or_else(|| inconsistent("an order"))?;
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
            InstructionStatus::Arrived { time, .. } | InstructionStatus::Failed { time, .. } => {
                Some(time.0)
            }
        });
        let deadline = found.accepted.time.plus(parameters.deadline_domestic_ms);
        Stages {
            accepted_ms: Some(found.accepted.time.0),
            collected_ms: (status == OrderStatus::Collected).then_some(ended),
            ended_ms: matches!(status, OrderStatus::Voided | OrderStatus::Expired).then_some(ended),
            instructed_ms: found.instruction.map(|instruction| instruction.instructed.0),
            arrived_ms: settled,
            deadline_ms: (status != OrderStatus::Rejected).then_some(deadline.0),
        }
    }

    fn include(&self, location: Location) -> Result<Inclusion, ReadFault> {
        let Location { height, batch, item } = location;
        let inconsistent = |what| ReadFault::Inconsistent { what, height };
        let committed = self.store.block(height)?.ok_or_else(|| inconsistent("a block"))?;
        let outcomes = self.store.outcomes(height)?.ok_or_else(|| inconsistent("outcomes"))?;
        let bytes =
            self.store.batch_bytes(height, batch)?.ok_or_else(|| inconsistent("a batch"))?;
        let provable = Provable {
            block: &committed.block,
            certificate: &committed.certificate,
            outcomes: &outcomes,
        };
        provable.include(batch, &bytes, item).ok_or_else(|| inconsistent("an item"))
    }
}

impl Found {
    fn status(&self) -> OrderState {
        match self.record.status {
            OrderStatus::Rejected => OrderState::Rejected,
            OrderStatus::Reserved => OrderState::Reserved,
            OrderStatus::Voided => OrderState::Voided,
            OrderStatus::Expired => OrderState::Expired,
            OrderStatus::Collected => match self.instruction.map(|record| record.status) {
                None => OrderState::Collected,
                Some(InstructionStatus::Instructed) => OrderState::Instructed,
                Some(InstructionStatus::Arrived { .. }) => OrderState::Arrived,
                Some(InstructionStatus::Failed { .. }) => OrderState::Failed,
            },
        }
    }
}
