//! One validator's consensus, or an edge node's: feeds the engine what has been checked, one
//! fresh engine a height.

mod listening;

use std::collections::BTreeSet;
use std::fmt;

use chain_types::validators::VALIDATORS_MAX;
use chain_types::{ChainId, Height, PublicKey, Round, SecretKey, ValidatorId, ValidatorSet, codec};
use malachite_core::{
    Error as EngineError, Input as EngineInput, LocallyProposedValue, MisbehaviorEvidence,
};
use malachite_types::VoteExtensionPolicy;

use crate::context::{EngineContext, EngineValidatorSet, EngineValue};
use crate::convert;
use crate::desk::{Desk, equivocations};
use crate::fault::ConsensusFault;
use crate::guard::Guard;
use crate::hearing::{LastVotes, NextHeight};
use crate::identity::Identity;
use crate::interface::{Effect, Input, Timeout, TimeoutKind};
use crate::log::{Entry, read_log};
use crate::machine::Machine;
use crate::messages::{Message, Verified};
use crate::proposers::Proposers;
use crate::standing::{MuteReason, Standing};
use crate::timeouts::Timeouts;

/// The most power that the validators of a height may have together: the engine multiplies it
/// by three in 64 bits.
pub const POWER_TOTAL_MAX: u128 = (u64::MAX / 3) as u128;

/// For how many heights votes are relayed early after one that needed a relay.
const EARLY_RELAY_HEIGHTS: u64 = 16;
/// The shortest timeout, in milliseconds.
const AT_ONCE_MS: u64 = 1;
/// Troubles kept for [`Consensus::take_troubles`].
const TROUBLES_MAX: usize = 16;

/// Agreement on one block a height. Give it [`Input`]s one at a time and perform the
/// [`Effect`]s that it returns, in order, before the next input.
pub struct Consensus {
    pub(crate) chain_id: ChainId,
    pub(crate) identity: Option<Identity>,
    timeouts: Timeouts,
    pub(crate) guard: Option<Guard>,
    pub(crate) machine: Option<Machine>,
    /// The height after the running one, and the messages that came of it.
    pub(crate) next: NextHeight,
    /// The last vote of each validator.
    pub(crate) last_votes: LastVotes,
    /// The highest height at which this node's key signed what its guard does not account for.
    pub(crate) foreign: Option<Height>,
    /// The key signs elsewhere: nothing is signed here any more.
    pub(crate) silenced: bool,
    /// The last height at which votes are relayed early.
    early_relay_until: Height,
    /// The input at work is the end of a wait after which votes were relayed.
    has_relayed: bool,
    /// Inputs that took effect and are not durable yet.
    pending: Vec<Entry>,
    troubles: Vec<String>,
}

impl fmt::Debug for Consensus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Consensus")
            .field("height", &self.height())
            .field("round", &self.round())
            .field("standing", &self.standing())
            .field("decided", &self.is_decided())
            .finish_non_exhaustive()
    }
}

impl Consensus {
    /// Consensus before its first height. `identity` is `None` for a node that only follows;
    /// `guard` is what [`Effect::Guard`] wrote last, or `None` for a validator that has never
    /// signed anything.
    ///
    /// # Errors
    /// [`ConsensusFault`] when the guard cannot be read or is not this validator's.
    pub fn new(
        chain_id: ChainId,
        identity: Option<(ValidatorId, SecretKey)>,
        timeouts: Timeouts,
        guard: Option<&[u8]>,
    ) -> Result<Self, ConsensusFault> {
        let mut consensus = Self {
            chain_id,
            identity: None,
            timeouts,
            guard: None,
            machine: None,
            next: NextHeight::default(),
            last_votes: LastVotes::default(),
            foreign: None,
            silenced: false,
            early_relay_until: Height::default(),
            has_relayed: false,
            pending: Vec::new(),
            troubles: Vec::new(),
        };
        if let Some((id, key)) = identity {
            consensus.identify(id, key, guard)?;
        }
        Ok(consensus)
    }

    /// A node that only follows learns who it is: it may sign from the next height that starts on.
    /// `guard` is as in [`Self::new`].
    ///
    /// # Errors
    /// As in [`Self::new`]; the node goes on following.
    pub fn identify(
        &mut self,
        id: ValidatorId,
        key: SecretKey,
        guard: Option<&[u8]>,
    ) -> Result<(), ConsensusFault> {
        assert!(self.identity.is_none(), "a guard in use is never opened again");
        self.guard = Some(Guard::open(self.chain_id, id, guard)?);
        self.identity = Some(Identity { id, key });
        Ok(())
    }

