//! Garbage on a link whose other side has proven its key: bytes that are no frames of yamux, frames
//! that break its rules, and more new streams than anybody needs.
//!
//! yamux itself answers a broken rule with a line in the log and a frame that says so, goes on
//! reading, and tells nobody. Here both directions are followed from frame to frame: the first
//! malformed header that comes in, or the first frame of our own that says that the peer broke a
//! rule, ends the link with [`Garbage`], for which the driver strikes the peer.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use futures::{AsyncRead, AsyncWrite};

use crate::budget::Budget;

/// Bytes of a frame's header: version, type, flags (two), stream (four), length (four).
const HEADER_BYTES: usize = 12;
const VERSION: u8 = 0;
/// The type of frames with a body as long as the header says.
const DATA: u8 = 0;
/// The type of the frame that ends a session; its length is the reason, zero for none.
const GO_AWAY: u8 = 3;
/// Of a frame that opens a stream, or asks for an echo.
const SYN: u16 = 1;
/// Such frames a second, with a burst of one second: twice as many as the requests of a peer.
const OPENED_PER_SECOND_MAX: u64 = 2_000;
/// The longest body that yamux takes.
const BODY_BYTES_MAX: u32 = 1024 * 1024;

/// Why a link ended: the other side does not speak yamux.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("peer broke the framing of the link")]
pub(crate) struct Garbage;

