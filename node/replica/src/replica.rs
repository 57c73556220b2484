//! The dispatcher: what each input means, on one screen.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use chain_types::parameters::PROTOCOL_VERSION;
use chain_types::registry::validator_of_keys;
use chain_types::{
    BatchError, BatchId, Block, ChainGenesis, ChainId, Height, Parameters, PublicKey, Rejection,
    SecretKey, TimeMs, ValidatorId, ValidatorSet, VerifiedBatch,
};
use consensus_core::{
    Consensus, ConsensusFault, Input as ConsensusInput, Proposers, SignedProposal, Standing,
    Timeouts,
};
use consensus_mempool::{Limits, Mempool, Offer};

use crate::candidates::Candidates;
use crate::checkpoint::{CheckpointInterval, SinceCheckpoint};
use crate::committed::{SharedState, read_state};
use crate::effect::{Effect, Target, Timer};
use crate::input::Input;
use crate::message::PeerMessage;
use crate::newcomer::Newcomer;
use crate::past::SharedArchive;
use crate::propose::ABSENT_MS;
use crate::sync::Sync;

/// A node's place in the registry's list; for a validator, the number of its [`ValidatorId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(pub u32);

/// The keys by which a node finds itself in the registry.
#[derive(Debug, Clone)]
pub struct NodeKeys {
    /// The public half of the key of its connections.
    pub network: PublicKey,
    /// The key of its votes.
    pub vote: SecretKey,
}

/// What a node has to say in consensus now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Nothing: the registry gives it no power, or it has no key to vote with.
    Follows,
    /// It is a validator, and silent until it cannot have voted before: see `newcomer`.
    Waits(ValidatorId),
    /// It votes.
    Votes(ValidatorId),
}

/// What a replica is made of.
#[derive(Debug, Clone)]
pub struct Config {
    /// The chain.
    pub genesis: Arc<ChainGenesis>,
    /// Who may vote here, once the registry names it; `None` for a node that only follows.
    pub keys: Option<NodeKeys>,
    /// What the pool may hold.
    pub pool: Limits,
    /// How far checkpoints may lie apart.
    pub checkpoints: CheckpointInterval,
    /// How many orders lie between the last checkpoint and the state, as
    /// [`SinceCheckpoint::orders_of`] counts them.
    pub replayed_orders: u64,
}

/// One node's deciding half.
pub struct Replica {
    pub(crate) chain_id: ChainId,
    pub(crate) validators: ValidatorSet,
    pub(crate) parameters: Parameters,
    pub(crate) since_checkpoint: SinceCheckpoint,
    pub(crate) identity: Option<ValidatorId>,
    /// The keys of a node that the registry does not name yet, and what its vote guard held.
    unnamed: Option<(NodeKeys, Option<Vec<u8>>)>,
    pub(crate) state: SharedState,
    pub(crate) archive: SharedArchive,
    pub(crate) consensus: Consensus,
    pub(crate) proposers: Proposers,
    pub(crate) pool: Mempool,
    pub(crate) candidates: Candidates,
    pub(crate) sync: Sync,
    pub(crate) peers: BTreeMap<NodeIndex, Height>,
    pub(crate) pace: Pace,
    pub(crate) newcomer: Option<Newcomer>,
    /// Proposals of the height after the one being decided.
    early: BTreeMap<NodeIndex, (SignedProposal, Block)>,
    pub(crate) now: TimeMs,
    pub(crate) effects: Vec<Effect>,
    /// A block was committed in this call of [`Self::handle`], so the archive lacks it yet.
    pub(crate) has_committed: bool,
    /// Whether what was committed is to be copied as a checkpoint before anything else happens.
    pub(crate) checkpoint_is_due: bool,
}

/// Whether the next height may begin.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Consensus runs for the height after the committed one.
    pub started: bool,
    /// The least interval before this height has passed.
    pub interval_passed: Height,
    /// A block is due even if empty.
    pub heartbeat_due: bool,
}

impl Replica {
    /// A replica that goes on from `state`, with the proposers and the vote guard as they were.
    /// `archive` holds every block up to the state's.
    ///
    /// # Errors
    /// When the vote guard's bytes do not decode or are another validator's.
    pub fn new(
        config: Config,
        state: SharedState,
        archive: SharedArchive,
        proposers: Proposers,
        guard: Option<&[u8]>,
    ) -> Result<Self, ConsensusFault> {
        let (parameters, validators, height) = {
            let state = read_state(&state);
            (state.parameters().clone(), state.validators().clone(), state.height())
        };
        let decided_by = (height == Height(0)).then(|| validators.clone());
        let chain_id = config.genesis.chain_id;
        let timeouts = Timeouts::from(&parameters);
        let mut replica = Self {
            consensus: Consensus::new(chain_id, None, timeouts, None)?,
            chain_id,
            validators,
            parameters,
            since_checkpoint: SinceCheckpoint::new(config.checkpoints),
            identity: None,
            unnamed: config.keys.map(|keys| (keys, guard.map(<[u8]>::to_vec))),
            state,
            archive,
            has_committed: false,
            checkpoint_is_due: false,
            proposers,
            pool: Mempool::new(config.pool),
            candidates: Candidates::default(),
            sync: Sync::default(),
            peers: BTreeMap::new(),
            pace: Pace::default(),
            early: BTreeMap::new(),
            newcomer: guard.is_none().then(|| Newcomer::new(decided_by)),
            now: TimeMs::default(),
            effects: Vec::new(),
        };
        replica.find_itself()?;
        replica.since_checkpoint = replica.since_checkpoint.at_least(config.replayed_orders);
        Ok(replica)
    }

