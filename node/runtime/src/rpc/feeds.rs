//! The feeds that clients subscribe to: the instructions to one gateway, and the blocks.

use std::sync::Arc;

use chain_store::InstructionFilter;
use chain_types::{Height, InstructionId, ParticipantId};
use jsonrpsee::core::RpcResult;
use jsonrpsee::types::ErrorObjectOwned;
use rpc_api::{ApiError, InstructionEvent, api_error};
use rpc_server::{Cost, Feed, FeedEvent, Feeds, Reader, Subscriber, Topic};

use super::served::ServedNode;

/// Instructions to a paying gateway, ascending by id; a cursor is the last id received, if any.
#[derive(Clone)]
pub struct InstructionsTo {
    node: Arc<ServedNode>,
    gateway: ParticipantId,
}

impl Topic for InstructionsTo {
    type Cursor = Option<InstructionId>;

    fn end(&self) -> RpcResult<Self::Cursor> {
        Ok(self.node.last_instruction(self.gateway)?)
    }

    fn page(&self, after: Self::Cursor, count: u32) -> RpcResult<Vec<FeedEvent<Self::Cursor>>> {
        let filter = InstructionFilter::Gateway(self.gateway);
        let found = self.node.instructions(filter, after, count as usize)?;
        let event = |instruction: rpc_api::InstructionReport| {
            let id = instruction.instruction_id;
            FeedEvent::new(Some(id), &InstructionEvent { cursor: id.to_string(), instruction })
        };
        found.into_iter().map(event).collect()
    }

    /// The last instruction was given to another gateway since.
    fn nothing_after(&self, _: Self::Cursor) -> Option<ErrorObjectOwned> {
        None
    }
}

/// Decided blocks; a cursor is the height that comes next.
#[derive(Clone)]
pub struct BlockTopic {
    node: Arc<ServedNode>,
}

impl Topic for BlockTopic {
    type Cursor = Height;

    fn end(&self) -> RpcResult<Self::Cursor> {
        Ok(self.node.hub.head().borrow().next())
    }

    fn page(&self, after: Self::Cursor, count: u32) -> RpcResult<Vec<FeedEvent<Self::Cursor>>> {
        let found = self.node.blocks(after, count)?;
        // Of a block that is not kept there is none, and nothing after it is sent in its place.
        let kept = (after.get()..).zip(found).take_while(|(height, block)| block.height == *height);
        kept.map(|(height, block)| FeedEvent::new(Height::new(height).next(), &block)).collect()
    }

    fn nothing_after(&self, next: Self::Cursor) -> Option<ErrorObjectOwned> {
        Some(api_error(ApiError::NotFound, format!("(block {next} is not kept here)")))
    }
}

/// The feeds that somebody is subscribed to.
pub struct NodeFeeds {
    node: Arc<ServedNode>,
    instructions: Feeds<ParticipantId, InstructionsTo>,
    blocks: Feeds<(), BlockTopic>,
}

impl NodeFeeds {
    /// Makes the feeds of a node, none of them begun.
    pub fn new(node: Arc<ServedNode>, reader: &Reader) -> Self {
        Self { node, instructions: Feeds::new(reader), blocks: Feeds::new(reader) }
    }

    /// The feed of instructions to a gateway.
    pub(super) async fn instructions_to(
        &self,
        gateway: ParticipantId,
        subscriber: &Subscriber,
    ) -> RpcResult<Arc<Feed<InstructionsTo>>> {
        if let Some(feed) = self.instructions.get(&gateway) {
            return Ok(feed);
        }
        let topic = InstructionsTo { node: self.node.clone(), gateway };
        // What comes after this rings.
        let head = self.node.hub.head();
        let asked = topic.clone();
        let end = subscriber.read(Cost::CHEAP, move || asked.end()).await?;
        Ok(self.instructions.begin(gateway, topic, end, head))
    }

    /// The feed of blocks.
    pub(super) fn blocks(&self) -> Arc<Feed<BlockTopic>> {
        self.blocks.get(&()).unwrap_or_else(|| {
            let head = self.node.hub.head();
            let end = head.borrow().next();
            self.blocks.begin((), BlockTopic { node: self.node.clone() }, end, head)
        })
    }
}
