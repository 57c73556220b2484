//! One connection and who calls over it: its place, the bytes it holds, the deadline of what is
//! being written to it.

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::access::Credential;
use crate::config::ServerConfig;
use crate::metrics::RpcMetrics;
use crate::shares::{Activity, Claim, Full, Shares};

/// The bytes that a call takes while it is in hand, whatever its parameters: its tasks and its
/// place in a queue. A list of 32 takes 32 times as much.
pub(crate) const CALL_BYTES: u64 = 4 * 1024;

/// The pools of which all connections have shares.
#[derive(Debug)]
pub(crate) struct Pools {
    pub(crate) connections: Arc<Shares>,
    /// Bytes of request bodies and of WebSocket messages, from their first byte to their answer,
    /// and of the calls in them.
    pub(crate) bodies: Arc<Shares>,
    /// Bytes of answers that are made and not yet written.
    pub(crate) answers: Arc<Shares>,
    pub(crate) subscriptions: Arc<Shares>,
}

impl Pools {
    pub(crate) fn new(config: &ServerConfig, metrics: &RpcMetrics) -> Self {
        let shares = |limit, max: u32, address_max: u32, held| {
            let (max, address_max) = (u64::from(max).max(1), u64::from(address_max).max(1));
            Shares::new(max, address_max, held, metrics.made_way(limit))
        };
        let body = config.body_bytes_max;
        Self {
            connections: shares(
                "connections",
                config.connections_max,
                config.connections_per_address_max,
                metrics.connections.clone(),
            ),
            bodies: shares(
                "bodies",
                config.bodies_bytes_max.max(body),
                config.bodies_bytes_per_address_max.max(body),
                metrics.bodies_bytes.clone(),
            ),
            answers: shares(
                "answers",
                config.answers_bytes_max,
                config.answers_bytes_per_address_max,
                metrics.answers_bytes.clone(),
            ),
            subscriptions: shares(
                "subscriptions",
                config.subscriptions_max,
                config.subscriptions_per_address_max,
                metrics.subscriptions_shared.clone(),
            ),
        }
    }
}

/// The caller of methods: the address that calls count for, and the bytes it holds for them.
#[derive(Debug)]
pub(crate) struct Caller {
    /// The address that its calls count for: its token's account, or else the client's, which a
    /// trusted proxy names.
    pub(crate) address: IpAddr,
    /// The token that the caller shows.
    pub(crate) credential: Credential,
    pub(crate) activity: Arc<Activity>,
    bodies: Claim,
    answers: Claim,
    pub(crate) subscriptions: Claim,
}

impl Caller {
    pub(crate) fn new(
        address: IpAddr,
        credential: Credential,
        activity: &Arc<Activity>,
        pools: &Pools,
    ) -> Arc<Self> {
        Arc::new(Self {
            address,
            credential,
            activity: activity.clone(),
            bodies: pools.bodies.claim(address, activity),
            answers: pools.answers.claim(address, activity),
            subscriptions: pools.subscriptions.claim(address, activity),
        })
    }

    /// Counts bytes of a body as held; none as yet.
    pub(crate) fn body(self: &Arc<Self>) -> HeldBytes {
        HeldBytes { caller: self.clone(), of: Of::Bodies, amount: 0 }
    }

    /// Counts what so many calls take until they are answered, on top of their message's bytes.
    ///
    /// # Errors
    /// When the address holds its share of bodies and calls.
    pub(crate) fn hold_calls(self: &Arc<Self>, calls: usize) -> Result<HeldBytes, Full> {
        let mut held = self.body();
        held.grow((calls as u64).saturating_mul(CALL_BYTES))?;
        Ok(held)
    }

    /// Counts an answer's bytes as held until they are written.
    ///
    /// # Errors
    /// When the address leaves too many answers unread.
    pub(crate) fn hold_answer(self: &Arc<Self>, bytes: usize) -> Result<HeldBytes, Full> {
        let mut held = HeldBytes { caller: self.clone(), of: Of::Answers, amount: 0 };
        held.grow(bytes as u64)?;
        Ok(held)
    }
}

#[derive(Debug, Clone, Copy)]
enum Of {
    Bodies,
    Answers,
}

/// Bytes that count for an address until this is dropped.
#[derive(Debug)]
pub(crate) struct HeldBytes {
    caller: Arc<Caller>,
    of: Of,
    amount: u64,
}

impl HeldBytes {
    fn claim(&self) -> &Claim {
        match self.of {
            Of::Bodies => &self.caller.bodies,
            Of::Answers => &self.caller.answers,
        }
    }

    pub(crate) fn amount(&self) -> u64 {
        self.amount
    }

    /// Counts `bytes` more, if they fit the share.
    pub(crate) fn grow(&mut self, bytes: u64) -> Result<(), Full> {
        self.claim().grow(bytes)?;
        self.amount += bytes;
        Ok(())
    }
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        if self.amount > 0 {
            self.claim().shrink(self.amount);
        }
    }
}

