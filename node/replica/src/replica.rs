//! The dispatcher: what each input means, on one screen.

use std::collections::BTreeMap;
use std::sync::Arc;

use chain_types::parameters::PROTOCOL_VERSION;
use chain_types::registry::validator_of_keys;
use chain_types::{
    BatchId, Certificate, ChainGenesis, ChainId, Height, Parameters, Round, TimeMs, ValidatorId,
    ValidatorSet, VerifiedBatch,
};
use consensus_core::{
    Consensus, ConsensusFault, Input as ConsensusInput, Message, Proposers, RELAYED_VOTES_MAX,
    Timeouts,
};
use consensus_mempool::{Limits, Mempool, Offer};
use consensus_scheduler::Origin;

use crate::candidates::Candidates;
use crate::checkpoint::{CheckpointInterval, SinceCheckpoint};
use crate::committed::{SharedState, read_state};
use crate::effect::{Effect, Target, Timer};
use crate::evidence::EvidencePool;
use crate::identity::{NodeIndex, NodeKeys, Role};
use crate::input::Input;
use crate::message::PeerMessage;
use crate::newcomer::Newcomer;
use crate::pace::{EarlyProposal, Pace};
use crate::past::SharedArchive;
use crate::propose::ABSENT_MS;
use crate::shares::{ShareQuestion, SharedScheduler, SubmitRefusal};
use crate::silence::{Estranged, Leases, Silence};
use crate::sync::Sync;
use crate::waiting::WaitingBatches;

