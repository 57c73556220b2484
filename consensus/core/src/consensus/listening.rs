//! Messages that consensus takes from others beside the running height: the height that comes next,
//! the last vote of each validator, and its own key where it did not sign.

use chain_types::{BlockHash, Certificate, Height, ValidatorId, ValidatorSet};

use super::Consensus;
use crate::hearing::{foreign_height, is_foreign_in};
use crate::machine::Machine;
use crate::messages::{Message, SignedVote};
use crate::standing::Standing;

impl Consensus {
    /// The height below `height` is committed, so that its validators are known: what they say of
    /// it is kept from now on, a little each, until it starts.
    pub fn expect_height(&mut self, height: Height, validators: &ValidatorSet) {
        self.next.expect(height, validators, self.chain_id);
    }

    /// Returns true if validators with more than a third of the power have verifiably spoken about
    /// the height that [`Self::expect_height`] named: time to start it, even if there is nothing to
    /// propose here. One validator alone hurries nobody.
    pub fn next_height_has_begun(&self) -> bool {
        self.next.has_begun()
    }

    /// The last vote of a validator that this node has verified.
    pub fn last_vote_of(&self, validator: ValidatorId) -> Option<SignedVote> {
        self.last_votes.of(validator)
    }

    /// Returns true if a quorum has prevoted `block` in some round of the running height.
    pub fn has_polka(&self, block: &BlockHash) -> bool {
        self.machine.as_ref().is_some_and(|machine| machine.has_polka(block))
    }

    /// The blocks on which this validator is locked, or which it would propose again.
    pub fn kept_blocks(&self) -> [Option<BlockHash>; 2] {
        self.machine.as_ref().map_or([None, None], Machine::kept_blocks)
    }

    /// The highest height, since the last call, at which this node's key verifiably signed what its
    /// guard does not account for: another machine has the key, or this one has an old guard.
    pub fn take_foreign_height(&mut self) -> Option<Height> {
        self.foreign.take()
    }

    /// Returns true if a verified certificate holds a precommit of this node's key that its guard
    /// does not account for.
    pub fn is_foreign_in(&self, certificate: &Certificate) -> bool {
        let (Some(identity), Some(guard)) = (&self.identity, &self.guard) else { return false };
        is_foreign_in(certificate, self.chain_id, identity, guard)
    }

    /// Checks a message for this node's own key; see [`Self::take_foreign_height`].
    pub fn hear_own_key(&mut self, message: &Message) {
        let (Some(identity), Some(guard)) = (&self.identity, &self.guard) else { return };
        let height = foreign_height(message, self.chain_id, identity, guard);
        self.foreign = self.foreign.max(height);
    }

    /// Signs nothing any more, whatever comes: the key signs elsewhere.
    pub fn silence(&mut self) {
        self.silenced = true;
        if let Some(machine) = self.machine.as_mut() {
            machine.silence();
        }
    }

    /// Returns true if the message bears this validator's name. A validator knows from its own log
    /// what it has said. What comes back from outside was said before the log was lost, or by
    /// another machine with its key: it must not enter the log as its own.
    pub(crate) fn is_in_our_name(&self, message: &Message) -> bool {
        let votes = self.standing() != Standing::Following;
        let own = self.identity.as_ref().map(|identity| identity.id);
        votes && message.sender().is_some_and(|sender| own == Some(sender))
    }

    /// Keeps a few verified proposals and votes of each validator for the next height. Until the
    /// running one is decided, the next one's validators are taken to be the same.
    pub(crate) fn keep_for_next_height(&mut self, message: Message) {
        let height = message.height();
        let running = self.machine.as_ref().filter(|machine| machine.height.next() == height);
        let known = self.next.validators_of(height).or(running.map(|machine| &machine.validators));
        let Some(validators) = known.cloned() else { return };
        self.next.keep(message, &validators, self.chain_id);
    }

    /// A vote that moves nothing here any more is still the last one heard of its voter.
    pub(crate) fn note_late_vote(&mut self, message: &Message) {
        let Message::Vote(signed) = message else { return };
        let machine = self.machine.as_ref().filter(|_| self.last_votes.is_news(signed));
        if machine.is_some_and(|machine| machine.verify(message, self.chain_id).is_some()) {
            self.last_votes.note(signed);
        }
    }
}
