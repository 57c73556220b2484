//! What is read once for all who subscribe to the same: the instructions to one gateway, or the
//! blocks. A feed says where its events end now; subscribers sleep until that place moves past
//! their cursor, and those that then ask for the events after the same cursor share one read.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use chain_types::{Height, InstructionId, ParticipantId};
use jsonrpsee::core::{RpcResult, to_json_raw_value};
use jsonrpsee::types::ErrorObjectOwned;
use rpc_api::{ApiError, ErrorData, InstructionEvent, api_error};
use serde_json::value::RawValue;
use tokio::sync::{OnceCell, watch};

use crate::backend::{Backend, BackendError, InstructionsOf};
use crate::methods::Api;
use crate::reads::{Cost, OWN};

/// Events that are read at once.
const PAGE_EVENTS: u32 = 64;
/// Pages of one feed that are kept for those who ask for the same; of the newest height only.
const PAGES_MAX: usize = 16;
/// When a read is asked for again that was put off, if its error does not say.
const RETRY: Duration = Duration::from_millis(250);

/// What is subscribed to.
pub(crate) trait Topic: Copy + Send + Sync + 'static {
    /// A place among the topic's events; events stand after it.
    type Cursor: Copy + Ord + Send + Sync + std::fmt::Debug + 'static;

    /// The place of the last event, with one cheap read.
    fn end(self, node: &dyn Backend) -> Result<Self::Cursor, BackendError>;

    /// At most [`PAGE_EVENTS`] events after a place, each with its own place.
    fn page(
        self,
        node: &dyn Backend,
        after: Self::Cursor,
    ) -> Result<Vec<Event<Self::Cursor>>, BackendError>;

    /// Why nothing stands after a place before the end, when that ends a subscription.
    fn nothing_after(self, after: Self::Cursor) -> Option<ErrorObjectOwned>;
}

/// An event as it is sent, and its place.
#[derive(Debug)]
pub(crate) struct Event<C> {
    pub(crate) cursor: C,
    pub(crate) json: Box<RawValue>,
}

impl<C> Event<C> {
    fn new(
        cursor: C,
        json: Result<Box<RawValue>, serde_json::Error>,
    ) -> Result<Self, BackendError> {
        Ok(Self { cursor, json: json.map_err(BackendError::fault)? })
    }
}

/// Instructions to a paying gateway, ascending by id; a cursor is the last id received, if any.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InstructionsTo(pub(crate) ParticipantId);

impl Topic for InstructionsTo {
    type Cursor = Option<InstructionId>;

    fn end(self, node: &dyn Backend) -> Result<Self::Cursor, BackendError> {
        node.last_instruction(self.0)
    }

    fn page(
        self,
        node: &dyn Backend,
        after: Self::Cursor,
    ) -> Result<Vec<Event<Self::Cursor>>, BackendError> {
        let found = node.instructions(InstructionsOf::Gateway(self.0), after, PAGE_EVENTS)?;
        let event = |instruction: rpc_api::InstructionReport| {
            let id = instruction.instruction_id;
            let event = InstructionEvent { cursor: id.to_string(), instruction };
            Event::new(Some(id), to_json_raw_value(&event))
        };
        found.into_iter().map(event).collect()
    }

    /// The last instruction was given to another gateway since.
    fn nothing_after(self, _: Self::Cursor) -> Option<ErrorObjectOwned> {
        None
    }
}

/// Decided blocks; a cursor is the height that comes next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blocks;

impl Topic for Blocks {
    type Cursor = Height;

    fn end(self, node: &dyn Backend) -> Result<Self::Cursor, BackendError> {
        Ok(node.doorbell().borrow().next())
    }

    fn page(
        self,
        node: &dyn Backend,
        after: Self::Cursor,
    ) -> Result<Vec<Event<Self::Cursor>>, BackendError> {
        let found = node.blocks(after, PAGE_EVENTS)?;
        // Of a block that is not kept there is none, and nothing after it is sent in its place.
        let kept = (after.0..).zip(found).take_while(|(height, block)| block.height == *height);
        kept.map(|(height, block)| Event::new(Height(height).next(), to_json_raw_value(&block)))
            .collect()
    }

    fn nothing_after(self, next: Self::Cursor) -> Option<ErrorObjectOwned> {
        Some(api_error(ApiError::NotFound, format!("(block {next} is not kept here)")))
    }
}

/// Events of one feed, shared by all who read on from the same place.
type Page<C> = Arc<Vec<Event<C>>>;

/// One topic that somebody is subscribed to.
pub(crate) struct Feed<T: Topic> {
    topic: T,
    /// Where the events end now; an error ends the feed.
    end: watch::Sender<Result<T::Cursor, ErrorObjectOwned>>,
    pages: Mutex<Pages<T::Cursor>>,
}

struct Pages<C> {
    /// What was read before this height is not given to who asks at it.
    height: Height,
    /// The oldest first.
    kept: Vec<(C, Arc<OnceCell<Page<C>>>)>,
}

impl<C: Copy + Ord> Pages<C> {
    /// The page after a place, which may have yet to be read.
    fn cell(&mut self, height: Height, after: C) -> Arc<OnceCell<Page<C>>> {
        if height > self.height {
            self.height = height;
            self.kept.clear();
        }
        if let Some((_, cell)) = self.kept.iter().find(|(place, _)| *place == after) {
            return cell.clone();
        }
        if self.kept.len() == PAGES_MAX {
            self.kept.remove(0);
        }
        let cell = Arc::<OnceCell<Page<C>>>::default();
        self.kept.push((after, cell.clone()));
        cell
    }
}

