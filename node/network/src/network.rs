//! The handle that the node sends with, and how the network is started.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chain_types::PublicKey;
use futures::StreamExt as _;
use libp2p::core::transport::TransportError;
use libp2p::metrics::Registry;
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, PeerId, Swarm};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::address::{self, Address};
use crate::command::{Answer, Command, commands_max};
use crate::config::{Membership, NetworkConfig, Peer};
use crate::dialer::Dialer;
use crate::driver::Driver;
use crate::event::{Events, Inbox};
use crate::fault::{NetworkFault, RequestError};
use crate::gate::Gate;
use crate::lane::Lane;
use crate::lanes::Lanes;
use crate::metrics::{Loss, Metrics};
use crate::referee::Referee;
use crate::remote::{Remote, Remotes};
use crate::strikes::{Ignored, Rules, Strike};
use crate::swarm::{self, Behaviour, BehaviourEvent};
use crate::throttle::Throttle;
use crate::watchdog::Watchdog;

/// How long the listener may take to tell its address.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(5);

/// A handle on the running network. Cheap to clone; all clones are one network, which runs until
/// its cancellation token is cancelled.
#[derive(Debug, Clone)]
pub struct Network {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    remotes: Arc<Remotes>,
    own: PublicKey,
    membership: watch::Sender<Membership>,
    metrics: Metrics,
    referee: Referee,
    commands: mpsc::Sender<Command>,
    frame_bytes_max: [usize; 2],
    request_bytes_max: usize,
    listen_address: SocketAddr,
    tracker: TaskTracker,
}

impl Network {
    /// Starts listening and dialling, on the current tokio runtime.
    ///
    /// Figures are registered under the prefixes `network` and `libp2p`.
    ///
    /// # Errors
    /// [`NetworkFault`] if the configuration cannot work or the address cannot be bound.
    pub async fn start(
        config: NetworkConfig,
        registry: &mut Registry,
        cancel: CancellationToken,
    ) -> Result<(Self, Events), NetworkFault> {
        config.limits.check()?;
        let ids = allowed_ids(&config)?;
        let remotes = Arc::new(Remotes::default());
        let dialer = dialer(&config)?;
        let metrics = Metrics::register(registry);
        let gate = Gate::new(&config.limits, metrics.clone());
        let mut swarm = swarm::build(&config, &ids, &gate, registry)?;
        let swarm_metrics = libp2p::metrics::Metrics::new(registry);
        let (listen_address, early) = listen(&mut swarm, &config.listen).await?;
        tracing::info!(
            address = %listen_address, id = %swarm.local_peer_id(), peers = config.peers.len(),
            allowed = ids.len(), "network listening"
        );

        let limits = config.limits;
        let (inbox, events) = Inbox::new();
        let (commands, command_receiver) = mpsc::channel(commands_max(&limits));
        let first = Membership { allowed: config.allowed.clone(), peers: None };
        let (membership, membership_receiver) = watch::channel(first);
        let referee = Referee {
            rules: Rules::from(&limits),
            metrics: metrics.clone(),
            commands: commands.clone(),
        };
        let lanes = Lanes::new(&config.chain_id, &inbox, &referee, cancel)?;
        for lane in Lane::ALL {
            lanes.read(lane, &limits, &remotes, &swarm.behaviour().streams)?;
        }
        let tracker = lanes.tracker.clone();
        let mut driver = Driver {
            own: config.key.public_key(),
            membership: membership_receiver,
            swarm,
            remotes: Arc::clone(&remotes),
            limits,
            metrics: metrics.clone(),
            referee: referee.clone(),
            swarm_metrics,
            inbox,
            commands: command_receiver,
            commands_sender: commands.clone(),
            dialer,
            gate,
            lanes,
            books: BTreeMap::new(),
            watchdog: Watchdog::new(limits.ping_interval, limits.ping_timeout, Instant::now()),
            pending: VecDeque::new(),
            asked: HashMap::new(),
            serving: HashMap::new(),
            reported: Instant::now(),
            refusals: Throttle::default(),
            accept_errors: Throttle::default(),
        };
        // Now, so that what is sent from here on finds its queue.
        driver.follow_allowed();
        tracker.spawn(driver.run(early));
        tracker.close();
        let inner = Inner {
            remotes,
            own: config.key.public_key(),
            membership,
            metrics,
            referee,
            commands,
            frame_bytes_max: Lane::ALL.map(|lane| limits.lane(lane).frame_bytes_max),
            request_bytes_max: limits.request_bytes_max,
            listen_address,
            tracker,
        };
        Ok((Self { inner: Arc::new(inner) }, events))
    }

