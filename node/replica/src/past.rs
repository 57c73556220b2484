//! The chain's past, as contracts may ask for it: composed of the state, which knows recent
//! orders, and of an archive, which holds blocks and records for ever.

use std::sync::Arc;

use chain_state::{
    History, InstructionRecord, Location, OrderRecord, OrderStatus, PastCollection, PastOrder,
    QuoteRecord, State, WindowRecord,
};
use chain_types::{
    BlockHeader, Height, InstructionId, OrderId, Outcome, QuoteId, RechargeItem, VerifiedBatch,
    WindowId,
};
use zerocopy::FromBytes;

/// An order as it was submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedOrder {
    /// The header of its block.
    pub header: BlockHeader,
    /// The canonical bytes of the order.
    pub item: Vec<u8>,
}

/// The part of the chain that a node keeps. Every answer is a function of the blocks that the
/// replica has handed out in effects of earlier calls of [`crate::Replica::handle`]: an archive
/// that is filled by another thread waits for it to have caught up, and never answers from less.
///
/// What cannot be read is a fault of the node's own. The archive keeps it and answers that there
/// is nothing; whoever drives the replica asks for the fault before carrying out any effect, and
/// stops.
pub trait Archive: Send + Sync {
    /// An order that has left the duplicate window.
    fn order(&self, id: &OrderId) -> Option<OrderRecord>;

    /// The order of a record as it was submitted: reads one item of its batch.
    fn submission(&self, record: &OrderRecord) -> Option<ArchivedOrder>;

    /// The header of a committed block.
    fn header(&self, height: Height) -> Option<BlockHeader>;

    /// Returns the outcome of the item at a place of a committed block.
    fn outcome(&self, at: Location) -> Option<Outcome>;

    /// The last record by which an instruction arrived or was wholly returned, of a block of
    /// `height` or before. It may have bounced since.
    fn instruction(&self, id: &InstructionId, height: Height) -> Option<InstructionRecord>;

    /// A quote as it was issued.
    fn quote(&self, id: QuoteId) -> Option<QuoteRecord>;

    /// The report of a closed window.
    fn window(&self, id: WindowId) -> Option<WindowRecord>;
}

/// An archive that all parts of a node share.
pub type SharedArchive = Arc<dyn Archive>;

/// The past of a state. Blocks are also executed again when the archive knows later ones: what is
/// later than the state is not answered.
pub struct Past<'a> {
    /// The state before the block that asks.
    pub state: &'a State,
    /// Holds every block up to the state's.
    pub archive: &'a dyn Archive,
}

impl History for Past<'_> {
    fn record(&self, id: &OrderId) -> Option<OrderRecord> {
        self.state.order(id).or_else(|| {
            let archived = self.archive.order(id);
            archived.filter(|record| record.status_height <= self.state.height())
        })
    }

    fn collected(&self, record: &OrderRecord) -> Option<PastOrder> {
        if record.status != OrderStatus::Collected {
            return None;
        }
        let ArchivedOrder { header, item } = self.archive.submission(record)?;
        let item = RechargeItem::read_from_bytes(&item).ok()?;
        let submitted = header.time;
        let is_one_step = record.status_height == header.height;
        let collecting =
            if is_one_step { header } else { self.archive.header(record.status_height)? };
        let BlockHeader { height, time, window, .. } = collecting;
        let collection = PastCollection { height, time, window };
        Some(PastOrder { item, submitted, collection })
    }

    fn collection_outcome(&self, record: &OrderRecord) -> Option<Outcome> {
        match record.status_location {
            // The record keeps the outcome of the submission.
            at if at == record.location => Some(record.outcome),
            at => self.archive.outcome(at),
        }
    }

    fn instruction(&self, id: &InstructionId) -> Option<InstructionRecord> {
        // The state knows every instruction that is not long ended, and is asked first: one that
        // bounced is there until it ends again.
        self.archive.instruction(id, self.state.height())
    }

    fn quote(&self, id: QuoteId) -> Option<QuoteRecord> {
        self.archive.quote(id).filter(|quote| quote.issued <= self.state.time())
    }

    fn window(&self, id: WindowId) -> Option<WindowRecord> {
        let report = self.archive.window(id)?;
        let is_past = report.closed.is_some_and(|closed| closed <= self.state.time());
        is_past.then_some(report)
    }
}

/// Returns true if executing these batches may ask for the past.
pub(crate) fn asks_for_past(batches: &[VerifiedBatch]) -> bool {
    batches.iter().any(|batch| batch.kind().reads_the_past())
}
