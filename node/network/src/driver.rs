//! The one task that owns the swarm: connections, dialling, requests, and who is cut off.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use chain_types::PublicKey;
use futures::StreamExt as _;
use libp2p::metrics::Recorder as _;
use libp2p::request_response::{InboundRequestId, OutboundRequestId};
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{DialError, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep_until, timeout};

use crate::address::{Address, multiaddr};
use crate::budget::Budget;
use crate::command::{Answer, Command};
use crate::config::{Limits, Membership};
use crate::dialer::Dialer;
use crate::event::{Event, Inbox};
use crate::garbage::Garbage;
use crate::gate::Gate;
use crate::lanes::Lanes;
use crate::metrics::Metrics;
use crate::referee::Referee;
use crate::remote::{Remote, Remotes, Short};
use crate::strikes::Strike;
use crate::swarm::{Behaviour, BehaviourEvent};
use crate::throttle::Throttle;
use crate::watchdog::Watchdog;

/// How long open connections may take to close when the network stops.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
/// How often strikes that led to no ban are mentioned.
const REPORT_PAUSE: Duration = Duration::from_secs(10);

/// The driver's state for one allowed peer.
pub(crate) struct Book {
    banned_until: Option<Instant>,
    pub(crate) serving: usize,
    pub(crate) request_budget: Budget,
    found: Throttle,
    lost: Throttle,
}

/// The driver's parts; see the module.
pub(crate) struct Driver {
    pub(crate) own: PublicKey,
    /// The keys that may connect, as the node said last.
    pub(crate) membership: watch::Receiver<Membership>,
    pub(crate) swarm: Swarm<Behaviour>,
    pub(crate) remotes: Arc<Remotes>,
    pub(crate) limits: Limits,
    pub(crate) metrics: Metrics,
    pub(crate) referee: Referee,
    pub(crate) swarm_metrics: libp2p::metrics::Metrics,
    pub(crate) inbox: Inbox,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) commands_sender: mpsc::Sender<Command>,
    pub(crate) dialer: Dialer,
    pub(crate) gate: Arc<Gate>,
    pub(crate) lanes: Lanes,
    pub(crate) books: BTreeMap<PublicKey, Book>,
    pub(crate) watchdog: Watchdog,
    /// Events that the node has not had room for: links, two a peer; requests, by their limit.
    pub(crate) pending: VecDeque<Event>,
    pub(crate) asked: HashMap<OutboundRequestId, Answer>,
    pub(crate) serving: HashMap<InboundRequestId, PublicKey>,
    pub(crate) reported: Instant,
    pub(crate) refusals: Throttle,
    pub(crate) accept_errors: Throttle,
}

impl Book {
    pub(crate) fn new(limits: &Limits) -> Self {
        let per_second = limits.requests_in_per_second;
        let bytes = per_second.saturating_mul(limits.request_bytes_max as u64);
        Self {
            banned_until: None,
            serving: 0,
            request_budget: Budget::new(bytes, per_second, Instant::now()),
            found: Throttle::default(),
            lost: Throttle::default(),
        }
    }
}

impl Driver {
    /// Runs until the network is cancelled, then closes every connection.
    pub(crate) async fn run(mut self, early: Vec<SwarmEvent<BehaviourEvent>>) {
        for event in early {
            self.on_swarm_event(event);
        }
        let (cancel, urgent) = (self.lanes.cancel.clone(), self.inbox.urgent.clone());
        loop {
            let wake = self.next_wake();
            tokio::select! {
                () = cancel.cancelled() => break,
                event = self.swarm.select_next_some() => self.on_swarm_event(event),
                Some(command) = self.commands.recv() => self.on_command(command),
                Ok(()) = self.membership.changed() => self.follow_allowed(),
                room = urgent.reserve(), if !self.pending.is_empty() => match room {
                    Ok(room) => {
                        if let Some(event) = self.pending.pop_front() {
                            room.send(event);
                        }
                    }
                    // The node takes no more events; it is about to stop us.
                    Err(_) => self.pending.clear(),
                },
                () = sleep_until(wake.into()) => self.on_wake(Instant::now()),
            }
        }
        self.close().await;
    }

    async fn close(mut self) {
        let connected: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
        for id in connected {
            // An error means that the connection is already gone.
            let _ = self.swarm.disconnect_peer_id(id);
        }
        let closed = async {
            while self.swarm.connected_peers().next().is_some() {
                self.swarm.select_next_some().await;
            }
        };
        if timeout(CLOSE_TIMEOUT, closed).await.is_err() {
            tracing::debug!("connections did not close in time and are dropped");
        }
        for remote in self.remotes.all() {
            remote.set_linked(false);
            remote.set_ready(false);
        }
        self.metrics.peers_connected.set(0);
        tracing::info!("network stopped");
    }

    fn next_wake(&self) -> Instant {
        let bans = self.books.values().filter_map(|book| book.banned_until).min();
        let far = Instant::now() + Duration::from_secs(3600);
        let check = Some(self.watchdog.next_check());
        [self.dialer.next_due(), bans, check].into_iter().flatten().fold(far, Instant::min)
    }

