//! When a validator that has started may sign, and when it must stop: no key signs twice,
//! although homes are copied, restored from old copies, and started on two machines.
//!
//! Every validator is silent at first. It asks the others what they have heard of its key
//! ([`PeerMessage::Ask`]), and votes once a quorum, itself included, has answered and nothing
//! that its vote guard does not account for was heard. An answer is also a *grant*: whoever gave
//! one to a process gives none to another process with the same key for a while. Two quorums
//! share an honest validator, so of two processes that ask at the same time one is silent until
//! the other's votes can be heard.
//!
//! A validator whose guard is absent, or was copied, has forgotten what it signed. It is silent
//! as `newcomer` says, and then listens for some seconds: should the original still vote, those
//! who answer have heard it by then, unless it was cut off from all of them so long. An original
//! that was cut off, or frozen, comes back by others' blocks: then it asks again before it votes.
//!
//! Whenever a signature of the own key turns up that the guard does not account for, be it in an
//! answer, in a relayed vote or in a certificate, one of two things is true. Before this process
//! has signed anything, its guard is old (a disk was put back): it goes on as one that has
//! forgotten. After that, the key signs elsewhere: it stops for good, until its operator has
//! found the other machine and starts it again.

use std::collections::{BTreeMap, BTreeSet};

use chain_types::{Certificate, Height, ValidatorId};
use consensus_core::{Message, SignedVote};

use crate::effect::{Effect, Target, Timer};
use crate::identity::NodeIndex;
use crate::message::PeerMessage;
use crate::newcomer::Newcomer;
use crate::replica::Replica;

/// How long one who has forgotten listens before it votes, in milliseconds: longer than a network's
/// hiccup, and short beside what brought its operator to put a copy back.
const LISTEN_MS: u64 = 6_000;
/// How long a grant keeps others with the same key silent, in beats of the node that gave it:
/// its committed blocks and heartbeats. A process that was granted votes long before that, if it
/// runs.
const LEASE_BEATS: u64 = 6;
/// How long a grant counts for the process that was given it, in its own beats: it asks once a
/// beat, and what it was granted long ago may be another's by now.
const GRANT_BEATS: u64 = LEASE_BEATS / 2;
/// A validator that hears no quorum for this time, in milliseconds, is cut off, or was frozen.
const ESTRANGED_MS: u64 = LISTEN_MS / 2;
/// So many blocks in a row that others bring then show that the chain went on without it.
const ESTRANGED_BLOCKS: u64 = 3;

/// The nodes that have granted a process to vote, and at which of its beats last.
type Grants = BTreeMap<NodeIndex, u64>;

/// Why a validator is silent.
#[derive(Debug)]
pub(crate) enum Silence {
    /// It asks whether its guard is the latest.
    Asks(Grants),
    /// It has forgotten what it signed.
    Forgot {
        /// The bound of what it has forgotten.
        newcomer: Newcomer,
        /// It begins to listen with the first height whose votes it cannot have forgotten.
        listening: Listening,
        /// The nodes that have granted it to vote, after it has listened.
        granted: Grants,
        /// The highest height at which its key is known to have signed.
        foreign: Height,
    },
    /// The key signs elsewhere.
    Elsewhere,
}

/// How far a node that has forgotten is with listening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listening {
    Not,
    Begun,
    Over,
}

impl Silence {
    /// It asks before it votes.
    pub(crate) fn asks() -> Self {
        Self::Asks(Grants::new())
    }

    /// It has forgotten what it signed.
    pub(crate) fn forgot(newcomer: Newcomer) -> Self {
        let (granted, foreign) = (Grants::new(), Height::default());
        Self::Forgot { newcomer, listening: Listening::Not, granted, foreign }
    }
}

/// The signs by which a validator knows that it has been away.
#[derive(Debug, Default)]
pub(crate) struct Estranged {
    /// The nodes whose words have come since the timer was set, be it from others' mouths.
    heard: BTreeSet<NodeIndex>,
    /// It was cut off or frozen since it last decided a block, or was granted to vote.
    was_away: bool,
    /// Blocks that others brought since then.
    blocks: u64,
}

impl Estranged {
    fn comes_back(&mut self) {
        self.was_away = false;
        self.blocks = 0;
    }
}

/// The process with each validator's key that was granted to vote, and when.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    beats: u64,
    granted: BTreeMap<ValidatorId, (u64, u64)>,
}

