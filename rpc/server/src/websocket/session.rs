//! One WebSocket connection: a reader that takes messages while there are slots, calls on tasks of
//! their own, and a writer whose peer must read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use jsonrpsee::core::server::{ConnectionId, MethodSink};
use jsonrpsee::types::Id;
use rpc_api::{ApiError, api_error};
use serde_json::value::RawValue;
use soketto::base::OpCode;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::frames::{Closing, Decoder, Event, put_close, put_header};
use crate::answer::Answer;
use crate::connection::{Caller, Connection, HeldBytes, InHand};
use crate::dispatch::Session;
use crate::fair::FairPlace;
use crate::port::Shared;

/// Bytes that are read at once of a peer that sends much.
const READ_BYTES: usize = 16 * 1024;
/// Bytes that are kept ready for a peer that is silent: most connections are, most of the time.
const IDLE_BYTES: usize = 512;
/// Answers up to this size are written together.
const SMALL_BYTES_MAX: usize = 16 * 1024;
/// Bytes of small answers that are written together.
const TOGETHER_BYTES_MAX: usize = 64 * 1024;
/// Events of subscriptions that wait for their connection's writer.
const EVENTS_WAITING_MAX: usize = 4;
/// The longest pause in reading from a peer whose address has spent its budget.
const PAUSE_MAX: Duration = Duration::from_millis(250);
/// How often a message that found no room asks again.
const ROOM_RETRY: Duration = Duration::from_millis(20);
/// How long a connection that makes way may take to be told.
const FAREWELL: Duration = Duration::from_millis(200);
/// The bytes that a peer that was told to close may still send, so that it reads why.
const DRAIN_BYTES_MAX: usize = 8 * 1024 * 1024;
const DRAIN: Duration = Duration::from_secs(2);

static NEXT_SESSION: AtomicUsize = AtomicUsize::new(1);

/// A message's place among those in hand, until its answer is written.
#[derive(Debug)]
struct Slot {
    _permit: OwnedSemaphorePermit,
    _in_hand: InHand,
}

/// A message that is to be written.
#[derive(Debug)]
enum Outgoing {
    Answer(Answer, Slot),
    Pong(Bytes, Slot),
    Close(Closing),
}

struct Socket {
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    caller: Arc<Caller>,
    session: Arc<Session>,
    slots: Arc<Semaphore>,
    slots_max: u32,
    out: mpsc::Sender<Outgoing>,
    opened: Instant,
    /// When something last came, or could not have, in milliseconds since `opened`.
    heard_ms: AtomicU64,
    is_reading: AtomicBool,
}

/// Serves a connection until it closes, is asked to end, or the server stops.
pub(super) async fn serve(
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    caller: Arc<Caller>,
    socket: impl AsyncRead + AsyncWrite + Unpin,
) {
    let config = &shared.config;
    let slots_max = config.calls_per_connection_max.max(1);
    // One more than slots, for the close frame: nobody waits to hand an answer over.
    let (out, outgoing) = mpsc::channel(slots_max as usize + 1);
    let (events, arriving) = mpsc::channel(EVENTS_WAITING_MAX);
    let session = Session {
        id: ConnectionId(NEXT_SESSION.fetch_add(1, Ordering::Relaxed)),
        events: MethodSink::new(events),
        subscriptions_max: config.subscriptions_per_connection_max,
    };
    let stop_timeout = Duration::from_millis(config.stop_timeout_ms);
    let end = connection.activity.end.clone();
    let socket_state = Socket {
        session: Arc::new(session),
        slots: Arc::new(Semaphore::new(slots_max as usize)),
        slots_max,
        out,
        opened: Instant::now(),
        heard_ms: AtomicU64::new(0),
        is_reading: AtomicBool::new(false),
        shared,
        connection,
        caller,
    };
    let this = &socket_state;
    let (mut read, mut write) = tokio::io::split(socket);
    {
        let mut writing = std::pin::pin!(this.write(&mut write, outgoing, arriving));
        let closing = tokio::select! {
            closing = this.read(&mut read) => Some(closing),
            () = writing.as_mut() => None,
            () = end.cancelled() => Some(Closing::Policy("the connection made way or was too slow")),
        };
        if let Some(closing) = closing {
            let patience = match closing {
                Closing::Away => stop_timeout,
                _ => FAREWELL.max(stop_timeout.min(DRAIN)),
            };
            let patience = if end.is_cancelled() { FAREWELL } else { patience };
            let farewell = futures::future::join(this.say_farewell(closing), writing);
            let _ = tokio::time::timeout(patience, farewell).await;
        }
    }
    // Calls in hand have nobody to answer any more.
    let is_evicted = end.is_cancelled();
    end.cancel();
    if !is_evicted && write.shutdown().await.is_ok() {
        let _ = tokio::time::timeout(DRAIN, drain(&mut read)).await;
    }
}

