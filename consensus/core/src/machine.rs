//! The engine of one height, and what can be said of a message before the engine sees it.

use std::collections::{BTreeSet, VecDeque};

use chain_types::validators::VALIDATORS_MAX;
use chain_types::{BlockHash, ChainId, Height, Round, ValidatorId, ValidatorSet};
use malachite_core::{MAX_FUTURE_ROUND_LOOKAHEAD, Params, State, ValuePayload};
use malachite_types::{Threshold, VoteType};

use crate::context::{EngineAddress, EngineContext, EngineValidatorSet};
use crate::convert;
use crate::guard::Guard;
use crate::identity::Identity;
use crate::interface::{Timeout, TimeoutKind};
use crate::log::Entry;
use crate::messages::{Message, Proposal, Verified};
use crate::proposers::Proposers;
use crate::standing::{MuteReason, Standing};

/// Inputs for the engine's own queue of later messages, which is never used: nothing later is fed.
const ENGINE_QUEUE_MAX: usize = 1;
/// The engine's name for a node that does not vote. No validator has it: ids are positions in a
/// list that is far shorter.
const NOBODY: ValidatorId = ValidatorId::new(u32::MAX);

/// Verdicts kept until their proposals arrive; the oldest goes first.
const EARLY_VERDICTS_MAX: usize = 64;

/// The engine of one height.
pub(crate) struct Machine {
    pub height: Height,
    pub validators: ValidatorSet,
    pub state: State<EngineContext>,
    pub standing: Standing,
    pub decided: bool,
    /// True if nothing has been fed since the height began.
    pub fresh: bool,
    /// Verified proposals that the engine has seen.
    proposals: BTreeSet<(Round, BlockHash)>,
    /// Verdicts on proposals that the engine has not seen, oldest first.
    early: VecDeque<((Round, BlockHash), Entry)>,
}

impl Machine {
    /// The engine of a height that has not started. A validator that has precommitted a block of
    /// it before is silent until its log is replayed.
    pub(crate) fn new(
        height: Height,
        validators: ValidatorSet,
        proposers: &Proposers,
        identity: Option<&Identity>,
        guard: Option<&Guard>,
    ) -> Self {
        let voter = identity.filter(|identity| {
            let listed = validators.get(identity.id);
            listed.is_some_and(|validator| validator.public_key == identity.key.public_key())
        });
        let locked = guard.is_some_and(|guard| guard.lock_at(height).is_some());
        let standing = match voter {
            None => Standing::Following,
            Some(_) if locked => Standing::Mute(MuteReason::AwaitingLog),
            Some(_) => Standing::Voting,
        };
        let params = Params {
            address: EngineAddress(voter.map_or(NOBODY, |identity| identity.id)),
            threshold_params: Default::default(),
            // Bodies travel apart, so that a proposal waits for our own verdict.
            value_payload: ValuePayload::ProposalAndParts,
            enabled: standing == Standing::Voting,
        };
        let state = State::new(
            EngineContext::new(&validators, &proposers.order(&validators, height)),
            convert::height_in(height),
            EngineValidatorSet::new(&validators),
            params,
            ENGINE_QUEUE_MAX,
            ENGINE_QUEUE_MAX,
        );
        Self {
            height,
            validators,
            state,
            standing,
            decided: false,
            fresh: true,
            proposals: BTreeSet::new(),
            early: VecDeque::new(),
        }
    }

    /// Returns true if a message of this height may be news, as far as can be told without
    /// verifying it.
    pub(crate) fn wants(&self, message: &Message) -> bool {
        match message {
            Message::Vote(signed) => {
                let vote = convert::vote_in(signed);
                let votes = self.state.driver.votes();
                self.is_near(signed.vote.round)
                    && !votes.has_vote(&vote)
                    && !votes.is_saturated_conflict(&vote)
            }
            Message::Proposal(signed) => {
                let proposal = convert::proposal_in(signed).message;
                let height = convert::height_in(self.height);
                let proposer = self.state.get_proposer(height, proposal.round);
                self.is_near(signed.proposal.round)
                    && *proposer == proposal.proposer
                    && !self.state.exceeds_per_round_cap(height, proposal.round, &proposal.value.0)
            }
            Message::PolkaCertificate(certificate) => {
                certificate.signatures.len() <= VALIDATORS_MAX
            }
            Message::RoundCertificate(certificate) => certificate.votes.len() <= VALIDATORS_MAX,
        }
    }

    /// Remembers a proposal that the engine is about to see; the verdict on it, if that came first.
    pub(crate) fn note_proposal(&mut self, proposal: &Proposal) -> Option<Entry> {
        let place = (proposal.round, proposal.block);
        self.proposals.insert(place);
        let at = self.early.iter().position(|(of, _)| *of == place)?;
        self.early.remove(at).map(|(_, verdict)| verdict)
    }

    /// The verdict, if the engine has seen its proposal; else it waits for it. The engine has room
    /// for few blocks a round, which a forged proposal must not take from the true one.
    pub(crate) fn admit_verdict(
        &mut self,
        round: Round,
        block: BlockHash,
        verdict: Entry,
    ) -> Option<Entry> {
        let place = (round, block);
        if self.proposals.contains(&place) {
            return Some(verdict);
        }
        self.early.retain(|(of, _)| *of != place);
        if self.early.len() >= EARLY_VERDICTS_MAX {
            self.early.pop_front();
        }
        self.early.push_back((place, verdict));
        None
    }

    /// Returns true if what a timeout waits for cannot come: a quorum has precommitted none, so
    /// that nothing is ever decided in its round. The paper waits here as well, and so does this
    /// one where somebody may be locked on a block: who is has until then to show it.
    pub(crate) fn cannot_decide(&self, timeout: &Timeout) -> bool {
        let round = convert::round_in(timeout.round);
        timeout.kind == TimeoutKind::Precommit
            && self.state.driver.votes().is_threshold_met(
                &round,
                VoteType::Precommit,
                Threshold::Nil,
            )
            && !self.may_hide_a_polka(timeout.round)
    }

    /// Returns true if the engine still looks at votes and proposals of this round: those far ahead
    /// come with a round certificate first.
    fn is_near(&self, round: Round) -> bool {
        let ahead = convert::round_in(round).as_i64() - self.state.round().as_i64();
        ahead <= i64::from(MAX_FUTURE_ROUND_LOOKAHEAD)
    }

    /// Returns true if the engine is locked where the guard says that this validator precommitted,
    /// or on something later.
    pub(crate) fn knows_lock_of(&self, guard: &Guard) -> bool {
        let Some(lock) = guard.lock_at(self.height) else {
            return true;
        };
        let Some(locked) = &self.state.driver.round_state().locked else {
            return self.decided;
        };
        let round = convert::round_out(locked.round);
        round > lock.round || (round, locked.value.0) == (lock.round, lock.block)
    }

    /// The signature of a proposal or vote, if it is a validator's and verifies. Of certificates
    /// the engine itself asks, and only if they are news.
    pub(crate) fn verify(&self, message: &Message, chain_id: ChainId) -> Option<Verified> {
        let (signer, digest, signature) = match message {
            Message::Proposal(signed) => {
                (signed.proposal.proposer, signed.proposal.digest(chain_id), signed.signature)
            }
            Message::Vote(signed) => {
                (signed.validator, signed.vote.digest(chain_id), signed.signature)
            }
            Message::PolkaCertificate(_) | Message::RoundCertificate(_) => return None,
        };
        let key = self.validators.get(signer)?.public_key;
        key.verifies(&digest, &signature).then_some((key, digest, signature))
    }
}