impl Leases {
    fn grant(&mut self, validator: ValidatorId, instance: u64) -> bool {
        let beats = self.beats;
        let held = self.granted.get(&validator);
        let is_free =
            held.is_none_or(|(holder, since)| *holder == instance || beats > since + LEASE_BEATS);
        if is_free {
            self.granted.insert(validator, (instance, beats));
        }
        is_free
    }
}

impl Replica {
    /// Lets this validator vote on the height after the committed one, if it may. Returns true if
    /// it does from then on.
    pub(crate) fn try_speak(&mut self, own: ValidatorId) -> bool {
        let is_granted = match &self.silence {
            None | Some(Silence::Elsewhere) => return true,
            Some(Silence::Asks(granted)) => self.is_granted(own, granted),
            Some(Silence::Forgot { granted, .. }) => {
                self.has_listened(own) && self.is_granted(own, granted)
            }
        };
        if is_granted {
            if let Some(Silence::Forgot { newcomer, .. }) = &self.silence {
                self.forgotten = newcomer.forgotten_max(own).unwrap_or_default();
            }
            self.silence = None;
            // A quorum has just answered: whatever kept this validator away is over.
            self.estranged.comes_back();
        }
        is_granted
    }

    /// A block was committed, or a heartbeat has passed.
    pub(crate) fn beat(&mut self) {
        self.leases.beats += 1;
        let height = self.height();
        let Some(own) = self.voter() else { return };
        if let Some(Silence::Forgot { newcomer, listening, .. }) = &mut self.silence
            && *listening == Listening::Not
            && newcomer.forgotten_max(own).is_some_and(|forgotten| height > forgotten)
        {
            *listening = Listening::Begun;
            let listened = Effect::Schedule { timer: Timer::Listened, after_ms: LISTEN_MS };
            self.effects.push(listened);
        }
    }

    /// One who has forgotten has listened long enough.
    pub(crate) fn listened(&mut self) {
        if let Some(Silence::Forgot { listening, .. }) = &mut self.silence
            && *listening == Listening::Begun
        {
            *listening = Listening::Over;
            self.ask_to_speak(Target::Validators);
        }
    }

    /// Another validator's word has come.
    pub(crate) fn hears(&mut self, validator: ValidatorId) {
        if self.validators.get(validator).is_some() {
            self.estranged.heard.insert(NodeIndex::new(validator.get()));
        }
    }

    /// Looks whether a quorum was heard lately, and sets the timer anew.
    pub(crate) fn look_for_quorum(&mut self) {
        let heard = std::mem::take(&mut self.estranged.heard);
        let is_cut_off = self.voter().is_some_and(|own| !self.is_quorum_with(own, heard.iter()));
        self.estranged.was_away |= is_cut_off;
        self.look_for_quorum_later();
    }

    pub(crate) fn look_for_quorum_later(&mut self) {
        let timer = Timer::Estranged;
        self.effects.push(Effect::Schedule { timer, after_ms: ESTRANGED_MS });
    }

    /// The clock has gone on since the last input: by as much, this process was frozen.
    pub(crate) fn slept(&mut self, for_ms: u64) {
        self.estranged.was_away |= for_ms >= ESTRANGED_MS;
    }

    /// Consensus has decided a block here: this validator is not cut off.
    pub(crate) fn decided_here(&mut self) {
        self.estranged.comes_back();
    }

    /// Others have brought a block. Who was cut off or frozen for long cannot know whether a copy
    /// of its home was started meanwhile: it asks again before it votes.
    pub(crate) fn brought(&mut self) {
        let Estranged { was_away, blocks, .. } = &mut self.estranged;
        *blocks += 1;
        let is_estranged = *was_away && *blocks >= ESTRANGED_BLOCKS;
        if is_estranged && self.silence.is_none() && self.voter().is_some() {
            self.silence = Some(Silence::asks());
            self.ask_to_speak(Target::Validators);
        }
    }

    fn has_listened(&self, own: ValidatorId) -> bool {
        let Some(Silence::Forgot { newcomer, listening, .. }) = &self.silence else {
            return false;
        };
        // At the birth of a chain there is nothing to hear.
        *listening == Listening::Over || newcomer.forgotten_max(own) == Some(Height::new(0))
    }

    fn is_granted(&self, own: ValidatorId, grants: &Grants) -> bool {
        let is_fresh = |at: u64| self.leases.beats <= at + GRANT_BEATS;
        self.is_quorum_with(own, grants.iter().filter(|(_, at)| is_fresh(**at)).map(|(of, _)| of))
    }

