//! Sending: one task for each peer and lane keeps a stream open and empties the queue into it.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use libp2p::{Stream, StreamProtocol};
use libp2p_stream::Control;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::command::Command;
use crate::frame::{HEADER_BYTES, write_frames};
use crate::lane::Lane;
use crate::metrics::{Loss, Metrics, Traffic};
use crate::reader::READY;
use crate::referee::Referee;
use crate::remote::Remote;
use crate::strikes::Strike;

/// How long opening a stream, and its acceptance, may take.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);
/// The wait before a stream is opened again; it doubles from the first to the second.
const REOPEN_MIN: Duration = Duration::from_millis(50);
const REOPEN_MAX: Duration = Duration::from_secs(2);

/// Sends one lane of one peer, for as long as the network lives.
pub(crate) struct Writer {
    pub(crate) remote: Arc<Remote>,
    pub(crate) lane: Lane,
    pub(crate) protocol: StreamProtocol,
    pub(crate) control: Control,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) referee: Referee,
    pub(crate) metrics: Metrics,
    pub(crate) traffic: Traffic,
}

/// The messages that were taken from the queue and not yet written.
#[derive(Default)]
struct InHand {
    messages: Vec<Bytes>,
    scratch: Vec<u8>,
}

impl Writer {
    pub(crate) async fn run(mut self) {
        let mut linked = self.remote.watch_linked();
        let mut unlinked = self.remote.watch_linked();
        let mut hand = InHand::default();
        let mut wait = REOPEN_MIN;
        loop {
            if linked.wait_for(|linked| *linked).await.is_err() {
                return;
            }
            let opened = Instant::now();
            tokio::select! {
                end = self.serve(&mut hand) => {
                    let Err(error) = end;
                    tracing::debug!(
                        peer = %self.remote.id, lane = self.lane.name(), %error, "stream ended"
                    );
                    // What is in hand is sent again on the next stream.
                    wait = if opened.elapsed() > REOPEN_MAX { REOPEN_MIN } else { wait };
                    sleep(wait).await;
                    wait = (wait * 2).min(REOPEN_MAX);
                }
                _ = async { unlinked.wait_for(|linked| !*linked).await.is_ok() } => {
                    self.unlinked(&mut hand);
                    wait = REOPEN_MIN;
                }
            }
        }
    }

    /// Forgets batches, which are fetched when missed; votes wait for the next link until stale.
    fn unlinked(&self, hand: &mut InHand) {
        if self.lane == Lane::Bulk {
            let lost = hand.messages.len() + self.remote.lane(self.lane).queue.clear();
            hand.messages.clear();
            self.metrics.dropped(self.lane, Loss::NotConnected, lost);
        }
    }

    /// Opens a stream and sends until it breaks.
    async fn serve(&mut self, hand: &mut InHand) -> Result<Infallible, io::Error> {
        let mut stream = timeout(OPEN_TIMEOUT, self.open()).await??;
        if self.lane == Lane::Consensus {
            // An error means that the network is stopping.
            let _ = self.commands.send(Command::Ready { key: self.remote.key }).await;
        }
        self.pump(&mut stream, hand).await
    }

    /// A stream that the peer has taken: nothing written to it is lost for want of a reader.
    async fn open(&mut self) -> Result<Stream, io::Error> {
        let mut stream = self
            .control
            .open_stream(self.remote.id, self.protocol.clone())
            .await
            .map_err(io::Error::other)?;
        let mut answer = [0; 1];
        stream.read_exact(&mut answer).await?;
        if answer != READY { Err(self.wrong_way()) } else { Ok(stream) }
    }

    async fn pump(&self, stream: &mut Stream, hand: &mut InHand) -> Result<Infallible, io::Error> {
        let queue = &self.remote.lane(self.lane).queue;
        loop {
            if hand.messages.is_empty() {
                let stale = queue.take(&mut hand.messages, Instant::now());
                self.metrics.dropped(self.lane, Loss::Stale, stale);
            }
            if hand.messages.is_empty() {
                stream.flush().await?;
                // The peer never writes here: reading ends when the stream does.
                let end = tokio::select! {
                    () = queue.filled() => continue,
                    end = read_end(stream) => end,
                };
                return Err(match end {
                    Ok(()) => self.wrong_way(),
                    Err(error) => error,
                });
            }
            let moved = || self.remote.moved();
            write_frames(stream, &hand.messages, &mut hand.scratch, moved).await?;
            let bytes: usize = hand.messages.iter().map(|bytes| bytes.len() + HEADER_BYTES).sum();
            self.traffic.count(hand.messages.len() as u64, bytes as u64);
            hand.messages.clear();
        }
    }

    fn wrong_way(&self) -> io::Error {
        self.referee.strike(&self.remote, Strike::WrongWay);
        io::Error::new(io::ErrorKind::InvalidData, "the peer wrote on a stream that is ours")
    }
}

/// Waits for a byte, which is an offence, or for the end of the stream, which is an error.
async fn read_end(stream: &mut Stream) -> Result<(), io::Error> {
    match stream.read(&mut [0; 1]).await? {
        0 => Err(io::ErrorKind::ConnectionReset.into()),
        _ => Ok(()),
    }
}