/// Reads on for a while: closing with bytes unread would take the answer from the peer again.
async fn drain(read: &mut (impl AsyncRead + Unpin)) {
    let mut buffer = BytesMut::with_capacity(READ_BYTES);
    let mut seen = 0;
    while seen < DRAIN_BYTES_MAX {
        buffer.clear();
        match read.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => seen += count,
        }
    }
}

impl Socket {
    /// Waits for answers in hand if they are still wanted, then has the peer told.
    async fn say_farewell(&self, closing: Closing) {
        if matches!(closing, Closing::Away | Closing::TooLarge | Closing::Busy) {
            let _ = self.slots.acquire_many(self.slots_max).await;
        }
        let _ = self.out.send(Outgoing::Close(closing)).await;
    }

    fn heard(&self) {
        let now = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard_ms.store(now, Ordering::Relaxed);
    }

    /// Takes messages until there is a reason to close.
    async fn read(&self, read: &mut (impl AsyncRead + Unpin)) -> Closing {
        let stop = &self.shared.stop;
        let mut inbox = Inbox {
            decoder: Decoder::new(self.shared.config.body_bytes_max as usize),
            input: BytesMut::new(),
            room: IDLE_BYTES,
            held: self.caller.body(),
            deadline: None,
        };
        loop {
            let permit = tokio::select! {
                permit = self.slots.clone().acquire_owned() => permit,
                () = stop.cancelled() => return Closing::Away,
            };
            let Ok(permit) = permit else { return Closing::Away };
            self.heard();
            self.is_reading.store(true, Ordering::Relaxed);
            let event = tokio::select! {
                event = self.next_event(read, &mut inbox) => event,
                () = stop.cancelled() => return Closing::Away,
            };
            self.heard();
            self.is_reading.store(false, Ordering::Relaxed);
            let charged = self.shared.dispatcher.budget.take(self.caller.address);
            if charged.is_err() && !matches!(event, Ok(Event::Message { .. })) {
                self.shared.metrics.refused("calls");
            }
            match event {
                Ok(Event::Message { bytes, is_text }) => {
                    if is_text && std::str::from_utf8(&bytes).is_err() {
                        return Closing::NotText;
                    }
                    let held = std::mem::replace(&mut inbox.held, self.caller.body());
                    let turn = self.shared.dispatcher.turn(self.caller.address, bytes.len());
                    let turn = tokio::select! {
                        turn = turn => turn,
                        () = stop.cancelled() => return Closing::Away,
                    };
                    let message = Message { bytes, held, charged, turn };
                    self.begin(message, self.slot(permit));
                }
                Ok(Event::Ping(payload)) => {
                    let slot = self.slot(permit);
                    let _ = self.out.send(Outgoing::Pong(payload, slot)).await;
                }
                Ok(Event::Pong | Event::Fragment) => drop(permit),
                Ok(Event::Close) => return Closing::Closed,
                Err(closing) => {
                    if closing == Closing::TooLarge {
                        self.answer_too_large(self.slot(permit)).await;
                    }
                    return closing;
                }
            }
            if let Err(wait) = charged {
                // Whatever it sends: no more is read until the budget is back, or nearly.
                tokio::time::sleep(wait.min(PAUSE_MAX)).await;
            }
        }
    }

    fn slot(&self, permit: OwnedSemaphorePermit) -> Slot {
        let in_hand = self.connection.begin_message(&self.shared.metrics);
        Slot { _permit: permit, _in_hand: in_hand }
    }

