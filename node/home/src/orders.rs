//! Reading one order: its status, its stages and its receipt, from the recent orders in memory,
//! the archived ones, and the blocks that hold its operations.

use std::sync::Arc;

use chain_state::{InstructionRecord, InstructionStatus, Location, OrderRecord, OrderStatus};
use chain_store::{ChainStore as _, PAGE_ITEMS_MAX, Store, StoreFault, SubmittedOrder};
use chain_types::batch::BatchHeader;
use chain_types::{
    BatchId, BlockHeader, ChainGenesis, Handovers, Height, InstructionId, Lineage, OrderId,
    Receipt, RechargeItem, TimeMs,
};
use node_replica::SharedState;
use rpc_api::recharge::{OrderContent, RETURNS_LISTED_MAX};
use rpc_api::{
    CashbackReport, ConversionReport, ItemLocation, Money, OrderReport, OrderState, ReturnedReport,
    Searched, Stages, rate_text,
};
use zerocopy::FromBytes as _;

use crate::archive::{self, ReadFault};
use crate::contract_reports as told;
use crate::lineages::Lineages;

/// The sources from which orders are read.
#[derive(Clone)]
pub struct Orders {
    /// The genesis of the chain.
    pub genesis: Arc<ChainGenesis>,
    /// The committed state, shared with the driver.
    pub state: SharedState,
    /// Blocks and indexes, at least as far as the state was when the read began.
    pub store: Arc<Store>,
    /// The changes of validators, as far as anybody asked.
    pub lineages: Arc<Lineages>,
}

/// An order with the blocks that matter to it.
struct Found {
    record: OrderRecord,
    item: RechargeItem,
    batch: BatchHeader,
    batch_id: BatchId,
    accepted: BlockHeader,
    /// The block that gave it its status.
    ended: BlockHeader,
    instruction: Option<InstructionRecord>,
}

