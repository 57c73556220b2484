//! A copy of the chain on which something is tried: it goes on from the last block, and the chain
//! itself never hears of it.

use std::collections::BTreeMap;

use chain_state::{
    History, InstructionRecord, OrderRecord, OrderStatus, PastCollection, PastOrder, QuoteRecord,
    Record, State, WindowRecord,
};
use chain_types::batch::Items;
use chain_types::{InstructionId, OrderId, Outcome, QuoteId, TimeMs, VerifiedBatch, WindowId};
use contracts::execute;

use crate::chain::{Chain, Decided, context};
use crate::purse::{Returns, returns_of};

/// A copy of the chain, with the blocks that it has beyond it.
#[derive(Clone)]
pub struct Fork<'a> {
    base: &'a Chain,
    pub state: State,
    blocks: Vec<Decided>,
    instructions: BTreeMap<InstructionId, InstructionRecord>,
    windows: BTreeMap<WindowId, WindowRecord>,
    quotes: BTreeMap<QuoteId, QuoteRecord>,
    /// The returns of the last block.
    pub returns: Returns,
}

impl<'a> Fork<'a> {
    pub fn new(base: &'a Chain) -> Self {
        Self {
            base,
            state: base.state.clone(),
            blocks: Vec::new(),
            instructions: BTreeMap::new(),
            windows: BTreeMap::new(),
            quotes: BTreeMap::new(),
            returns: Returns::new(),
        }
    }

    /// The next block of the copy; the outcomes of all items.
    pub fn block(&mut self, time: TimeMs, batches: Vec<VerifiedBatch>) -> Vec<Outcome> {
        let context = context(&self.state, time);
        let executed = execute(&self.state, &context, &batches, &[], self).unwrap();
        for record in executed.writes.records() {
            match record {
                Record::Instruction(found) => {
                    drop(self.instructions.insert(found.id, found.clone()));
                }
                Record::Quote(found) => drop(self.quotes.insert(found.id, *found)),
                Record::Window(found) => drop(self.windows.insert(found.id, found.clone())),
                _ => {}
            }
        }
        self.returns = returns_of(executed.writes.records());
        // Orders of the copy are young: none leaves the state before the copy is thrown away.
        self.state.apply(executed.writes);
        let outcomes = executed.outcomes.concat();
        let (header, outcomes_each) = (executed.block.header, executed.outcomes);
        let evidence = Vec::new();
        self.blocks.push(Decided { header, evidence, batches, outcomes: outcomes_each });
        outcomes
    }

    pub fn time(&self) -> TimeMs {
        self.state.time()
    }

    /// Returns the outcomes of these batches in the next block, at `time`. Nothing changes.
    pub fn outcomes(&self, time: TimeMs, batches: &[VerifiedBatch]) -> Vec<Outcome> {
        let context = context(&self.state, time);
        let executed = execute(&self.state, &context, batches, &[], self).unwrap();
        executed.outcomes.concat()
    }

    pub fn instruction_now(&self, id: &InstructionId) -> Option<InstructionRecord> {
        History::instruction(self, id)
    }

    /// An order that was collected.
    pub fn collection(&self, id: &OrderId) -> Option<PastOrder> {
        self.collected(&History::record(self, id)?)
    }

    /// The report of a closed window.
    pub fn report(&self, id: WindowId) -> Option<WindowRecord> {
        History::window(self, id)
    }

    fn at(&self, height: u64) -> &Decided {
        let at = usize::try_from(height).unwrap();
        let known = self.base.blocks.len();
        if at < known { &self.base.blocks[at] } else { &self.blocks[at - known] }
    }
}

impl History for Fork<'_> {
    fn record(&self, id: &OrderId) -> Option<OrderRecord> {
        self.state.order(id).or_else(|| self.base.record(id))
    }

    fn collected(&self, record: &OrderRecord) -> Option<PastOrder> {
        let (location, step) = (record.location, record.status_location);
        let item = match self.at(location.height.get()).batches[location.batch as usize].items() {
            Items::Recharge(items) => items[location.item as usize],
            _ => panic!("no order stands at {location:?}"),
        };
        let header = &self.at(step.height.get()).header;
        let (height, time, window) = (header.height, header.time, header.window);
        let submitted = self.at(location.height.get()).header.time;
        let collection = PastCollection { height, time, window };
        let past = PastOrder { item, submitted, collection };
        (record.status == OrderStatus::Collected).then_some(past)
    }

    fn collection_outcome(&self, record: &OrderRecord) -> Option<Outcome> {
        let step = record.status_location;
        Some(self.at(step.height.get()).outcomes[step.batch as usize][step.item as usize])
    }

    fn instruction(&self, id: &InstructionId) -> Option<InstructionRecord> {
        self.instructions.get(id).cloned().or_else(|| self.base.instruction(id))
    }

    fn quote(&self, id: QuoteId) -> Option<QuoteRecord> {
        self.quotes.get(&id).copied().or_else(|| self.base.quote(id))
    }

    fn window(&self, id: WindowId) -> Option<WindowRecord> {
        self.windows.get(&id).cloned().or_else(|| self.base.window(id))
    }
}
