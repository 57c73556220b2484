//! The event loop of one run: virtual time, nodes that live and die, and the checkers.

use std::collections::BTreeMap;
use std::sync::Arc;

use chain_types::{BatchId, ChainGenesis, Digest, Height, TimeMs, ValidatorId, ValidatorSet};
use consensus_core::Message;
use node_replica::{
    Checkpoint, CheckpointInterval, Config, Effect, Input, NodeIndex, NodeKeys, PeerMessage,
    Replica, SharedState, StagedBlock, SyncBlock, Target, Timer, read_state,
};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::checks::{Agreement, Audit, Books, Coverage, Newcomers, Observer, Votes, has_returns};
use crate::clients::Clients;
use crate::faults::{Fault, FaultPlan, Faults, SLEEP_MS};
use crate::network::Network;
use crate::node::Node;
use crate::setup::{GENESIS_NODES, GENESIS_TIME, NODES, genesis, network_key, node_key};
use crate::trace::Trace;
use crate::villains::Boaster;

/// Mean time between two batches of the clients.
const CLIENT_EVERY_MS: u64 = 60;
/// A request that is lost counts as failed after this long.
const REQUEST_FAILS_AFTER_MS: u64 = 500;
/// Blocks in one answer.
const ANSWER_BLOCKS_MAX: usize = 16;
/// Healed phases that a run may take: a validator that is locked on a block which others have not
/// seen agreed, while another stays silent, waits for its own turn to propose, and rounds grow.
const HEALED_PHASES_MAX: u64 = 5;
/// Blocks that the healed phase must bring, at the least.
const HEALED_BLOCKS_MIN: u64 = 3;
/// How far a node's clock may be off, either way.
const CLOCK_OFF_MS: u64 = 400;

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The digest of everything that happened.
    pub trace: Digest,
    /// Blocks decided.
    pub height: Height,
    /// Orders that entered the books.
    pub orders: u64,
    /// What else happened, and how often.
    pub coverage: Coverage,
    /// Crashes that happened.
    pub crashes: u64,
    /// Validators that lost their disks and voted again.
    pub returned: u64,
    /// Virtual milliseconds that passed.
    pub virtual_ms: u64,
}

enum Event {
    Input { node: u32, life: u32, input: Box<Input> },
    Timer { node: u32, life: u32, timer: Timer, number: u64 },
    BatchesWanted { node: u32, asker: u32, ids: Vec<BatchId> },
    BlocksWanted { node: u32, asker: u32, from: Height },
    Fault(Fault),
    EndPartition,
    EndMute(u32),
    Restart(u32),
    Client,
    Heal,
}

struct World {
    genesis: Arc<ChainGenesis>,
    random: ChaCha8Rng,
    now_ms: u64,
    number: u64,
    queue: BTreeMap<(u64, u64), Event>,
    nodes: Vec<Node>,
    network: Network,
    boaster: Option<Boaster>,
    clients: Clients,
    slept_ms: u64,
    askers: BTreeMap<u64, u32>,
    agreement: Agreement,
    votes: Votes,
    newcomers: Newcomers,
    books: Books,
    audit: Audit,
    observer: Observer,
    trace: Trace,
    crashes: u64,
}

/// Runs one seed.
///
/// # Errors
/// The first invariant that broke, in words.
pub fn simulate(seed: u64, plan: &FaultPlan) -> Result<Report, String> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let faults = Faults::draw(plan, &mut random);
    let mut world = World::new(random, &faults, plan.boaster);
    for (at, fault) in &faults.events {
        world.at(*at, Event::Fault(*fault));
    }
    world.at(plan.fault_ms, Event::Heal);
    world.at(1, Event::Client);
    let mut end = plan.fault_ms + plan.healed_ms;
    let last = plan.fault_ms + HEALED_PHASES_MAX * plan.healed_ms;
    let mut head_at_heal = Height::default();
    while let Some((&(at, number), _)) = world.queue.first_key_value() {
        if at > end {
            if end >= last || world.has_recovered(head_at_heal).is_ok() {
                break;
            }
            end += plan.healed_ms;
        }
        if at <= plan.fault_ms {
            head_at_heal = world.agreement.head();
        }
        let Some(event) = world.queue.remove(&(at, number)) else { break };
        world.now_ms = at;
        world.happen(event)?;
    }
    world.has_recovered(head_at_heal)?;
    world.judge()?;
    Ok(Report {
        trace: world.trace.digest(),
        height: world.agreement.head(),
        orders: world.books.accepted,
        coverage: world.observer.seen,
        crashes: world.crashes,
        returned: world.newcomers.returned(),
        virtual_ms: end,
    })
}