    /// Looks for this node's keys in the registry, until it names them: it never takes them back.
    ///
    /// # Errors
    /// When the vote guard is not that validator's; the node goes on following.
    pub(crate) fn find_itself(&mut self) -> Result<(), ConsensusFault> {
        let Some((keys, _)) = &self.unnamed else { return Ok(()) };
        let (network, vote) = (keys.network, keys.vote.public_key());
        let found = validator_of_keys(read_state(&self.state).nodes(), network, vote);
        let Some(id) = found else { return Ok(()) };
        if let Some((keys, guard)) = self.unnamed.take() {
            self.consensus.identify(id, keys.vote, guard.as_deref())?;
            self.identity = Some(id);
            self.since_checkpoint = self.since_checkpoint.staggered(id);
        }
        Ok(())
    }

    /// What this node has to say at the height being decided.
    pub fn role(&self) -> Role {
        match self.voter() {
            None => Role::Follows,
            Some(id) if self.newcomer.is_some() => Role::Waits(id),
            Some(id) => Role::Votes(id),
        }
    }

    /// This node as a validator of the height being decided, if it is one.
    pub(crate) fn voter(&self) -> Option<ValidatorId> {
        self.identity.filter(|own| self.validators.get(*own).is_some())
    }

    /// The height being decided.
    pub fn height(&self) -> Height {
        self.committed().next()
    }

    /// The committed height.
    pub fn committed(&self) -> Height {
        read_state(&self.state).height()
    }

    /// The highest height that enough connected validators say they have committed for one of them
    /// to be honest: one liar cannot make this node believe that it is behind. While fewer are
    /// connected, the lowest of what they say.
    pub fn best_peer_height(&self) -> Height {
        let mut said: Vec<Height> = self
            .peers
            .iter()
            .filter(|(node, _)| self.validators.get(ValidatorId(node.0)).is_some())
            .map(|(_, height)| *height)
            .collect();
        said.sort_unstable_by(|one, other| other.cmp(one));
        let liars_max = (self.validators.as_slice().len().saturating_sub(1)) / 3;
        said.get(liars_max).or(said.last()).copied().unwrap_or_default()
    }

    /// A checkpoint that this replica asked for is not being written.
    pub fn checkpoint_left_out(&mut self) {
        self.since_checkpoint.was_left_out();
    }

    /// Batches in the pool, and their items.
    pub fn pool_size(&self) -> (usize, u64) {
        (self.pool.len(), self.pool.items())
    }

    /// What follows from `input` at wall-clock time `now`.
    pub fn handle(&mut self, now: TimeMs, input: Input) -> Vec<Effect> {
        self.now = now;
        self.has_committed = false;
        match input {
            Input::Recover { staged, wal } => self.recover(staged, &wal),
            Input::Submit { batch, token } => self.submit(batch, token),
            Input::Batch(batch) => self.batch_from_peer(batch),
            Input::Message { from, message } => self.message(from, message),
            Input::Connected(node) => self.connected(node),
            Input::Disconnected(node) => self.disconnected(node),
            Input::Timer(timer) => self.timer(timer),
            Input::Blocks { from, blocks } => self.blocks(from, blocks),
            Input::BatchesWanted { ids, token } => self.batches_wanted(&ids, token),
        }
        if self.has_committed {
            // First the block becomes known to those who wait for it: what follows may take long.
            self.effects.push(Effect::Schedule { timer: Timer::Next, after_ms: 0 });
        } else {
            self.go_on();
        }
        std::mem::take(&mut self.effects)
    }

    fn submit(&mut self, batch: VerifiedBatch, token: u64) {
        let advice = contracts::admit(&read_state(&self.state), &batch, self.now);
        let result = advice.and_then(|()| match self.pool.offer(batch.clone()) {
            Offer::Added => {
                self.effects.push(Effect::SendBatch(batch));
                Ok(())
            }
            Offer::Known => Ok(()),
            Offer::Full => {
                let detail = format!("({} batches wait)", self.pool.len());
                Err(BatchError::new(Rejection::PoolFull, detail))
            }
        });
        self.effects.push(Effect::Submitted { token, result });
    }

    fn batch_from_peer(&mut self, batch: VerifiedBatch) {
        if self.candidates.wants(&batch.id()) {
            self.candidates.keep(batch);
            self.judge_candidates();
            return;
        }
        // A batch that the pool has no room for is fetched again if a proposal names it.
        if contracts::admit(&read_state(&self.state), &batch, self.now).is_ok() {
            self.pool.offer(batch);
        }
    }

