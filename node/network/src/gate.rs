//! The gate of the peer port: a transport whose incoming handshakes have a place and a deadline.
//!
//! libp2p bounds them by number alone and refuses the newest, so that sockets that stay silent
//! keep everybody out. Here a newcomer may end an older handshake; [`Handshakes`] says which.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use chain_types::PublicKey;
use libp2p::Multiaddr;
use libp2p::core::transport::{
    Boxed, DialOpts, ListenerId, Transport, TransportError, TransportEvent,
};
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep};

use crate::address::ip;
use crate::budget::Budget;
use crate::config::Limits;
use crate::handshakes::{Handshakes, Source, Ticket};
use crate::metrics::{HandshakeEnd, Metrics};

/// How long a handshake waits before the budget is looked at again.
const TURN_PAUSE: Duration = Duration::from_millis(2);

/// The counts of unfinished handshakes. Shared by the transport and the driver.
#[derive(Debug)]
pub(crate) struct Gate {
    state: Mutex<State>,
    timeout: Duration,
    metrics: Metrics,
}

#[derive(Debug)]
struct State {
    handshakes: Handshakes,
    /// Ends the handshake of a ticket.
    ends: HashMap<Ticket, oneshot::Sender<()>>,
    /// Handshakes a second from addresses of registered peers, and from all others.
    budgets: [Budget; 2],
}

impl Gate {
    pub(crate) fn new(limits: &Limits, metrics: Metrics) -> Arc<Self> {
        let now = Instant::now();
        let budget = |per_second| Budget::new(0, per_second, now);
        let state = State {
            handshakes: Handshakes::new(limits.handshakes_max as usize),
            ends: HashMap::new(),
            budgets: [
                budget(limits.handshakes_known_per_second),
                budget(limits.handshakes_per_second),
            ],
        };
        Arc::new(Self { state: Mutex::new(state), timeout: limits.handshake_timeout, metrics })
    }

    // Every change under the lock is complete before anything can panic, so poison means nothing.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers where a registered peer is found.
    pub(crate) fn remember<'a>(
        &self,
        peer: PublicKey,
        addresses: impl IntoIterator<Item = &'a Multiaddr>,
    ) {
        let sources = addresses.into_iter().filter_map(ip).map(Source::from);
        self.state().handshakes.remember(peer, sources);
    }

    /// Forgets where a peer was found that is registered no more.
    pub(crate) fn forget(&self, peer: &PublicKey) {
        self.state().handshakes.forget(peer);
    }

    /// Begins a handshake, ending another if there is no room.
    fn begin(self: &Arc<Self>, address: &Multiaddr) -> Begun {
        // A transport over TCP tells an IP address always.
        let source = Source::from(ip(address).unwrap_or(IpAddr::from([0; 4])));
        let mut state = self.state();
        let is_known = state.handshakes.is_known(source);
        if !state.budgets[usize::from(!is_known)].take(0, Instant::now()) {
            if is_known {
                return Begun::Later;
            }
            self.metrics.handshake(HandshakeEnd::OverBudget);
            return Begun::Never;
        }
        let (ticket, evicted) = state.handshakes.begin(source);
        let (end, ended) = oneshot::channel();
        state.ends.insert(ticket, end);
        if let Some(end) = evicted.and_then(|evicted| state.ends.remove(&evicted)) {
            // An error means that it ended by itself just now.
            let _ = end.send(());
        }
        self.metrics.handshakes_open.set(state.handshakes.len() as i64);
        Begun::Now(Slot { gate: Arc::clone(self), ticket }, ended)
    }
}

/// The result of an attempt to begin a handshake.
enum Begun {
    /// It has; the receiver hears when it must end.
    Now(Slot, oneshot::Receiver<()>),
    /// The budget is spent, but a registered peer may stand in this queue: it waits its turn.
    Later,
    /// The budget of strangers is spent.
    Never,
}