/// The answer that is being written to a connection.
#[derive(Debug, Default)]
struct Writes {
    count: u32,
    /// By when all of it must be taken, since the connection was opened.
    by: Duration,
}

/// One connection. It lives as long as its socket or anything made over it.
#[derive(Debug)]
pub(crate) struct Connection {
    /// The address at the other end of the socket.
    pub(crate) peer: IpAddr,
    pub(crate) activity: Arc<Activity>,
    /// The caller, unless the peer is a proxy that speaks for others.
    own_caller: Arc<Caller>,
    /// The token of a WebSocket, which ends with it.
    pub(crate) credential: OnceLock<Credential>,
    /// The place among the connections; a WebSocket behind a proxy moves to its client's address.
    place: Mutex<Claim>,
    started: Instant,
    writes: Mutex<Writes>,
    write_timeout: Duration,
    write_bytes_per_second_min: u64,
}

impl Connection {
    /// A connection with a place among the others.
    ///
    /// # Errors
    /// When there is no place for the address.
    pub(crate) fn open(
        peer: IpAddr,
        is_proxy: bool,
        config: &ServerConfig,
        pools: &Pools,
    ) -> Result<Arc<Self>, Full> {
        let activity = Activity::new(config.subscriptions_per_connection_max);
        let place = if is_proxy {
            pools.connections.claim_of_proxy(peer, &activity)
        } else {
            pools.connections.claim(peer, &activity)
        };
        place.grow(1)?;
        Ok(Arc::new(Self {
            peer,
            own_caller: Caller::new(peer, Credential::None, &activity, pools),
            credential: OnceLock::new(),
            place: Mutex::new(place),
            activity,
            started: Instant::now(),
            writes: Mutex::default(),
            write_timeout: Duration::from_millis(config.write_timeout_ms),
            write_bytes_per_second_min: config.write_bytes_per_second_min.max(1).into(),
        }))
    }

    /// The caller at `address` over this connection.
    pub(crate) fn caller(
        &self,
        address: IpAddr,
        credential: Credential,
        pools: &Pools,
    ) -> Arc<Caller> {
        if address == self.peer && matches!(credential, Credential::None) {
            return self.own_caller.clone();
        }
        Caller::new(address, credential, &self.activity, pools)
    }

    /// Counts the connection for the client behind a proxy from now on.
    ///
    /// # Errors
    /// When there is no place for that address.
    pub(crate) fn move_to(&self, address: IpAddr, pools: &Pools) -> Result<(), Full> {
        if address == self.peer {
            return Ok(());
        }
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        place.shrink(1);
        let moved = pools.connections.claim(address, &self.activity);
        moved.grow(1)?;
        *place = moved;
        Ok(())
    }

    /// Marks `bytes` as being written until the result is dropped: they must be taken by a time
    /// that grows with their number.
    pub(crate) fn begin_write(self: &Arc<Self>, bytes: usize) -> Writing {
        let at_rate_ms = (bytes as u64).saturating_mul(1_000) / self.write_bytes_per_second_min;
        let mut writes = self.writes();
        // More to write does not put off what is due for what is being written.
        if writes.count == 0 {
            writes.by = self.started.elapsed() + self.write_timeout;
        }
        writes.by += Duration::from_millis(at_rate_ms);
        writes.count += 1;
        Writing(self.clone())
    }

    /// Returns true if its peer has not taken in time what was written.
    pub(crate) fn is_overdue(&self) -> bool {
        let writes = self.writes();
        writes.count > 0 && self.started.elapsed() > writes.by
    }

    fn writes(&self) -> MutexGuard<'_, Writes> {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a message as in hand until the result is dropped.
    pub(crate) fn begin_message(&self, metrics: &RpcMetrics) -> InHand {
        InHand::new(&self.activity, metrics)
    }
}

/// Bytes that are being written.
#[derive(Debug)]
pub(crate) struct Writing(Arc<Connection>);

impl Drop for Writing {
    fn drop(&mut self) {
        let mut writes = self.0.writes();
        writes.count = writes.count.saturating_sub(1);
    }
}

/// A message in hand.
#[derive(Debug)]
pub(crate) struct InHand {
    activity: Arc<Activity>,
    gauge: prometheus_client::metrics::gauge::Gauge,
}

impl InHand {
    pub(crate) fn new(activity: &Arc<Activity>, metrics: &RpcMetrics) -> Self {
        activity.in_hand.fetch_add(1, Ordering::AcqRel);
        metrics.messages_in_hand.inc();
        Self { activity: activity.clone(), gauge: metrics.messages_in_hand.clone() }
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.activity.in_hand.fetch_sub(1, Ordering::AcqRel);
        self.gauge.dec();
    }
}
