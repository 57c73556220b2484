//! Subscriptions. The store is the truth: each subscriber has a cursor of its own and reads on from
//! it, as fast or slowly as it likes, so that nothing is skipped and nothing piles up. It sleeps
//! while its feed has nothing after its cursor, and shares each read with whoever stands where it
//! does (see [`crate::feed`]).

use std::net::IpAddr;
use std::sync::Arc;

use jsonrpsee::core::server::{PendingSubscriptionSink, SubscriptionSink};
use jsonrpsee::core::{RpcResult, SubscriptionError, SubscriptionResult};
use jsonrpsee::types::{ErrorObjectOwned, Extensions};
use serde_json::value::RawValue;

use crate::budget::subscriber;
use crate::connection::Caller;
use crate::cost::Cost;
use crate::feed::{Feed, Topic};
use crate::metrics::Open;
use crate::reader::Reader;
use crate::reads::OWN;

/// Somebody who asks for a subscription, for which the transport has found room.
pub struct Subscriber {
    pending: PendingSubscriptionSink,
    reader: Reader,
    caller: IpAddr,
}

impl Reader {
    /// The subscriber of a call.
    pub fn subscriber(
        &self,
        pending: PendingSubscriptionSink,
        extensions: &Extensions,
    ) -> Subscriber {
        let caller = extensions.get::<Arc<Caller>>();
        let caller = caller.map_or(OWN, |caller| subscriber(caller.address));
        Subscriber { pending, reader: self.clone(), caller }
    }
}

impl Subscriber {
    /// Makes a read in the subscriber's turn: what it subscribes to, and whether it may.
    ///
    /// # Errors
    /// The read's own, and `node-busy` when too many reads of its class wait.
    pub async fn read<T, E>(
        &self,
        cost: Cost,
        read: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> RpcResult<T>
    where
        T: Send + 'static,
        E: Into<ErrorObjectOwned>,
    {
        self.reader.read_for(self.caller, cost, read).await
    }

    /// Refuses the subscription.
    ///
    /// # Errors
    /// None.
    pub async fn refuse(self, error: ErrorObjectOwned) -> SubscriptionResult {
        self.pending.reject(error).await;
        Ok(())
    }

    /// Accepts the subscription, and sends what a feed has after a place for as long as there are
    /// feed and subscriber. The feed must be there before: nothing rings unheard.
    ///
    /// # Errors
    /// Why the feed has nothing more to give.
    pub async fn follow<T: Topic>(self, feed: &Feed<T>, after: T::Cursor) -> SubscriptionResult {
        let Self { pending, reader, caller } = self;
        let Ok(sink) = pending.accept().await else { return Ok(()) };
        let open = reader.metrics.open_subscription();
        let running = Running { sink, reader, caller, _open: open };
        match running.send_feed(feed, after).await {
            End::Gone => Ok(()),
            End::Failed(error) => Err(SubscriptionError::from(error.message())),
        }
    }
}

/// A subscription in progress.
struct Running {
    sink: SubscriptionSink,
    reader: Reader,
    caller: IpAddr,
    _open: Open,
}

/// Why a subscription ended.
enum End {
    /// The subscriber or the server has gone.
    Gone,
    /// There is nothing more to give.
    Failed(ErrorObjectOwned),
}

impl From<ErrorObjectOwned> for End {
    fn from(error: ErrorObjectOwned) -> Self {
        Self::Failed(error)
    }
}

impl Running {
    async fn send_feed<T: Topic>(&self, feed: &Feed<T>, mut after: T::Cursor) -> End {
        let mut end = feed.end();
        loop {
            let known = end.borrow_and_update().clone();
            let has_more = match known {
                Ok(end) => after < end,
                Err(error) => return End::Failed(error),
            };
            let sent = if has_more { self.send_page(feed, &mut after).await } else { Ok(false) };
            match sent {
                Ok(true) => {}
                Ok(false) => {
                    tokio::select! {
                        () = self.sink.closed() => return End::Gone,
                        () = self.reader.cancel.cancelled() => return End::Gone,
                        changed = end.changed() => match changed {
                            Ok(()) => self.reader.metrics.subscription_woke(),
                            Err(_) => return End::Gone,
                        },
                    }
                }
                Err(end) => return end,
            }
        }
    }

    /// Sends what one read gives; `false` when it gave nothing, and more may come.
    async fn send_page<T: Topic>(
        &self,
        feed: &Feed<T>,
        after: &mut T::Cursor,
    ) -> Result<bool, End> {
        let page = tokio::select! {
            () = self.sink.closed() => return Err(End::Gone),
            page = feed.after(&self.reader, self.caller, *after) => page?,
        };
        if page.is_empty() {
            return feed.nothing_after(*after).map_or(Ok(false), |error| Err(error.into()));
        }
        for event in page.iter() {
            self.send(event.json.clone()).await?;
            *after = event.cursor;
        }
        Ok(true)
    }

    /// Sends one event, waiting while the subscriber reads slowly.
    async fn send(&self, event: Box<RawValue>) -> Result<(), End> {
        tokio::select! {
            () = self.reader.cancel.cancelled() => Err(End::Gone),
            sent = self.sink.send(event) => sent.map_err(|_| End::Gone),
        }
    }
}