/// The place of an unfinished handshake, given back when it is dropped.
struct Slot {
    gate: Arc<Gate>,
    ticket: Ticket,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        state.handshakes.end(self.ticket);
        state.ends.remove(&self.ticket);
        self.gate.metrics.handshakes_open.set(state.handshakes.len() as i64);
    }
}

/// A transport behind the gate. Its futures prove a key and set up the streams.
pub(crate) struct Gated<O> {
    inner: Boxed<O>,
    gate: Arc<Gate>,
    /// The socket that waits for a place, and its deadline; nothing else is accepted meanwhile.
    held: Option<(Incoming<O>, Pin<Box<Sleep>>)>,
}

type Upgrade<O> = Pin<Box<dyn Future<Output = io::Result<O>> + Send>>;
type Event<O> = TransportEvent<Upgrade<O>, io::Error>;

/// A socket that was accepted and has no place yet.
struct Incoming<O> {
    listener_id: ListenerId,
    upgrade: Upgrade<O>,
    local_addr: Multiaddr,
    send_back_addr: Multiaddr,
}

impl<O: Send + 'static> Incoming<O> {
    /// The event of a handshake that has begun.
    fn begun(self, slot: Slot, ended: oneshot::Receiver<()>) -> Event<O> {
        let Self { listener_id, upgrade, local_addr, send_back_addr } = self;
        let upgrade = Box::pin(async move {
            let gate = &slot.gate;
            let (end, result) = tokio::select! {
                biased;
                result = upgrade => match result {
                    Ok(output) => (HandshakeEnd::Done, Ok(output)),
                    Err(error) => (HandshakeEnd::Failed, Err(error)),
                },
                _ = ended => {
                    let error = io::Error::other("the handshake gave way to a newer one");
                    (HandshakeEnd::Evicted, Err(error))
                }
                () = sleep(gate.timeout) => {
                    let error = io::Error::new(io::ErrorKind::TimedOut, "no handshake in time");
                    (HandshakeEnd::Late, Err(error))
                }
            };
            gate.metrics.handshake(end);
            drop(slot);
            result
        });
        TransportEvent::Incoming { listener_id, upgrade, local_addr, send_back_addr }
    }
}

impl<O: Send + 'static> Gated<O> {
    pub(crate) fn new(inner: Boxed<O>, gate: Arc<Gate>) -> Self {
        Self { inner, gate, held: None }
    }

    fn poll_held(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incoming<O>>> {
        let Some((incoming, mut pause)) = self.held.take() else { return Poll::Ready(None) };
        match pause.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Some(incoming)),
            Poll::Pending => {
                self.held = Some((incoming, pause));
                Poll::Pending
            }
        }
    }
}

impl<O: Send + 'static> Transport for Gated<O> {
    type Output = O;
    type Error = io::Error;
    type ListenerUpgrade = Upgrade<O>;
    type Dial = <Boxed<O> as Transport>::Dial;

    fn listen_on(
        &mut self,
        id: ListenerId,
        address: Multiaddr,
    ) -> Result<(), TransportError<io::Error>> {
        self.inner.listen_on(id, address)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.inner.remove_listener(id)
    }

    fn dial(
        &mut self,
        address: Multiaddr,
        options: DialOpts,
    ) -> Result<Self::Dial, TransportError<io::Error>> {
        self.inner.dial(address, options)
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
        let incoming = match ready!(self.poll_held(cx)) {
            Some(incoming) => incoming,
            None => match ready!(Pin::new(&mut self.inner).poll(cx)) {
                TransportEvent::Incoming { listener_id, upgrade, local_addr, send_back_addr } => {
                    Incoming { listener_id, upgrade, local_addr, send_back_addr }
                }
                event => return Poll::Ready(event),
            },
        };
        match self.gate.begin(&incoming.send_back_addr) {
            Begun::Now(slot, ended) => return Poll::Ready(incoming.begun(slot, ended)),
            Begun::Later => self.held = Some((incoming, Box::pin(sleep(TURN_PAUSE)))),
            // The socket falls.
            Begun::Never => {}
        }
        // There may be more, and a pause has to be polled to wake this task.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
