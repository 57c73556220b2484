//! Subscriptions. The store is the truth: each subscriber has a cursor of its own and reads on from
//! it, as fast or slowly as it likes, so that nothing is skipped and nothing piles up. It sleeps
//! while its feed has nothing after its cursor, and shares each read with whoever stands where it
//! does (see [`crate::feed`]).

use std::net::IpAddr;
use std::sync::Arc;

use chain_types::{Height, InstructionId, ParticipantId};
use jsonrpsee::core::server::{PendingSubscriptionSink, SubscriptionSink};
use jsonrpsee::core::{RpcResult, SubscriptionError, SubscriptionResult};
use jsonrpsee::types::{ErrorObjectOwned, Extensions};
use rpc_api::{ApiError, api_error};
use serde_json::value::RawValue;

use crate::budget::subscriber;
use crate::connection::Caller;
use crate::feed::{Feed, InstructionsTo, Topic};
use crate::methods::{Api, read_cursor};
use crate::metrics::Open;
use crate::reads::{Cost, OWN};

/// A subscription in progress.
struct Running {
    sink: SubscriptionSink,
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

impl End {
    /// What the subscriber is told, if it is still there.
    fn into_result(self) -> SubscriptionResult {
        match self {
            Self::Gone => Ok(()),
            Self::Failed(error) => Err(SubscriptionError::from(error.message())),
        }
    }
}

/// Whose subscription this is.
fn caller_of(extensions: &Extensions) -> IpAddr {
    extensions.get::<Arc<Caller>>().map_or(OWN, |caller| subscriber(caller.address))
}

impl Api {
    /// Accepts a subscription, for which the transport has found room.
    async fn begin(&self, pending: PendingSubscriptionSink, caller: IpAddr) -> Option<Running> {
        let sink = pending.accept().await.ok()?;
        let open = self.metrics.open_subscription();
        Some(Running { sink, caller, _open: open })
    }

    /// `settlement_subscribe_instructions`.
    pub(crate) async fn send_instructions(
        &self,
        pending: PendingSubscriptionSink,
        extensions: &Extensions,
        gateway: ParticipantId,
        cursor: Option<&str>,
    ) -> SubscriptionResult {
        let caller = caller_of(extensions);
        // The feed is there before the subscriber hears of its acceptance: nothing rings unheard.
        let (after, feed) = match self.find_feed(caller, gateway, cursor).await {
            Ok(begun) => begun,
            Err(error) => {
                pending.reject(error).await;
                return Ok(());
            }
        };
        let Some(running) = self.begin(pending, caller).await else { return Ok(()) };
        self.send_feed(&running, &feed, after).await.into_result()
    }

    /// The place in a gateway's feed that a cursor names.
    async fn find_feed(
        &self,
        caller: IpAddr,
        gateway: ParticipantId,
        cursor: Option<&str>,
    ) -> RpcResult<(Option<InstructionId>, Arc<Feed<InstructionsTo>>)> {
        let after = read_cursor(cursor, rpc_api::text::one_form)?;
        let is_gateway = self.read_for(caller, Cost::CHEAP, move |node| node.is_gateway(gateway));
        if !is_gateway.await? {
            let detail = format!("(participant {gateway} is no gateway)");
            return Err(api_error(ApiError::NotFound, detail));
        }
        Ok((after, self.instructions_to(gateway, caller).await?))
    }

    /// `chain_subscribe_blocks`.
    pub(crate) async fn send_blocks(
        &self,
        pending: PendingSubscriptionSink,
        extensions: &Extensions,
        from_height: Option<u64>,
    ) -> SubscriptionResult {
        let feed = self.blocks_feed();
        let next = self.backend.doorbell().borrow().next();
        let first = from_height.map_or(next, Height);
        let caller = caller_of(extensions);
        let Some(running) = self.begin(pending, caller).await else { return Ok(()) };
        self.send_feed(&running, &feed, first).await.into_result()
    }

    /// Sends what a feed has after a place, for as long as there are feed and subscriber.
    async fn send_feed<T: Topic>(
        &self,
        running: &Running,
        feed: &Feed<T>,
        mut after: T::Cursor,
    ) -> End {
        let mut end = feed.end();
        loop {
            let known = end.borrow_and_update().clone();
            let has_more = match known {
                Ok(end) => after < end,
                Err(error) => return End::Failed(error),
            };
            let sent =
                if has_more { self.send_page(running, feed, &mut after).await } else { Ok(false) };
            match sent {
                Ok(true) => {}
                Ok(false) => {
                    tokio::select! {
                        () = running.sink.closed() => return End::Gone,
                        () = self.cancel.cancelled() => return End::Gone,
                        changed = end.changed() => match changed {
                            Ok(()) => self.metrics.subscription_woke(),
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
        running: &Running,
        feed: &Feed<T>,
        after: &mut T::Cursor,
    ) -> Result<bool, End> {
        let page = tokio::select! {
            () = running.sink.closed() => return Err(End::Gone),
            page = feed.after(self, running.caller, *after) => page?,
        };
        if page.is_empty() {
            return feed.nothing_after(*after).map_or(Ok(false), |error| Err(error.into()));
        }
        for event in page.iter() {
            self.send(running, event.json.clone()).await?;
            *after = event.cursor;
        }
        Ok(true)
    }

    /// Sends one event, waiting while the subscriber reads slowly.
    async fn send(&self, running: &Running, event: Box<RawValue>) -> Result<(), End> {
        tokio::select! {
            () = self.cancel.cancelled() => Err(End::Gone),
            sent = running.sink.send(event) => sent.map_err(|_| End::Gone),
        }
    }
}
