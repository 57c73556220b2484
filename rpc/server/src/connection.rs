//! One connection: its address, its place among the connections that are allowed, and the gate
//! that stops reading from a client who sends faster than it is served or does not read answers.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll, ready};

use futures::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;

use crate::metrics::Open;

/// What is shared between a connection's socket and the calls made over it. It lives as long as
/// either, so that an upgraded connection keeps its permit.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) address: IpAddr,
    calls_max: u32,
    calls: AtomicU32,
    is_write_blocked: AtomicBool,
    reader: AtomicWaker,
    _permit: OwnedSemaphorePermit,
    _open: Open,
}

impl Connection {
    pub(crate) fn new(
        address: IpAddr,
        calls_max: u32,
        permit: OwnedSemaphorePermit,
        open: Open,
    ) -> Arc<Self> {
        Arc::new(Self {
            address,
            calls_max,
            calls: AtomicU32::new(0),
            is_write_blocked: AtomicBool::new(false),
            reader: AtomicWaker::new(),
            _permit: permit,
            _open: open,
        })
    }

    /// Counts a call as in hand until the result is dropped.
    pub(crate) fn begin_call(self: &Arc<Self>) -> RunningCall {
        self.calls.fetch_add(1, Ordering::AcqRel);
        RunningCall(self.clone())
    }

    fn is_gated(&self) -> bool {
        self.is_write_blocked.load(Ordering::Acquire)
            || self.calls.load(Ordering::Acquire) >= self.calls_max
    }
}

/// A call in hand.
#[derive(Debug)]
pub(crate) struct RunningCall(Arc<Connection>);

impl Drop for RunningCall {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::AcqRel);
        self.0.reader.wake();
    }
}

/// A socket that is not read while its connection is gated.
#[derive(Debug)]
pub(crate) struct GatedStream<S> {
    stream: S,
    connection: Arc<Connection>,
}

impl<S> GatedStream<S> {
    pub(crate) fn new(stream: S, connection: Arc<Connection>) -> Self {
        Self { stream, connection }
    }

    fn written(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let is_blocked = result.is_pending();
        let was_blocked = self.connection.is_write_blocked.swap(is_blocked, Ordering::AcqRel);
        if was_blocked && !is_blocked {
            self.connection.reader.wake();
        }
        result
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for GatedStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Registered before the gate is looked at: an opening in between is not missed.
        this.connection.reader.register(context.waker());
        if this.connection.is_gated() {
            return Poll::Pending;
        }
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for GatedStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.written(result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write_vectored(context, slices);
        this.written(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
