//! The event loop of one run: virtual time, nodes that live and die, and the checkers.

mod effects;
mod hostile;
mod judge;
mod lives;
mod talk;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chain_types::{BatchId, ChainGenesis, Digest, Height, TimeMs, ValidatorSet};
use node_replica::{Input, Timer, read_state};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::checks::{
    Agreement, Audit, Books, Coverage, Figures, Named, Newcomers, Observer, Votes,
};
use crate::clients::{Clients, People};
use crate::costs::Costs;
use crate::faults::{Fault, FaultPlan, Faults};
use crate::inbox::Sender;
use crate::network::Network;
use crate::node::Node;
use crate::setup::{GENESIS_TIME, Shape};
use crate::trace::Trace;
use crate::villains::Villain;

/// Mean time between two batches of the clients.
const CLIENT_EVERY_MS: u64 = 60;
/// A request that is lost counts as failed after this long.
const REQUEST_FAILS_AFTER_MS: u64 = 500;
/// A request that is not answered counts as failed after this long.
const REQUEST_WAITS_MS: u64 = 10_000;
/// Blocks in one answer.
const ANSWER_BLOCKS_MAX: usize = 16;
/// Healed phases that a run may take: a validator that is locked on a block which others have not
/// seen agreed, while another stays silent, waits for its own turn to propose, and rounds grow.
const HEALED_PHASES_MAX: u64 = 5;
/// Blocks that the healed phase must bring, at the least.
const HEALED_BLOCKS_MIN: u64 = 3;

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The digest of everything that happened.
    pub trace: Digest,
    /// The number of blocks that were decided.
    pub height: Height,
    /// Orders that entered the books.
    pub orders: u64,
    /// The other events of the run, with their counts.
    pub coverage: Coverage,
    /// The number of crashes that happened.
    pub crashes: u64,
    /// Validators that lost their disks and voted again.
    pub returned: u64,
    /// Virtual milliseconds that passed.
    pub virtual_ms: u64,
    /// How the honest fared.
    pub figures: Figures,
    /// The nodes that were caught, and those that honest nodes complained of.
    pub named: Named,
}

enum Event {
    Input {
        node: u32,
        life: u32,
        from: Sender,
        input: Box<Input>,
    },
    Timer {
        node: u32,
        life: u32,
        timer: Timer,
        number: u64,
    },
    /// A busy node has time for the next of its inputs.
    Work {
        node: u32,
        life: u32,
    },
    BatchesWanted {
        node: u32,
        asker: u32,
        ids: Vec<BatchId>,
    },
    BlocksWanted {
        node: u32,
        asker: u32,
        /// The asker's: what a process has asked ends with it.
        life: u32,
        from: Height,
    },
    CheckpointWritten {
        node: u32,
        life: u32,
    },
    Fault(Fault),
    EndPartition,
    EndMute(u32),
    EndLink(u32, u32),
    EndClock(Option<u32>, u64),
    Restart(u32),
    Wake(u32),
    Client,
    Heal,
}