impl World {
    fn new(mut random: ChaCha8Rng, faults: &Faults, boaster: Option<Boaster>) -> Self {
        let genesis = genesis();
        let nodes = (0..NODES)
            .map(|_| Node::new(&genesis, random.random_range(0..=2 * CLOCK_OFF_MS)))
            .collect();
        let network = Network {
            loss_per_mille: faults.loss_per_mille,
            delay_ms_max: faults.delay_ms_max,
            sides: 0,
            muted: 0,
        };
        let audit = Audit::new(&genesis);
        let mut world = Self {
            genesis,
            random,
            now_ms: 0,
            number: 0,
            queue: BTreeMap::new(),
            nodes,
            network,
            boaster,
            // A node that has never voted is silent at first, as is one that lost its disk: both at
            // once are more than one faulty validator of five.
            clients: Clients::new(!faults.lose_disk()),
            slept_ms: 0,
            askers: BTreeMap::new(),
            agreement: Agreement::default(),
            votes: Votes::default(),
            newcomers: Newcomers::default(),
            books: Books::default(),
            audit,
            observer: Observer::default(),
            trace: Trace::default(),
            crashes: 0,
        };
        for node in 0..NODES {
            world.at(0, Event::Restart(node));
        }
        world
    }

    fn at(&mut self, at_ms: u64, event: Event) {
        self.number += 1;
        self.queue.insert((at_ms, self.number), event);
    }

    /// The true time.
    fn wall(&self) -> TimeMs {
        GENESIS_TIME.plus(1_000 + self.now_ms + self.slept_ms)
    }

    /// A node's clock.
    fn clock(&self, node: u32) -> TimeMs {
        self.wall().plus(self.nodes[node as usize].clock_off_ms).minus(CLOCK_OFF_MS)
    }

    /// Who votes on the next block, as a node knows it.
    fn validators(&self, node: u32) -> ValidatorSet {
        read_state(&self.nodes[node as usize].state).validators().clone()
    }