    /// The public half of the key of this node's votes, once it knows who it is.
    pub fn own_key(&self) -> Option<PublicKey> {
        self.identity.as_ref().map(|identity| identity.key.public_key())
    }

    /// Returns the running height; `None` before the first.
    pub fn height(&self) -> Option<Height> {
        self.machine.as_ref().map(|machine| machine.height)
    }

    /// Returns the running round; `None` before the first.
    pub fn round(&self) -> Option<Round> {
        let round = self.machine.as_ref()?.state.round();
        round.as_u32().map(Round::new)
    }

    /// The running height's engine.
    pub(crate) fn machine(&self) -> Option<&Machine> {
        self.machine.as_ref()
    }

    /// Returns true if the running height is decided.
    pub fn is_decided(&self) -> bool {
        self.machine.as_ref().is_some_and(|machine| machine.decided)
    }

    /// Returns what this node does at the running height.
    pub fn standing(&self) -> Standing {
        self.machine.as_ref().map_or(Standing::Following, |machine| machine.standing)
    }

    /// While the running round waits for its proposal: the timeout of that wait, and whose turn it
    /// is. Who knows that this validator cannot speak may let the timeout pass sooner: that costs
    /// its turn, and nothing else rests on how long a timeout is.
    pub fn awaited_proposer(&self) -> Option<(Timeout, ValidatorId)> {
        let machine = self.machine.as_ref().filter(|machine| !machine.decided)?;
        if !machine.state.driver.step_is_propose() {
            return None;
        }
        let round = machine.state.round();
        let proposer = machine.state.get_proposer(convert::height_in(machine.height), round).0;
        let round = Round::new(round.as_u32()?);
        Some((Timeout { height: machine.height, round, kind: TimeoutKind::Propose }, proposer))
    }

    /// Returns what went wrong inside since the last call, for the operator: empty unless there is
    /// a bug or a damaged log.
    pub fn take_troubles(&mut self) -> Vec<String> {
        std::mem::take(&mut self.troubles)
    }

    /// Takes one input and says, in order, what to do about it.
    pub fn handle(&mut self, input: Input) -> Vec<Effect> {
        match input {
            Input::StartHeight { height, validators, proposers } => {
                self.start_with_log(height, validators, &proposers, &[])
            }
            Input::Message(message) => self.receive(message),
            Input::Propose { height, round, block } => {
                let value = LocallyProposedValue::new(
                    convert::height_in(height),
                    convert::round_in(round),
                    EngineValue(block),
                );
                self.feed_at(height, EngineInput::Propose(value))
            }
            Input::Verdict { height, round, proposer, valid_round, block, valid } => {
                let verdict = Entry::Verdict { height, round, proposer, valid_round, block, valid };
                let machine = self.machine.as_mut().filter(|machine| machine.height == height);
                let admitted = machine.and_then(|one| one.admit_verdict(round, block, verdict));
                admitted.map_or_else(Vec::new, |verdict| self.feed_at(height, verdict.input()))
            }
            Input::Timeout(timeout) => self.time_out(timeout),
        }
    }

    /// Brings back what this validator knew of the running height before it stopped: the records
    /// of [`Effect::Persist`], oldest first. Comes right after [`Input::StartHeight`]; records of
    /// other heights are passed over. What is durable already is not asked for again; messages
    /// may be sent again.
    pub fn replay(&mut self, wal: &[Vec<u8>]) -> Vec<Effect> {
        let Some(machine) = self.machine.as_mut() else {
            return Vec::new();
        };
        let entries = read_log(wal, machine.height, &mut self.troubles);
        if !machine.fresh {
            assert!(entries.is_empty(), "the log is replayed right after the height starts");
            return Vec::new();
        }
        let votes = machine.standing != Standing::Following;
        machine.state.params.enabled = votes;
        let inputs: Vec<_> = entries.iter().map(Entry::input).collect();
        machine.state.record_recovered_own_precommit_extensions(&inputs);
        machine.state.index_wal_entries(&inputs);
        let durable: BTreeSet<_> = entries.iter().map(codec::encode).collect();
        for entry in &entries {
            if let Entry::Proposal(signed) = entry {
                machine.note_proposal(&signed.proposal);
            }
        }
        let mut effects = Vec::new();
        let mut diverged = false;
        for input in inputs {
            let (more, result) = self.run(input, Vec::new(), Some(&durable));
            effects.extend(more);
            if result.is_err() {
                diverged = true;
                break;
            }
        }
        self.end_replay(votes, diverged);
        self.without_stale_requests(effects)
    }

