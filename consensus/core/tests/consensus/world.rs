//! A small world: four validators (or more), a network with delay and loss, disks that keep what
//! was made durable and nothing else. One seed gives one history.

use std::collections::BTreeMap;

use chain_types::hash::sha256;
use chain_types::{
    Block, BlockHash, BlockHeader, Certificate, ChainId, Digest, Height, Parameters, Round,
    SecretKey, TimeMs, Validator, ValidatorId, ValidatorSet,
};
use consensus_core::{
    Consensus, Effect, Input, Message, MuteReason, Proposers, Standing, Timeout, Timeouts,
};

use crate::checker::Checker;

pub const PENALTY_HEIGHTS: u64 = 100;
/// How often a node that is behind asks a peer for blocks, in milliseconds.
const SYNC_EVERY_MS: u64 = 700;

/// SplitMix64 (Steele, Lea, Flood 2014).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.next() % (most - least + 1)
    }

    pub fn percent(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }
}

#[derive(Clone, Copy)]
pub struct Weather {
    pub delay_ms: (u64, u64),
    pub loss_percent: u64,
    pub duplicate_percent: u64,
}

pub const CALM: Weather = Weather { delay_ms: (1, 3), loss_percent: 0, duplicate_percent: 0 };
pub const STORM: Weather = Weather { delay_ms: (1, 400), loss_percent: 15, duplicate_percent: 5 };

enum Event {
    Deliver { to: usize, bytes: Vec<u8> },
    Timer { node: usize, life: u64, timeout: Timeout, setting: u64 },
    Feed { node: usize, life: u64, input: Input },
    Start { node: usize, life: u64 },
    Restart { node: usize },
    Sync,
}

pub struct Node {
    id: Option<ValidatorId>,
    key: SecretKey,
    consensus: Option<Consensus>,
    timers: BTreeMap<Timeout, u64>,
    /// How often it has started; what was under way before a crash does not arrive after it.
    life: u64,
    pub performed: usize,
    pub crash_at: Option<usize>,
    pub restart_after_ms: u64,
    pub loses_log: bool,
    pub mutes: Vec<MuteReason>,
    /// Proposed blocks of heights to come: to be executed when their time is there.
    unexecuted: Vec<Input>,
    // Durable.
    log: Vec<Vec<u8>>,
    guard: Option<Vec<u8>>,
    pub chain: Vec<Certificate>,
    proposers: Proposers,
}

impl Node {
    fn new(id: Option<ValidatorId>, key: SecretKey) -> Self {
        Self {
            id,
            key,
            consensus: None,
            timers: BTreeMap::new(),
            life: 0,
            performed: 0,
            crash_at: None,
            restart_after_ms: 60,
            loses_log: false,
            mutes: Vec::new(),
            unexecuted: Vec::new(),
            log: Vec::new(),
            guard: None,
            chain: Vec::new(),
            proposers: Proposers::new(),
        }
    }

    fn height(&self) -> Height {
        Height::new(self.chain.len() as u64 + 1)
    }

    pub fn is_alive(&self) -> bool {
        self.consensus.is_some()
    }
}

pub struct World {
    pub now_ms: u64,
    pub weather: Weather,
    pub nodes: Vec<Node>,
    pub headers: BTreeMap<BlockHash, BlockHeader>,
    /// Pairs of groups that cannot hear each other.
    pub partition: Option<Vec<usize>>,
    /// A digest of everything that has happened.
    pub trace: Digest,
    pub evidence: usize,
    chain_id: ChainId,
    validators: ValidatorSet,
    dice: Dice,
    queue: BTreeMap<(u64, u64), Event>,
    sequence: u64,
    checker: Checker,
}

pub fn chain_id() -> ChainId {
    ChainId::new(sha256(&[b"a chain for tests"]))
}

pub fn key_of(index: usize) -> SecretKey {
    SecretKey::from_seed(&[index as u8 + 1; 32])
}