    fn happen(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Input { node, life, input } => {
                if self.nodes[node as usize].life == life {
                    self.feed(node, *input)?;
                }
            }
            Event::Timer { node, life, timer, number } => {
                let slot = &mut self.nodes[node as usize];
                if slot.life == life && slot.timers.get(&timer) == Some(&number) {
                    slot.timers.remove(&timer);
                    self.feed(node, Input::Timer(timer))?;
                }
            }
            Event::BatchesWanted { node, asker, ids } => {
                self.number += 1;
                let token = self.number;
                self.askers.insert(token, asker);
                self.feed(node, Input::BatchesWanted { ids, token })?;
            }
            Event::BlocksWanted { node, asker, from } => self.answer_blocks(node, asker, from),
            Event::Fault(fault) => self.fault(fault)?,
            Event::EndPartition => self.network.sides = 0,
            Event::EndMute(node) => self.network.muted &= !(1 << node),
            Event::Restart(node) => self.restart(node)?,
            Event::Client => self.client()?,
            Event::Heal => {
                self.network.heal();
                for node in &mut self.nodes {
                    node.doom = None;
                }
            }
        }
        Ok(())
    }

    fn fault(&mut self, fault: Fault) -> Result<(), String> {
        self.trace.note(self.now_ms, "fault", format!("{fault:?}").as_bytes());
        match fault {
            Fault::Crash { node, after_effects, away_ms } => {
                self.nodes[node as usize].doom = Some((after_effects, away_ms));
            }
            Fault::CrashAll { away_ms } => {
                for node in 0..NODES {
                    self.crash(node, away_ms)?;
                }
            }
            // See `newcomer` in node/replica for the chain's first two blocks.
            Fault::LoseDisk { .. } if self.agreement.head() < Height(3) => {}
            Fault::LoseDisk { node, away_ms } => {
                let has_vote = self.validators(node).get(ValidatorId(node)).is_some();
                self.crash(node, away_ms)?;
                self.nodes[node as usize].lose_disk();
                self.agreement.lost_disk(node);
                if has_vote {
                    self.newcomers.lost_disk(node);
                }
            }
            Fault::Sleep => self.slept_ms += SLEEP_MS,
            Fault::Partition { sides, for_ms } => {
                self.network.sides = sides;
                self.at(self.now_ms + for_ms, Event::EndPartition);
            }
            Fault::Mute { node, for_ms } => {
                self.network.muted |= 1 << node;
                self.at(self.now_ms + for_ms, Event::EndMute(node));
            }
        }
        Ok(())
    }

    fn crash(&mut self, node: u32, away_ms: u64) -> Result<(), String> {
        let slot = &mut self.nodes[node as usize];
        slot.doom = None;
        if slot.replica.take().is_none() {
            return Ok(());
        }
        slot.life += 1;
        slot.timers.clear();
        self.crashes += 1;
        self.trace.note(self.now_ms, "crash", &node.to_le_bytes());
        self.at(self.now_ms + away_ms, Event::Restart(node));
        for other in (0..NODES).filter(|other| *other != node) {
            self.post(other, 5, Input::Disconnected(NodeIndex(node)));
        }
        Ok(())
    }

    fn restart(&mut self, node: u32) -> Result<(), String> {
        let slot = &mut self.nodes[node as usize];
        let (state, proposers) = slot
            .rebuild(&self.genesis, &mut self.observer.seen)
            .map_err(|error| format!("node {node}: {error}"))?;
        slot.state = SharedState::new(state);
        let head = slot.disk.head();
        let config = Config {
            genesis: self.genesis.clone(),
            keys: Some(NodeKeys { network: network_key(node).public_key(), vote: node_key(node) }),
            pool: consensus_mempool::Limits::default(),
            checkpoints: CheckpointInterval { blocks: 7, orders: 300 },
            replayed_orders: slot.replayed_orders(),
            head: slot.disk.blocks.last().map(|kept| kept.certificate.clone()),
            guard_is_copied: false,
            instance: self.random.random(),
        };
        let guard = slot.disk.guard.clone();
        let (state, archive) = (slot.state.clone(), Arc::new(slot.shelf.clone()));
        let replica = Replica::new(config, state, archive, proposers, guard.as_deref())
            .map_err(|fault| format!("node {node} does not start: {fault}"))?;
        slot.replica = Some(replica);
        let staged = slot.disk.staged.iter().map(Into::into).collect();
        let wal = slot.disk.wal_of(head.next());
        self.agreement.restarted(node, head)?;
        self.feed(node, Input::Recover { staged, wal })?;
        for other in (0..NODES).filter(|other| *other != node) {
            if self.nodes[other as usize].replica.is_some() {
                self.post(other, 5, Input::Connected(NodeIndex(node)));
                self.post(node, 5, Input::Connected(NodeIndex(other)));
            }
        }
        Ok(())
    }

    fn client(&mut self) -> Result<(), String> {
        let wait = self.random.random_range(1..=2 * CLIENT_EVERY_MS);
        self.at(self.now_ms + wait, Event::Client);
        let node = self.random.random_range(0..NODES);
        let slot = &self.nodes[node as usize];
        if slot.replica.is_none() {
            return Ok(());
        }
        let state = slot.state.clone();
        let now = self.wall();
        let batch = self.clients.next(&read_state(&state), now, &mut self.random);
        let Some(batch) = batch else { return Ok(()) };
        self.trace.note(self.now_ms, "submit", &batch.id().0.0);
        self.feed(node, Input::Submit { batch, token: 0 })
    }

    fn feed(&mut self, node: u32, input: Input) -> Result<(), String> {
        let now = self.clock(node);
        let is_sync = matches!(input, Input::Blocks { .. });
        let Some(replica) = self.nodes[node as usize].replica.as_mut() else { return Ok(()) };
        let effects = replica.handle(now, input);
        if !is_sync && works_on_after_commit(&effects) {
            return Err(format!("node {node} kept a decided block back for the work after it"));
        }
        for effect in effects {
            if let Effect::Commit { staged, .. } = &effect {
                let count = u64::from(is_sync && has_returns(&staged.batches));
                self.observer.seen.synced_returns += count;
            }
            if let Some((left, away_ms)) = self.nodes[node as usize].doom.as_mut() {
                if *left == 0 {
                    let away_ms = *away_ms;
                    return self.crash(node, away_ms);
                }
                *left -= 1;
            }
            self.carry_out(node, effect)?;
        }
        Ok(())
    }

    fn carry_out(&mut self, node: u32, effect: Effect) -> Result<(), String> {
        let slot = &mut self.nodes[node as usize];
        match effect {
            Effect::Send { to, message } => self.send(node, to, &message)?,
            Effect::SendBatch(batch) => {
                for validator in self.validators(node).as_slice() {
                    if validator.id.0 != node {
                        self.deliver(node, validator.id.0, Input::Batch(batch.clone()));
                    }
                }
            }
            Effect::Stage(staged) => slot.disk.stage(staged),
            Effect::Persist { height, entry } => slot.disk.wal.push((height, entry)),
            Effect::Guard(bytes) => slot.disk.guard = Some(bytes),
            Effect::PruneLog(below) => slot.disk.wal.retain(|(height, _)| *height >= below),
            Effect::Schedule { timer, after_ms } => {
                self.number += 1;
                let number = self.number;
                slot.timers.insert(timer, number);
                let life = slot.life;
                let at = self.now_ms + after_ms;
                self.at(at, Event::Timer { node, life, timer, number });
            }
            Effect::Cancel(timer) => drop(slot.timers.remove(&timer)),
            Effect::CancelConsensusTimers => {
                slot.timers.retain(|timer, _| !matches!(timer, Timer::Consensus(_)));
            }
            Effect::RequestBatches { from, ids } => {
                if let Some(delay) = self.network.delay(node, from.0, &mut self.random) {
                    let event = Event::BatchesWanted { node: from.0, asker: node, ids };
                    self.at(self.now_ms + delay, event);
                }
            }
            Effect::RequestBlocks { from, height } => self.request_blocks(node, from.0, height),
            Effect::Batches { token, batches, .. } => {
                if let Some(asker) = self.askers.remove(&token) {
                    for batch in batches {
                        self.deliver(node, asker, Input::Batch(batch));
                    }
                }
            }
            Effect::Commit { certificate, staged, records, retired, .. } => {
                slot.shelf.keep(&staged, &records, &retired);
                slot.disk.commit(certificate, &staged);
                self.committed(node, &staged)?;
            }
            Effect::Checkpoint { height, snapshot, proposers } => {
                let bytes = Checkpoint::pieces_of(snapshot, &proposers).flatten().collect();
                slot.checkpoint = Some((height, bytes));
            }
            Effect::Evidence(evidence) => {
                return Err(format!("honest validator accused: {evidence:?}"));
            }
            Effect::Distrust { node: peer, reason } => {
                return Err(format!("node {node} distrusts honest node {}: {reason}", peer.0));
            }
            Effect::Trouble(trouble) => return Err(format!("node {node}: {trouble}")),
            Effect::Submitted { .. } | Effect::Dropped(_) => {}
        }
        Ok(())
    }

    fn committed(&mut self, node: u32, staged: &StagedBlock) -> Result<(), String> {
        let header = &staged.block.header;
        // Blocks that came by sync are applied several at once: the last one shows in the state.
        let digest = {
            let state = read_state(&self.nodes[node as usize].state);
            let last = state.height() == header.height;
            if last { state.digest() } else { header.state_digest }
        };
        let new = header.height > self.agreement.head();
        self.agreement.committed(node, &staged.block, digest)?;
        self.trace.note(self.now_ms, "commit", &header.hash().0.0);
        if new {
            for (batch, outcomes) in staged.batches.iter().zip(&staged.outcomes) {
                self.books.read(batch, outcomes)?;
            }
            self.audit.read(staged)?;
            self.clients.read(staged);
            let state = read_state(&self.nodes[node as usize].state);
            self.audit.compare(&state)?;
            self.observer.read(staged, &state);
        }
        Ok(())
    }

    fn send(&mut self, node: u32, to: Target, message: &PeerMessage) -> Result<(), String> {
        match message {
            PeerMessage::Consensus(message) => {
                self.votes.sent(message)?;
                self.newcomers.sent(message);
                let is_of_added = message.sender() == Some(ValidatorId(GENESIS_NODES));
                self.observer.seen.votes_of_added += u64::from(is_of_added);
            }
            PeerMessage::Proposal { proposal, .. } => {
                self.votes.sent(&Message::Proposal(*proposal))?;
            }
            PeerMessage::Votes(_)
            | PeerMessage::Status { .. }
            | PeerMessage::Ask { .. }
            | PeerMessage::Heard { .. } => {}
        }
        let said = self.boaster.map_or(message.clone(), |boaster| boaster.says(node, message));
        let validators = self.validators(node);
        let reaches = |other: u32| match to {
            Target::Validators => validators.get(ValidatorId(other)).is_some(),
            Target::All => true,
            Target::Node(only) => other == only.0,
        };
        for other in (0..NODES).filter(|other| *other != node && reaches(*other)) {
            let from = NodeIndex(node);
            self.deliver(node, other, Input::Message { from, message: said.clone() });
        }
        Ok(())
    }

    fn deliver(&mut self, from: u32, to: u32, input: Input) {
        if let Some(delay) = self.network.delay(from, to, &mut self.random) {
            self.post(to, delay, input);
        }
    }

    fn post(&mut self, node: u32, delay_ms: u64, input: Input) {
        let life = self.nodes[node as usize].life;
        self.at(self.now_ms + delay_ms, Event::Input { node, life, input: Box::new(input) });
    }

    fn request_blocks(&mut self, asker: u32, node: u32, from: Height) {
        match self.network.delay(asker, node, &mut self.random) {
            Some(delay) => {
                self.at(self.now_ms + delay, Event::BlocksWanted { node, asker, from });
            }
            None => self.no_blocks(asker, node),
        }
    }

    fn no_blocks(&mut self, asker: u32, node: u32) {
        let input = Input::Blocks { from: NodeIndex(node), blocks: Vec::new() };
        self.post(asker, REQUEST_FAILS_AFTER_MS, input);
    }

    fn answer_blocks(&mut self, node: u32, asker: u32, from: Height) {
        let slot = &self.nodes[node as usize];
        let skip = usize::try_from(from.0.saturating_sub(1)).unwrap_or(usize::MAX);
        let blocks: Vec<SyncBlock> = slot
            .disk
            .blocks
            .iter()
            .skip(skip)
            .take(ANSWER_BLOCKS_MAX)
            .map(|kept| SyncBlock {
                block: kept.block.clone(),
                certificate: kept.certificate.clone(),
                batches: kept.batches.clone(),
            })
            .collect();
        let alive = slot.replica.is_some();
        match self.network.delay(node, asker, &mut self.random).filter(|_| alive) {
            Some(delay) => {
                self.post(asker, delay, Input::Blocks { from: NodeIndex(node), blocks });
            }
            None => self.no_blocks(asker, node),
        }
    }

    /// Invariant 12: every node has come on.
    fn has_recovered(&self, head_at_heal: Height) -> Result<(), String> {
        let head = self.agreement.head();
        if head.0 < head_at_heal.0 + HEALED_BLOCKS_MIN {
            return Err(format!("healed at height {head_at_heal}, and no further than {head}"));
        }
        for (index, node) in self.nodes.iter().enumerate() {
            let own = node.disk.head();
            if node.replica.is_none() || own.0 + 3 < head.0 {
                return Err(format!("node {index} is at {own} of {head} after healing"));
            }
        }
        let best = self.nodes.iter().max_by_key(|node| node.disk.head());
        best.map_or(Ok(()), |node| self.newcomers.all_vote(read_state(&node.state).validators()))
    }

    /// The end of a run: invariants 4 and 11, and the auditor's balances.
    fn judge(&self) -> Result<(), String> {
        let head = self.agreement.head();
        for (index, node) in self.nodes.iter().enumerate() {
            let state = read_state(&node.state);
            self.audit.compare(&state).map_err(|error| format!("node {index}: {error}"))?;
            for balance in state.trial_balance() {
                if !balance.is_balanced() {
                    let currency = balance.currency;
                    return Err(format!("node {index}: currency {currency} is out of balance"));
                }
            }
        }
        // Everything again from genesis, on a node drawn from the seed's end.
        let node = (head.0 % u64::from(NODES)) as usize;
        let mut state = chain_state::State::genesis(&self.genesis);
        for kept in &self.nodes[node].disk.blocks {
            let shelf = &self.nodes[node].shelf;
            let executed = node_replica::replay_block(&state, &kept.block, &kept.batches, shelf)
                .map_err(|error| format!("replay from genesis: {error}"))?;
            kept.certificate
                .verify(self.genesis.chain_id, state.validators())
                .map_err(|error| format!("certificate of {}: {error}", kept.block.header.height))?;
            state.apply(executed.writes);
        }
        Ok(())
    }
}

/// Whether a block was executed, or the state copied, between a decision and its becoming known.
fn works_on_after_commit(effects: &[Effect]) -> bool {
    let is_commit = |effect: &Effect| matches!(effect, Effect::Commit { .. });
    let is_work = |effect: &Effect| matches!(effect, Effect::Stage(_) | Effect::Checkpoint { .. });
    effects.iter().skip_while(|effect| !is_commit(effect)).any(is_work)
}