    /// From soon on, exactly these keys may connect, this node's own aside. Those that come are
    /// let in, and dialled if [`NetworkConfig::peers`] has their address; the links of those that
    /// go are closed. Returns at once; of several calls in a row, the last one holds.
    pub fn allow(&self, allowed: BTreeSet<PublicKey>) {
        self.inner.membership.send_modify(|membership| membership.allowed = allowed);
    }

    /// [`Self::allow`], with the peers to dial in place of those known before: the same machines
    /// may have other keys.
    ///
    /// # Errors
    /// When a peer's address is none; nothing has changed then.
    pub fn follow(&self, allowed: BTreeSet<PublicKey>, peers: &[Peer]) -> Result<(), NetworkFault> {
        let peers = Some(addresses(peers, self.inner.own)?);
        self.inner.membership.send_replace(Membership { allowed, peers });
        Ok(())
    }

    /// Queues a message for one peer; never waits. A message that cannot travel is dropped and
    /// counted: the key is unknown, the size is zero or above the lane's limit, the queue is full
    /// (see [`Lane`]), or, on the bulk lane, the peer is not linked. Consensus messages wait for
    /// an absent peer until they are stale.
    pub fn send(&self, to: PublicKey, lane: Lane, bytes: Bytes) {
        if !self.fits(lane, &bytes) {
            return;
        }
        match self.inner.remotes.get(&to) {
            Some(remote) if lane == Lane::Consensus || remote.is_linked() => {
                self.queue(&remote, lane, bytes);
            }
            Some(_) => self.inner.metrics.dropped(lane, Loss::NotConnected, 1),
            None => self.inner.metrics.dropped(lane, Loss::UnknownPeer, 1),
        }
    }

    /// [`Self::send`] to every allowed peer, but peers that are away are not counted as losses.
    /// The bytes are shared, not copied.
    pub fn broadcast(&self, lane: Lane, bytes: Bytes) {
        if !self.fits(lane, &bytes) {
            return;
        }
        for remote in self.inner.remotes.all() {
            if lane == Lane::Consensus || remote.is_linked() {
                self.queue(&remote, lane, bytes.clone());
            }
        }
    }

    fn fits(&self, lane: Lane, bytes: &Bytes) -> bool {
        let limit = match lane {
            Lane::Consensus => self.inner.frame_bytes_max[0],
            Lane::Bulk => self.inner.frame_bytes_max[1],
        };
        let fits = (1..=limit).contains(&bytes.len());
        if !fits {
            let (lane_name, bytes) = (lane.name(), bytes.len());
            tracing::error!(lane = lane_name, bytes, limit, "message cannot be sent");
            self.inner.metrics.dropped(lane, Loss::BadSize, 1);
        }
        fits
    }

    fn queue(&self, remote: &Remote, lane: Lane, bytes: Bytes) {
        let dropped = remote.lane(lane).queue.push(bytes, Instant::now());
        // That the votes kept for an absent peer are bounded is no loss either.
        if remote.is_linked() {
            self.inner.metrics.dropped(lane, Loss::QueueFull, dropped);
        }
    }

    /// Asks a peer and waits for its answer, at most the request timeout. If the caller stops
    /// waiting, the request still holds its slot until it ends.
    ///
    /// # Errors
    /// [`RequestError`] when there is no answer; asking another peer is then the thing to do.
    pub async fn request(&self, to: PublicKey, bytes: Bytes) -> Result<Bytes, RequestError> {
        let remote = self.inner.remotes.get(&to).ok_or(RequestError::UnknownPeer)?;
        let limit = self.inner.request_bytes_max;
        if !(1..=limit).contains(&bytes.len()) {
            return Err(RequestError::RequestSize { actual: bytes.len(), limit });
        }
        if self.inner.commands.is_closed() {
            return Err(RequestError::Stopped);
        }
        if !remote.is_linked() {
            return Err(RequestError::NotConnected);
        }
        let slot =
            Arc::clone(&remote.requests).try_acquire_owned().map_err(|_| RequestError::Busy)?;
        let (sender, answer) = oneshot::channel();
        let command = Command::Request { key: to, bytes, answer: Answer { sender, slot } };
        self.inner.commands.try_send(command).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => RequestError::Busy,
            mpsc::error::TrySendError::Closed(_) => RequestError::Stopped,
        })?;
        answer.await.unwrap_or(Err(RequestError::Stopped))
    }

    /// Counts an offence that the node found in what a peer sent; true if the peer is banned now.
    /// Strikes are forgiven with time; too many within it ban the peer, and each ban lasts twice
    /// as long as the one before. A key that is not registered is not counted.
    pub fn strike(&self, key: PublicKey, kind: Strike) -> bool {
        let remote = self.inner.remotes.get(&key);
        remote.is_some_and(|remote| self.inner.referee.strike(&remote, kind))
    }

    /// Counts messages of a peer that the node dropped though they are no offence.
    pub fn ignored(&self, key: PublicKey, kind: Ignored, messages: u64) {
        if messages > 0 && self.inner.remotes.get(&key).is_some() {
            self.inner.metrics.ignored(key, kind, messages);
        }
    }

    /// Returns true if a peer is banned: what it sent before need not be handled.
    pub fn is_banned(&self, key: &PublicKey) -> bool {
        self.inner.remotes.get(key).is_some_and(|remote| remote.is_banned())
    }

    /// The peers that can be sent to now, by key, ascending.
    pub fn connected(&self) -> Vec<PublicKey> {
        let ready = self.inner.remotes.all().into_iter().filter(|remote| remote.is_ready());
        ready.map(|remote| remote.key).collect()
    }

    /// Returns the address at which this node accepts connections: the address asked for, with the
    /// port in use.
    pub fn listen_address(&self) -> SocketAddr {
        self.inner.listen_address
    }

    /// Returns once the network was cancelled and every task of it has ended.
    pub async fn wait_stopped(&self) {
        self.inner.tracker.wait().await;
    }
}