    fn is_quorum_with<'a>(
        &self,
        own: ValidatorId,
        others: impl Iterator<Item = &'a NodeIndex>,
    ) -> bool {
        let ids = others.map(|node| ValidatorId::new(node.get())).chain([own]);
        let ids: BTreeSet<ValidatorId> = ids.collect();
        let power = |id| self.validators.get(id).map_or(0, |one| u128::from(one.power));
        self.validators.is_quorum(ids.into_iter().map(power).sum())
    }

    /// Returns true if the key of this node signs elsewhere.
    pub(crate) fn is_silenced(&self) -> bool {
        matches!(self.silence, Some(Silence::Elsewhere))
    }

    /// Asks the validators, or one of them, what they have heard of this node's key.
    pub(crate) fn ask_to_speak(&mut self, to: Target) {
        let asks = match &self.silence {
            None | Some(Silence::Elsewhere) => false,
            Some(Silence::Asks(_)) => true,
            Some(Silence::Forgot { .. }) => self.voter().is_some_and(|own| self.has_listened(own)),
        };
        if asks && self.voter().is_some() {
            let message = PeerMessage::Ask { instance: self.instance };
            self.effects.push(Effect::Send { to, message });
        }
    }

    /// Answers a validator that has started.
    pub(crate) fn asked(&mut self, from: NodeIndex, instance: u64) {
        let validator = ValidatorId::new(from.get());
        if self.validators.get(validator).is_none() {
            return;
        }
        let granted = self.leases.grant(validator, instance);
        let vote = self.consensus.last_vote_of(validator);
        let message = PeerMessage::Heard { instance, vote, granted };
        self.effects.push(Effect::Send { to: Target::Node(from), message });
    }

    /// A validator says what it has heard of this node's key.
    pub(crate) fn heard(
        &mut self,
        from: NodeIndex,
        instance: u64,
        vote: Option<SignedVote>,
        granted: bool,
    ) {
        if instance != self.instance || self.silence.is_none() {
            return;
        }
        if let Some(vote) = vote {
            self.consensus.hear_own_key(&Message::Vote(vote));
            self.look_for_own_key();
        }
        let has_listened = self.voter().is_some_and(|own| self.has_listened(own));
        let beats = self.leases.beats;
        match &mut self.silence {
            Some(Silence::Asks(others)) if granted => {
                others.insert(from, beats);
            }
            Some(Silence::Forgot { granted: others, .. }) if granted && has_listened => {
                others.insert(from, beats);
            }
            _ => {}
        }
    }

    /// Looks for this node's own key in a verified certificate.
    pub(crate) fn look_for_own_key_in(&mut self, certificate: &Certificate) {
        // Under another key of this place, somebody else signed it, or this node as it was before.
        if self.voter().is_some() && self.consensus.is_foreign_in(certificate) {
            self.found_own_key(certificate.height);
        }
    }

    /// Takes up what consensus has heard of the own key since the last call.
    pub(crate) fn look_for_own_key(&mut self) {
        if let Some(height) = self.consensus.take_foreign_height() {
            self.found_own_key(height);
        }
    }

    fn found_own_key(&mut self, height: Height) {
        // What it signed before it forgot says nothing new, however often it is repeated.
        if height <= self.forgotten {
            return;
        }
        let own = self.identity;
        match &mut self.silence {
            Some(Silence::Elsewhere) => return,
            Some(Silence::Forgot { foreign, .. }) => *foreign = height.max(*foreign),
            Some(Silence::Asks(_)) | None if !self.has_signed => {
                self.effects.push(Effect::Trouble(format!(
                    "this validator's key has signed at height {height}, which its vote guard does \
                     not know: the guard is of an older copy of this home. The node stays silent \
                     until it cannot have voted"
                )));
                let newcomer = Newcomer::new(Some(self.deciders.clone()));
                self.silence = Some(Silence::forgot(newcomer));
                self.found_own_key(height);
                return;
            }
            Some(Silence::Asks(_)) | None => return self.stop_signing(height),
        }
        // What it signed above all that can be forgotten, it has not signed.
        if let (Some(Silence::Forgot { newcomer, foreign, .. }), Some(own)) = (&self.silence, own)
            && newcomer.forgotten_max(own).is_some_and(|forgotten| *foreign > forgotten)
        {
            let foreign = *foreign;
            self.stop_signing(foreign);
        }
    }

    fn stop_signing(&mut self, height: Height) {
        self.silence = Some(Silence::Elsewhere);
        self.consensus.silence();
        self.effects.push(Effect::Trouble(format!(
            "this validator's key signs on another machine too (seen at height {height}): this \
             node signs nothing any more. Find the other machine, stop one of the two for good, \
             and start this one again only if the other is the one that was stopped"
        )));
    }
}