    async fn answer_too_large(&self, slot: Slot) {
        let detail = format!("(at most {} bytes)", self.shared.config.body_bytes_max);
        let error = api_error(ApiError::BodyTooLarge, detail);
        self.shared.metrics.refused("body");
        let answer = Answer::error(Id::Null, error, &self.caller);
        let _ = self.out.send(Outgoing::Answer(answer, slot)).await;
    }

    /// Reads until something is complete. From a message's first byte on there is a deadline.
    async fn next_event(
        &self,
        read: &mut (impl AsyncRead + Unpin),
        inbox: &mut Inbox,
    ) -> Result<Event, Closing> {
        let timeout = Duration::from_millis(self.shared.config.body_timeout_ms);
        loop {
            let event = inbox.decoder.take(&mut inbox.input)?;
            let bytes = match &event {
                Some(Event::Message { bytes, .. }) => bytes.len(),
                _ => inbox.decoder.held(),
            };
            if inbox.decoder.is_within() || (event.is_none() && !inbox.input.is_empty()) {
                inbox.deadline.get_or_insert_with(|| tokio::time::Instant::now() + timeout);
            } else {
                inbox.deadline = None;
            }
            self.hold(&mut inbox.held, bytes as u64, timeout).await?;
            if let Some(event) = event {
                return Ok(event);
            }
            inbox.make_room();
            let reading = read.read_buf(&mut inbox.input);
            let count = match inbox.deadline {
                None => reading.await,
                Some(deadline) => match tokio::time::timeout_at(deadline, reading).await {
                    Ok(result) => result,
                    Err(_) => {
                        self.shared.metrics.refused("body-time");
                        return Err(Closing::Policy("the message did not come in time"));
                    }
                },
            };
            let count = count.unwrap_or(0);
            if count == 0 {
                return Err(Closing::Closed);
            }
            inbox.room = if count < IDLE_BYTES { IDLE_BYTES } else { READ_BYTES };
        }
    }

    /// Counts a message's bytes that have come; waits when its address holds its share.
    async fn hold(
        &self,
        body: &mut HeldBytes,
        bytes: u64,
        timeout: Duration,
    ) -> Result<(), Closing> {
        let more = bytes.saturating_sub(body.amount());
        if more == 0 || body.grow(more).is_ok() {
            return Ok(());
        }
        self.shared.metrics.refused("bodies");
        let growing = async {
            while body.grow(more).is_err() {
                tokio::time::sleep(ROOM_RETRY).await;
            }
        };
        tokio::time::timeout(timeout, growing).await.map_err(|_| Closing::Busy)
    }

    /// Has a message answered on a task of its own.
    fn begin(&self, message: Message, slot: Slot) {
        let Message { bytes, held, charged, turn } = message;
        let (shared, caller) = (self.shared.clone(), self.caller.clone());
        let (session, out) = (self.session.clone(), self.out.clone());
        let end = self.connection.activity.end.clone();
        tokio::spawn(async move {
            let answering = async {
                let dispatcher = &shared.dispatcher;
                let session = Some(&*session);
                let answer = dispatcher.answer(&bytes, charged, &caller, session, turn).await;
                drop((bytes, held));
                if let Some(answer) = answer {
                    let _ = out.send(Outgoing::Answer(answer, slot)).await;
                }
            };
            end.run_until_cancelled(answering).await;
        });
    }

    /// Writes answers, events and pings until the connection is closed.
    async fn write(
        &self,
        write: &mut (impl AsyncWrite + Unpin),
        mut outgoing: mpsc::Receiver<Outgoing>,
        mut events: mpsc::Receiver<Box<RawValue>>,
    ) {
        let config = &self.shared.config;
        let every = Duration::from_millis(config.ping_interval_ms.max(1));
        let mut pings = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
        let mut batch = Batch::default();
        loop {
            let added = tokio::select! {
                Some(one) = outgoing.recv() => batch.add(one),
                Some(event) = events.recv() => batch.add_event(&event),
                _ = pings.tick() => {
                    if self.is_inactive() {
                        self.shared.metrics.refused("inactive");
                        return;
                    }
                    batch.add_ping()
                }
            };
            let mut large = added;
            while large.is_none() && batch.buffer.len() < TOGETHER_BYTES_MAX && !batch.is_last {
                let Ok(one) = outgoing.try_recv() else { break };
                large = batch.add(one);
            }
            if self.write_batch(write, &mut batch, large).await.is_err() || batch.is_last {
                return;
            }
        }
    }

