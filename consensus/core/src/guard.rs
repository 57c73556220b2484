//! The vote guard: what this validator signed last, on its own disk cell. It refuses a second
//! value for one height, round and step, and anything earlier, whatever log and engine say.

use bincode::{Decode, Encode};
use chain_types::codec;
use chain_types::{BlockHash, ChainId, Digest, Height, Round, ValidatorId, Vote, VoteStep};

use crate::fault::ConsensusFault;
use crate::messages::Proposal;

/// The first byte of the guard's content.
const GUARD_VERSION: u8 = 1;
/// A guard is far smaller than this, in bytes.
const GUARD_BYTES_MAX: usize = 1_024;

/// The kinds of signature that a validator gives once a round each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Proposal,
    Prevote,
    Precommit,
}

/// Something about to be signed, or signed before and about to be sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signing {
    pub slot: Slot,
    pub height: Height,
    pub round: Round,
    /// The digest that the signature covers.
    pub digest: Digest,
    /// The block that a precommit locks.
    pub lock: Option<BlockHash>,
}

impl Signing {
    pub(crate) fn of_vote(vote: &Vote, chain_id: ChainId) -> Self {
        let precommits = vote.step == VoteStep::Precommit;
        Self {
            slot: if precommits { Slot::Precommit } else { Slot::Prevote },
            height: vote.height,
            round: vote.round,
            digest: vote.digest(chain_id),
            lock: vote.block.filter(|_| precommits),
        }
    }

    pub(crate) fn of_proposal(proposal: &Proposal, chain_id: ChainId) -> Self {
        Self {
            slot: Slot::Proposal,
            height: proposal.height,
            round: proposal.round,
            digest: proposal.digest(chain_id),
            lock: None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
struct Signed {
    height: Height,
    round: Round,
    digest: Digest,
}

/// The block that this validator precommitted last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Lock {
    pub height: Height,
    pub round: Round,
    pub block: BlockHash,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct Content {
    chain_id: ChainId,
    validator: ValidatorId,
    proposal: Option<Signed>,
    prevote: Option<Signed>,
    precommit: Option<Signed>,
    lock: Option<Lock>,
}

/// The guard of one validator on one chain.
#[derive(Debug)]
pub(crate) struct Guard {
    content: Content,
    /// True if the content has changed since it was last handed out.
    changed: bool,
}

impl Guard {
    /// The guard that `bytes` hold, or a fresh one for a validator that has never signed.
    pub(crate) fn open(
        chain_id: ChainId,
        validator: ValidatorId,
        bytes: Option<&[u8]>,
    ) -> Result<Self, ConsensusFault> {
        let content = match bytes {
            None => Content {
                chain_id,
                validator,
                proposal: None,
                prevote: None,
                precommit: None,
                lock: None,
            },
            Some(bytes) => decode(bytes)?,
        };
        if content.chain_id != chain_id {
            return Err(ConsensusFault::GuardOfAnotherChain {
                found: content.chain_id,
                expected: chain_id,
            });
        }
        if content.validator != validator {
            return Err(ConsensusFault::GuardOfAnotherValidator {
                found: content.validator,
                expected: validator,
            });
        }
        Ok(Self { content, changed: false })
    }

    /// Admits the signature if it is the last one of its slot again, or later than it; then it is
    /// the last one from now on. Returns true if it may exist.
    pub(crate) fn admit(&mut self, signing: &Signing) -> bool {
        let Signing { height, round, digest, .. } = *signing;
        let slot = match signing.slot {
            Slot::Proposal => &mut self.content.proposal,
            Slot::Prevote => &mut self.content.prevote,
            Slot::Precommit => &mut self.content.precommit,
        };
        if let Some(last) = slot
            && (height, round) <= (last.height, last.round)
        {
            return (height, round, digest) == (last.height, last.round, last.digest);
        }
        *slot = Some(Signed { height, round, digest });
        if let Some(block) = signing.lock {
            self.content.lock = Some(Lock { height, round, block });
        }
        self.changed = true;
        true
    }

    /// Returns true if this guard may have admitted the signature: it is the last one of its slot,
    /// or earlier. One that is later, or another of the same place, was given by somebody else with
    /// this key, or by this validator after the guard was copied.
    pub(crate) fn accounts_for(&self, signing: &Signing) -> bool {
        let Signing { height, round, digest, .. } = *signing;
        let last = match signing.slot {
            Slot::Proposal => self.content.proposal,
            Slot::Prevote => self.content.prevote,
            Slot::Precommit => self.content.precommit,
        };
        last.is_some_and(|last| {
            (height, round) < (last.height, last.round)
                || (height, round, digest) == (last.height, last.round, last.digest)
        })
    }

    /// The block precommitted last, if that was at `height`.
    pub(crate) fn lock_at(&self, height: Height) -> Option<Lock> {
        self.content.lock.filter(|lock| lock.height == height)
    }

    /// Returns true if there is content that is not durable yet.
    pub(crate) const fn has_changed(&self) -> bool {
        self.changed
    }

    /// The content to make durable before anything leaves, if it has changed.
    pub(crate) fn take_changed(&mut self) -> Option<Vec<u8>> {
        if !self.changed {
            return None;
        }
        self.changed = false;
        let mut bytes = vec![GUARD_VERSION];
        bytes.extend(codec::encode(&self.content));
        Some(bytes)
    }
}

fn decode(bytes: &[u8]) -> Result<Content, ConsensusFault> {
    match bytes.split_first() {
        Some((&GUARD_VERSION, rest)) => codec::decode(rest, GUARD_BYTES_MAX)
            .map_err(|error| ConsensusFault::GuardUnreadable(error.to_string())),
        Some((version, _)) => {
            Err(ConsensusFault::GuardUnreadable(format!("version {version} is not known")))
        }
        None => Err(ConsensusFault::GuardUnreadable("no bytes".to_owned())),
    }
}

#[cfg(test)]
mod tests;