struct World {
    genesis: Arc<ChainGenesis>,
    shape: Shape,
    costs: Costs,
    random: ChaCha8Rng,
    now_us: u64,
    number: u64,
    queue: BTreeMap<(u64, u64), Event>,
    nodes: Vec<Node>,
    villains: BTreeMap<u32, Box<dyn Villain>>,
    hostile: BTreeSet<u32>,
    /// Honest nodes whose disks or keys something happened to: they may tell of trouble.
    troubled: BTreeSet<u32>,
    network: Network,
    clients: Clients,
    clock_off_ms_max: u64,
    slept_ms: u64,
    /// The node that waits for each answer to a request for batches, by the request's token.
    askers: BTreeMap<u64, u32>,
    /// The client's batches that a node is asked to take.
    submitting: BTreeMap<u64, (BatchId, u64)>,
    agreement: Agreement,
    votes: Votes,
    newcomers: Newcomers,
    books: Books,
    audit: Audit,
    observer: Observer,
    figures: Figures,
    named: Named,
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
    let mut world = World::new(random, &faults, plan);
    for (at, fault) in &faults.events {
        world.at(at * 1_000, Event::Fault(*fault));
    }
    world.at(plan.fault_ms * 1_000, Event::Heal);
    world.at(1_000, Event::Client);
    let mut end_ms = plan.fault_ms + plan.healed_ms;
    let last_ms = plan.fault_ms + HEALED_PHASES_MAX * plan.healed_ms;
    let mut head_at_heal = Height::default();
    while let Some((&(at, number), _)) = world.queue.first_key_value() {
        if at > end_ms * 1_000 {
            let is_over = !plan.must_recover || end_ms >= last_ms;
            if is_over || world.has_recovered(head_at_heal).is_ok() {
                break;
            }
            end_ms += plan.healed_ms;
        }
        if at <= plan.fault_ms * 1_000 {
            head_at_heal = world.agreement.head();
        }
        let Some(event) = world.queue.remove(&(at, number)) else { break };
        world.now_us = at;
        world.happen(event)?;
    }
    if plan.must_recover {
        world.has_recovered(head_at_heal)?;
    }
    world.judge()?;
    world.figures.end(end_ms);
    Ok(Report {
        trace: world.trace.digest(),
        height: world.agreement.head(),
        orders: world.books.accepted,
        coverage: world.observer.seen,
        crashes: world.crashes,
        returned: world.newcomers.returned(),
        virtual_ms: end_ms,
        figures: world.figures,
        named: world.named,
    })
}

impl World {
    fn new(mut random: ChaCha8Rng, faults: &Faults, plan: &FaultPlan) -> Self {
        let shape = plan.shape();
        let genesis = shape.genesis();
        let nodes = (0..shape.nodes())
            .map(|node| {
                let off_ms = random.random_range(0..=2 * plan.clock_off_ms_max);
                Node::new(node, &genesis, off_ms)
            })
            .collect();
        let network = Network {
            loss_per_mille: faults.loss_per_mille,
            twice_per_mille: faults.twice_per_mille,
            delay_ms_max: faults.delay_ms_max,
            ..Network::default()
        };
        // A node that has never voted is silent at first, as is one that lost its disk: both at
        // once are more than one faulty validator of five.
        let edge_may_vote = !faults.lose_disk();
        let villains = plan.villains.iter().map(|(node, kind)| (*node, kind.villain()));
        let mut world = Self {
            shape,
            costs: plan.costs,
            random,
            now_us: 0,
            number: 0,
            queue: BTreeMap::new(),
            nodes,
            villains: villains.collect(),
            hostile: plan.villains.iter().map(|(node, _)| *node).collect(),
            troubled: BTreeSet::new(),
            network,
            clients: Clients::new(People { shape, edge_may_vote, govern: plan.govern }),
            clock_off_ms_max: plan.clock_off_ms_max,
            slept_ms: 0,
            askers: BTreeMap::new(),
            submitting: BTreeMap::new(),
            agreement: Agreement::default(),
            votes: Votes::new(plan.villains.iter().map(|(node, _)| *node)),
            newcomers: Newcomers::new(plan.villains.iter().map(|(node, _)| *node)),
            books: Books::default(),
            audit: Audit::new(&genesis),
            observer: Observer::default(),
            figures: Figures::new(plan.fault_ms + plan.healed_ms),
            named: Named::default(),
            trace: Trace::default(),
            crashes: 0,
            genesis,
        };
        for node in 0..shape.nodes() {
            world.at(0, Event::Restart(node));
        }
        world
    }

    fn at(&mut self, at_us: u64, event: Event) {
        self.number += 1;
        self.queue.insert((at_us, self.number), event);
    }

    fn after_ms(&mut self, after_ms: u64, event: Event) {
        self.at(self.now_us + after_ms * 1_000, event);
    }

    fn now_ms(&self) -> u64 {
        self.now_us / 1_000
    }

    fn note(&mut self, what: &str, details: &[u8]) {
        self.trace.note(self.now_us, what, details);
    }

    /// Returns the true time, in milliseconds.
    fn wall(&self) -> TimeMs {
        GENESIS_TIME.plus(1_000 + self.now_ms() + self.slept_ms)
    }