/// The name that libp2p gives to the holder of `key`, as other tools show it; the key's
/// hexadecimal digits if the bytes are no ed25519 key.
pub fn peer_id(key: &PublicKey) -> String {
    swarm::peer_id_of(key).map_or_else(|| key.to_string(), |id| id.to_string())
}

/// Returns libp2p's ids of the allowed peers other than this node.
fn allowed_ids(config: &NetworkConfig) -> Result<Vec<PeerId>, NetworkFault> {
    let own = config.key.public_key();
    let others = config.allowed.iter().filter(|key| **key != own);
    let id = |key: &PublicKey| {
        let fault = || NetworkFault::Key { field: "allowed".to_owned(), key: *key };
        swarm::peer_id_of(key).ok_or_else(fault)
    };
    others.map(id).collect()
}

fn dialer(config: &NetworkConfig) -> Result<Dialer, NetworkFault> {
    let peers = addresses(&config.peers, config.key.public_key())?;
    Ok(Dialer::new(peers, config.limits.redial_min, config.limits.redial_max))
}

/// Returns the addresses at which the other nodes listen.
fn addresses(peers: &[Peer], own: PublicKey) -> Result<BTreeMap<PublicKey, Address>, NetworkFault> {
    let mut found = BTreeMap::new();
    for (index, peer) in peers.iter().enumerate() {
        let address = Address::parse(&format!("peers[{index}].address"), &peer.address)?;
        if peer.key != own {
            found.insert(peer.key, address);
        }
    }
    Ok(found)
}

/// Binds the address, and gives it with the port in use and the events that came meanwhile.
async fn listen(
    swarm: &mut Swarm<Behaviour>,
    text: &str,
) -> Result<(SocketAddr, Vec<SwarmEvent<BehaviourEvent>>), NetworkFault> {
    let not_ip = |problem: &str| NetworkFault::Address {
        field: "listen".to_owned(),
        value: text.to_owned(),
        problem: problem.to_owned(),
    };
    let Address::Direct(wanted) = Address::parse("listen", text)? else {
        return Err(not_ip("a name cannot be listened on; use an IP address, such as 0.0.0.0"));
    };
    let Some(wanted_socket) = address::socket(&wanted) else {
        return Err(not_ip("only TCP over IP is spoken"));
    };
    let fault = |source| NetworkFault::Listen { address: text.to_owned(), source };
    // libp2p shares its ports, so that a second node on one port would start, and steal half of
    // the connections. This does not share: it fails if anybody listens there.
    drop(std::net::TcpListener::bind(wanted_socket).map_err(fault)?);
    swarm.listen_on(wanted).map_err(|error| match error {
        TransportError::MultiaddrNotSupported(_) => not_ip("only TCP over IP is spoken"),
        TransportError::Other(error) => fault(error),
    })?;
    let mut early = Vec::new();
    let bound: Multiaddr = loop {
        match timeout(LISTEN_TIMEOUT, swarm.select_next_some()).await {
            Ok(SwarmEvent::NewListenAddr { address, .. }) => break address,
            Ok(SwarmEvent::ListenerClosed { reason: Err(source), .. }) => {
                return Err(fault(source));
            }
            Ok(event) => early.push(event),
            Err(_) => return Err(fault(std::io::ErrorKind::TimedOut.into())),
        }
    };
    let port = address::socket(&bound).map_or(wanted_socket.port(), |socket| socket.port());
    Ok((SocketAddr::new(wanted_socket.ip(), port), early))
}