/// The parts and settings of a replica.
#[derive(Debug, Clone)]
pub struct Config {
    /// The checked genesis file of the chain.
    pub genesis: Arc<ChainGenesis>,
    /// The keys of a node that may vote, once the registry names it; `None` for a node that only
    /// follows.
    pub keys: Option<NodeKeys>,
    /// The bounds of the pool.
    pub pool: Limits,
    /// How far checkpoints may lie apart.
    pub checkpoints: CheckpointInterval,
    /// How many orders lie between the last checkpoint and the state, as
    /// [`SinceCheckpoint::orders_of`] counts them.
    pub replayed_orders: u64,
    /// The certificate of the state's block; `None` for block zero.
    pub head: Option<Certificate>,
    /// True if the vote guard's file is a copy: the original may have signed more than it says.
    pub guard_is_copied: bool,
    /// Tells this process from any other with the same keys: drawn at random at each start.
    pub instance: u64,
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
    /// How much each submitter may send, and in which order batches are proposed.
    pub(crate) shares: SharedScheduler,
    /// The batches that wait, for readers, and those that left the pool since they were shown.
    pub(crate) waiting: WaitingBatches,
    pub(crate) left_pool: Vec<BatchId>,
    pub(crate) candidates: Candidates,
    pub(crate) sync: Sync,
    pub(crate) peers: BTreeMap<NodeIndex, Height>,
    pub(crate) pace: Pace,
    /// The certificate of the committed block, and the validators who decided it.
    pub(crate) head: Option<Certificate>,
    pub(crate) deciders: ValidatorSet,
    /// Why this validator may not speak yet, or any more.
    pub(crate) silence: Option<Silence>,
    pub(crate) instance: u64,
    /// Up to which height this validator may have signed what it has forgotten.
    pub(crate) forgotten: Height,
    pub(crate) leases: Leases,
    pub(crate) estranged: Estranged,
    pub(crate) evidence: EvidencePool,
    /// The last run's consensus log, of heights that have not started here again.
    pub(crate) log: Vec<(Height, Vec<u8>)>,
    /// A decision whose block is not here.
    pub(crate) awaited_body: Option<Certificate>,
    /// This process has signed something.
    pub(crate) has_signed: bool,
    /// Proposals that came before their height began.
    pub(crate) early: BTreeMap<NodeIndex, EarlyProposal>,
    pub(crate) now: TimeMs,
    pub(crate) effects: Vec<Effect>,
    /// A block was committed in this call of [`Self::handle`], so the archive lacks it yet.
    pub(crate) has_committed: bool,
    /// True if what was committed is to be copied as a checkpoint before anything else happens.
    pub(crate) checkpoint_is_due: bool,
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
        let decided_by = (height == Height::new(0)).then(|| validators.clone());
        let chain_id = config.genesis.chain_id;
        let timeouts = Timeouts::from(&parameters);
        let remembers = guard.is_some() && !config.guard_is_copied;
        let silence =
            if remembers { Silence::asks() } else { Silence::forgot(Newcomer::new(decided_by)) };
        let mut replica = Self {
            consensus: Consensus::new(chain_id, None, timeouts, None)?,
            chain_id,
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
            shares: SharedScheduler::default(),
            waiting: WaitingBatches::default(),
            left_pool: Vec::new(),
            candidates: Candidates::default(),
            sync: Sync::default(),
            peers: BTreeMap::new(),
            pace: Pace::default(),
            early: BTreeMap::new(),
            // Those who decide the next block, until one is committed: governance rarely changes
            // them, and never this node's own certificate.
            deciders: validators.clone(),
            validators,
            head: config.head,
            silence: Some(silence),
            instance: config.instance,
            forgotten: Height::default(),
            leases: Leases::default(),
            estranged: Estranged::default(),
            evidence: EvidencePool::default(),
            log: Vec::new(),
            awaited_body: None,
            has_signed: false,
            now: TimeMs::default(),
            effects: Vec::new(),
        };
        let validators = replica.validators.clone();
        replica.consensus.expect_height(height.next(), &validators);
        replica.resolve_identity()?;
        replica.since_checkpoint = replica.since_checkpoint.at_least(config.replayed_orders);
        Ok(replica)
    }

    /// Looks for this node's keys in the registry, until it names them: it never takes them back.
    ///
    /// # Errors
    /// When the vote guard is not that validator's; the node goes on following.
    pub(crate) fn resolve_identity(&mut self) -> Result<(), ConsensusFault> {
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

    /// Returns what this node has to say at the height being decided.
    pub fn role(&self) -> Role {
        match self.voter() {
            None => Role::Follows,
            Some(id) if self.is_silenced() => Role::Silenced(id),
            Some(id) if self.silence.is_some() => Role::Waits(id),
            Some(id) => Role::Votes(id),
        }
    }

    /// This node as a validator of the height being decided, if it is one with this key: governance
    /// may have given its place another.
    pub(crate) fn voter(&self) -> Option<ValidatorId> {
        let (own, key) = (self.identity?, self.consensus.own_key()?);
        self.validators.get(own).filter(|one| one.public_key == key).map(|one| one.id)
    }

    /// The height being decided.
    pub fn height(&self) -> Height {
        self.committed().next()
    }

    /// The round in which the committed block was decided; zero for block zero.
    pub(crate) fn parent_round(&self) -> Round {
        self.head.as_ref().map(|head| head.round).unwrap_or_default()
    }

    /// Takes up the height that a peer says it has committed, as a node that has forgotten hears
    /// it.
    pub(crate) fn hear_height(&mut self, from: NodeIndex, height: Height) {
        if let Some(Silence::Forgot { newcomer, .. }) = &mut self.silence {
            newcomer.hear(from, height);
        }
    }

    /// Returns the height of the committed block.
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
            .filter(|(node, _)| self.validators.get(ValidatorId::new(node.get())).is_some())
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

    /// Returns the batches that wait here, for those who must not ask the replica.
    pub fn waiting_batches(&self) -> WaitingBatches {
        self.waiting.clone()
    }

    /// Returns the shares of submitters, for those who must not ask the replica.
    pub fn shares(&self) -> SharedScheduler {
        self.shares.clone()
    }

    /// Returns the effects that follow from `input` at wall-clock time `now`.
    pub fn handle(&mut self, now: TimeMs, input: Input) -> Vec<Effect> {
        if self.now > TimeMs::new(0) {
            self.slept(now.get().saturating_sub(self.now.get()));
        }
        self.now = now;
        self.has_committed = false;
        let (round, is_message) = (self.running_round(), matches!(input, Input::Message { .. }));
        match input {
            Input::Recover { staged, wal } => self.recover(staged, wal),
            Input::Submit { batch, token } => self.submit(batch, token),
            Input::Batch(batch) => self.batch_from_peer(batch),
            Input::Message { from, message } => self.message(from, message),
            Input::Connected(node) => self.connected(node),
            Input::Disconnected(node) => self.disconnected(node),
            Input::Timer(timer) => self.timer(timer),
            Input::Blocks { from, blocks } => self.blocks(from, blocks),
            Input::BatchesWanted { ids, token } => self.batches_wanted(&ids, token),
        }
        self.look_for_own_key();
        // What waited for its round, or for a quorum's prevotes.
        let may_release = is_message && self.has_waiting_candidates();
        if !self.has_committed && (may_release || self.running_round() != round) {
            self.judge_candidates();
        }
        if self.has_committed {
            // First the block becomes known to those who wait for it: what follows may take long.
            self.effects.push(Effect::Schedule { timer: Timer::Next, after_ms: 0 });
        } else {
            self.try_advance();
        }
        self.publish_waiting();
        std::mem::take(&mut self.effects)
    }

    fn submit(&mut self, batch: VerifiedBatch, token: u64) {
        let result = self.take_submission(batch);
        self.effects.push(Effect::Submitted { token, result });
    }

    fn take_submission(&mut self, batch: VerifiedBatch) -> Result<(), SubmitRefusal> {
        contracts::admit(&read_state(&self.state), &batch, self.now)?;
        if self.pool.get(&batch.id()).is_some() {
            return Ok(());
        }
        let question = ShareQuestion::new(batch.header(), batch.kind());
        self.shares.consider(&question, self.now)?;
        match self.offer(batch.clone(), Origin::Client) {
            Offer::Added => {
                self.effects.push(Effect::SendBatch(batch));
                Ok(())
            }
            Offer::Known => Ok(()),
            Offer::Full => {
                let detail = format!("({} batches wait)", self.pool.len());
                Err(self.shares.pool_full(detail, self.now))
            }
            Offer::ShareFull { batches, bytes } => {
                let detail = format!(
                    "({batches} batches of this submitter wait, {bytes} bytes; what is free is \
                     kept for others)"
                );
                Err(self.shares.pool_full(detail, self.now))
            }
        }
    }

    fn batch_from_peer(&mut self, batch: VerifiedBatch) {
        if self.candidates.wants(&batch.id()) {
            self.waiting.add_proposed(batch.id());
            self.candidates.keep(batch);
            self.judge_candidates();
            return;
        }
        // A batch that the pool has no room for is fetched again if a proposal names it.
        if contracts::admit(&read_state(&self.state), &batch, self.now).is_ok() {
            self.offer(batch, Origin::Peer);
        }
    }

    /// Offers a batch to the pool; readers see it at once.
    fn offer(&mut self, batch: VerifiedBatch, origin: Origin) -> Offer {
        let id = batch.id();
        let offer = self
            .shares
            .with(self.now, |scheduler, now_us| self.pool.offer(batch, scheduler, origin, now_us));
        if offer == Offer::Added {
            self.waiting.add(id);
        }
        offer
    }

    fn message(&mut self, from: NodeIndex, message: PeerMessage) {
        if let PeerMessage::Status { height } = message {
            self.hears(ValidatorId::new(from.get()));
            return self.status(from, height);
        }
        // Only validators have anything else to say; one that has just become one is heard a block
        // later.
        if self.validators.get(ValidatorId::new(from.get())).is_none() {
            return;
        }
        self.hears(ValidatorId::new(from.get()));
        match message {
            PeerMessage::Status { .. } => {}
            PeerMessage::Consensus(message) => {
                self.drive([ConsensusInput::Message(message)].into());
            }
            PeerMessage::Votes(votes) if votes.len() > RELAYED_VOTES_MAX => {
                self.distrust(from, "more relayed votes than a message may hold");
            }
            PeerMessage::Votes(votes) => {
                votes.iter().for_each(|vote| self.hears(vote.validator));
                let messages = votes.into_iter().map(Message::Vote);
                self.drive(messages.map(ConsensusInput::Message).collect());
            }
            PeerMessage::Proposal { proposal, block, parent } => {
                let early = EarlyProposal { proposal, block, parent };
                self.consensus.hear_own_key(&Message::Proposal(proposal));
                let (height, next) = (proposal.proposal.height, self.height());
                if height == next && self.pace.started {
                    self.proposal(from, early);
                } else if height == next || height == next.next() {
                    self.keep_early(from, early);
                }
            }
            PeerMessage::Ask { instance } => self.asked(from, instance),
            PeerMessage::Heard { instance, vote, granted } => {
                self.heard(from, instance, vote, granted);
            }
        }
    }

    fn connected(&mut self, node: NodeIndex) {
        self.peers.insert(node, Height::default());
        let height = self.committed();
        let message = PeerMessage::Status { height };
        self.effects.push(Effect::Send { to: Target::Node(node), message });
        self.ask_to_speak(Target::Node(node));
    }

    fn disconnected(&mut self, node: NodeIndex) {
        self.peers.remove(&node);
        self.sync_lost(node);
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
            Timer::Invite(height) => self.pace.open_for = self.pace.open_for.max(height),
            Timer::Heartbeat(height) if height == self.height() => {
                self.pace.heartbeat_due = true;
            }
            Timer::Fetch(height) if height == self.height() => self.fetch_missing(),
            Timer::Judge(height) if height == self.height() => self.judge_candidates(),
            Timer::CatchUp => self.catch_up(),
            Timer::Status => {
                self.beat();
                self.say_status();
            }
            Timer::Listened => self.listened(),
            Timer::Estranged => self.look_for_quorum(),
            Timer::Heartbeat(_) | Timer::Fetch(_) | Timer::Judge(_) | Timer::Next => {}
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

    /// The protocol version that the next block executes by, when this code does not know it:
    /// nothing is executed any more, and the node must stop.
    pub fn unknown_version(&self) -> Option<u16> {
        let version = read_state(&self.state).protocol_version();
        (version > PROTOCOL_VERSION).then_some(version)
    }
}
