//! Messages of the running height that others may lack: a validator says them again, so that
//! validators which share no link, or were shown different things, come to know the same.

use std::collections::BTreeMap;

use chain_types::{BlockHash, Round, ValidatorId};
use malachite_types::{Threshold, VoteType};

use crate::certificates::PolkaCertificate;
use crate::convert;
use crate::interface::Effect;
use crate::machine::Machine;
use crate::messages::{Message, SignedVote};
use crate::standing::{MuteReason, Standing};

/// The most votes that are relayed at once: those of the latest rounds.
pub const RELAYED_VOTES_MAX: usize = 256;

impl Machine {
    /// The votes of others that this node holds, those of the latest rounds first.
    pub(crate) fn votes_to_relay(&self, own: Option<ValidatorId>) -> Vec<SignedVote> {
        let rounds = self.state.driver.votes().all_rounds().values().rev();
        rounds
            .flat_map(|round| round.received_votes())
            .map(convert::vote_out)
            .filter(|vote| Some(vote.validator) != own)
            .take(RELAYED_VOTES_MAX)
            .collect()
    }

    /// The prevotes of a quorum for one block in `round`, if this node has seen them.
    pub(crate) fn polka_of(&self, round: Round) -> Option<PolkaCertificate> {
        let round = convert::round_in(round);
        let known = self.state.driver.polka_certificates();
        known.iter().find(|polka| polka.round == round).map(convert::polka_out)
    }

    /// Returns the messages that show the others a block that a quorum has prevoted in `round`,
    /// while its round may end undecided: the prevotes, then the proposal with its block. A
    /// proposer that shows its block to few, late in its turn, would else leave one of them locked
    /// on what nobody else knows, and every later round would fail until that one's turn comes.
    pub(crate) fn show_polka(&self, round: Round) -> Vec<Effect> {
        let Some(polka) = self.polka_of(round) else { return Vec::new() };
        let (height, block) = (self.height, polka.block);
        let restream = Effect::Restream { height, round, block, valid_round: None };
        vec![Effect::Send(Message::PolkaCertificate(polka)), restream]
    }

    /// Signs nothing for the rest of the height.
    pub(crate) fn silence(&mut self) {
        if self.standing != Standing::Following {
            self.standing = Standing::Mute(MuteReason::KeyElsewhere);
            self.state.params.enabled = false;
        }
    }

    /// Returns true if a quorum has prevoted `block` in some round of the height.
    pub(crate) fn has_polka(&self, block: &BlockHash) -> bool {
        self.state.driver.polka_certificates().iter().any(|polka| polka.value_id == *block)
            || self.state.driver.votes().all_rounds().keys().any(|round| {
                let threshold = Threshold::Value(*block);
                self.state.driver.votes().is_threshold_met(round, VoteType::Prevote, threshold)
            })
    }

    /// Returns true if a quorum may have prevoted one block in `round` unseen by this node:
    /// prevotes of more than a third for it are known, and the rest may have been shown to another.
    pub(crate) fn may_hide_a_polka(&self, round: Round) -> bool {
        let Some(round) = self.state.driver.votes().per_round(convert::round_in(round)) else {
            return false;
        };
        let mut powers: BTreeMap<BlockHash, u128> = BTreeMap::new();
        for vote in round.received_votes().iter().map(convert::vote_out) {
            let power = self.validators.get(vote.validator).map_or(0, |one| u128::from(one.power));
            if let (chain_types::VoteStep::Prevote, Some(block)) = (vote.vote.step, vote.vote.block)
            {
                *powers.entry(block).or_default() += power;
            }
        }
        powers.values().any(|power| power * 3 > self.validators.total_power())
    }

    /// The blocks on which this node, or whoever proposes next here, may still rest.
    pub(crate) fn kept_blocks(&self) -> [Option<BlockHash>; 2] {
        let round_state = self.state.driver.round_state();
        [&round_state.locked, &round_state.valid].map(|kept| kept.as_ref().map(|at| at.value.0))
    }
}
