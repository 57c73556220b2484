//! Feeds: events that are read once for all who subscribe to the same topic. A feed says where its
//! events end now; subscribers sleep until that place moves past their cursor, and those that then
//! ask for the events after the same cursor share one read.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use chain_types::Height;
use jsonrpsee::core::{RpcResult, to_json_raw_value};
use jsonrpsee::types::ErrorObjectOwned;
use rpc_api::{ApiError, ErrorData};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::{OnceCell, watch};

use crate::cost::Cost;
use crate::reader::{Reader, internal_fault};
use crate::reads::OWN;

/// Events that are read at once.
const PAGE_EVENTS: u32 = 64;
/// Pages of one feed that are kept for those who ask for the same; of the newest height only.
const PAGES_MAX: usize = 16;
/// The time until a refused read is asked for again, if its error does not say.
const RETRY: Duration = Duration::from_millis(250);

/// The subject of subscriptions. Its methods may read from disk, each a cheap read or a page.
pub trait Topic: Clone + Send + Sync + 'static {
    /// A place among the topic's events; events stand after it.
    type Cursor: Copy + Ord + Send + Sync + std::fmt::Debug + 'static;

    /// The place of the last event, with one cheap read.
    ///
    /// # Errors
    /// What ends the subscriptions to this topic.
    fn end(&self) -> RpcResult<Self::Cursor>;

    /// Returns at most `count` events after a place, each with its own place.
    ///
    /// # Errors
    /// The error that ends the subscription that asks.
    fn page(&self, after: Self::Cursor, count: u32) -> RpcResult<Vec<FeedEvent<Self::Cursor>>>;

    /// Why nothing stands after a place before the end, when that ends a subscription.
    fn nothing_after(&self, after: Self::Cursor) -> Option<ErrorObjectOwned>;
}

/// An event as it is sent, and its place.
#[derive(Debug)]
pub struct FeedEvent<C> {
    pub(crate) cursor: C,
    pub(crate) json: Box<RawValue>,
}

impl<C> FeedEvent<C> {
    /// An event at a place.
    ///
    /// # Errors
    /// [`ApiError::InternalFault`] when it has no JSON.
    pub fn new(cursor: C, event: &impl Serialize) -> RpcResult<Self> {
        let json = to_json_raw_value(event).map_err(|error| internal_fault(&error))?;
        Ok(Self { cursor, json })
    }
}

/// Events of one feed, shared by all who read on from the same place.
type Page<C> = Arc<Vec<FeedEvent<C>>>;

/// One topic that somebody is subscribed to.
pub struct Feed<T: Topic> {
    topic: T,
    /// The present end of the events; an error ends the feed.
    end: watch::Sender<Result<T::Cursor, ErrorObjectOwned>>,
    head: watch::Receiver<Height>,
    pages: Mutex<Pages<T::Cursor>>,
}

struct Pages<C> {
    /// The height of the read: a page of an earlier one is not given to a later caller.
    height: Height,
    /// At most `PAGES_MAX` pages by the place before each, the oldest first.
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
    /// The end of the events, and each move of it.
    pub(crate) fn end(&self) -> watch::Receiver<Result<T::Cursor, ErrorObjectOwned>> {
        self.end.subscribe()
    }

    /// The events after a place. The read is that of `caller`, unless somebody else has made it.
    pub(crate) async fn after(
        &self,
        reader: &Reader,
        caller: IpAddr,
        after: T::Cursor,
    ) -> RpcResult<Page<T::Cursor>> {
        let height = *self.head.borrow();
        let cell = lock(&self.pages).cell(height, after);
        let read = || async {
            let topic = self.topic.clone();
            let page = move || topic.page(after, PAGE_EVENTS);
            let page = patiently(reader, caller, Cost::page(PAGE_EVENTS), page).await?;
            Ok::<_, ErrorObjectOwned>(Arc::new(page))
        };
        cell.get_or_try_init(read).await.cloned()
    }

    /// Why nothing stands after a place before the end, when that ends a subscription.
    pub(crate) fn nothing_after(&self, after: T::Cursor) -> Option<ErrorObjectOwned> {
        self.topic.nothing_after(after)
    }
}

/// Says where the events of a feed end, at each height, as long as anybody listens.
async fn keep_end<T: Topic>(
    reader: Reader,
    feed: Weak<Feed<T>>,
    topic: T,
    mut head: watch::Receiver<Height>,
) {
    loop {
        tokio::select! {
            () = reader.cancel.cancelled() => return,
            rung = head.changed() => if rung.is_err() {
                return;
            },
        }
        if feed.strong_count() == 0 {
            return;
        }
        let topic = topic.clone();
        let end = patiently(&reader, OWN, Cost::CHEAP, move || topic.end()).await;
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
    reader: &Reader,
    caller: IpAddr,
    cost: Cost,
    read: impl Fn() -> RpcResult<R> + Clone + Send + 'static,
) -> RpcResult<R> {
    loop {
        reader.metrics.read_for_subscriptions();
        match reader.read_for(caller, cost, read.clone()).await {
            Err(error) if error.code() == ApiError::NodeBusy.code() => {
                let after_ms = ErrorData::of(&error).and_then(|data| data.retry_after_ms);
                tokio::time::sleep(after_ms.map_or(RETRY, Duration::from_millis)).await;
            }
            other => return other,
        }
    }
}

/// The feeds of one kind that somebody is subscribed to, by name.
pub struct Feeds<N, T: Topic> {
    reader: Reader,
    known: Mutex<BTreeMap<N, Weak<Feed<T>>>>,
}

impl<N: Ord, T: Topic> Feeds<N, T> {
    /// Makes feeds, none of them begun.
    pub fn new(reader: &Reader) -> Self {
        Self { reader: reader.clone(), known: Mutex::default() }
    }

    /// The feed of a name, if anybody is subscribed to it.
    pub fn get(&self, name: &N) -> Option<Arc<Feed<T>>> {
        lock(&self.known).get(name).and_then(Weak::upgrade)
    }

    /// The feed of a name, begun unless somebody else has begun it: its events end at `end`, and
    /// move after each height. `head` must be subscribed to before `end` is read.
    pub fn begin(
        &self,
        name: N,
        topic: T,
        end: T::Cursor,
        head: watch::Receiver<Height>,
    ) -> Arc<Feed<T>> {
        let mut feeds = lock(&self.known);
        if let Some(feed) = feeds.get(&name).and_then(Weak::upgrade) {
            return feed;
        }
        feeds.retain(|_, feed| feed.strong_count() > 0);
        let feed = Arc::new(Feed {
            topic: topic.clone(),
            end: watch::Sender::new(Ok(end)),
            head: head.clone(),
            pages: Mutex::new(Pages { height: Height::new(0), kept: Vec::new() }),
        });
        feeds.insert(name, Arc::downgrade(&feed));
        tokio::spawn(keep_end(self.reader.clone(), Arc::downgrade(&feed), topic, head));
        feed
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
