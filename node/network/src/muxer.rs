//! yamux with an impatient close, over a link that is watched for [`crate::garbage`].
//!
//! Closing a yamux connection first sends what is left, which on a link that went silent lasts
//! until the operating system gives up, a quarter of an hour. Until then the peer would count as
//! connected and nobody would dial it. So the close is given a moment, and then the socket falls.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::{MapOk, TryFutureExt as _};
use futures::{AsyncRead, AsyncWrite};
use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};
use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade, UpgradeInfo};
use libp2p::yamux;
use tokio::time::{Sleep, sleep};

use crate::garbage::Watched;

/// How long a connection may take to close in good order.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(250);

/// The upgrade of a secured connection to [`Impatient`] yamux.
#[derive(Debug, Clone)]
pub(crate) struct Upgrade(pub(crate) yamux::Config);

/// A muxer whose close ends, whatever the other side does.
pub(crate) struct Impatient<M> {
    inner: M,
    closing: Option<Pin<Box<Sleep>>>,
    close_timeout: Duration,
}

impl<M> Impatient<M> {
    fn new(inner: M, close_timeout: Duration) -> Self {
        Self { inner, closing: None, close_timeout }
    }

    fn wrap(inner: M) -> Self {
        Self::new(inner, CLOSE_TIMEOUT)
    }
}

impl<M: StreamMuxer + Unpin> StreamMuxer for Impatient<M> {
    type Substream = M::Substream;
    type Error = M::Error;

    fn poll_inbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::Substream, Self::Error>> {
        Pin::new(&mut self.inner).poll_inbound(cx)
    }

    fn poll_outbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::Substream, Self::Error>> {
        Pin::new(&mut self.inner).poll_outbound(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), M::Error>> {
        if let Poll::Ready(closed) = Pin::new(&mut self.inner).poll_close(cx) {
            return Poll::Ready(closed);
        }
        let timeout = self.close_timeout;
        let closing = self.closing.get_or_insert_with(|| Box::pin(sleep(timeout)));
        closing.as_mut().poll(cx).map(Ok)
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<StreamMuxerEvent, Self::Error>> {
        Pin::new(&mut self.inner).poll(cx)
    }
}

impl UpgradeInfo for Upgrade {
    type Info = <yamux::Config as UpgradeInfo>::Info;
    type InfoIter = <yamux::Config as UpgradeInfo>::InfoIter;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.protocol_info()
    }
}

/// yamux over a link that ends at the first garbage.
type Muxer<C> = yamux::Muxer<Watched<C>>;
/// A yamux upgrade's future, its muxer wrapped.
type Wrapped<F, C> = MapOk<F, fn(Muxer<C>) -> Impatient<Muxer<C>>>;

impl<C> InboundConnectionUpgrade<C> for Upgrade
where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Output = Impatient<Muxer<C>>;
    type Error = io::Error;
    type Future = Wrapped<<yamux::Config as InboundConnectionUpgrade<Watched<C>>>::Future, C>;

    fn upgrade_inbound(self, socket: C, info: Self::Info) -> Self::Future {
        self.0.upgrade_inbound(Watched::new(socket), info).map_ok(Impatient::wrap)
    }
}

impl<C> OutboundConnectionUpgrade<C> for Upgrade
where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    type Output = Impatient<Muxer<C>>;
    type Error = io::Error;
    type Future = Wrapped<<yamux::Config as OutboundConnectionUpgrade<Watched<C>>>::Future, C>;

    fn upgrade_outbound(self, socket: C, info: Self::Info) -> Self::Future {
        self.0.upgrade_outbound(Watched::new(socket), info).map_ok(Impatient::wrap)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use std::future::poll_fn;

    use futures::io::Cursor;

    use super::*;

    /// Closes at once, or never.
    struct Fake {
        closes: bool,
    }

    impl StreamMuxer for Fake {
        type Substream = Cursor<Vec<u8>>;
        type Error = io::Error;

        fn poll_inbound(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<io::Result<Self::Substream>> {
            Poll::Pending
        }

        fn poll_outbound(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<io::Result<Self::Substream>> {
            Poll::Pending
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            if self.closes { Poll::Ready(Ok(())) } else { Poll::Pending }
        }

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn a_close_ends_though_the_link_is_silent() {
        for (closes, close_timeout) in [(true, Duration::MAX), (false, Duration::from_millis(1))] {
            let mut muxer = Impatient::new(Fake { closes }, close_timeout);
            poll_fn(|cx| Pin::new(&mut muxer).poll_close(cx)).await.unwrap();
        }
    }
}