impl<T: Topic> Feed<T> {
    fn new(topic: T, end: T::Cursor) -> Arc<Self> {
        let pages = Pages { height: Height(0), kept: Vec::new() };
        Arc::new(Self { topic, end: watch::Sender::new(Ok(end)), pages: Mutex::new(pages) })
    }

    /// Where the events end, and each move of that place.
    pub(crate) fn end(&self) -> watch::Receiver<Result<T::Cursor, ErrorObjectOwned>> {
        self.end.subscribe()
    }

    /// The events after a place. The read is that of `caller`, unless somebody else has made it.
    pub(crate) async fn after(
        &self,
        api: &Api,
        caller: IpAddr,
        after: T::Cursor,
    ) -> RpcResult<Page<T::Cursor>> {
        let height = *api.backend.doorbell().borrow();
        let cell = self.pages().cell(height, after);
        let topic = self.topic;
        let read = || async {
            let cost = Cost::page(PAGE_EVENTS);
            let page = patiently(api, caller, cost, move |node| topic.page(node, after)).await?;
            Ok::<_, ErrorObjectOwned>(Arc::new(page))
        };
        cell.get_or_try_init(read).await.cloned()
    }

    /// Why nothing stands after a place before the end, when that ends a subscription.
    pub(crate) fn nothing_after(&self, after: T::Cursor) -> Option<ErrorObjectOwned> {
        self.topic.nothing_after(after)
    }

    fn pages(&self) -> MutexGuard<'_, Pages<T::Cursor>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says where the events of a feed end, whenever the doorbell rings, as long as anybody listens.
async fn follow<T: Topic>(
    api: Api,
    feed: Weak<Feed<T>>,
    topic: T,
    mut doorbell: watch::Receiver<Height>,
) {
    loop {
        tokio::select! {
            () = api.cancel.cancelled() => return,
            rung = doorbell.changed() => if rung.is_err() {
                return;
            },
        }
        if feed.strong_count() == 0 {
            return;
        }
        let end = patiently(&api, OWN, Cost::CHEAP, move |node| topic.end(node)).await;
        let Some(feed) = feed.upgrade() else { return };
        let is_over = end.is_err();
        feed.end.send_if_modified(|known| {
            let is_news = match (&*known, &end) {
                (Ok(known), Ok(end)) => known != end,
                _ => true,
            };
            *known = end;
            is_news
        });
        if is_over {
            return;
        }
    }
}

/// A read for subscriptions: these are bounded in number, so it waits where a call would be put
/// off.
async fn patiently<R: Send + 'static>(
    api: &Api,
    caller: IpAddr,
    cost: Cost,
    read: impl Fn(&dyn Backend) -> Result<R, BackendError> + Clone + Send + 'static,
) -> RpcResult<R> {
    loop {
        api.metrics.read_for_subscriptions();
        match api.read_for(caller, cost, read.clone()).await {
            Err(error) if error.code() == ApiError::NodeBusy.code() => {
                let after_ms = ErrorData::of(&error).and_then(|data| data.retry_after_ms);
                tokio::time::sleep(after_ms.map_or(RETRY, Duration::from_millis)).await;
            }
            other => return other,
        }
    }
}

/// Feeds of instructions by the gateway that pays them.
type ByGateway = BTreeMap<ParticipantId, Weak<Feed<InstructionsTo>>>;

/// The feeds that somebody is subscribed to: one a gateway, and one of blocks.
#[derive(Default)]
pub(crate) struct Feeds {
    instructions: Mutex<ByGateway>,
    blocks: Mutex<Weak<Feed<Blocks>>>,
}

impl Api {
    /// The feed of instructions to a gateway, begun if nobody is subscribed to it yet.
    pub(crate) async fn instructions_to(
        &self,
        gateway: ParticipantId,
        caller: IpAddr,
    ) -> RpcResult<Arc<Feed<InstructionsTo>>> {
        let known = |feeds: &ByGateway| feeds.get(&gateway).and_then(Weak::upgrade);
        if let Some(feed) = known(&lock(&self.feeds.instructions)) {
            return Ok(feed);
        }
        let topic = InstructionsTo(gateway);
        // What comes after this rings.
        let doorbell = self.backend.doorbell();
        let end = self.read_for(caller, Cost::CHEAP, move |node| topic.end(node)).await?;
        let mut feeds = lock(&self.feeds.instructions);
        // Somebody else may have begun it meanwhile.
        if let Some(feed) = known(&feeds) {
            return Ok(feed);
        }
        feeds.retain(|_, feed| feed.strong_count() > 0);
        let feed = Feed::new(topic, end);
        feeds.insert(gateway, Arc::downgrade(&feed));
        tokio::spawn(follow(self.clone(), Arc::downgrade(&feed), topic, doorbell));
        Ok(feed)
    }

    /// The feed of blocks, begun if nobody is subscribed to it yet.
    pub(crate) fn blocks_feed(&self) -> Arc<Feed<Blocks>> {
        let mut known = lock(&self.feeds.blocks);
        if let Some(feed) = known.upgrade() {
            return feed;
        }
        let doorbell = self.backend.doorbell();
        let end = doorbell.borrow().next();
        let feed = Feed::new(Blocks, end);
        *known = Arc::downgrade(&feed);
        tokio::spawn(follow(self.clone(), Arc::downgrade(&feed), Blocks, doorbell));
        feed
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