    fn on_wake(&mut self, now: Instant) {
        self.close_dead_links(now);
        self.end_bans(now);
        if now.saturating_duration_since(self.reported) >= REPORT_PAUSE {
            self.reported = now;
            self.remotes.all().iter().for_each(|remote| self.referee.report(remote));
        }
        while let Some((key, address)) = self.dialer.take_due(now) {
            match address {
                Address::Direct(address) => self.dial(key, vec![address]),
                Address::Name(name) => self.look_up(key, name),
            }
        }
    }

    fn look_up(&self, key: PublicKey, name: String) {
        let (commands, cancel) = (self.commands_sender.clone(), self.lanes.cancel.clone());
        let limit = self.limits.connect_timeout;
        self.lanes.tracker.spawn(async move {
            let found = timeout(limit, tokio::net::lookup_host(&name));
            let addresses = match cancel.run_until_cancelled(found).await {
                None => return,
                Some(Ok(Ok(sockets))) => Ok(sockets.map(multiaddr).collect()),
                Some(Ok(Err(error))) => Err(format!("cannot look up {name}: {error}")),
                Some(Err(_)) => Err(format!("looking up {name} took too long")),
            };
            // An error means that the network is stopping.
            let _ = commands.send(Command::Dial { key, addresses }).await;
        });
    }

    fn dial(&mut self, key: PublicKey, addresses: Vec<Multiaddr>) {
        let Some(remote) = self.remotes.get(&key) else { return };
        self.gate.remember(key, &addresses);
        // A port of its own for each connection: two nodes that dial each other from their
        // listening ports at once would meet in one TCP connection with two initiators.
        let options = DialOpts::peer_id(remote.id)
            .condition(PeerCondition::DisconnectedAndNotDialing)
            .addresses(addresses)
            .allocate_new_port()
            .build();
        if let Err(error) = self.swarm.dial(options) {
            if remote.is_linked() {
                self.dialer.linked(&key);
            } else {
                self.dial_failed(&key, &describe(&error));
            }
        }
    }

    fn dial_failed(&mut self, key: &PublicKey, error: &str) {
        let peer = Short(*key);
        if self.dialer.failed(key, Instant::now()) {
            tracing::warn!(%peer, error, "peer cannot be reached; trying again until it can");
        } else {
            tracing::debug!(%peer, error, "peer cannot be reached");
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Dial { key, addresses } => match addresses {
                Ok(addresses) => self.dial(key, addresses),
                Err(error) => self.dial_failed(&key, &error),
            },
            Command::Ready { key } => self.on_ready(&key),
            Command::Ban { key, until } => self.ban(&key, until),
            Command::Request { key, bytes, answer } => self.ask(&key, bytes, answer),
            Command::Respond { channel, bytes } => {
                // An error means that the asker is gone; libp2p reports it separately.
                let _ = self.swarm.behaviour_mut().exchange.send_response(channel, bytes);
            }
        }
    }

    fn on_ready(&mut self, key: &PublicKey) {
        let Some(remote) = self.remotes.get(key) else { return };
        if remote.is_linked() && !remote.set_ready(true) {
            self.metrics.peers_connected.inc();
            self.dialer.ready(key);
            self.pending.push_back(Event::Connected(*key));
            let found = self.books.get_mut(key).map(|book| &mut book.found);
            if let Some(times) = found.and_then(|found| found.due(Instant::now())) {
                tracing::info!(peer = %Short(*key), times, "peer connected");
            }
        }
    }

    fn ban(&mut self, key: &PublicKey, until: Instant) {
        // A key that left the registry meanwhile is cut off as it is.
        let (Some(remote), Some(book)) = (self.remotes.get(key), self.books.get_mut(key)) else {
            return;
        };
        book.banned_until = Some(until);
        self.swarm.behaviour_mut().allowed.disallow_peer(remote.id);
        self.dialer.hold(key, until);
    }

    fn end_bans(&mut self, now: Instant) {
        for (key, book) in &mut self.books {
            let Some(remote) = self.remotes.get(key) else { continue };
            if book.banned_until.is_some_and(|until| until <= now) {
                book.banned_until = None;
                remote.record().pardon(now);
                remote.is_banned.store(false, Ordering::Release);
                self.swarm.behaviour_mut().allowed.allow_peer(remote.id);
                tracing::debug!(peer = %Short(*key), "ban is over");
            }
        }
    }

