//! Performs what the engine asks for: signs behind the guard, verifies, and turns the rest into
//! our effects, with everything durable before anything leaves.

use std::collections::BTreeSet;
use std::convert::Infallible;

use chain_types::{
    ChainId, Digest, Height, PublicKey, Signature, ValidatorId, ValidatorSet, codec,
};
use malachite_core::{
    ConsensusMsg, Effect as EngineEffect, LivenessMsg, MisbehaviorEvidence, Resumable, Resume,
    SignedConsensusMsg,
};
use malachite_types::{BoxError, CertificateError, CommitCertificate, SignedMessage};

use crate::context::{EngineContext, EngineProposal, EngineVote};
use crate::convert;
use crate::guard::{Guard, Signing};
use crate::identity::Identity;
use crate::interface::{Effect, Equivocation, TimeoutKind};
use crate::log::{Entry, Record};
use crate::messages::{Message, SignedProposal, SignedVote, Verified};
use crate::timeouts::Timeouts;

type Step = EngineEffect<EngineContext>;
type Answer = Resume<EngineContext>;

/// Stands where the guard refused a signature. It verifies under no key, so the engine drops what
/// carries it, and it is never sent.
const UNSIGNED: Signature = Signature::from_bytes([0; 64]);

/// One call's worth of work for the engine.
pub(crate) struct Desk<'a> {
    pub chain_id: ChainId,
    pub identity: Option<&'a Identity>,
    pub height: Height,
    pub validators: &'a ValidatorSet,
    pub timeouts: Timeouts,
    pub guard: Option<&'a mut Guard>,
    /// True if links between others are known to be missing: what was said is said again soon.
    pub relays_early: bool,
    /// Inputs that took effect and are not durable yet, in order.
    pub pending: &'a mut Vec<Entry>,
    /// True if inputs are kept for the log: a node that signs nothing needs none.
    pub keeps: bool,
    /// Entries that are durable already: those of the log being replayed.
    pub durable: Option<&'a BTreeSet<Vec<u8>>>,
    /// Signatures known to verify, so that none is verified twice in a call.
    pub verified: Vec<Verified>,
    /// The effects that the world was asked for so far.
    pub effects: Vec<Effect>,
    pub decided: bool,
    pub troubles: Vec<String>,
}