    fn message(&mut self, from: NodeIndex, message: PeerMessage) {
        match message {
            PeerMessage::Status { height } => self.status(from, height),
            PeerMessage::Consensus(message) => {
                if message.height() == self.height() {
                    self.start_height();
                }
                self.drive([ConsensusInput::Message(message)].into());
            }
            PeerMessage::Proposal { proposal, block } => {
                let next = self.height();
                if proposal.proposal.height == next {
                    self.start_height();
                    self.proposal(from, proposal, block);
                } else if proposal.proposal.height == next.next() {
                    // One a peer: whoever is ahead of us by a block proposes once meanwhile.
                    self.early.insert(from, (proposal, block));
                }
            }
        }
    }

    fn connected(&mut self, node: NodeIndex) {
        self.peers.insert(node, Height::default());
        let height = self.committed();
        let message = PeerMessage::Status { height };
        self.effects.push(Effect::Send { to: Target::Node(node), message });
    }

    fn disconnected(&mut self, node: NodeIndex) {
        self.peers.remove(&node);
        self.sync.lost(node);
        self.catch_up();
        if let Some(timeout) = self.awaits_an_absent_proposer() {
            let timer = Timer::Consensus(timeout);
            self.effects.push(Effect::Schedule { timer, after_ms: ABSENT_MS });
        }
    }

    fn timer(&mut self, timer: Timer) {
        match timer {
            Timer::Consensus(timeout) => self.drive([ConsensusInput::Timeout(timeout)].into()),
            Timer::Pace(height) => {
                // It may pass while the height before is still being decided.
                self.pace.interval_passed = self.pace.interval_passed.max(height);
            }
            Timer::Heartbeat(height) if height == self.height() => {
                self.pace.heartbeat_due = true;
            }
            Timer::Fetch(height) if height == self.height() => self.fetch_missing(),
            Timer::CatchUp => self.catch_up(),
            Timer::Status => self.say_status(),
            Timer::Heartbeat(_) | Timer::Fetch(_) | Timer::Next => {}
        }
    }

    fn batches_wanted(&mut self, ids: &[BatchId], token: u64) {
        let mut batches = Vec::new();
        let mut missing = Vec::new();
        for id in ids {
            match self.pool.get(id).or_else(|| self.candidates.batch(id)) {
                Some(batch) => batches.push(batch.clone()),
                None => missing.push(*id),
            }
        }
        self.effects.push(Effect::Batches { token, batches, missing });
    }

    /// What an input may have made possible: a checkpoint of what the one before committed, taking
    /// up proposals that came before their height, and beginning the next height if there is work
    /// and the interval has passed, or if it is due.
    fn go_on(&mut self) {
        if std::mem::take(&mut self.checkpoint_is_due) {
            self.checkpoint();
        }
        for (from, (proposal, block)) in std::mem::take(&mut self.early) {
            if proposal.proposal.height == self.height() {
                self.start_height();
                self.proposal(from, proposal, block);
            } else if proposal.proposal.height > self.height() {
                self.early.insert(from, (proposal, block));
            }
        }
        let busy = self.pace.interval_passed >= self.height() && !self.pool.is_empty();
        if busy || self.pace.heartbeat_due {
            self.start_height();
        }
    }

    /// The protocol version that the next block executes by, when this code does not know it:
    /// nothing is executed any more, and the node must stop.
    pub fn unknown_version(&self) -> Option<u16> {
        let version = read_state(&self.state).protocol_version();
        (version > PROTOCOL_VERSION).then_some(version)
    }

    /// Begins the next height now.
    pub(crate) fn start_height(&mut self) {
        if self.unknown_version().is_some() {
            return;
        }
        let Some(own) = self.voter().filter(|_| !self.pace.started) else { return };
        if let Some(newcomer) = &self.newcomer {
            if !newcomer.may_vote(own, self.height()) {
                return;
            }
            self.newcomer = None;
        }
        let start = self.begin_height();
        self.drive(VecDeque::from([start]));
        self.tell_if_mute();
    }

    /// A validator that stays silent says why, once a height.
    pub(crate) fn tell_if_mute(&mut self) {
        if let Standing::Mute(reason) = self.consensus.standing() {
            let trouble = format!("silent at height {}: {reason}", self.height());
            self.effects.push(Effect::Trouble(trouble));
        }
    }

    /// Marks the next height as begun and gives what consensus must hear.
    pub(crate) fn begin_height(&mut self) -> ConsensusInput {
        self.pace.started = true;
        let height = self.height();
        // The interval between blocks runs from start to start.
        let timer = Timer::Pace(height.next());
        self.effects.push(Effect::Schedule { timer, after_ms: self.parameters.block_interval_ms });
        ConsensusInput::StartHeight {
            height,
            validators: self.validators.clone(),
            proposers: self.proposers.clone(),
        }
    }
}