    fn on_swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        self.swarm_metrics.record(&event);
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour_event(event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.watchdog.opened(connection_id, peer_id, Instant::now());
                let Some(remote) = self.remotes.by_id(&peer_id) else { return };
                let address = endpoint.get_remote_address();
                tracing::debug!(peer = %Short(remote.key), %address, "link established");
                self.gate.remember(remote.key, [address]);
                // Bytes of an older link say nothing about this one.
                remote.moved();
                remote.set_linked(true);
                self.dialer.linked(&remote.key);
            }
            SwarmEvent::ConnectionClosed {
                peer_id, connection_id, num_established, cause, ..
            } => {
                self.watchdog.closed(connection_id);
                let is_garbage = cause.as_ref().is_some_and(|cause| Garbage::caused(cause));
                if is_garbage && let Some(remote) = self.remotes.by_id(&peer_id) {
                    self.referee.strike(&remote, Strike::Link);
                }
                let cause = cause.map_or_else(|| "closed".to_owned(), |cause| cause.to_string());
                if num_established == 0
                    && let Some(remote) = self.remotes.by_id(&peer_id)
                {
                    self.on_lost(&remote, &cause);
                }
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer_id), error, .. } => {
                // Without addresses or condition it was not our dialler who dialled.
                if !matches!(error, DialError::NoAddresses | DialError::DialPeerConditionFalse(_))
                    && let Some(remote) = self.remotes.by_id(&peer_id)
                {
                    let key = remote.key;
                    self.dial_failed(&key, &describe(&error));
                }
            }
            SwarmEvent::IncomingConnectionError { send_back_addr, error, peer_id, .. } => {
                self.on_refused(&send_back_addr, peer_id, &error);
            }
            SwarmEvent::ListenerError { error, .. } => {
                if let Some(times) = self.accept_errors.due(Instant::now()) {
                    tracing::warn!(%error, times, "incoming connection failed");
                }
            }
            SwarmEvent::ListenerClosed { reason: Err(error), .. } => {
                tracing::error!(%error, "no longer listening; peers cannot dial this node");
            }
            _ => {}
        }
    }

    fn on_lost(&mut self, remote: &Remote, cause: &str) {
        let (key, peer, now) = (remote.key, Short(remote.key), Instant::now());
        remote.set_linked(false);
        let is_news = self.dialer.lost(&key, now);
        if let Some(until) = self.books.get(&key).and_then(|book| book.banned_until) {
            self.dialer.hold(&key, until);
        }
        if remote.set_ready(false) {
            self.metrics.peers_connected.dec();
            self.forget_link(key);
            let lost = self.books.get_mut(&key).map(|book| &mut book.lost);
            if let Some(times) = lost.and_then(|lost| lost.due(now)) {
                tracing::warn!(%peer, cause, times, "peer lost");
            }
        } else if is_news {
            tracing::warn!(
                %peer, cause,
                "peer hangs up before the link is usable: is this node's key in its registry?"
            );
        } else {
            tracing::debug!(%peer, cause, "link closed before it was usable");
        }
    }

    /// Tells the node of a lost link, unless it does not know yet that there was one.
    pub(crate) fn forget_link(&mut self, key: PublicKey) {
        let untold = |event: &Event| matches!(event, Event::Connected(other) if *other == key);
        match self.pending.iter().rposition(untold) {
            Some(place) => drop(self.pending.remove(place)),
            None => self.pending.push_back(Event::Disconnected(key)),
        }
    }

    fn on_refused(
        &mut self,
        address: &Multiaddr,
        peer_id: Option<PeerId>,
        error: &libp2p::swarm::ListenError,
    ) {
        if let Some(times) = self.refusals.due(Instant::now()) {
            let peer = peer_id.map(|id| id.to_string()).unwrap_or_default();
            let error = deepest(error);
            tracing::info!(%address, peer, error, times, "incoming connection refused");
        }
    }

    fn on_behaviour_event(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Ping(event) => {
                self.swarm_metrics.record(&event);
                if event.result.is_ok() {
                    self.watchdog.heard(event.connection, Instant::now());
                }
            }
            BehaviourEvent::Identify(event) => self.swarm_metrics.record(&event),
            BehaviourEvent::Exchange(event) => self.on_exchange(event),
            BehaviourEvent::Streams(()) => {}
            // The two lists only refuse; they say nothing.
            BehaviourEvent::Allowed(never) | BehaviourEvent::Limits(never) => match never {},
        }
    }

    fn close_dead_links(&mut self, now: Instant) {
        let remotes = &self.remotes;
        let still_for =
            |peer: &PeerId| remotes.by_id(peer).map_or(Duration::MAX, |remote| remote.still_for());
        for id in self.watchdog.check(now, still_for) {
            tracing::debug!(connection = %id, "link closed: peer stopped answering");
            self.swarm.close_connection(id);
        }
    }
}

/// Describes a failed dial, for people.
fn describe(error: &DialError) -> String {
    match error {
        DialError::WrongPeerId { obtained, address } => {
            format!("at {address} answers another key, {obtained}")
        }
        DialError::LocalPeerId { address } => format!("{address} is this node itself"),
        DialError::Denied { cause } => format!("not allowed now: {cause}"),
        DialError::Transport(errors) => {
            let causes =
                errors.iter().map(|(address, error)| format!("{address}: {}", deepest(error)));
            causes.collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    }
}

/// The innermost cause, where the operating system or the handshake says what happened.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