impl Desk<'_> {
    /// Performs one engine effect. Never fails: what cannot be done is answered so that the
    /// engine goes on without it.
    pub(crate) fn perform(&mut self, step: Step) -> Result<Answer, Infallible> {
        let answer = match step {
            Step::CancelAllTimeouts(resume) => {
                self.effects.push(Effect::CancelAll);
                resume.resume_with(())
            }
            Step::CancelTimeout(timeout, resume) => {
                let timeout = convert::timeout_out(self.height, timeout);
                self.effects.extend(timeout.map(Effect::Cancel));
                resume.resume_with(())
            }
            Step::ScheduleTimeout(timeout, resume) => {
                self.schedule(timeout);
                resume.resume_with(())
            }
            Step::StartRound(.., resume) => resume.resume_with(()),
            Step::PublishConsensusMsg(message, resume) => {
                match message {
                    SignedConsensusMsg::Vote(vote) => self.send_vote(&convert::vote_out(&vote)),
                    SignedConsensusMsg::Proposal(proposal) => {
                        self.send_proposal(&convert::proposal_out(&proposal));
                    }
                }
                resume.resume_with(())
            }
            Step::PublishLivenessMsg(message, resume) => {
                self.send_liveness(&message);
                resume.resume_with(())
            }
            Step::RepublishVote(vote, resume) => {
                self.send_vote(&convert::vote_out(&vote));
                resume.resume_with(())
            }
            Step::RepublishRoundCertificate(certificate, resume) => {
                self.send(Message::RoundCertificate(convert::round_certificate_out(&certificate)));
                resume.resume_with(())
            }
            Step::WalAppend(_, input, resume) => {
                self.keep(Entry::of(self.height, &input));
                resume.resume_with(())
            }
            Step::SignVote(vote, resume) => resume.resume_with(self.sign_vote(vote)),
            Step::SignProposal(proposal, resume) => {
                resume.resume_with(self.sign_proposal(proposal))
            }
            Step::GetValue(_, round, _, resume) => {
                let round = convert::round_out(round);
                self.effects.push(Effect::GetBlock { height: self.height, round });
                resume.resume_with(())
            }
            Step::RestreamProposal(_, round, valid_round, _, block, resume) => {
                self.effects.push(Effect::Restream {
                    height: self.height,
                    round: convert::round_out(round),
                    block,
                    valid_round: convert::valid_round_out(valid_round),
                });
                resume.resume_with(())
            }
            Step::Decide(certificate, _, resume) => {
                self.decide(&certificate);
                resume.resume_with(())
            }
            Step::Finalize(_, _, evidence, resume) => {
                let found = equivocations(&evidence);
                self.effects.extend(found.into_iter().map(Effect::Evidence));
                resume.resume_with(())
            }
            other => self.check(other),
        };
        Ok(answer)
    }

    /// Performs the effects that ask whether something verifies.
    fn check(&mut self, step: Step) -> Answer {
        match step {
            Step::VerifySignature(message, key, resume) => {
                let digest = match &message.message {
                    ConsensusMsg::Vote(vote) => convert::bare_vote_out(vote).digest(self.chain_id),
                    ConsensusMsg::Proposal(proposal) => {
                        convert::bare_proposal_out(proposal).digest(self.chain_id)
                    }
                };
                resume.resume_with(self.verifies(&key, &digest, &message.signature))
            }
            Step::VerifyCommitCertificate(certificate, _, _, resume) => {
                let verified = convert::certificate_out(&certificate)
                    .verify(self.chain_id, self.validators)
                    .map_err(flaw);
                resume.resume_with(verified)
            }
            Step::VerifyPolkaCertificate(certificate, _, _, resume) => {
                let verified = convert::polka_out(&certificate)
                    .verify(self.chain_id, self.validators)
                    .map_err(flaw);
                resume.resume_with(verified)
            }
            Step::VerifyRoundCertificate(certificate, _, _, resume) => {
                let verified = convert::round_certificate_out(&certificate)
                    .verify(self.chain_id, self.validators)
                    .map_err(flaw);
                resume.resume_with(verified)
            }
            // Blocks that come by sync end a height from outside, and votes have no extensions.
            other => {
                self.troubles.push(format!("the engine asked for what it must not: {other:?}"));
                Resume::Continue
            }
        }
    }

    fn schedule(&mut self, timeout: convert::EngineTimeout) {
        if let Some(timeout) = convert::timeout_out(self.height, timeout) {
            let after_ms = match timeout.kind {
                TimeoutKind::Rebroadcast => {
                    self.timeouts.rebroadcast_ms(timeout.round, self.relays_early)
                }
                _ => self.timeouts.after_ms(timeout.round),
            };
            self.effects.push(Effect::Schedule { timeout, after_ms });
        }
    }

    fn keep(&mut self, entry: Option<Entry>) {
        let Some(entry) = entry else {
            self.troubles.push("the engine asked to keep an input that must not be".to_owned());
            return;
        };
        let durable = self.durable.is_some_and(|known| known.contains(&codec::encode(&entry)));
        if self.keeps && !durable {
            self.pending.push(entry);
        }
    }

    fn verifies(&mut self, key: &PublicKey, digest: &Digest, signature: &Signature) -> bool {
        if *signature == UNSIGNED {
            return false;
        }
        let known = (*key, *digest, *signature);
        self.verified.contains(&known) || key.verifies(digest, signature)
    }

    fn sign_vote(&mut self, vote: EngineVote) -> SignedMessage<EngineContext, EngineVote> {
        let bare = convert::bare_vote_out(&vote);
        let signing = Signing::of_vote(&bare, self.chain_id);
        let signature = self.sign(vote.validator.0, &signing);
        SignedMessage::new(vote, signature)
    }

    fn sign_proposal(
        &mut self,
        proposal: EngineProposal,
    ) -> SignedMessage<EngineContext, EngineProposal> {
        let bare = convert::bare_proposal_out(&proposal);
        let signing = Signing::of_proposal(&bare, self.chain_id);
        let signature = self.sign(proposal.proposer.0, &signing);
        SignedMessage::new(proposal, signature)
    }

    /// Our signature if the guard admits it, [`UNSIGNED`] if not.
    fn sign(&mut self, signer: ValidatorId, signing: &Signing) -> Signature {
        let (Some(identity), Some(guard)) = (self.identity, self.guard.as_mut()) else {
            return UNSIGNED;
        };
        if signer != identity.id || !guard.admit(signing) {
            return UNSIGNED;
        }
        let signature = identity.key.sign(&signing.digest);
        self.verified.push((identity.key.public_key(), signing.digest, signature));
        signature
    }

    /// Asks the guard whether a message with our name on it may leave, be it signed
    /// now or found in the log.
    fn admit(&mut self, signer: ValidatorId, signature: &Signature, signing: &Signing) -> bool {
        if self.identity.is_none_or(|identity| identity.id != signer) {
            // Another's message, passed on.
            return true;
        }
        *signature != UNSIGNED && self.guard.as_mut().is_some_and(|guard| guard.admit(signing))
    }

    fn send_vote(&mut self, signed: &SignedVote) {
        let signing = Signing::of_vote(&signed.vote, self.chain_id);
        if self.admit(signed.validator, &signed.signature, &signing) {
            self.send(Message::Vote(*signed));
        }
    }

    fn send_proposal(&mut self, signed: &SignedProposal) {
        let signing = Signing::of_proposal(&signed.proposal, self.chain_id);
        if self.admit(signed.proposal.proposer, &signed.signature, &signing) {
            self.send(Message::Proposal(*signed));
        }
    }

    fn send_liveness(&mut self, message: &LivenessMsg<EngineContext>) {
        match message {
            LivenessMsg::Vote(vote) => self.send_vote(&convert::vote_out(vote)),
            LivenessMsg::PolkaCertificate(certificate) => {
                self.send(Message::PolkaCertificate(convert::polka_out(certificate)));
            }
            LivenessMsg::SkipRoundCertificate(certificate) => {
                let certificate = convert::round_certificate_out(certificate);
                self.send(Message::RoundCertificate(certificate));
            }
        }
    }

    fn send(&mut self, message: Message) {
        self.make_durable();
        self.effects.push(Effect::Send(message));
    }

    /// The log before the guard: a vote in the log alone is found and sent again after a crash;
    /// one in the guard alone would leave this validator silent for its step.
    fn make_durable(&mut self) {
        if !self.pending.is_empty() {
            let entries = std::mem::take(self.pending);
            let record = Record { height: self.height, entries };
            self.effects.push(Effect::Persist(record.to_bytes()));
        }
        if let Some(bytes) = self.guard.as_mut().and_then(|guard| guard.take_changed()) {
            self.effects.push(Effect::Guard(bytes));
        }
    }

    fn decide(&mut self, certificate: &CommitCertificate<EngineContext>) {
        // Our own precommit may be in the certificate before it has been sent by itself.
        if self.guard.as_ref().is_some_and(|guard| guard.has_changed()) {
            self.make_durable();
        }
        self.decided = true;
        self.effects.push(Effect::Decided { certificate: convert::certificate_out(certificate) });
    }
}

/// The engine only asks whether a certificate holds; the reason is for its log.
fn flaw<E: std::error::Error + Send + Sync + 'static>(error: E) -> CertificateError<EngineContext> {
    CertificateError::VerificationError(Some(BoxError::new(Box::new(error))))
}

/// Returns the evidence that the engine has gathered, as ours, in the order of validators.
pub(crate) fn equivocations(evidence: &MisbehaviorEvidence<EngineContext>) -> Vec<Equivocation> {
    let votes = evidence.votes.iter().flat_map(|(_, pairs)| pairs).map(|(first, second)| {
        Equivocation::Votes { first: convert::vote_out(first), second: convert::vote_out(second) }
    });
    let proposals = evidence.proposals.iter().flat_map(|(_, pairs)| pairs);
    let proposals = proposals.map(|(first, second)| Equivocation::Proposals {
        first: convert::proposal_out(first),
        second: convert::proposal_out(second),
    });
    votes.chain(proposals).map(Equivocation::in_order).collect()
}
