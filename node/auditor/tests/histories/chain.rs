//! A chain of one honest proposer, with the past that a node's store would answer for.

use std::collections::BTreeMap;

use chain_state::{
    BreachRecord, Copying, History, InstructionRecord, OrderRecord, OrderRun, OrderStatus,
    PastCollection, PastOrder, QuoteRecord, Record, State, WindowRecord,
};
use chain_types::batch::Items;
use chain_types::{
    BlockHeader, ChainGenesis, Equivocation, InstructionId, OrderId, Outcome, QuoteId, Round,
    TimeMs, VerifiedBatch, WindowId,
};
use contracts::{BlockContext, Executed, execute};

use crate::network::BOUNDS;

/// A block as it stands in the chain.
#[derive(Clone)]
pub struct Decided {
    pub header: BlockHeader,
    pub evidence: Vec<Equivocation>,
    pub batches: Vec<VerifiedBatch>,
    pub outcomes: Vec<Vec<Outcome>>,
}

pub struct Chain {
    pub genesis: ChainGenesis,
    pub state: State,
    pub blocks: Vec<Decided>,
    /// Every instruction as the last block left it.
    pub instructions: BTreeMap<InstructionId, InstructionRecord>,
    pub windows: BTreeMap<WindowId, WindowRecord>,
    /// Every breach, in the order of the chain.
    pub breaches: Vec<BreachRecord>,
    quotes: BTreeMap<QuoteId, QuoteRecord>,
    retired: BTreeMap<OrderId, OrderRecord>,
    /// The copy of the state that is under way.
    pub copying: Option<Copying>,
}

impl Chain {
    pub fn new(genesis: &ChainGenesis) -> Self {
        let header = State::genesis_block(genesis).header;
        let zero =
            Decided { header, evidence: Vec::new(), batches: Vec::new(), outcomes: Vec::new() };
        Self {
            genesis: genesis.clone(),
            state: State::genesis(genesis).with_bounds(BOUNDS),
            blocks: vec![zero],
            instructions: BTreeMap::new(),
            windows: BTreeMap::new(),
            breaches: Vec::new(),
            quotes: BTreeMap::new(),
            retired: BTreeMap::new(),
            copying: None,
        }
    }

    pub fn last(&self) -> &Decided {
        &self.blocks[self.blocks.len() - 1]
    }

    /// Executes a block of `time`. Nothing is applied.
    pub fn execute(
        &self,
        time: TimeMs,
        batches: &[VerifiedBatch],
        evidence: &[Equivocation],
    ) -> Executed {
        execute(&self.state, &context(&self.state, time), batches, evidence, self).unwrap()
    }

    pub fn apply(&mut self, executed: Executed, batches: &[VerifiedBatch]) {
        let Executed { block, outcomes, writes } = executed;
        for record in writes.records() {
            match record {
                Record::Instruction(found) => {
                    drop(self.instructions.insert(found.id, found.clone()))
                }
                Record::Breach(found) => self.breaches.push(*found),
                Record::Quote(found) => drop(self.quotes.insert(found.id, *found)),
                Record::Window(found) => drop(self.windows.insert(found.id, found.clone())),
                _ => {}
            }
        }
        let retired = self.state.apply_beside(writes, self.copying.as_mut());
        self.retired.extend(retired.runs.iter().flat_map(OrderRun::sorted));
        let (header, evidence, batches) = (block.header, block.evidence, batches.to_vec());
        self.blocks.push(Decided { header, evidence, batches, outcomes });
    }

    pub fn record(&self, id: &OrderId) -> Option<OrderRecord> {
        self.state.order(id).or_else(|| self.retired.get(id).copied())
    }

    /// The collection of an order, if it was collected.
    pub fn collection(&self, id: &OrderId) -> Option<PastCollection> {
        Some(self.collected(&self.record(id)?)?.collection)
    }

    pub fn status(&self, id: &OrderId) -> Option<OrderStatus> {
        self.record(id).map(|record| record.status)
    }
}

/// The next block of `state`, at `time`.
pub fn context(state: &State, time: TimeMs) -> BlockContext {
    let proposer = state.validators().as_slice()[0].id;
    BlockContext {
        height: state.height().next(),
        round: Round::new(0),
        parent_round: Round::new(0),
        proposer,
        time,
    }
}

impl History for Chain {
    fn record(&self, id: &OrderId) -> Option<OrderRecord> {
        Self::record(self, id)
    }

    fn collected(&self, record: &OrderRecord) -> Option<PastOrder> {
        let OrderRecord { location, status, status_location: step, .. } = *record;
        let block = |height: u64| &self.blocks[usize::try_from(height).unwrap()];
        let item = match block(location.height.get()).batches[location.batch as usize].items() {
            Items::Recharge(items) => items[location.item as usize],
            _ => panic!("no order stands at {location:?}"),
        };
        let BlockHeader { height, time, window, .. } = block(step.height.get()).header;
        let submitted = block(location.height.get()).header.time;
        let collection = PastCollection { height, time, window };
        let past = PastOrder { item, submitted, collection };
        (status == OrderStatus::Collected).then_some(past)
    }

    fn collection_outcome(&self, record: &OrderRecord) -> Option<Outcome> {
        let step = record.status_location;
        let block = &self.blocks[usize::try_from(step.height.get()).unwrap()];
        Some(block.outcomes[step.batch as usize][step.item as usize])
    }

    fn instruction(&self, id: &InstructionId) -> Option<InstructionRecord> {
        self.instructions.get(id).cloned()
    }

    fn quote(&self, id: QuoteId) -> Option<QuoteRecord> {
        self.quotes.get(&id).copied()
    }

    fn window(&self, id: WindowId) -> Option<WindowRecord> {
        self.windows.get(&id).cloned()
    }
}