    async fn write_batch(
        &self,
        write: &mut (impl AsyncWrite + Unpin),
        batch: &mut Batch,
        large: Option<(Answer, Slot)>,
    ) -> std::io::Result<()> {
        let len = batch.buffer.len() + large.as_ref().map_or(0, |(answer, _)| answer.len());
        let _writing = self.connection.begin_write(len);
        write.write_all(&batch.buffer).await?;
        batch.buffer.clear();
        batch.unwritten.clear();
        if let Some((answer, _)) = &large {
            for part in answer.parts() {
                write.write_all(part).await?;
            }
        }
        write.flush().await
    }

    fn is_inactive(&self) -> bool {
        // Nothing is heard while nothing is read.
        if !self.is_reading.load(Ordering::Relaxed) {
            self.heard();
        }
        let heard = Duration::from_millis(self.heard_ms.load(Ordering::Relaxed));
        let silent = self.opened.elapsed().saturating_sub(heard);
        silent > Duration::from_millis(self.shared.config.inactive_ms_max)
    }
}

/// A whole message whose turn it is.
struct Message {
    bytes: Vec<u8>,
    held: HeldBytes,
    /// Within the budget of its address, or when there will be room again.
    charged: Result<(), Duration>,
    turn: Option<FairPlace>,
}

/// The bytes that have come and are not yet a message.
struct Inbox {
    decoder: Decoder,
    input: BytesMut,
    /// Bytes of room for the next read, by how much came last.
    room: usize,
    /// The bytes of the message that is coming.
    held: HeldBytes,
    /// By when that message must be complete.
    deadline: Option<tokio::time::Instant>,
}

impl Inbox {
    /// Makes room for the next read; a large buffer is given back once a peer is silent.
    fn make_room(&mut self) {
        let is_large = self.input.capacity() > 2 * IDLE_BYTES;
        if self.input.is_empty() && self.room < READ_BYTES && is_large {
            self.input = BytesMut::new();
        }
        self.input.reserve(self.room);
    }
}

/// Small frames that are written together, with the slots that they hold until then.
#[derive(Default)]
struct Batch {
    buffer: BytesMut,
    unwritten: Vec<(Option<Answer>, Slot)>,
    /// Nothing is written after a close frame.
    is_last: bool,
}

impl Batch {
    /// Adds a frame; gives an answer back that is to be written after the buffer, its header being
    /// there already.
    fn add(&mut self, outgoing: Outgoing) -> Option<(Answer, Slot)> {
        match outgoing {
            Outgoing::Answer(answer, slot) => {
                put_header(&mut self.buffer, OpCode::Text, answer.len());
                if answer.len() > SMALL_BYTES_MAX {
                    return Some((answer, slot));
                }
                for part in answer.parts() {
                    self.buffer.extend_from_slice(part);
                }
                self.unwritten.push((Some(answer), slot));
            }
            Outgoing::Pong(payload, slot) => {
                put_header(&mut self.buffer, OpCode::Pong, payload.len());
                self.buffer.extend_from_slice(&payload);
                self.unwritten.push((None, slot));
            }
            Outgoing::Close(closing) => {
                put_close(&mut self.buffer, closing);
                self.is_last = true;
            }
        }
        None
    }

    fn add_event(&mut self, event: &RawValue) -> Option<(Answer, Slot)> {
        let text = event.get().as_bytes();
        put_header(&mut self.buffer, OpCode::Text, text.len());
        self.buffer.extend_from_slice(text);
        None
    }

    fn add_ping(&mut self) -> Option<(Answer, Slot)> {
        put_header(&mut self.buffer, OpCode::Ping, 0);
        None
    }
}