pub fn validators(count: usize) -> ValidatorSet {
    let validator = |index: usize| Validator {
        id: ValidatorId::new(index as u32),
        public_key: key_of(index).public_key(),
        power: 10,
    };
    ValidatorSet::new((0..count).map(validator).collect())
}

/// A header that differs with each `nonce`.
pub fn header(height: Height, round: Round, proposer: ValidatorId, nonce: u64) -> BlockHeader {
    BlockHeader {
        protocol_version: 1,
        chain_id: chain_id(),
        height,
        round,
        proposer,
        time: TimeMs::new(nonce),
        ..BlockHeader::default()
    }
}

impl World {
    /// `count` validators and `edges` followers, all alive.
    pub fn new(seed: u64, count: usize, edges: usize, weather: Weather) -> Self {
        let node = |index| {
            Node::new((index < count).then_some(ValidatorId::new(index as u32)), key_of(index))
        };
        let mut world = Self {
            now_ms: 0,
            weather,
            nodes: (0..count + edges).map(node).collect(),
            headers: BTreeMap::new(),
            partition: None,
            trace: Digest::ZERO,
            evidence: 0,
            chain_id: chain_id(),
            validators: validators(count),
            dice: Dice::new(seed),
            queue: BTreeMap::new(),
            sequence: 0,
            checker: Checker::new(chain_id(), validators(count)),
        };
        for node in 0..world.nodes.len() {
            world.after(0, Event::Restart { node });
        }
        world.after(SYNC_EVERY_MS, Event::Sync);
        world
    }

    /// A second machine with a validator's key and a disk of its own: between them the two sign
    /// whatever a liar would.
    pub fn add_twin(&mut self, of: usize) {
        let id = self.nodes[of].id.unwrap();
        self.checker.villains.push(id);
        self.nodes.push(Node::new(Some(id), key_of(of)));
        let node = self.nodes.len() - 1;
        self.after(0, Event::Restart { node });
    }

    /// Lets time pass until `done` or the clock reads `until_ms`; whether `done`.
    pub fn run_until(&mut self, until_ms: u64, done: impl Fn(&Self) -> bool) -> bool {
        while !done(self) {
            let Some(((at, _), event)) = self.queue.pop_first() else { return false };
            if at > until_ms {
                self.now_ms = until_ms;
                self.after(at - until_ms, event);
                return false;
            }
            self.now_ms = at;
            self.happen(event);
        }
        true
    }

    /// Runs until every living node has `heights` blocks.
    #[track_caller]
    pub fn run_to_height(&mut self, heights: usize, within_ms: u64) {
        let until = self.now_ms + within_ms;
        let reached = self.run_until(until, |world| {
            world.nodes.iter().all(|node| !node.is_alive() || node.chain.len() >= heights)
                && world.nodes.iter().any(Node::is_alive)
        });
        let chains: Vec<_> = self.nodes.iter().map(|node| node.chain.len()).collect();
        assert!(reached, "after {within_ms} ms: {chains:?} of {heights} blocks");
    }

    /// The rounds in which the blocks of the longest chain were first proposed.
    pub fn rounds(&self) -> Vec<u32> {
        let longest = self.nodes.iter().max_by_key(|node| node.chain.len()).unwrap();
        longest
            .chain
            .iter()
            .map(|certificate| self.headers[&certificate.block].round.get())
            .collect()
    }

    pub fn crash(&mut self, node: usize, restart: bool) {
        let this = &mut self.nodes[node];
        this.consensus = None;
        this.timers.clear();
        this.unexecuted.clear();
        this.life += 1;
        if this.loses_log {
            this.log.clear();
        }
        let after = this.restart_after_ms;
        if restart {
            self.after(after, Event::Restart { node });
        }
    }

