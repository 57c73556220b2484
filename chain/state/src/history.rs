//! What contracts may ask of the past beyond the working set: a function of the chain up to the
//! block before, answered alike on every node, whatever its store has cached or indexed yet.

use chain_types::{
    Height, InstructionId, OrderId, Outcome, QuoteId, RechargeItem, TimeMs, WindowId,
};

use crate::records::{InstructionRecord, OrderStatus, QuoteRecord, WindowRecord};

/// The chain's past.
pub trait History {
    /// An order as the block before left it, wherever it stands in the chain.
    fn order(&self, id: &OrderId) -> Option<PastOrder>;

    /// An instruction as the block before left it.
    fn instruction(&self, id: &InstructionId) -> Option<InstructionRecord>;

    /// A quote as it was issued.
    fn quote(&self, id: QuoteId) -> Option<QuoteRecord>;

    /// The report of a window that the block before, or one before that, closed.
    fn window(&self, id: WindowId) -> Option<WindowRecord>;
}

/// A past order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastOrder {
    /// The order as submitted.
    pub item: RechargeItem,
    /// How far it has come.
    pub status: OrderStatus,
    /// Its collection, when its status is collected.
    pub collection: Option<PastCollection>,
}

/// The operation that collected a past order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastCollection {
    /// Block time of the order's submission.
    pub submitted: TimeMs,
    /// What that operation came to; cashback is read from it.
    pub outcome: Outcome,
    /// Its block.
    pub height: Height,
    /// Block time.
    pub time: TimeMs,
    /// The window to which it belongs.
    pub window: WindowId,
}

/// The past of a chain that has none, for states in which nothing was collected yet.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHistory;

impl History for NoHistory {
    fn order(&self, _id: &OrderId) -> Option<PastOrder> {
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
