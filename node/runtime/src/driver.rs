//! The thread that drives the replica: inputs in, effects carried out in their order. What must
//! be durable is on disk before the effect after it begins; a write that fails stops the node.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use chain_store::{BlockRecords, Cell, ChainStore as _, Log, Store, StoreFault};
use chain_types::registry::network_keys;
use chain_types::{Equivocation, ExecutedBlock, Height, Node, PublicKey, Round, TimeMs, codec};
use node_home::archive::{ReadFault, StoreArchive};
use node_home::opening::{Outdated, check_version};
use node_network::{Lane, Network, Strike};
use node_replica::{
    Effect, Input, NodeIndex, PeerMessage, Replica, Role, Rules, SharedState, Target, read_state,
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info};

use super::checkpoints::{self, Checkpoints, Work};
use super::hub::Hub;
use super::inbox::InputReceiver;
use super::metrics::NodeMetrics;
use super::own_keys::{self, Ended};
use super::peers::{Directory, PeerWork};
use super::standing::{Registration, tell_role};
use super::timers::Timers;
use super::vitals::Vitals;
use super::watch::Watch;

/// How often others are shown where the replica stands, and the operator is told, at most.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Why the driver cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DriverFault {
    /// A write to the store failed.
    #[error("the store failed: {0}")]
    Store(#[from] StoreFault),
    /// A record of the past that contracts need could not be read.
    #[error("the past could not be read: {0}")]
    Past(#[from] ReadFault),
    /// The chain has gone on to a later protocol version.
    #[error(transparent)]
    Outdated(#[from] Outdated),
}

/// Everything the driver acts upon.
pub struct Driver {
    /// The replica, which decides.
    pub replica: Replica,
    /// The node's role in consensus when the operator was last told.
    pub role: Role,
    /// This node's entry in the registry.
    pub registration: Registration,
    /// The rules in force, which governance changes.
    pub rules: Arc<Rules>,
    /// The registry's nodes as this node knows them.
    pub nodes: Vec<Node>,
    /// Network keys that were withdrawn lately and may still fetch blocks.
    pub leaving: Vec<PublicKey>,
    /// The committed state, which the replica writes.
    pub state: SharedState,
    /// The port through which the replica reads the past.
    pub archive: Arc<StoreArchive>,
    /// The store of blocks and indexes.
    pub store: Arc<Store>,
    /// The consensus log, open for writing.
    pub log: Log,
    /// Entries for the consensus log that nothing sent depends on yet.
    pub unwritten: Vec<(Height, Vec<u8>)>,
    /// The writer of checkpoints.
    pub checkpoints: Checkpoints,
    /// The vote guard's file.
    pub guard: Cell,
    /// The network, which leads to the peers.
    pub network: Network,
    /// The nodes by their network keys.
    pub directory: Arc<Directory>,
    /// Requests to peers, carried out elsewhere.
    pub requests: tokio::sync::mpsc::Sender<PeerWork>,
    /// The callers that wait for a batch or a block.
    pub hub: Arc<Hub>,
    /// The figures that other tasks read.
    pub vitals: Arc<Vitals>,
    /// When the operator is told that something is amiss.
    pub watch: Watch,
    /// The figures that the driver keeps.
    pub metrics: Arc<NodeMetrics>,
}

/// The wall clock. Only block times and id times are compared with it; no timer runs on it.
pub fn wall_clock() -> TimeMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    TimeMs::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

impl Driver {
    /// Runs until `stop`, which is noticed within half a second, until the inputs end, or until
    /// governance has taken this node's keys away.
    ///
    /// # Errors
    /// The first write or read that failed, or a version that is not known; nothing is sent after.
    pub fn run(
        mut self,
        first: Input,
        inputs: &InputReceiver,
        stop: &CancellationToken,
    ) -> Result<Ended, DriverFault> {
        tell_role(self.role, self.replica.height());
        self.vitals.publish(self.replica.progress());
        let mut timers = Timers::default();
        let result =
            self.step(&mut timers, first).and_then(|()| self.turn(&mut timers, inputs, stop));
        if let Err(fault) = &result {
            self.vitals.failed.store(true, Ordering::Relaxed);
            self.hub.failed();
            error!(%fault, "the node stops, so that nothing is promised that it cannot keep");
        }
        self.checkpoints.finish();
        result?;
        Ok(self.registration.ending().cloned().unwrap_or(Ended::Asked))
    }

    fn turn(
        &mut self,
        timers: &mut Timers,
        inputs: &InputReceiver,
        stop: &CancellationToken,
    ) -> Result<(), DriverFault> {
        let (mut looked, mut idle) = (Instant::now(), Duration::ZERO);
        while !stop.is_cancelled() && self.registration.ending().is_none() {
            if looked.elapsed() >= LOOK_EVERY {
                self.vitals.record_load(std::mem::take(&mut idle), looked.elapsed());
                looked = Instant::now();
                self.look();
            }
            while let Some(timer) = timers.pop(Instant::now()) {
                self.step(timers, Input::Timer(timer))?;
            }
            let waiting = Instant::now();
            let input = inputs.recv_timeout(timers.wait(waiting));
            idle += waiting.elapsed();
            match input {
                Ok(input) => self.step(timers, input)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Ok(())
    }

    fn step(&mut self, timers: &mut Timers, input: Input) -> Result<(), DriverFault> {
        let started = Instant::now();
        if let Input::Message { from, message: PeerMessage::Status { height } } = &input {
            self.vitals.hear(*from, *height);
        }
        let effects = self.replica.handle(wall_clock(), input);
        // What was executed without a part of the past must not become known.
        self.archive.check()?;
        self.metrics.decide_seconds.inc_by(started.elapsed().as_secs_f64());
        for effect in effects {
            self.carry_out(timers, effect)?;
        }
        let role = self.replica.role();
        if std::mem::replace(&mut self.role, role) != role {
            tell_role(role, self.replica.height());
            self.vitals.publish(self.replica.progress());
        }
        let (batches, items) = self.replica.pool_size();
        self.vitals.pool_batches.store(batches as u64, Ordering::Relaxed);
        self.vitals.pool_items.store(items, Ordering::Relaxed);
        self.vitals
            .best_peer_height
            .store(self.replica.best_peer_height().get(), Ordering::Relaxed);
        check_version(read_state(&self.state).protocol_version())?;
        Ok(())
    }

    fn carry_out(&mut self, timers: &mut Timers, effect: Effect) -> Result<(), StoreFault> {
        match effect {
            Effect::Send { to, message } => {
                self.write_log()?;
                self.send(to, &message);
            }
            Effect::SendBatch(batch) => {
                for key in self.directory.validators() {
                    self.network.send(key, Lane::Bulk, batch.bytes().clone());
                }
            }
            Effect::Stage(staged) => {
                let started = Instant::now();
                self.store.stage(&staged)?;
                self.metrics.stage_seconds.observe(started.elapsed().as_secs_f64());
            }
            Effect::Persist { height, entry } => self.unwritten.push((height, entry)),
            Effect::Guard(bytes) => {
                self.write_log()?;
                self.guard.write(&bytes)?;
            }
            Effect::PruneLog(below) => {
                // Entries that nothing was sent upon need not be written any more.
                self.unwritten.retain(|(height, _)| *height >= below);
                self.log.prune(below);
            }
            Effect::Schedule { timer, after_ms } => {
                timers.schedule(Instant::now(), timer, after_ms);
            }
            Effect::Cancel(timer) => timers.cancel(&timer),
            Effect::CancelConsensusTimers => timers.cancel_consensus(),
            Effect::RequestBatches { from, ids } => self.ask(PeerWork::Batches { from, ids }),
            Effect::RequestBlocks { from, height } => self.ask(PeerWork::Blocks { from, height }),
            Effect::Batches { token, batches, missing } => {
                self.hub.found(token, batches, missing);
            }
            Effect::Submitted { token, result } => self.hub.submitted(token, result),
            Effect::Commit { certificate, staged, records, writes, account_nodes, retired } => {
                let started = Instant::now();
                self.count_own_vote(&certificate);
                let learned = BlockRecords { records, writes, account_nodes, retired };
                self.store.commit(&certificate, learned)?;
                self.metrics.commit_seconds.observe(started.elapsed().as_secs_f64());
                self.committed(&staged, certificate.round);
            }
            Effect::Checkpoint { height, snapshot, proposers } => {
                if !self.checkpoints.write(Work { height, snapshot, proposers }) {
                    self.replica.checkpoint_left_out();
                }
            }
            Effect::CheckpointLeftOut(height) => checkpoints::left_out(height),
            Effect::Dropped(ids) => self.hub.dropped(&ids),
            Effect::Evidence(evidence) => self.caught(&evidence),
            Effect::Trouble(trouble) => error!(trouble, "consensus"),
            Effect::Distrust { node, reason } => {
                debug!(peer = self.directory.name(node), reason, "peer sent an invalid message");
                self.strike(node, Strike::Invalid);
            }
        }
        Ok(())
    }

    fn strike(&self, node: NodeIndex, kind: Strike) {
        if let Some(key) = self.directory.key(node) {
            self.network.strike(key, kind);
        }
    }

    /// A validator has signed two values for one step. The next blocks carry the proof, by which it
    /// loses its turns; its connection it loses at once.
    fn caught(&self, evidence: &Equivocation) {
        let node = NodeIndex::new(evidence.validator().get());
        error!(
            validator = self.directory.name(node),
            height = %evidence.height(),
            round = %evidence.round(),
            what = evidence.kind().name(),
            "validator signed two values for one step"
        );
        self.strike(node, Strike::Equivocation);
    }

    /// Makes what consensus asked for durable, with one sync.
    fn write_log(&mut self) -> Result<(), StoreFault> {
        let Some((height, _)) = self.unwritten.last() else { return Ok(()) };
        let height = *height;
        let entries: Vec<Vec<u8>> = self
            .unwritten
            .drain(..)
            .filter_map(|(of, entry)| (of == height).then_some(entry))
            .collect();
        self.log.append(height, &entries)
    }

    fn send(&self, to: Target, message: &PeerMessage) {
        let bytes = Bytes::from(codec::encode(message));
        match to {
            Target::Validators => {
                for key in self.directory.validators() {
                    self.network.send(key, Lane::Consensus, bytes.clone());
                }
            }
            Target::All => self.network.broadcast(Lane::Consensus, bytes),
            Target::Node(node) => {
                if let Some(key) = self.directory.key(node) {
                    self.network.send(key, Lane::Consensus, bytes);
                }
            }
        }
    }

    fn ask(&self, work: PeerWork) {
        // When too many wait, or the node stops, it is not asked; the replica's timer asks again.
        if self.requests.try_send(work).is_err() {
            debug!("a request to a peer was left out");
        }
    }

    /// Takes over the nodes of the registry, if they have changed: who is who, who may connect, and
    /// what it says of this one.
    fn follow_nodes(&mut self) {
        let rules = self.state.rules();
        let has_new_rules = !Arc::ptr_eq(&rules, &self.rules);
        if has_new_rules {
            self.nodes = own_keys::nodes_known(self.registration.config(), &rules.registry);
            self.rules = rules;
        }
        let (height, _) = self.state.head();
        let registry = &self.rules.registry;
        // Only new rules withdraw keys: no block looks through all that were ever withdrawn.
        let may_leave = has_new_rules || !self.leaving.is_empty();
        let leaving = if may_leave { own_keys::leaving(registry, height) } else { Vec::new() };
        let has_changed = self.directory.follow(height, &self.nodes);
        if has_changed || leaving != self.leaving {
            let peers = own_keys::peers(self.registration.config(), registry, &self.nodes);
            let allowed = network_keys(&self.nodes).chain(leaving.iter().copied()).collect();
            if let Err(fault) = self.network.follow(allowed, &peers) {
                error!(%fault, "the peers stay as they are");
            }
            self.leaving = leaving;
        }
        if has_changed {
            self.registration.follow(registry);
        }
    }

    fn committed(&mut self, staged: &ExecutedBlock, round: Round) {
        let header = &staged.block.header;
        let orders: usize = staged.outcomes.iter().map(Vec::len).sum();
        self.follow_nodes();
        self.vitals.commit(header.height);
        self.metrics.committed(header, round, orders as u64);
        self.hub.committed(&staged.block, &staged.outcomes);
        let is_news = !self.vitals.is_catching_up();
        let passed_over = is_news.then(|| self.replica.passed_over());
        let notices = self.watch.commit(Instant::now(), header, passed_over);
        self.tell_all(notices);
        let batches = staged.block.batches.len();
        debug!(height = %header.height, %round, batches, orders, "committed");
        if round.get() > 0 {
            info!(height = %header.height, %round, "took more than one round");
        }
    }
}