    fn after(&mut self, after_ms: u64, event: Event) {
        self.sequence += 1;
        self.queue.insert((self.now_ms + after_ms, self.sequence), event);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Deliver { to, bytes } => self.deliver(to, &bytes),
            Event::Timer { node, life, timeout, setting } => {
                let this = &mut self.nodes[node];
                if this.life == life && this.timers.get(&timeout) == Some(&setting) {
                    this.timers.remove(&timeout);
                    self.feed(node, Input::Timeout(timeout));
                }
            }
            Event::Feed { node, life, input } => {
                if self.nodes[node].life == life {
                    self.feed(node, input);
                }
            }
            Event::Start { node, life } => {
                if self.nodes[node].life == life {
                    self.start(node);
                }
            }
            Event::Restart { node } => self.restart(node),
            Event::Sync => {
                self.sync();
                self.after(SYNC_EVERY_MS, Event::Sync);
            }
        }
    }

    fn deliver(&mut self, to: usize, bytes: &[u8]) {
        let message = Message::from_bytes(bytes).unwrap();
        let verdict = match &message {
            Message::Proposal(signed) => Some(Input::Verdict {
                height: signed.proposal.height,
                round: signed.proposal.round,
                proposer: signed.proposal.proposer,
                valid_round: signed.proposal.valid_round,
                block: signed.proposal.block,
                valid: self.headers.contains_key(&signed.proposal.block),
            }),
            _ => None,
        };
        // Executing a block takes its time, or is done before the proposal itself arrives.
        match verdict {
            Some(verdict) if self.dice.percent(30) => {
                self.feed(to, verdict);
                self.feed(to, Input::Message(message));
            }
            Some(verdict) => {
                self.feed(to, Input::Message(message));
                let (after, life) = (self.dice.between(0, 8), self.nodes[to].life);
                self.after(after, Event::Feed { node: to, life, input: verdict });
            }
            None => self.feed(to, Input::Message(message)),
        }
    }

    pub fn feed(&mut self, node: usize, input: Input) {
        let this = &mut self.nodes[node];
        let Some(consensus) = this.consensus.as_mut() else { return };
        if matches!(&input, Input::Verdict { height, .. } if Some(*height) > consensus.height()) {
            this.unexecuted.push(input);
            return;
        }
        let effects = consensus.handle(input);
        self.perform(node, effects);
    }

    fn start(&mut self, node: usize) {
        let validators = self.validators.clone();
        let this = &mut self.nodes[node];
        let height = this.height();
        let Some(consensus) = this.consensus.as_mut() else { return };
        if consensus.height().is_some_and(|running| running >= height) {
            return;
        }
        this.log.clear();
        let proposers = this.proposers.clone();
        self.feed(node, Input::StartHeight { height, validators, proposers });
        for verdict in std::mem::take(&mut self.nodes[node].unexecuted) {
            self.feed(node, verdict);
        }
    }

    fn restart(&mut self, node: usize) {
        let validators = self.validators.clone();
        let this = &mut self.nodes[node];
        if this.consensus.is_some() {
            return;
        }
        let identity = this.id.map(|id| (id, this.key.clone()));
        let timeouts = Timeouts::from(&Parameters::default());
        let consensus =
            Consensus::new(self.chain_id, identity, timeouts, this.guard.as_deref()).unwrap();
        this.consensus = Some(consensus);
        let (height, proposers) = (this.height(), this.proposers.clone());
        self.feed(node, Input::StartHeight { height, validators, proposers });
        let this = &mut self.nodes[node];
        let Some(consensus) = this.consensus.as_mut() else { return };
        let effects = consensus.replay(&this.log);
        if let Standing::Mute(reason) = consensus.standing() {
            this.mutes.push(reason);
        }
        assert_eq!(consensus.take_troubles(), Vec::<String>::new());
        self.perform(node, effects);
    }

    /// Performs effects in order; dies before the one that its fate names.
    fn perform(&mut self, node: usize, effects: Vec<Effect>) {
        for effect in effects {
            let this = &mut self.nodes[node];
            if this.crash_at == Some(this.performed) {
                this.crash_at = None;
                self.crash(node, true);
                return;
            }
            this.performed += 1;
            let line = format!("{} {node} {effect:?}", self.now_ms);
            self.trace = sha256(&[&self.trace.bytes(), line.as_bytes()]);
            self.perform_one(node, effect);
        }
        if let Some(consensus) = self.nodes[node].consensus.as_mut() {
            assert_eq!(consensus.take_troubles(), Vec::<String>::new());
        }
    }

    fn perform_one(&mut self, node: usize, effect: Effect) {
        let this = &mut self.nodes[node];
        let life = this.life;
        match effect {
            Effect::Persist(bytes) => this.log.push(bytes),
            Effect::Guard(bytes) => this.guard = Some(bytes),
            Effect::Send(message) => {
                assert!(this.id.is_some(), "a follower speaks: {message:?}");
                self.checker.sent(&message);
                self.send(node, &message);
            }
            Effect::GetBlock { height, round } => {
                let header = header(height, round, this.id.unwrap(), self.sequence);
                let block = header.hash();
                self.headers.insert(block, header);
                let input = Input::Propose { height, round, block };
                let after = self.dice.between(1, 5);
                self.after(after, Event::Feed { node, life, input });
            }
            Effect::Restream { block, .. } => assert!(self.headers.contains_key(&block)),
            Effect::Relay(votes) => {
                for vote in votes {
                    self.send(node, &Message::Vote(vote));
                }
            }
            Effect::Schedule { timeout, after_ms } => {
                let setting = self.sequence + 1;
                this.timers.insert(timeout, setting);
                self.after(after_ms, Event::Timer { node, life, timeout, setting });
            }
            Effect::Cancel(timeout) => {
                this.timers.remove(&timeout);
            }
            Effect::CancelAll => this.timers.clear(),
            Effect::Decided { certificate } => {
                self.commit(node, certificate);
                let after = self.dice.between(0, 6);
                self.after(after, Event::Start { node, life });
            }
            Effect::Evidence(_) => self.evidence += 1,
        }
    }

    fn commit(&mut self, node: usize, certificate: Certificate) {
        self.checker.decided(&certificate);
        let header = &self.headers[&certificate.block];
        let this = &mut self.nodes[node];
        assert_eq!(certificate.height, this.height(), "heights ascend by one");
        let block = Block { header: header.clone(), batches: Vec::new(), evidence: Vec::new() };
        this.proposers.note(&block, &self.validators, PENALTY_HEIGHTS);
        this.chain.push(certificate);
    }

    fn send(&mut self, from: usize, message: &Message) {
        let bytes = message.to_bytes();
        for to in (0..self.nodes.len()).filter(|to| *to != from) {
            let apart = self
                .partition
                .as_ref()
                .is_some_and(|group| group.contains(&from) != group.contains(&to));
            if apart || self.dice.percent(self.weather.loss_percent) {
                continue;
            }
            let copies = if self.dice.percent(self.weather.duplicate_percent) { 2 } else { 1 };
            for _ in 0..copies {
                let (least, most) = self.weather.delay_ms;
                let delay = self.dice.between(least, most);
                self.after(delay, Event::Deliver { to, bytes: bytes.clone() });
            }
        }
    }

    /// Everyone who is behind gets the missing blocks of someone within reach.
    fn sync(&mut self) {
        for node in 0..self.nodes.len() {
            let reach = |other: &usize| {
                self.partition
                    .as_ref()
                    .is_none_or(|group| group.contains(&node) == group.contains(other))
            };
            let best = (0..self.nodes.len())
                .filter(reach)
                .max_by_key(|other| self.nodes[*other].chain.len())
                .unwrap();
            let have = self.nodes[node].chain.len();
            if !self.nodes[node].is_alive() || self.nodes[best].chain.len() <= have {
                continue;
            }
            let missing = self.nodes[best].chain[have..].to_vec();
            for certificate in missing {
                self.commit(node, certificate);
            }
            self.start(node);
        }
    }
}
