//! The port through which contracts ask of the past beyond the working set: a function of the chain
//! up to the block before, answered alike on every node, whatever its store has cached or indexed
//! yet.

use chain_types::{
    Height, InstructionId, OrderId, Outcome, QuoteId, RechargeItem, TimeMs, WindowId,
};

use crate::records::{InstructionRecord, OrderRecord, QuoteRecord, WindowRecord};

/// The chain's past. What a contract asks first costs nothing: a record is one row of an index.
pub trait History {
    /// An order's record as the block before left it, wherever it stands in the chain. Reads no
    /// block.
    fn record(&self, id: &OrderId) -> Option<OrderRecord>;

    /// The collected order of such a record, and its collection: reads one item, and headers.
    /// Nothing, if it was not collected.
    fn collected(&self, record: &OrderRecord) -> Option<PastOrder>;

    /// The outcome of the operation that collected the order of such a record; cashback is read
    /// from it. Reads the outcomes of a block, unless the submission was the collection.
    fn collection_outcome(&self, record: &OrderRecord) -> Option<Outcome>;

    /// An instruction as the block before left it.
    fn instruction(&self, id: &InstructionId) -> Option<InstructionRecord>;

    /// A quote as it was issued.
    fn quote(&self, id: QuoteId) -> Option<QuoteRecord>;

    /// The report of a window that the block before, or one before that, closed.
    fn window(&self, id: WindowId) -> Option<WindowRecord>;
}

/// A past order that was collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastOrder {
    /// The order as submitted.
    pub item: RechargeItem,
    /// Block time of its submission.
    pub submitted: TimeMs,
    /// The collection of the order.
    pub collection: PastCollection,
}

/// The operation that collected a past order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastCollection {
    /// The height of its block.
    pub height: Height,
    /// The time of its block.
    pub time: TimeMs,
    /// The window to which it belongs.
    pub window: WindowId,
}

/// The past of a chain that has none, for states in which nothing was collected yet.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHistory;

impl History for NoHistory {
    fn record(&self, _id: &OrderId) -> Option<OrderRecord> {
        None
    }

    fn collected(&self, _record: &OrderRecord) -> Option<PastOrder> {
        None
    }

    fn collection_outcome(&self, _record: &OrderRecord) -> Option<Outcome> {
        None
    }

    fn instruction(&self, _id: &InstructionId) -> Option<InstructionRecord> {
        None
    }

    fn quote(&self, _id: QuoteId) -> Option<QuoteRecord> {
        None
    }

    fn window(&self, _id: WindowId) -> Option<WindowRecord> {
        None
    }
}