    /// [`Input::StartHeight`] and [`Self::replay`] in one: what others have said of the height
    /// meanwhile comes after the log.
    pub fn start_with_log(
        &mut self,
        height: Height,
        validators: ValidatorSet,
        proposers: &Proposers,
        wal: &[Vec<u8>],
    ) -> Vec<Effect> {
        let waiting = self.next.take(height);
        let mut effects = self.start_height(height, validators, proposers);
        if !wal.is_empty() {
            effects.extend(self.replay(wal));
        }
        for message in waiting {
            effects.extend(self.receive(message));
        }
        effects
    }

    fn start_height(
        &mut self,
        height: Height,
        validators: ValidatorSet,
        proposers: &Proposers,
    ) -> Vec<Effect> {
        let count = validators.as_slice().len();
        assert!((1..=VALIDATORS_MAX).contains(&count), "{count} validators at height {height}");
        assert!(validators.total_power() <= POWER_TOTAL_MAX, "too much power at height {height}");
        assert!(
            self.height().is_none_or(|running| running < height),
            "height {height} does not come after {:?}: a height never starts twice",
            self.height(),
        );
        let mut effects = self.end_height();
        let mut machine = Machine::new(
            height,
            validators,
            proposers,
            self.identity.as_ref(),
            self.guard.as_ref(),
        );
        if self.silenced {
            machine.silence();
        }
        let start = EngineInput::StartHeight(
            convert::height_in(height),
            EngineValidatorSet::new(&machine.validators),
            false,
            None,
            VoteExtensionPolicy::Disabled,
        );
        self.machine = Some(machine);
        effects.extend(self.run(start, Vec::new(), None).0);
        effects
    }

    /// Gives up the running height's log entries, and hands over the evidence in its engine.
    fn end_height(&mut self) -> Vec<Effect> {
        self.pending.clear();
        let Some(machine) = self.machine.as_mut() else {
            return Vec::new();
        };
        let evidence = MisbehaviorEvidence {
            proposals: machine.state.driver.take_proposal_evidence(),
            votes: machine.state.driver.take_vote_evidence(),
        };
        equivocations(&evidence).into_iter().map(Effect::Evidence).collect()
    }

    fn time_out(&mut self, timeout: Timeout) -> Vec<Effect> {
        let Some(machine) = self.machine.as_ref() else {
            return Vec::new();
        };
        // A decided height still sends its last votes again, for those who have not decided.
        let counts = !machine.decided || timeout.kind == TimeoutKind::Rebroadcast;
        if timeout.height != machine.height || !counts {
            return Vec::new();
        }
        let is_relay = timeout.kind == TimeoutKind::Rebroadcast;
        // One early relay a vote: what comes after it comes at the usual pace.
        self.has_relayed = is_relay;
        let mut effects =
            self.feed(EngineInput::TimeoutElapsed(convert::timeout_in(timeout)), Vec::new());
        self.has_relayed = false;
        if is_relay && self.standing() == Standing::Voting {
            // Something was missing for longer than an undisturbed height takes.
            self.early_relay_until = timeout.height.plus(EARLY_RELAY_HEIGHTS);
            effects.extend(self.relay());
        }
        effects
    }

    fn relay(&self) -> Option<Effect> {
        let own = self.identity.as_ref().map(|identity| identity.id);
        Some(Effect::Relay(self.machine.as_ref()?.votes_to_relay(own)))
    }

    fn receive(&mut self, message: Message) -> Vec<Effect> {
        self.hear_own_key(&message);
        if self.is_in_our_name(&message) {
            return Vec::new();
        }
        let running = self.machine.as_ref().map(|machine| machine.height);
        if running != Some(message.height()) {
            self.keep_for_next_height(message);
            return Vec::new();
        }
        let Some(machine) = self.machine.as_ref() else {
            return Vec::new();
        };
        if machine.decided || !machine.wants(&message) {
            self.note_late_vote(&message);
            return Vec::new();
        }
        let input = match &message {
            Message::Proposal(signed) => EngineInput::Proposal(convert::proposal_in(signed)),
            Message::Vote(signed) => EngineInput::Vote(convert::vote_in(signed)),
            Message::PolkaCertificate(certificate) => {
                let certificate = convert::polka_in(certificate);
                return self.feed(EngineInput::PolkaCertificate(certificate), Vec::new());
            }
            Message::RoundCertificate(certificate) => {
                let certificate = convert::round_certificate_in(certificate);
                return self.feed(EngineInput::RoundCertificate(certificate), Vec::new());
            }
        };
        let Some(verified) = machine.verify(&message, self.chain_id) else {
            return Vec::new();
        };
        if let Message::Vote(signed) = &message {
            self.last_votes.note(signed);
        }
        let mut effects = self.feed(input, vec![verified]);
        if let (Message::Proposal(signed), Some(machine)) = (&message, self.machine.as_mut())
            && let Some(verdict) = machine.note_proposal(&signed.proposal)
        {
            effects.extend(self.feed_at(signed.proposal.height, verdict.input()));
        }
        effects
    }