impl Garbage {
    /// Returns true if `error` was caused by garbage.
    pub(crate) fn caused(error: &(dyn Error + 'static)) -> bool {
        let mut next = Some(error);
        while let Some(error) = next {
            if error.is::<Self>() {
                return true;
            }
            // An I/O error's source is that of what it wraps, not what it wraps.
            next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
                Some(wrapped) => Some(wrapped as &(dyn Error + 'static)),
                None => error.source(),
            };
        }
        false
    }
}

/// Follows one direction of a link from header to header.
#[derive(Debug, Default)]
struct Follower {
    header: [u8; HEADER_BYTES],
    filled: usize,
    body_left: usize,
}

impl Follower {
    /// Follows `bytes`; false at the first header for which `check` is false.
    fn follow(&mut self, mut bytes: &[u8], mut check: impl FnMut(Header) -> bool) -> bool {
        while !bytes.is_empty() {
            let skipped = self.body_left.min(bytes.len());
            self.body_left -= skipped;
            bytes = &bytes[skipped..];
            let taken = (HEADER_BYTES - self.filled).min(bytes.len());
            self.header[self.filled..self.filled + taken].copy_from_slice(&bytes[..taken]);
            self.filled += taken;
            bytes = &bytes[taken..];
            if self.filled == HEADER_BYTES {
                self.filled = 0;
                let header = Header::read(&self.header);
                if !check(header) {
                    return false;
                }
                if header.kind == DATA {
                    self.body_left = header.length as usize;
                }
            }
        }
        true
    }
}

#[derive(Debug, Clone, Copy)]
struct Header {
    version: u8,
    kind: u8,
    flags: u16,
    length: u32,
}

impl Header {
    fn read(bytes: &[u8; HEADER_BYTES]) -> Self {
        let length = u32::from_be_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
        let flags = u16::from_be_bytes([bytes[2], bytes[3]]);
        Self { version: bytes[0], kind: bytes[1], flags, length }
    }

    fn is_sound(self) -> bool {
        let is_short = self.kind != DATA || self.length <= BODY_BYTES_MAX;
        self.version == VERSION && self.kind <= GO_AWAY && is_short
    }

    fn is_no_complaint(self) -> bool {
        self.kind != GO_AWAY || self.length == 0
    }
}

/// A link that ends at the first garbage.
#[derive(Debug)]
pub(crate) struct Watched<S> {
    socket: S,
    incoming: Follower,
    outgoing: Follower,
    /// For frames that open something.
    opened: Budget,
    is_garbage: bool,
}

impl<S> Watched<S> {
    pub(crate) fn new(socket: S) -> Self {
        Self {
            socket,
            incoming: Follower::default(),
            outgoing: Follower::default(),
            opened: Budget::new(0, OPENED_PER_SECOND_MAX, Instant::now()),
            is_garbage: false,
        }
    }

    fn check(&self) -> io::Result<()> {
        match self.is_garbage {
            true => Err(io::Error::new(io::ErrorKind::InvalidData, Garbage)),
            false => Ok(()),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check()?;
        let count = ready!(Pin::new(&mut this.socket).poll_read(cx, bytes))?;
        let read = bytes.get(..count).unwrap_or_default();
        let opened = &mut this.opened;
        this.is_garbage = !this.incoming.follow(read, |header| {
            let opens = header.flags & SYN != 0;
            header.is_sound() && (!opens || opened.take(0, Instant::now()))
        });
        this.check()?;
        Poll::Ready(Ok(count))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let count = ready!(Pin::new(&mut this.socket).poll_write(cx, bytes))?;
        let written = bytes.get(..count).unwrap_or_default();
        this.is_garbage |= !this.outgoing.follow(written, Header::is_no_complaint);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_close(cx)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures::AsyncReadExt as _;
    use futures::io::Cursor;

    use super::*;

    fn frame(version: u8, kind: u8, length: u32, body: usize) -> Vec<u8> {
        let mut bytes = vec![version, kind, 0, 0, 0, 0, 0, 1];
        bytes.extend(length.to_be_bytes());
        bytes.resize(HEADER_BYTES + body, 0xff);
        bytes
    }

    #[test]
    fn malformed_headers_are_found_wherever_reads_are_cut() {
        let sound = [
            frame(0, DATA, 5, 5),
            frame(0, 1, u32::MAX, 0),
            frame(0, 2, 7, 0),
            frame(0, DATA, 0, 0),
            frame(0, DATA, 300, 300),
            frame(0, GO_AWAY, 1, 0),
        ]
        .concat();
        let table = [
            ("none", Vec::new(), true),
            ("a version", frame(1, DATA, 0, 0), false),
            ("a type", frame(0, 4, 0, 0), false),
            ("a long body", frame(0, DATA, BODY_BYTES_MAX + 1, 0), false),
        ];
        for (what, last, expected) in table {
            let bytes = [sound.clone(), last].concat();
            for cut in 1..40 {
                let mut follower = Follower::default();
                let is_sound =
                    bytes.chunks(cut).all(|part| follower.follow(part, Header::is_sound));
                assert_eq!(is_sound, expected, "{what}, cut every {cut} bytes");
            }
        }
    }

    #[test]
    fn our_own_complaint_is_the_peers_fault_and_a_farewell_is_not() {
        let follow = |frame: Vec<u8>| Follower::default().follow(&frame, Header::is_no_complaint);
        assert!(follow(frame(0, GO_AWAY, 0, 0)));
        assert!(!follow(frame(0, GO_AWAY, 1, 0)));
        assert!(!follow(frame(0, GO_AWAY, 2, 0)));
        assert!(follow(frame(0, 2, 1, 0)));
    }

    #[tokio::test]
    async fn new_streams_have_a_budget() {
        let opening = [0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0];
        for (frames, is_borne) in [(1_000, true), (100_000, false)] {
            let mut link = Watched::new(Cursor::new(opening.repeat(frames)));
            let read = link.read_to_end(&mut Vec::new()).await;
            assert_eq!(read.is_ok(), is_borne, "{frames} frames");
            assert!(read.is_ok() || Garbage::caused(&read.unwrap_err()));
        }
    }

    #[test]
    fn garbage_is_found_however_deep_it_is_wrapped() {
        let garbage = io::Error::new(io::ErrorKind::InvalidData, Garbage);
        assert!(Garbage::caused(&garbage));
        assert!(Garbage::caused(&io::Error::other(io::Error::other(garbage))));
        assert!(!Garbage::caused(&io::Error::from(io::ErrorKind::InvalidData)));
    }
}
