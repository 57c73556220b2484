//! Going through blocks, and seeing what moved merchants' and gateways' money.

use std::collections::BTreeMap;

use chain_state::{Location, OrderRecord, ReturnRecord, State};
use chain_store::ChainStore;
use chain_types::batch::{BATCH_HEADER_BYTES, BATCH_PREFIX_BYTES, BatchHeader};
use chain_types::{
    Amount, ArrivalItem, BatchKind, BlockHeader, BounceItem, CollectItem, Currency, Decision,
    FailureItem, Height, HoldDecisionItem, InstructionId, OrderId, Outcome, ParticipantId,
    RechargeItem, ReinstructItem, ReturnItem, StepInItem, codec,
};
use zerocopy::FromBytes;

use super::{Cause, StatementFault};

/// Something that moved money, in the order of the chain.
pub(crate) struct Event {
    pub(crate) at: At,
    pub(crate) what: What,
}

/// The place and the time of an event.
#[derive(Clone, Copy)]
pub(crate) struct At {
    pub(crate) cause: Cause,
    pub(crate) time_ms: u64,
}

pub(crate) enum What {
    /// An order was collected, with what the merchant is to be paid and the cashback granted.
    Collected { item: RechargeItem, payout: Amount, cashback: Amount },
    /// An instruction's money arrived.
    Arrived { instruction: InstructionId, amount: Amount },
    /// An instruction could not be paid.
    Failed { instruction: InstructionId },
    /// An instruction's money came back.
    Bounced { instruction: InstructionId },
    /// An agent said that an instruction's gateway is absent: alone, or as the second.
    SteppedIn {
        instruction: InstructionId,
        agent: ParticipantId,
        /// The agent's legal entity, as it is now.
        house: String,
        attempt: u16,
        reason: u16,
    },
    /// A failed instruction was given again.
    Reinstructed { instruction: InstructionId },
    /// Money of an order went back.
    Returned { order: RechargeItem, record: ReturnRecord },
}

impl What {
    /// The instruction that a word is about.
    pub(crate) fn instruction(&self) -> Option<InstructionId> {
        match self {
            Self::Arrived { instruction, .. }
            | Self::Failed { instruction }
            | Self::Bounced { instruction }
            | Self::SteppedIn { instruction, .. }
            | Self::Reinstructed { instruction } => Some(*instruction),
            Self::Collected { .. } | Self::Returned { .. } => None,
        }
    }
}

