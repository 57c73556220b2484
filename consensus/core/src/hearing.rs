//! Messages that a node hears beside the running height: messages of the next one, kept a few a
//! validator, the last vote of each validator, and its own key where it did not sign.

use std::collections::BTreeMap;

use chain_types::{Certificate, ChainId, Height, Round, ValidatorId, ValidatorSet, Vote, VoteStep};

use crate::guard::{Guard, Signing};
use crate::identity::Identity;
use crate::messages::{Message, SignedVote};

/// Messages of the next height kept a validator: a proposal and the votes of some rounds.
const WAITING_PER_VALIDATOR_MAX: usize = 8;

/// The height that comes next, and what validators have already said of it.
#[derive(Debug, Default)]
pub(crate) struct NextHeight {
    next: Option<(Height, ValidatorSet)>,
    /// Verified messages, by sender.
    waiting: BTreeMap<ValidatorId, Vec<Message>>,
}

impl NextHeight {
    /// The height below is committed: these are the validators of `height`. Messages that came
    /// before that was known are kept if they still verify.
    pub(crate) fn expect(&mut self, height: Height, validators: &ValidatorSet, chain: ChainId) {
        if self.next.as_ref().is_some_and(|(next, set)| *next == height && set == validators) {
            return;
        }
        self.next = Some((height, validators.clone()));
        for messages in self.waiting.values_mut() {
            messages.retain(|message| {
                message.height() == height && verifies(message, validators, chain)
            });
        }
        self.waiting.retain(|_, messages| !messages.is_empty());
    }

    /// The validators of `height`, if it is the one that comes next.
    pub(crate) fn validators_of(&self, height: Height) -> Option<&ValidatorSet> {
        self.next.as_ref().filter(|(next, _)| *next == height).map(|(_, validators)| validators)
    }

    /// Keeps a message that verifies against `validators`; a few a validator.
    pub(crate) fn keep(&mut self, message: Message, validators: &ValidatorSet, chain: ChainId) {
        let Some(sender) = message.sender() else { return };
        let kept = self.waiting.get(&sender).map_or(&[][..], Vec::as_slice);
        if kept.len() >= WAITING_PER_VALIDATOR_MAX || kept.contains(&message) {
            return;
        }
        if verifies(&message, validators, chain) {
            self.waiting.entry(sender).or_default().push(message);
        }
    }

    /// The messages of `height`, in the order of their senders.
    pub(crate) fn take(&mut self, height: Height) -> Vec<Message> {
        let waiting = std::mem::take(&mut self.waiting);
        self.next = None;
        let messages = waiting.into_values().flatten();
        messages.filter(|message| message.height() == height).collect()
    }

    /// Returns true if validators with more than a third of the power have voted on the next
    /// height: one of them is honest, and has begun it.
    pub(crate) fn has_begun(&self) -> bool {
        let Some((height, validators)) = &self.next else { return false };
        let spoken = self
            .waiting
            .iter()
            .filter(|(_, messages)| messages.iter().any(|message| message.height() == *height));
        let power: u128 =
            spoken.map(|(id, _)| validators.get(*id).map_or(0, |one| u128::from(one.power))).sum();
        power * 3 > validators.total_power()
    }
}

fn verifies(message: &Message, validators: &ValidatorSet, chain: ChainId) -> bool {
    let (signer, digest, signature) = match message {
        Message::Proposal(signed) => {
            (signed.proposal.proposer, signed.proposal.digest(chain), signed.signature)
        }
        Message::Vote(signed) => (signed.validator, signed.vote.digest(chain), signed.signature),
        Message::PolkaCertificate(_) | Message::RoundCertificate(_) => return false,
    };
    validators.get(signer).is_some_and(|one| one.public_key.verifies(&digest, &signature))
}

/// The last vote of each validator that this node has verified: who starts again asks for it.
#[derive(Debug, Default)]
pub(crate) struct LastVotes(BTreeMap<ValidatorId, SignedVote>);

impl LastVotes {
    /// Returns true if the vote is later than what is known of its voter.
    pub(crate) fn is_news(&self, signed: &SignedVote) -> bool {
        self.0.get(&signed.validator).is_none_or(|last| place(&last.vote) < place(&signed.vote))
    }

    /// Takes over a verified vote, if it is later.
    pub(crate) fn note(&mut self, signed: &SignedVote) {
        if self.is_news(signed) {
            self.0.insert(signed.validator, *signed);
        }
    }

    pub(crate) fn of(&self, validator: ValidatorId) -> Option<SignedVote> {
        self.0.get(&validator).copied()
    }
}

fn place(vote: &Vote) -> (Height, Round, u8) {
    (vote.height, vote.round, vote.step as u8)
}

/// The height at which a message proves that this validator's key signed what its guard does not
/// account for. The signature is verified.
pub(crate) fn foreign_height(
    message: &Message,
    chain: ChainId,
    identity: &Identity,
    guard: &Guard,
) -> Option<Height> {
    if message.sender() != Some(identity.id) {
        return None;
    }
    let (signing, signature) = match message {
        Message::Proposal(signed) => {
            (Signing::of_proposal(&signed.proposal, chain), signed.signature)
        }
        Message::Vote(signed) => (Signing::of_vote(&signed.vote, chain), signed.signature),
        Message::PolkaCertificate(_) | Message::RoundCertificate(_) => return None,
    };
    let is_foreign = !guard.accounts_for(&signing)
        && identity.key.public_key().verifies(&signing.digest, &signature);
    is_foreign.then_some(signing.height)
}

/// As [`foreign_height`], of this validator's precommit in a verified certificate.
pub(crate) fn is_foreign_in(
    certificate: &Certificate,
    chain: ChainId,
    identity: &Identity,
    guard: &Guard,
) -> bool {
    let vote = Vote {
        height: certificate.height,
        round: certificate.round,
        step: VoteStep::Precommit,
        block: Some(certificate.block),
    };
    certificate.signatures.iter().any(|(id, _)| *id == identity.id)
        && !guard.accounts_for(&Signing::of_vote(&vote, chain))
}