impl Orders {
    /// Returns the range that a search of an order covers at least if it begins now.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn searched(&self, id: OrderId) -> Result<Searched, ReadFault> {
        // The store's head: the state may be a block further.
        let head = self.store.head().unwrap_or_default();
        let (height, time) = self.state.head();
        let time = if head == height { time } else { self.time_of(head)? };
        let until = id.time().plus(self.state.rules().parameters().order_validity_ms);
        Ok(Searched {
            from_height: 1,
            to_height: head.get(),
            to_time_ms: time.get(),
            may_commit_until_ms: until.get(),
            may_still_commit: time <= until,
        })
    }

    /// An order's record, recent or archived; beside it the height that the store must have before
    /// the rest of the order is read, or before it is said that the order is nowhere. One that
    /// left long ago does not wait for what is leaving now.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn record(&self, id: &OrderId) -> Result<(Option<OrderRecord>, Height), StoreFault> {
        let (recent, height) = self.state.recent_order(id);
        if recent.is_some() {
            return Ok((recent, height));
        }
        let archived = self.store.archived_order(id)?;
        Ok((archived, if archived.is_some() { Height::new(0) } else { height }))
    }

    /// Returns the report of an order.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn report(
        &self,
        id: OrderId,
        record: Option<OrderRecord>,
        searched: Searched,
    ) -> Result<OrderReport, ReadFault> {
        let Some(record) = record else {
            return Ok(OrderReport::not_found(id, searched));
        };
        let found = self.find(record)?;
        let returned = self.returned(id, &found)?;
        let is_returned = returned.as_ref().is_some_and(|returned| returned.left.minor == 0);
        let status = if is_returned { OrderState::Returned } else { found.status() };
        let merchant = self.state.merchant(found.item.merchant());
        let paying = merchant.map(|merchant| merchant.payout_gateway);
        let moved = record.status_location != record.location;
        Ok(OrderReport {
            order_id: id,
            status,
            searched,
            stages: Stages {
                reversible_until_ms: self.reversible_until_ms(&found)?,
                ..self.stages(&found)
            },
            rejection: record.outcome.rejection().map(Into::into),
            location: Some(located(record.location, found.batch_id)),
            status_location: moved.then(|| self.location(record.status_location)).transpose()?,
            order: Some(OrderContent::new(&found.item, found.batch.submitter, paying)),
            instruction_id: found.instruction.as_ref().map(|instruction| instruction.id),
            conversion: self.conversion(&found)?,
            cashback: self.cashback(&found)?,
            returned,
        })
    }

    /// An order as it was submitted, and how far it has come.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn item(&self, record: OrderRecord) -> Result<(RechargeItem, OrderStatus), ReadFault> {
        Ok((self.find(record)?.item, record.status))
    }

    /// How an order in the books is converted, if it is.
    fn conversion(&self, found: &Found) -> Result<Option<ConversionReport>, ReadFault> {
        let is_booked = !matches!(
            found.record.status,
            OrderStatus::Rejected | OrderStatus::Held | OrderStatus::Refused
        );
        let Some(id) = found.item.quote().filter(|_| is_booked) else { return Ok(None) };
        let Some(quote) = self.store.quote(id)? else { return Ok(None) };
        let conversion = contracts::fx::conversion(&quote, found.item.amount());
        Ok(conversion.map(|conversion| ConversionReport {
            quote_id: id.get(),
            provider: id.provider().get(),
            rate: rate_text(quote.rate),
            payout: Money::new(conversion.payout, conversion.payout_currency),
        }))
    }

    /// Returns the cashback that the order's collection granted or was refused.
    fn cashback(&self, found: &Found) -> Result<Option<CashbackReport>, ReadFault> {
        let Found { record, item, .. } = found;
        if record.status != OrderStatus::Collected {
            return Ok(None);
        }
        let (height, outcome) = if record.status_location == record.location {
            (record.location.height, record.outcome)
        } else {
            let collected = archive::item(&self.store, record.status_location)?;
            (collected.header.height, collected.outcome)
        };
        let programme = self.state.programme(item.merchant(), item.currency());
        let programme_at = |height| programme.as_ref()?.at(height).cloned();
        let granted = contracts::cashback::granted(programme_at, item, outcome, height);
        Ok(CashbackReport::new(outcome, Money::new(granted, item.currency())))
    }

    /// Returns the sum of an order's returns; `None` if nothing was sent back.
    fn returned(&self, id: OrderId, found: &Found) -> Result<Option<ReturnedReport>, ReadFault> {
        let item = &found.item;
        let pair = (item.currency(), item.payout_currency());
        let mut listed = Vec::new();
        let (mut sum, mut after) = (0_i128, None);
        loop {
            let page = self.store.returns(&id, after, PAGE_ITEMS_MAX)?;
            sum += page.iter().map(|back| i128::from(back.amount.get())).sum::<i128>();
            let room = RETURNS_LISTED_MAX.saturating_sub(listed.len());
            listed.extend(page.iter().take(room).map(|back| told::returned(back, pair)));
            after = page.last().map(|back| back.sequence);
            if page.len() < PAGE_ITEMS_MAX {
                break;
            }
        }
        let left = i128::from(item.amount().get()) - sum;
        Ok((sum > 0).then(|| ReturnedReport {
            amount: Money::sum(sum, pair.0),
            left: Money::sum(left, pair.0),
            returns: listed,
        }))
    }

    /// An order's receipt, with its lineage or without.
    ///
    /// # Errors
    /// When the store cannot be read, or its returns alone are more than anyone reads.
    pub fn receipt(
        &self,
        id: OrderId,
        record: OrderRecord,
        lineage_apart: bool,
    ) -> Result<Receipt, ReadFault> {
        let found = self.find(record)?;
        let Found { record, item, instruction, .. } = &found;
        let mut receipt = self.make_receipt(id, record, item, instruction.as_ref())?;
        if !lineage_apart {
            receipt.lineage = self.lineage(receipt.heights())?;
        }
        Ok(receipt)
    }

    /// The changes of validators that lead to the blocks of these heights, committed ones.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn lineage(&self, heights: impl Iterator<Item = Height>) -> Result<Lineage, ReadFault> {
        let heights: Vec<Height> = heights.collect();
        let last = heights.iter().copied().max().unwrap_or_default();
        let make = |handovers: &Handovers| handovers.lineage(heights);
        self.lineages.read(&self.store, &self.genesis, last, make)
    }

    fn find(&self, record: OrderRecord) -> Result<Found, ReadFault> {
        let height = record.location.height;
        let inconsistent = || ReadFault::Inconsistent { what: "an order", height };
        let submitted = self.store.submitted_order(&record)?.ok_or_else(inconsistent)?;
        let SubmittedOrder { item, batch, batch_id, block: accepted } = submitted;
        let item = RechargeItem::read_from_bytes(&item).map_err(|_| inconsistent())?;
        let is_first = record.status_height == height;
        let ended = if is_first { accepted.clone() } else { self.header(record.status_height)? };
        let instruction = match record.status {
            OrderStatus::Collected => self.instruction(&item, &ended)?,
            _ => None,
        };
        Ok(Found { record, item, batch, batch_id, accepted, ended, instruction })
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

    fn time_of(&self, height: Height) -> Result<TimeMs, ReadFault> {
        let is_first = height == Height::new(0);
        if is_first { Ok(self.genesis.time) } else { Ok(self.header(height)?.time) }
    }

    fn header(&self, height: Height) -> Result<BlockHeader, ReadFault> {
        let committed = self.store.block(height)?;
        let committed = committed.ok_or(ReadFault::Inconsistent { what: "a block", height })?;
        Ok(committed.block.header)
    }

    fn location(&self, location: Location) -> Result<ItemLocation, ReadFault> {
        let Location { height, batch, .. } = location;
        let committed = self.store.block(height)?;
        let batch_id = committed
            .and_then(|committed| committed.block.batches.get(batch as usize).copied())
            .ok_or(ReadFault::Inconsistent { what: "a batch id", height })?;
        Ok(located(location, batch_id))
    }

    /// Until when the collecting gateway may take an order back alone: as long as its window is
    /// open, within the grace that was in force in the block of the collection.
    fn reversible_until_ms(&self, found: &Found) -> Result<Option<u64>, StoreFault> {
        if found.record.status != OrderStatus::Collected || found.instruction.is_some() {
            return Ok(None);
        }
        let registry = self.store.registry_at(found.ended.height)?;
        let parameters = registry.as_ref().map_or(&self.genesis.parameters, |of| &of.parameters);
        let grace_ms = parameters.reversal_grace_ms;
        Ok((grace_ms > 0).then(|| found.ended.time.plus(grace_ms).get()))
    }

    fn stages(&self, found: &Found) -> Stages {
        let rules = self.state.rules();
        let parameters = rules.parameters();
        let ended = found.ended.time.get();
        let status = found.record.status;
        let settled = found.instruction.as_ref().and_then(|instruction| match instruction.status {
            // Sent back before it was paid: nothing arrived, and each return has its own time.
            InstructionStatus::Instructed | InstructionStatus::Returned { .. } => None,
            InstructionStatus::Arrived { time, .. } | InstructionStatus::Failed { time, .. } => {
                Some(time.get())
            }
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
            accepted_ms: Some(found.accepted.time.get()),
            debiting_ms: (status == OrderStatus::Debiting).then_some(ended),
            collected_ms: (status == OrderStatus::Collected).then_some(ended),
            reversible_until_ms: None,
            ended_ms: has_ended.then_some(ended),
            instructed_ms: found
                .instruction
                .as_ref()
                .map(|instruction| instruction.instructed.get()),
            arrived_ms: settled,
            deadline_ms: (status != OrderStatus::Rejected).then_some(deadline.get()),
        }
    }
}

fn located(location: Location, batch_id: BatchId) -> ItemLocation {
    let Location { height, batch, item } = location;
    ItemLocation { height: height.get(), batch_index: batch, item_index: item, batch_id }
}

impl Found {
    fn status(&self) -> OrderState {
        match self.record.status {
            OrderStatus::Rejected => OrderState::Rejected,
            OrderStatus::Reserved => OrderState::Reserved,
            OrderStatus::Debiting => OrderState::Debiting,
            OrderStatus::Voided => OrderState::Voided,
            OrderStatus::Expired => OrderState::Expired,
            OrderStatus::Held => OrderState::Held,
            OrderStatus::Refused => OrderState::Refused,
            OrderStatus::Collected => match self.instruction.as_ref().map(|record| record.status) {
                None => OrderState::Collected,
                Some(InstructionStatus::Instructed) => OrderState::Instructed,
                Some(InstructionStatus::Arrived { .. }) => OrderState::Arrived,
                Some(InstructionStatus::Failed { .. }) => OrderState::Failed,
                Some(InstructionStatus::Returned { .. }) => OrderState::Returned,
            },
        }
    }
}