/// A home's blocks and the state after the last of them.
pub(crate) struct Walk<'a> {
    store: &'a dyn ChainStore,
    state: &'a State,
    /// Orders submitted on the way that may still be collected, by id, hence by age.
    recent: BTreeMap<OrderId, RechargeItem>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(store: &'a dyn ChainStore, state: &'a State) -> Self {
        Self { store, state, recent: BTreeMap::new() }
    }

    /// Goes through the blocks from `first` up to before `end`.
    pub(crate) fn each(
        &mut self,
        first: Height,
        end: Height,
        mut see: impl FnMut(Event) -> Result<(), StatementFault>,
    ) -> Result<(), StatementFault> {
        for height in (first.get().max(1)..end.get()).map(Height::new) {
            for event in self.block(height)? {
                see(event)?;
            }
        }
        Ok(())
    }

    /// Returns the events of one block.
    pub(crate) fn block(&mut self, height: Height) -> Result<Vec<Event>, StatementFault> {
        let missing = |what| StatementFault::Missing { what, height };
        let header = self.store.block(height)?.ok_or_else(|| missing("a block"))?.block.header;
        let payload = self.store.payload(height)?.ok_or_else(|| missing("batches"))?;
        let outcomes = self.store.outcomes(height)?.ok_or_else(|| missing("outcomes"))?;
        self.forget_before(&header);
        let mut events = Vec::new();
        for ((batch, bytes), codes) in (0_u32..).zip(&payload).zip(&outcomes) {
            let (of, items) = items_of(bytes).ok_or_else(|| missing("a batch"))?;
            for ((item, bytes), outcome) in (0_u32..).zip(items).zip(codes) {
                let location = Location { height, batch, item };
                if let Some(what) = self.item(&of, bytes, *outcome, &header, location)? {
                    events.push(Event { at: At::new(&header, location), what });
                }
            }
        }
        Ok(events)
    }

    fn item(
        &mut self,
        batch: &BatchHeader,
        bytes: &[u8],
        outcome: Outcome,
        header: &BlockHeader,
        location: Location,
    ) -> Result<Option<What>, StatementFault> {
        let height = header.height;
        if outcome == Outcome::HELD {
            let item: RechargeItem = read(bytes, height)?;
            self.recent.insert(item.order_id(), item);
        }
        if !outcome.is_applied() {
            return Ok(None);
        }
        Ok(match BatchKind::from_number(batch.kind) {
            Some(BatchKind::Recharge) => {
                let item: RechargeItem = read(bytes, height)?;
                self.entered(item, outcome, height)?
            }
            Some(BatchKind::HoldDecision) => {
                let word: HoldDecisionItem = read(bytes, height)?;
                if word.decision.get() == Decision::Approve.number() {
                    let item = self.order(&word.order_id(), location)?;
                    self.entered(item, outcome, height)?
                } else {
                    None
                }
            }
            Some(BatchKind::Collect) => {
                let word: CollectItem = read(bytes, height)?;
                let item = match self.recent.remove(&word.order_id()) {
                    Some(item) => item,
                    None => self.order(&word.order_id(), location)?,
                };
                Some(self.collected(item, outcome, height)?)
            }
            Some(BatchKind::Arrival) => {
                let word: ArrivalItem = read(bytes, height)?;
                let amount = Amount::new(word.amount.get());
                Some(What::Arrived { instruction: word.instruction(), amount })
            }
            Some(BatchKind::Failure) => {
                let word: FailureItem = read(bytes, height)?;
                Some(What::Failed { instruction: word.instruction() })
            }
            Some(BatchKind::Bounce) => {
                let word: BounceItem = read(bytes, height)?;
                Some(What::Bounced { instruction: word.instruction() })
            }
            Some(BatchKind::StepIn) => {
                let word: StepInItem = read(bytes, height)?;
                let (instruction, agent) = (word.instruction(), batch.submitter);
                let (attempt, reason) = (word.attempt.get(), word.reason.get());
                let house = self.state.participant(agent).map(|found| found.legal_entity.clone());
                let house = house.unwrap_or_default();
                Some(What::SteppedIn { instruction, agent, house, attempt, reason })
            }
            Some(BatchKind::Reinstruct) => {
                let word: ReinstructItem = read(bytes, height)?;
                Some(What::Reinstructed { instruction: word.instruction() })
            }
            Some(BatchKind::Return) => {
                let word: ReturnItem = read(bytes, height)?;
                Some(self.returned(&word, location)?)
            }
            _ => None,
        })
    }

    /// An order that entered the books: collected at once, or reserved.
    fn entered(
        &mut self,
        item: RechargeItem,
        outcome: Outcome,
        height: Height,
    ) -> Result<Option<What>, StatementFault> {
        if item.is_collected() {
            return self.collected(item, outcome, height).map(Some);
        }
        self.recent.insert(item.order_id(), item);
        Ok(None)
    }

    fn collected(
        &self,
        item: RechargeItem,
        outcome: Outcome,
        height: Height,
    ) -> Result<What, StatementFault> {
        let programmes = &self.state.tables().programmes;
        let programme =
            |height| programmes.get(&(item.merchant(), item.currency()))?.at(height).cloned();
        let cashback = contracts::cashback::granted(programme, &item, outcome, height);
        Ok(What::Collected { item, payout: self.payout(&item, height)?, cashback })
    }

    fn payout(&self, item: &RechargeItem, height: Height) -> Result<Amount, StatementFault> {
        let missing = StatementFault::Missing { what: "a quote", height };
        let Some(id) = item.quote() else { return Ok(item.amount()) };
        let quote = self.store.quote(id)?;
        let converted = quote.and_then(|quote| contracts::fx::conversion(&quote, item.amount()));
        converted.map(|conversion| conversion.payout).ok_or(missing)
    }

    fn returned(&self, word: &ReturnItem, location: Location) -> Result<What, StatementFault> {
        let id = word.order_id();
        let sequence = word.sequence.get();
        let found = self.store.returns(&id, sequence.checked_sub(1), 1)?;
        let missing = StatementFault::Missing { what: "a return", height: location.height };
        let record = found.into_iter().find(|record| record.location == location).ok_or(missing)?;
        Ok(What::Returned { order: self.order(&id, location)?, record })
    }

    /// An order as it was submitted, wherever it stands.
    fn order(&self, id: &OrderId, named_at: Location) -> Result<RechargeItem, StatementFault> {
        if let Some(item) = self.recent.get(id) {
            return Ok(*item);
        }
        let missing = StatementFault::Missing { what: "an order", height: named_at.height };
        let record: Option<OrderRecord> = match self.state.order(id) {
            Some(record) => Some(record),
            None => self.store.archived_order(id)?,
        };
        let Some(Location { height, batch, item }) = record.map(|record| record.location) else {
            return Err(missing);
        };
        let bytes = self.store.batch_bytes(height, batch)?;
        let submitted = bytes.as_deref().and_then(items_of);
        let submitted = submitted.and_then(|(_, mut items)| items.nth(item as usize));
        submitted.map_or(Err(missing), |bytes| read(bytes, height))
    }

    /// Orders whose validity is over are not collected any more.
    fn forget_before(&mut self, header: &BlockHeader) {
        let validity_ms = self.state.parameters().order_validity_ms;
        while let Some(first) = self.recent.first_entry() {
            if first.key().time().plus(validity_ms) >= header.time {
                return;
            }
            first.remove();
        }
    }
}

impl At {
    fn new(header: &BlockHeader, location: Location) -> Self {
        let Location { height, batch, item } = location;
        let cause =
            Cause { height: height.get(), batch_index: Some(batch), item_index: Some(item) };
        Self { cause, time_ms: header.time.get() }
    }
}

/// The header of a batch, and the bytes of its items.
pub(crate) fn items_of(bytes: &[u8]) -> Option<(BatchHeader, impl Iterator<Item = &[u8]>)> {
    let header: BatchHeader =
        codec::decode(bytes.get(..BATCH_HEADER_BYTES)?, BATCH_HEADER_BYTES).ok()?;
    let size = BatchKind::from_number(header.kind)?.item_bytes();
    Some((header, bytes.get(BATCH_PREFIX_BYTES..)?.chunks_exact(size)))
}

pub(crate) fn read<T: FromBytes>(bytes: &[u8], height: Height) -> Result<T, StatementFault> {
    T::read_from_bytes(bytes).map_err(|_| StatementFault::Missing { what: "an item", height })
}

/// The pair of currencies of an order: collected, paid out.
pub(crate) fn pair(item: &RechargeItem) -> (Currency, Currency) {
    (item.currency(), item.payout_currency())
}
