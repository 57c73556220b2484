//! The part of the chain that a simulated node keeps for contracts to ask: on its disk, so it
//! outlives crashes and is lost with the disk.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use chain_state::{
    InstructionRecord, Location, OrderRecord, OrderRun, QuoteRecord, Record, Retired, WindowRecord,
};
use chain_types::{
    BlockHeader, ExecutedBlock, Height, InstructionId, OrderId, Outcome, QuoteId, WindowId,
};
use node_replica::{Archive, ArchivedOrder};

/// The archive of one simulated node.
#[derive(Debug, Clone, Default)]
pub struct Shelf(Arc<RwLock<Books>>);

#[derive(Debug, Clone, Default)]
struct Books {
    blocks: BTreeMap<Height, ExecutedBlock>,
    orders: BTreeMap<OrderId, OrderRecord>,
    /// As each block left those that it ended.
    instructions: BTreeMap<(InstructionId, Height), InstructionRecord>,
    quotes: BTreeMap<QuoteId, QuoteRecord>,
    windows: BTreeMap<WindowId, WindowRecord>,
}

impl Shelf {
    /// Keeps what a commit hands out.
    pub fn keep(&self, staged: &ExecutedBlock, records: &[Record], retired: &Retired) {
        let mut books = self.0.write().unwrap_or_else(PoisonError::into_inner);
        books.blocks.insert(staged.block.header.height, staged.clone());
        books.orders.extend(retired.runs.iter().flat_map(OrderRun::sorted));
        for record in records {
            match record {
                Record::Instruction(record) => {
                    if let Some(height) = record.ended_at() {
                        books.instructions.insert((record.id, height), record.clone());
                    }
                }
                Record::Quote(record) => {
                    books.quotes.insert(record.id, *record);
                }
                Record::Window(record) => {
                    books.windows.insert(record.id, record.clone());
                }
                _ => {}
            }
        }
    }

    /// A copy that goes its own way.
    pub fn copied(&self) -> Self {
        Self(Arc::new(RwLock::new(self.read(Books::clone))))
    }

    fn read<T>(&self, read: impl FnOnce(&Books) -> T) -> T {
        read(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Archive for Shelf {
    fn order(&self, id: &OrderId) -> Option<OrderRecord> {
        self.read(|books| books.orders.get(id).copied())
    }

    fn submission(&self, record: &OrderRecord) -> Option<ArchivedOrder> {
        let at = record.location;
        self.read(|books| {
            let kept = books.blocks.get(&at.height)?;
            let item = kept.batches.get(at.batch as usize)?.item_bytes(at.item)?.to_vec();
            Some(ArchivedOrder { header: kept.block.header.clone(), item })
        })
    }

    fn header(&self, height: Height) -> Option<BlockHeader> {
        self.read(|books| Some(books.blocks.get(&height)?.block.header.clone()))
    }

    fn outcome(&self, at: Location) -> Option<Outcome> {
        self.read(|books| {
            let outcomes = &books.blocks.get(&at.height)?.outcomes;
            outcomes.get(at.batch as usize)?.get(at.item as usize).copied()
        })
    }

    fn instruction(&self, id: &InstructionId, height: Height) -> Option<InstructionRecord> {
        let range = (*id, Height::new(0))..=(*id, height);
        self.read(|books| {
            books.instructions.range(range).next_back().map(|(_, record)| record.clone())
        })
    }

    fn quote(&self, id: QuoteId) -> Option<QuoteRecord> {
        self.read(|books| books.quotes.get(&id).copied())
    }

    fn window(&self, id: WindowId) -> Option<WindowRecord> {
        self.read(|books| books.windows.get(&id).cloned())
    }
}