    fn feed_at(&mut self, height: Height, input: EngineInput<EngineContext>) -> Vec<Effect> {
        let counts = |machine: &Machine| machine.height == height && !machine.decided;
        if self.machine.as_ref().is_some_and(counts) {
            self.feed(input, Vec::new())
        } else {
            Vec::new()
        }
    }

    fn feed(&mut self, input: EngineInput<EngineContext>, verified: Vec<Verified>) -> Vec<Effect> {
        if let Some(machine) = self.machine.as_mut() {
            machine.fresh = false;
        }
        self.run(input, verified, None).0
    }

    /// Timeouts from the next one on.
    pub fn set_timeouts(&mut self, timeouts: Timeouts) {
        self.timeouts = timeouts;
    }

    fn run(
        &mut self,
        input: EngineInput<EngineContext>,
        verified: Vec<Verified>,
        durable: Option<&BTreeSet<Vec<u8>>>,
    ) -> (Vec<Effect>, Result<(), ()>) {
        let Some(machine) = self.machine.as_mut() else {
            return (Vec::new(), Ok(()));
        };
        let mut desk = Desk {
            chain_id: self.chain_id,
            identity: self.identity.as_ref(),
            height: machine.height,
            validators: &machine.validators,
            timeouts: self.timeouts,
            guard: self.guard.as_mut(),
            relays_early: machine.height <= self.early_relay_until && !self.has_relayed,
            pending: &mut self.pending,
            keeps: machine.state.params.enabled,
            durable,
            verified,
            effects: Vec::new(),
            decided: false,
            troubles: Vec::new(),
        };
        let result: Result<(), EngineError<EngineContext>> = malachite_core::process!(
            input: input,
            state: &mut machine.state,
            metrics: &(),
            with: step => desk.perform(step)
        );
        let Desk { mut effects, decided, troubles, .. } = desk;
        machine.decided |= decided;
        let mut shown = Vec::new();
        for effect in &mut effects {
            let Effect::Schedule { timeout, after_ms } = effect else { continue };
            if machine.cannot_decide(timeout) {
                *after_ms = AT_ONCE_MS;
            }
            if timeout.kind == TimeoutKind::Precommit && machine.standing == Standing::Voting {
                shown.extend(machine.show_polka(timeout.round));
            }
        }
        effects.extend(shown);
        self.troubles.extend(troubles);
        if let Err(error) = &result {
            self.troubles.push(format!("height {}: {error}", machine.height));
        }
        self.troubles.truncate(TROUBLES_MAX);
        (effects, result.map_err(|_| ()))
    }

    fn end_replay(&mut self, votes: bool, diverged: bool) {
        let (Some(machine), Some(guard)) = (self.machine.as_mut(), self.guard.as_ref()) else {
            return;
        };
        machine.state.reset_entries_index();
        machine.fresh = false;
        machine.standing = match votes {
            false => Standing::Following,
            true if diverged => Standing::Mute(MuteReason::LogDiverged),
            true if !machine.knows_lock_of(guard) => Standing::Mute(MuteReason::LockLost),
            true => Standing::Voting,
        };
        machine.state.params.enabled = machine.standing == Standing::Voting;
    }

    /// Without the requests for blocks of rounds that the log has led past.
    fn without_stale_requests(&self, mut effects: Vec<Effect>) -> Vec<Effect> {
        let proposing =
            self.machine.as_ref().is_some_and(|machine| machine.state.driver.step_is_propose());
        let running = self.round();
        effects.retain(|effect| match effect {
            Effect::GetBlock { round, .. } => proposing && Some(*round) == running,
            _ => true,
        });
        effects
    }
}