    /// Returns the time by a node's own clock.
    fn clock(&self, node: u32) -> TimeMs {
        let Node { clock_off_ms, clock_ahead_ms, .. } = &self.nodes[node as usize];
        self.wall().plus(clock_off_ms + clock_ahead_ms).minus(self.clock_off_ms_max)
    }

    /// Returns the voters of the next block, as a node knows them.
    fn validators(&self, node: u32) -> ValidatorSet {
        read_state(&self.nodes[node as usize].state).validators().clone()
    }

    /// All nodes that run or may run, copies included.
    fn all_nodes(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)
    }

    fn is_honest(&self, node: u32) -> bool {
        !self.hostile.contains(&node)
    }

    /// Returns true if a node may tell of trouble without a fault in its code.
    fn is_troubled(&self, node: u32) -> bool {
        !self.hostile.is_empty() || self.troubled.contains(&node)
    }

    fn happen(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Input { node, life, from, input } => {
                if self.nodes[node as usize].life == life {
                    self.arrive(node, from, *input)?;
                }
            }
            Event::Timer { node, life, timer, number } => {
                let slot = &mut self.nodes[node as usize];
                if slot.life == life && slot.timers.get(&timer) == Some(&number) {
                    slot.due.push_back((timer, number));
                    self.work(node)?;
                }
            }
            Event::Work { node, life } => {
                if self.nodes[node as usize].life == life {
                    self.work(node)?;
                }
            }
            Event::BatchesWanted { node, asker, ids } => {
                self.number += 1;
                let token = self.number;
                self.askers.insert(token, asker);
                let from = Sender::Peer(self.nodes[asker as usize].place);
                self.arrive(node, from, Input::BatchesWanted { ids, token })?;
            }
            Event::BlocksWanted { node, asker, life, from } => {
                if self.nodes[asker as usize].life == life {
                    self.answer_blocks(node, asker, from);
                }
            }
            Event::CheckpointWritten { node, life } => {
                let slot = &mut self.nodes[node as usize];
                if slot.life == life && slot.writing.is_some() {
                    slot.folder.checkpoint = slot.writing.take();
                }
            }
            Event::Fault(fault) => self.fault(fault)?,
            Event::EndPartition => self.network.sides = 0,
            Event::EndMute(node) => self.network.muted &= !(1 << node),
            Event::EndLink(from, to) => drop(self.network.links.remove(&(from, to))),
            Event::EndClock(node, ahead_ms) => {
                self.set_clock(node, |ahead| ahead.saturating_sub(ahead_ms))
            }
            Event::Restart(node) => self.restart(node)?,
            Event::Wake(node) => {
                let _ = self.with_villain(node, |villain, scene| villain.wake(scene));
            }
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

    fn set_clock(&mut self, node: Option<u32>, set: impl Fn(u64) -> u64) {
        for (index, slot) in (0..).zip(&mut self.nodes) {
            if node.is_none_or(|only| only == index) {
                slot.clock_ahead_ms = set(slot.clock_ahead_ms);
            }
        }
    }

    /// A client sends a batch to a node that is up; an order of honest nodes is followed.
    fn client(&mut self) -> Result<(), String> {
        let wait_ms = self.random.random_range(1..=2 * CLIENT_EVERY_MS);
        self.after_ms(wait_ms, Event::Client);
        let node = self.random.random_range(0..self.shape.nodes());
        let slot = &self.nodes[node as usize];
        if slot.replica.is_none() {
            return Ok(());
        }
        let state = slot.state.clone();
        let now = self.wall();
        let batch = self.clients.next(&read_state(&state), now, &mut self.random);
        let Some(batch) = batch else { return Ok(()) };
        self.note("submit", &batch.id().digest().bytes());
        self.number += 1;
        let token = self.number;
        if self.is_honest(node) && batch.kind() == chain_types::BatchKind::Recharge {
            self.submitting.insert(token, (batch.id(), u64::from(batch.count())));
        }
        self.arrive(node, Sender::Own, Input::Submit { batch, token })
    }
}
