//! How far the running height has come, for the operator's eyes: no decision rests on it.

use std::collections::BTreeMap;

use chain_types::{BlockHash, Height, Round, ValidatorId, ValidatorSet};
use malachite_types::{NilOrVal, VoteType};

use crate::consensus::Consensus;
use crate::convert;
use crate::machine::Machine;

/// The event that the running round waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundStep {
    /// Its proposal, and this node's verdict on it.
    Propose,
    /// A quorum of prevotes.
    Prevote,
    /// A quorum of precommits.
    Precommit,
}

/// How far the running height has come, as this node has seen it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The height that is being decided.
    pub height: Height,
    /// The round that is under way.
    pub round: Round,
    /// The event that the round waits for.
    pub step: RoundStep,
    /// The validator whose turn it is in that round.
    pub proposer: ValidatorId,
    /// The verified prevotes of that round: for a block, or for nil.
    pub prevotes: BTreeMap<ValidatorId, Option<BlockHash>>,
    /// The verified precommits of that round: for a block, or for nil.
    pub precommits: BTreeMap<ValidatorId, Option<BlockHash>>,
}

impl Progress {
    /// Returns the validators that have not sent what the running round waits for, ascending by id.
    /// `validators` are those of the running height.
    pub fn missing(&self, validators: &ValidatorSet) -> Vec<ValidatorId> {
        let votes = match self.step {
            RoundStep::Propose => return vec![self.proposer],
            RoundStep::Prevote => &self.prevotes,
            RoundStep::Precommit => &self.precommits,
        };
        let all = validators.as_slice().iter().map(|validator| validator.id);
        all.filter(|id| !votes.contains_key(id)).collect()
    }
}

impl Consensus {
    /// How far the running height has come; `None` while no height runs, or once it is decided.
    pub fn progress(&self) -> Option<Progress> {
        let machine = self.machine().filter(|machine| !machine.decided)?;
        let driver = &machine.state.driver;
        let round = Round::new(machine.state.round().as_u32()?);
        let step = if driver.step_is_propose() {
            RoundStep::Propose
        } else if driver.step_is_prevote() {
            RoundStep::Prevote
        } else if driver.step_is_precommit() {
            RoundStep::Precommit
        } else {
            return None;
        };
        let height = machine.height;
        let proposer =
            machine.state.get_proposer(convert::height_in(height), convert::round_in(round)).0;
        let prevotes = votes(machine, round, VoteType::Prevote);
        let precommits = votes(machine, round, VoteType::Precommit);
        Some(Progress { height, round, step, proposer, prevotes, precommits })
    }
}

fn votes(
    machine: &Machine,
    round: Round,
    step: VoteType,
) -> BTreeMap<ValidatorId, Option<BlockHash>> {
    let received = machine.state.driver.votes().per_round(convert::round_in(round));
    let received = received.into_iter().flat_map(|round| round.received_votes());
    let of_step = received.filter(|signed| signed.message.step == step);
    of_step
        .map(|signed| {
            let block = match signed.message.value {
                NilOrVal::Nil => None,
                NilOrVal::Val(block) => Some(block),
            };
            (signed.message.validator.0, block)
        })
        .collect()
}
